/*
 * answer.c — the document as the answer of a route. See openapi.h.
 */
#include "openapi/internal.h"

#include <stdio.h>

#define TAG_SIZE (SHA256_HEX_SIZE + 2)

enum step
openapi_answer(struct task *t, const struct openapi *o, const struct openapi_view *view)
{
	struct openapi_list *list = NULL;
	char tag[TAG_SIZE];
	struct buf text;

	if (openapi_list(o, view, &t->t_arena, &list, &t->t_err) != ERR_OK)
		return task_fail(t);
	(void)snprintf(tag, sizeof(tag), "\"%.40s\"", list->key);
	http_reply_header(t, "ETag", str_of(tag));
	/* Who asks sees his own document: nothing between us and him may hand it to another. */
	http_reply_header(t, "Cache-Control", STR("private, no-cache"));
	if (http_none_match(t, str_of(tag)))
		return http_reply_empty(t, 304);
	buf_init(&text, OPENAPI_BYTES_MAX);
	openapi_write(list, &t->t_arena, &text);
	const enum step step = text.failed
				       ? task_fail_set(t, ERR_NO_MEMORY, NULL,
						       "the description of the API is too large")
				       : http_reply_json(t, 200, buf_str(&text));
	buf_free(&text);
	return step;
}
