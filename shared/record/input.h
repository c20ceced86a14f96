/*
 * input.h — a body checked against the registry before PostgreSQL sees it. All that is wrong with a
 * body is reported at once, as entries of errors[] with a JSON pointer each.
 */
#ifndef BIMODAL_RECORD_INPUT_H
#define BIMODAL_RECORD_INPUT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "record/catalog.h"
#include "record/value.h"

struct record_owners;

#define RECORD_FAULTS_MAX 100 /* reported for one request; the rest is only counted */

/* What is wrong with a request: the entries of errors[]. */
struct record_faults {
	struct buf json; /* entries, separated by commas */
	unsigned count;
	bool forbidden; /* one of them is a field that this principal may not write */
};
void record_faults_init(struct record_faults *f);
void record_faults_free(struct record_faults *f);
void record_fault_add(struct record_faults *f, const char *pointer, const char *code,
		      const char *detail);
/* The member `"errors":[…]` for the problem body, in the arena; STR_NONE past its cap. */
struct str record_faults_members(const struct record_faults *f, struct arena *a);

enum record_input_for {
	RECORD_INPUT_CREATE, /* required fields must be there            */
	RECORD_INPUT_PATCH   /* null clears; required fields cannot be cleared */
};

struct record_input {
	const struct record_resource *resource;
	uint32_t read_classes;
	uint32_t write_classes;
	enum record_input_for what;
	const struct record_field *given; /* field whose value comes from the path, or NULL: not
					     accepted in the body unless equal */
	struct str given_value;
	const struct record_owners *owners; /* whom the record may belong to; NULL = anybody */
	const char *prefix;                 /* JSON pointer of the object: "" or "/ops/3/data" */
};

/*
 * Check one object. Faults are added to `faults`; the result is ERR_OK even then. Errors (of the
 * text itself): those of json_scan_object; ERR_NO_MEMORY.
 */
MUST_CHECK enum err record_input_check(const struct record_input *in, struct str body,
				       struct arena *a, struct record_faults *faults,
				       struct err_info *info);

#endif
