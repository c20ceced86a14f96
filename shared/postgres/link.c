/*
 * link.c — one PGconn, its socket in the loop, and the parameters it connects with. Used by pool
 * connections and by LISTEN.
 *
 * Invariants: no event is registered while PQconnectPoll runs, because it may close the socket and
 * open another one (TLS retry, next host): the events are one-shot while connecting and are
 * assigned anew after each poll. They are deleted before the socket closes. Nothing here blocks,
 * except the resolution of host names inside libpq: give addresses or socket folders.
 */
#include "postgres/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void
target_put(struct postgres_target *target, unsigned *n, const char *key, const char *value)
{
	for (unsigned i = 0; i < *n; i++) {
		if (strcmp(target->keys[i], key) == 0) {
			target->values[i] = value;
			return;
		}
	}
	if (*n + 1 >= POSTGRES_KEYWORDS_MAX)
		log_bug(__FILE__, __LINE__, "too many connection parameters");
	target->keys[*n] = key;
	target->values[*n] = value;
	*n += 1;
}

static const char *
target_value(const struct postgres_target *target, const char *key)
{
	for (unsigned i = 0; target->keys[i] != NULL; i++) {
		if (strcmp(target->keys[i], key) == 0)
			return target->values[i];
	}
	return NULL;
}

/* A dead peer is noticed within about 25 s idle and 15 s with data under way. */
static void
target_defaults(struct postgres_target *target, unsigned *n)
{
	static const char *const defaults[][2] = {
		{ "keepalives", "1" },           { "keepalives_idle", "10" },
		{ "keepalives_interval", "5" },  { "keepalives_count", "3" },
		{ "tcp_user_timeout", "15000" },
	};
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		if (target_value(target, defaults[i][0]) == NULL)
			target_put(target, n, defaults[i][0], defaults[i][1]);
	}
	target_put(target, n, "client_encoding", "UTF8");
}

enum err
postgres_target_init(struct postgres_target *target, const char *conninfo, const char *application,
		     const char *options, struct err_info *info)
{
	*target = (struct postgres_target) { .parsed = NULL };
	/* libpq's message may quote a piece of the string, which may be the password: it is not
	 * passed on. */
	target->parsed = PQconninfoParse(conninfo, NULL);
	if (target->parsed == NULL)
		return err_set(info, ERR_CONFIG, NULL, "could not read the connection string of %s",
			       application);
	unsigned n = 0;
	for (const PQconninfoOption *o = target->parsed; o->keyword != NULL; o++) {
		if (o->val != NULL)
			target_put(target, &n, o->keyword, o->val);
	}
	const char *theirs = target_value(target, "options");
	int len = snprintf(target->options, sizeof(target->options), "%s%s%s",
			   theirs == NULL ? "" : theirs, theirs == NULL ? "" : " ", options);
	if (len < 0 || (size_t)len >= sizeof(target->options)) {
		postgres_target_free(target);
		return err_set(info, ERR_CONFIG, NULL, "the connection options of %s are too long",
			       application);
	}
	(void)str_copy(target->application, sizeof(target->application), str_of(application));
	target_put(target, &n, "application_name", target->application);
	if (target->options[0] != '\0')
		target_put(target, &n, "options", target->options);
	target_defaults(target, &n);
	return ERR_OK;
}

void
postgres_target_free(struct postgres_target *target)
{
	if (target->parsed != NULL)
		PQconninfoFree(target->parsed);
	target->parsed = NULL;
}

void
postgres_link_init(struct link *l, struct loop *loop, link_ready_fn *ready, void *arg)
{
	*l = (struct link) { .loop = loop, .ready = ready, .arg = arg };
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct link *l = arg;
	l->ready(l->arg);
}

static void
events_drop(struct link *l)
{
	if (!l->events_set)
		return;
	(void)event_del(&l->read);
	(void)event_del(&l->write);
	l->events_set = false;
}

static bool
events_assign(struct link *l, short persist)
{
	struct event_base *base = loop_base(l->loop);
	int fd = PQsocket(l->pg);
	events_drop(l);
	if (fd < 0 ||
	    event_assign(&l->read, base, fd, (short)(EV_READ | persist), on_socket, l) != 0 ||
	    event_assign(&l->write, base, fd, EV_WRITE, on_socket, l) != 0)
		return false;
	l->events_set = true;
	return true;
}

/* The default receiver writes to stderr. The text stays at debug: a notice may quote data. */
static void
on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	log_debug("postgres.notice", "%s %s: %s", severity == NULL ? "NOTICE" : severity,
		  sqlstate == NULL ? "00000" : sqlstate, primary == NULL ? "" : primary);
}

bool
postgres_link_open(struct link *l, const struct postgres_target *target)
{
	BUG_ON(l->pg != NULL);
	l->pg = PQconnectStartParams(target->keys, target->values, 0);
	if (l->pg == NULL)
		return false;
	(void)PQsetNoticeReceiver(l->pg, on_notice, NULL);
	/* As if the last poll had said "writing" (libpq's rule for the first one). */
	return PQstatus(l->pg) != CONNECTION_BAD && events_assign(l, 0) &&
	       event_add(&l->write, NULL) == 0;
}

enum link_progress
postgres_link_poll(struct link *l)
{
	events_drop(l);
	PostgresPollingStatusType status = PQconnectPoll(l->pg);
	if (status == PGRES_POLLING_OK)
		return LINK_UP;
	if (status == PGRES_POLLING_FAILED || !events_assign(l, 0))
		return LINK_FAILED;
	if (event_add(status == PGRES_POLLING_WRITING ? &l->write : &l->read, NULL) != 0)
		return LINK_FAILED;
	return LINK_PENDING;
}

bool
postgres_link_watch(struct link *l)
{
	return PQsetnonblocking(l->pg, 1) == 0 && events_assign(l, EV_PERSIST) &&
	       event_add(&l->read, NULL) == 0;
}

bool
postgres_link_flush(struct link *l)
{
	int left = PQflush(l->pg);
	if (left < 0)
		return false;
	/* Only while something is left: an idle socket is always writable. */
	return left == 0 || event_pending(&l->write, EV_WRITE, NULL) != 0 ||
	       event_add(&l->write, NULL) == 0;
}

void
postgres_link_close(struct link *l)
{
	events_drop(l);
	if (l->pg != NULL)
		PQfinish(l->pg);
	l->pg = NULL;
}
