/*
 * jobs.c — brings each feature to where it should be: schema and roles in the catalog, the flag in core. Two jobs, so that a core that does
 * not answer never delays a removal. A third follows the flag's owners. What is to be done next is read from lab.hypothesis, never remembered here: a jobs child that
 * dies at any point leaves work that the next one finds.
 */
#include "sandbox/hypothesis/internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "base/log.h"
#include "change/change.h"

#define CATALOG_PERIOD (100 * USEC_PER_MS)
#define CATALOG_DEADLINE (120 * USEC_PER_SEC)
#define FLAG_PERIOD (100 * USEC_PER_MS)
#define FLAG_DEADLINE (30 * USEC_PER_SEC)
#define FOLLOW_PERIOD USEC_PER_SEC
#define OWNERS_PERIOD (200 * USEC_PER_MS)
#define SCRIPT_BYTES ((size_t)3 * 1024 * 1024)
#define DEPLOY_TRIES_MAX 5
#define DEPLOY_STATEMENT_TIMEOUT                                                                   \
	(10 * USEC_PER_SEC) /* meanwhile nothing else is deployed or removed */
#define DEPLOY_LOCK_TRIES 20

static struct sandbox_hypothesis_jobs_conf jobs_conf;

static enum step
statement(struct task *t, const struct postgres_stmt *s, const struct postgres_param *params,
	  size_t n)
{
	return postgres_wait(jobs_conf.pool, t, s, params, n);
}

static const char *
kept(struct task *t, int col)
{
	const char *text = postgres_is_null(t, 0, 0, col)
				   ? ""
				   : arena_strdup(&t->t_arena, postgres_value(t, 0, 0, col));
	return text != NULL ? text : "";
}

/* ---- the catalog ---- */

struct work {
	const char *slug;
	const char *author;
	int64_t tries;
	bool deploying;
	bool removed;
};

/* The texts of the one change under way; too large for a task's arena. */
static struct {
	struct buf up, verify, after, left;
} texts;

static void
texts_reset(void)
{
	struct buf *const all[] = { &texts.up, &texts.verify, &texts.after, &texts.left };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i]->limit == 0)
			buf_init(all[i], SCRIPT_BYTES);
		buf_reset(all[i]);
	}
}

static enum step
deploy(struct task *t, struct work *w, const struct feature_package *p)
{
	char password[FEATURE_PASSWORD_SIZE];
	struct buf frozen;

	feature_password_make(password);
	const struct feature_install install = {
		.slug = p->manifest.slug,
		.password = password,
		.connections = feature_connections_max(jobs_conf.workers),
		.statement_timeout = jobs_conf.statement_timeout,
		.up = feature_archive_get(&p->archive, STR("up.sql")),
	};
	buf_init(&frozen, HYPOTHESIS_JSON_BYTES);
	sandbox_hypothesis_freeze(p, &frozen);
	if (feature_install_up(&texts.up, &install, &t->t_err) != ERR_OK ||
	    feature_install_after(&texts.after, p->manifest.slug, &t->t_err) != ERR_OK ||
	    frozen.failed) {
		buf_free(&frozen);
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to deploy feature %s",
				     w->slug);
	}
	buf_add_str(&texts.verify, feature_archive_get(&p->archive, STR("verify.sql")));
	buf_add_cstr(&texts.after, "SELECT lab.deployed(");
	change_quote(&texts.after, str_of(p->manifest.slug));
	buf_add_char(&texts.after, ',');
	change_quote(&texts.after, str_of(password));
	buf_add_char(&texts.after, ',');
	change_quote(&texts.after, buf_str(&frozen));
	buf_add_cstr(&texts.after, ");\nSELECT change.schema_bump()");
	buf_free(&frozen);
	explicit_bzero(password, sizeof(password));
	const struct change_order order = {
		.pool = jobs_conf.pool,
		.id = arena_printf(&t->t_arena, "feature.%s", w->slug),
		.actor = w->author,
		.up = buf_cstr(&texts.up),
		.verify = buf_cstr(&texts.verify),
		.after = buf_cstr(&texts.after),
		.statement_timeout = DEPLOY_STATEMENT_TIMEOUT,
		.tries = DEPLOY_LOCK_TRIES,
	};
	if (order.id == NULL || order.up == NULL || order.verify == NULL || order.after == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to deploy feature %s",
				     w->slug);
	log_info("feature.deploy", "deploying feature %s", w->slug);
	task_wait_soft(t);
	return change_apply(t, &order);
}

/* A down.sql that fails must not keep a feature alive: from the second try on it is left out, and everything is dropped. */
static enum step
remove_feature(struct task *t, struct work *w, struct str down)
{
	if (feature_install_remove(&texts.up, w->slug, w->tries == 0 ? down : STR(""), &t->t_err) !=
		    ERR_OK ||
	    feature_install_leftovers(&texts.left, w->slug, &t->t_err) != ERR_OK)
		return task_fail(t);
	buf_add_cstr(&texts.after, "SELECT lab.removed(");
	change_quote(&texts.after, str_of(w->slug));
	buf_add_cstr(&texts.after, ");\nSELECT change.schema_bump()");
	const struct change_order order = {
		.pool = jobs_conf.pool,
		.id = arena_printf(&t->t_arena, "feature.%s", w->slug),
		.actor = w->author,
		.up = buf_cstr(&texts.up),
		.after = buf_cstr(&texts.after),
		.lock_budget = 2 * USEC_PER_SEC, /* only the feature's own objects are locked */
	};
	if (order.id == NULL || order.up == NULL || order.after == NULL ||
	    buf_cstr(&texts.left) == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to remove feature %s",
				     w->slug);
	log_info("feature.remove", "removing feature %s", w->slug);
	w->removed = true;
	task_wait_soft(t);
	return change_apply(t, &order);
}

static enum step
catalog_ask(struct task *t)
{
	return statement(t, &sql_lab_next_catalog, NULL, 0);
}

static enum step
catalog_work(struct task *t)
{
	struct work *w = task_state(t, sizeof(*w));
	struct feature_findings findings;
	struct feature_package package;
	struct arena arena;
	enum step next;

	if (postgres_rows(t, 0) == 0 || w == NULL)
		return STEP_DONE;
	texts_reset();
	w->slug = kept(t, 0);
	w->deploying = str_is(postgres_value(t, 0, 0, 1), "deploy");
	w->author = kept(t, 3);
	w->tries = postgres_int(t, 0, 0, 5, 0);
	arena_init(&arena, HYPOTHESIS_ARENA_BYTES);
	feature_findings_init(&findings, &arena);
	const enum err err = feature_package_open(&arena, postgres_value(t, 0, 0, 2), &package,
						  &findings, &t->t_err);
	if (w->deploying && err == ERR_OK)
		next = deploy(t, w, &package);
	else if (w->deploying)
		next = task_fail(t);
	else
		next = remove_feature(
			t, w,
			err == ERR_OK ? feature_archive_get(&package.archive, STR("down.sql"))
				      : STR(""));
	arena_release(&arena);
	return next;
}

/* The failure is noted; a deployment is given up when trying again cannot help or has not helped. */
static enum step
catalog_look(struct task *t)
{
	struct work *w = task_state(t, sizeof(*w));
	const struct err_info *info = NULL;
	const enum err err = task_wait_err(t, 0, &info);

	if (err == ERR_OK) {
		sandbox_features_load(SANDBOX_FEATURES_METRICS, t->t_engine);
		return w->removed ? postgres_script(jobs_conf.pool, t, buf_cstr(&texts.left))
				  : STEP_DONE;
	}
	log_warn(w->deploying ? "feature.deploy" : "feature.remove", "%s: %s", w->slug, info->msg);
	const bool give_up =
		w->deploying && ((!err_row(err)->retryable && err != ERR_UNKNOWN_END) ||
				 err == ERR_TIMEOUT || w->tries >= DEPLOY_TRIES_MAX);
	w->removed = false;
	if (give_up) {
		const char *why = arena_strdup(&t->t_arena, str_of(info->msg));
		return statement(t, &sql_lab_deploy_failed,
				 (struct postgres_param[]) { P_TEXT(w->slug), P_TEXT(why) }, 2);
	}
	return statement(t, &sql_lab_retry, (struct postgres_param[]) { P_TEXT(w->slug) }, 1);
}

static enum step
catalog_left(struct task *t)
{
	const struct work *w = task_state(t, sizeof(*w));

	for (int i = 0; w->removed && i < postgres_rows(t, 0); i++)
		log_error("feature.left", "%s %.*s is left of feature %s",
			  postgres_value(t, 0, i, 0).p, STR_FMT(postgres_value(t, 0, i, 1)),
			  w->slug);
	return STEP_DONE;
}

static const struct step_row catalog_steps[] = {
	{ "ask", catalog_ask },   { "work", catalog_work }, { "look", catalog_look },
	{ "left", catalog_left }, { NULL, NULL },
};

/* ---- the flag in core ---- */

enum { SLUG, WANT, KEY, PACKAGE, DEPLOYMENT, EXPIRES_AT, TRIES };

struct flag_work {
	const char *slug;
	const char *want;
	const char *key;
	const char *deployment;
	int64_t revision;
};

/* Names the deployment, so that a flag whose making was not heard of can be told from a stranger's. */
static const char *
purpose_of(struct task *t, const char *deployment)
{
	return arena_printf(&t->t_arena, "(deployment %s)", deployment);
}

static enum step
flag_make(struct task *t, const struct flag_work *w, struct str bytes, const char *expires_at)
{
	struct feature_findings findings;
	struct feature_package package;
	struct arena arena;
	struct buf b;

	arena_init(&arena, HYPOTHESIS_ARENA_BYTES);
	feature_findings_init(&findings, &arena);
	buf_init(&b, HYPOTHESIS_JSON_BYTES);
	if (feature_package_open(&arena, bytes, &package, &findings, &t->t_err) != ERR_OK) {
		arena_release(&arena);
		return task_fail(t);
	}
	const struct feature_manifest *m = &package.manifest;
	buf_add_cstr(&b, "{\"key\":");
	buf_json_cstr(&b, w->key);
	buf_add_cstr(&b, ",\"kind\":\"experiment\",\"purpose\":");
	buf_json_cstr(&b, arena_printf(&arena, "%s %s", m->title, purpose_of(t, w->deployment)));
	buf_add_cstr(&b, ",\"business_owner\":");
	buf_json_cstr(&b, m->business_owner);
	buf_add_cstr(&b, ",\"technical_owner\":");
	buf_json_cstr(&b, m->technical_owner);
	buf_printf(&b, ",\"expires_at\":\"%s\",\"enabled\":true,\"document\":", expires_at);
	feature_flag_document(m, &b);
	buf_add_char(&b, '}');
	const enum step next =
		b.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the flag")
			 : http_client_wait(jobs_conf.core, t,
					    &(struct http_client_call) { .method = HTTP_POST,
									 .url = STR("/v1/flags"),
									 .body = buf_str(&b) });
	buf_free(&b);
	arena_release(&arena);
	return next;
}

static enum step
flag_ask(struct task *t)
{
	return statement(t, &sql_lab_next_flag, NULL, 0);
}

static enum step
flag_work(struct task *t)
{
	struct flag_work *w = task_state(t, sizeof(*w));

	if (postgres_rows(t, 0) == 0 || w == NULL)
		return STEP_DONE;
	w->slug = kept(t, SLUG);
	w->want = kept(t, WANT);
	w->key = kept(t, KEY);
	w->deployment = kept(t, DEPLOYMENT);
	task_wait_soft(t);
	if (strcmp(w->want, "made") == 0)
		return flag_make(t, w, postgres_value(t, 0, 0, PACKAGE), kept(t, EXPIRES_AT));
	const bool off = strcmp(w->want, "off") == 0;
	const char *url =
		arena_printf(&t->t_arena, "/v1/flags/%s%s", w->key, off ? "/disable" : "");
	return http_client_wait(
		jobs_conf.core, t,
		&(struct http_client_call) {
			.method = off ? HTTP_POST : HTTP_DELETE,
			.url = str_of(url),
			.body = off ? STR("{\"comment\":\"the sandbox's experiment has ended\"}")
				    : STR_NONE });
}

/* What core says to it, for people. */
static const char *
refusal(struct task *t, const struct http_client_reply *r)
{
	struct http_client_problem p;

	http_client_problem_read(r, &p);
	const char *text = arena_printf(&t->t_arena, "core answers %d: %s", http_client_status(r),
					p.detail[0] != '\0' ? p.detail : "no detail");
	return text != NULL ? text : "core refuses";
}

static int64_t
revision_of(const struct http_client_reply *r)
{
	struct cJSON *j = NULL;
	int64_t revision = 0;
	struct err_info ignored = { .code = ERR_OK };

	if (json_parse(http_client_body(r), &j, &ignored) == ERR_OK &&
	    json_int(j, "revision", false, 0, INT64_MAX, &revision, &ignored) != ERR_OK)
		revision = 0;
	json_free(j);
	return revision;
}

static enum step
flag_is(struct task *t, const struct flag_work *w, const char *state, int64_t revision)
{
	const char *number = arena_printf(&t->t_arena, "%lld", (long long)revision);
	return statement(
		t, &sql_lab_flag_done,
		(struct postgres_param[]) { P_TEXT(w->slug), P_TEXT(state), P_TEXT(number) }, 3);
}

/* Nothing more is done in this run: lab_next_flag has put the next try off already. */
static enum step
flag_later(struct task *t, const char *why)
{
	const struct flag_work *w = task_state(t, sizeof(*w));
	log_warn("feature.flag", "flag %s could not be brought to \"%s\": %s", w->key, w->want,
		 why);
	return STEP_DONE;
}

static step_fn flag_own, flag_end;

static enum step
flag_look(struct task *t)
{
	struct flag_work *w = task_state(t, sizeof(*w));
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK)
		return flag_later(t, info->msg);
	const struct http_client_reply *r = http_client_reply(t, 0);
	const int status = http_client_status(r);
	const bool making = strcmp(w->want, "made") == 0;
	if (status >= 200 && status < 300) {
		(void)task_jump(t, flag_end);
		return flag_is(t, w, w->want, revision_of(r));
	}
	if (status >= 500 || status == 408 || status == 429 || status == 401)
		return flag_later(t, refusal(t, r));
	if (making && status == 409)
		return http_client_wait(
			jobs_conf.core, t,
			&(struct http_client_call) {
				.method = HTTP_GET,
				.url = str_of(arena_printf(&t->t_arena, "/v1/flags/%s", w->key)) });
	(void)task_jump(t, flag_end);
	if (making)
		return statement(
			t, &sql_lab_deploy_failed,
			(struct postgres_param[]) { P_TEXT(w->slug), P_TEXT(refusal(t, r)) }, 2);
	/* Gone, never made, or no longer an experiment of ours: there is nothing left for us to end. */
	log_info("feature.flag", "flag %s: %s", w->key, refusal(t, r));
	return flag_is(t, w, "archived", 0);
}

/* Core knows the key already: ours, if its purpose names this deployment and the reply to our request was lost. */
static enum step
flag_own(struct task *t)
{
	struct flag_work *w = task_state(t, sizeof(*w));
	const struct http_client_reply *r = http_client_reply(t, 0);
	const struct str body = http_client_body(r);
	const char *mark = purpose_of(t, w->deployment);

	if (mark == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to look at the flag");
	if (http_client_status(r) == 200 && memmem(body.p, body.len, mark, strlen(mark)) != NULL)
		return flag_is(t, w, "made", revision_of(r));
	const char *why =
		arena_printf(&t->t_arena, "core has a flag %s of somebody else's already", w->key);
	return statement(t, &sql_lab_deploy_failed,
			 (struct postgres_param[]) { P_TEXT(w->slug), P_TEXT(why) }, 2);
}

static enum step
flag_end(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row flag_steps[] = {
	{ "ask", flag_ask }, { "work", flag_work }, { "look", flag_look },
	{ "own", flag_own }, { "end", flag_end },   { NULL, NULL },
};

/* ---- whose it is ---- */

enum { OF_SLUG, OF_KEY, OF_BUSINESS, OF_TECHNICAL };

struct owners_work {
	const char *slug, *business, *technical;
};

static enum step
owners_ask(struct task *t)
{
	return statement(t, &sql_lab_next_owners, NULL, 0);
}

/* The names are core's to tell: what passes the airlock has none. */
static enum step
owners_names(struct task *t)
{
	struct owners_work *w = task_state(t, sizeof(*w));

	if (postgres_rows(t, 0) == 0 || w == NULL)
		return STEP_DONE;
	w->slug = kept(t, OF_SLUG);
	w->business = kept(t, OF_BUSINESS);
	w->technical = kept(t, OF_TECHNICAL);
	const char *url = arena_printf(&t->t_arena, "/v1/flags/%s", kept(t, OF_KEY));
	return http_client_wait(
		jobs_conf.core, t,
		&(struct http_client_call) { .method = HTTP_GET, .url = str_of(url) });
}

static enum step
owners_store(struct task *t)
{
	const struct owners_work *w = task_state(t, sizeof(*w));
	const struct http_client_reply *r = http_client_reply(t, 0);
	struct cJSON *j = NULL;
	const char *business = NULL, *technical = NULL;
	struct err_info info = { .code = ERR_OK };

	enum err err = http_client_status(r) == 200 ? json_parse(http_client_body(r), &j, &info)
						    : ERR_UPSTREAM;
	if (err == ERR_OK)
		err = json_string(j, "business_owner", true, &business, &info);
	if (err == ERR_OK)
		err = json_string(j, "technical_owner", true, &technical, &info);
	const enum step next = err != ERR_OK
				       ? task_fail_set(t, ERR_UPSTREAM, NULL,
						       "core does not name the owners of %s (%d)",
						       w->slug, http_client_status(r))
				       : statement(t, &sql_lab_owners_are,
						   (struct postgres_param[]) {
							   P_TEXT(w->slug), P_TEXT(w->business),
							   P_TEXT(w->technical), P_TEXT(business),
							   P_TEXT(technical) },
						   5);
	json_free(j);
	return next;
}

static enum step
owners_end(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row owners_steps[] = {
	{ "ask", owners_ask },
	{ "names", owners_names },
	{ "store", owners_store },
	{ "end", owners_end },
	{ NULL, NULL },
};

/* ---- the jobs child's own set of features, for metrics ---- */

static enum step
follow_ask(struct task *t)
{
	return statement(t, &sql_lab_generation, NULL, 0);
}

static enum step
follow_look(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, -1) != sandbox_features_generation(SANDBOX_FEATURES_METRICS))
		sandbox_features_load(SANDBOX_FEATURES_METRICS, t->t_engine);
	return STEP_DONE;
}

static const struct step_row follow_steps[] = { { "ask", follow_ask },
						{ "look", follow_look },
						{ NULL, NULL } };

void
sandbox_hypothesis_jobs(struct daemon_jobs *jobs, const struct sandbox_hypothesis_jobs_conf *conf)
{
	jobs_conf = *conf;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feature.catalog",
						     .period = CATALOG_PERIOD,
						     .deadline = CATALOG_DEADLINE,
						     .steps = catalog_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feature.flag",
						     .period = FLAG_PERIOD,
						     .deadline = FLAG_DEADLINE,
						     .steps = flag_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feature.owners",
						     .period = OWNERS_PERIOD,
						     .deadline = FLAG_DEADLINE,
						     .steps = owners_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feature.follow",
						     .period = FOLLOW_PERIOD,
						     .steps = follow_steps });
}
