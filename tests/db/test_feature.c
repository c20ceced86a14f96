/*
 * test_feature.c — the feature room against a real server, driven by test_feature_isolation.py.
 *
 *   test_feature write SLUG FOLDER      the SQL texts of the template's installation and removal, one file each
 *   test_feature run SLUG UNIT          endpoint, metrics and errors under the login BIMODAL_TEST_CONNINFO; answers to stdout
 *   test_feature breaker SLUG UNIT      a query that never ends: timeouts, then the breaker, then another try
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metric.h"
#include "feature/install.h"
#include "feature/runtime.h"
#include "feature/sql.h"
#include "feature/template.h"

#define TEXT_MAX (64 * 1024)
#define TIMEOUT (150 * USEC_PER_MS)
#define PAUSE (400 * USEC_PER_MS)

static struct arena arena;
static struct err_info info;
static struct loop *loop;
static struct task_engine *engine;
static struct feature_runtime *runtime;

static void
must(enum err err)
{
	if (err == ERR_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", err_row(err)->name, info.msg);
	exit(EXIT_FAILURE);
}

/* ---- write ---- */

static void
text_put(const char *folder, const char *name, struct buf *b)
{
	char path[512];
	BUG_ON(buf_cstr(b) == NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	must(file_write(path, buf_cstr(b), &info));
	buf_reset(b);
}

static int
write_texts(const char *slug, const char *folder)
{
	struct feature_archive archive;
	char password[FEATURE_PASSWORD_SIZE];
	struct buf b;
	buf_init(&b, TEXT_MAX);
	must(feature_template_make(&arena, slug, &archive, &info));
	feature_password_make(password);
	const struct feature_install install = {
		.slug = slug,
		.password = password,
		.connections = feature_connections_max(1),
		.statement_timeout = 300 * USEC_PER_MS,
		.up = feature_archive_get(&archive, STR("up.sql")),
	};
	must(feature_install_up(&b, &install, &info));
	text_put(folder, "up.sql", &b);
	must(feature_install_after(&b, slug, &info));
	text_put(folder, "after.sql", &b);
	buf_add_str(&b, feature_archive_get(&archive, STR("verify.sql")));
	text_put(folder, "verify.sql", &b);
	must(feature_install_remove(&b, slug, STR_NONE, &info));
	text_put(folder, "remove.sql", &b);
	must(feature_install_remove(&b, slug, feature_archive_get(&archive, STR("down.sql")),
				    &info));
	text_put(folder, "remove_down.sql", &b);
	must(feature_install_leftovers(&b, slug, &info));
	text_put(folder, "leftovers.sql", &b);
	buf_add_cstr(&b, password);
	text_put(folder, "password", &b);
	buf_free(&b);
	return EXIT_SUCCESS;
}

/* ---- run ---- */

struct job {
	struct feature_call call;
	struct feature_measure measure; /* used if metric is set */
	struct err_info err;
	bool ended;
};

static enum step
job_ask(struct task *t)
{
	const struct job *j = t->t_owner;
	if (j->measure.metric != NULL)
		return feature_runtime_measure(runtime, t, &j->measure);
	return feature_runtime_call(runtime, t, &j->call);
}

static enum step
job_tell(struct task *t)
{
	const struct job *j = t->t_owner;
	struct feature_values values;
	if (j->measure.metric != NULL) {
		BUG_ON(!feature_runtime_values(t, 0, &values));
		(void)printf("%s %.*s %.*s %lld\n", j->measure.metric, STR_FMT(values.units),
			     STR_FMT(values.values), (long long)values.rows);
		return STEP_DONE;
	}
	const struct str body = feature_runtime_body(t, 0);
	(void)printf("%.*s\n", STR_FMT(body));
	return STEP_DONE;
}

static const struct step_row job_steps[] = { { "ask", job_ask },
					     { "tell", job_tell },
					     { NULL, NULL } };

static void
job_end(struct task *t, void *arg)
{
	struct job *j = arg;
	j->err = t->t_err;
	j->ended = true;
}

/* One job to its end; its error. */
static enum err
job_run(struct job *j)
{
	struct task *t = NULL;
	j->ended = false;
	must(task_start(engine, "job", job_steps, clock_now_us() + 10 * USEC_PER_SEC,
			ARENA_CAP_BYTES, job_end, j, &t));
	t->t_owner = j;
	while (!j->ended)
		loop_turn(loop, true);
	if (j->err.code != ERR_OK)
		(void)printf("%s %s\n", err_row(j->err.code)->name, j->err.msg);
	(void)fflush(stdout);
	return j->err.code;
}

static void
runtime_start(bool measures)
{
	metric_map();
	loop = loop_create();
	engine = task_engine_create(loop, 100);
	runtime = feature_runtime_create(
		loop, engine,
		&(struct feature_runtime_conf) { .statement_timeout = TIMEOUT,
						 .measures = measures,
						 .breaker_failures = 3,
						 .breaker_pause = PAUSE });
}

static void
runtime_stop(void)
{
	feature_runtime_destroy(runtime);
	task_engine_destroy(engine);
	loop_destroy(loop);
}

static void
load(const struct feature_archive *archive)
{
	struct feature_findings findings;
	struct feature_package package;
	struct buf b;
	struct feature_archive copy = *archive;
	feature_findings_init(&findings, &arena);
	buf_init(&b, FEATURE_ARCHIVE_BYTES_MAX);
	must(feature_archive_write(&copy, &b, &info));
	must(feature_package_open(&arena, buf_str(&b), &package, &findings, &info));
	must(feature_runtime_load(runtime, &package, getenv("BIMODAL_TEST_CONNINFO"), &info));
	must(feature_runtime_load(runtime, &package, getenv("BIMODAL_TEST_CONNINFO"), &info));
	buf_free(&b);
}

static int
run_template(const char *slug, const char *unit)
{
	struct feature_archive archive;
	char units[128];
	const struct feature_arg limit = { STR("limit"), STR("1") };
	const struct feature_arg wrong = { STR("limit"), STR("many") };
	const struct feature_arg unknown = { STR("colour"), STR("red") };
	struct job j = { .call = { .slug = str_of(slug),
				   .endpoint = STR("advice"),
				   .variant = STR("control"),
				   .unit = str_of(unit) } };
	must(feature_template_make(&arena, slug, &archive, &info));
	runtime_start(false);
	load(&archive);
	BUG_ON(job_run(&j) != ERR_OK);
	j.call.variant = STR("treatment");
	BUG_ON(job_run(&j) != ERR_OK);
	j.call.args = &limit;
	j.call.n_args = 1;
	BUG_ON(job_run(&j) != ERR_OK);
	j.call.args = &wrong;
	BUG_ON(job_run(&j) != ERR_INVALID);
	j.call.args = &unknown;
	BUG_ON(job_run(&j) != ERR_BAD_REQUEST);
	j.call.n_args = 0;
	j.call.unit = STR("1 or 1=1");
	BUG_ON(job_run(&j) != ERR_INVALID);
	j.call.variant = STR("third");
	BUG_ON(job_run(&j) != ERR_NOT_FOUND);
	j.call.slug = STR("other");
	BUG_ON(job_run(&j) != ERR_NOT_FOUND);
	runtime_stop();
	runtime_start(true);
	load(&archive);
	(void)snprintf(units, sizeof(units), "{%s}", unit);
	j.measure = (struct feature_measure) { .slug = str_of(slug),
					       .metric = "won",
					       .units = units,
					       .exposed_at = "{2026-01-01T00:00:00Z}",
					       .until = "2027-01-01T00:00:00Z" };
	BUG_ON(job_run(&j) != ERR_OK);
	j.measure.metric = "complaints";
	BUG_ON(job_run(&j) != ERR_OK);
	j.measure.until = "2025-01-01T00:00:00Z"; /* not yet exposed: not mature */
	BUG_ON(job_run(&j) != ERR_OK);
	runtime_stop();
	return EXIT_SUCCESS;
}

static int
run_breaker(const char *slug, const char *unit)
{
	static const char endless[] = "-- $1 uuid unit\nSELECT count(*) AS n FROM "
				      "generate_series(1, 1000000000) AS a (x)\n";
	struct feature_archive archive;
	struct job j = { .call = { .slug = str_of(slug),
				   .endpoint = STR("advice"),
				   .variant = STR("control"),
				   .unit = str_of(unit) } };
	must(feature_template_make(&arena, slug, &archive, &info));
	for (size_t i = 0; i < archive.n; i++) {
		if (str_is(archive.files[i].path, "queries/advice_control.sql"))
			archive.files[i].content = (struct str) { endless, sizeof(endless) - 1 };
	}
	runtime_start(false);
	load(&archive);
	for (int i = 0; i < 3; i++)
		BUG_ON(job_run(&j) != ERR_TIMEOUT);
	BUG_ON(job_run(&j) != ERR_BUSY);
	const usec_t until = clock_now_us() + PAUSE;
	while (clock_now_us() < until)
		loop_turn(loop, true);
	BUG_ON(job_run(&j) != ERR_TIMEOUT); /* the one try after the pause */
	BUG_ON(job_run(&j) != ERR_BUSY);
	feature_runtime_unload(runtime, str_of(slug));
	BUG_ON(job_run(&j) != ERR_NOT_FOUND);
	runtime_stop();
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	int status = EXIT_FAILURE;
	arena_init(&arena, 32 * 1024 * 1024);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		status = write_texts(argv[2], argv[3]);
	else if (argc == 4 && strcmp(argv[1], "run") == 0)
		status = run_template(argv[2], argv[3]);
	else if (argc == 4 && strcmp(argv[1], "breaker") == 0)
		status = run_breaker(argv[2], argv[3]);
	arena_release(&arena);
	arena_trim();
	return status;
}
