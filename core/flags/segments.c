/*
 * segments.c — segments: filters over people or organizations under a name, which rules of flags ask for ("$inGroup"). Who is in one is
 * decided by the database when a flag is evaluated or previewed; nothing is copied. The workers know the filters by their snapshot.
 *
 * A segment may name fields of every class but secret: its flags stay in core (flag.core_only). Who writes one must be let to read them.
 */
#include "core/flags/internal.h"
#include "record/engine.h"

#define QUERY_BYTES_MAX 4000
#define PURPOSE_BYTES_MAX 2000
#define SEGMENTS_AT_MOST "1000"
#define LIST_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* ---- what is asked ---- */

static bool
query_check(struct task *t, struct str resource, struct str query, const char *at)
{
	struct err_info info = { .code = ERR_OK };

	if (access_require(t, str_is(resource, "people") ? STR("people.read")
							 : STR("organizations.read")) != ERR_OK)
		return false;
	const enum err err =
		record_query_check(core_flags_conf.records, resource,
				   access_actor_of(t)->read_classes, query, &t->t_arena, &info);
	if (err == ERR_OK)
		return true;
	if (err == ERR_FORBIDDEN)
		access_refused(t, "class");
	(void)err_set(&t->t_err, err == ERR_BAD_REQUEST ? ERR_INVALID : err, at, "%s%s%s",
		      info.field, info.field[0] != '\0' ? ": " : "", info.msg);
	return false;
}

bool
core_flags_segment_readable(struct task *t, struct str name, const struct flag_segment *g)
{
	const struct str resource = g->unit == FLAG_PERSON ? STR("people") : STR("organizations");
	struct err_info info = { .code = ERR_OK };
	const enum err err =
		record_query_check(core_flags_conf.records, resource,
				   access_actor_of(t)->read_classes, g->query, &t->t_arena, &info);

	/* A field that is gone leaves a segment that nobody is in. */
	if (err != ERR_FORBIDDEN)
		return true;
	access_refused(t, "class");
	(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL,
		      "the segment \"%.*s\" asks for a field that this principal may not read",
		      STR_FMT(name));
	return false;
}

static bool
query_read(struct task *t, const struct flags_body *b, size_t min, struct str *query)
{
	return flags_body_text(t, b, "query", min, QUERY_BYTES_MAX, query);
}

/* ---- create ---- */

static enum step
create_write(struct task *t)
{
	static const char *const known[] = { "name",    "resource",       "query",
					     "purpose", "business_owner", "technical_owner",
					     NULL };
	struct str name, resource, query, purpose, business, technical;
	struct flags_body b;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "name", 1, FLAG_KEY_MAX, &name) ||
	    !flags_body_text(t, &b, "resource", 1, 20, &resource) ||
	    !query_read(t, &b, 1, &query) ||
	    !flags_body_text(t, &b, "purpose", 1, PURPOSE_BYTES_MAX, &purpose) ||
	    !flags_body_text(t, &b, "business_owner", 1, 200, &business) ||
	    !flags_body_text(t, &b, "technical_owner", 1, 200, &technical))
		return task_fail(t);
	if (!flag_key_valid(name))
		return task_fail_set(t, ERR_INVALID, "/name",
				     "must be made of small letters, digits, '.', '_' and '-', and "
				     "begin with a letter or digit");
	if (!str_is(resource, "people") && !str_is(resource, "organizations"))
		return task_fail_set(t, ERR_INVALID, "/resource",
				     "must be people or organizations");
	if (!query_check(t, resource, query, "/query"))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(name),
		P_STR(resource),
		P_STR(query),
		P_STR(purpose),
		P_STR(business),
		P_STR(technical),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_TEXT(SEGMENTS_AT_MOST),
	};
	struct str *kept = task_state(t, sizeof(*kept));
	if (kept == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	*kept = name;
	return postgres_wait(core_flags_conf.pool, t, &sql_segment_create, params,
			     ARRAY_LEN(params));
}

static enum step
one_ask(struct task *t, struct str name)
{
	return postgres_wait(core_flags_conf.pool, t, &sql_segment_list,
			     (struct postgres_param[]) { P_STR(name) }, 1);
}

static enum step
create_look(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);
	const struct str name = *(struct str *)task_state(t, sizeof(struct str));

	if (str_is(outcome, "exists"))
		return task_fail_set(t, ERR_CONFLICT, "/name",
				     "there is a segment \"%.*s\" already", STR_FMT(name));
	if (!str_is(outcome, "made"))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "there are " SEGMENTS_AT_MOST
				     " segments already: that is the limit");
	return one_ask(t, name);
}

static enum step
no_segment(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no segment \"%.*s\"",
			     STR_FMT(http_param(t, "name")));
}

static enum step
answer(struct task *t, int status)
{
	http_reply_header_fmt(t, "ETag", "\"v%lld\"", (long long)postgres_int(t, 0, 0, 1, 0));
	return http_reply_json(t, status, postgres_value(t, 0, 0, 0));
}

static enum step
create_answer(struct task *t)
{
	const struct str name = *(struct str *)task_state(t, sizeof(struct str));

	if (postgres_rows(t, 0) == 0)
		return no_segment(t);
	http_reply_header_fmt(t, "Location", "/v1/segments/%.*s", STR_FMT(name));
	return answer(t, 201);
}

const struct step_row core_flags_segment_create_steps[] = {
	{ "write", create_write },
	{ "look", create_look },
	{ "answer", create_answer },
	{ NULL, NULL },
};

/* ---- list and get ---- */

static enum step
list_ask(struct task *t)
{
	return postgres_wait(core_flags_conf.pool, t, &sql_segment_list,
			     (struct postgres_param[]) { P_NULL }, 1);
}

static enum step
list_answer(struct task *t)
{
	struct buf b;

	buf_init(&b, LIST_BYTES_MAX);
	buf_add_cstr(&b, "{\"data\":[");
	for (int i = 0; i < postgres_rows(t, 0); i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, postgres_value(t, 0, i, 0));
	}
	buf_add_cstr(&b, "]}");
	const enum step done =
		b.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			 : http_reply_json(t, 200, buf_str(&b));
	buf_free(&b);
	return done;
}

const struct step_row core_flags_segment_list_steps[] = {
	{ "ask", list_ask },
	{ "answer", list_answer },
	{ NULL, NULL },
};

static enum step
get_ask(struct task *t)
{
	return one_ask(t, http_param(t, "name"));
}

static enum step
get_answer(struct task *t)
{
	return postgres_rows(t, 0) == 0 ? no_segment(t) : answer(t, 200);
}

const struct step_row core_flags_segment_get_steps[] = {
	{ "ask", get_ask },
	{ "answer", get_answer },
	{ NULL, NULL },
};

/* ---- change: the filters are of the segment's resource, so it is read first ---- */

static enum step
change_write(struct task *t)
{
	static const char *const known[] = { "query", "purpose", NULL };
	const struct str match = http_header(t, "If-Match");
	struct str version = STR_NONE, query, purpose;
	struct flags_body b;

	if (match.p == NULL)
		return task_fail_set(t, ERR_PRECONDITION, "If-Match",
				     "give the ETag of the segment as you read it, or *");
	if (record_version_parse(match, &version) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "If-Match",
				     "must be one entity tag such as \"v4\", or *");
	if (postgres_rows(t, 0) == 0)
		return no_segment(t);
	if (!flags_body_read(t, known, &b) || !query_read(t, &b, 0, &query) ||
	    !flags_body_text(t, &b, "purpose", 0, PURPOSE_BYTES_MAX, &purpose))
		return task_fail(t);
	if (query.len > 0 && !query_check(t, postgres_value(t, 0, 0, 2), query, "/query"))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "name")),
		{ .value = version, .is_null = version.p == NULL },
		{ .value = query, .is_null = query.len == 0 },
		{ .value = purpose, .is_null = purpose.len == 0 },
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_segment_change, params,
			     ARRAY_LEN(params));
}

static enum step
change_look(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "missing"))
		return no_segment(t);
	if (!str_is(outcome, "made"))
		return task_fail_set(t, ERR_STALE, "If-Match", "the segment is at version %lld now",
				     (long long)postgres_int(t, 0, 0, 1, 0));
	return get_ask(t);
}

const struct step_row core_flags_segment_change_steps[] = {
	{ "read", get_ask },     { "write", change_write },
	{ "look", change_look }, { "answer", get_answer },
	{ NULL, NULL },
};

/* ---- delete ---- */

static enum step
delete_write(struct task *t)
{
	return postgres_wait(core_flags_conf.pool, t, &sql_segment_delete,
			     (struct postgres_param[]) { P_STR(http_param(t, "name")),
							 P_TEXT(access_principal_of(t)),
							 P_STR(http_request_id(t)) },
			     3);
}

static enum step
delete_answer(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "used"))
		return task_fail_set(t, ERR_CONFLICT, NULL, "the segment is used by: %.*s",
				     STR_FMT(postgres_value(t, 0, 0, 1)));
	return str_is(outcome, "made") ? http_reply_empty(t, 204) : no_segment(t);
}

const struct step_row core_flags_segment_delete_steps[] = {
	{ "write", delete_write },
	{ "answer", delete_answer },
	{ NULL, NULL },
};
