/*
 * slots.c — the sandbox's slots on the airlock. The sandbox has no credential that could make one, and core never calls the
 * sandbox: so it asks here, a worker notes that, the jobs child drops the slot and makes it anew, and the worker answers.
 *
 * Invariants: two names only; a slot that is being read is never dropped. A new slot begins now, so whoever asks must copy
 * everything afterwards (sandbox/replica/heal.c has cut its subscription off before).
 */
#include "core/feed/internal.h"

#include "access/access.h"
#include "base/json_in.h"
#include "base/log.h"
#include "gen/sql_core.h"

#define POLL (100 * USEC_PER_MS)
#define WAIT (10 * USEC_PER_SEC)
#define ORDER_PERIOD (250 * USEC_PER_MS)
#define ORDER_DEADLINE (90 * USEC_PER_SEC)

/* ---- the route ---- */

struct ask {
	const char *slot;
	usec_t until;
};

static enum err
ask_read(struct task *t, struct ask *a)
{
	static const char *const known[] = { "slot", NULL };
	static const char *const slots[] = { "sandbox_registry", "sandbox_crm" };
	struct cJSON *body = NULL;
	const char *slot = NULL;

	enum err err = json_parse(http_body(t), &body, &t->t_err);
	if (err == ERR_OK)
		err = json_only(body, known, &t->t_err);
	if (err == ERR_OK)
		err = json_string(body, "slot", true, &slot, &t->t_err);
	for (size_t i = 0; i < ARRAY_LEN(slots) && err == ERR_OK; i++)
		if (str_is(str_of(slot), slots[i]))
			a->slot = slots[i];
	if (err == ERR_OK && a->slot == NULL)
		err = err_set(&t->t_err, ERR_INVALID, "/slot", "must be \"%s\" or \"%s\"", slots[0],
			      slots[1]);
	json_free(body);
	return err;
}

static enum step
ask_note(struct task *t)
{
	struct ask *a = task_state(t, sizeof(*a));

	if (a == NULL || ask_read(t, a) != ERR_OK)
		return task_fail(t);
	a->until = clock_now_us() + WAIT;
	return postgres_wait(core_feed_app, t, &sql_feed_slot_ask,
			     (struct postgres_param[]) { P_TEXT(a->slot),
							 P_TEXT(access_actor_of(t)->principal) },
			     2);
}

static enum step
ask_pause(struct task *t)
{
	return task_sleep(t, POLL);
}

static enum step
ask_look(struct task *t)
{
	const struct ask *a = task_state(t, sizeof(*a));

	return postgres_wait(core_feed_app, t, &sql_feed_slot_answer,
			     (struct postgres_param[]) { P_TEXT(a->slot) }, 1);
}

static enum step
ask_answer(struct task *t)
{
	const struct ask *a = task_state(t, sizeof(*a));

	if (postgres_rows(t, 0) == 1 && !postgres_bool(t, 0, 0, 0)) {
		if (clock_now_us() < a->until)
			return task_jump(t, ask_pause);
		return http_reply_json(
			t, 202,
			str_of(arena_printf(&t->t_arena, "{\"slot\":\"%s\",\"state\":\"asked\"}",
					    a->slot)));
	}
	if (!postgres_is_null(t, 0, 0, 1))
		return task_fail_set(t, ERR_CONFLICT, NULL, "%.*s",
				     STR_FMT(postgres_value(t, 0, 0, 1)));
	return http_reply_json(
		t, 200,
		str_of(arena_printf(&t->t_arena, "{\"slot\":\"%s\",\"state\":\"made\"}", a->slot)));
}

const struct step_row core_feed_slot_steps[] = {
	{ "note", ask_note },     { "pause", ask_pause }, { "look", ask_look },
	{ "answer", ask_answer }, { NULL, NULL },
};

/* ---- the job ---- */

static struct {
	struct postgres_pool *core;
	struct postgres_pool *airlock;
} orders;

struct order {
	char slot[64];
	bool is_made;
};

static enum step
order_take(struct task *t)
{
	return postgres_wait(orders.core, t, &sql_feed_slot_asked, NULL, 0);
}

static enum step
order_drop(struct task *t)
{
	struct order *o = task_state(t, sizeof(*o));

	if (o == NULL)
		return task_fail(t);
	if (postgres_rows(t, 0) == 0)
		return STEP_DONE;
	(void)str_copy(o->slot, sizeof(o->slot), postgres_value(t, 0, 0, 0));
	return postgres_wait(orders.airlock, t, &sql_feed_slot_drop,
			     (struct postgres_param[]) { P_TEXT(o->slot) }, 1);
}

static enum step
order_create(struct task *t)
{
	const struct order *o = task_state(t, sizeof(*o));
	return postgres_wait(orders.airlock, t, &sql_feed_slot_create,
			     (struct postgres_param[]) { P_TEXT(o->slot) }, 1);
}

static enum step
order_end(struct task *t)
{
	struct order *o = task_state(t, sizeof(*o));

	o->is_made = postgres_rows(t, 0) == 1;
	const struct postgres_param error =
		o->is_made ? P_NULL : P_TEXT("the slot is in use: stop the subscription first");
	return postgres_wait(orders.core, t, &sql_feed_resync_end,
			     (struct postgres_param[]) { P_TEXT(o->slot), error }, 2);
}

static enum step
order_tell(struct task *t)
{
	const struct order *o = task_state(t, sizeof(*o));

	if (o->is_made)
		log_warn("feed.slot", "made slot %s of the airlock anew: the sandbox asked for it",
			 o->slot);
	else
		log_warn("feed.slot", "slot %s of the airlock was asked for, but it is in use",
			 o->slot);
	return STEP_DONE;
}

static const struct step_row order_steps[] = {
	{ "take", order_take }, { "drop", order_drop }, { "create", order_create },
	{ "end", order_end },   { "tell", order_tell }, { NULL, NULL },
};

void
core_feed_slot_job(struct daemon_jobs *jobs, struct postgres_pool *core,
		   struct postgres_pool *airlock)
{
	orders.core = core;
	orders.airlock = airlock;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.slots",
						     .period = ORDER_PERIOD,
						     .deadline = ORDER_DEADLINE,
						     .steps = order_steps });
}
