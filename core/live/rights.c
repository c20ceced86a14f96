/*
 * rights.c — who may hear of what: the right to read a resource, and whose records. The same questions as before a get or a list, asked
 * of shared/access and shared/record; what they do not grant is not told.
 *
 * Invariant: a stream's `may` is of the present epoch before it is told anything; the epoch moves with every change of tokens, roles,
 * teams and resources.
 */
#include <string.h>

#include "core/live/internal.h"

#define FOLLOWED_MAX 4
#define RIGHT_SIZE 128

/* What has no owner of its own goes with what it refers to, as in a list. */
static enum access_scope
scope_of(const struct live_stream *s, const struct record_catalog *c,
	 const struct record_resource *r)
{
	const struct record_field *followed[FOLLOWED_MAX];
	struct str names[FOLLOWED_MAX];
	struct access_resource asked = { .name = r->name };
	if (!access_scoped(live.conf.access))
		return ACCESS_SCOPE_ALL;
	if (record_owner_field(r) == NULL) {
		asked.n_follows = record_owner_references(c, r, followed, FOLLOWED_MAX);
		for (size_t i = 0; i < asked.n_follows; i++)
			names[i] = str_of(followed[i]->reference);
		asked.follows = names;
	}
	return access_scope_of(live.conf.access, &s->actor, &asked, false);
}

static void
records_settle(struct live_stream *s)
{
	const struct record_catalog *c = record_engine_catalog(live.conf.records);
	for (size_t i = 0; c != NULL && i < record_catalog_count(c); i++) {
		const struct record_resource *r = record_catalog_at(c, i);
		char right[RIGHT_SIZE];
		if (!access_right_fill("{resource}.read", r->name, right, sizeof(right)) ||
		    !access_may(live.conf.access, &s->actor, str_of(right)))
			continue;
		s->may[r->index] = (uint8_t)scope_of(s, c, r);
	}
}

void
live_rights_settle(struct live_stream *s)
{
	static const struct {
		enum live_topic topic;
		const char *right;
	} others[] = {
		{ LIVE_FLAGS, "flag.read" },  { LIVE_CHANGES, "change.read" },
		{ LIVE_DRIFT, "drift.read" }, { LIVE_USERS, "user.read" },
		{ LIVE_TEAMS, "team.read" },  { LIVE_FEED, "feed.read" },
	};
	if (s->epoch == live.epoch)
		return;
	memset(s->may, 0, sizeof(s->may));
	records_settle(s);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (access_may(live.conf.access, &s->actor, str_of(others[i].right)))
			s->may[others[i].topic] = ACCESS_SCOPE_ALL;
	}
	s->epoch = live.epoch;
}

/* Who has no name owns nothing, and what nobody owns is nobody's own. */
static bool
is_his(const struct live_stream *s, enum access_scope scope, struct str owner)
{
	if (owner.len == 0 || s->actor.name[0] == '\0')
		return false;
	return scope == ACCESS_SCOPE_TEAM ? access_in_team(live.conf.access, &s->actor, owner)
					  : str_is(owner, s->actor.name);
}

enum live_seen
live_sees(const struct live_stream *s, const struct live_event *e)
{
	if (e->topic == LIVE_MINE)
		return str_is(e->principal, s->actor.principal) ? LIVE_SEEN : LIVE_UNSEEN;
	const enum access_scope scope = s->may[e->topic];
	if (scope == 0)
		return LIVE_UNSEEN;
	if (e->text.p != NULL && (scope == ACCESS_SCOPE_ALL || is_his(s, scope, e->owner)))
		return LIVE_SEEN;
	if (e->gone.p != NULL && (scope == ACCESS_SCOPE_ALL || is_his(s, scope, e->owner_before)))
		return LIVE_GONE;
	return LIVE_UNSEEN;
}
