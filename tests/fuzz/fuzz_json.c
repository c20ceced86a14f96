/*
 * fuzz_json.c — the JSON scanner and the strict reader on arbitrary bytes.
 *
 * Besides not crashing, they must agree: what one accepts the others accept, except for the
 * differences their headers name. Every span handed out must be a value of its own kind, and a
 * string must survive unescape and buf_json_str.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_in.h"
#include "base/json_scan.h"
#include "base/log.h"

#define MEMBERS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* cJSON reads no number of more than 63 characters; only then may it refuse what the scanner
 * accepts. */
static bool
has_long_number(struct str text)
{
	size_t run = 0;
	for (size_t i = 0; i < text.len; i++) {
		run = text.p[i] != '\0' && strchr("0123456789+-.eE", text.p[i]) != NULL ? run + 1
											: 0;
		if (run > 63)
			return true;
	}
	return false;
}

static void
check_value(struct str value, enum json_kind want)
{
	enum json_kind kind;
	BUG_ON(json_scan_any(value, &kind, NULL) != ERR_OK);
	BUG_ON(kind != want);
}

/* raw → text → raw2 → text2: the texts are equal and raw2 is valid. */
static void
check_string(struct str raw, struct arena *a)
{
	struct str text;
	struct str again;
	struct buf b;
	buf_init(&b, ARENA_CAP_BYTES);
	BUG_ON(json_unescape(raw, a, &text) != ERR_OK);
	BUG_ON(!str_utf8_valid(text));
	BUG_ON(memchr(text.p, '\0', text.len) != NULL);
	buf_json_str(&b, text);
	BUG_ON(b.failed);
	check_value(buf_str(&b), JSON_STRING);
	BUG_ON(json_unescape(buf_str(&b), a, &again) != ERR_OK);
	BUG_ON(!str_eq(text, again));
	buf_free(&b);
}

static enum err
run_object(struct str text, struct arena *a)
{
	struct json_member members[MEMBERS];
	size_t n = MEMBERS;
	struct err_info info = { .code = ERR_OK };
	const enum err err = json_scan_object(text, a, members, &n, &info);
	BUG_ON(info.code != err);
	BUG_ON(!str_utf8_valid(str_of(info.field)));
	BUG_ON(n > MEMBERS || (err != ERR_OK && n != 0));
	for (size_t i = 0; i < n; i++) {
		BUG_ON(!str_utf8_valid(members[i].key));
		check_value(members[i].value, members[i].kind);
		if (members[i].kind == JSON_STRING)
			check_string(members[i].value, a);
	}
	return err;
}

static enum err
run_array(struct str text, struct arena *a)
{
	struct json_element elements[MEMBERS];
	size_t n = MEMBERS;
	const enum err err = json_scan_array(text, elements, &n, NULL);
	BUG_ON(n > MEMBERS || (err != ERR_OK && n != 0));
	for (size_t i = 0; i < n; i++) {
		check_value(elements[i].value, elements[i].kind);
		if (elements[i].kind == JSON_STRING)
			check_string(elements[i].value, a);
	}
	return err;
}

/* `one` scans a container of one kind only; `any` has judged the same text. */
static void
check_container(enum err one, enum err any, bool is_kind)
{
	if (any == ERR_OK && is_kind)
		BUG_ON(one != ERR_OK && one != ERR_INVALID);
	else
		BUG_ON(one == ERR_OK);
	if (any == ERR_OK && !is_kind)
		BUG_ON(one != ERR_BAD_JSON);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* above this the strings checked twice could fill the arena */
	if (size > ARENA_CAP_BYTES / 16)
		return 0;
	const struct str text = { (const char *)data, size };
	struct arena a;
	enum json_kind kind = JSON_NULL;
	struct err_info info = { .code = ERR_OK };
	arena_init(&a, ARENA_CAP_BYTES);

	const enum err any = json_scan_any(text, &kind, &info);
	BUG_ON(info.code != any || (any != ERR_OK && info.msg[0] == '\0'));
	BUG_ON(any == ERR_OK && !str_utf8_valid(text));
	if (any == ERR_OK && kind == JSON_STRING) {
		/* the value alone, without blanks around */
		const char *from = memchr(text.p, '"', text.len);
		const char *to = memrchr(text.p, '"', text.len);
		check_string((struct str) { from, (size_t)(to - from) + 1 }, &a);
	}
	check_container(run_object(text, &a), any, kind == JSON_OBJECT);
	check_container(run_array(text, &a), any, kind == JSON_ARRAY);

	struct cJSON *tree;
	const enum err parsed = json_parse(text, &tree, NULL);
	BUG_ON((tree != NULL) != (parsed == ERR_OK));
	if (any != ERR_OK)
		BUG_ON(parsed != any);
	else
		BUG_ON(parsed != ERR_OK && parsed != ERR_INVALID && !has_long_number(text));
	json_free(tree);
	arena_release(&a);
	return 0;
}
