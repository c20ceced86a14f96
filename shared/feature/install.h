/*
 * install.h — the SQL that brings a feature into a database and takes it out again without a
 * trace; the same on both sides.
 *
 * The texts run as core's executor or the sandbox's deployer (LOGIN, CREATEROLE, CREATE on the
 * database), inside one transaction that the caller opens and commits: change_apply with role
 * NULL, up = feature_install_up, verify = verify.sql, after = feature_install_after. Objects
 * belong to feature_<slug>_owner (NOLOGIN); queries run as feature_<slug> (LOGIN). Both are
 * members of the group bimodal_feature only, which holds CONNECT, USAGE on crm and SELECT on
 * exactly the published columns.
 */
#ifndef BIMODAL_FEATURE_INSTALL_H
#define BIMODAL_FEATURE_INSTALL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#define FEATURE_GROUP_ROLE "bimodal_feature"
#define FEATURE_PASSWORD_SIZE 44 /* 32 random bytes, base64url, with NUL */

struct feature_install {
	const char *slug;         /* valid                                                  */
	const char *password;     /* of the login: feature_password_make                     */
	unsigned connections;     /* CONNECTION LIMIT of the login; feature_connections_max */
	usec_t statement_timeout; /* of the login, when nothing shorter is set               */
	struct str up;            /* up.sql, checked by feature_package_check                */
};

/*
 * Roles, schema, up.sql as the owner. Ends inside SET LOCAL ROLE <owner>, so that verify.sql runs
 * as the owner. Errors: ERR_INVALID a slug or password that must not stand in SQL; ERR_TOO_LARGE
 * the buffer's limit.
 */
MUST_CHECK enum err feature_install_up(struct buf *out, const struct feature_install *in,
				       struct err_info *info);
/* RESET ROLE and the login's grants on what up.sql made. */
MUST_CHECK enum err feature_install_after(struct buf *out, const char *slug, struct err_info *info);

/*
 * Take everything away: sessions, schema with all in it, grants, roles. `down` (may be empty) runs
 * first, as the owner. Does nothing where nothing is there. Ends as the login.
 */
MUST_CHECK enum err feature_install_remove(struct buf *out, const char *slug, struct str down,
					   struct err_info *info);

/* A query (kind text, name text) for what is still named after the feature in any catalog; no
 * row = nothing is left. */
MUST_CHECK enum err feature_install_leftovers(struct buf *out, const char *slug,
					      struct err_info *info);

void feature_password_make(char out[FEATURE_PASSWORD_SIZE]);
/* Connections a feature's login needs: two a worker, one for the jobs child, and as many again
 * while workers are replaced. */
unsigned feature_connections_max(unsigned workers);

#endif
