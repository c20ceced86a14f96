/*
 * internal.h — private to shared/access: tokens in memory.
 */
#ifndef BIMODAL_ACCESS_INTERNAL_H
#define BIMODAL_ACCESS_INTERNAL_H

#include "access/access.h"
#include "access/roles.h"

struct token {
	uint8_t hash[SHA256_BYTES];
	char principal[UUID_TEXT_SIZE];
	char name[ACCESS_NAME_SIZE];
	uint32_t roles;
	const char *scopes; /* in the snapshot's text; NULL = all of the roles */
	bool used;          /* since access_used_take             */
	usec_t expires;     /* wall clock; INT64_MAX = never       */
};

struct snapshot {
	struct token *tokens; /* sorted by hash */
	size_t n;
	int64_t generation;
	struct arena text; /* the scopes */
};

struct access {
	struct access_conf conf;
	struct snapshot *snapshot; /* NULL before the first one */
};

/* The one of this process (access_use). */
struct access *access_here(void);
const char *access_daemon_name(enum access_daemon d);

#endif
