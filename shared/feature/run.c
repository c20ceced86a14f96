/*
 * run.c — one query of a feature: a task of its own that wakes its caller, so that its end is seen
 * (breaker, pools) even if the caller has gone.
 *
 * Invariants: the pool is only used while the feature is not retired; the result handed over is a
 * copy that dies with the wait.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "feature/runtime_parts.h"

#define ARGUMENT_BYTES_MAX (16 * 1024)
#define RUN_GRACE (2 * USEC_PER_SEC) /* beyond the statement's own timeout: connecting, queueing */
#define RUN_BYTES_MAX ((size_t)8 * 1024 * 1024)

struct result {
	struct str body; /* or the units */
	struct str values;
	int64_t rows;
	char bytes[];
};

struct run {
	struct loaded *feature;
	const struct postgres_stmt *stmt;
	const struct feature_metric *metric; /* NULL: an endpoint */
	struct postgres_param params[FEATURE_PARAMS_MAX];
	struct task_handle caller;
	unsigned wait;
	struct result *result;
};

static step_fn run_query, run_take;

static const struct step_row run_steps[] = {
	{ "query", run_query },
	{ "take", run_take },
	{ NULL, NULL },
};

static enum step
run_query(struct task *t)
{
	struct run *r = t->t_owner;
	if (r->feature->retired || r->feature->pool == NULL)
		return task_fail_set(t, ERR_STOPPING, NULL, "the feature was removed or replaced");
	return postgres_wait(r->feature->pool, t, r->stmt, r->params, r->stmt->n_params);
}

static struct result *
result_make(struct str body, struct str values, int64_t rows)
{
	struct result *r = malloc(sizeof(*r) + body.len + values.len);
	if (r == NULL)
		return NULL;
	if (body.len > 0)
		memcpy(r->bytes, body.p, body.len);
	if (values.len > 0)
		memcpy(r->bytes + body.len, values.p, values.len);
	r->body = (struct str) { r->bytes, body.len };
	r->values = (struct str) { r->bytes + body.len, values.len };
	r->rows = rows;
	return r;
}

static enum step
take_answer(struct task *t, struct run *r)
{
	const int64_t rows = postgres_int(t, 0, 0, 1, 0);
	if (rows > FEATURE_ROWS_MAX)
		return task_fail_set(t, ERR_INTERNAL, NULL,
				     "the query of feature %s gives more than %d rows",
				     r->feature->manifest.slug, FEATURE_ROWS_MAX);
	r->result = result_make(postgres_value(t, 0, 0, 0), STR_NONE, rows);
	return r->result != NULL ? STEP_DONE
				 : task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for an answer");
}

static enum step
take_values(struct task *t, struct run *r)
{
	const int64_t rows = postgres_int(t, 0, 0, 2, 0);
	const int64_t least = postgres_int(t, 0, 0, 4, 0);
	const int64_t greatest = postgres_int(t, 0, 0, 5, 0);
	if (postgres_int(t, 0, 0, 3, 0) != rows)
		return task_fail_set(t, ERR_INTERNAL, NULL,
				     "metric %s of feature %s gives a unit twice", r->metric->name,
				     r->feature->manifest.slug);
	if (r->metric->kind == FEATURE_PROPORTION && (least < 0 || greatest > 1))
		return task_fail_set(t, ERR_INTERNAL, NULL,
				     "metric %s of feature %s is a proportion but gives %" PRId64
				     ": 0 or 1 is expected",
				     r->metric->name, r->feature->manifest.slug,
				     least < 0 ? least : greatest);
	r->result = result_make(postgres_value(t, 0, 0, 0), postgres_value(t, 0, 0, 1), rows);
	return r->result != NULL ? STEP_DONE
				 : task_fail_set(t, ERR_NO_MEMORY, NULL,
						 "no memory for the values of a metric");
}

static enum step
run_take(struct task *t)
{
	struct run *r = t->t_owner;
	if (postgres_rows(t, 0) != 1)
		return task_fail_set(t, ERR_INTERNAL, NULL,
				     "the query of feature %s gives no answer",
				     r->feature->manifest.slug);
	return r->metric == NULL ? take_answer(t, r) : take_values(t, r);
}

/* A right or an object that is missing to the feature's query is not missing to the caller: the
 * status must not say so. */
static enum err
outward(enum err err, struct err_info *info)
{
	switch (err) {
	case ERR_FORBIDDEN:
	case ERR_UNAUTHORIZED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_UNIMPLEMENTED:
	case ERR_TOO_LARGE:
		info->code = ERR_INTERNAL;
		return ERR_INTERNAL;
	default:
		return err;
	}
}

static void
run_end(struct task *t, void *arg)
{
	struct run *r = arg;
	struct err_info info = t->t_err;
	const enum err err = outward(t->t_err.code, &info);
	feature_runtime_leave(r->feature, t->t_cancel == TASK_SHUTDOWN ? ERR_STOPPING : err);
	if (err != ERR_OK) {
		free(r->result);
		r->result = NULL;
	}
	task_wake(t->t_engine, r->caller, r->wait, err, &info, r->result, free);
	free(r);
}

/* Copies what the parameters point to into the new task, which outlives the caller's step. */
static enum err
params_keep(struct task *child, struct run *r)
{
	for (size_t i = 0; i < r->stmt->n_params; i++) {
		if (r->params[i].is_null)
			continue;
		r->params[i].value = arena_str(&child->t_arena, r->params[i].value);
		if (r->params[i].value.p == NULL)
			return ERR_NO_MEMORY;
	}
	return ERR_OK;
}

static enum step
run_start(struct task *t, const struct run *what)
{
	struct loaded *f = what->feature;
	const struct feature_runtime_conf *conf = &f->rt->conf;
	enum err err = feature_runtime_enter(f, &t->t_err);
	if (err != ERR_OK)
		return task_fail_set(t, err, NULL, "feature %s cannot be run now",
				     f->manifest.slug);
	struct run *r = malloc(sizeof(*r));
	struct task *child = NULL;
	const usec_t limit = loop_now(f->rt->loop) + RUN_GRACE +
			     (conf->measures ? conf->metric_timeout : conf->statement_timeout);
	const usec_t deadline = t->t_deadline != 0 ? MIN(t->t_deadline, limit) : limit;
	err = r != NULL ? task_wait_begin(t, &r->wait) : ERR_NO_MEMORY;
	if (err != ERR_OK)
		goto out_leave;
	const unsigned wait = r->wait;
	*r = *what;
	r->wait = wait;
	r->caller = t->t_handle;
	err = task_start(t->t_engine, "feature.run", run_steps, deadline, RUN_BYTES_MAX, run_end, r,
			 &child);
	if (err != ERR_OK)
		goto out_undo;
	child->t_owner = r;
	if (params_keep(child, r) != ERR_OK) {
		(void)err_set(&child->t_err, ERR_NO_MEMORY, NULL,
			      "no memory for the parameters of a feature");
		task_cancel(child, TASK_HANGUP);
	}
	return STEP_WAIT;
out_undo:
	task_wait_undo(t, r->wait);
out_leave:
	free(r);
	feature_runtime_leave(f, ERR_NO_MEMORY);
	return task_fail_set(t, err, NULL, "could not start a query of feature %s",
			     f->manifest.slug);
}

/* ---- endpoints ---- */

static size_t
param_find(const struct feature_query *q, struct str name)
{
	size_t i = 1; /* $1 is the unit */
	while (i < q->n_params && !str_is(name, q->params[i].name))
		i++;
	return i;
}

static enum err
arguments_place(struct task *t, const struct feature_call *call, const struct feature_query *q,
		struct run *r)
{
	for (size_t i = 0; i < q->n_params; i++)
		r->params[i] = P_NULL;
	r->params[0] = P_STR(call->unit);
	for (size_t i = 0; i < call->n_args; i++) {
		const struct feature_arg *arg = &call->args[i];
		const size_t k = param_find(q, arg->name);
		if (k >= q->n_params)
			return err_set(&t->t_err, ERR_BAD_REQUEST, NULL,
				       "there is no parameter '%.*s'", (int)MIN(arg->name.len, 60),
				       arg->name.p);
		if (!r->params[k].is_null)
			return err_set(&t->t_err, ERR_BAD_REQUEST, q->params[k].name,
				       "the parameter %s is there twice", q->params[k].name);
		if (arg->value.len > ARGUMENT_BYTES_MAX)
			return err_set(&t->t_err, ERR_BAD_REQUEST, q->params[k].name,
				       "the parameter %s is too long", q->params[k].name);
		r->params[k] = P_STR(arg->value);
	}
	return ERR_OK;
}

enum step
feature_runtime_call(struct feature_runtime *rt, struct task *t, const struct feature_call *call)
{
	struct loaded *f = feature_runtime_find(rt, call->slug);
	struct uuid unit;
	if (f == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such feature");
	const struct feature_endpoint *endpoint =
		feature_endpoint_find(&f->manifest, call->endpoint);
	const size_t v = feature_variation_find(&f->manifest, call->variant);
	if (endpoint == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "feature %s has no such endpoint",
				     f->manifest.slug);
	if (v == f->manifest.n_variations)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "feature %s has no such variant",
				     f->manifest.slug);
	if (uuid_parse(call->unit, &unit) != ERR_OK)
		return task_fail_set(t, ERR_INVALID, "unit", "the unit must be a pseudonym (UUID)");
	const size_t i = (size_t)(endpoint - f->manifest.endpoints);
	struct run r = { .feature = f, .stmt = &f->answers[i][v] };
	if (arguments_place(t, call, &f->queries[i][v], &r) != ERR_OK)
		return task_fail(t);
	return run_start(t, &r);
}

struct str
feature_runtime_body(struct task *t, unsigned i)
{
	const struct result *r = task_result(t, i);
	return r != NULL ? r->body : STR_NONE;
}

/* ---- metrics ---- */

enum step
feature_runtime_measure(struct feature_runtime *rt, struct task *t,
			const struct feature_measure *measure)
{
	struct loaded *f = feature_runtime_find(rt, measure->slug);
	if (f == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such feature");
	size_t i = 0;
	while (feature_metric_at(&f->manifest, i) != NULL &&
	       strcmp(feature_metric_at(&f->manifest, i)->name, measure->metric) != 0)
		i++;
	const struct feature_metric *metric = feature_metric_at(&f->manifest, i);
	if (metric == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "feature %s has no metric %s",
				     f->manifest.slug, measure->metric);
	const struct run r = { .feature = f,
			       .stmt = &f->metrics[i],
			       .metric = metric,
			       .params = { P_TEXT(measure->units), P_TEXT(measure->exposed_at),
					   P_TEXT(measure->until) } };
	return run_start(t, &r);
}

bool
feature_runtime_values(struct task *t, unsigned i, struct feature_values *out)
{
	const struct result *r = task_result(t, i);
	*out = (struct feature_values) { .rows = 0 };
	if (r == NULL)
		return false;
	*out = (struct feature_values) { .units = r->body, .values = r->values, .rows = r->rows };
	return true;
}
