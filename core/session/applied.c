/*
 * applied.c — an answer that is true when it is given: a session that was ended is refused by every live worker of core. Each tells
 * which generation of access it serves (daemon/generations.h); asked until none is behind, two seconds at most.
 */
#include <stdio.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

#define POLL_PERIOD (20 * USEC_PER_MS)
#define WAIT_MAX (2 * USEC_PER_SEC)

struct wait {
	int64_t generation;
	int status;
	struct str json;
	usec_t since;
};

static struct wait *
wait_of(struct task *t)
{
	struct wait *const *w = task_state(t, sizeof(struct wait *));
	return *w;
}

static enum step
applied_ask(struct task *t)
{
	char generation[24];
	(void)snprintf(generation, sizeof(generation), "%lld", (long long)wait_of(t)->generation);
	return postgres_wait(core_session.conf.pool, t, &sql_session_applied,
			     (struct postgres_param[]) { P_TEXT(generation) }, 1);
}

static enum step
applied_look(struct task *t)
{
	const struct wait *w = wait_of(t);
	if (postgres_int(t, 0, 0, 0, 0) == 0 || clock_now_us() - w->since >= WAIT_MAX)
		return session_reply(t, w->status, w->json);
	return task_sleep(t, POLL_PERIOD);
}

static enum step
applied_again(struct task *t)
{
	return task_jump(t, applied_ask);
}

static const struct step_row applied_steps[] = {
	{ "ask", applied_ask },
	{ "look", applied_look },
	{ "again", applied_again },
	{ NULL, NULL },
};

enum step
session_applied(struct task *t, int64_t generation, int status, struct str json)
{
	struct wait *kept = arena_alloc(&t->t_arena, sizeof(*kept));
	if (kept == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*kept = (struct wait) { .generation = generation,
				.status = status,
				.json = json.len > 0 ? arena_str(&t->t_arena, json) : json,
				.since = clock_now_us() };
	const enum step next = task_continue(t, applied_steps);
	struct wait **state = task_state(t, sizeof(struct wait *));
	if (state == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*state = kept;
	return next;
}
