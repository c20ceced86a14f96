/*
 * connection.c — the state machine of one connection of a lane:
 *
 *   BACKOFF → CONNECTING → PREPARING → READY ⇄ (SCRIPT → RESETTING)
 *      ↑                                 ↓
 *      └──────── lost, or DRAINING ──────┘
 *
 * Requests are taken in READY only. Invariants: postgres_connection_state_set is the one place that
 * moves the state; the FIFO is empty in BACKOFF and CONNECTING; a lost connection gives every
 * request of its FIFO back exactly once: reads that were not answered are sent once more elsewhere,
 * a sent write or script ends with ERR_UNKNOWN_END.
 */
#include "postgres/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"

const char *const postgres_connection_state_names[] = {
	[CONN_BACKOFF] = "backoff",     [CONN_CONNECTING] = "connecting",
	[CONN_PREPARING] = "preparing", [CONN_READY] = "ready",
	[CONN_SCRIPT] = "script",       [CONN_RESETTING] = "resetting",
	[CONN_DRAINING] = "draining",
};

/* Which states may follow: a bit a state. */
#define TO(state) (1u << (unsigned)(state))
static const unsigned allowed[] = {
	[CONN_BACKOFF] = TO(CONN_BACKOFF) | TO(CONN_CONNECTING),
	[CONN_CONNECTING] = TO(CONN_BACKOFF) | TO(CONN_PREPARING),
	[CONN_PREPARING] = TO(CONN_BACKOFF) | TO(CONN_READY),
	[CONN_READY] = TO(CONN_BACKOFF) | TO(CONN_SCRIPT) | TO(CONN_DRAINING),
	[CONN_SCRIPT] = TO(CONN_BACKOFF) | TO(CONN_RESETTING),
	[CONN_RESETTING] = TO(CONN_BACKOFF) | TO(CONN_READY),
	[CONN_DRAINING] = TO(CONN_BACKOFF),
};

static bool
counts_as_up(enum connection_state state)
{
	return state == CONN_READY || state == CONN_SCRIPT || state == CONN_RESETTING;
}

void
postgres_connection_state_set(struct connection *c, enum connection_state state)
{
	struct lane *lane = c->lane;
	BUG_ON((allowed[c->state] & TO(state)) == 0);
	bool was = counts_as_up(c->state);
	bool is = counts_as_up(state);
	c->state = state;
	if (is && !was) {
		lane->n_ready++;
		if (lane->down)
			log_info("postgres.up", "pool %s, lane %s: connected again",
				 lane->pool->label, postgres_lane_names[lane->id]);
		lane->down = false;
		c->ready_at = loop_now(lane->pool->loop);
		c->proven = true;
		metric_add(lane->metrics->connected, 1);
	} else if (was && !is) {
		lane->n_ready--;
		metric_add(lane->metrics->connected, -1);
	}
	loop_again(lane->pool->loop); /* somebody may wait for this */
}

/* Doubles from 0.1 s to 5 s; the upper half of it is random, so that workers do not come back all
 * at once. */
static usec_t
backoff_us(unsigned attempts)
{
	uint32_t dice = 0;
	if (attempts == 0)
		return 0;
	usec_t full = POSTGRES_BACKOFF_MIN_US << MIN(attempts - 1, 6u);
	full = MIN(full, POSTGRES_BACKOFF_MAX_US);
	random_bytes(&dice, sizeof(dice));
	return full / 2 + (usec_t)(dice % (uint32_t)(full / 2 + 1));
}

static void
connection_close(struct connection *c)
{
	postgres_link_close(&c->link);
	postgres_prepared_table_clear(&c->prepared);
	c->doomed = NULL;
	c->copied = false;
	c->dirty = false;
	c->group = NULL;
	c->taking = NULL;
	usec_t now = loop_now(c->lane->pool->loop);
	/* One that did not last is no better than one that was refused: no hot loop. */
	if (c->proven && now - c->ready_at >= POSTGRES_LASTING_US)
		c->attempts = 0;
	else
		c->attempts++;
	c->proven = false;
	c->retry_at = now + backoff_us(c->attempts);
	postgres_connection_state_set(c, CONN_BACKOFF);
}

/* The fate of one request whose connection is gone. */
static void
request_lost(struct lane *lane, struct request *r, bool copied)
{
	struct err_info info = { .code = ERR_OK };
	bool read = r->kind == REQUEST_QUERY && lane->id != POSTGRES_WRITE;
	if (r->kind == REQUEST_PREPARE) {
		postgres_request_free(r);
		return;
	}
	if (r->error != NULL) {
		/* It had failed and only its Sync was missing: that is known. */
		enum err err = postgres_result_err(r->error, &info);
		postgres_pool_finish(lane, r, err, &info, NULL);
		return;
	}
	if (copied) {
		(void)err_set(&info, ERR_INTERNAL, NULL, "COPY is not possible here");
	} else if (read && r->result != NULL) {
		PGresult *result = r->result;
		r->result = NULL;
		postgres_pool_finish(lane, r, ERR_OK, NULL, result);
		return;
	} else if (read && !r->moved && !lane->pool->stopping) {
		r->moved = true;
		postgres_pool_again(lane, r);
		return;
	} else if (read) {
		(void)err_set(&info, lane->pool->stopping ? ERR_STOPPING : ERR_DOWN, NULL,
			      "the connection to the database was lost");
	} else {
		(void)err_set(&info, ERR_UNKNOWN_END, NULL,
			      "the connection to the database was lost after the write was sent; "
			      "whether it was done is not known");
	}
	postgres_pool_finish(lane, r, info.code, &info, NULL);
}

static void
fifo_lost(struct connection *c, bool copied)
{
	/* From the back, because those that are sent again go to the front of the lane's queue:
	 * their order stays. */
	struct request *reversed = NULL;
	for (struct request *r = postgres_request_queue_pop(&c->fifo); r != NULL;
	     r = postgres_request_queue_pop(&c->fifo)) {
		r->next = reversed;
		reversed = r;
	}
	while (reversed != NULL) {
		struct request *r = reversed;
		reversed = r->next;
		r->next = NULL;
		request_lost(c->lane, r, copied && reversed == NULL);
	}
}

void
postgres_connection_lost(struct connection *c, const char *why)
{
	struct lane *lane = c->lane;
	bool proven = c->proven;
	bool copied = c->copied;
	if (!lane->pool->stopping) {
		metric_add(lane->metrics->reconnects, 1);
		/* Once an outage: later attempts fail for the same reason. */
		if (proven || c->attempts == 0)
			log_warn("postgres.lost", "pool %s, lane %s: %s (%s)", lane->pool->label,
				 postgres_lane_names[lane->id], why, PQerrorMessage(c->link.pg));
	}
	/* Closed first, so that nothing is sent over it again. */
	connection_close(c);
	fifo_lost(c, copied);
	if (!proven)
		postgres_pool_lane_failed(lane);
}

/* Take nothing new and close when idle, e.g. because the primary is elsewhere now. */
void
postgres_connection_drain(struct connection *c)
{
	if (c->state != CONN_READY)
		return;
	/* Not proven: if it is no better the next time, the attempts grow apart. */
	c->proven = false;
	postgres_connection_state_set(c, CONN_DRAINING);
}

static void
connection_up(struct connection *c)
{
	if (!postgres_link_watch(&c->link) || PQenterPipelineMode(c->link.pg) != 1) {
		c->doomed = "could not enter pipeline mode";
		return;
	}
	postgres_connection_state_set(c, CONN_PREPARING);
	c->progress_at = loop_now(c->lane->pool->loop);
	postgres_pipeline_prepare_all(c);
	if (c->fifo.n == 0 && c->doomed == NULL)
		postgres_connection_state_set(c, CONN_READY);
}

static void
connection_connect_go_on(struct connection *c)
{
	switch (postgres_link_poll(&c->link)) {
	case LINK_PENDING:
		break;
	case LINK_UP:
		connection_up(c);
		break;
	case LINK_FAILED:
		c->doomed = "could not connect";
		break;
	}
}

/*
 * Take what libpq holds and send what it kept. Also after sending, without waiting for the socket:
 * a send that would block makes libpq read, and what it has read then is not announced by the
 * socket any more.
 */
static void
connection_process(struct connection *c, bool alive)
{
	if (c->state == CONN_SCRIPT || c->state == CONN_RESETTING)
		postgres_script_receive(c);
	else
		postgres_pipeline_receive(c);
	if (c->doomed == NULL && c->state == CONN_PREPARING && c->fifo.n == 0)
		postgres_connection_state_set(c, CONN_READY);
	for (PGnotify *n = PQnotifies(c->link.pg); n != NULL; n = PQnotifies(c->link.pg))
		PQfreemem(n); /* not asked for, but it would pile up */
	if (c->doomed == NULL && (!alive || PQstatus(c->link.pg) == CONNECTION_BAD))
		c->doomed = "the server closed the connection";
	if (c->doomed == NULL && !postgres_link_flush(&c->link))
		c->doomed = "could not write to the server";
	if (c->doomed == NULL && c->state == CONN_DRAINING && c->fifo.n == 0)
		c->doomed = "it was drained";
}

static void
connection_receive(struct connection *c)
{
	/* Also when it fails there may be answers in the buffer: they are taken first. */
	bool alive = PQconsumeInput(c->link.pg) == 1;
	connection_process(c, alive);
}

static void
on_ready(void *arg)
{
	struct connection *c = arg;
	if (c->state == CONN_CONNECTING)
		connection_connect_go_on(c);
	else
		connection_receive(c);
	/* What the callback found is acted on at its end: nothing above uses the connection any
	 * more. */
	if (c->doomed != NULL)
		postgres_connection_lost(c, c->doomed);
}

void
postgres_connection_init(struct connection *c, struct lane *lane)
{
	*c = (struct connection) { .lane = lane, .state = CONN_BACKOFF };
	postgres_request_queue_init(&c->fifo);
	postgres_prepared_table_init(&c->prepared, lane->pool->max_dynamic);
	postgres_link_init(&c->link, lane->pool->loop, on_ready, c);
}

void
postgres_connection_destroy(struct connection *c)
{
	if (c->state != CONN_BACKOFF)
		connection_close(c);
	fifo_lost(c, false);
}

static void
connection_open(struct connection *c, usec_t now)
{
	postgres_connection_state_set(c, CONN_CONNECTING);
	c->progress_at = now;
	if (!postgres_link_open(&c->link, &c->lane->target))
		c->doomed = "could not connect";
}

/* How long nothing may arrive while something is awaited; 0 = for ever. */
static usec_t
patience_us(const struct connection *c)
{
	switch (c->state) {
	case CONN_CONNECTING:
		return POSTGRES_CONNECT_US;
	case CONN_PREPARING:
		return POSTGRES_PREPARING_US;
	case CONN_READY:
	case CONN_SCRIPT:
	case CONN_RESETTING:
	case CONN_DRAINING:
		if (c->lane->conf.statement_timeout == 0 ||
		    (c->fifo.n == 0 && c->state != CONN_RESETTING))
			return 0;
		return c->lane->conf.statement_timeout + POSTGRES_WATCHDOG_GRACE_US;
	case CONN_BACKOFF:
		break;
	}
	return 0;
}

void
postgres_connection_work(struct connection *c, usec_t now)
{
	if (c->state == CONN_BACKOFF) {
		if (c->retry_at <= now && !c->lane->pool->stopping)
			connection_open(c, now);
	} else {
		usec_t patience = patience_us(c);
		if (patience != 0 && now - c->progress_at > patience)
			c->doomed = c->state == CONN_CONNECTING
					    ? "the connection was not made in time"
					    : "the server does not answer";
		else if (c->state == CONN_DRAINING && c->fifo.n == 0)
			c->doomed = "it was drained";
	}
	if (c->doomed == NULL && c->dirty) {
		c->dirty = false;
		postgres_pipeline_group_end(c);
		connection_process(c, true);
	}
	if (c->doomed != NULL)
		postgres_connection_lost(c, c->doomed);
}
