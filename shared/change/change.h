/*
 * change.h — apply one change to one database: the only code of the product that runs DDL. Used by core's jobs child for
 * core and the airlock, and by the sandbox's for its own database and its hypothesis features.
 *
 * One change is one transaction: lock budget, owner role, the change's id in `bimodal.change` (the guard trigger refuses DDL
 * without it), up, verification in a read-only savepoint, whatever must be written with it (ledger), commit. A lock that
 * is not had within the budget is tried again after a random pause, so that a change never queues in front of customers' work.
 */
#ifndef BIMODAL_CHANGE_CHANGE_H
#define BIMODAL_CHANGE_CHANGE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/task.h"
#include "postgres/postgres.h"

#define CHANGE_TRIES_MAX 60
#define CHANGE_LOCK_BUDGET (50 * USEC_PER_MS)

/* A numbered change of the base schema, embedded from sql/<database>/changes. The array ends with a NULL name. */
struct change_base {
	const char *name;
	const char *up;
	const char *down;
	const char *verify;
};
/* Change 0, which a superuser runs at installation; its SHA-256 is the genesis of the ledger. */
extern const char *const change_genesis_core;
extern const char *const change_genesis_airlock;
extern const char *const change_genesis_sandbox;
extern const struct change_base changes_core[];
extern const struct change_base changes_airlock[];
extern const struct change_base changes_sandbox[];

/* What to run. All texts must live until the wait has ended. */
struct change_order {
	struct postgres_pool
		*pool; /* logged in as the executor (or the deployer)                       */
	const char *
		login; /* rehearsals: act as this login (SET SESSION AUTHORIZATION); NULL = as who one is */
	const char *role;   /* owner role to SET inside the transaction; NULL = stay the login   */
	const char *id;     /* of the change; appears in bimodal.change and in errors            */
	const char *actor;  /* principal's id                                                    */
	const char *before; /* run as the login in front of everything; may be NULL              */
	const char *up;
	const char *
		verify; /* one query; each row it gives is an assertion that failed. May be empty */
	const char *
		after; /* run as the login after verification, in the same transaction; may be NULL */
	usec_t lock_budget; /* 0 = CHANGE_LOCK_BUDGET                                            */
	usec_t statement_timeout; /* 0 = 60 s                                                          */
	unsigned tries; /* 0 = CHANGE_TRIES_MAX                                              */
};

/*
 * Apply as one wait of the calling step: returns STEP_WAIT (or the task failed). The wait fails with the statement's error;
 * ERR_LOCKED after the last try. Nothing has changed then.
 */
enum step change_apply(struct task *t, const struct change_order *order);

/*
 * Apply, in order, every base change that the database does not have yet, each with a row in installation.base_change (name, SHA-256) and,
 * where change.ledger_append exists, an entry in the ledger. One wait, like change_apply. ERR_CONFLICT when an applied change's
 * text has another SHA-256 than the one embedded.
 */
enum step change_install(struct task *t, struct postgres_pool *pool,
			 const struct change_base *changes, const char *genesis, const char *role);
/* The same in a rehearsal's database: the pool's login is a superuser who acts as `login`, so that owners and grants are the same. */
enum step change_install_as(struct task *t, struct postgres_pool *pool,
			    const struct change_base *changes, const char *genesis,
			    const char *role, const char *login);

/* SQL literal of a text, appended to b: '…' with quotes doubled; NUL bytes are refused by the caller's scanner. */
void change_quote(struct buf *b, struct str text);

#endif
