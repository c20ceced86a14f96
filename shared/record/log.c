/*
 * log.c — history, undo and restore of one record. See record.h.
 *
 * Place: a room continues with one of these tables as with those of read.c and write.c; the texts are those of sql_log.c. Invariants: a
 * history belongs to an id, not to a row, so that it outlives the record; undo and restore are writes like any other (one statement, its
 * events, Idempotency-Key); they bring back only what the log holds, so that what was erased stays erased.
 */
#include "record/engine.h"

#include "base/json_scan.h"
#include "http/http.h"

#define BINDING_BYTES_MAX 512
#define VERSION_MAX 2147483647

static bool
not_a_copy(struct task *t, const struct record_state *s)
{
	if (!s->engine->conf.copy)
		return true;
	(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL, "the copy keeps no history; ask core");
	return false;
}

/* ---- history ---- */
static bool
history_query(struct task *t, struct record_state *s)
{
	s->query.limit = RECORD_LIMIT_DEFAULT;
	for (size_t i = 0; i < http_query_count(t); i++) {
		struct str name, value;
		int64_t limit = 0;
		http_query_at(t, i, &name, &value);
		if (str_is(name, "after") && s->query.after.p == NULL) {
			s->query.after = value;
		} else if (str_is(name, "limit") &&
			   str_int(value, 1, RECORD_LIMIT_MAX, &limit) == ERR_OK) {
			s->query.limit = (unsigned)limit;
		} else {
			(void)err_set(&t->t_err, ERR_BAD_REQUEST, arena_strdup(&t->t_arena, name),
				      "a history takes limit (1 to %d) and after",
				      RECORD_LIMIT_MAX);
			return false;
		}
	}
	s->binding =
		str_of(arena_printf(&t->t_arena, "history|%.*s|%u|%.*s", STR_FMT(s->resource->name),
				    s->call.read_classes, STR_FMT(s->call.id)));
	return true;
}

static enum step
history_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !not_a_copy(t, s) || !history_query(t, s))
		return task_fail(t);
	struct record_shape shape = record_shape_of(s, RECORD_SQL_HISTORY);
	if (s->query.after.p != NULL) {
		int64_t seq = 0;
		enum err err = record_cursor_decode(&s->engine->cursor_key, s->binding,
						    s->query.after, 1, &t->t_arena, &s->cursor);
		if (err == ERR_OK)
			err = str_int(s->cursor.values[0], 0, INT64_MAX, &seq);
		if (err != ERR_OK)
			return task_fail_set(
				t, ERR_BAD_CURSOR, "after",
				"the cursor is not one that this history has given out");
		shape.cursor = &s->cursor;
	}
	s->values.id = s->call.id;
	s->values.limit = str_of(arena_printf(&t->t_arena, "%u", s->query.limit + 1));
	return record_submit(t, s, &shape, &s->values);
}

static enum step
history_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const int rows = postgres_rows(t, 0);
	const int n = MIN(rows, (int)s->query.limit);
	struct str next = STR_NONE;
	if (rows == 0 && s->query.after.p == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is and was no %s %.*s",
				     s->resource->singular, STR_FMT(s->call.id));
	if (rows > n) {
		const struct record_cursor c = { .values = { postgres_value(t, 0, n - 1, 1) },
						 .n = 1 };
		if (record_cursor_encode(&s->engine->cursor_key, s->binding, &c, &t->t_arena,
					 &next) != ERR_OK)
			return task_fail_set(t, ERR_NO_MEMORY, NULL,
					     "the request needs too much memory");
	}
	return record_page(t, n, next);
}

/* ---- undo ---- */
static bool
undo_body(struct task *t, struct record_state *s)
{
	struct json_member m[2];
	size_t n = ARRAY_LEN(m);
	int64_t version = 0;
	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK)
		return false;
	if (n == 1 && str_is(m[0].key, "version") && m[0].kind == JSON_NUMBER &&
	    str_int(m[0].value, 1, VERSION_MAX, &version) == ERR_OK) {
		s->values.edit = m[0].value;
		return true;
	}
	(void)err_set(&t->t_err, ERR_INVALID, "/version",
		      "the body names the version that the edit made: {\"version\":7}");
	return false;
}

static enum step
undo_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	/* What an edit undid may be the owner: the record would leave the scope it was written by. */
	if (s->call.owners != NULL)
		return task_fail_set(t, ERR_FORBIDDEN, NULL,
				     "only who may write all records of this kind undoes an edit");
	if (!record_resolve(t, s) || !record_write_allowed(t, s, false) || !record_if_match(t, s) ||
	    !undo_body(t, s) || !record_write_values(t, s, http_body(t)))
		return task_fail(t);
	s->values.id = s->call.id;
	return record_write_submit(t, s, RECORD_SQL_UNDO);
}

/* ---- restore ---- */
static enum step
restore_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct json_member m[1];
	size_t n = ARRAY_LEN(m);
	const struct str body = http_body(t);
	if (!record_resolve(t, s) || !not_a_copy(t, s))
		return task_fail(t);
	if (body.len > 0 && (!record_write_allowed(t, s, false) ||
			     json_scan_object(body, &t->t_arena, m, &n, &t->t_err) != ERR_OK))
		return task_fail(t);
	if (body.len > 0 && n > 0)
		return task_fail_set(t, ERR_INVALID, "", "a restore takes no members");
	if (!record_write_values(t, s, body))
		return task_fail(t);
	s->values.id = s->call.id;
	return record_write_submit(t, s, RECORD_SQL_RESTORE);
}

/* ---- what was refused ---- */
static void
conflict(struct task *t, struct record_state *s, struct str detail)
{
	if (s->what == RECORD_SQL_UNDO)
		(void)err_set(&s->failed, ERR_CONFLICT, "/version",
			      "later edits changed the same fields; undo those first, or change "
			      "the fields");
	else if (detail.p != NULL)
		(void)err_set(&s->failed, ERR_CONFLICT, NULL,
			      "what the %s needs is gone, or its values have been taken since",
			      s->resource->singular);
	else
		(void)err_set(&s->failed, ERR_CONFLICT, NULL, "the %s is not deleted",
			      s->resource->singular);
	if (detail.p != NULL)
		s->failed_members =
			str_of(arena_printf(&t->t_arena, "\"conflicts\":%.*s", STR_FMT(detail)));
}

void
record_log_refusal(struct task *t, struct record_state *s, int64_t status, struct str detail)
{
	const char *what = s->resource->singular;
	switch (status) {
	case 204:
		(void)err_set(&s->failed, ERR_INVALID, "/version",
			      "this edit changed nothing that can be put back: what it did follows "
			      "from other records");
		break;
	case 403:
		(void)err_set(&s->failed, ERR_FORBIDDEN, "/version",
			      "the edit changed fields that this principal may not write");
		break;
	case 409:
		conflict(t, s, detail);
		break;
	case 410:
		(void)err_set(&s->failed, ERR_GONE, NULL, "what the %s held has been erased", what);
		break;
	case 422:
		(void)err_set(
			&s->failed, ERR_INVALID, "/version",
			"no edit of this %s made that version; its first version is its creation",
			what);
		break;
	case 503:
		(void)err_set(&s->failed, ERR_RETRY, NULL,
			      "the %s was changed at the same moment; try again", what);
		break;
	default:
		(void)err_set(&s->failed, ERR_INTERNAL, NULL, "the statement gave no answer");
		break;
	}
}

const struct step_row record_history[] = {
	{ "history-ask", history_ask },
	{ "history-answer", history_answer },
	{ NULL, NULL },
};

const struct step_row record_undo[] = {
	{ "undo-write", undo_ask },
	{ "undo-answer", record_write_answer },
	{ "undo-replay", record_write_replay },
	{ NULL, NULL },
};

const struct step_row record_restore[] = {
	{ "restore-write", restore_ask },
	{ "restore-answer", record_write_answer },
	{ "restore-replay", record_write_replay },
	{ NULL, NULL },
};
