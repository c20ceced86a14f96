/*
 * refusal.c — what was refused, until it is written to the event log. See access.h.
 *
 * Place: the guard and the end of each request add here; a room takes the list every few seconds
 * and writes it in one statement. Invariants: a repeat of one principal at one route for one reason
 * is a number, not a row; memory is fixed, and what finds no room is counted; those who could not
 * be identified have places of their own, so that their noise never hides what a known one did.
 */
#include <string.h>

#include "access/internal.h"
#include "base/metric.h"
#include "http/http.h"

static struct metric *noted_count;
static struct metric *dropped_count;

void
access_refusal_metrics(void)
{
	noted_count = metric_counter("access_refusals_total", NULL,
				     "Requests refused for want of a token, a right, a class, a "
				     "scope or a quota.");
	dropped_count = metric_counter("access_refusals_dropped_total", NULL,
				       "Refusals that did not get into the event log.");
}

void
access_refusal_add(struct access *a, const struct task *t, const struct access_refusal_who *who,
		   const char *reason)
{
	struct refusals *list = who->token.p != NULL ? &a->strangers : &a->known;
	const size_t max = who->token.p != NULL ? ACCESS_STRANGERS_MAX : ACCESS_REFUSALS_MAX;
	const struct str name = who->token.p != NULL ? who->token : who->principal;
	metric_add(noted_count, 1);
	for (size_t i = 0; i < list->n; i++) {
		struct refusal *r = &list->of[i];
		if (r->route == t->t_name && r->reason == reason && str_is(name, r->who)) {
			r->count++;
			return;
		}
	}
	if (list->n == max) {
		metric_add(dropped_count, 1);
		return;
	}
	struct refusal *r = &list->of[list->n++];
	*r = (struct refusal) {
		.route = t->t_name, .reason = reason, .count = 1, .is_token = who->token.p != NULL
	};
	(void)str_copy(r->who, sizeof(r->who), name);
	(void)str_copy(r->request, sizeof(r->request), who->request);
	clock_rfc3339(clock_wall_us(), r->since);
}

void
access_refusal_lost(size_t n)
{
	metric_add(dropped_count, (int64_t)n);
}

void
access_request_ended(struct task *t)
{
	struct access *a = access_here();
	const struct access_actor *actor = access_actor_of(t);
	const char *reason = NULL;
	if (a == NULL || actor == NULL)
		return;
	if (t->t_err.code == ERR_RATE)
		reason = "rate";
	else if (actor->refused != NULL)
		reason = actor->refused;
	else if (t->t_err.code == ERR_FORBIDDEN)
		reason = "right";
	if (reason != NULL)
		access_refusal_add(
			a, t,
			&(struct access_refusal_who) { .principal = str_of(actor->principal),
						       .request = http_request_id(t) },
			reason);
}

void
access_refused(struct task *t, const char *what)
{
	static const char *const known[] = { "class", "scope", "csrf" };
	struct access_actor *actor = t->t_actor;
	for (size_t i = 0; actor != NULL && i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i], what) == 0)
			actor->refused = known[i];
	}
}

static void
refusal_json(const struct refusal *r, bool first, struct buf *out)
{
	buf_add_cstr(out, first ? "{" : ",{");
	buf_add_cstr(out, r->is_token ? "\"token\":" : "\"actor\":");
	buf_json_cstr(out, r->who);
	buf_add_cstr(out, ",\"request\":");
	buf_json_cstr(out, r->request);
	buf_add_cstr(out, ",\"route\":");
	buf_json_cstr(out, r->route);
	buf_add_cstr(out, ",\"reason\":");
	buf_json_cstr(out, r->reason);
	buf_add_cstr(out, ",\"count\":");
	buf_add_int(out, (int64_t)r->count);
	buf_add_cstr(out, ",\"since\":");
	buf_json_cstr(out, r->since);
	buf_add_char(out, '}');
}

size_t
access_refusals_take(struct access *a, struct buf *out)
{
	struct refusals *const lists[] = { &a->known, &a->strangers };
	size_t n = 0;
	buf_add_char(out, '[');
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (size_t k = 0; k < lists[i]->n; k++)
			refusal_json(&lists[i]->of[k], n++ == 0, out);
		lists[i]->n = 0;
	}
	buf_add_char(out, ']');
	if (out->failed)
		access_refusal_lost(n);
	return out->failed ? 0 : n;
}
