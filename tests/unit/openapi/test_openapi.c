/*
 * test_openapi.c — from api.json files and route tables to a document: what is refused at the start, what is expanded, what is left out
 * for whom.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "openapi/internal.h"
#include "tests/support/unit.h"

#define ROOM                                                                                       \
	"{\"tag\":{\"name\":\"room\",\"description\":\"d\"},\"operations\":{"                      \
	"\"open\":{\"summary\":\"open\",\"replies\":{\"200\":\"Open\"}},"                          \
	"\"one\":{\"summary\":\"one of {resource}\",\"filters\":\"one\",\"replies\":{\"200\":"     \
	"{\"schema\":\"{resource}.Record\",\"headers\":[\"ETag\"]}}},"                             \
	"\"list\":{\"summary\":\"list\",\"filters\":\"list\",\"replies\":{\"200\":"                \
	"\"{resource}.Page\"}},"                                                                   \
	"\"write\":{\"summary\":\"write\",\"body\":\"{resource}.Create\",\"replies\":{\"204\":"    \
	"null},"                                                                                   \
	"\"errors\":[409]},"                                                                       \
	"\"whole\":{\"summary\":\"whole\",\"replies\":{\"200\":\"Whole\"}},"                       \
	"\"two\":{\"summary\":\"two\",\"rights\":[\"a.x\",\"b.x\"],\"replies\":{\"202\":null}}},"  \
	"\"schemas\":{\"Open\":{\"type\":\"object\"},\"Unused\":{},"                               \
	"\"Problem\":{\"properties\":{\"code\":{\"$ref\":\"#/components/schemas/ProblemCode\"}}}," \
	"\"Whole\":{\"properties\":{\"people\":{\"x-right\":\"people.read\",\"items\":{\"$ref\":"  \
	"\"#/components/schemas/people.Record\"}},\"rest\":{}}}},"                                 \
	"\"resources\":{\"schemas\":{\"Page\":{\"items\":{\"$ref\":"                               \
	"\"#/components/schemas/{resource}.Record\"}}}},"                                          \
	"\"headers\":{\"ETag\":{},\"Request-Id\":{},\"RateLimit\":{},\"RateLimit-Policy\":{},"     \
	"\"Retry-After\":{},\"WWW-Authenticate\":{}},"                                             \
	"\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}"

static const struct step_row no_steps[] = { { NULL, NULL } };
static const struct http_route routes[] = {
	{ HTTP_GET, "/open", "open", .steps = no_steps },
	{ HTTP_GET, "/v1/{resource:slug}", "list", no_steps, .right = "{resource}.read" },
	{ HTTP_POST, "/v1/{resource:slug}", "write", no_steps, .right = "{resource}.write" },
	{ HTTP_GET, "/v1/{resource:slug}/{id:uuid}", "one", no_steps, .right = "{resource}.read" },
	{ HTTP_GET, "/v1/whole", "whole", no_steps, .right = "whole.read" },
	{ HTTP_POST, "/v1/two/{key:slug}", "two", no_steps, .right = "whole.read" },
};

static const struct openapi_resource resources[] = {
	{ .name = { "people", 6 },
	  .record = { "{\"title\":\"p\"}", 13 },
	  .create = { "{\"title\":\"pc\"}", 14 },
	  .filters = { "{\"name\":\"f\"}", 12 },
	  .fields = { "{\"name\":\"only\"}", 15 } },
	{ .name = { "deals", 5 },
	  .record = { "{\"title\":\"d\"}", 13 },
	  .create = { "{\"title\":\"dc\"}", 14 },
	  .filters = { "{\"name\":\"g\"}", 12 },
	  .fields = { "{\"name\":\"only\"}", 15 } },
};

static struct arena arena;
static const char *rights; /* of who looks, with spaces around each; NULL: all */

static bool
may(const struct task *t UNUSED, struct str right)
{
	char word[64];
	(void)snprintf(word, sizeof(word), " %.*s ", STR_FMT(right));
	return strstr(rights, word) != NULL;
}

static enum err
create(const char *text, struct openapi **out, struct err_info *info)
{
	const struct openapi_part parts[] = { { "room/api.json", text }, { NULL, NULL } };
	return openapi_create(
		&(struct openapi_conf) {
			.title = "T", .description = "D", .version = "1", .parts = parts },
		out, info);
}

/* The document of somebody with these rights; its tag into `tag`. */
static struct str
document(const char *who, char tag[SHA256_HEX_SIZE])
{
	struct openapi *o = NULL;
	struct openapi_list *list = NULL;
	struct err_info info = { 0 };
	struct buf out;
	rights = who;
	const struct openapi_view view = { .may = who == NULL ? NULL : may,
					   .resources = resources,
					   .n_resources = ARRAY_LEN(resources),
					   .seen = STR("1") };
	ck_assert_msg(create(ROOM, &o, &info) == ERR_OK, "%s", info.msg);
	ck_assert_int_eq(openapi_routes(o, routes, ARRAY_LEN(routes), &info), ERR_OK);
	ck_assert_int_eq(openapi_list(o, &view, &arena, &list, &info), ERR_OK);
	memcpy(tag, list->key, SHA256_HEX_SIZE);
	buf_init(&out, OPENAPI_BYTES_MAX);
	openapi_write(list, &arena, &out);
	ck_assert(!out.failed);
	const struct str text = arena_str(&arena, buf_str(&out));
	enum json_kind kind;
	ck_assert_msg(json_scan_any(text, &kind, &info) == ERR_OK, "%s\n%.*s", info.msg,
		      STR_FMT(text));
	buf_free(&out);
	openapi_destroy(o);
	return text;
}

static bool
has(struct str text, const char *what)
{
	return memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static void
setup(void)
{
	arena_init(&arena, 16 * ARENA_CAP_BYTES);
}

static void
teardown(void)
{
	arena_release(&arena);
}

static const struct {
	const char *text;
	const char *said;
} bad[] = {
	{ "[]", "room/api.json" },
	{ "{\"operation\":{}}", "is no member of an api.json" },
	{ "{\"operations\":{\"a\":{}}}", "has no tag" },
	{ "{\"tag\":{\"name\":\"t\"},\"operations\":{\"a\":{\"replies\":{\"200\":null}}}}",
	  "needs a summary" },
	{ "{\"tag\":{\"name\":\"t\"},\"operations\":{\"a\":{\"summary\":\"s\"}}}",
	  "needs a summary and a reply" },
	{ "{\"tag\":{\"name\":\"t\"},\"operations\":{\"a\":{\"summary\":\"s\",\"replies\":{\"ok\":"
	  "null}}}}",
	  "without a status" },
	{ "{\"tag\":{\"name\":\"t\"},\"operations\":{\"a\":{\"sumary\":\"s\"}}}",
	  "is no member of an operation" },
	{ "{\"schemas\":{\"A\":{},\"A\":{}}}", "twice" },
	{ "{\"schemas\":{\"ProblemCode\":{}}}", "ProblemCode" },
};

START_TEST(refuses_a_wrong_file)
{
	struct openapi *o = NULL;
	struct err_info info = { 0 };
	ck_assert_int_eq(create(bad[_i].text, &o, &info), ERR_CONFIG);
	ck_assert_msg(strstr(info.msg, bad[_i].said) != NULL, "%s", info.msg);
	ck_assert_ptr_null(o);
}
END_TEST

START_TEST(refuses_a_route_that_nobody_described)
{
	static const struct http_route more[] = { { HTTP_GET, "/x", "nobody.knows",
						    .steps = no_steps } };
	struct openapi *o = NULL;
	struct err_info info = { 0 };
	ck_assert_int_eq(create(ROOM, &o, &info), ERR_OK);
	ck_assert_int_eq(openapi_routes(o, more, 1, &info), ERR_CONFIG);
	ck_assert_msg(strstr(info.msg, "nobody.knows") != NULL, "%s", info.msg);
	openapi_destroy(o);
}
END_TEST

START_TEST(writes_one_operation_a_resource)
{
	char tag[SHA256_HEX_SIZE];
	const struct str text = document(NULL, tag);
	ck_assert(has(text, "\"/v1/people\":{\"get\":") && has(text, "\"/v1/deals/{id}\":"));
	ck_assert(has(text, "\"operationId\":\"one.deals\"") && has(text, "\"one of deals\""));
	ck_assert(has(text, "\"people.Page\":{\"items\":{\"$ref\":\"#/components/schemas/"
			    "people.Record\"}}"));
	ck_assert(has(text, "\"deals.Create\":{\"title\":\"dc\"}"));
	ck_assert(has(text, "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":"
			    "{\"type\":\"string\",\"format\":\"uuid\"}},{\"name\":\"only\"}"));
	ck_assert(!has(text, "{resource}"));
	ck_assert(has(text, "\"security\":[]") && has(text, "\"x-right\":\"people.write\""));
	ck_assert(has(text, "\"409\":{\"$ref\":\"#/components/responses/Problem409\"}"));
	ck_assert(has(text, "\"ProblemCode\":{") && has(text, "\"stale-version\""));
}
END_TEST

START_TEST(leaves_out_what_nothing_refers_to)
{
	char tag[SHA256_HEX_SIZE];
	ck_assert(!has(document(NULL, tag), "Unused"));
}
END_TEST

START_TEST(shows_what_one_may)
{
	char all[SHA256_HEX_SIZE], some[SHA256_HEX_SIZE];
	(void)document(NULL, all);
	const struct str text = document(" deals.read whole.read ", some);
	ck_assert_str_ne(all, some);
	ck_assert(has(text, "\"/v1/deals\":{\"get\":") && has(text, "\"/open\""));
	ck_assert(!has(text, "\"post\"") && !has(text, "Create"));
	ck_assert_msg(!has(text, "people"), "%.*s", STR_FMT(text));
	ck_assert(has(text, "\"Whole\":{\"properties\":{\"rest\":{}}}"));
}
END_TEST

START_TEST(asks_for_one_of_the_rights_of_the_step)
{
	char tag[SHA256_HEX_SIZE];
	ck_assert(!has(document(" whole.read ", tag), "/v1/two"));
	ck_assert(!has(document(" b.x ", tag), "/v1/two"));
	ck_assert(has(document(" whole.read b.x ", tag), "\"/v1/two/{key}\""));
	ck_assert(has(document(" whole.read a.x ", tag), "\"/v1/two/{key}\""));
}
END_TEST

START_TEST(shows_nobody_the_open_routes_only)
{
	char tag[SHA256_HEX_SIZE];
	const struct str text = document("", tag);
	ck_assert(has(text, "\"/open\"") && !has(text, "/v1/") && !has(text, "Record"));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("openapi");
	TCase *c = tcase_create("openapi");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, refuses_a_wrong_file, 0, ARRAY_LEN(bad));
	tcase_add_test(c, refuses_a_route_that_nobody_described);
	tcase_add_test(c, writes_one_operation_a_resource);
	tcase_add_test(c, leaves_out_what_nothing_refers_to);
	tcase_add_test(c, shows_what_one_may);
	tcase_add_test(c, asks_for_one_of_the_rights_of_the_step);
	tcase_add_test(c, shows_nobody_the_open_routes_only);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
