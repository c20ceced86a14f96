/*
 * show.h — replies as people read them: a list as a table, one thing as lines "name  value". With --raw a reply stays as it came, so
 * that programs have JSON. Text of the daemons is data: control characters in it never reach the terminal.
 */
#ifndef BIMODAL_CLI_SHOW_H
#define BIMODAL_CLI_SHOW_H

#include "cli/cli.h"

struct cJSON;

enum show_kind {
	SHOW_TEXT,  /* a string, a number; an array's items with commas between        */
	SHOW_TIME,  /* RFC 3339, to the minute                                          */
	SHOW_SWITCH /* on or off                                                        */
};

/* A column of a table; a table ends with a NULL head. At most SHOW_COLUMNS_MAX. */
#define SHOW_COLUMNS_MAX 8
struct show_column {
	const char *head;
	const char *member; /* of a row */
	enum show_kind kind;
};

/*
 * GET `path` and print its "data" as a table; --quiet: the first column alone, without its head. Returns the exit code. Where there is
 * more than one page a last line says so.
 */
int show_list(struct cli *c, enum cli_daemon daemon, const char *path,
	      const struct show_column *columns);

/* Append a value (NULL, null: "-"); and print "name  value", the values below each other. */
void show_value(struct buf *out, const struct cJSON *item, enum show_kind kind);
void show_line(const char *name, const char *fmt, ...) PRINTF(2, 3);
/* show_line of one member of an object, left out where it is absent, null or an empty text. */
void show_member(const struct cJSON *j, const char *member, const char *name, enum show_kind kind);

/* Text of a member for a line of one's own, "" if it has none. `out` holds it. */
const char *show_text(const struct cJSON *j, const char *member, struct buf *out);

#endif
