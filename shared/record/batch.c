/*
 * batch.c — many operations in one request. See record.h.
 *
 * Mode atomic: one statement. Where a constraint fails, PostgreSQL does not say in which row;
 * halving the batch with a statement that never commits finds the first operation at fault in ten
 * steps at most. Mode each: one statement an operation, as many at once as a task may wait for;
 * operations on one record are never in flight together.
 */
#include "record/batch.h"

#include <stdio.h>
#include <string.h>

#include "http/http.h"

#define RESULTS_BYTES_MAX (16 * 1024 * 1024)
#define PROBE_PASSED "22012" /* division by zero: every operation of the prefix is fine */

static step_fn atomic_send, atomic_answer, atomic_replay, probe_send, probe_answer, each_send,
	each_collect, each_replay, each_answer;

static struct record_shape
shape_of(const struct record_state *s, enum record_sql what, unsigned ops,
	 const struct record_field *match)
{
	struct record_shape shape = record_shape_of(s, what);
	shape.batch_ops = ops;
	shape.match = match;
	shape.read_classes = 0; /* nothing of the records is shown */
	if (what == RECORD_SQL_PROBE)
		shape.keyed = false;
	return shape;
}

static enum step
batch_read(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !record_write_allowed(t, s, false) ||
	    !record_batch_read(t, s) || !record_write_values(t, s, http_body(t)))
		return task_fail(t);
	/* The request itself has been counted as one row by whoever let it in. */
	if (s->call.charge != NULL && s->batch->n > 1 &&
	    s->call.charge(t, (unsigned)s->batch->n - 1) != ERR_OK)
		return task_fail(t);
	s->what = RECORD_SQL_BATCH;
	return task_jump(t, s->batch->atomic ? atomic_send : each_send);
}

/* ---- atomic ---- */
static enum step
send_prefix(struct task *t, struct record_state *s, enum record_sql what, size_t n)
{
	struct record_batch_state *b = s->batch;
	struct record_values v = s->values;
	struct buf json;
	record_batch_json(b, 0, n, &json);
	v.body = buf_str(&json);
	const struct record_shape shape = shape_of(s, what, b->ops, b->match);
	task_wait_soft(t);
	const enum step step =
		json.failed ? task_fail_set(t, ERR_TOO_LARGE, NULL, "the batch is too large")
			    : record_submit(t, s, &shape, &v);
	buf_free(&json);
	return step;
}

static enum step
atomic_send(struct task *t)
{
	struct record_state *s = record_state_of(t);
	return send_prefix(t, s, RECORD_SQL_BATCH, s->batch->n);
}

static enum step
results_reply(struct task *t, struct str results)
{
	struct buf b;
	buf_init(&b, RESULTS_BYTES_MAX);
	buf_add_cstr(&b, "{\"results\":[");
	buf_add_str(&b, results);
	buf_add_cstr(&b, "]}");
	const enum step step =
		b.failed ? task_fail_set(t, ERR_TOO_LARGE, NULL, "the results are too large")
			 : http_reply_json(t, 200, buf_str(&b));
	buf_free(&b);
	return step;
}

/* What the columns bad index, status, version and field of wait `w` mean, as an error at `where`.
 */
static void
refused(struct task *t, unsigned w, const char *where, struct err_info *info, struct str *members)
{
	const int64_t status = postgres_int(t, w, 0, 2, 422);
	const struct str field = postgres_value(t, w, 0, 4);
	char pointer[sizeof(info->field)];
	(void)snprintf(pointer, sizeof(pointer), "%s%s%.*s", where, field.p != NULL ? "/data/" : "",
		       (int)MIN(field.len, (size_t)60), field.p == NULL ? "" : field.p);
	err_clear(info);
	if (status == 404 || (status == 422 && field.p == NULL))
		record_scope_refused(t, record_state_of(t));
	switch (status) {
	case 404:
		(void)err_set(info, ERR_NOT_FOUND, pointer, "there is no such record");
		break;
	case 409:
		(void)err_set(info, ERR_CONFLICT, pointer,
			      "two operations of one atomic batch name the same record");
		break;
	case 412:
		(void)err_set(info, ERR_STALE, pointer, "the record is at version %lld now",
			      (long long)postgres_int(t, w, 0, 3, 0));
		*members = str_of(arena_printf(&t->t_arena, "\"current_version\":%lld",
					       (long long)postgres_int(t, w, 0, 3, 0)));
		break;
	default:
		(void)err_set(info, ERR_INVALID, pointer,
			      "the record that this field refers to does not exist");
		break;
	}
}

/* Remember why the batch fails, with the index as a member of its own. */
static void
fail_at(struct task *t, struct record_state *s, size_t index)
{
	if (s->failed.field[0] == '\0' || s->failed.field[0] != '/')
		(void)snprintf(s->failed.field, sizeof(s->failed.field), "/ops/%zu", index);
	const struct str more = s->failed_members;
	s->failed_members = str_of(arena_printf(&t->t_arena, "\"index\":%zu%s%.*s", index,
						more.p != NULL ? "," : "", (int)more.len,
						more.p == NULL ? "" : more.p));
}

static bool
is_constraint(const struct err_info *info)
{
	return info->sqlstate[0] == '2' && (info->sqlstate[1] == '3' || info->sqlstate[1] == '2');
}

/* After a failure: look for a kept reply, then for the operation at fault. */
static enum step
atomic_failed(struct task *t, struct record_state *s, const struct err_info *info)
{
	struct record_batch_state *b = s->batch;
	s->failed = *info;
	b->low = 0;
	b->high = is_constraint(info) ? b->n : 0;
	if (record_write_may_replay(s, info)) {
		(void)task_jump(t, atomic_replay);
		return record_write_lookup(t, s);
	}
	if (s->keyed && strcmp(info->sqlstate, "55P03") == 0) {
		err_clear(&s->failed);
		(void)err_set(&s->failed, ERR_IN_PROGRESS, "Idempotency-Key",
			      "the same request, or another write to one of the records, is still "
			      "running");
	}
	return task_jump(t, probe_send);
}

static enum step
atomic_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const struct err_info *info = NULL;
	if (task_wait_err(t, 0, &info) != ERR_OK)
		return atomic_failed(t, s, info);
	if (postgres_rows(t, 0) != 1)
		return task_fail_set(t, ERR_INTERNAL, NULL, "the batch gave no answer");
	if (postgres_is_null(t, 0, 0, 1))
		return results_reply(t, postgres_value(t, 0, 0, 0));
	const size_t index = (size_t)postgres_int(t, 0, 0, 1, 0);
	char where[32];
	(void)snprintf(where, sizeof(where), "/ops/%zu", index);
	refused(t, 0, where, &s->failed, &s->failed_members);
	fail_at(t, s, index);
	s->batch->high = 0; /* the place is known */
	if (!s->keyed)
		return record_write_failed(t, s);
	(void)task_jump(t, atomic_replay);
	return record_write_lookup(t, s);
}

static enum step
atomic_replay(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_jump(t, probe_send);
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_KEY_REUSED, "Idempotency-Key",
				     "the key was used for another path or body");
	http_reply_header(t, "Idempotency-Replayed", STR("true"));
	return results_reply(t, postgres_value(t, 0, 0, 4));
}

/* Halve what is not known yet; done when one operation is left. */
static enum step
probe_send(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct record_batch_state *b = s->batch;
	if (b->high == 0)
		return record_write_failed(t, s);
	if (b->high - b->low == 1) {
		s->failed.field[0] = '\0';
		fail_at(t, s, b->low);
		return record_write_failed(t, s);
	}
	b->mid = b->low + (b->high - b->low) / 2;
	(void)task_jump(t, probe_answer);
	return send_prefix(t, s, RECORD_SQL_PROBE, b->mid);
}

static enum step
probe_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct record_batch_state *b = s->batch;
	const struct err_info *info = NULL;
	if (task_wait_err(t, 0, &info) == ERR_OK)
		return task_fail_set(t, ERR_INTERNAL, NULL, "the batch could not be probed");
	if (strcmp(info->sqlstate, PROBE_PASSED) == 0)
		b->low = b->mid;
	else if (is_constraint(info))
		b->high = b->mid;
	else
		return record_write_failed(
			t, s); /* lost the database meanwhile: answer without the place */
	return task_jump(t, probe_send);
}

/* ---- each ---- */
static void
item_failed(struct record_batch_item *item, const struct err_info *info)
{
	item->failed = *info;
	if (item->op == RECORD_BATCH_DELETE && strcmp(info->sqlstate, "23503") == 0) {
		err_clear(&item->failed);
		(void)err_set(&item->failed, ERR_CONFLICT, NULL,
			      "other records still refer to this one");
	}
}

/* Does this operation touch the record of one that is in flight? Upserts meet records by value. */
static bool
meets_group(const struct record_batch_state *b, size_t index)
{
	const struct record_batch_item *item = &b->items[index];
	for (size_t i = b->first; i < index; i++) {
		const struct record_batch_item *other = &b->items[i];
		if (!other->waiting || item->op == RECORD_BATCH_CREATE ||
		    other->op == RECORD_BATCH_CREATE)
			continue;
		if (item->op == RECORD_BATCH_UPSERT || other->op == RECORD_BATCH_UPSERT ||
		    str_ieq(item->id, other->id))
			return true;
	}
	return false;
}

/* The key of one operation of a keyed batch is the batch's key and its index. */
static void
item_key(struct task *t, const struct record_state *s, size_t index, struct record_values *v)
{
	if (s->keyed)
		v->idem_key = str_of(
			arena_printf(&t->t_arena, "%.*s:%zu", STR_FMT(s->values.idem_key), index));
}

static enum err
each_add(struct task *t, struct record_state *s, size_t index)
{
	struct record_batch_state *b = s->batch;
	const struct record_batch_item *item = &b->items[index];
	struct record_values v = s->values;
	struct buf json;
	item_key(t, s, index, &v);
	record_batch_json(b, index, index + 1, &json);
	v.body = buf_str(&json);
	const struct record_shape shape =
		shape_of(s, RECORD_SQL_BATCH, (unsigned)item->op, item->match);
	const enum err err = json.failed || (s->keyed && v.idem_key.p == NULL)
				     ? ERR_TOO_LARGE
				     : record_add(t, s, &shape, &v);
	buf_free(&json);
	return err;
}

static enum step
each_send(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct record_batch_state *b = s->batch;
	unsigned waits = 0;
	b->first = b->end;
	if (b->first == b->n)
		return task_jump(t, each_answer);
	for (; b->end < b->n && waits < TASK_WAITS_MAX; b->end++) {
		struct record_batch_item *item = &b->items[b->end];
		if (item->failed.code != ERR_OK)
			continue;
		if (meets_group(b, b->end))
			break;
		const enum err err = each_add(t, s, b->end);
		if (err == ERR_OK) {
			item->wait = waits++;
			item->waiting = true;
		} else {
			(void)err_set(&item->failed, err, NULL,
				      "the operation could not be sent to the database");
		}
	}
	if (waits == 0)
		return task_jump(t, each_send);
	task_wait_soft(t);
	(void)task_jump(t, each_collect);
	return STEP_WAIT;
}

/* Take the results of the group; failures of keyed operations are looked up before they count. */
static enum step
each_collect(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct record_batch_state *b = s->batch;
	bool look_up[TASK_WAITS_MAX] = { false };
	unsigned waits = 0;
	for (size_t i = b->first; i < b->end; i++) {
		struct record_batch_item *item = &b->items[i];
		const struct err_info *info = NULL;
		if (!item->waiting)
			continue;
		if (task_wait_err(t, item->wait, &info) != ERR_OK) {
			item_failed(item, info);
			look_up[item->wait] = record_write_may_replay(s, info);
		} else if (postgres_rows(t, item->wait) == 1 &&
			   postgres_is_null(t, item->wait, 0, 1)) {
			item->result = arena_str(&t->t_arena, postgres_value(t, item->wait, 0, 0));
		} else {
			refused(t, item->wait, "", &item->failed, &item->members);
			look_up[item->wait] = s->keyed;
		}
	}
	for (size_t i = b->first; i < b->end; i++) {
		struct record_batch_item *item = &b->items[i];
		struct record_values v = s->values;
		const bool wanted = item->waiting && look_up[item->wait];
		item->waiting = false;
		if (!wanted)
			continue;
		item_key(t, s, i, &v);
		const struct postgres_param params[] = { P_STR(v.actor), P_STR(v.idem_route),
							 P_STR(v.idem_key),
							 P_STR(v.idem_fingerprint) };
		if (v.idem_key.p == NULL ||
		    postgres_add(s->engine->conf.pool, t, s->engine->conf.idempotency, params,
				 ARRAY_LEN(params)) != ERR_OK)
			continue; /* the failure stands */
		item->wait = waits++;
		item->waiting = true;
	}
	if (waits == 0)
		return task_jump(t, each_send);
	task_wait_soft(t);
	(void)task_jump(t, each_replay);
	return STEP_WAIT;
}

static enum step
each_replay(struct task *t)
{
	struct record_state *s = record_state_of(t);
	struct record_batch_state *b = s->batch;
	for (size_t i = b->first; i < b->end; i++) {
		struct record_batch_item *item = &b->items[i];
		if (!item->waiting)
			continue;
		item->waiting = false;
		if (task_wait_err(t, item->wait, NULL) != ERR_OK ||
		    postgres_rows(t, item->wait) == 0)
			continue; /* the failure stands */
		err_clear(&item->failed);
		item->members = STR_NONE;
		if (postgres_bool(t, item->wait, 0, 0))
			item->result = arena_str(&t->t_arena, postgres_value(t, item->wait, 0, 4));
		else
			(void)err_set(&item->failed, ERR_KEY_REUSED, "Idempotency-Key",
				      "the key was used for another path or body");
	}
	return task_jump(t, each_send);
}

static void
item_problem(struct task *t, const struct record_batch_item *item, size_t index, struct buf *out)
{
	struct buf problem;
	int status = 500;
	buf_init(&problem, RESULTS_BYTES_MAX);
	http_problem(&problem, &item->failed, item->members, http_request_id(t), &status);
	buf_printf(out, "{\"index\":%zu,\"status\":%d,\"problem\":", index, status);
	buf_add_str(out, buf_str(&problem));
	buf_add_char(out, '}');
	buf_free(&problem);
}

static enum step
each_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const struct record_batch_state *b = s->batch;
	struct buf results;
	buf_init(&results, RESULTS_BYTES_MAX);
	for (size_t i = 0; i < b->n; i++) {
		const struct record_batch_item *item = &b->items[i];
		if (i > 0)
			buf_add_char(&results, ',');
		if (item->failed.code == ERR_OK && item->result.p != NULL)
			buf_add_str(&results, item->result);
		else
			item_problem(t, item, i, &results);
	}
	const enum step step =
		results.failed ? task_fail_set(t, ERR_TOO_LARGE, NULL, "the results are too large")
			       : results_reply(t, buf_str(&results));
	buf_free(&results);
	return step;
}

const struct step_row record_batch[] = {
	{ "batch-read", batch_read },
	{ "batch-write", atomic_send },
	{ "batch-answer", atomic_answer },
	{ "batch-replay", atomic_replay },
	{ "batch-probe", probe_send },
	{ "batch-probed", probe_answer },
	{ "batch-each", each_send },
	{ "batch-collect", each_collect },
	{ "batch-replay-each", each_replay },
	{ "batch-results", each_answer },
	{ NULL, NULL },
};
