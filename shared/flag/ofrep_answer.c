/*
 * ofrep_answer.c — evaluations and errors as OFREP writes them.
 *
 * A result has key, reason, variant, value and metadata; one that is switched off has neither variant nor value, so that the client
 * takes the default in its code. Keys of flags and variations hold nothing that JSON would escape, and a value is the text that its
 * author wrote: 1 stays an integer and 1.0 does not become one.
 */
#include "flag/ofrep_parts.h"

#include <string.h>

#define ERROR_BYTES_MAX ((size_t)64 * 1024)

void
ofrep_add_result(struct buf *out, struct str key, const struct flag_result *r)
{
	buf_add_str(out, STR("{\"key\":\""));
	buf_add_str(out, key);
	buf_add_str(out, STR("\",\"reason\":\""));
	buf_add_cstr(out, flag_reason_text(r->reason));
	if (r->reason != FLAG_DISABLED) {
		buf_add_str(out, STR("\",\"variant\":\""));
		buf_add_str(out, r->variation);
		buf_add_str(out, STR("\",\"value\":"));
		buf_add_str(out, r->value);
	} else {
		buf_add_char(out, '"');
	}
	buf_add_str(out, STR(",\"metadata\":{\"revision\":"));
	buf_add_int(out, r->revision);
	if (r->record_missed)
		buf_add_str(out, STR(",\"record\":\"unavailable\""));
	buf_add_str(out, STR("}}"));
}

void
ofrep_add_failure(struct buf *out, struct str key, const struct ofrep_refusal *no)
{
	buf_add_char(out, '{');
	if (key.p != NULL) {
		buf_add_cstr(out, "\"key\":");
		buf_json_str(out, key);
		buf_add_char(out, ',');
	}
	buf_add_cstr(out, "\"errorCode\":");
	buf_json_cstr(out, no->code);
	buf_add_cstr(out, ",\"errorDetails\":");
	buf_json_cstr(out, no->details);
	buf_add_char(out, '}');
}

enum step
ofrep_answer_error(struct task *t, int status, struct str key, const char *code,
		   const char *details)
{
	struct buf body;

	metric_add(flag_metric_set()->errors, 1);
	buf_init(&body, ERROR_BYTES_MAX);
	ofrep_add_failure(&body, key, &(struct ofrep_refusal) { code, details });
	const enum step done = http_reply_json(t, status, buf_str(&body));
	buf_free(&body);
	return done;
}

int
ofrep_status_of(const char *code)
{
	if (strcmp(code, "FLAG_NOT_FOUND") == 0)
		return 404;
	return strcmp(code, "GENERAL") == 0 ? 500 : 400;
}
