/*
 * internal.h — what the files of this room share.
 *
 * open.c opens a stream: limits, the place to go on from, what was missed. tail.c follows the log for all streams of the worker and
 * tells them. batch.c makes events of rows of the log. rights.c says who may hear of what. streams.c holds the open streams: writes,
 * heartbeats, their end.
 */
#ifndef BIMODAL_CORE_LIVE_INTERNAL_H
#define BIMODAL_CORE_LIVE_INTERNAL_H

#include "base/buf.h"
#include "base/id.h"
#include "base/metric.h"
#include "core/live/live.h"
#include "gen/sql_core.h"

#define LIVE_PLACE_SIZE 96  /* text of a place with NUL */
#define LIVE_EVENT_MAX 4096 /* bytes of one event */
#define LIVE_EACH_MAX 32    /* records of one resource named in one look; more are told as many */
#define LIVE_HOPS_MAX 4
#define LIVE_WORD_SIZE 40

/* ---- places in the log (batch.c) ---- */
struct live_position {
	uint64_t xid;
	int64_t seq;
};
/* How far somebody has been told: of the log, and of what notices were made of it, which happens later. */
struct live_place {
	struct live_position log, notices;
};
int live_compare(const struct live_position *a, const struct live_position *b);
struct live_place live_later(const struct live_place *a, const struct live_place *b);
void live_place_text(const struct live_place *p, char out[LIVE_PLACE_SIZE]);
/* False: not a text of ours. */
bool live_place_read(struct str text, struct live_place *out);

/* ---- what somebody may hear of ---- */
enum live_topic { /* below: the resources of the catalog, by their index */
		  LIVE_FLAGS = RECORD_RESOURCES_MAX,
		  LIVE_CHANGES,
		  LIVE_DRIFT,
		  LIVE_USERS,
		  LIVE_TEAMS,
		  LIVE_FEED,
		  LIVE_MINE, /* of one principal alone */
		  LIVE_TOPICS
};

struct live_event {
	struct live_position at; /* of the log, or of LIVE_MINE's notices */
	bool of_notices;
	unsigned topic;
	struct str text;                /* to who may see it; .p NULL: it is gone */
	struct str gone;                /* to who could see it before */
	struct str owner, owner_before; /* of records */
	struct str principal;           /* of LIVE_MINE */
};

/* One look at the log. All in the task's arena. */
struct live_batch {
	struct live_place from, end;
	struct live_position horizon;
	bool more;    /* there is more of the log */
	bool follows; /* events whose owner must be asked for */
	bool asked;
	struct live_event *events;
	size_t n;
};

/* ---- batch.c ---- */
/* Ask for what comes after `from`, up to `to` (NULL: all), `max` rows at most: two waits of the step. ERR: set in the task. */
MUST_CHECK enum err live_batch_ask(struct task *t, const struct live_place *from,
				   const struct live_place *to, int64_t max);
/* In the next step: the events. False: the task has its error. */
bool live_batch_take(struct task *t, const struct live_place *from, const struct live_place *to,
		     int64_t max, struct live_batch *b);
/* In the same step, after it: ask for owners where it takes a look at other records. STEP_WAIT, or STEP_NEXT if there is nothing to ask. */
enum step live_batch_owners_ask(struct task *t, struct live_batch *b);
/* In the step after that. */
void live_batch_owners_take(struct task *t, struct live_batch *b);

/* ---- streams.c ---- */
struct live_stream {
	struct live_stream *prev, *next;
	struct http_stream *http;
	struct access_actor actor;
	bool by_session; /* actor.session; else by the token with this hash */
	uint8_t token[SHA256_BYTES];
	bool unchecked; /* a session that was not looked for since it came, or rights changed */
	unsigned asked; /* the number of the last look for its session */
	usec_t ends;    /* wall clock */
	usec_t beat;    /* monotonic: the next heartbeat */
	struct live_place after;  /* has been told up to here */
	unsigned told;            /* the number of the last look that it was told of */
	unsigned epoch;           /* of `may`; 0: never */
	uint8_t may[LIVE_TOPICS]; /* 0, or enum access_scope */
};

struct live_feed_hop {
	char hop[LIVE_WORD_SIZE], word[LIVE_WORD_SIZE];
};

struct live {
	struct core_live_conf conf;
	struct loop_timer *timer;
	struct live_stream *first;
	size_t n;
	unsigned epoch; /* another one: rights, teams or resources have changed */
	int64_t schema; /* generation of the epoch */
	/* tail.c */
	unsigned begun; /* how often the log was begun to be followed */
	bool looking;   /* a task runs */
	unsigned looks; /* at the log, counted */
	bool failed;    /* the last look did, and that was told */
	usec_t feed_at; /* when the feed was looked at last */
	struct live_place place;
	struct live_feed_hop hops[LIVE_HOPS_MAX];
	size_t n_hops;
	/* streams.c */
	bool sessions_due, sessions_looking;
	unsigned sessions_look;
	usec_t sessions_since; /* due since; 0: not */
	usec_t second;         /* the next look at heartbeats and ends */
	struct buf text;       /* what one stream is told in one look */
};
extern struct live live;

/* What a new stream needs to be told first; takes a copy of `s` and begins. STEP_DONE, well or with the task's error. */
enum step live_stream_open(struct task *t, struct live_stream *s, struct str first);
/* ERR_BUSY or ERR_RATE in the task. */
MUST_CHECK enum err live_stream_allowed(struct task *t);
/* Tell one stream what of the batch it may hear. */
void live_stream_tell(struct live_stream *s, const struct live_batch *b);
/* All of it to this one; a client that is too slow is dropped. */
void live_stream_send(struct live_stream *s, struct str text);
/* Tell it to read everything, and end. */
void live_stream_drop(struct live_stream *s, const char *reason);
/* Once a second: heartbeats, tokens and sessions that are over. */
void live_streams_second(void);
void live_streams_recheck(void);
/* The visible part of a batch as text, appended; true. False: too much of it, the text is void. */
bool live_stream_text(struct live_stream *s, const struct live_batch *b, struct buf *out);
/* "event: <name>\nid: …\ndata: <data>\n\n" */
void live_event_text(struct buf *out, const char *name, const struct live_place *place,
		     const char *fmt, ...) PRINTF(4, 5);
void live_feed_text(const struct live_stream *s, const struct live_feed_hop *hop, struct buf *out);
void live_streams_metrics(void);

/* ---- rights.c ---- */
/* Bring `may` up to date. */
void live_rights_settle(struct live_stream *s);
enum live_seen { LIVE_UNSEEN, LIVE_SEEN, LIVE_GONE };
enum live_seen live_sees(const struct live_stream *s, const struct live_event *e);

/* ---- tail.c ---- */
void live_tail_tick(void *arg);
/* There is no stream yet, and one is about to come: the log is followed from here. */
void live_tail_begin(const struct live_place *here);

extern const struct step_row live_open_steps[];

#endif
