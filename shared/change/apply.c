/*
 * apply.c — the transaction of one change, as a task of its own that wakes its caller.
 *
 * The whole change is one script, so that it is one transaction whatever happens to this process: either the commit was
 * received by the server or nothing has changed. Only a lock that was not had (55P03) and a deadlock (40P01) are tried again.
 */
#include "change/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"

#define SCRIPT_BYTES_MAX (4 * 1024 * 1024)
#define PAUSE_MIN (100 * USEC_PER_MS)
#define PAUSE_SPREAD (300 * USEC_PER_MS)

struct apply {
	struct change_order order;
	struct task_handle caller;
	unsigned wait;
	unsigned tries;
	struct buf script;
};

void
change_quote(struct buf *b, struct str text)
{
	buf_add_char(b, '\'');
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '\'')
			continue;
		buf_add(b, text.p + from, i + 1 - from);
		from = i;
	}
	buf_add(b, text.p + from, text.len - from);
	buf_add_char(b, '\'');
}

static void
setting(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "SELECT pg_catalog.set_config('%s', ", name);
	change_quote(b, str_of(value));
	buf_add_cstr(b, ", true);\n");
}

/* Statement texts may end without a semicolon or in a comment, so each is closed on a line of its own. */
static void
statements(struct buf *b, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_add_cstr(b, text);
	buf_add_cstr(b, "\n;\n");
}

static void
script_write(struct buf *b, const struct change_order *o)
{
	const usec_t lock = o->lock_budget > 0 ? o->lock_budget : CHANGE_LOCK_BUDGET;
	const usec_t limit = o->statement_timeout > 0 ? o->statement_timeout : 60 * USEC_PER_SEC;

	buf_add_cstr(b, "BEGIN;\n");
	buf_printf(b,
		   "SET LOCAL lock_timeout = '%lldms';\nSET LOCAL statement_timeout = '%lldms';\n",
		   (long long)(lock / USEC_PER_MS), (long long)(limit / USEC_PER_MS));
	buf_add_cstr(b, "SET LOCAL search_path = '';\nSET LOCAL TimeZone = 'UTC';\n");
	setting(b, "bimodal.change", o->id);
	setting(b, "bimodal.actor", o->actor);
	setting(b, "bimodal.request", o->id);
	statements(b, o->before);
	if (o->login != NULL)
		buf_printf(b, "SET LOCAL SESSION AUTHORIZATION %s;\n", o->login);
	if (o->role != NULL)
		buf_printf(b, "SET LOCAL ROLE %s;\n", o->role);
	statements(b, o->up);
	if (o->verify != NULL && o->verify[0] != '\0') {
		buf_add_cstr(b, "SAVEPOINT verify;\nSET LOCAL transaction_read_only = on;\n"
				"DO $verify$ DECLARE failed record; BEGIN FOR failed IN EXECUTE ");
		change_quote(b, str_of(o->verify));
		buf_add_cstr(b, " LOOP RAISE EXCEPTION 'verification failed: %', failed USING "
				"ERRCODE = 'CR022'; "
				"END LOOP; END $verify$;\nROLLBACK TO SAVEPOINT verify;\n");
	}
	if (o->role != NULL)
		buf_add_cstr(b, "RESET ROLE;\n");
	statements(b, o->after);
	buf_add_cstr(b, "COMMIT;\n");
}

static bool
worth_another_try(const struct err_info *info)
{
	return strcmp(info->sqlstate, "55P03") == 0 || strcmp(info->sqlstate, "40P01") == 0;
}

static step_fn apply_run, apply_look;

static const struct step_row apply_steps[] = {
	{ "apply", apply_run },
	{ "look", apply_look },
	{ NULL, NULL },
};

static enum step
apply_run(struct task *t)
{
	struct apply *a = t->t_owner;

	a->tries++;
	task_wait_soft(t);
	return postgres_script(a->order.pool, t, buf_cstr(&a->script));
}

static enum step
apply_look(struct task *t)
{
	struct apply *a = t->t_owner;
	const struct err_info *info = NULL;
	const enum err err = task_wait_err(t, 0, &info);
	const unsigned tries_max = a->order.tries > 0 ? a->order.tries : CHANGE_TRIES_MAX;

	if (err == ERR_OK)
		return STEP_DONE;
	if (!worth_another_try(info)) {
		t->t_err = *info;
		return STEP_DONE;
	}
	if (a->tries >= tries_max)
		return task_fail_set(t, ERR_LOCKED, NULL,
				     "change %s did not get its locks within %u tries of %lld ms",
				     a->order.id, a->tries,
				     (long long)((a->order.lock_budget > 0 ? a->order.lock_budget
									   : CHANGE_LOCK_BUDGET) /
						 USEC_PER_MS));
	log_debug("change.retry", "change %s waits for its locks, try %u", a->order.id, a->tries);
	uint32_t random = 0;
	random_bytes(&random, sizeof(random));
	const enum step parked =
		task_sleep(t, PAUSE_MIN + (usec_t)(random % (uint32_t)PAUSE_SPREAD));
	if (parked != STEP_WAIT)
		return parked;
	(void)task_jump(t, apply_run);
	return STEP_WAIT;
}

static void
apply_end(struct task *t, void *arg)
{
	struct apply *a = arg;

	task_wake(t->t_engine, a->caller, a->wait, t->t_err.code, &t->t_err, NULL, NULL);
	buf_free(&a->script);
	free(a);
}

enum step
change_apply(struct task *t, const struct change_order *order)
{
	struct apply *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to apply change %s",
				     order->id);
	a->order = *order;
	a->caller = t->t_handle;
	buf_init(&a->script, SCRIPT_BYTES_MAX);
	script_write(&a->script, order);
	if (buf_cstr(&a->script) == NULL) {
		buf_free(&a->script);
		free(a);
		return task_fail_set(t, ERR_TOO_LARGE, NULL, "change %s is larger than %d bytes",
				     order->id, SCRIPT_BYTES_MAX);
	}
	enum err err = task_wait_begin(t, &a->wait);
	if (err == ERR_OK) {
		struct task *child = NULL;
		err = task_start(t->t_engine, "change.apply", apply_steps, t->t_deadline,
				 ARENA_CAP_BYTES, apply_end, a, &child);
		if (err == ERR_OK) {
			child->t_owner = a;
			return STEP_WAIT;
		}
		task_wait_undo(t, a->wait);
	}
	buf_free(&a->script);
	free(a);
	return task_fail_set(t, err, NULL, "could not start to apply change %s", order->id);
}
