/*
 * params.c — a request: one block of memory with the copied parameters, so that it outlives the
 * task that made it (the client may leave while the query runs), and the queues requests stand in.
 *
 * Invariants: text parameters end in NUL and hold no other, since libpq measures them with strlen
 * and would cut silently.
 */
#include "postgres/internal.h"

#include <stdlib.h>
#include <string.h>

static struct request *
request_alloc(size_t n_values, size_t bytes)
{
	struct request *r = malloc(sizeof(*r) + n_values * sizeof(char *) + bytes);
	if (r == NULL)
		return NULL;
	*r = (struct request) { .values = (const char **)(r + 1) };
	return r;
}

enum err
postgres_request_create(struct statement *stmt, const struct postgres_param *params, size_t n,
			struct request **out)
{
	size_t bytes = 0;
	if (n != stmt->n_params)
		return ERR_INTERNAL;
	for (size_t i = 0; i < n; i++) {
		if (params[i].is_null)
			continue;
		const struct str v = params[i].value;
		if (v.len > POSTGRES_PARAM_BYTES_MAX - bytes)
			return ERR_TOO_LARGE;
		if (v.len > 0 && memchr(v.p, '\0', v.len) != NULL)
			return ERR_INVALID;
		bytes += v.len;
	}
	struct request *r = request_alloc(n, bytes + n);
	if (r == NULL)
		return ERR_NO_MEMORY;
	r->kind = REQUEST_QUERY;
	r->stmt = stmt;
	r->n_params = (unsigned)n;
	char *at = (char *)(r->values + n);
	for (size_t i = 0; i < n; i++) {
		const struct str v = params[i].value;
		r->values[i] = params[i].is_null ? NULL : at;
		if (params[i].is_null)
			continue;
		if (v.len > 0)
			memcpy(at, v.p, v.len);
		at[v.len] = '\0';
		at += v.len + 1;
	}
	stmt->refs++;
	*out = r;
	return ERR_OK;
}

enum err
postgres_request_create_script(const char *sql, struct request **out)
{
	size_t len = strlen(sql);
	if (len > POSTGRES_SCRIPT_MAX)
		return ERR_TOO_LARGE;
	struct request *r = request_alloc(0, len + 1);
	if (r == NULL)
		return ERR_NO_MEMORY;
	char *copy = (char *)(r + 1);
	memcpy(copy, sql, len + 1);
	r->kind = REQUEST_SCRIPT;
	r->sql = copy;
	*out = r;
	return ERR_OK;
}

struct request *
postgres_request_create_prepare(struct statement *stmt)
{
	struct request *r = request_alloc(0, 0);
	if (r == NULL)
		return NULL;
	r->kind = REQUEST_PREPARE;
	r->stmt = stmt;
	stmt->refs++;
	return r;
}

void
postgres_request_reset(struct request *r)
{
	PQclear(r->result);
	PQclear(r->error);
	r->result = NULL;
	r->error = NULL;
	r->has_deallocate = false;
	r->has_parse = false;
	r->has_next = false;
	r->part = 0;
	r->part_answered = false;
	r->parse_id = 0;
}

void
postgres_request_free(struct request *r)
{
	if (r == NULL)
		return;
	postgres_request_reset(r);
	postgres_statement_unref(r->stmt);
	free(r);
}

void
postgres_request_queue_init(struct request_queue *q)
{
	*q = (struct request_queue) { .head = NULL };
	q->tail = &q->head;
}

void
postgres_request_queue_push(struct request_queue *q, struct request *r)
{
	r->next = NULL;
	*q->tail = r;
	q->tail = &r->next;
	q->n++;
}

void
postgres_request_queue_push_front(struct request_queue *q, struct request *r)
{
	r->next = q->head;
	if (q->head == NULL)
		q->tail = &r->next;
	q->head = r;
	q->n++;
}

struct request *
postgres_request_queue_pop(struct request_queue *q)
{
	struct request *r = q->head;
	if (r == NULL)
		return NULL;
	q->head = r->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->n--;
	r->next = NULL;
	return r;
}
