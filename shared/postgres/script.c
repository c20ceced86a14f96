/*
 * script.c — a script of several statements by the simple protocol, on an idle connection that
 * leaves pipeline mode for it: READY → SCRIPT → RESETTING → READY. What the script may have SET is
 * put back before others use the connection, a transaction that its failure left aborted is rolled back.
 *
 * Invariants: the script is the only request in the FIFO; a script that leaves a transaction open
 * and alive, or begins COPY, costs the connection; the open transaction is an error even where every
 * statement answered well: nothing was committed.
 */
#include "postgres/internal.h"

#include <string.h>

#include "base/log.h"

/* A script that failed inside its own BEGIN leaves the transaction aborted; rolling back is a warning where there is none. */
static const char reset_sql[] = "rollback; reset session authorization; reset role; reset all";

void
postgres_script_send(struct connection *c, struct request *r)
{
	postgres_request_reset(r);
	postgres_request_queue_push(&c->fifo, r);
	c->dirty = true;
	postgres_connection_state_set(c, CONN_SCRIPT);
	if (PQexitPipelineMode(c->link.pg) != 1 || PQsendQuery(c->link.pg, r->sql) != 1)
		c->doomed = "libpq could not send a script";
}

/* The last result stands for the script; an error ends it. */
static void
script_take(struct connection *c, struct request *r, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		PQclear(r->result);
		r->result = result;
		return;
	case PGRES_FATAL_ERROR:
	case PGRES_BAD_RESPONSE:
		if (postgres_result_is_fatal(result)) {
			c->doomed = "the server ended the connection";
			break;
		}
		if (r->error == NULL) {
			r->error = result;
			return;
		}
		break;
	default:
		c->copied = true;
		c->doomed = "a script began COPY";
		break;
	}
	PQclear(result);
}

static void
script_finish(struct connection *c)
{
	struct request *r = postgres_request_queue_pop(&c->fifo);
	struct err_info info = { .code = ERR_OK };
	enum err err = ERR_OK;
	c->progress_at = loop_now(c->lane->pool->loop);
	if (r->error != NULL) {
		err = postgres_result_err(r->error, &info);
		/* The author of a script reads this: the sentence of the server, not the title of
		 * an error. */
		(void)str_copy(info.msg, sizeof(info.msg),
			       str_of(PQresultErrorField(r->error, PG_DIAG_MESSAGE_PRIMARY)));
	}
	const PGTransactionStatusType left = PQtransactionStatus(c->link.pg);
	if (left != PQTRANS_IDLE && !(left == PQTRANS_INERROR && err != ERR_OK)) {
		c->doomed = "a script left its transaction open";
		if (err == ERR_OK)
			err = err_set(
				&info, ERR_INVALID, NULL,
				"the script left its transaction open: nothing was committed");
	}
	PGresult *result = r->result;
	r->result = NULL;
	if (err != ERR_OK) {
		PQclear(result);
		result = NULL;
	}
	postgres_pool_finish(c->lane, r, err, &info, result);
	if (c->doomed != NULL)
		return;
	postgres_connection_state_set(c, CONN_RESETTING);
	c->dirty = true;
	if (PQsendQuery(c->link.pg, reset_sql) != 1)
		c->doomed = "libpq could not send the reset after a script";
}

static void
reset_finish(struct connection *c)
{
	if (PQenterPipelineMode(c->link.pg) == 1)
		postgres_connection_state_set(c, CONN_READY);
	else
		c->doomed = "could not enter pipeline mode again";
}

void
postgres_script_receive(struct connection *c)
{
	while (c->doomed == NULL && PQisBusy(c->link.pg) == 0) {
		PGresult *result = PQgetResult(c->link.pg);
		if (c->state == CONN_RESETTING) {
			if (result == NULL) {
				reset_finish(c);
				return;
			}
			if (PQresultStatus(result) != PGRES_COMMAND_OK)
				c->doomed = "could not reset the session after a script";
			PQclear(result);
		} else if (result != NULL) {
			script_take(c, c->fifo.head, result);
		} else {
			script_finish(c);
		}
	}
}
