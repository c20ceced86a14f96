/*
 * ofrep.h — the OpenFeature Remote Evaluation Protocol 0.3.0, the same for both daemons: one flag, all flags, event streams.
 *
 * Bodies are OFREP's own, also those of errors, because its clients understand no other; only what the guard or HTTP itself refuses
 * (401, 403, 413, 429) is problem+json. Contexts are neither stored nor logged.
 *
 * context.targetingKey is the unit. For a flag that divides persons it is a person's id (UUIDv7, looked up), a pseudonym (UUIDv4),
 * or any other text: a visitor who is not a person yet; only pseudonyms are kept as exposures of such a flag. It may be left out where
 * no rule divides.
 *
 * What the rules ask of a person or an organization and the context does not say is taken from the record, in one statement for all
 * flags of a request, and not at all where they ask for nothing. The context goes first: who sends an attribute, null too, gets no other.
 * In which segments a unit is says the record alone. An experiment whose assignments are to stay
 * has them in the database, read in the same statement and written beside the requests, also of those who ask for all flags. While it cannot be read, rules that ask for it are passed over, and
 * metadata.record of the answers that would have needed it is "unavailable".
 *
 * Who evaluates all flags is told where to hear of changes: GET /ofrep/v1/events, server-sent events. Its id is the generation of the
 * flags, so an event says what it said on every worker and after every restart; a client that comes back is told at once if what it
 * heard last is not what is served now. The address carries a ticket, since a browser's EventSource sends no headers: it stands for
 * the token that evaluated, is good for one to two ofrep.ticket_lifetime, and opens nothing else.
 */
#ifndef BIMODAL_FLAG_OFREP_H
#define BIMODAL_FLAG_OFREP_H

#include "base/id.h"
#include "flag/flag.h"

/* What is asked of the record. */
struct flag_look_part {
	bool wanted;
	struct flag_names attributes;
	struct flag_names segments;
};
/* Which kept assignments: texts of arrays. */
struct flag_look_kept {
	bool wanted;
	struct str attributes,
		values; /* by attributes of these values, and the unit of the person looked for */
	struct str of_record;   /* by attributes that the record may have */
	struct str experiments; /* of these; STR_NONE: all                */
};
struct flag_look {
	struct str id; /* uuid; STR_NONE: it is none */
	bool by_id;    /* of the person; else it is a pseudonym */
	struct flag_look_part person;
	struct flag_look_part organization; /* the id is its key */
	struct flag_look_kept kept;
};

/* For one unit whose context is known: which kept assignments a flag asks for (of_record: the record is asked too), and the seventh column
 * (STR_NONE: nothing was kept) into the context. False: no memory; it cannot be read. */
bool flag_kept_ask(struct arena *a, const struct flag_context *c, enum flag_unit unit,
		   bool of_record, const struct flag_needs *needs, struct flag_look_kept *out);
bool flag_kept_read(struct arena *a, struct str given, struct flag_context *c);

struct flag_ofrep_conf {
	struct loop *loop;
	const struct flag_store *store;
	struct flag_exposures *exposures; /* NULL: none are kept */
	struct flag_stickies *stickies;   /* NULL: none are kept */
	struct postgres_pool *pool;       /* for `lookup`        */
	/* $1 uuid of a person → pseudonym text; NULL: persons' ids are refused. */
	const struct postgres_stmt *lookup;
	/*
	 * Has the record of such units an attribute of this name, for rules? And what it knows, as one wait of the step: one row of
	 * pseudonym, JSON object of the attributes, 't' or 'f' for each segment; and the same of the organization by its id. NULL: it is
	 * not there or not wanted. Where kept assignments are wanted, a seventh column: a JSON array of [attribute, value, experiment,
	 * version, variation], or NULL. NULL functions: nothing is asked.
	 */
	bool (*knows)(enum flag_unit unit, struct str attribute);
	enum err (*look)(struct task *t, const struct flag_look *look);
	/* Start to read the newest snapshot. */
	void (*refresh)(struct task_engine *e, void *arg);
	void *arg;
	usec_t wait; /* for a snapshot that the client has heard of and this process has not read */

	/* Streams. Who asks is not known on this floor: the hash of the token of a request, false without one … */
	bool (*token_of)(struct task *t, uint8_t token[SHA256_BYTES]);
	/* … and whether a token is good and has the right: ERR_OK with its principal and end (wall), ERR_UNAUTHORIZED, ERR_FORBIDDEN. */
	enum err (*token_may)(const uint8_t token[SHA256_BYTES], const char *right,
			      char principal[UUID_TEXT_SIZE], usec_t *ends);
	/* The principal of a request, as text; NULL: who asks is not counted. */
	const char *(*principal_of)(const struct task *t);
	struct str key; /* signs tickets; the same in all processes; empty: there are no streams */
	usec_t ticket_lifetime; /* a ticket is good that long at least and twice that at most            */
	usec_t heartbeat; /* a comment to a stream that was told nothing for so long               */
	int64_t streams;  /* of this process at most */
	int64_t per_principal; /* of those */
};
/* Which flags the steps below serve; copied. Before the first request, once a process. */
void flag_ofrep_start(const struct flag_ofrep_conf *conf);
/* After the server, before the store is destroyed. */
void flag_ofrep_stop(void);
/* The store serves another generation: streams are told. */
void flag_ofrep_swapped(void);
/* Count the open streams: for struct flag_usage_conf. */
void flag_ofrep_streams_tell(void);
/* Tokens or rights are others now: streams that have lost theirs end. */
void flag_ofrep_access_changed(void);

#define FLAG_OFREP_RIGHT "flag.evaluate"

/* { HTTP_POST, "/ofrep/v1/evaluate/flags/{key:rest}", "flag.evaluate", …, .right = FLAG_OFREP_RIGHT } */
extern const struct step_row flag_ofrep_steps[];
/* { HTTP_POST, "/ofrep/v1/evaluate/flags", "flag.evaluate_all", …, .right = FLAG_OFREP_RIGHT } */
extern const struct step_row flag_ofrep_bulk_steps[];
/* { HTTP_GET, FLAG_OFREP_EVENTS, "flag.events", … } without a right: the ticket, or else the token, is looked at inside. */
#define FLAG_OFREP_EVENTS "/ofrep/v1/events"
extern const struct step_row flag_ofrep_events_steps[];

#endif
