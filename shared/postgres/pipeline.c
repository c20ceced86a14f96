/*
 * pipeline.c — what goes over a connection while it is in pipeline mode: one unit a request, each
 * ended by its own Sync, so that each is a transaction of its own and an error stays inside it.
 *
 * A unit is [DEALLOCATE] [PREPARE] execution Sync. Short reads of one turn (shares_sync) go as one
 * group with one Sync at its end: before libpq 17 each Sync is a send of its own, and each wakes
 * the server. An error aborts those behind it in the group; they are sent again, each alone.
 *
 * Our FIFO is the truth: results are taken while
 * it holds something, never "until NULL", because libpq answers NULL for ever once a connection
 * broke. A request is over only when its Sync has been answered: a deferred constraint fails there,
 * after the execution said it was done. Nothing here closes the connection: a reason is left in
 * c->doomed and connection.c acts after the return.
 */
#include "postgres/internal.h"

#include <string.h>

#include "base/log.h"
#include "base/metric.h"

static bool
sync_send(const struct connection *c)
{
	PGconn *pg = c->link.pg;
	metric_add(c->lane->metrics->syncs, 1);
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
	return PQsendPipelineSync(pg) == 1;
#else
	return PQpipelineSync(pg) == 1; /* flushes by itself before libpq 17 */
#endif
}

static bool
deallocate_send(struct connection *c, struct request *r, const char *name)
{
	char sql[PREPARE_DEALLOCATE_SIZE];
	if (name[0] == '\0')
		return true;
	postgres_prepare_deallocate_sql(name, sql, sizeof(sql));
	r->has_deallocate = true;
	return PQsendQueryParams(c->link.pg, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

/* No Sync behind this one yet: the next of the group brings it, or the end of the turn. */
static void
group_join(struct connection *c, struct request *r)
{
	if (c->group != NULL)
		c->group->has_next = true;
	c->n_group = c->group != NULL ? c->n_group + 1 : 1;
	c->group = r;
	if (c->n_group >= POSTGRES_GROUP_MAX)
		postgres_pipeline_group_end(c);
}

void
postgres_pipeline_group_end(struct connection *c)
{
	if (c->group == NULL)
		return;
	c->group = NULL;
	if (c->doomed == NULL && !sync_send(c))
		c->doomed = "libpq could not send";
}

static bool
unit_send(struct connection *c, struct request *r)
{
	const struct statement *s = r->stmt;
	PGconn *pg = c->link.pg;
	struct postgres_prepare_plan plan;
	postgres_prepare_plan(&c->prepared, s, c->lane->pool->statements.generation, &plan);
	r->parse_id = plan.parse_id;
	if (s->shares_sync && r->kind == REQUEST_QUERY && !r->alone && !plan.parse &&
	    !plan.unnamed && plan.deallocate[0] == '\0') {
		if (PQsendQueryPrepared(pg, s->name, (int)r->n_params, r->values, NULL, NULL, 0) !=
		    1)
			return false;
		group_join(c, r);
		return true;
	}
	postgres_pipeline_group_end(c);
	if (!deallocate_send(c, r, plan.deallocate))
		return false;
	if (plan.parse) {
		r->has_parse = true;
		if (PQsendPrepare(pg, s->name, s->text, (int)s->n_params, s->types) != 1)
			return false;
	}
	if (r->kind == REQUEST_PREPARE)
		return sync_send(c);
	int sent = plan.unnamed ? PQsendQueryParams(pg, s->text, (int)s->n_params, s->types,
						    r->values, NULL, NULL, 0)
				: PQsendQueryPrepared(pg, s->name, (int)r->n_params, r->values,
						      NULL, NULL, 0);
	return sent == 1 && sync_send(c);
}

void
postgres_pipeline_send(struct connection *c, struct request *r)
{
	postgres_request_reset(r);
	postgres_request_queue_push(&c->fifo, r);
	c->dirty = true;
	if (!unit_send(c, r))
		c->doomed = "libpq could not send";
}

void
postgres_pipeline_prepare_all(struct connection *c)
{
	struct statement *const *all = c->lane->pool->at_start;
	for (unsigned i = 0; all[i] != NULL && c->doomed == NULL; i++) {
		if (all[i]->lane != c->lane->id)
			continue;
		struct request *r = postgres_request_create_prepare(all[i]);
		if (r == NULL)
			c->doomed = "out of memory while preparing";
		else
			postgres_pipeline_send(c, r);
	}
}

/* 26000, 0A000 and 42P05 mean that what we believe is prepared is not so. Nothing was run: writes
 * may be repeated as well. */
static bool
plan_was_stale(struct connection *c, const struct request *r)
{
	if (r->kind != REQUEST_QUERY || r->error == NULL)
		return false;
	if (postgres_result_is(r->error, "26000")) {
		postgres_prepared_gone(&c->prepared, r->stmt, r->parse_id);
		return true;
	}
	if (postgres_result_is_stale_plan(r->error) ||
	    (r->has_parse && postgres_result_is(r->error, "42P05"))) {
		postgres_prepared_stale(&c->prepared, r->stmt, r->parse_id);
		return true;
	}
	return false;
}

/* Commands of the unit in front of the execution. */
static unsigned
parts_before(const struct request *r)
{
	return (r->has_deallocate ? 1u : 0u) + (r->has_parse ? 1u : 0u);
}

static void
prepare_finish(struct connection *c, struct request *r)
{
	if (r->error != NULL) {
		/* The others work; this one is tried again at its use and then fails by name. */
		log_error("postgres.prepare", "could not prepare %s: %s", r->stmt->name,
			  PQresultErrorField(r->error, PG_DIAG_MESSAGE_PRIMARY));
		postgres_prepared_gone(&c->prepared, r->stmt, r->parse_id);
	}
	postgres_request_free(r);
}

/* What the error of one request says about the whole connection. */
static void
judge_connection(struct connection *c, const struct request *r)
{
	if (r->error != NULL && postgres_result_is(r->error, "25P02"))
		c->doomed = "a failed transaction was left open";
	else if (r->error != NULL && postgres_result_is(r->error, "25006") &&
		 c->lane->id == POSTGRES_WRITE)
		postgres_connection_drain(c);
	PGTransactionStatusType status = PQtransactionStatus(c->link.pg);
	if (c->fifo.n == 0 && status != PQTRANS_IDLE && status != PQTRANS_ACTIVE &&
	    c->doomed == NULL)
		c->doomed = "a statement left its transaction open";
}

static void
unit_finish(struct connection *c)
{
	struct request *r = postgres_request_queue_pop(&c->fifo);
	struct lane *lane = c->lane;
	c->progress_at = loop_now(lane->pool->loop);
	judge_connection(c, r);
	if (r->kind == REQUEST_PREPARE) {
		prepare_finish(c, r);
		return;
	}
	if (r->error == NULL && r->result == NULL && !r->alone) {
		r->alone = true;
		postgres_pool_again(lane, r);
		return;
	}
	if (plan_was_stale(c, r) && !r->reprepared) {
		r->reprepared = true;
		postgres_pool_again(lane, r);
		return;
	}
	if (r->has_parse && r->error != NULL && r->part < parts_before(r))
		postgres_prepared_gone(&c->prepared, r->stmt, r->parse_id);
	if (r->error != NULL && postgres_result_is(r->error, "25P02") &&
	    lane->id != POSTGRES_WRITE && !r->moved) {
		r->moved = true;
		postgres_pool_again(lane, r);
		return;
	}
	PGresult *result = r->result;
	r->result = NULL;
	if (r->error != NULL) {
		struct err_info info = { .code = ERR_OK };
		enum err err = postgres_result_err(r->error, &info);
		if (err == ERR_INTERNAL || err == ERR_REPREPARE)
			log_error("postgres.statement", "%s failed with %s: %s", r->stmt->name,
				  info.sqlstate,
				  PQresultErrorField(r->error, PG_DIAG_MESSAGE_PRIMARY));
		PQclear(result);
		postgres_pool_finish(lane, r, err, &info, NULL);
		return;
	}
	postgres_pool_finish(lane, r, ERR_OK, NULL, result);
}

/* The Sync has been answered: everything up to the one that it was sent for is over. */
static void
group_finish(struct connection *c)
{
	bool more = true;

	c->taking = NULL;
	while (more && c->fifo.head != NULL) {
		more = c->fifo.head->has_next;
		unit_finish(c);
	}
}

/* One more result for the request whose turn it is. */
static void
head_take(struct connection *c, struct request *r, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		r->part_answered = true;
		if (r->part >= parts_before(r) && r->result == NULL && r->error == NULL) {
			r->result = result;
			return;
		}
		break;
	case PGRES_PIPELINE_ABORTED:
		r->part_answered = true;
		break;
	case PGRES_FATAL_ERROR:
	case PGRES_BAD_RESPONSE:
		if (postgres_result_is_fatal(result)) {
			c->doomed = "the server ended the connection";
			break;
		}
		r->part_answered = true;
		if (r->error == NULL) {
			r->error = result;
			return;
		}
		break;
	default:
		/* COPY: libpq would answer so for ever. The request is told; the connection cannot
		 * be kept. */
		c->copied = true;
		c->doomed = "a statement began COPY";
		break;
	}
	PQclear(result);
}

static void
part_end(struct connection *c, struct request *r)
{
	if (!r->part_answered)
		return;
	if (r->has_next)
		c->taking = r->next;
	/* An error stops the part: the ones behind it are answered as aborted. `part` then tells
	 * where it was. */
	if (r->error == NULL)
		r->part++;
	r->part_answered = false;
}

void
postgres_pipeline_receive(struct connection *c)
{
	unsigned nulls = 0;
	/* Two NULLs in a row: nothing is there, whatever PQisBusy says. */
	while (c->fifo.n > 0 && c->doomed == NULL && nulls < 2 && PQisBusy(c->link.pg) == 0) {
		PGresult *result = PQgetResult(c->link.pg);
		if (result == NULL) {
			nulls++;
			part_end(c, c->taking != NULL ? c->taking : c->fifo.head);
			continue;
		}
		nulls = 0;
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			group_finish(c);
			continue;
		}
		head_take(c, c->taking != NULL ? c->taking : c->fifo.head, result);
	}
}
