/*
 * flag_cases.c — runs the evaluator over GrowthBook's published cases: flag_cases FILE
 *
 * Every section about evaluation is run: a feature becomes a rule document of ours (flag_translate.h), is compiled as
 * when a flag is saved, put into a snapshot and evaluated there. Where GrowthBook ignores a rule that cannot be right,
 * ours refuses the document when it is saved; such a case passes only if the rule is refused and the document without
 * it gives the expected answer, and these are counted apart. A condition that is refused when it is saved passes only if
 * it is false as a stored one. Cases about addresses in a browser and about encryption are named and not counted.
 *
 * Exit code: 0 all cases pass, 1 some do not or a section has none, 2 the file cannot be used.
 */
#include <math.h>

#include "base/log.h"
#include "flag/condition.h"
#include "flag/flag.h"
#include "tests/data/flag_translate.h"
#include "tests/support/flag_rows.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)
#define STICKY_MAX 16

enum result { FAILED, PASSED, PASSED_BY_REFUSAL, NOT_COVERED };

struct section {
	const char *name;
	enum result (*run)(const cJSON *c);
};

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static enum result
passed(bool good)
{
	return good ? PASSED : FAILED;
}

/* ---- sections of plain functions ---- */

static enum result
run_hash(const cJSON *c)
{
	const double got = flag_hash_by((unsigned)at(c, 2)->valueint, str_of(at(c, 0)->valuestring),
					str_of(at(c, 1)->valuestring));
	return passed(cJSON_IsNull(at(c, 3)) ? got < 0 : near(got, at(c, 3)->valuedouble));
}

static enum result
run_ranges(const cJSON *c)
{
	const cJSON *in = at(c, 1);
	const cJSON *want = at(c, 2);
	const cJSON *w = at(in, 2);
	double weights[FLAG_VARIATIONS_MAX];
	struct flag_range got[FLAG_VARIATIONS_MAX];
	const int n = at(in, 0)->valueint;
	const int n_weights = cJSON_IsArray(w) ? length(w) : 0;

	if (n > FLAG_VARIATIONS_MAX || n_weights > FLAG_VARIATIONS_MAX)
		return FAILED;
	for (int i = 0; i < n_weights; i++)
		weights[i] = at(w, i)->valuedouble;
	flag_bucket_ranges((unsigned)n, at(in, 1)->valuedouble, cJSON_IsArray(w) ? weights : NULL,
			   (size_t)n_weights, got);
	for (int i = 0; i < n; i++)
		if (!near(got[i].start, at(at(want, i), 0)->valuedouble) ||
		    !near(got[i].end, at(at(want, i), 1)->valuedouble))
			return FAILED;
	return passed(length(want) == n);
}

static enum result
run_choose(const cJSON *c)
{
	const cJSON *r = at(c, 2);
	struct flag_range ranges[FLAG_VARIATIONS_MAX];
	const int n = length(r);

	for (int i = 0; i < n && i < FLAG_VARIATIONS_MAX; i++)
		ranges[i] = (struct flag_range) { at(at(r, i), 0)->valuedouble,
						  at(at(r, i), 1)->valuedouble };
	return passed(flag_bucket_choose(at(c, 1)->valuedouble, ranges, (unsigned)n) ==
		      at(c, 3)->valueint);
}

/* Equal weights show as the widths of the ranges; the file rounds them to eight digits. */
static enum result
run_equal(const cJSON *c)
{
	const int n = at(c, 0)->valueint > 0 ? at(c, 0)->valueint : 0;
	struct flag_range r[FLAG_VARIATIONS_MAX];

	flag_bucket_ranges((unsigned)n, 1, NULL, 0, r);
	for (int i = 0; i < n; i++)
		if (fabs(r[i].end - r[i].start - at(at(c, 1), i)->valuedouble) > 1e-8)
			return FAILED;
	return passed(length(at(c, 1)) == n);
}

/* ---- snapshots ---- */

static PGresult *
segments_make(const cJSON *groups)
{
	PGresult *r = flag_segments_make();
	const cJSON *g = NULL;

	cJSON_ArrayForEach(g, groups)
	{
		char *text = cJSON_PrintUnformatted(g);
		flag_segment_add(r, g->string, text);
		free(text);
	}
	return r;
}

static struct flag_snapshot *
snapshot_make(PGresult *flags, const cJSON *groups)
{
	struct flag_snapshot *s = NULL;
	struct err_info info = { .code = ERR_OK };
	PGresult *segments = segments_make(groups);

	if (flag_snapshot_build_with(flags, segments, &s, &info) != ERR_OK)
		printf("no snapshot: %s\n", info.msg);
	PQclear(segments);
	PQclear(flags);
	return s;
}

/* ---- conditions ---- */

static enum result
run_condition(const cJSON *c)
{
	struct arena a;
	struct flag_context context = { .attributes = NULL };
	struct flag_condition_compiler how = { .arena = &a };
	const struct flag_condition *condition = NULL;
	char *text = cJSON_PrintUnformatted(at(c, 1));
	char *attributes = cJSON_PrintUnformatted(at(c, 2));
	PGresult *flags = flag_rows_make();
	enum result result = PASSED;

	flag_row_add(flags, NULL, "{}");
	struct flag_snapshot *s = snapshot_make(flags, at(c, 4));
	struct flag_scope scope = { .context = &context, .snapshot = s, .work = FLAG_WORK_MAX };
	arena_init(&a, ARENA_CAP_BYTES);
	if (flag_condition_compile(&how, str_of(text), "", &condition, NULL) != ERR_OK) {
		result = PASSED_BY_REFUSAL;
		how.lenient = true;
		if (flag_condition_compile(&how, str_of(text), "", &condition, NULL) != ERR_OK)
			result = FAILED;
	}
	if (result == FAILED ||
	    flag_context_read(&a, str_of(attributes), "", &context, NULL) != ERR_OK ||
	    flag_condition_holds(condition, &scope, NULL) != cJSON_IsTrue(at(c, 3)))
		result = FAILED;
	free(text);
	free(attributes);
	arena_release(&a);
	flag_snapshot_unref(s);
	return result;
}

/* ---- features ---- */

struct evaluation {
	struct translation t;
	struct arena arena;
	struct flag_snapshot *snapshot;
	struct flag_context context;
	struct flag_sticky sticky[STICKY_MAX];
	struct flag_forced forced[STICKY_MAX];
	struct flag_result r;
	int refused;
};

/* The document as it can be saved: rules that are refused are taken out. */
static char *
document_text(struct evaluation *e, const char *key, cJSON *document)
{
	const struct flag_document *compiled = NULL;

	for (;;) {
		struct err_info info = { .code = ERR_OK };
		char *text = cJSON_PrintUnformatted(document);
		int rule = 0;
		if (flag_document_compile(&e->arena, str_of(key), str_of(text), "", &compiled,
					  &info) == ERR_OK)
			return text;
		free(text);
		if (sscanf(info.field, "/rules/%d", &rule) != 1) {
			printf("refused: %s: %s\n", info.field, info.msg);
			return NULL;
		}
		cJSON_DeleteItemFromArray(cJSON_GetObjectItem(document, "rules"), rule);
		e->refused++;
	}
}

static void
feature_add(struct evaluation *e, PGresult *flags, const char *key, const cJSON *feature)
{
	char name[NAME_SIZE];
	cJSON *document = feature_translate(&e->t, key, feature);

	name_of(key, name);
	char *text = document_text(e, name, document);
	flag_row_add(flags, name, text != NULL ? text : "{}");
	free(text);
	cJSON_Delete(document);
}

static void
context_make(struct evaluation *e, const cJSON *context, const cJSON *docs)
{
	char *text = cJSON_PrintUnformatted(get(context, "attributes"));
	const struct str copy = arena_str(&e->arena, text != NULL ? str_of(text) : STR("{}"));
	const cJSON *item = NULL;
	const cJSON *doc = NULL;

	BUG_ON(flag_context_read(&e->arena, copy, "", &e->context, NULL) != ERR_OK);
	free(text);
	e->context.experiments_off = cJSON_IsFalse(get(context, "enabled"));
	e->context.forced_only = cJSON_IsTrue(get(context, "qaMode"));
	e->context.forced = e->forced;
	e->context.sticky = e->sticky;
	cJSON_ArrayForEach(item, get(context, "forcedVariations"))
	{
		const struct arm *arm = arm_find(&e->t, item->string, item->valueint, NULL);
		if (arm != NULL)
			e->forced[e->context.n_forced++] =
				(struct flag_forced) { str_of(arm->experiment), str_of(arm->name) };
	}
	cJSON_ArrayForEach(doc, docs) cJSON_ArrayForEach(item, get(doc, "assignments"))
	{
		struct str experiment = str_of(item->string);
		const char *const mark = strstr(item->string, "__");
		experiment.len = (size_t)(mark - item->string);
		const char *key = arena_strdup(&e->arena, experiment);
		const struct arm *arm = arm_find(&e->t, key, 0, item->valuestring);
		e->sticky[e->context.n_sticky++] = (struct flag_sticky) {
			.attribute = str_of(get(doc, "attributeName")->valuestring),
			.value = str_of(get(doc, "attributeValue")->valuestring),
			.experiment = str_of(key),
			.version = (unsigned)atol(mark + 2),
			.variation = str_of(arm != NULL ? arm->name : "there-is-none"),
		};
	}
}

/* `only`: a rule by itself, as feature `key`. */
static void
evaluate(struct evaluation *e, const cJSON *context, const char *key, const cJSON *only,
	 const cJSON *docs)
{
	char name[NAME_SIZE];
	const cJSON *f = NULL;
	PGresult *flags = flag_rows_make();

	memset(e, 0, sizeof(*e));
	arena_init(&e->arena, ARENA_CAP_BYTES);
	e->t.bandits = get(context, "contextualBandits");
	flag_row_add(flags, NULL, "{}");
	cJSON_ArrayForEach(f, get(context, "features")) feature_add(e, flags, f->string, f);
	if (only != NULL) {
		cJSON *feature = cJSON_CreateObject();
		put(feature, "defaultValue", at(get(only, "variations"), 0));
		cJSON_AddItemToArray(cJSON_AddArrayToObject(feature, "rules"),
				     cJSON_Duplicate(only, true));
		feature_add(e, flags, key, feature);
		cJSON_Delete(feature);
	}
	e->snapshot = snapshot_make(flags, get(context, "savedGroups"));
	context_make(e, context, docs);
	name_of(key, name);
	flag_evaluate_in(e->snapshot, str_of(name), &e->context, 0, &e->r);
}

static void
evaluation_end(struct evaluation *e)
{
	flag_snapshot_unref(e->snapshot);
	arena_release(&e->arena);
}

static bool
same_value(const struct flag_result *r, const cJSON *want)
{
	if (r->value.p == NULL || str_is(r->variation, "none"))
		return cJSON_IsNull(want);
	cJSON *j = cJSON_ParseWithLength(r->value.p, r->value.len);
	const bool same = j != NULL && cJSON_Compare(j, want, true);
	cJSON_Delete(j);
	return same;
}

static bool
same_text(struct str got, const cJSON *want)
{
	char number[32] = "";

	if (cJSON_IsNumber(want))
		(void)snprintf(number, sizeof(number), "%.15g", want->valuedouble);
	return str_is(got, cJSON_IsString(want) ? want->valuestring : number);
}

/* What of GrowthBook's result of an experiment we tell too. */
static bool
same_experiment(const struct evaluation *e, const cJSON *want, const cJSON *context)
{
	const struct flag_result *r = &e->r;
	const cJSON *leaf = get(want, "leafId");
	const cJSON *bandit = get(context, "contextualBandits");
	const struct arm *arm = NULL;

	for (int i = 0; i < e->t.n_arms; i++)
		if (str_is(r->variation, e->t.arms[i].name))
			arm = &e->t.arms[i];
	const cJSON *contexts = bandit != NULL ? get(bandit->child, "contexts") : NULL;
	const int got_leaf = r->leaf >= 0 ? get(at(contexts, r->leaf), "leafId")->valueint : -1;
	return arm != NULL && strcmp(arm->key, get(want, "key")->valuestring) == 0 &&
	       r->arm == get(want, "variationId")->valueint && same_value(r, get(want, "value")) &&
	       r->in_experiment == cJSON_IsTrue(get(want, "inExperiment")) &&
	       r->hashed == cJSON_IsTrue(get(want, "hashUsed")) &&
	       same_text(r->attribute, get(want, "hashAttribute")) &&
	       same_text(r->hash_value, get(want, "hashValue")) &&
	       (get(want, "bucket") == NULL || near(r->bucket, get(want, "bucket")->valuedouble)) &&
	       r->sticky_used == cJSON_IsTrue(get(want, "stickyBucketUsed")) &&
	       (leaf == NULL || leaf->valueint == got_leaf);
}

static bool
same_source(const struct flag_result *r, const char *want)
{
	static const struct {
		const char *name;
		enum flag_source source;
	} sources[] = { { "unknownFeature", FLAG_BY_NOTHING },
			{ "defaultValue", FLAG_BY_DEFAULT },
			{ "force", FLAG_BY_FORCE },
			{ "experiment", FLAG_BY_EXPERIMENT },
			{ "prerequisite", FLAG_BY_PREREQUISITE },
			{ "cyclicPrerequisite", FLAG_BY_CYCLE } };

	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (strcmp(sources[i].name, want) == 0)
			return sources[i].source == r->source &&
			       (r->outcome == FLAG_UNKNOWN) == (i == 0);
	return false;
}

/* Truth of the value, as "on" has it. */
static bool
same_on(struct evaluation *e, const cJSON *want)
{
	const struct flag_value *v = &flag_value_null;

	if (e->r.value.p != NULL && !str_is(e->r.variation, "none"))
		BUG_ON(flag_value_read(&e->arena, e->r.value, "", 1000, &v, NULL) != ERR_OK);
	return flag_value_truthy(v) == cJSON_IsTrue(want);
}

static enum result
run_feature(const cJSON *c)
{
	static struct evaluation e;
	const cJSON *context = at(c, 1);
	const cJSON *want = at(c, 3);
	const bool experiment = get(want, "experimentResult") != NULL;

	if (get(context, "url") != NULL)
		return NOT_COVERED;
	evaluate(&e, context, at(c, 2)->valuestring, NULL, NULL);
	const bool good =
		same_value(&e.r, get(want, "value")) && same_on(&e, get(want, "on")) &&
		same_source(&e.r, get(want, "source")->valuestring) &&
		str_is(e.r.rule_id, get(want, "ruleId")->valuestring) &&
		(!experiment || same_experiment(&e, get(want, "experimentResult"), context));
	const enum result result = !good ? FAILED : e.refused > 0 ? PASSED_BY_REFUSAL : PASSED;
	evaluation_end(&e);
	return result;
}

/* An experiment by itself: [name, context, experiment, value, in the experiment?, hash used?]. */
static enum result
run_run(const cJSON *c)
{
	static struct evaluation e;

	if (get(at(c, 1), "url") != NULL)
		return NOT_COVERED;
	evaluate(&e, at(c, 1), get(at(c, 2), "key")->valuestring, at(c, 2), NULL);
	const bool good = same_value(&e.r, at(c, 3)) &&
			  e.r.in_experiment == cJSON_IsTrue(at(c, 4)) &&
			  e.r.hashed == cJSON_IsTrue(at(c, 5));
	const enum result result = !good ? FAILED : e.refused > 0 ? PASSED_BY_REFUSAL : PASSED;
	evaluation_end(&e);
	return result;
}

/* A namespace, seen through an experiment in it: [name, id, [namespace, from, to], in?]. */
static enum result
run_namespace(const cJSON *c)
{
	static struct evaluation e;
	cJSON *context = cJSON_Parse("{\"attributes\":{}}");
	cJSON *rule = cJSON_Parse("{\"variations\":[0,1]}");

	put(cJSON_GetObjectItem(context, "attributes"), "id", at(c, 1));
	put(rule, "namespace", at(c, 2));
	evaluate(&e, context, "in-namespace", rule, NULL);
	const bool good = e.refused == 0 && e.r.in_experiment == cJSON_IsTrue(at(c, 3));
	evaluation_end(&e);
	cJSON_Delete(context);
	cJSON_Delete(rule);
	return passed(good);
}

static const cJSON *
assignments_of(const cJSON *docs, const cJSON *doc)
{
	const cJSON *d = NULL;

	cJSON_ArrayForEach(d, docs) if (strcmp(get(d, "attributeName")->valuestring,
					       get(doc, "attributeName")->valuestring) == 0 &&
					strcmp(get(d, "attributeValue")->valuestring,
					       get(doc, "attributeValue")->valuestring) ==
						0) return get(d, "assignments");
	return NULL;
}

/* Each assignment that is expected afterwards was there before, or is the one that the result says is new; and no
 * other is. */
static bool
same_docs(const struct evaluation *e, const cJSON *before, const cJSON *after)
{
	const struct flag_result *r = &e->r;
	char experiment[NAME_SIZE];
	char id[2 * NAME_SIZE];
	const cJSON *doc = NULL;
	const cJSON *a = NULL;
	int fresh = 0;

	(void)str_copy(experiment, sizeof(experiment), r->experiment);
	(void)snprintf(id, sizeof(id), "%s__%u", experiment, r->bucket_version);
	cJSON_ArrayForEach(doc, after) cJSON_ArrayForEach(a, get(doc, "assignments"))
	{
		const cJSON *old = get(assignments_of(before, doc), a->string);
		if (old != NULL && strcmp(old->valuestring, a->valuestring) == 0)
			continue;
		const struct arm *arm = arm_find(&e->t, experiment, 0, a->valuestring);
		if (!r->sticky_new || strcmp(id, a->string) != 0 || arm == NULL ||
		    !str_is(r->variation, arm->name) ||
		    !str_is(r->attribute, get(doc, "attributeName")->valuestring) ||
		    !str_is(r->hash_value, get(doc, "attributeValue")->valuestring))
			return false;
		fresh++;
	}
	return fresh == (r->sticky_new ? 1 : 0);
}

/* [name, context, assignments before, feature, the experiment's result or null, assignments after]. */
static enum result
run_sticky(const cJSON *c)
{
	static struct evaluation e;

	evaluate(&e, at(c, 1), at(c, 3)->valuestring, NULL, at(c, 2));
	const bool in = !cJSON_IsNull(at(c, 4));
	const bool good = e.refused == 0 && e.r.in_experiment == in &&
			  (!in || same_experiment(&e, at(c, 4), at(c, 1))) &&
			  same_docs(&e, at(c, 2), at(c, 5));
	evaluation_end(&e);
	return passed(good);
}

/* ---- the run ---- */

static const struct section sections[] = {
	{ "evalCondition", run_condition }, { "hash", run_hash },
	{ "getBucketRange", run_ranges },   { "chooseVariation", run_choose },
	{ "getEqualWeights", run_equal },   { "inNamespace", run_namespace },
	{ "feature", run_feature },         { "run", run_run },
	{ "stickyBucket", run_sticky },     { "contextualBandit", run_feature },
};

static const struct {
	const char *name, *why;
} left_out[] = {
	{ "getQueryStringOverride", "about the address in a browser" },
	{ "urlRedirect", "about the address in a browser" },
	{ "decrypt", "about encrypted payloads of GrowthBook's own service" },
};

/* Topics that are cases of other sections: by words of their names. */
static struct {
	const char *name, *word;
	int passed, covered;
} topics[] = { { "holdouts", "holdout", 0, 0 },
	       { "pass-through", "passthrough", 0, 0 },
	       { "prerequisites", "rerequisite", 0, 0 },
	       { "saved groups", "roup", 0, 0 },
	       { "versions", "version ", 0, 0 } };

static void
topics_count(const char *name, enum result r)
{
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		if (strstr(name, topics[i].word) == NULL)
			continue;
		topics[i].covered += r != NOT_COVERED;
		topics[i].passed += r == PASSED || r == PASSED_BY_REFUSAL;
	}
}

static bool
section_run(const struct section *s, const cJSON *cases)
{
	int count[4] = { 0, 0, 0, 0 };
	int i = 0;
	const cJSON *c = NULL;

	cJSON_ArrayForEach(c, cases)
	{
		const char *name = cJSON_IsString(at(c, 0)) ? at(c, 0)->valuestring : "";
		const enum result r = s->run(c);
		count[r]++;
		topics_count(name, r);
		if (r == FAILED)
			printf("FAILED %s, case %d: %s\n", s->name, i, name);
		i++;
	}
	const int good = count[PASSED] + count[PASSED_BY_REFUSAL];
	const int covered = good + count[FAILED];
	printf("%-22s %3d/%-3d", s->name, good, covered);
	if (count[PASSED_BY_REFUSAL] > 0)
		printf("  %d of them refused when saved", count[PASSED_BY_REFUSAL]);
	if (count[NOT_COVERED] > 0)
		printf("  %d not covered: about the address in a browser", count[NOT_COVERED]);
	printf("\n");
	return covered > 0 && good == covered;
}

static bool
sections_run(const cJSON *file)
{
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		good = section_run(&sections[i], get(file, sections[i].name)) && good;
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		printf("%-22s not covered, %d cases: %s\n", left_out[i].name,
		       length(get(file, left_out[i].name)), left_out[i].why);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		printf("  among them %-13s %3d/%-3d\n", topics[i].name, topics[i].passed,
		       topics[i].covered);
	return good;
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: flag_cases FILE\n");
		return 2;
	}
	FILE *f = fopen(argv[1], "rb");
	char *text = malloc(FILE_BYTES_MAX);
	if (f == NULL || text == NULL) {
		(void)fprintf(stderr, "flag_cases: could not read %s\n", argv[1]);
		return 2;
	}
	const size_t len = fread(text, 1, FILE_BYTES_MAX, f);
	(void)fclose(f);
	cJSON *file = cJSON_ParseWithLength(text, len);
	free(text);
	if (file == NULL) {
		(void)fprintf(stderr, "flag_cases: %s is not JSON\n", argv[1]);
		return 2;
	}
	const bool good = sections_run(file);
	cJSON_Delete(file);
	return good ? 0 : 1;
}
