/*
 * problem.c — error bodies: application/problem+json (RFC 9457) from the error table and the detail
 * of one failure.
 *
 * Used for failed tasks, for requests refused before a task exists, and by rooms for the items of a
 * batch.
 */
#include "http/http.h"

#include "base/log.h"

static void
add_errors(struct buf *out, const struct err_info *info, const struct err_row *row)
{
	/* A JSON pointer names a place of the body; anything else is a header or a parameter. */
	buf_add_cstr(out, info->field[0] == '/' ? ",\"errors\":[{\"pointer\":"
						: ",\"errors\":[{\"name\":");
	buf_json_cstr(out, info->field);
	buf_add_cstr(out, ",\"code\":");
	buf_json_cstr(out, row->slug);
	if (info->msg[0] != '\0') {
		buf_add_cstr(out, ",\"detail\":");
		buf_json_cstr(out, info->msg);
	}
	buf_add_cstr(out, "}]");
}

void
http_problem(struct buf *out, const struct err_info *info, struct str extra_members,
	     struct str request_id, int *status)
{
	const struct err_row *row = err_row(info->code == ERR_OK ? ERR_INTERNAL : info->code);
	*status = row->status;
	/* The one type that is registered: draft-ietf-httpapi-ratelimit-headers. */
	buf_add_cstr(out, row->status == 429
				  ? "{\"type\":\"https://iana.org/assignments/http-problem-types#"
				  : "{\"type\":\"urn:bimodal:problem:");
	buf_add_cstr(out, row->slug);
	buf_add_cstr(out, "\",\"title\":");
	buf_json_cstr(out, row->title);
	buf_add_cstr(out, ",\"status\":");
	buf_add_int(out, row->status);
	if (info->msg[0] != '\0') {
		buf_add_cstr(out, ",\"detail\":");
		buf_json_cstr(out, info->msg);
	}
	buf_add_cstr(out, ",\"code\":");
	buf_json_cstr(out, row->slug);
	buf_add_cstr(out, row->retryable ? ",\"retryable\":true" : ",\"retryable\":false");
	if (info->field[0] != '\0')
		add_errors(out, info, row);
	if (request_id.len > 0) {
		buf_add_cstr(out, ",\"instance\":\"urn:uuid:");
		buf_add_str(out, request_id);
		buf_add_cstr(out, "\",\"request_id\":");
		buf_json_str(out, request_id);
	}
	if (extra_members.len > 0) {
		buf_add_char(out, ',');
		buf_add_str(out, extra_members);
	}
	buf_add_char(out, '}');
}
