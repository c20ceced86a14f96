/*
 * usage.h — who asks for which flag, and with which program: counted in this process beside the evaluations, told every few seconds.
 *
 * Counting is a look into a fixed table: no allocation, no I/O. What does not fit is counted as lost (bimodal_flag_usage_lost_total),
 * never as a delay. A program is known by the product at the head of its User-Agent, nothing else of it is kept. What is told goes to
 * core's flag.asked and flag.stream: by a statement in core, by core's API from the sandbox.
 */
#ifndef BIMODAL_FLAG_USAGE_H
#define BIMODAL_FLAG_USAGE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"

#define FLAG_CLIENT_SIZE 41       /* "web-app/2.1" and its NUL */
#define FLAG_USAGE_ROWS 512u      /* of one report */
#define FLAG_USAGE_UNKNOWN_MAX 64 /* of these, keys that are not there */
#define FLAG_USAGE_OTHERS "(others)"
#define FLAG_USAGE_BYTES_MAX ((size_t)512 * 1024) /* of a report */

/* The product of a User-Agent: its first word, with '_' for what is no letter, digit or one of ".-+/_"; "-" where there is none. */
void flag_usage_client(struct str user_agent, char out[FLAG_CLIENT_SIZE]);

/* One request: for one flag, or for all (`key` STR_NONE). `known`: there is such a flag. `now`: wall. */
void flag_usage_add(struct str key, struct str principal, struct str client, bool known,
		    usec_t now);

/* One open event stream more in the report that is being made: for struct flag_usage_conf.streams. */
void flag_usage_stream(struct str principal, struct str client);

/*
 * The report of what was counted since the last one that was taken over, as two JSON arrays: `asked` and `streams` (for which `each`
 * is called). False: there is nothing to tell. Counts stay until flag_usage_done says that they were taken over (or `lost`).
 */
MUST_CHECK bool flag_usage_take(void (*each)(void), struct buf *asked, struct buf *streams);
void flag_usage_done(bool lost);

/* Telling it by the clock. `send` starts to tell (as the step of a task does) and `sent` says how that ended. */
struct flag_usage_conf {
	struct loop *loop;
	struct task_engine *engine;
	usec_t period;
	void (*streams)(void);
	enum step (*send)(struct task *t, struct str asked, struct str streams);
	enum err (*sent)(struct task *t);
};
void flag_usage_start(const struct flag_usage_conf *conf); /* copied */
/* Tell now; nothing happens where a report is on its way. */
void flag_usage_flush(void);
/* Before loop and engine are destroyed. */
void flag_usage_stop(void);

#endif
