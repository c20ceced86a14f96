/*
 * test_yaml.c — the tree, its places, and everything that is refused.
 */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>

#include "../../support/unit.h"

static struct arena arena;
static struct yaml_errors errors;

static void
setup(void)
{
	arena_init(&arena, 8 * 1024 * 1024);
	yaml_errors_init(&errors);
}

static void
teardown(void)
{
	yaml_errors_free(&errors);
	arena_release(&arena);
	arena_trim();
}

static struct yaml_node *
parse_ok(const char *text)
{
	struct yaml_node *root = NULL;
	const enum err err = yaml_parse(&arena, "f.yaml", str_of(text), &root, &errors);
	ck_assert_msg(err == ERR_OK, "%s", buf_cstr(&errors.text));
	ck_assert_ptr_nonnull(root);
	return root;
}

START_TEST(tree_with_places)
{
	const struct yaml_node *root = parse_ok("# comment\n"
						"http:\n"
						"  workers: 2\n"
						"  name: \"2\"\n"
						"list: [a, {b: c}]\n"
						"empty:\n");
	ck_assert_int_eq(root->kind, YAML_MAP);
	const struct yaml_node *http = yaml_get(root, "http");
	ck_assert_int_eq(http->kind, YAML_MAP);
	ck_assert_uint_eq(http->key_line, 2);
	ck_assert_uint_eq(http->key_column, 1);
	const struct yaml_node *workers = yaml_get(http, "workers");
	ck_assert(str_is(workers->text, "2"));
	ck_assert(!workers->quoted);
	ck_assert_uint_eq(workers->line, 3);
	ck_assert_uint_eq(workers->column, 12);
	ck_assert_uint_eq(workers->key_column, 3);
	ck_assert(yaml_get(http, "name")->quoted);
	const struct yaml_node *list = yaml_get(root, "list");
	ck_assert_int_eq(list->kind, YAML_LIST);
	ck_assert(str_is(list->child->text, "a"));
	ck_assert(str_is(yaml_get(list->child->next, "b")->text, "c"));
	ck_assert_ptr_null(list->child->next->next);
	ck_assert_uint_eq(yaml_get(root, "empty")->text.len, 0);
	ck_assert_ptr_null(yaml_get(root, "absent"));
	ck_assert_ptr_null(yaml_get(workers, "x"));
	ck_assert_ptr_null(yaml_get(NULL, "x"));
}
END_TEST

static const char *const empties[] = { "", "\n", "# only a comment\n", "---\n", "\xef\xbb\xbf" };

START_TEST(nothing_is_an_empty_map)
{
	const struct yaml_node *root = parse_ok(empties[_i]);
	ck_assert_int_eq(root->kind, YAML_MAP);
	ck_assert_ptr_null(root->child);
}
END_TEST

static const struct {
	const char *in;
	const char *want; /* the whole report */
} bad[] = {
	{ "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: a: the key is given twice; first in line 1\n" },
	{ "x:\n  a: 1\n  a: 2\n", "f.yaml:3:3: x.a: the key is given twice; first in line 2\n" },
	{ "l:\n- a: 1\n- b: 1\n  b: 2\n",
	  "f.yaml:4:3: l[1].b: the key is given twice; first in line 3\n" },
	{ "a: &x 1\n", "f.yaml:1:4: a: anchors (&name) are not accepted\n" },
	{ "a: &x {b: 1}\n", "f.yaml:1:4: a: anchors (&name) are not accepted\n" },
	{ "a: *x\nb: *y\n", "f.yaml:1:4: a: aliases (*name) are not accepted\n"
			    "f.yaml:2:4: b: aliases (*name) are not accepted\n" },
	{ "a: !!int 1\n", "f.yaml:1:4: a: tags (!name) are not accepted\n" },
	{ "a: ! 1\n", "f.yaml:1:4: a: tags (!name) are not accepted\n" },
	{ "a: !x [1]\n", "f.yaml:1:4: a: tags (!name) are not accepted\n" },
	{ "a: 1\n---\nb: 2\n",
	  "f.yaml:2:1: a second document (---) in one file is not accepted\n" },
	{ "%YAML 1.1\n---\na: 1\n", "f.yaml:1:1: directives (%) are not accepted\n" },
	{ "? [a]\n: b\n", "f.yaml:1:3: a key must be a plain text, not a map or a list\n" },
	{ "\"\": b\n", "f.yaml:1:1: a key must not be empty\n" },
	{ "a: \"\\0\"\n", "f.yaml:1:4: a: a text must not hold a zero byte\n" },
	{ "\"a\\nb\": 1\n\"a\\nb\": 2\n",
	  "f.yaml:2:1: a?b: the key is given twice; first in line 1\n" },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
	  "f.yaml:1:41: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
	  "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: the file is nested too "
	  "deeply\n" },
};

START_TEST(refused_with_place)
{
	struct yaml_node *root = NULL;
	const enum err err = yaml_parse(&arena, "f.yaml", str_of(bad[_i].in), &root, &errors);
	ck_assert_int_eq(err, ERR_CONFIG);
	ck_assert_ptr_null(root);
	ck_assert_str_eq(buf_cstr(&errors.text), bad[_i].want);
}
END_TEST

static const struct {
	const char *in;
	const char *place;
} broken[] = {
	{ "a: [1\n", "f.yaml:2:1: not valid YAML: " },
	{ "a: 1\n b: 2\n", "f.yaml:2:3: not valid YAML: " },
	{ "a:\n\t- b\n", "f.yaml:2:1: not valid YAML: " },
	{ "a: 'x\n", "f.yaml:2:1: not valid YAML: " },
	{ "a: 1\nb: \xff\n", "f.yaml:2:4: not valid YAML: " },
	{ "a: \x01\n", "f.yaml:1:4: not valid YAML: " },
	{ "a: @x\n", "f.yaml:1:4: not valid YAML: " },
};

START_TEST(syntax_errors_have_a_place)
{
	struct yaml_node *root = NULL;
	ck_assert_int_eq(yaml_parse(&arena, "f.yaml", str_of(broken[_i].in), &root, &errors),
			 ERR_CONFIG);
	const char *text = buf_cstr(&errors.text);
	ck_assert_msg(strncmp(text, broken[_i].place, strlen(broken[_i].place)) == 0, "%s", text);
	ck_assert_uint_eq(errors.count, 1);
}
END_TEST

START_TEST(all_errors_in_one_run)
{
	struct yaml_node *root = NULL;
	const struct str text = STR("a: &x 1\na: !!str 2\nb:\n  c: 1\n  c: *x\n");
	ck_assert_int_eq(yaml_parse(&arena, "f.yaml", text, &root, &errors), ERR_CONFIG);
	ck_assert_uint_eq(errors.count, 5);
}
END_TEST

/* `n` times a line made from its number. */
static struct str
lines(struct buf *b, unsigned n, const char *fmt)
{
	buf_init(b, 4 * YAML_BYTES_MAX);
	for (unsigned i = 0; i < n; i++) {
		char line[32];
		(void)snprintf(line, sizeof(line), "k%u", i);
		buf_printf(b, "%s%s\n", fmt[0] == '-' ? "- " : line, fmt[0] == '-' ? "" : fmt);
	}
	return buf_str(b);
}

static const struct {
	unsigned n;
	const char *fmt;
	const char *want; /* NULL: accepted */
} sizes[] = {
	{ YAML_KEYS_MAX, ": 1", NULL },
	{ YAML_KEYS_MAX + 1, ": 1", "too many keys in one map" },
	{ YAML_NODES_MAX - 1, "-", NULL },
	{ YAML_NODES_MAX, "-", "too many values" },
	{ YAML_BYTES_MAX / 8, ": 12345678", "larger than" },
};

START_TEST(limits_hold)
{
	struct buf b;
	struct yaml_node *root = NULL;
	const struct str text = lines(&b, sizes[_i].n, sizes[_i].fmt);
	const enum err err = yaml_parse(&arena, "f.yaml", text, &root, &errors);
	ck_assert_int_eq(err, sizes[_i].want == NULL ? ERR_OK : ERR_CONFIG);
	if (sizes[_i].want != NULL)
		ck_assert_msg(strstr(buf_cstr(&errors.text), sizes[_i].want) != NULL, "%s",
			      buf_cstr(&errors.text));
	buf_free(&b);
}
END_TEST

START_TEST(no_memory_is_an_error_with_a_place)
{
	struct arena tiny;
	struct yaml_node *root = NULL;
	struct buf b;
	arena_init(&tiny, 10 * 1024);
	const struct str text = lines(&b, 500, ": 1");
	ck_assert_int_eq(yaml_parse(&tiny, "f.yaml", text, &root, &errors), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&errors.text), "needs too much memory"));
	arena_release(&tiny);
	buf_free(&b);
}
END_TEST

START_TEST(the_report_is_bounded)
{
	for (unsigned i = 0; i < 100000; i++)
		yaml_error(&errors, "f.yaml", NULL, "a.b", "error %u", i);
	ck_assert_uint_eq(errors.count, 100000);
	const char *text = buf_cstr(&errors.text);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "f.yaml: a.b: error 99\n… and more errors\n"));
}
END_TEST

START_TEST(messages_are_clean)
{
	char longer[700];
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer + 509, "\xe2\x82\xac", 3); /* cut in the middle of a character */
	yaml_error(&errors, "f", NULL, NULL, "%s", longer);
	yaml_error(&errors, "f", NULL, "p\x1b[31m", "a\nb\x7f");
	ck_assert(str_utf8_valid(buf_str(&errors.text)));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&errors.text), "\nf: p?[31m: a?b?\n"));
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	struct yaml_node *root = NULL;
	ck_assert_int_eq(yaml_read_file(&arena, "/nowhere/x.yaml", &root, &errors), ERR_CONFIG);
	ck_assert_str_eq(
		buf_cstr(&errors.text),
		"/nowhere/x.yaml: could not open /nowhere/x.yaml: No such file or directory\n");
}
END_TEST

static Suite *
yaml_suite(void)
{
	Suite *s = suite_create("yaml");
	TCase *tc = tcase_create("yaml");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, tree_with_places);
	tcase_add_loop_test(tc, nothing_is_an_empty_map, 0, (int)ARRAY_LEN(empties));
	tcase_add_loop_test(tc, refused_with_place, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(tc, syntax_errors_have_a_place, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(tc, all_errors_in_one_run);
	tcase_add_loop_test(tc, limits_hold, 0, (int)ARRAY_LEN(sizes));
	tcase_add_test(tc, no_memory_is_an_error_with_a_place);
	tcase_add_test(tc, the_report_is_bounded);
	tcase_add_test(tc, messages_are_clean);
	tcase_add_test(tc, a_missing_file_is_named);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(yaml_suite)
