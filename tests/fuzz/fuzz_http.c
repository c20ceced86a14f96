/*
 * fuzz_http.c — the HTTP request parser. The first byte chooses how the rest is split; the
 * invariant is that the split changes nothing: the same verdict, head, body, end of message and
 * error. Targets that pass go through the target reader.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "http/target.h"
#include "tests/unit/http/message.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static bool
span_same(struct http_span a, struct http_span b)
{
	return a.at == b.at && a.len == b.len;
}

static void
compare(const struct message *a, const struct message *b)
{
	must(a->end == b->end);
	must(a->err.code == b->err.code && strcmp(a->err.msg, b->err.msg) == 0);
	must(a->head_len == b->head_len);
	must(a->head.n_fields == b->head.n_fields && a->head.method == b->head.method);
	must(a->head.keep_alive == b->head.keep_alive && a->head.length == b->head.length);
	must(span_same(a->head.target, b->head.target));
	for (unsigned i = 0; i < a->head.n_fields; i++) {
		must(span_same(a->head.fields[i].name, b->head.fields[i].name));
		must(span_same(a->head.fields[i].value, b->head.fields[i].value));
	}
	must(str_eq(buf_str(&a->body), buf_str(&b->body)));
	must(a->end != HTTP_PARSE_DONE || a->total == b->total);
}

static void
read_target(const struct message *m, const char *text)
{
	struct http_target t;
	struct err_info info = { .code = ERR_OK };
	const struct str raw = { text + m->head.target.at, m->head.target.len };
	if (m->head_len == 0 || http_target_read(raw, m->head.method, &t, &info) != ERR_OK)
		return;
	must(t.is_asterisk || (t.path.len > 0 && t.path.p[0] == '/' && t.n_segments > 0));
	struct arena a;
	struct http_pair *list = NULL;
	size_t n = 0;
	arena_init(&a, 1 << 20);
	must(http_query_read(t.query, &a, &list, &n) == ERR_OK && n <= HTTP_QUERY_MAX);
	for (size_t i = 0; i < n; i++)
		must(str_utf8_valid(list[i].value) ||
		     str_find(list[i].value, '\0') == list[i].value.len);
	arena_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const size_t step = (size_t)data[0] % 64 + 1;
	const char *text = (const char *)data + 1;
	const size_t len = size - 1;
	struct message whole;
	struct message split;
	message_read(text, len, len, BODY_MAX, &whole);
	message_read(text, len, step, BODY_MAX, &split);
	compare(&whole, &split);
	must(whole.body.len <= BODY_MAX);
	if (whole.end != HTTP_PARSE_BAD)
		read_target(&whole, text);
	buf_free(&whole.body);
	buf_free(&split.body);
	return 0;
}
