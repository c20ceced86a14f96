/*
 * people.h — what the commands on users, teams and tokens have in common: people and teams are named by their names, the API wants ids.
 */
#ifndef BIMODAL_CLI_PEOPLE_H
#define BIMODAL_CLI_PEOPLE_H

#include "cli/show.h"

/* The id of a user or service. False: printed why. */
MUST_CHECK bool people_user(struct cli *c, const char *name, char id[CLI_ID_SIZE]);
/* The id of a team by its slug. False: printed why. */
MUST_CHECK bool people_team(struct cli *c, const char *slug, char id[CLI_ID_SIZE]);

/* A call of "<before><id><after>"; a body of no bytes is none. */
int people_call(struct cli *c, const char *method, const char *before, const char *id,
		const char *after, struct str body);
/* GET of `path` with the command's words ("kind=service") as its query, shown as a table. */
int people_list(struct cli *c, const char *path, const struct show_column *columns);

/* Members of a JSON object, one by one; a NULL value is left out. */
void people_object_begin(struct buf *b);
void people_text(struct buf *b, const char *name, const char *value);
void people_words(struct buf *b, const char *name, const char *commas); /* as a list */
void people_json(struct buf *b, const char *name, const char *json);
void people_object_end(struct buf *b);

#endif
