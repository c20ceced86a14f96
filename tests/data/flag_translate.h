/*
 * flag_translate.h — GrowthBook's features as rule documents of ours; part of flag_cases.c, included there alone.
 *
 * Names: the default is variation "d", what rule i forces "r<i>", arm k of the experiment of rule i "r<i>.<key of k>".
 * GrowthBook's own defaults (hash version 1, attribute "id", the feature's key as seed) are written out, because ours
 * are others. What it ignores without a word (coverage beside a range, a namespace beside filters) is left out, because
 * ours refuses it.
 */
#ifndef BIMODAL_TESTS_FLAG_TRANSLATE_H
#define BIMODAL_TESTS_FLAG_TRANSLATE_H

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#define ARMS_MAX 200
#define NAME_SIZE 80

/* Where an arm of GrowthBook's went. */
struct arm {
	char experiment[NAME_SIZE];
	char key[NAME_SIZE];  /* its key there           */
	char name[NAME_SIZE]; /* the variation's of ours */
	int index;
};

struct translation {
	const cJSON *bandits;
	struct arm arms[ARMS_MAX];
	int n_arms;
	/* the feature at hand */
	const char *key;
	cJSON *variations;
	int rule;
};

static const cJSON *
get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

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

static void
name_of(const char *key, char out[NAME_SIZE])
{
	size_t i = 0;
	for (; key[i] != '\0' && i + 1 < NAME_SIZE; i++)
		out[i] = (char)tolower((unsigned char)key[i]);
	out[i] = '\0';
}

static void
put(cJSON *object, const char *key, const cJSON *value)
{
	if (value != NULL)
		cJSON_AddItemToObject(object, key, cJSON_Duplicate(value, true));
}

static void
put_text(cJSON *object, const char *key, const cJSON *value, const char *fallback)
{
	cJSON_AddStringToObject(object, key, cJSON_IsString(value) ? value->valuestring : fallback);
}

static void
put_number(cJSON *object, const char *key, const cJSON *value, double fallback)
{
	cJSON_AddNumberToObject(object, key, cJSON_IsNumber(value) ? value->valuedouble : fallback);
}

static void
variation_add(struct translation *t, const char *name, const cJSON *value)
{
	cJSON *v = cJSON_CreateObject();
	cJSON_AddStringToObject(v, "key", name);
	put(v, "value", value);
	cJSON_AddItemToArray(t->variations, v);
}

/* ---- rules ---- */

static void
hashing_put(cJSON *out, const cJSON *rule, const char *seed)
{
	put_text(out, "seed", get(rule, "seed"), seed);
	put_text(out, "hashAttribute", get(rule, "hashAttribute"), "id");
	put_number(out, "hashVersion", get(rule, "hashVersion"), 1);
	put(out, "fallbackAttribute", get(rule, "fallbackAttribute"));
}

static void
force_put(struct translation *t, cJSON *out, const cJSON *rule)
{
	char name[NAME_SIZE];
	const cJSON *range = get(rule, "range");
	const cJSON *coverage = get(rule, "coverage");

	(void)snprintf(name, sizeof(name), "r%d", t->rule);
	variation_add(t, name, get(rule, "force"));
	cJSON_AddStringToObject(out, "force", name);
	put(out, range != NULL ? "range" : "coverage", range != NULL ? range : coverage);
	if (range != NULL || coverage != NULL)
		hashing_put(out, rule, t->key);
}

static void
arms_put(struct translation *t, cJSON *out, const cJSON *rule, const cJSON *values, const char *key)
{
	cJSON *names = cJSON_AddArrayToObject(out, "variations");
	cJSON *passes = cJSON_CreateArray();

	for (int i = 0; i < length(values) && t->n_arms < ARMS_MAX; i++) {
		const cJSON *meta = at(get(rule, "meta"), i);
		struct arm *arm = &t->arms[t->n_arms++];
		(void)snprintf(arm->experiment, sizeof(arm->experiment), "%s", key);
		arm->index = i;
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", i);
		const char *own =
			cJSON_IsString(get(meta, "key")) ? get(meta, "key")->valuestring : number;
		(void)snprintf(arm->key, sizeof(arm->key), "%s", own);
		(void)snprintf(arm->name, sizeof(arm->name), "r%d.%s", t->rule, own);
		cJSON_AddItemToArray(names, cJSON_CreateString(arm->name));
		variation_add(t, arm->name, at(values, i));
		if (cJSON_IsTrue(get(meta, "passthrough")))
			cJSON_AddItemToArray(passes, cJSON_CreateString(arm->name));
	}
	if (length(passes) > 0)
		cJSON_AddItemToObject(out, "passthrough", passes);
	else
		cJSON_Delete(passes);
}

static const struct arm *
arm_find(const struct translation *t, const char *experiment, int index, const char *key)
{
	for (int i = 0; i < t->n_arms; i++)
		if (strcmp(t->arms[i].experiment, experiment) == 0 &&
		    (key != NULL ? strcmp(t->arms[i].key, key) == 0 : t->arms[i].index == index))
			return &t->arms[i];
	return NULL;
}

static void
division_put(const struct translation *t, cJSON *out, const cJSON *rule)
{
	const cJSON *bandit =
		cJSON_IsString(get(rule, "contextualBanditRef"))
			? get(t->bandits, get(rule, "contextualBanditRef")->valuestring)
			: NULL;
	const cJSON *leaf = NULL;

	if (get(rule, "ranges") != NULL) {
		put(out, "ranges", get(rule, "ranges"));
		return;
	}
	put(out, "weights", get(rule, "weights"));
	put(out, "coverage", get(rule, "coverage"));
	if (get(bandit, "contexts") == NULL)
		return;
	cJSON *contexts = cJSON_AddArrayToObject(out, "contexts");
	cJSON_ArrayForEach(leaf, get(bandit, "contexts"))
	{
		cJSON *c = cJSON_CreateObject();
		put(c, "condition", get(leaf, "condition"));
		put(c, "weights", get(leaf, "weights"));
		cJSON_AddItemToArray(contexts, c);
	}
}

static void
experiment_put(struct translation *t, cJSON *rule_out, const cJSON *rule, const cJSON *values)
{
	cJSON *out = cJSON_AddObjectToObject(rule_out, "experiment");
	const char *key = cJSON_IsString(get(rule, "key")) ? get(rule, "key")->valuestring : t->key;
	const cJSON *force = get(rule, "force");

	cJSON_AddStringToObject(out, "key", key);
	arms_put(t, out, rule, values, key);
	division_put(t, out, rule);
	hashing_put(out, rule, key);
	if (get(rule, "filters") == NULL)
		put(out, "namespace", get(rule, "namespace"));
	if (cJSON_IsNumber(force)) {
		const struct arm *arm = arm_find(t, key, force->valueint, NULL);
		cJSON_AddStringToObject(out, "force", arm != NULL ? arm->name : "there-is-none");
	}
	if (!cJSON_IsTrue(get(rule, "disableStickyBucketing"))) {
		cJSON *sticky = cJSON_AddObjectToObject(out, "sticky");
		put_number(sticky, "version", get(rule, "bucketVersion"), 0);
		put_number(sticky, "minVersion", get(rule, "minBucketVersion"), 0);
	}
}

static void
filters_put(cJSON *out, const cJSON *rule)
{
	const cJSON *f = NULL;

	if (get(rule, "filters") == NULL)
		return;
	cJSON *filters = cJSON_AddArrayToObject(out, "filters");
	cJSON_ArrayForEach(f, get(rule, "filters"))
	{
		cJSON *filter = cJSON_Duplicate(f, true);
		if (get(filter, "attribute") == NULL)
			cJSON_AddStringToObject(filter, "attribute", "id");
		cJSON_AddItemToArray(filters, filter);
	}
}

static void
prerequisites_put(cJSON *out, const cJSON *rule)
{
	const cJSON *p = NULL;

	if (get(rule, "parentConditions") == NULL)
		return;
	cJSON *list = cJSON_AddArrayToObject(out, "prerequisites");
	cJSON_ArrayForEach(p, get(rule, "parentConditions"))
	{
		cJSON *one = cJSON_CreateObject();
		char name[NAME_SIZE];
		name_of(get(p, "id")->valuestring, name);
		cJSON_AddStringToObject(one, "flag", name);
		put(one, "condition", get(p, "condition"));
		put(one, "gate", get(p, "gate"));
		cJSON_AddItemToArray(list, one);
	}
}

/* NULL: a rule that does nothing, which ours have no word for. */
static cJSON *
rule_make(struct translation *t, const cJSON *rule)
{
	const cJSON *values = get(rule, "variations") != NULL ? get(rule, "variations")
							      : get(rule, "contextualVariations");
	cJSON *out = cJSON_CreateObject();
	const cJSON *id = get(rule, "id");

	if (cJSON_IsString(id) && id->valuestring[0] != '\0')
		put(out, "id", id);
	prerequisites_put(out, rule);
	put(out, "condition", get(rule, "condition"));
	put(out, "active", get(rule, "active"));
	filters_put(out, rule);
	if (values != NULL) {
		experiment_put(t, out, rule, values);
	} else if (get(rule, "force") != NULL) {
		force_put(t, out, rule);
	} else if (get(rule, "parentConditions") == NULL) {
		cJSON_Delete(out);
		return NULL;
	}
	t->rule++;
	return out;
}

/* A value of the type of the feature's others that stands for "none": the default of a feature without one. */
static cJSON *
none_of(const cJSON *variations)
{
	const cJSON *value = get(at(variations, 0), "value");

	if (cJSON_IsBool(value))
		return cJSON_CreateFalse();
	if (cJSON_IsNumber(value))
		return cJSON_CreateNumber(-999999);
	return cJSON_IsObject(value) ? cJSON_CreateObject() : cJSON_CreateString("(none)");
}

/* NULL also if it is of another type than the values of the rules: all values of a flag of ours are of one type. */
static const cJSON *
default_of(const cJSON *variations, const cJSON *value)
{
	const cJSON *first = get(at(variations, 0), "value");

	if (first == NULL || value == NULL || (cJSON_IsBool(first) && cJSON_IsBool(value)))
		return value;
	return first->type == value->type ? value : NULL;
}

/* The document of one feature; the caller deletes it. */
static cJSON *
feature_translate(struct translation *t, const char *key, const cJSON *feature)
{
	cJSON *out = cJSON_CreateObject();
	cJSON *rules = cJSON_CreateArray();
	const cJSON *rule = NULL;

	t->key = key;
	t->rule = 0;
	cJSON_AddStringToObject(out, "unit", "visitor");
	t->variations = cJSON_AddArrayToObject(out, "variations");
	cJSON_ArrayForEach(rule, get(feature, "rules"))
	{
		cJSON *r = rule_make(t, rule);
		if (r != NULL)
			cJSON_AddItemToArray(rules, r);
	}
	const cJSON *value = default_of(t->variations, get(feature, "defaultValue"));
	cJSON *none = value == NULL ? none_of(t->variations) : NULL;
	variation_add(t, value == NULL ? "none" : "d", value == NULL ? none : value);
	cJSON_Delete(none);
	cJSON_AddItemToObject(out, "rules", rules);
	cJSON_AddStringToObject(out, "default", value == NULL ? "none" : "d");
	return out;
}

#endif
