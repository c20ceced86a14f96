/*
 * convert.h — one row of a file becomes one record: values trimmed, repaired, translated, converted, looked up; and a note for
 * everything that was not taken as it stood.
 */
#ifndef BIMODAL_CLI_CONVERT_H
#define BIMODAL_CLI_CONVERT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/mapping.h"

#define CONVERT_VALUE_SIZE 256

enum convert_state { CONVERT_ACCEPTED, CONVERT_REPAIRED, CONVERT_REFUSED };

/* One value that was listed (taken or left out with a remark), repaired or refused. */
enum convert_kind { CONVERT_LISTED, CONVERT_REPAIR, CONVERT_REFUSAL };
struct convert_note {
	enum convert_kind kind;
	const struct mapping_field *field; /* NULL: the row as a whole                 */
	struct str old;                    /* points into the row                      */
	struct str now;                    /* what is written instead; empty: nothing  */
	const char *reason;
};

struct converted {
	enum convert_state state;
	struct buf data; /* the record as a JSON object; not to be used after a refusal */
	struct str key;  /* value of the match field                                    */
	bool later;      /* has values that can only be looked up in a second pass      */
	struct convert_note notes[MAPPING_FIELDS_MAX * 2 + 1];
	size_t n_notes;
};

/* The id of a record, or false: there is none. `*failed` is set when core could not be asked. */
typedef bool convert_lookup_fn(void *arg, const struct mapping_field *f, struct str value,
			       char id[CLI_ID_SIZE], bool *failed);

struct convert {
	const struct mapping *mapping;
	convert_lookup_fn *lookup;
	void *arg;
	bool second; /* second pass: fields that look up their own resource are looked up too */
	bool failed; /* a look-up could not be made: stop                                     */
};

void converted_init(struct converted *out);
void converted_free(struct converted *out);
/* `row` is complete. Views of the result live until the reader goes on. */
void convert_row(struct convert *v, const struct csv *row, struct converted *out);

#endif
