/*
 * test_conf.c — defaults, files over files, types, bounds, messages, secrets, the printed table.
 */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#include "../../support/unit.h"

struct values {
	int64_t workers;
	bool debug;
	const char *name;
	usec_t deadline;
	int64_t body_max;
	const char *roles;
	const char *secret;
	int64_t port;
};

#define AT(field) offsetof(struct values, field)

static const struct conf_key keys[] = {
	{ "http.workers", CONF_INT, AT(workers), "2", "0", "64", false, "worker processes" },
	{ "http.debug", CONF_BOOL, AT(debug), "false", NULL, NULL, true, "say more" },
	{ "http.name", CONF_TEXT, AT(name), "core", "1", "8", false, "name of the instance" },
	{ "http.limits.deadline", CONF_DURATION, AT(deadline), "10s", "100ms", "5min", true,
	  "time for a head" },
	{ "http.limits.body", CONF_SIZE, AT(body_max), "1MiB", "1KiB", "1GiB", true,
	  "bytes of a body" },
	{ "roles", CONF_FILE, AT(roles), "", NULL, NULL, false, "role matrix" },
	{ "token", CONF_SECRET, AT(secret), "", NULL, NULL, false, "file with a token" },
	{ "port", CONF_INT, AT(port), NULL, "1", "65535", false, "port number" },
};

static char dir[] = "/tmp/test-conf-XXXXXX";
static char path_a[64];
static char path_b[64];
static struct conf conf;
static struct values values;
static struct yaml_errors errors;

static void
path_in_dir(char out[64], const char *name)
{
	ck_assert_int_lt(snprintf(out, 64, "%s/%s", dir, name), 64);
}

static void
file_put(const char *name, const char *text, mode_t mode)
{
	char path[64];
	path_in_dir(path, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
setup(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	path_in_dir(path_a, "a.yaml");
	path_in_dir(path_b, "b.yaml");
	memset(&values, 0x55, sizeof(values));
	yaml_errors_init(&errors);
}

static void
teardown(void)
{
	static const char *const names[] = { "a.yaml", "b.yaml", "secret", "roles.yaml" };
	char path[64];
	conf_free(&conf);
	conf_free(&conf);
	yaml_errors_free(&errors);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path_in_dir(path, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
	arena_trim();
}

static enum err
load(size_t n_files)
{
	const char *const files[] = { path_a, path_b };
	return conf_load(&conf, keys, ARRAY_LEN(keys), &values, files, n_files, &errors);
}

START_TEST(defaults_fill_what_is_not_written)
{
	file_put("a.yaml", "port: 8080\nhttp:\n", 0644);
	ck_assert_msg(load(1) == ERR_OK, "%s", buf_cstr(&errors.text));
	ck_assert_int_eq(values.workers, 2);
	ck_assert(!values.debug);
	ck_assert_str_eq(values.name, "core");
	ck_assert_int_eq(values.deadline, 10 * USEC_PER_SEC);
	ck_assert_int_eq(values.body_max, 1024 * 1024);
	ck_assert_str_eq(values.roles, "");
	ck_assert_str_eq(values.secret, "");
	ck_assert_int_eq(values.port, 8080);
}
END_TEST

START_TEST(the_later_file_wins)
{
	file_put("a.yaml", "port: 1\nhttp:\n  workers: 4\n  name: one\n", 0644);
	file_put(
		"b.yaml",
		"http:\n  name: \"two\"\n  limits: {deadline: 250ms, body: 64KiB}\n  debug: true\n",
		0644);
	ck_assert_msg(load(2) == ERR_OK, "%s", buf_cstr(&errors.text));
	ck_assert_int_eq(values.port, 1);
	ck_assert_int_eq(values.workers, 4);
	ck_assert_str_eq(values.name, "two");
	ck_assert_int_eq(values.deadline, 250 * USEC_PER_MS);
	ck_assert_int_eq(values.body_max, 64 * 1024);
	ck_assert(values.debug);
}
END_TEST

static const struct {
	const char *in;
	const char *want; /* after "DIR/a.yaml"; the whole report */
} bad[] = {
	{ "port: 1\nhttp:\n  workers: 300\n",
	  ":3:12: http.workers: 300 is above the maximum 64\n" },
	{ "port: 0\n", ":1:7: port: 0 is below the minimum 1\n" },
	{ "port: x\n", ":1:7: port: x is not a whole number\n" },
	{ "port: \"80\"\n", ":1:7: port: 80 is quoted: a number is expected here\n" },
	{ "port: 99999999999999999999\n",
	  ":1:7: port: 99999999999999999999 is not a whole number\n" },
	{ "port:\n", ":1:6: port: a value is missing\n" },
	{ "port: [1]\n", ":1:7: port: one value is expected, not a list\n" },
	{ "port: {a: 1}\n", ":1:7: port: one value is expected, not a map\n" },
	{ "port: 1\nhttp: 5\n", ":2:7: http: this is a section: keys below it are expected\n" },
	{ "port: 1\nhttp: [x]\n", ":2:7: http: this is a section: keys below it are expected\n" },
	{ "port: 1\nhttp:\n  worker: 3\n",
	  ":3:3: http.worker: there is no such key; did you mean http.workers?\n" },
	{ "port: 1\nworkers: 3\n",
	  ":2:1: workers: there is no such key; did you mean http.workers?\n" },
	{ "port: 1\nzebra: 3\n", ":2:1: zebra: there is no such key\n" },
	{ "port: 1\nzebra: {x: 1, y: 2}\n", ":2:1: zebra: there is no such key\n" },
	{ "port: 1\nhttp.workers: 3\n",
	  ":2:1: http.workers: a key must not hold a dot; put it below its section\n" },
	{ "port: 1\nhttp:\n  debug: yes\n", ":3:10: http.debug: yes is neither true nor false\n" },
	{ "port: 1\nhttp:\n  name: waytoolong\n",
	  ":3:9: http.name: waytoolong is longer than 8 bytes\n" },
	{ "port: 1\nhttp:\n  name: ''\n", ":3:9: http.name:  is shorter than 1 bytes\n" },
	{ "port: 1\nhttp: {limits: {deadline: 10}}\n",
	  ":2:27: http.limits.deadline: 10 is not a duration such as 250ms, 10s, 5min, 2h or "
	  "7d\n" },
	{ "port: 1\nhttp: {limits: {deadline: 6min}}\n",
	  ":2:27: http.limits.deadline: 6min is above the maximum 5min\n" },
	{ "port: 1\nhttp: {limits: {body: 64kb}}\n",
	  ":2:23: http.limits.body: 64kb is not a size such as 512B, 64KiB, 1MiB or 2GiB\n" },
	{ "port: 1\nhttp: {limits: {body: 512B}}\n",
	  ":2:23: http.limits.body: 512B is below the minimum 1KiB\n" },
	{ "port: 1\nhttp: {limits: {body: 9999999999GiB}}\n",
	  ":2:23: http.limits.body: 9999999999GiB is not a size such as 512B, 64KiB, 1MiB or "
	  "2GiB\n" },
	{ "- port\n", ":1:1: the file must be a map of keys and values\n" },
};

START_TEST(errors_name_the_place)
{
	file_put("a.yaml", bad[_i].in, 0644);
	ck_assert_int_eq(load(1), ERR_CONFIG);
	char want[256];
	(void)snprintf(want, sizeof(want), "%s%s", path_a, bad[_i].want);
	char *text = buf_cstr(&errors.text);
	/* A file that is no map leaves the required key unset, which is told too. */
	if (strncmp(bad[_i].in, "- ", 2) == 0)
		ck_assert_int_eq(strncmp(text, want, strlen(want)), 0);
	else
		ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(all_errors_of_all_files_in_one_run)
{
	file_put("a.yaml", "http:\n  workers: 300\n  wokers: 1\n", 0644);
	file_put("b.yaml", "http:\n  debug: 1\nroles: nowhere.yaml\n", 0644);
	ck_assert_int_eq(load(2), ERR_CONFIG);
	const char *text = buf_cstr(&errors.text);
	ck_assert_msg(errors.count == 5, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "b.yaml: port: this key is required (port number)\n"));
	ck_assert_ptr_nonnull(strstr(text, "nowhere.yaml: No such file or directory\n"));
}
END_TEST

START_TEST(files_and_secrets_are_beside_the_file)
{
	char want[64];
	file_put("a.yaml", "port: 1\nroles: roles.yaml\ntoken: secret\n", 0644);
	file_put("roles.yaml", "", 0644);
	file_put("secret", "hush\n", 0640);
	ck_assert_msg(load(1) == ERR_OK, "%s", buf_cstr(&errors.text));
	path_in_dir(want, "roles.yaml");
	ck_assert_str_eq(values.roles, want);
	ck_assert_str_eq(values.secret, "hush");
}
END_TEST

static const struct {
	mode_t mode;
	const char *text;
	const char *want;
} secrets[] = {
	{ 0644, "hush\n", "has mode 0644, others must not get at a secret: chmod 0600" },
	{ 0604, "hush\n", "has mode 0604" },
	{ 0660, "hush\n", "has mode 0660" },
	{ 0600, "\n", "holds no text" },
};

START_TEST(bad_secrets_are_refused)
{
	file_put("a.yaml", "port: 1\ntoken: secret\n", 0644);
	file_put("secret", secrets[_i].text, secrets[_i].mode);
	ck_assert_int_eq(load(1), ERR_CONFIG);
	const char *text = buf_cstr(&errors.text);
	ck_assert_msg(strstr(text, secrets[_i].want) != NULL, "%s", text);
	ck_assert_ptr_null(strstr(text, "hush"));
	ck_assert_ptr_null(values.secret);
}
END_TEST

START_TEST(a_bad_schema_is_found)
{
	static const struct conf_key wrong[] = {
		{ "a", CONF_INT, AT(workers), "many", NULL, NULL, false, "x" },
		{ "b", CONF_DURATION, AT(deadline), "1s", "1", NULL, false, "x" },
	};
	ck_assert_int_eq(conf_load(&conf, wrong, 2, &values, NULL, 0, &errors), ERR_CONFIG);
	ck_assert_str_eq(buf_cstr(&errors.text), "default: a: many is not a whole number\n"
						 "schema: b: 1 is not a bound of this type\n");
}
END_TEST

START_TEST(the_table_shows_values_but_no_secret)
{
	struct buf out;
	file_put("a.yaml", "port: 8080\ntoken: secret\nhttp:\n  workers: 4\n", 0644);
	file_put("secret", "hush", 0600);
	ck_assert_msg(load(1) == ERR_OK, "%s", buf_cstr(&errors.text));
	buf_init(&out, 10000);
	conf_print(&conf, &out);
	const char *text = buf_cstr(&out);
	char line[256];
	(void)snprintf(line, sizeof(line),
		       "http.workers          4      2           %s:4  restart\n", path_a);
	ck_assert_msg(strstr(text, line) != NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "token                 *****  \"\""));
	ck_assert_ptr_nonnull(strstr(text, "port                  8080   (required)"));
	ck_assert_ptr_nonnull(strstr(text, "reload\n"));
	ck_assert_ptr_null(strstr(text, "hush"));
	ck_assert_ptr_null(strstr(text, "secret"));
	buf_free(&out);
}
END_TEST

static Suite *
conf_suite(void)
{
	Suite *s = suite_create("conf");
	TCase *tc = tcase_create("conf");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, defaults_fill_what_is_not_written);
	tcase_add_test(tc, the_later_file_wins);
	tcase_add_loop_test(tc, errors_name_the_place, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, all_errors_of_all_files_in_one_run);
	tcase_add_test(tc, files_and_secrets_are_beside_the_file);
	tcase_add_loop_test(tc, bad_secrets_are_refused, 0, (int)ARRAY_LEN(secrets));
	tcase_add_test(tc, a_bad_schema_is_found);
	tcase_add_test(tc, the_table_shows_values_but_no_secret);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(conf_suite)
