/*
 * password.h — private to core/session: what a password must be, and argon2id as a job for another thread. Pure functions.
 */
#ifndef BIMODAL_CORE_SESSION_PASSWORD_H
#define BIMODAL_CORE_SESSION_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define PASSWORD_CHARS_MIN 12
#define PASSWORD_BYTES_MAX 256
#define PASSWORD_PHC_SIZE 301
#define PASSWORD_MEMORY_MAX_KIB (1024 * 1024)

/*
 * May this be a password? Characters are counted, bytes are bounded; refused are control characters, the names of its owner, few
 * different characters, and the commonest. `field` is named in the error. Errors: ERR_INVALID.
 */
MUST_CHECK enum err password_check(struct str password, struct str login, struct str email,
				   const char *field, struct err_info *info);

struct password_cost {
	uint32_t memory_kib;
	uint32_t passes;
};

/* One job: compare, then hash. Filled by the loop, run on a thread (password_run), read by the loop, wiped and freed. */
struct password_job {
	char phc[PASSWORD_PHC_SIZE]; /* compare with this; empty: nothing to compare      */
	char given[PASSWORD_BYTES_MAX + 1];
	size_t given_len;
	char wanted[PASSWORD_BYTES_MAX +
		    1]; /* hash this if the comparison is right; empty: hash `given`
						again if its parameters are below `cost`            */
	size_t wanted_len;
	struct password_cost cost;
	bool right;                   /* out: compared equal, or nothing to compare        */
	bool failed;                  /* out: argon2 itself failed (memory)                */
	char made[PASSWORD_PHC_SIZE]; /* out: the new hash; empty: none                    */
};
/* Zeroed; NULL without memory. */
struct password_job *password_job_create(const struct password_cost *cost);
void password_run(void *job);
void password_job_free(void *job);

/* A PHC string of this cost that no password fits: the same work for nobody as for somebody. */
void password_nobody(const struct password_cost *cost, char out[PASSWORD_PHC_SIZE]);

#endif
