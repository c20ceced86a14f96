/*
 * fuzz_cursor.c — cursors from outside: nothing that was not signed is taken, and what is taken is
 * what was given out.
 *
 * The first byte says how many values are expected; the rest is the cursor's text, and then the
 * same bytes as values to sign.
 */
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "record/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_cursor_key key = { { 7 } };

static void
round_trip(struct str bytes, size_t n, struct arena *a)
{
	struct record_cursor c = { .n = n };
	struct record_cursor back;
	struct str text;
	for (size_t i = 0; i < n; i++) {
		const size_t from = bytes.len * i / n;
		const size_t to = bytes.len * (i + 1) / n;
		c.values[i] = from == to ? STR_NONE : (struct str) { bytes.p + from, to - from };
	}
	const enum err err = record_cursor_encode(&key, STR("binding"), &c, a, &text);
	if (err != ERR_OK)
		return;
	BUG_ON(record_cursor_decode(&key, STR("binding"), text, n, a, &back) != ERR_OK);
	for (size_t i = 0; i < n; i++)
		BUG_ON((back.values[i].p == NULL) != (c.values[i].p == NULL) ||
		       !str_eq(back.values[i], c.values[i]));
	BUG_ON(record_cursor_decode(&key, STR("other"), text, n, a, &back) != ERR_BAD_CURSOR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct record_cursor c;
	if (size == 0)
		return 0;
	arena_init(&a, ARENA_CAP_BYTES);
	const size_t n = 1 + data[0] % RECORD_CURSOR_VALUES;
	const struct str text = { (const char *)data + 1, size - 1 };
	BUG_ON(record_cursor_decode(&key, STR("binding"), text, n, &a, &c) == ERR_OK);
	round_trip(text, n, &a);
	arena_release(&a);
	return 0;
}
