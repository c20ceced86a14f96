/*
 * value.h — is a value of the lexical type of its field? Asked for bodies and for filters, before
 * PostgreSQL sees them, so that the answer names the place. PostgreSQL's own checks are the second
 * net.
 */
#ifndef BIMODAL_RECORD_VALUE_H
#define BIMODAL_RECORD_VALUE_H

#include "base/err.h"
#include "base/json_scan.h"
#include "base/str.h"
#include "record/catalog.h"

#define RECORD_DETAIL_SIZE 240

/* What is wrong, for one entry of errors[]: a stable code and a sentence. */
struct record_fault {
	const char *code; /* "wrong_type" "bad_format" "out_of_range" "not_a_choice" "too_long";
			     NULL = nothing */
	char detail[RECORD_DETAIL_SIZE];
};

/* A value as plain text (filters; JSON strings after unescaping; JSON numbers as written). */
bool record_value_ok(const struct record_field *f, struct str text, struct record_fault *fault);
/* A JSON value: `text` is the unescaped string for JSON_STRING, else the raw value. Null is the
 * caller's matter. */
bool record_json_ok(const struct record_field *f, enum json_kind kind, struct str text,
		    struct record_fault *fault);

#endif
