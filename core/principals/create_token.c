/*
 * create_token.c — the one-off command that makes a principal and prints its token. Only the hash goes to the database.
 */
#include "core/principals/principals.h"

#include <stdio.h>

#include "base/id.h"
#include "gen/sql_core.h"

struct create {
	struct access_token token;
};

static enum step
create_write(struct task *t)
{
	const struct core_principals_order *order = t->t_owner;
	struct create *c = task_state(t, sizeof(*c));
	struct str rest = str_of(order->argument);
	const struct str name = str_cut(&rest, ':');
	const struct str role = str_cut(&rest, ':');
	const struct str audience = rest;
	if (c == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory");
	if (name.len == 0 || role.len == 0 ||
	    !(str_is(audience, "core") || str_is(audience, "sandbox")))
		return task_fail_set(
			t, ERR_INVALID, NULL,
			"--create-token takes NAME:ROLE:core or NAME:ROLE:sandbox, not \"%s\"",
			order->argument);

	access_token_make(str_is(audience, "core") ? ACCESS_CORE : ACCESS_SANDBOX, &c->token);
	struct uuid id;
	char principal[UUID_TEXT_SIZE];
	char token[UUID_TEXT_SIZE];
	char hash[SHA256_HEX_SIZE];
	uuid_v7(&id);
	uuid_text(&id, principal);
	uuid_v7(&id);
	uuid_text(&id, token);
	hex_encode(c->token.hash, SHA256_BYTES, hash);
	const struct postgres_param params[] = {
		P_TEXT(principal),       P_STR(name),     P_STR(role),
		P_TEXT(token),           P_STR(audience), P_TEXT(hash),
		P_TEXT(c->token.prefix),
	};
	return postgres_wait(order->pool, t, &sql_access_token_create, params, ARRAY_LEN(params));
}

static enum step
create_print(struct task *t)
{
	const struct create *c = task_state(t, sizeof(*c));
	printf("%s\n", c->token.text);
	return STEP_DONE;
}

const struct step_row core_principals_create_token[] = {
	{ "write", create_write },
	{ "print", create_print },
	{ NULL, NULL },
};
