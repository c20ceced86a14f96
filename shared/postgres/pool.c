/*
 * pool.c — the pool of one login role: lanes of connections, a bounded wait queue a lane, the
 * public submit.
 *
 * Flow: postgres_add puts a request into its lane's queue; in the LOOP_DB phase of the same turn
 * the hook gives waiting requests to the least loaded ready connections and flushes each connection
 * once; postgres_pool_finish wakes the task. Invariants: a request is in exactly one place: a queue
 * or the FIFO of one connection. A queued request whose task has ended is dropped unsent. One hook
 * a loop serves all pools of the process, since the loop has few places for hooks.
 */
#include "postgres/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"

#define ANSWERING USEC_PER_MS /* a connection that finished a statement so lately is not stuck */
#define SERVICE_WEIGHT 16     /* of the moving mean: one sample moves it by 1/16 */

static struct postgres_pool *pools;

bool
postgres_pool_request_alive(const struct lane *lane, const struct request *r)
{
	return task_find(lane->pool->engine, r->task) != NULL;
}

static void
result_release(void *result)
{
	PQclear(result);
}

static void
in_flight_end(struct lane *lane, struct request *r)
{
	if (r->sent_at == 0)
		return;
	r->sent_at = 0;
	metric_add(lane->metrics->in_flight, -1);
}

void
postgres_pool_finish(struct lane *lane, struct request *r, enum err err,
		     const struct err_info *info, PGresult *result)
{
	struct postgres_pool *p = lane->pool;
	struct err_info too_large = { .code = ERR_OK };
	if (r->sent_at != 0) {
		usec_t took = loop_now(p->loop) - r->sent_at;
		metric_observe_us(lane->metrics->duration, took);
		lane->service_us += (took - lane->service_us) / SERVICE_WEIGHT;
	}
	in_flight_end(lane, r);
	if (err == ERR_OK && result != NULL && PQresultMemorySize(result) > POSTGRES_RESULT_MAX) {
		PQclear(result);
		result = NULL;
		err = err_set(&too_large, ERR_INTERNAL, NULL,
			      "the answer of the database is too large");
		info = &too_large;
	}
	if (err != ERR_OK)
		metric_add(p->metrics->errors[err], 1);
	task_wake(p->engine, r->task, r->slot, err, info, result, result_release);
	postgres_request_free(r);
}

void
postgres_pool_again(struct lane *lane, struct request *r)
{
	in_flight_end(lane, r);
	postgres_request_reset(r);
	r->queued_at = loop_now(lane->pool->loop);
	postgres_request_queue_push_front(&lane->queue, r);
	metric_add(lane->metrics->queued, 1);
	loop_again(lane->pool->loop);
}

static struct request *
queue_pop(struct lane *lane)
{
	struct request *r = postgres_request_queue_pop(&lane->queue);
	if (r != NULL)
		metric_add(lane->metrics->queued, -1);
	return r;
}

static void
queue_fail(struct lane *lane, enum err code, const char *msg)
{
	for (struct request *r = queue_pop(lane); r != NULL; r = queue_pop(lane)) {
		struct err_info info = { .code = ERR_OK };
		(void)err_set(&info, code, NULL, "%s", msg);
		postgres_pool_finish(lane, r, code, &info, NULL);
	}
}

/* Requests of tasks that have ended meanwhile make room. At most once a tick: a long queue is not
 * walked for each submit. */
static void
queue_sweep(struct lane *lane, usec_t now)
{
	struct request_queue kept;
	if (lane->queue.n == 0 || now - lane->swept_at < POSTGRES_TICK_US)
		return;
	lane->swept_at = now;
	postgres_request_queue_init(&kept);
	for (struct request *r = postgres_request_queue_pop(&lane->queue); r != NULL;
	     r = postgres_request_queue_pop(&lane->queue)) {
		if (postgres_pool_request_alive(lane, r)) {
			postgres_request_queue_push(&kept, r);
			continue;
		}
		metric_add(lane->metrics->queued, -1);
		postgres_request_free(r);
	}
	lane->queue = kept;
	if (kept.head == NULL)
		postgres_request_queue_init(&lane->queue);
}

/* An attempt to connect has failed. If nothing else is up or about to be, waiting would only end in
 * a timeout. */
void
postgres_pool_lane_failed(struct lane *lane)
{
	bool hope = false;
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		const struct connection *c = &lane->connections[i];
		hope = hope || ((c->state == CONN_CONNECTING || c->state == CONN_PREPARING) &&
				c->attempts == 0);
	}
	if (lane->n_ready > 0 || hope)
		return;
	if (!lane->down && !lane->pool->stopping)
		log_error("postgres.down", "pool %s, lane %s: no connection is up",
			  lane->pool->label, postgres_lane_names[lane->id]);
	lane->down = true;
	queue_fail(lane, ERR_DOWN, "the database is not available");
}

static struct connection *
least_loaded(struct lane *lane)
{
	struct connection *best = NULL;
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		struct connection *c = &lane->connections[i];
		if (c->state != CONN_READY || c->doomed != NULL || c->fifo.n >= lane->conf.depth)
			continue;
		if (best == NULL || c->fifo.n < best->fifo.n)
			best = c;
	}
	return best;
}

/*
 * Which connection takes the next statement. One that is answering right now takes it with what it already has, up to half its depth:
 * the server then does several for one wake-up (a quarter more reads a second on two cores, measured by make bench). One that has
 * been silent for a moment may be stuck behind a slow statement; others then go to the least loaded.
 */
static struct connection *
connection_choose(struct lane *lane, usec_t now)
{
	struct connection *best = NULL;
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		struct connection *c = &lane->connections[i];
		if (c->state != CONN_READY || c->doomed != NULL || c->fifo.n == 0 ||
		    c->fifo.n >= (lane->conf.depth + 1) / 2 || now - c->progress_at >= ANSWERING)
			continue;
		if (best == NULL || c->fifo.n > best->fifo.n)
			best = c;
	}
	return best != NULL ? best : least_loaded(lane);
}

static void
lane_dispatch(struct lane *lane, usec_t now)
{
	while (lane->queue.head != NULL) {
		if (!postgres_pool_request_alive(lane, lane->queue.head)) {
			postgres_request_free(queue_pop(lane));
			continue;
		}
		struct connection *c = connection_choose(lane, now);
		if (c == NULL)
			return;
		struct request *r = queue_pop(lane);
		r->sent_at = now;
		metric_observe_us(lane->metrics->queue_wait, now - r->queued_at);
		metric_add(lane->metrics->in_flight, 1);
		if (c->fifo.n == 0)
			c->progress_at = now; /* the watchdog counts from here */
		if (r->kind == REQUEST_SCRIPT)
			postgres_script_send(c, r);
		else
			postgres_pipeline_send(c, r);
	}
}

static void
lane_work(struct lane *lane, usec_t now)
{
	lane_dispatch(lane, now);
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		struct connection *c = &lane->connections[i];
		if (c->dirty || c->doomed != NULL || c->state == CONN_DRAINING ||
		    (c->state == CONN_BACKOFF && c->retry_at <= now))
			postgres_connection_work(c, now);
	}
}

static bool
on_phase(void *arg)
{
	struct loop *l = arg;
	usec_t now = loop_now(l);
	for (struct postgres_pool *p = pools; p != NULL; p = p->next) {
		if (p->loop != l)
			continue;
		for (unsigned i = 0; i < POSTGRES_LANES; i++)
			lane_work(&p->lanes[i], now);
	}
	return false;
}

static void
on_tick(void *arg)
{
	struct postgres_pool *p = arg;
	usec_t now = loop_now(p->loop);
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		struct lane *lane = &p->lanes[i];
		queue_sweep(lane, now);
		for (unsigned k = 0; k < lane->conf.connections; k++)
			postgres_connection_work(&lane->connections[k], now);
	}
}

/* ---- submit ---- */

static unsigned
lane_free(const struct lane *lane)
{
	unsigned n = 0;
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		const struct connection *c = &lane->connections[i];
		if (c->state == CONN_READY && c->fifo.n < lane->conf.depth)
			n += lane->conf.depth - c->fifo.n;
	}
	return n;
}

/* May one more wait? Those that will be sent at the end of this turn do not count as waiting. */
static enum err
lane_admit(struct lane *lane, usec_t deadline)
{
	struct postgres_pool *p = lane->pool;
	usec_t now = loop_now(p->loop);
	if (p->stopping)
		return ERR_STOPPING;
	if (lane->conf.connections == 0)
		return ERR_INTERNAL;
	if (lane->down)
		return ERR_DOWN;
	if (lane->queue.n >= lane->conf.queue_max)
		queue_sweep(lane, now);
	if (lane->queue.n == 0 && lane->conf.queue_max > 0)
		return ERR_OK;
	unsigned room = lane_free(lane);
	if (lane->queue.n < room)
		return ERR_OK;
	unsigned ahead = lane->queue.n - room;
	if (ahead >= lane->conf.queue_max)
		return ERR_BUSY;
	usec_t capacity = (usec_t)lane->n_ready * lane->conf.depth;
	if (deadline != 0 && capacity > 0 &&
	    now + (usec_t)ahead * lane->service_us / capacity > deadline)
		return ERR_BUSY;
	return ERR_OK;
}

static enum err
request_submit(struct lane *lane, struct task *t, struct request *r)
{
	unsigned slot = 0;
	enum err err = task_wait_begin(t, &slot);
	if (err != ERR_OK) {
		postgres_request_free(r);
		return err;
	}
	r->task = t->t_handle;
	r->slot = slot;
	r->queued_at = loop_now(lane->pool->loop);
	postgres_request_queue_push(&lane->queue, r);
	metric_add(lane->metrics->queued, 1);
	loop_again(lane->pool->loop);
	return ERR_OK;
}

enum err
postgres_add(struct postgres_pool *p, struct task *t, const struct postgres_stmt *s,
	     const struct postgres_param *params, size_t n)
{
	struct request *r = NULL;
	struct statement *stmt = NULL;
	BUG_ON(t->t_magic != TASK_MAGIC || s->lane >= POSTGRES_LANES);
	struct lane *lane = &p->lanes[s->lane];
	enum err err = lane_admit(lane, t->t_deadline);
	if (err == ERR_OK)
		err = postgres_statement_get(&p->statements, s, false, &stmt);
	if (err == ERR_OK)
		err = postgres_request_create(stmt, params, n, &r);
	if (err == ERR_OK) {
		stmt->uses++;
		err = request_submit(lane, t, r);
	}
	postgres_statement_unref(stmt);
	if (err != ERR_OK)
		metric_add(p->metrics->errors[err], 1);
	return err;
}

static enum step
submit_failed(struct task *t, enum err err, const char *what)
{
	switch (err) {
	case ERR_INVALID:
		return task_fail_set(t, err, NULL,
				     "a value holds a zero byte, which the database cannot store");
	case ERR_INTERNAL:
		log_error("postgres.submit", "%s does not fit its pool, its name or its parameters",
			  what);
		return task_fail_set(t, err, NULL, "%s", err_row(err)->title);
	default:
		return task_fail_set(t, err, NULL, "%s", err_row(err)->title);
	}
}

enum step
postgres_wait(struct postgres_pool *p, struct task *t, const struct postgres_stmt *s,
	      const struct postgres_param *params, size_t n)
{
	enum err err = postgres_add(p, t, s, params, n);
	return err == ERR_OK ? STEP_WAIT : submit_failed(t, err, s->name);
}

enum step
postgres_script(struct postgres_pool *p, struct task *t, const char *sql)
{
	struct request *r = NULL;
	struct lane *lane = &p->lanes[POSTGRES_SLOW];
	BUG_ON(t->t_magic != TASK_MAGIC);
	enum err err = lane_admit(lane, t->t_deadline);
	if (err == ERR_OK && lane->conf.depth != 1)
		err = ERR_INTERNAL;
	if (err == ERR_OK)
		err = postgres_request_create_script(sql, &r);
	if (err == ERR_OK)
		err = request_submit(lane, t, r);
	if (err == ERR_OK)
		return STEP_WAIT;
	metric_add(p->metrics->errors[err], 1);
	return submit_failed(t, err, "a script");
}

/* ---- life ---- */

static enum err
conf_check(const struct postgres_conf *conf, struct err_info *info)
{
	if (strlen(conf->label) > 40 || strpbrk(conf->label, "\"\\\n") != NULL)
		return err_set(info, ERR_CONFIG, NULL,
			       "the label of a pool, %s, is too long or holds a quote",
			       conf->label);
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		const struct postgres_lane_conf *lc = &conf->lanes[i];
		if (lc->connections == 0)
			continue;
		if (lc->connections > POSTGRES_CONNECTIONS_MAX || lc->depth == 0 ||
		    lc->depth > POSTGRES_DEPTH_MAX || lc->queue_max > POSTGRES_QUEUE_MAX)
			return err_set(info, ERR_CONFIG, NULL,
				       "pool %s, lane %s: connections must be 0 to %d, depth 1 to "
				       "%d, the queue 0 to %d",
				       conf->label, postgres_lane_names[i],
				       POSTGRES_CONNECTIONS_MAX, POSTGRES_DEPTH_MAX,
				       POSTGRES_QUEUE_MAX);
	}
	return ERR_OK;
}

/* Every statement generated at build time is known from the start, so that none counts as a
 * run-time one. */
static enum err
static_statements(struct postgres_pool *p, const struct postgres_stmt *const *stmts,
		  struct err_info *info)
{
	unsigned n = 0;
	unsigned n_start = 0;
	while (stmts != NULL && stmts[n] != NULL)
		n++;
	p->at_start = calloc((size_t)n + 1, sizeof(struct statement *));
	if (p->at_start == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the statements of pool %s",
			       p->label);
	for (unsigned i = 0; i < n; i++) {
		struct statement *s = NULL;
		enum err err = postgres_statement_get(&p->statements, stmts[i], true, &s);
		if (err != ERR_OK)
			return err_set(info, err, NULL, "could not take statement %s into pool %s",
				       stmts[i]->name, p->label);
		if (s->at_start)
			p->at_start[n_start++] = s; /* the table's own reference keeps it */
		postgres_statement_unref(s);
	}
	return ERR_OK;
}

static int64_t
timeout_ms(usec_t us)
{
	return us == 0 ? 0 : MAX(us / USEC_PER_MS, 1);
}

static enum err
lane_create(struct postgres_pool *p, enum postgres_lane id, const struct postgres_conf *conf,
	    struct err_info *info)
{
	struct lane *lane = &p->lanes[id];
	char application[64];
	char options[160];
	*lane = (struct lane) {
		.pool = p, .id = id, .conf = conf->lanes[id], .metrics = &p->metrics->lanes[id]
	};
	postgres_request_queue_init(&lane->queue);
	if (lane->conf.connections == 0)
		return ERR_OK;
	(void)snprintf(application, sizeof(application), "bimodal-%s/w%d/%s", p->label, p->worker,
		       postgres_lane_names[id]);
	(void)snprintf(options, sizeof(options),
		       "-c statement_timeout=%" PRId64 " -c lock_timeout=%" PRId64
		       " -c idle_in_transaction_session_timeout=10000",
		       timeout_ms(lane->conf.statement_timeout),
		       timeout_ms(lane->conf.lock_timeout));
	enum err err =
		postgres_target_init(&lane->target, conf->conninfo, application, options, info);
	if (err != ERR_OK)
		return err;
	lane->connections = calloc(lane->conf.connections, sizeof(*lane->connections));
	if (lane->connections == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL,
			       "no memory for the connections of pool %s", p->label);
	for (unsigned i = 0; i < lane->conf.connections; i++)
		postgres_connection_init(&lane->connections[i], lane);
	return ERR_OK;
}

static bool
loop_has_pool(const struct loop *l)
{
	for (const struct postgres_pool *p = pools; p != NULL; p = p->next) {
		if (p->loop == l)
			return true;
	}
	return false;
}

static void
pool_free(struct postgres_pool *p)
{
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		free(p->lanes[i].connections);
		postgres_target_free(&p->lanes[i].target);
	}
	postgres_statement_table_free(&p->statements);
	free(p->at_start);
	free(p);
}

enum err
postgres_pool_create(struct loop *l, struct task_engine *e, const struct postgres_conf *conf,
		     struct postgres_pool **out, struct err_info *info)
{
	enum err err = conf_check(conf, info);
	if (err != ERR_OK)
		return err;
	struct postgres_pool *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for pool %s", conf->label);
	p->loop = l;
	p->engine = e;
	p->worker = conf->worker;
	p->max_dynamic = conf->max_dynamic == 0 ? POSTGRES_DYNAMIC_DEFAULT : conf->max_dynamic;
	p->metrics = postgres_pool_metrics_get(conf->label);
	(void)str_copy(p->label, sizeof(p->label), str_of(conf->label));
	postgres_statement_table_init(&p->statements, p->max_dynamic * POSTGRES_DYNAMIC_KNOWN);
	err = static_statements(p, conf->stmts, info);
	for (unsigned i = 0; i < POSTGRES_LANES && err == ERR_OK; i++)
		err = lane_create(p, (enum postgres_lane)i, conf, info);
	if (err != ERR_OK) {
		pool_free(p);
		return err;
	}
	if (!loop_has_pool(l))
		loop_add_hook(l, LOOP_DB, on_phase, l);
	p->next = pools;
	pools = p;
	p->tick = loop_every(l, POSTGRES_TICK_US, on_tick, p);
	loop_again(l); /* the first phase connects */
	*out = p;
	return ERR_OK;
}

void
postgres_pool_destroy(struct postgres_pool *p)
{
	if (p == NULL)
		return;
	p->stopping = true;
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		struct lane *lane = &p->lanes[i];
		queue_fail(lane, ERR_STOPPING, "the server is stopping");
		for (unsigned k = 0; k < lane->conf.connections; k++)
			postgres_connection_destroy(&lane->connections[k]);
	}
	loop_timer_destroy(p->tick);
	struct postgres_pool **at = &pools;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (!loop_has_pool(p->loop))
		loop_remove_hook(p->loop, on_phase, p->loop);
	pool_free(p);
}

bool
postgres_pool_ready(const struct postgres_pool *p)
{
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		if (p->lanes[i].conf.connections > 0 && p->lanes[i].n_ready == 0)
			return false;
	}
	return true;
}

void
postgres_pool_forget(struct postgres_pool *p)
{
	postgres_statement_table_forget(&p->statements);
}

static void
lane_dump(const struct lane *lane, struct buf *out)
{
	buf_printf(out,
		   "{\"lane\":\"%s\",\"up\":%u,\"down\":%s,\"queued\":%u,\"service_us\":%" PRId64
		   ",\"connections\":[",
		   postgres_lane_names[lane->id], lane->n_ready, lane->down ? "true" : "false",
		   lane->queue.n, lane->service_us);
	for (unsigned i = 0; i < lane->conf.connections; i++) {
		const struct connection *c = &lane->connections[i];
		buf_printf(out,
			   "%s{\"state\":\"%s\",\"pid\":%d,\"in_flight\":%u,\"prepared\":%u,"
			   "\"failed_attempts\":%u}",
			   i == 0 ? "" : ",", postgres_connection_state_names[c->state],
			   c->link.pg == NULL ? 0 : PQbackendPID(c->link.pg), c->fifo.n,
			   c->prepared.n, c->attempts);
	}
	buf_add_cstr(out, "]}");
}

void
postgres_pool_dump(const struct postgres_pool *p, struct buf *out)
{
	bool first = true;
	buf_add_cstr(out, "{\"pool\":");
	buf_json_cstr(out, p->label);
	buf_printf(out, ",\"ready\":%s,\"lanes\":[", postgres_pool_ready(p) ? "true" : "false");
	for (unsigned i = 0; i < POSTGRES_LANES; i++) {
		if (p->lanes[i].conf.connections == 0)
			continue;
		if (!first)
			buf_add_char(out, ',');
		first = false;
		lane_dump(&p->lanes[i], out);
	}
	buf_add_cstr(out, "]}");
}
