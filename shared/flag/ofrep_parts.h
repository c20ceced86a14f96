/*
 * ofrep_parts.h — what the files of OFREP share. Not for rooms; they see ofrep.h.
 *
 * ofrep_context.c reads a request and evaluates one flag for it. ofrep_look.c asks the record, ofrep_kept.c what experiments keep. ofrep_answer.c writes results and errors. ofrep.c answers one flag,
 * ofrep_bulk.c all of them. ofrep_events.c holds the open streams, ofrep_ticket.c their tickets.
 */
#ifndef BIMODAL_FLAG_OFREP_PARTS_H
#define BIMODAL_FLAG_OFREP_PARTS_H

#include "flag/internal.h"
#include "flag/ofrep.h"

#define OFREP_BULK_BYTES_MAX ((size_t)16 * 1024 * 1024) /* of the answer for all flags */

extern struct flag_ofrep_conf flag_ofrep_conf;

/* Why a flag, or all of them, cannot be evaluated: an error code of OFREP, and what to say. */
struct ofrep_refusal {
	const char *code; /* NULL: none */
	const char *details;
};

/* ---- ofrep_context.c ---- */
struct ofrep_context {
	struct flag_context given;  /* as it came: its targetingKey is the unit                  */
	struct flag_context person; /* for flags that divide persons: the unit is a pseudonym    */
	struct flag_context organization; /* for those that divide organizations */
	bool is_uuid;
	bool by_id;       /* the key is a person's id: the unit is known once that was looked up */
	bool is_stranger; /* … or a text that is nobody's                              */
	bool looking;     /* the record is being asked                                 */
	struct ofrep_refusal
		person_no; /* such flags cannot be evaluated if they ask for the unit   */
	struct flag_look look;
	char id[UUID_TEXT_SIZE];   /* the key, in small letters */
	char uuid[UUID_TEXT_SIZE]; /* the person's unit         */
};
/* Of the body, which may be empty. False: `no` says why. What it holds lives in the task's arena. */
bool ofrep_context_read(struct task *t, struct ofrep_context *c, struct ofrep_refusal *no);
/* One flag. `no->code` is NULL if there is a result. */
void ofrep_evaluate(const struct flag_snapshot *s, const struct flag_listed *flag,
		    const struct ofrep_context *c, usec_t now, struct flag_result *out,
		    struct ofrep_refusal *no);
/* Who a flag is evaluated for; empty: nobody is named. */
struct str ofrep_unit(const struct ofrep_context *c, enum flag_unit unit);

/* ---- ofrep_look.c ---- */
struct ofrep_asked {
	bool divides; /* some flag asks for the person behind the key */
	const struct flag_needs *by_unit[FLAG_VISITOR + 1];
};
/* What the flags ask for and the context does not say. STEP_WAIT, and the next step calls ofrep_look_take first; or STEP_NEXT. */
enum step ofrep_look(struct task *t, struct ofrep_context *c, const struct ofrep_asked *asked);
/* True: the record was asked, and the flags may be others by now: ask for those again, at most OFREP_LOOKS_MAX times. */
#define OFREP_LOOKS_MAX 3
bool ofrep_look_take(struct task *t, struct ofrep_context *c);

/* ---- ofrep_kept.c ---- */
/* Fills look.kept; false: no memory. */
bool ofrep_kept_ask(struct task *t, struct ofrep_context *c, const struct ofrep_asked *asked);
/* Keep what an evaluation of the flag would keep. */
void ofrep_keep(const struct ofrep_context *c, const struct flag_listed *flag,
		const struct flag_result *r);

/* ---- ofrep_answer.c ---- */
/* One evaluation as JSON. */
void ofrep_add_result(struct buf *out, struct str key, const struct flag_result *r);
void ofrep_add_failure(struct buf *out, struct str key, const struct ofrep_refusal *no);
/* The whole answer; `key` STR_NONE: it is not about one flag. */
enum step ofrep_answer_error(struct task *t, int status, struct str key, const char *code,
			     const char *details);
/* The status that goes with a code: 404 for a flag that is not there, 500 for what is not the client's fault, else 400. */
int ofrep_status_of(const char *code);

/* ---- ofrep.c ---- */
/* Somebody asks for a flag, or for all (STR_NONE); `known`: there is such a flag. */
void ofrep_asked(struct task *t, struct str key, bool known);

/* ---- ofrep_ticket.c ---- */
/* The number of the present period, which tickets carry: where it is another, clients need another ticket. */
uint32_t ofrep_ticket_period(usec_t now);
/* The ticket of a token in the period; valid until the next call. */
struct str ofrep_ticket_of(const uint8_t token[SHA256_BYTES], uint32_t period);
/* False: it is not ours, or over. */
bool ofrep_ticket_read(struct str text, usec_t now, uint8_t token[SHA256_BYTES]);

/* ---- ofrep_events.c ---- */
void ofrep_events_start(void);
void ofrep_events_stop(void);

#endif
