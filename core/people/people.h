/*
 * people.h — the people of the platform: users and service principals, teams and their members, tokens, and hand-over. What may
 * not be (a team below itself, no operator left, a role for oneself, a record with one owner twice) is refused in the database;
 * here bodies are checked, and who may.
 */
#ifndef BIMODAL_CORE_PEOPLE_H
#define BIMODAL_CORE_PEOPLE_H

#include <stddef.h>

#include "access/access.h"
#include "base/clock.h"
#include "http/http.h"
#include "postgres/postgres.h"

struct core_people_conf {
	struct postgres_pool *pool; /* the workers' role   */
	const struct access *access;
	usec_t token_lifetime; /* of a token at most  */
};

/* Before anything else of this room. Owner of pool and access remains the caller. */
void core_people_use(const struct core_people_conf *conf);

extern const struct http_route core_people_routes[];
extern const size_t core_people_routes_count;

#endif
