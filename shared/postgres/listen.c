/*
 * listen.c — one direct connection a process that only listens: BACKOFF → CONNECTING → SUBSCRIBING
 * → LISTENING and back.
 *
 * Not pipelined and not through a pooler. A notification is a hint: whatever was missed while the
 * connection was away is covered by on_up, which the owner takes as "read the truth again". A dead
 * peer is found by TCP keepalives.
 */
#include "postgres/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum listen_state { LISTEN_BACKOFF, LISTEN_CONNECTING, LISTEN_SUBSCRIBING, LISTEN_LISTENING };

struct postgres_listen {
	struct loop *loop;
	struct link link;
	struct postgres_target target;
	struct loop_timer *tick;
	enum listen_state state;
	usec_t since;    /* the state began        */
	usec_t retry_at; /* BACKOFF                */
	unsigned attempts;
	bool refused; /* LISTEN itself failed   */
	char channel[POSTGRES_NAME_MAX + 1];
	char label[48];
	postgres_notify_fn *fn;
	void (*on_up)(void *arg);
	void *arg;
};

static void
listen_state_set(struct postgres_listen *pl, enum listen_state state)
{
	pl->state = state;
	pl->since = loop_now(pl->loop);
}

static void
listen_lost(struct postgres_listen *pl, const char *why)
{
	if (pl->attempts == 0)
		log_warn("postgres.listen", "%s, channel %s: %s (%s)", pl->label, pl->channel, why,
			 PQerrorMessage(pl->link.pg));
	postgres_link_close(&pl->link);
	usec_t wait =
		MIN(POSTGRES_BACKOFF_MIN_US << MIN(pl->attempts, 6u), POSTGRES_BACKOFF_MAX_US);
	uint32_t dice = 0;
	random_bytes(&dice, sizeof(dice));
	pl->attempts++;
	listen_state_set(pl, LISTEN_BACKOFF);
	pl->retry_at = pl->since + wait / 2 + (usec_t)(dice % (uint32_t)(wait / 2 + 1));
}

static bool
listen_subscribe(struct postgres_listen *pl)
{
	if (!postgres_link_watch(&pl->link))
		return false;
	char *quoted = PQescapeIdentifier(pl->link.pg, pl->channel, strlen(pl->channel));
	if (quoted == NULL)
		return false;
	char sql[POSTGRES_NAME_MAX * 2 + 16];
	(void)snprintf(sql, sizeof(sql), "listen %s", quoted);
	PQfreemem(quoted);
	listen_state_set(pl, LISTEN_SUBSCRIBING);
	return PQsendQuery(pl->link.pg, sql) == 1 && postgres_link_flush(&pl->link);
}

/* The answer to LISTEN. False: it was refused. */
static bool
listen_answer(struct postgres_listen *pl)
{
	while (pl->state == LISTEN_SUBSCRIBING && PQisBusy(pl->link.pg) == 0) {
		PGresult *r = PQgetResult(pl->link.pg);
		if (r == NULL) {
			if (pl->refused)
				return false;
			listen_state_set(pl, LISTEN_LISTENING);
			pl->attempts = 0;
			if (pl->on_up != NULL)
				pl->on_up(pl->arg);
			return true;
		}
		pl->refused = pl->refused || PQresultStatus(r) != PGRES_COMMAND_OK;
		PQclear(r);
	}
	return true;
}

static void
listen_receive(struct postgres_listen *pl)
{
	bool alive = PQconsumeInput(pl->link.pg) == 1;
	if (!listen_answer(pl) || !alive || PQstatus(pl->link.pg) == CONNECTION_BAD) {
		listen_lost(pl,
			    pl->refused ? "could not listen" : "the server closed the connection");
		return;
	}
	for (PGnotify *n = PQnotifies(pl->link.pg); n != NULL; n = PQnotifies(pl->link.pg)) {
		pl->fn(n->relname, n->extra, pl->arg);
		PQfreemem(n);
	}
	if (!postgres_link_flush(&pl->link))
		listen_lost(pl, "could not write to the server");
}

static void
on_ready(void *arg)
{
	struct postgres_listen *pl = arg;
	if (pl->state != LISTEN_CONNECTING) {
		listen_receive(pl);
		return;
	}
	enum link_progress progress = postgres_link_poll(&pl->link);
	if (progress == LINK_FAILED || (progress == LINK_UP && !listen_subscribe(pl)))
		listen_lost(pl, "could not connect");
}

static void
listen_connect(struct postgres_listen *pl)
{
	pl->refused = false;
	listen_state_set(pl, LISTEN_CONNECTING);
	if (!postgres_link_open(&pl->link, &pl->target))
		listen_lost(pl, "could not connect");
}

static void
on_tick(void *arg)
{
	struct postgres_listen *pl = arg;
	usec_t now = loop_now(pl->loop);
	if (pl->state == LISTEN_BACKOFF) {
		if (pl->retry_at <= now)
			listen_connect(pl);
	} else if (pl->state != LISTEN_LISTENING && now - pl->since > POSTGRES_CONNECT_US) {
		listen_lost(pl, "the server did not answer in time");
	}
}

enum err
postgres_listen_create(struct loop *l, const char *conninfo, const char *label, const char *channel,
		       postgres_notify_fn *fn, void (*on_up)(void *arg), void *arg,
		       struct postgres_listen **out, struct err_info *info)
{
	char application[64];
	struct postgres_listen *pl = calloc(1, sizeof(*pl));
	if (pl == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory to listen on %s", channel);
	pl->loop = l;
	pl->fn = fn;
	pl->on_up = on_up;
	pl->arg = arg;
	(void)snprintf(application, sizeof(application), "bimodal-%.40s/listen", label);
	if (!str_copy(pl->channel, sizeof(pl->channel), str_of(channel)) || channel[0] == '\0') {
		free(pl);
		return err_set(info, ERR_CONFIG, NULL, "the channel name %s is empty or too long",
			       channel);
	}
	(void)str_copy(pl->label, sizeof(pl->label), str_of(label));
	enum err err = postgres_target_init(&pl->target, conninfo, application, "", info);
	if (err != ERR_OK) {
		free(pl);
		return err;
	}
	postgres_link_init(&pl->link, l, on_ready, pl);
	pl->tick = loop_every(l, POSTGRES_TICK_US, on_tick, pl);
	listen_connect(pl);
	*out = pl;
	return ERR_OK;
}

void
postgres_listen_destroy(struct postgres_listen *pl)
{
	if (pl == NULL)
		return;
	loop_timer_destroy(pl->tick);
	postgres_link_close(&pl->link);
	postgres_target_free(&pl->target);
	free(pl);
}
