/*
 * install.c — bring a database to the embedded base schema, change by change, through the same executor as every later change.
 *
 * installation.base_change remembers what is there. It is made by the first run as the owner role; the ledger gets its entry in the
 * same transaction as the change wherever the ledger exists (in core from change 0001 on).
 */
#include "change/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "gen/sql_shared.h"

#define ACTOR "installation"

struct install {
	struct postgres_pool *pool;
	const struct change_base *changes;
	const char *role;
	const char *login;
	char genesis[SHA256_HEX_SIZE];
	size_t at;
	struct task_handle caller;
	unsigned wait;
	char sha[SHA256_HEX_SIZE];
	struct buf after;
};

static step_fn install_prepare, install_list, install_look, install_apply, install_next;

static const struct step_row install_steps[] = {
	{ "prepare", install_prepare }, { "list", install_list }, { "look", install_look },
	{ "apply", install_apply },     { "next", install_next }, { NULL, NULL },
};

/* The hash covers all three texts: a base change may not be edited once it has been applied anywhere. */
static void
change_sha(const struct change_base *c, char out[SHA256_HEX_SIZE])
{
	struct buf all;
	buf_init(&all, 8 * 1024 * 1024);
	buf_add_cstr(&all, c->up);
	buf_add_char(&all, '\n');
	buf_add_cstr(&all, c->down);
	buf_add_char(&all, '\n');
	buf_add_cstr(&all, c->verify);
	const struct str s = buf_str(&all);
	sha256_hex(s.p, s.len, out);
	buf_free(&all);
}

static enum step
install_prepare(struct task *t)
{
	struct install *in = t->t_owner;
	static const char table[] =
		"CREATE SCHEMA IF NOT EXISTS installation;\n"
		"CREATE TABLE IF NOT EXISTS installation.base_change (\n"
		"\tname text PRIMARY KEY,\n"
		"\tsha256 text NOT NULL,\n"
		"\tapplied_at timestamptz NOT NULL DEFAULT pg_catalog.now()\n"
		");\n"
		"GRANT USAGE ON SCHEMA installation TO SESSION_USER;\n"
		"GRANT SELECT, INSERT ON installation.base_change TO SESSION_USER;";
	return change_apply(t, &(struct change_order) { .pool = in->pool,
							.login = in->login,
							.role = in->role,
							.id = "base",
							.actor = ACTOR,
							.up = table });
}

static enum step
install_list(struct task *t)
{
	struct install *in = t->t_owner;

	if (in->changes[in->at].name == NULL)
		return STEP_DONE;
	return postgres_wait(in->pool, t, &sql_change_base_get,
			     (struct postgres_param[]) { P_TEXT(in->changes[in->at].name) }, 1);
}

static enum step
install_look(struct task *t)
{
	struct install *in = t->t_owner;
	const struct change_base *c = &in->changes[in->at];
	const struct str have = postgres_value(t, 0, 0, 0);

	change_sha(c, in->sha);
	if (have.len == 0)
		return STEP_NEXT;
	if (!str_is(have, in->sha))
		return task_fail_set(
			t, ERR_CONFLICT, NULL,
			"base change %s was applied with other text (%.12s…, now %.12s…)", c->name,
			have.p, in->sha);
	in->at++;
	return task_jump(t, install_list);
}

/* The ledger is not there before core's first change, and never on the other databases: ask at the moment of writing. */
static void
after_write(struct buf *b, const struct change_base *c, const char *sha, const char *genesis)
{
	buf_printf(b, "SELECT pg_catalog.set_config('bimodal.genesis', '%s', true);\n", genesis);
	buf_add_cstr(b, "INSERT INTO installation.base_change (name, sha256) VALUES (");
	change_quote(b, str_of(c->name));
	buf_printf(b, ", '%s');\n", sha);
	buf_add_cstr(
		b, "DO $ledger$ BEGIN IF "
		   "to_regprocedure('change.ledger_append(text,text,text,jsonb)') IS NOT NULL THEN "
		   "PERFORM change.ledger_append('" ACTOR "', 'base', ");
	change_quote(b, str_of(c->name));
	buf_printf(b, ", jsonb_build_object('sha256', '%s')); END IF; END $ledger$", sha);
}

static enum step
install_apply(struct task *t)
{
	struct install *in = t->t_owner;
	const struct change_base *c = &in->changes[in->at];

	buf_reset(&in->after);
	after_write(&in->after, c, in->sha, in->genesis);
	log_info("change.base", "applying %s", c->name);
	return change_apply(t, &(struct change_order) {
				       .pool = in->pool,
				       .login = in->login,
				       .role = in->role,
				       .id = c->name,
				       .actor = ACTOR,
				       .up = c->up,
				       .verify = c->verify,
				       .after = buf_cstr(&in->after),
			       });
}

static enum step
install_next(struct task *t)
{
	struct install *in = t->t_owner;

	in->at++;
	return task_jump(t, install_list);
}

static void
install_end(struct task *t, void *arg)
{
	struct install *in = arg;

	task_wake(t->t_engine, in->caller, in->wait, t->t_err.code, &t->t_err, NULL, NULL);
	buf_free(&in->after);
	free(in);
}

enum step
change_install(struct task *t, struct postgres_pool *pool, const struct change_base *changes,
	       const char *genesis, const char *role)
{
	return change_install_as(t, pool, changes, genesis, role, NULL);
}

enum step
change_install_as(struct task *t, struct postgres_pool *pool, const struct change_base *changes,
		  const char *genesis, const char *role, const char *login)
{
	struct install *in = calloc(1, sizeof(*in));
	if (in == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL,
				     "no memory to install the base schema");
	in->pool = pool;
	in->changes = changes;
	in->role = role;
	in->login = login;
	sha256_hex(genesis, strlen(genesis), in->genesis);
	in->caller = t->t_handle;
	buf_init(&in->after, 64 * 1024);
	enum err err = task_wait_begin(t, &in->wait);
	if (err == ERR_OK) {
		struct task *child = NULL;
		err = task_start(t->t_engine, "change.install", install_steps, t->t_deadline,
				 ARENA_CAP_BYTES, install_end, in, &child);
		if (err == ERR_OK) {
			child->t_owner = in;
			return STEP_WAIT;
		}
		task_wait_undo(t, in->wait);
	}
	buf_free(&in->after);
	free(in);
	return task_fail_set(t, err, NULL, "could not start to install the base schema");
}
