/*
 * admin.c — writes: create, revise, turn on and off, archive. Each is one statement that sets actor
 * and request, decides under the flag's row lock, and leaves its row in the event log; then the
 * workers' acknowledgement is awaited (applied.c).
 *
 * The document is compiled here first, so that the author gets the place of an error; what is
 * stored has always been compiled.
 */
#include <stdio.h>
#include <string.h>

#include "core/flags/internal.h"

#define TEXT_BYTES_MAX 500
#define EXPERIMENT_DAYS_MAX 90
#define ATTEMPTS_MAX 5

/* ---- who may ---- */

static bool
may(struct task *t, const char *right)
{
	const struct access_actor *actor = access_actor_of(t);
	return actor != NULL && access_may(core_flags_conf.access, actor, str_of(right));
}

/*
 * True if the principal may do it to any flag, or `*limited`: only to experiments of his own.
 * False: the error is set.
 */
static bool
allowed(struct task *t, const char *right, bool *limited)
{
	*limited = !may(t, right);
	if (!*limited || may(t, "flag.create_experiment"))
		return true;
	return access_require(t, str_of(right)) ==
	       ERR_OK; /* it is not: names the right in the problem */
}

/* ---- create ---- */

struct creation {
	struct str key, kind, purpose, business_owner, technical_owner, team, document;
	char expires_at[CLOCK_RFC3339_SIZE];
	bool enabled;
	bool limited;
};

static bool
expiry_read(struct task *t, const struct flags_body *b, struct creation *c)
{
	struct str text;
	usec_t at = 0;
	const usec_t now = clock_wall_us();

	if (!flags_body_text(t, b, "expires_at", 1, 64, &text))
		return false;
	if (clock_parse_rfc3339(text, &at) != ERR_OK)
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at",
			      "must be a date-time as in 2026-05-01T10:00:00Z");
	else if (at <= now)
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at", "must be in the future");
	else if (str_is(c->kind, "experiment") &&
		 at > now + EXPERIMENT_DAYS_MAX * 86400 * USEC_PER_SEC)
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at",
			      "an experiment ends within %d days", EXPERIMENT_DAYS_MAX);
	else {
		clock_rfc3339(at, c->expires_at);
		return true;
	}
	return false;
}

static bool
creation_limits(struct task *t, const struct creation *c, double coverage)
{
	if (!c->limited)
		return true;
	if (!str_is(c->kind, "experiment"))
		(void)err_set(&t->t_err, ERR_FORBIDDEN, "/kind",
			      "this principal may only create experiments");
	else if (coverage > core_flags_conf.experiment_coverage_max)
		(void)err_set(&t->t_err, ERR_FORBIDDEN, "/document",
			      "an experiment may cover at most %g of the units",
			      core_flags_conf.experiment_coverage_max);
	else
		return true;
	return false;
}

static bool
creation_read(struct task *t, struct creation *c)
{
	static const char *const known[] = {
		"key",        "kind",     "purpose", "business_owner", "technical_owner",
		"expires_at", "document", "enabled", "team",           NULL
	};
	double coverage = 0;
	struct flags_body b;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "key", 1, FLAG_KEY_MAX, &c->key))
		return false;
	if (!flag_key_valid(c->key)) {
		(void)err_set(&t->t_err, ERR_INVALID, "/key",
			      "may hold lower-case letters, digits, '.', '_' and '-', and begins "
			      "with a letter or digit");
		return false;
	}
	if (!flags_body_text(t, &b, "kind", 1, 20, &c->kind))
		return false;
	if (!str_is(c->kind, "release") && !str_is(c->kind, "experiment")) {
		(void)err_set(&t->t_err, ERR_INVALID, "/kind",
			      "must be \"release\" or \"experiment\"");
		return false;
	}
	const struct json_member *enabled = json_member_find(b.member, b.n, "enabled");
	if (enabled != NULL && enabled->kind != JSON_TRUE && enabled->kind != JSON_FALSE) {
		(void)err_set(&t->t_err, ERR_INVALID, "/enabled", "must be true or false");
		return false;
	}
	c->enabled = enabled != NULL && enabled->kind == JSON_TRUE;
	return flags_body_text(t, &b, "purpose", 1, FLAGS_COMMENT_BYTES_MAX, &c->purpose) &&
	       flags_body_text(t, &b, "business_owner", 1, TEXT_BYTES_MAX, &c->business_owner) &&
	       flags_body_text(t, &b, "technical_owner", 1, TEXT_BYTES_MAX, &c->technical_owner) &&
	       flags_body_text(t, &b, "team", 0, FLAG_KEY_MAX, &c->team) && expiry_read(t, &b, c) &&
	       flags_body_document(t, &b, c->key, &c->document, &coverage) &&
	       creation_limits(t, c, coverage);
}

static enum step
create_write(struct task *t)
{
	struct creation *c = task_state(t, sizeof(*c));
	if (c == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!allowed(t, "flag.write", &c->limited) || !creation_read(t, c))
		return task_fail(t);
	const char *max =
		arena_printf(&t->t_arena, "%lld", (long long)core_flags_conf.experiment_max);
	const struct postgres_param params[] = {
		P_STR(c->key),
		P_STR(c->kind),
		P_STR(c->purpose),
		P_STR(c->business_owner),
		P_STR(c->technical_owner),
		P_TEXT(c->expires_at),
		P_STR(c->document),
		P_TEXT(c->enabled ? "true" : "false"),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_TEXT(c->limited ? "true" : "false"),
		P_TEXT(max),
		{ .value = c->team, .is_null = c->team.len == 0 },
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_create, params, ARRAY_LEN(params));
}

static enum step
create_look(struct task *t)
{
	const struct creation *c = task_state(t, sizeof(*c));
	bool again = false;

	if (!flags_outcome(t, c->key, &again))
		return task_fail(t);
	return core_flags_applied(t,
				  &(struct flags_change) { .key = c->key,
							   .status = 201,
							   .revision = postgres_int(t, 0, 0, 1, 0),
							   .enabled = c->enabled });
}

const struct step_row core_flags_create_steps[] = {
	{ "write", create_write },
	{ "look", create_look },
	{ NULL, NULL },
};

/* ---- the next revision ---- */

struct revision {
	struct str key;
	struct str document; /* .p NULL: as it is */
	struct str comment;
	const char *enabled; /* NULL: as it is    */
	const char *event;
	struct flags_edit *edit; /* of other rules; NULL: those that are */
	int status;
	bool limited;
	bool rebucket;
	unsigned attempts;
};

static step_fn revise_write;

static enum step
revise_write(struct task *t)
{
	struct revision *r = task_state(t, sizeof(*r));
	const bool looked = r->edit != NULL && !r->edit->rebucket;
	char seen[24];

	(void)snprintf(seen, sizeof(seen), "%lld", looked ? (long long)r->edit->seen : 0);
	const struct postgres_param params[] = {
		P_STR(r->key),
		{ .value = r->document, .is_null = r->document.p == NULL },
		P_TEXT(r->enabled),
		P_STR(r->comment),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_TEXT(r->event),
		P_TEXT(r->limited ? "true" : "false"),
		P_TEXT(looked ? seen : NULL),
		P_TEXT(r->edit != NULL && r->edit->rebucket ? "true" : "false"),
	};
	r->attempts++;
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_revise, params, ARRAY_LEN(params));
}

static enum step
revise_look(struct task *t)
{
	struct revision *r = task_state(t, sizeof(*r));
	bool again = false;

	if (str_is(postgres_value(t, 0, 0, 0), "protected"))
		return core_flags_ask(
			t, &(struct flags_asking) { .key = r->key,
						    .kind = r->event + strlen("flag."),
						    .document = r->document,
						    .comment = r->comment,
						    .rebucket = r->rebucket,
						    .seen = r->edit != NULL ? r->edit->seen : 0 });
	if (flags_outcome(t, r->key, &again))
		return core_flags_applied(
			t, &(struct flags_change) { .key = r->key,
						    .status = r->status,
						    .revision = postgres_int(t, 0, 0, 1, 0),
						    .enabled = postgres_bool(t, 0, 0, 2),
						    .names = str_is(str_of(r->enabled), "false") });
	if (again && r->attempts >= ATTEMPTS_MAX)
		return task_fail_set(t, ERR_RETRY, NULL,
				     "the flag \"%.*s\" is being changed by many at once",
				     STR_FMT(r->key));
	if (again && r->edit != NULL)
		return core_flags_guard(t, r->edit);
	return again ? task_jump(t, revise_write) : task_fail(t);
}

static const struct step_row guarded_steps[] = {
	{ "write", revise_write },
	{ "look", revise_look },
	{ NULL, NULL },
};

/* Other rules: not before the guard has looked at them. */
static enum step
revise_guarded(struct task *t, struct revision *r, const char *at)
{
	r->edit = core_flags_edit(t, r->key, r->document, at, r->rebucket);
	if (r->edit == NULL)
		return task_fail(t);
	r->edit->then = guarded_steps;
	r->edit->state = r;
	r->edit->size = sizeof(*r);
	return core_flags_guard(t, r->edit);
}

static enum step
revise_read(struct task *t)
{
	static const char *const known[] = { "document", "comment", "rebucket", NULL };
	struct revision *r = task_state(t, sizeof(*r));
	double coverage = 0;
	struct flags_body b;

	if (r == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	r->key = http_param(t, "key");
	r->event = "flag.revise";
	r->status = 201;
	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, &r->comment) ||
	    !flags_body_bool(t, &b, "rebucket", &r->rebucket) ||
	    !flags_body_document(t, &b, r->key, &r->document, &coverage))
		return task_fail(t);
	return revise_guarded(t, r, "/document");
}

const struct step_row core_flags_revise_steps[] = {
	{ "read", revise_read },
	{ NULL, NULL },
};

static enum step
toggle_read(struct task *t, const char *enabled, const char *event)
{
	struct revision *r = task_state(t, sizeof(*r));

	if (r == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	r->key = http_param(t, "key");
	r->enabled = enabled;
	r->event = event;
	r->status = 200;
	/* Whoever may stop anything in an emergency need not be one who may turn it on. */
	if (!allowed(t, may(t, "flag.disable") ? "flag.disable" : "flag.toggle", &r->limited) ||
	    !flags_comment_read(t, &r->comment))
		return task_fail(t);
	return STEP_NEXT;
}

/* The guard has asked for flag.toggle. */
static enum step
enable_read(struct task *t)
{
	return toggle_read(t, "true", "flag.enable");
}

static enum step
disable_read(struct task *t)
{
	return toggle_read(t, "false", "flag.disable");
}

static enum step
kill_read(struct task *t)
{
	return toggle_read(t, "false", "flag.kill");
}

const struct step_row core_flags_enable_steps[] = {
	{ "read", enable_read },
	{ "write", revise_write },
	{ "look", revise_look },
	{ NULL, NULL },
};

const struct step_row core_flags_disable_steps[] = {
	{ "read", disable_read },
	{ "write", revise_write },
	{ "look", revise_look },
	{ NULL, NULL },
};

const struct step_row core_flags_kill_steps[] = {
	{ "read", kill_read },
	{ "write", revise_write },
	{ "look", revise_look },
	{ NULL, NULL },
};

/* ---- back to an earlier revision ---- */

static enum step
rollback_read(struct task *t)
{
	static const char *const known[] = { "revision", "comment", "rebucket", NULL };
	struct revision *r = task_state(t, sizeof(*r));
	struct str number = STR_NONE;
	struct flags_body b;

	if (r == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	r->key = http_param(t, "key");
	r->event = "flag.rollback";
	r->status = 201;
	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, &r->comment) ||
	    !flags_body_bool(t, &b, "rebucket", &r->rebucket) ||
	    !flags_body_revision(t, &b, "revision", true, &number))
		return task_fail(t);
	const char *comment =
		arena_printf(&t->t_arena, "back to revision %.*s%s%.*s", STR_FMT(number),
			     r->comment.len > 0 ? ": " : "", STR_FMT(r->comment));
	if (comment == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	r->comment = str_of(comment);
	const struct postgres_param params[] = { P_STR(r->key), P_STR(number) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_revision, params,
			     ARRAY_LEN(params));
}

/* A revision may be of a version that knew other rules: what this one could not take anew it does not bring back. */
static enum step
rollback_check(struct task *t)
{
	struct revision *r = task_state(t, sizeof(*r));
	struct err_info why = { .code = ERR_OK };

	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
				     STR_FMT(r->key));
	const struct str document = postgres_value(t, 0, 0, 1);
	if (document.p == NULL)
		return task_fail_set(t, ERR_INVALID, "/revision",
				     "the flag \"%.*s\" has no such revision", STR_FMT(r->key));
	r->document = arena_str(&t->t_arena, document);
	if (r->document.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (flag_document_check_stored(r->key, r->document, &why) != ERR_OK)
		return task_fail_set(
			t, ERR_CONFLICT, "/revision",
			"that revision is of another version of the product and cannot "
			"be taken back: %s %s",
			why.field, why.msg);
	return revise_guarded(t, r, "");
}

const struct step_row core_flags_rollback_steps[] = {
	{ "read", rollback_read },
	{ "check", rollback_check },
	{ NULL, NULL },
};

/* ---- archive ---- */

static enum step
archive_write(struct task *t)
{
	bool limited = false;

	if (!allowed(t, "flag.write", &limited))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_TEXT(limited ? "true" : "false"),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_archive, params, ARRAY_LEN(params));
}

static enum step
archive_look(struct task *t)
{
	const struct str key = http_param(t, "key");
	bool again = false;

	if (!flags_outcome(t, key, &again))
		return task_fail(t);
	return core_flags_applied(t,
				  &(struct flags_change) { .key = key,
							   .status = 200,
							   .revision = postgres_int(t, 0, 0, 1, 0),
							   .archived = true });
}

const struct step_row core_flags_archive_steps[] = {
	{ "write", archive_write },
	{ "look", archive_look },
	{ NULL, NULL },
};
