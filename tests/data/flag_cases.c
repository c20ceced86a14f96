/*
 * flag_cases.c — runs the evaluator over GrowthBook's published cases: flag_cases FILE
 *
 * Covered, by section: hash (version 2), getBucketRange, chooseVariation, getEqualWeights, and
 * those cases of feature and run that say nothing beyond what a rule document of ours can say: hash
 * version 2 (or no hashing at all), force, coverage, seed, variations, weights, one attribute as
 * the unit. A case that needs more is counted as not covered, never as passed. A case is translated
 * into a rule document and compiled like any other, so the compiler is under test too.
 *
 * Exit code: 0 all covered cases pass, 1 some do not or a section has none, 2 the file cannot be
 * used.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "flag/flag.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)
#define DOCUMENT_BYTES_MAX (64 * 1024)

struct section {
	const char *name;
	/* 1 passed, 0 failed, -1 not covered */
	int (*run)(const cJSON *c);
};

static int
length(const cJSON *array)
{
	return cJSON_GetArraySize(array);
}

static const cJSON *
at(const cJSON *array, int i)
{
	return cJSON_GetArrayItem(array, i);
}

static const cJSON *
get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

/* ---- sections of plain functions ---- */

static int
run_hash(const cJSON *c)
{
	if (at(c, 2)->valueint != 2)
		return -1;
	return near(flag_hash(str_of(at(c, 0)->valuestring), str_of(at(c, 1)->valuestring)),
		    at(c, 3)->valuedouble);
}

static int
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
		return -1;
	for (int i = 0; i < n_weights; i++)
		weights[i] = at(w, i)->valuedouble;
	flag_bucket_ranges((unsigned)n, at(in, 1)->valuedouble, cJSON_IsArray(w) ? weights : NULL,
			   (size_t)n_weights, got);
	for (int i = 0; i < n; i++)
		if (!near(got[i].start, at(at(want, i), 0)->valuedouble) ||
		    !near(got[i].end, at(at(want, i), 1)->valuedouble))
			return 0;
	return length(want) == n;
}

static int
run_choose(const cJSON *c)
{
	const cJSON *r = at(c, 2);
	struct flag_range ranges[FLAG_VARIATIONS_MAX];
	const int n = length(r);

	if (n > FLAG_VARIATIONS_MAX)
		return -1;
	for (int i = 0; i < n; i++)
		ranges[i] = (struct flag_range) { at(at(r, i), 0)->valuedouble,
						  at(at(r, i), 1)->valuedouble };
	return flag_bucket_choose(at(c, 1)->valuedouble, ranges, (unsigned)n) == at(c, 3)->valueint;
}

/* Equal weights show as the widths of the ranges; the file rounds them to eight digits. */
static int
run_equal(const cJSON *c)
{
	const int n = at(c, 0)->valueint;
	struct flag_range r[FLAG_VARIATIONS_MAX];

	if (n < 1 || n > FLAG_VARIATIONS_MAX)
		return -1; /* a document cannot have such an experiment */
	flag_bucket_ranges((unsigned)n, 1, NULL, 0, r);
	for (int i = 0; i < n; i++)
		if (fabs(r[i].end - r[i].start - at(at(c, 1), i)->valuedouble) > 1e-8)
			return 0;
	return length(at(c, 1)) == n;
}

/* ---- rules as documents ---- */

/* Every member is known and without effect on the result, or one of those that a document of ours
 * has. */
static bool
only(const cJSON *object, const char *const *known)
{
	for (const cJSON *m = object->child; m != NULL; m = m->next) {
		bool is_known = false;
		for (const char *const *k = known; *k != NULL; k++)
			is_known = is_known || strcmp(m->string, *k) == 0;
		if (!is_known)
			return false;
	}
	return true;
}

struct translation {
	struct buf variations;
	struct buf rules;
	int n; /* variations so far */
};

/* Adds a value as the next variation "v<n>". */
static bool
variation_add(struct translation *t, const cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);
	if (text == NULL)
		return false;
	buf_printf(&t->variations, "%s{\"key\":\"v%d\",\"value\":%s}", t->n > 0 ? "," : "", t->n,
		   text);
	free(text);
	t->n++;
	return true;
}

static bool
hashes_as_we_do(const cJSON *rule)
{
	const cJSON *version = get(rule, "hashVersion");
	const cJSON *attribute = get(rule, "hashAttribute");
	return version != NULL && version->valueint == 2 &&
	       (attribute == NULL || strcmp(attribute->valuestring, "id") == 0);
}

static void
number_add(struct buf *b, const char *name, const cJSON *v)
{
	if (v != NULL)
		buf_printf(b, ",\"%s\":%.17g", name, v->valuedouble);
}

static bool
force_add(struct translation *t, const cJSON *rule)
{
	static const char *const known[] = { "force",         "coverage", "seed", "hashVersion",
					     "hashAttribute", "id",       NULL };
	const cJSON *coverage = get(rule, "coverage");

	if (!only(rule, known) || (coverage != NULL && !hashes_as_we_do(rule)))
		return false;
	buf_printf(&t->rules, "%s{\"force\":\"v%d\"", t->rules.len > 0 ? "," : "", t->n);
	number_add(&t->rules, "coverage", coverage);
	if (coverage != NULL && get(rule, "seed") != NULL) {
		buf_add_cstr(&t->rules, ",\"seed\":");
		buf_json_cstr(&t->rules, get(rule, "seed")->valuestring);
	}
	buf_add_char(&t->rules, '}');
	return variation_add(t, get(rule, "force"));
}

/* An arm that hands over to the next rule: a holdout, which our documents do not have. */
static bool
passes_through(const cJSON *meta)
{
	const cJSON *arm = NULL;
	cJSON_ArrayForEach(arm, meta) if (get(arm, "passthrough") != NULL) return true;
	return false;
}

/* The seed is the rule's, or its key, or (the document's own default) the flag's. */
static bool
experiment_add(struct translation *t, const cJSON *rule)
{
	static const char *const known[] = {
		"variations", "weights", "coverage", "seed",  "hashVersion", "hashAttribute", "key",
		"id",         "meta",    "name",     "phase", "type",        "banditVersion", NULL
	};
	const cJSON *variations = get(rule, "variations");
	const cJSON *weights = get(rule, "weights");
	const cJSON *seed = get(rule, "seed") != NULL ? get(rule, "seed") : get(rule, "key");

	if (!only(rule, known) || !hashes_as_we_do(rule) || passes_through(get(rule, "meta")))
		return false;
	buf_printf(&t->rules, "%s{\"experiment\":{\"variations\":[", t->rules.len > 0 ? "," : "");
	for (int i = 0; i < length(variations); i++)
		buf_printf(&t->rules, "%s\"v%d\"", i > 0 ? "," : "", t->n + i);
	buf_add_char(&t->rules, ']');
	if (weights != NULL) {
		char *text = cJSON_PrintUnformatted(weights);
		buf_printf(&t->rules, ",\"weights\":%s", text);
		free(text);
	}
	number_add(&t->rules, "coverage", get(rule, "coverage"));
	if (seed != NULL) {
		buf_add_cstr(&t->rules, ",\"seed\":");
		buf_json_cstr(&t->rules, seed->valuestring);
	}
	buf_add_cstr(&t->rules, "}}");
	for (int i = 0; i < length(variations); i++)
		if (!variation_add(t, at(variations, i)))
			return false;
	return true;
}

/* The unit, as text: GrowthBook hashes a number as its decimal text. */
static struct str
unit_of(const cJSON *attributes, char *room, size_t size)
{
	const cJSON *id = get(attributes, "id");
	if (cJSON_IsString(id))
		return str_of(id->valuestring);
	if (!cJSON_IsNumber(id))
		return STR_NONE;
	const int n = snprintf(room, size, "%d", id->valueint);
	return (struct str) { room, (size_t)n };
}

/* Evaluates the translated rules; false: not a document of ours (its compiler says no). */
static bool
evaluate(struct translation *t, const char *key, struct str unit, struct arena *a,
	 struct flag_result *r)
{
	const struct flag_document *d = NULL;
	struct buf text;

	buf_init(&text, DOCUMENT_BYTES_MAX);
	buf_printf(&text,
		   "{\"unit\":\"visitor\",\"variations\":[%s],\"rules\":[%s],\"default\":\"v0\"}",
		   buf_cstr(&t->variations), t->rules.len > 0 ? buf_cstr(&t->rules) : "");
	const bool compiled =
		flag_document_compile(a, str_of(key), buf_str(&text), "", &d, NULL) == ERR_OK;
	if (compiled)
		flag_document_evaluate(d, unit, r);
	buf_free(&text);
	return compiled;
}

static bool
same_value(struct str got, const cJSON *want)
{
	cJSON *j = cJSON_ParseWithLength(got.p, got.len);
	const bool same = j != NULL && cJSON_Compare(j, want, true);
	cJSON_Delete(j);
	return same;
}

static int
result_compare(const struct flag_result *r, const cJSON *want)
{
	const char *source = get(want, "source")->valuestring;
	/* Without a unit GrowthBook goes on to the next rule; on the wire of ours it is an error of
	 * the caller. */
	if (r->outcome == FLAG_UNIT_MISSING)
		return -1;
	const bool is_default = r->reason == FLAG_DEFAULT || r->reason == FLAG_STATIC;
	return same_value(r->value, get(want, "value")) &&
	       is_default == (strcmp(source, "defaultValue") == 0) &&
	       (strcmp(source, "experiment") != 0 || r->reason == FLAG_SPLIT);
}

static int
run_feature(const cJSON *c)
{
	static const char *const context_known[] = { "attributes", "features", NULL };
	static const char *const feature_known[] = { "defaultValue", "rules", NULL };
	const cJSON *context = at(c, 1);
	const char *key = at(c, 2)->valuestring;
	const cJSON *feature = get(get(context, "features"), key);
	struct translation t = { .n = 0 };
	struct flag_result r;
	struct arena a;
	char room[24];
	int result = -1;

	if (feature == NULL || !only(context, context_known) || !only(feature, feature_known) ||
	    get(feature, "defaultValue") == NULL)
		return -1;
	arena_init(&a, ARENA_CAP_BYTES);
	buf_init(&t.variations, DOCUMENT_BYTES_MAX);
	buf_init(&t.rules, DOCUMENT_BYTES_MAX);
	bool ours = variation_add(&t, get(feature, "defaultValue"));
	const cJSON *rule = NULL;
	cJSON_ArrayForEach(rule, get(feature, "rules")) ours =
		ours && (get(rule, "force") != NULL
				 ? force_add(&t, rule)
				 : get(rule, "variations") != NULL && experiment_add(&t, rule));
	if (ours &&
	    evaluate(&t, key, unit_of(get(context, "attributes"), room, sizeof(room)), &a, &r))
		result = result_compare(&r, at(c, 3));
	buf_free(&t.variations);
	buf_free(&t.rules);
	arena_release(&a);
	return result;
}

/* An experiment by itself: [name, context, experiment, value, in the experiment?, …]. */
static int
run_run(const cJSON *c)
{
	static const char *const context_known[] = { "attributes", NULL };
	struct translation t = { .n = 0 };
	struct flag_result r;
	struct arena a;
	char room[24];
	int result = -1;

	if (!only(at(c, 1), context_known))
		return -1;
	arena_init(&a, ARENA_CAP_BYTES);
	buf_init(&t.variations, DOCUMENT_BYTES_MAX);
	buf_init(&t.rules, DOCUMENT_BYTES_MAX);
	if (variation_add(&t, at(get(at(c, 2), "variations"), 0)) && experiment_add(&t, at(c, 2)) &&
	    evaluate(&t, get(at(c, 2), "key")->valuestring,
		     unit_of(get(at(c, 1), "attributes"), room, sizeof(room)), &a, &r) &&
	    r.outcome == FLAG_EVALUATED)
		result = same_value(r.value, at(c, 3)) &&
			 (r.reason == FLAG_SPLIT) == cJSON_IsTrue(at(c, 4));
	buf_free(&t.variations);
	buf_free(&t.rules);
	arena_release(&a);
	return result;
}

/* ---- the run ---- */

static const struct section sections[] = {
	{ "hash", run_hash },
	{ "getBucketRange", run_ranges },
	{ "chooseVariation", run_choose },
	{ "getEqualWeights", run_equal },
	{ "feature", run_feature },
	{ "run", run_run },
};

static bool
section_run(const struct section *s, const cJSON *cases)
{
	int passed = 0;
	int covered = 0;
	int i = 0;
	const cJSON *c = NULL;

	cJSON_ArrayForEach(c, cases)
	{
		const int result = s->run(c);
		covered += result >= 0;
		passed += result > 0;
		if (result == 0)
			printf("FAILED %s, case %d: %s\n", s->name, i,
			       cJSON_IsString(at(c, 0)) ? at(c, 0)->valuestring : "");
		i++;
	}
	printf("%-16s %3d/%-3d (of %d in the file)\n", s->name, passed, covered, i);
	return covered > 0 && passed == covered;
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
	bool good = true;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		good = section_run(&sections[i], get(file, sections[i].name)) && good;
	cJSON_Delete(file);
	return good ? 0 : 1;
}
