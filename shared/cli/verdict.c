/*
 * verdict.c — the verdict on an experiment in words. The figures are those of the evidence; nothing is computed here. Rates are shown as
 * percentages where the method compared rates.
 */
#include "cli/verdict.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/show.h"

#define EXIT_NONE_YET 3
#define PAUSE_MS 200
#define SHOWN_BYTES_MAX ((size_t)64 * 1024)

struct words {
	const char *name;
	const char *text;
};

static const struct words outcomes[] = {
	{ "proven", "it works, by the rule that was fixed before the first customer" },
	{ "disproven", "it does not work, or it does harm" },
	{ "inconclusive", "neither proven nor disproven: the figures allow both" },
	{ "invalid", "the experiment went wrong, so its figures say nothing" },
};

static const struct words stops[] = {
	{ "planned_units", "as many people as planned took part" },
	{ "planned_time", "the planned time is over" },
	{ "harm", "a guardrail stopped it" },
	{ "stopped", "it was stopped by hand" },
};

static const struct words reasons[] = {
	{ "health_sample_ratio_mismatch",
	  "the groups are not as large as they were planned to be" },
	{ "health_replication_lag", "the copy was too far behind core" },
	{ "health_metric_changed", "flag, package or metric were altered while it ran" },
	{ "health_cycle_not_complete", "it ran for less than one full cycle" },
	{ "health_covariate_imbalance", "the groups differed before it began" },
	{ "health_double_assignment", "somebody was in two groups" },
	{ "harm_stop", "the harm was plain enough to stop before the planned end" },
	{ "planned_end_not_reached", "it ended before its planned end" },
	{ "metric_deteriorated", "became worse, by more than chance" },
	{ "minimum_effect_excluded",
	  "even the smallest effect that was worth having is ruled out" },
	{ "success_superior", "is better, by more than chance" },
	{ "success_not_superior", "is not better by more than chance" },
	{ "guardrail_noninferior", "is not worse than its margin allows" },
	{ "guardrail_not_noninferior", "might be worse than its margin allows" },
	{ "metric_without_data", "has no figures" },
};

static const char *
words_of(const struct words *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return list[i].text;
	return name;
}

/* "control 395, treatment 405" */
static void
people_print(const struct cJSON *evidence)
{
	const struct cJSON *arm;
	const struct cJSON *withdrawn = json_get(evidence, "withdrawn");
	struct buf text, name;

	buf_init(&text, SHOWN_BYTES_MAX);
	buf_init(&name, SHOWN_BYTES_MAX);
	cJSON_ArrayForEach(arm, json_get(evidence, "units"))
	{
		buf_add_cstr(&text, text.len > 0 ? ", " : "");
		buf_add_cstr(&text, arm->string);
		buf_add_char(&text, ' ');
		show_value(&text, arm, SHOW_TEXT);
	}
	if (cJSON_IsNumber(withdrawn) && withdrawn->valuedouble > 0) {
		buf_add_cstr(&text, "; left out because they withdrew: ");
		show_value(&text, withdrawn, SHOW_TEXT);
	}
	show_line("people", "%s", buf_cstr(&text) != NULL ? buf_cstr(&text) : "");
	buf_free(&name);
	buf_free(&text);
}

static bool
figure(const struct cJSON *j, const char *member, double *out)
{
	return json_number(j, member, true, out, NULL) == ERR_OK;
}

static void
metric_print(const struct cJSON *m)
{
	double control = 0, treatment = 0, low = 0, high = 0, bound = 0;
	struct buf name, arm, method;

	buf_init(&name, SHOWN_BYTES_MAX);
	buf_init(&arm, SHOWN_BYTES_MAX);
	buf_init(&method, SHOWN_BYTES_MAX);
	const char *of = show_text(m, "metric", &name);
	const char *with = show_text(m, "variation", &arm);
	const bool rate = strcmp(show_text(m, "method", &method), "newcombe") == 0;
	const bool success = figure(m, "minimum_effect", &bound);
	const double x = rate ? 100 : 1;
	const char *unit = rate ? " %" : "";

	if (!figure(m, "control", &control) || !figure(m, "treatment", &treatment))
		show_line(of, "no figures");
	else
		show_line(of, "%.4g%s without it, %.4g%s with %s", control * x, unit, treatment * x,
			  unit, with);
	const bool has_low = figure(m, "benefit_low", &low);
	const bool has_high = figure(m, "benefit_high", &high);
	if (success && has_low && has_high)
		show_line("", "better by %.3g to %.3g%s; %.3g%s was the least worth having",
			  low * x, high * x, unit, bound * x, unit);
	else if (!success && has_low && figure(m, "margin", &bound))
		show_line("", "worse by %.3g%s at most; %.3g%s was allowed",
			  low < 0 ? -low * x : 0.0, unit, bound * x, unit);
	buf_free(&name);
	buf_free(&arm);
	buf_free(&method);
}

static void
verdict_print(const struct cJSON *j)
{
	const struct cJSON *evidence = json_get(j, "evidence");
	const struct cJSON *item;
	struct buf a, b;

	buf_init(&a, SHOWN_BYTES_MAX);
	buf_init(&b, SHOWN_BYTES_MAX);
	const char *slug = show_text(j, "slug", &a);
	const char *verdict = show_text(j, "verdict", &b);
	printf("%s: %s\n", slug, verdict);
	show_line("meaning", "%s", words_of(outcomes, ARRAY_LEN(outcomes), verdict));
	const bool proven = strcmp(verdict, "proven") == 0;
	show_line("ended", "%s",
		  words_of(stops, ARRAY_LEN(stops), show_text(j, "stop_reason", &a)));
	people_print(evidence);
	cJSON_ArrayForEach(item, json_get(evidence, "metrics")) metric_print(item);
	cJSON_ArrayForEach(item, json_get(j, "reasons"))
	{
		const char *why =
			words_of(reasons, ARRAY_LEN(reasons), show_text(item, "reason", &a));
		const char *metric = show_text(item, "metric", &b);
		show_line("because", "%s%s%s", metric, metric[0] != '\0' ? " " : "", why);
	}
	if (proven)
		show_line("next", "bimodal experiment promote %s", show_text(j, "slug", &a));
	buf_free(&a);
	buf_free(&b);
}

/* Not there yet, or never to come? */
static bool
yet_to_come(const struct cli_reply *reply)
{
	char detail[256] = "";

	return reply->status == 404 && cli_reply_member(reply, "detail", detail, sizeof(detail)) &&
	       !str_starts(str_of(detail), "there is no experiment");
}

int
verdict_show(struct cli *c, const char *slug, int64_t wait_s)
{
	const usec_t until = clock_now_us() + wait_s * USEC_PER_SEC;
	const struct timespec pause = { .tv_nsec = PAUSE_MS * USEC_PER_MS * 1000 };
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf path;
	int exit_code = 1;
	bool got;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/experiments/");
	cli_escape(&path, slug);
	buf_add_cstr(&path, "/verdict");
	while ((got = cli_call(c, CLI_SANDBOX, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) &&
	       yet_to_come(&reply) && clock_now_us() < until) {
		cli_reply_free(&reply);
		(void)nanosleep(&pause, NULL);
	}
	if (got && reply.status == 200 && !c->raw &&
	    json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK) {
		verdict_print(j);
		exit_code = 0;
	} else if (got) {
		exit_code = cli_reply_print(c, &reply);
	}
	if (got && yet_to_come(&reply)) {
		fprintf(stderr,
			"hint: it comes at the planned end: bimodal experiment get %s; or wait for "
			"it with "
			"--wait SECONDS\n",
			slug);
		exit_code = EXIT_NONE_YET;
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}
