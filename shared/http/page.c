/*
 * page.c — what all lists have in common: how many are asked for, and the frame around what the database made.
 */
#include <stdio.h>

#include "base/buf.h"
#include "http/http.h"

#define PAGE_BYTES_MAX ((size_t)16 * 1024 * 1024)

const char *
http_page_limit(struct task *t, int64_t otherwise, int64_t max)
{
	const struct str text = http_query(t, "limit");
	int64_t limit = otherwise;

	if (text.p != NULL && str_int(text, 1, max, &limit) != ERR_OK) {
		(void)err_set(&t->t_err, ERR_BAD_REQUEST, "limit",
			      "must be a number from 1 to %lld", (long long)max);
		return NULL;
	}
	const char *kept = arena_printf(&t->t_arena, "%lld", (long long)limit);
	if (kept == NULL)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return kept;
}

enum step
http_page_answer(struct task *t, const struct http_page *page)
{
	struct buf body;

	buf_init(&body, PAGE_BYTES_MAX);
	buf_add_cstr(&body, "{\"data\":");
	buf_add_str(&body, page->data);
	buf_add_cstr(&body, ",\"page\":{\"next\":");
	if (page->has_more)
		buf_json_str(&body, page->next);
	else
		buf_add_cstr(&body, "null");
	buf_printf(&body, ",\"has_more\":%s}", page->has_more ? "true" : "false");
	buf_add_str(&body, page->members);
	buf_add_char(&body, '}');
	const enum step done = body.failed ? task_fail_set(t, ERR_TOO_LARGE, "limit",
							   "the answer is too large; ask for fewer")
					   : http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}
