/*
 * heal.c — a subscription of the airlock whose slot in core was lost (it was away for more WAL than a slot may keep) is copied anew,
 * without superuser and without a silent gap.
 *
 * The catalogs of the airlock are the state, so a jobs child that is killed at any point goes on where it was: a subscription that reads
 * the empty publication is under repair, and only one that has been emptied gets its own back. Order per subscription: cut off
 * (disabled and set to the empty publication in one transaction, before there is a new slot that could hide the gap) → new slot in
 * core → enabled → its tables forgotten → its copies emptied → its publication back, which copies them → the end told.
 * The airlock publishes the emptying, so the sandbox follows by itself; markers tell it that the rows are no news.
 */
#include "core/feed/internal.h"

#include "base/log.h"
#include "gen/sql_core.h"

#define PERIOD (500 * USEC_PER_MS)
#define PAUSE (100 * USEC_PER_MS)
#define DEADLINE (300 * USEC_PER_SEC)
#define SUBSCRIPTIONS 2
#define SQL_BYTES 512

enum action { HEAL_NOTHING, HEAL_CUT, HEAL_SLOT, HEAL_ENABLE, HEAL_FORGET, HEAL_COPY, HEAL_END, HEAL_ADD };

struct subscription {
	char name[64];
	char oid[24];
	bool is_enabled;
	bool is_nothing; /* reads the empty publication        */
	int64_t tables;
	int64_t ready;
	int64_t new_tables; /* made by an applied change, not subscribed to yet */
	char slot[16]; /* ok, lost or missing                */
	bool is_copy_lost;
	bool is_open; /* core's table says: is being healed */
};

struct heal {
	unsigned n;
	struct subscription sub[SUBSCRIPTIONS];
	const struct subscription *at;
	enum action action;
};

static struct core_feed_heal_conf conf;

static step_fn look_airlock;

/* ---- look ---- */

static enum step
look_airlock(struct task *t)
{
	return postgres_wait(conf.apply, t, &sql_feed_subscriptions, NULL, 0);
}

static enum step
look_core(struct task *t)
{
	struct heal *h = task_state(t, sizeof(*h));
	struct buf names;
	struct buf oids;

	if (h == NULL)
		return task_fail(t);
	*h = (struct heal) { .n = (unsigned)MIN(postgres_rows(t, 0), SUBSCRIPTIONS) };
	if (h->n == 0)
		return STEP_DONE;
	buf_init(&names, 256);
	buf_init(&oids, 256);
	for (unsigned i = 0; i < h->n; i++) {
		struct subscription *s = &h->sub[i];
		const int row = (int)i;
		(void)str_copy(s->name, sizeof(s->name), postgres_value(t, 0, row, 0));
		(void)str_copy(s->oid, sizeof(s->oid), postgres_value(t, 0, row, 1));
		s->is_enabled = postgres_bool(t, 0, row, 2);
		s->is_nothing = postgres_bool(t, 0, row, 3);
		s->tables = postgres_int(t, 0, row, 4, 0);
		s->ready = postgres_int(t, 0, row, 5, 0);
		s->new_tables = postgres_int(t, 0, row, 6, 0);
		buf_printf(&names, "%s%s", i == 0 ? "{" : ",", s->name);
		buf_printf(&oids, "%s%s", i == 0 ? "{" : ",", s->oid);
	}
	buf_add_char(&names, '}');
	buf_add_char(&oids, '}');
	const enum step next = postgres_wait(
		conf.core, t, &sql_feed_lost,
		(struct postgres_param[]) { P_STR(buf_str(&names)), P_STR(buf_str(&oids)) }, 2);
	buf_free(&names);
	buf_free(&oids);
	return next;
}

/* ---- decide ---- */

static enum action
action_of(const struct subscription *s)
{
	const bool has_slot = str_is(str_of(s->slot), "ok");

	if (!s->is_nothing) {
		/* Disabled without being under repair: somebody wants it so. */
		if (!s->is_enabled)
			return HEAL_NOTHING;
		if (!has_slot || s->is_copy_lost)
			return HEAL_CUT;
		/* First the end of a re-sync: nothing may keep it from being told. */
		if (s->is_open && s->tables > 0 && s->tables == s->ready)
			return HEAL_END;
		return s->new_tables > 0 ? HEAL_ADD : HEAL_NOTHING;
	}
	if (!s->is_enabled)
		return has_slot ? HEAL_ENABLE : HEAL_SLOT;
	if (!has_slot)
		return HEAL_CUT;
	return s->tables > 0 ? HEAL_FORGET : HEAL_COPY;
}

static enum step
decide(struct task *t)
{
	struct heal *h = task_state(t, sizeof(*h));

	if (postgres_rows(t, 0) != (int)h->n)
		return task_fail_set(t, ERR_INTERNAL, NULL,
				     "could not ask for the slots of %u subscriptions", h->n);
	for (unsigned i = 0; i < h->n; i++) {
		struct subscription *s = &h->sub[i];
		(void)str_copy(s->slot, sizeof(s->slot), postgres_value(t, 0, (int)i, 0));
		s->is_copy_lost = postgres_bool(t, 0, (int)i, 1);
		s->is_open = postgres_bool(t, 0, (int)i, 2);
		const enum action action = action_of(s);
		if (h->at == NULL && action != HEAL_NOTHING) {
			h->at = s;
			h->action = action;
		}
	}
	if (h->at == NULL)
		return STEP_DONE;
	if (h->action != HEAL_CUT && h->action != HEAL_COPY)
		return STEP_NEXT;
	const char *reason = !str_is(str_of(h->at->slot), "ok") ? h->at->slot
			     : h->at->is_copy_lost              ? "copy-lost"
								: "resumed";
	if (h->action == HEAL_CUT)
		log_warn("feed.resync", "subscription %s of the airlock is copied anew: %s",
			 h->at->name,
			 str_is(str_of(reason), "copy-lost")
				 ? "the slot of a copy in core is lost"
				 : "its slot in core is lost or missing");
	return postgres_wait(conf.core, t, &sql_feed_resync_begin,
			     (struct postgres_param[]) { P_TEXT(h->at->name), P_TEXT(reason) }, 2);
}

/* ---- act ---- */

/* What the subscription reads when it is well. */
static const char *
publication_of(const struct subscription *s)
{
	return str_is(str_of(s->name), "airlock_registry") ? "bimodal_registry" : "bimodal_crm";
}

static enum step
script(struct task *t, const char *fmt, const char *a, const char *b)
{
	char sql[SQL_BYTES];
	struct buf text;

	buf_init(&text, sizeof(sql) - 1);
	for (const char *p = fmt; *p != '\0'; p++) {
		if (*p == '@')
			buf_add_cstr(&text, a);
		else if (*p == '#')
			buf_add_cstr(&text, b);
		else
			buf_add_char(&text, *p);
	}
	const bool fits = str_copy(sql, sizeof(sql), buf_str(&text)) && !text.failed;
	buf_free(&text);
	if (!fits)
		return task_fail_set(t, ERR_TOO_LARGE, NULL, "the script is too long");
	return postgres_script(conf.apply, t, sql);
}

/* REFRESH, and SET PUBLICATION that refreshes, refuse to run in a transaction: such a statement is a script of its own. */
static enum step
act(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));
	const char *name = h->at->name;
	const bool is_crm = str_is(str_of(name), "airlock_crm");

	switch (h->action) {
	case HEAL_CUT:
		return script(t,
			      "alter subscription @ disable; alter subscription @ set publication "
			      "bimodal_nothing with (refresh = false)",
			      name, "");
	case HEAL_SLOT:
		return postgres_wait(conf.core, t, &sql_feed_slot_drop,
				     (struct postgres_param[]) { P_TEXT(name) }, 1);
	case HEAL_ENABLE:
		return script(t, "alter subscription @ enable", name, "");
	case HEAL_FORGET:
	case HEAL_ADD:
		return script(t, "alter subscription @ refresh publication", name, "");
	case HEAL_COPY:
		return script(t,
			      is_crm ? "select change.feed_empty('#'); select "
				       "crm.feed_mark('resync-begin')"
				     : "select change.feed_empty('#')",
			      name, publication_of(h->at));
	case HEAL_END:
		/* The touch of the flags' counter follows the copied rows on their way to the sandbox: there it says that all are in. */
		return script(t,
			      is_crm ? "select crm.feed_mark('resync-end')"
				     : "update flag.state set generation = generation",
			      name, "");
	case HEAL_NOTHING:
		break;
	}
	return STEP_DONE;
}

static enum step
act_more(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));
	const char *name = h->at->name;

	switch (h->action) {
	case HEAL_SLOT:
		return postgres_wait(conf.core, t, &sql_feed_slot_create,
				     (struct postgres_param[]) { P_TEXT(name) }, 1);
	case HEAL_COPY:
		return script(t, "alter subscription @ set publication #", name,
			      publication_of(h->at));
	case HEAL_END:
		return postgres_wait(conf.core, t, &sql_feed_resync_end,
				     (struct postgres_param[]) { P_TEXT(name), P_NULL }, 2);
	default:
		return STEP_NEXT;
	}
}

/* A slot that its old reader still holds is not gone at once: then the same is tried again. */
static enum step
again(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));

	/* Core may publish the new table a moment later: look again at the next turn, not at once. */
	if (h->action == HEAL_ADD)
		return STEP_DONE;
	if (h->action == HEAL_END)
		log_info("feed.resync", "subscription %s of the airlock is complete again",
			 h->at->name);
	return task_sleep(t, PAUSE);
}

static enum step
again_look(struct task *t)
{
	return task_jump(t, look_airlock);
}

static const struct step_row heal_steps[] = {
	{ "look_airlock", look_airlock },
	{ "look_core", look_core },
	{ "decide", decide },
	{ "act", act },
	{ "act_more", act_more },
	{ "again", again },
	{ "again_look", again_look },
	{ NULL, NULL },
};

void
core_feed_heal_jobs(struct daemon_jobs *jobs, const struct core_feed_heal_conf *c)
{
	conf = *c;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.heal",
						     .period = PERIOD,
						     .deadline = DEADLINE,
						     .steps = heal_steps });
	core_feed_slot_job(jobs, c->core, c->airlock);
}
