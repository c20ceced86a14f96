/*
 * test_yaml_json.c — YAML as JSON and back: types stay what they are, what two readers could take differently is an error with its place,
 * places are found by pointer, and what is written reads as what it was.
 */
#include "base/yaml_json.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

static struct arena arena;
static struct yaml_errors errors;
static struct buf out;

static void
setup(void)
{
	arena_init(&arena, 16 * 1024 * 1024);
	yaml_errors_init(&errors);
	buf_init(&out, 4 * 1024 * 1024);
}

static void
teardown(void)
{
	buf_free(&out);
	yaml_errors_free(&errors);
	arena_release(&arena);
	arena_trim();
}

static const struct yaml_node *
tree(const char *text)
{
	struct yaml_node *root = NULL;
	const enum err err = yaml_parse(&arena, "f.yaml", str_of(text), &root, &errors);
	ck_assert_msg(err == ERR_OK, "%s\n%s", text, buf_cstr(&errors.text));
	return root;
}

static const struct {
	const char *yaml, *json;
} good[] = {
	{ "a: no\nb: yes\nc: on\nd: off\ne: y\nf: N\n",
	  "{\"a\":\"no\",\"b\":\"yes\",\"c\":\"on\",\"d\":\"off\",\"e\":\"y\",\"f\":\"N\"}" },
	{ "a: true\nb: false\nc: null\nd: ~\ne:\nf: ''\n",
	  "{\"a\":true,\"b\":false,\"c\":null,\"d\":null,\"e\":null,\"f\":\"\"}" },
	{ "a: \"true\"\nb: 'null'\nc: \"1\"\n", "{\"a\":\"true\",\"b\":\"null\",\"c\":\"1\"}" },
	{ "a: 9007199254740993\nb: 1.0\nc: -0.10\nd: 1e3\ne: 123456789012345678901234567890\n",
	  "{\"a\":9007199254740993,\"b\":1.0,\"c\":-0.10,\"d\":1e3,\"e\":"
	  "123456789012345678901234567890}" },
	{ "a: 1.2.3\nb: 2026-12-01T10:00:00Z\nc: 2026-12-01\nd: 10.0.0.0/8\ne: v1\nf: a-b\n",
	  "{\"a\":\"1.2.3\",\"b\":\"2026-12-01T10:00:00Z\",\"c\":\"2026-12-01\",\"d\":\"10.0.0.0/"
	  "8\",\"e\":\"v1\",\"f\":\"a-b\"}" },
	{ "a: |\n  one\n   two\n\n  three\nb: |-\n  x\nc: >\n  folded\n  text\n",
	  "{\"a\":\"one\\n two\\n\\nthree\\n\",\"b\":\"x\",\"c\":\"folded text\\n\"}" },
	{ "a: []\nb: {}\nc: [1, [x, {y: z}], \"2\"]\n",
	  "{\"a\":[],\"b\":{},\"c\":[1,[\"x\",{\"y\":\"z\"}],\"2\"]}" },
	{ "{\"a\":[1,{\"b\":\"c\\u00e4\\n\\\"\"}],\"d/e\":1.50}",
	  "{\"a\":[1,{\"b\":\"c\xc3\xa4\\n\\\"\"}],\"d/e\":1.50}" },
	{ "1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}" },
	{ "- a\n- - b\n- c: d\n", "[\"a\",[\"b\"],{\"c\":\"d\"}]" },
	{ "x\n", "\"x\"" },
	{ "", "{}" },
};

START_TEST(json)
{
	const struct yaml_node *root = tree(good[_i].yaml);

	ck_assert_int_eq(yaml_json(root, "f.yaml", &out, &errors), ERR_OK);
	ck_assert_str_eq(buf_cstr(&out), good[_i].json);
}
END_TEST

static const char *const doubtful[] = {
	"True", "FALSE", "Null", "NULL", "012",   "0x1F", "0o17", "0b1", "1_000", "+1",
	".5",   "1.",    "-.5",  ".inf", "-.Inf", ".NaN", "1:30", "1e",  "01.5",  "+1.5e3",
};

START_TEST(guesses)
{
	char text[64], expected[64];

	(void)snprintf(text, sizeof(text), "a:\n  - x\n  - %s\n", doubtful[_i]);
	(void)snprintf(expected, sizeof(expected), "f.yaml:3:5: %s is a text to some",
		       doubtful[_i]);
	ck_assert_int_eq(yaml_json(tree(text), "f.yaml", &out, &errors), ERR_CONFIG);
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_msg(strncmp(buf_cstr(&errors.text), expected, strlen(expected)) == 0, "%s",
		      buf_cstr(&errors.text));
	/* In quotes it is a text. */
	yaml_errors_free(&errors);
	yaml_errors_init(&errors);
	buf_reset(&out);
	(void)snprintf(text, sizeof(text), "'%s'", doubtful[_i]);
	ck_assert_int_eq(yaml_json(tree(text), "f.yaml", &out, &errors), ERR_OK);
	(void)snprintf(expected, sizeof(expected), "\"%s\"", doubtful[_i]);
	ck_assert_str_eq(buf_cstr(&out), expected);
}
END_TEST

/* All of a file at once. */
START_TEST(all_errors)
{
	ck_assert_int_eq(yaml_json(tree("a: True\nb: [012, 1_0]\n"), "f.yaml", &out, &errors),
			 ERR_CONFIG);
	ck_assert_uint_eq(errors.count, 3);
}
END_TEST

START_TEST(places)
{
	const struct yaml_node *root = tree("a:\n  b/c:\n    - x\n    - y: 1\n      z~: 2\n");
	static const struct {
		const char *pointer;
		unsigned line, column;
	} at[] = {
		{ "", 1, 1 },
		{ "/a", 2, 3 },
		{ "/a/b~1c", 3, 5 },
		{ "/a/b~1c/0", 3, 7 },
		{ "/a/b~1c/1/y", 4, 10 },
		{ "/a/b~1c/1/z~0", 5, 11 },
		{ "/a/b~1c/7", 3, 5 },
		{ "/nothing/here", 1, 1 },
		{ "/a/b~1c/0/deeper", 3, 7 },
		{ "/a/b~1c/x", 3, 5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		const struct yaml_node *n = yaml_at(root, str_of(at[i].pointer));
		ck_assert_msg(n->line == at[i].line && n->column == at[i].column, "%s: %u:%u",
			      at[i].pointer, n->line, n->column);
	}
}
END_TEST

/* Written and read again it is the same JSON; written once more it is the same text. */
static void
round_trip(const char *text)
{
	struct buf once, twice, again;

	buf_init(&once, 1024 * 1024);
	buf_init(&twice, 1024 * 1024);
	buf_init(&again, 1024 * 1024);
	ck_assert_int_eq(yaml_write(tree(text), &once), ERR_OK);
	const struct yaml_node *read = tree(buf_cstr(&once));
	ck_assert_msg(yaml_json(read, "f.yaml", &again, &errors) == ERR_OK, "%s\n%s",
		      buf_cstr(&once), buf_cstr(&errors.text));
	ck_assert_str_eq(buf_cstr(&again), text);
	ck_assert_int_eq(yaml_write(read, &twice), ERR_OK);
	ck_assert_str_eq(buf_cstr(&once), buf_cstr(&twice));
	buf_free(&again);
	buf_free(&twice);
	buf_free(&once);
}

static const char *const values[] = {
	"{\"a\":\"no\",\"b\":\"Off\",\"c\":\"012\",\"d\":\"\",\"e\":\" x\",\"f\":\"x \",\"g\":\"- "
	"x\"}",
	"{\"a\":\"a: b\",\"b\":\"# "
	"c\",\"c\":\"[\",\"d\":\"{x}\",\"e\":\"*a\",\"f\":\"&a\",\"g\":\"!t\"}",
	"{\"a\":\"one\\ntwo\\n\",\"b\":\"one\\n\\n two\",\"c\":\"\\nlead\",\"d\":\"trail "
	"\\nx\",\"e\":\"x\\n\\n\"}",
	"{\"a\":\"\\ttab\",\"b\":\"x\\ny\\tz\",\"c\":\"\\u0001\",\"d\":\"\\\"\\\\\",\"e\":\"'\","
	"\"f\":\"\\r\\n\"}",
	"{\"a\":\"\xc3\xa4\xe2\x82\xac\",\"b\":\"\xf0\x9f\x98\x80\",\"c\":\"x\\n\xc3\xa4\\n\"}",
	"{\"a\":[],\"b\":{},\"c\":[[],[{}],[[1]]],\"d\":[{\"e\":[{\"f\":1.50}]}]}",
	"{\"a\":12345678901234567890,\"b\":-1.10,\"c\":1e400,\"d\":true,\"e\":null,\"f\":\"null\"}",
	"{\"on\":1,\"no\":2,\"1\":3,\"a "
	"b\":4,\"\xc3\xa4\":5,\"$in\":6,\"a/b\":7,\"~\":8,\"true\":9}",
	"{\"a\":\"2026-12-01\",\"b\":\"10.0.0.0/"
	"8\",\"c\":\"=\",\"d\":\"<<\",\"e\":\"---\",\"f\":\"...\",\"g\":\"?\"}",
	"[\"a\",[\"b\",[\"c\"]],{\"d\":{\"e\":{}}}]",
};

START_TEST(writes)
{
	round_trip(values[_i]);
}
END_TEST

/* How it looks: words bare, what could be misread in quotes, lines as lines. */
START_TEST(looks)
{
	ck_assert_int_eq(
		yaml_write(tree("{\"key\":\"new-thing\",\"on\":\"off\",\"n\":1.0,\"why\":\"one\\n"
				"two\\n\",\"list\":[{\"a\":\"b c\"},[]]}"),
			   &out),
		ERR_OK);
	ck_assert_str_eq(buf_cstr(&out),
			 "key: new-thing\n\"on\": \"off\"\n\"n\": 1.0\nwhy: |\n  one\n  "
			 "two\nlist:\n- a: b c\n- []\n");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("yaml json");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, json, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tc, guesses, 0, (int)ARRAY_LEN(doubtful));
	tcase_add_test(tc, all_errors);
	tcase_add_test(tc, places);
	tcase_add_loop_test(tc, writes, 0, (int)ARRAY_LEN(values));
	tcase_add_test(tc, looks);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
