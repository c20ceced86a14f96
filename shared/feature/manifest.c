/*
 * manifest.c — reads feature.yaml into a struct; each rule of the format stands in one place here.
 *
 * Invariants: the whole file is read even after an error, so that one run tells all of them; the
 * struct is only used by callers when there were none.
 */
#include "feature/manifest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "feature/manifest_parts.h"

#define TITLE_MAX 200
#define TEXT_MAX 2000
#define PLANNED_UNITS_MAX INT64_C(1000000000)
#define WEIGHT_TOLERANCE 1e-4

bool
feature_slug_valid(struct str slug)
{
	if (slug.len < FEATURE_SLUG_MIN || slug.len > FEATURE_SLUG_MAX || slug.p[0] < 'a' ||
	    slug.p[0] > 'z')
		return false;
	for (size_t i = 0; i < slug.len; i++) {
		const char c = slug.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	/* feature_<slug>_owner is a role of feature <slug>: no other feature's login may have that name. */
	return !str_ends(slug, "_owner");
}

static bool
name_valid(struct str s, bool dash)
{
	if (s.len == 0 || s.len > 40 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
		    !(dash && c == '-'))
			return false;
	}
	return true;
}

/* ---- flag ---- */

static void
weights_read(struct manifest_reader *r, const struct yaml_node *flag, struct feature_manifest *m)
{
	const struct yaml_node *list =
		feature_manifest_list(r, flag, "flag.weights", "weights", false);
	for (size_t i = 0; list == NULL && i < m->n_variations; i++)
		m->weights[i] = 1.0 / (double)m->n_variations;
	if (list == NULL)
		return;
	size_t n = 0;
	double sum = 0;
	for (const struct yaml_node *w = list->child; w != NULL; w = w->next, n++) {
		double weight = 0;
		if (!feature_manifest_number_of(r, w, "flag.weights", 0, 1, &weight))
			return;
		sum += weight;
		if (n < FEATURE_VARIATIONS_MAX)
			m->weights[n] = weight;
	}
	if (n != m->n_variations)
		feature_manifest_error(r, list, "flag.weights",
				       "there are %zu weights for %zu variations", n,
				       m->n_variations);
	else if (fabs(sum - 1) > WEIGHT_TOLERANCE)
		feature_manifest_error(r, list, "flag.weights",
				       "the weights add up to %g, they must add up to 1", sum);
}

static void
variations_read(struct manifest_reader *r, const struct yaml_node *flag, struct feature_manifest *m)
{
	const struct yaml_node *list =
		feature_manifest_list(r, flag, "flag.variations", "variations", true);
	if (list == NULL)
		return;
	for (const struct yaml_node *v = list->child; v != NULL; v = v->next) {
		if (v->kind != YAML_SCALAR || !name_valid(v->text, true)) {
			feature_manifest_error(
				r, v, "flag.variations",
				"a variation is named with a-z, 0-9, '_' and '-', from a "
				"letter, 40 at most");
			continue;
		}
		if (m->n_variations == FEATURE_VARIATIONS_MAX) {
			feature_manifest_error(r, v, "flag.variations",
					       "there are %d variations at most",
					       FEATURE_VARIATIONS_MAX);
			return;
		}
		if (feature_variation_find(m, v->text) < m->n_variations) {
			feature_manifest_error(r, v, "flag.variations", "%.*s is there twice",
					       STR_FMT(v->text));
			continue;
		}
		m->variations[m->n_variations++] = feature_manifest_copy(r, v->text);
	}
	if (m->n_variations < 2)
		feature_manifest_error(r, list, "flag.variations",
				       "two variations at least are expected, the control first");
}

static void
flag_read(struct manifest_reader *r, const struct yaml_node *root, struct feature_manifest *m)
{
	static const char *const known[] = { "coverage", "variations", "weights", NULL };
	const struct yaml_node *flag = feature_manifest_map(r, root, "flag", "flag");
	if (flag == NULL)
		return;
	feature_manifest_only(r, flag, "flag", known);
	m->coverage = 1;
	feature_manifest_number(r, flag, "flag.coverage", "coverage", false, 0, 1, &m->coverage);
	variations_read(r, flag, m);
	if (m->n_variations >= 2)
		weights_read(r, flag, m);
}

/* ---- endpoints ---- */

static void
endpoint_queries(struct manifest_reader *r, const struct yaml_node *node,
		 const struct feature_manifest *m, struct feature_endpoint *e)
{
	const struct yaml_node *queries =
		feature_manifest_map(r, node, "endpoints.queries", "queries");
	if (queries == NULL)
		return;
	for (const struct yaml_node *q = queries->child; q != NULL; q = q->next) {
		const size_t i = feature_variation_find(m, q->key);
		if (i == m->n_variations)
			feature_manifest_error_key(r, q, "endpoints.queries",
						   "%.*s is not a variation of the flag",
						   STR_FMT(q->key));
		else
			e->queries[i] =
				feature_manifest_file_of(r, q, "endpoints.queries", "queries/");
	}
	for (size_t i = 0; i < m->n_variations; i++) {
		if (yaml_get(queries, m->variations[i]) == NULL)
			feature_manifest_error(r, queries, "endpoints.queries",
					       "there is no query for variation %s",
					       m->variations[i]);
	}
}

static void
endpoints_read(struct manifest_reader *r, const struct yaml_node *root, struct feature_manifest *m)
{
	static const char *const known[] = { "name", "queries", NULL };
	const struct yaml_node *list =
		feature_manifest_list(r, root, "endpoints", "endpoints", false);
	if (list == NULL)
		return;
	for (const struct yaml_node *n = list->child; n != NULL; n = n->next) {
		if (n->kind != YAML_MAP) {
			feature_manifest_error(r, n, "endpoints",
					       "an endpoint is a map with name and queries");
			continue;
		}
		if (m->n_endpoints == FEATURE_ENDPOINTS_MAX) {
			feature_manifest_error(r, n, "endpoints", "there are %d endpoints at most",
					       FEATURE_ENDPOINTS_MAX);
			return;
		}
		feature_manifest_only(r, n, "endpoints", known);
		struct feature_endpoint *e = &m->endpoints[m->n_endpoints];
		const struct yaml_node *name =
			feature_manifest_scalar(r, n, "endpoints.name", "name", true);
		if (name != NULL && !name_valid(name->text, true))
			feature_manifest_error(
				r, name, "endpoints.name",
				"an endpoint is named with a-z, 0-9, '_' and '-', from a "
				"letter, 40 at most");
		else if (name != NULL && feature_endpoint_find(m, name->text) != NULL)
			feature_manifest_error(r, name, "endpoints.name", "%.*s is there twice",
					       STR_FMT(name->text));
		e->name = feature_manifest_copy(r, name != NULL ? name->text : STR(""));
		m->n_endpoints++;
		endpoint_queries(r, n, m, e);
	}
}

/* ---- experiment and metrics ---- */

static void
experiment_read(struct manifest_reader *r, const struct yaml_node *root, struct feature_manifest *m)
{
	static const char *const known[] = { "planned_units", "runs", "alpha", "minimum_effect",
					     NULL };
	const struct yaml_node *x = feature_manifest_map(r, root, "experiment", "experiment");
	if (x == NULL)
		return;
	feature_manifest_only(r, x, "experiment", known);
	feature_manifest_int(r, x, "experiment.planned_units", "planned_units", 2,
			     PLANNED_UNITS_MAX, &m->planned_units);
	feature_manifest_duration(r, x, "experiment.runs", "runs", true, USEC_PER_SEC,
				  FEATURE_EXPIRES_MAX, &m->runs);
	m->alpha = 0.05;
	feature_manifest_number(r, x, "experiment.alpha", "alpha", false, 0.0001, 0.2, &m->alpha);
	feature_manifest_number(r, x, "experiment.minimum_effect", "minimum_effect", true, 1e-9,
				1e12, &m->minimum_effect);
}

static bool
metric_known(const struct feature_manifest *m, struct str name)
{
	for (size_t i = 0; feature_metric_at(m, i) != NULL; i++) {
		if (feature_metric_at(m, i)->name != NULL &&
		    str_is(name, feature_metric_at(m, i)->name))
			return true;
	}
	return false;
}

static void
metric_read(struct manifest_reader *r, const struct yaml_node *node, const char *path,
	    bool guardrail, const struct feature_manifest *m, struct feature_metric *out)
{
	static const char *const known[] = { "name",     "file",   "kind", "direction",
					     "maturity", "margin", NULL };
	static const char *const known_primary[] = { "name",      "file",     "kind",
						     "direction", "maturity", NULL };
	static const char *const kinds[] = { "proportion", "mean", NULL };
	static const char *const directions[] = { "increase", "decrease", NULL };
	feature_manifest_only(r, node, path, guardrail ? known : known_primary);
	const struct yaml_node *name = feature_manifest_scalar(r, node, path, "name", true);
	if (name != NULL && !name_valid(name->text, false))
		feature_manifest_error(
			r, name, path,
			"a metric is named with a-z, 0-9 and '_', from a letter, 40 at most");
	else if (name != NULL && metric_known(m, name->text))
		feature_manifest_error(r, name, path, "there are two metrics named %.*s",
				       STR_FMT(name->text));
	struct feature_metric metric = { .name = feature_manifest_copy(r, name != NULL ? name->text
										       : STR("")) };
	const struct yaml_node *file = feature_manifest_scalar(r, node, path, "file", true);
	if (file != NULL)
		metric.file = feature_manifest_file_of(r, file, path, "metrics/");
	size_t choice = 0;
	feature_manifest_choice(r, node, path, "kind", kinds, &choice);
	metric.kind = choice == 1 ? FEATURE_MEAN : FEATURE_PROPORTION;
	choice = 0;
	feature_manifest_choice(r, node, path, "direction", directions, &choice);
	metric.direction = choice == 1 ? FEATURE_DECREASE : FEATURE_INCREASE;
	feature_manifest_duration(r, node, path, "maturity", false, 0, FEATURE_EXPIRES_MAX,
				  &metric.maturity);
	if (guardrail)
		feature_manifest_number(r, node, path, "margin", true, 1e-9, 1e12, &metric.margin);
	*out = metric;
}

static void
metrics_read(struct manifest_reader *r, const struct yaml_node *root, struct feature_manifest *m)
{
	static const char *const known[] = { "primary", "guardrails", NULL };
	const struct yaml_node *metrics = feature_manifest_map(r, root, "metrics", "metrics");
	if (metrics == NULL)
		return;
	feature_manifest_only(r, metrics, "metrics", known);
	const struct yaml_node *primary =
		feature_manifest_map(r, metrics, "metrics.primary", "primary");
	if (primary != NULL)
		metric_read(r, primary, "metrics.primary", false, m, &m->primary);
	const struct yaml_node *list =
		feature_manifest_list(r, metrics, "metrics.guardrails", "guardrails", false);
	for (const struct yaml_node *g = list != NULL ? list->child : NULL; g != NULL;
	     g = g->next) {
		if (g->kind != YAML_MAP) {
			feature_manifest_error(
				r, g, "metrics.guardrails",
				"a guardrail is a map with name, file, kind, direction and margin");
			continue;
		}
		if (m->n_guardrails == FEATURE_GUARDRAILS_MAX) {
			feature_manifest_error(r, g, "metrics.guardrails",
					       "there are %d guardrails at most",
					       FEATURE_GUARDRAILS_MAX);
			return;
		}
		metric_read(r, g, "metrics.guardrails", true, m, &m->guardrails[m->n_guardrails]);
		m->n_guardrails++;
	}
}

/* ---- the whole ---- */

static void
root_read(struct manifest_reader *r, const struct yaml_node *root, struct feature_manifest *m)
{
	static const char *const known[] = { "slug",      "title",          "statement",
					     "benefit",   "business_owner", "technical_owner",
					     "expires",   "unit",           "flag",
					     "endpoints", "experiment",     "metrics",
					     NULL };
	char key[FEATURE_KEY_SIZE];
	feature_manifest_only(r, root, "", known);
	const struct yaml_node *slug = feature_manifest_scalar(r, root, "slug", "slug", true);
	if (slug != NULL && !feature_slug_valid(slug->text)) {
		feature_manifest_error(
			r, slug, "slug",
			"a slug has %d to %d of a-z, 0-9 and '_', begins with a letter and "
			"does not end in _owner",
			FEATURE_SLUG_MIN, FEATURE_SLUG_MAX);
	} else if (slug != NULL) {
		m->slug = feature_manifest_copy(r, slug->text);
		feature_flag_key(m->slug, key);
		m->flag_key = feature_manifest_copy(r, str_of(key));
	}
	m->title = feature_manifest_text(r, root, "title", TITLE_MAX);
	m->statement = feature_manifest_text(r, root, "statement", TEXT_MAX);
	m->benefit = feature_manifest_text(r, root, "benefit", TEXT_MAX);
	m->business_owner = feature_manifest_text(r, root, "business_owner", TITLE_MAX);
	m->technical_owner = feature_manifest_text(r, root, "technical_owner", TITLE_MAX);
	if (m->business_owner != NULL && m->technical_owner != NULL &&
	    m->business_owner[0] != '\0' && strcmp(m->business_owner, m->technical_owner) == 0)
		feature_manifest_error(r, yaml_get(root, "technical_owner"), "technical_owner",
				       "the business and the technical owner must be two people");
	feature_manifest_duration(r, root, "expires", "expires", true, USEC_PER_SEC,
				  FEATURE_EXPIRES_MAX, &m->expires);
	m->unit = "person";
	const struct yaml_node *unit = feature_manifest_scalar(r, root, "unit", "unit", false);
	if (unit != NULL && !str_is(unit->text, "person"))
		feature_manifest_error(r, unit, "unit", "the unit of a feature is person");
	flag_read(r, root, m);
	endpoints_read(r, root, m);
	experiment_read(r, root, m);
	metrics_read(r, root, m);
}

enum err
feature_manifest_read(struct arena *arena, struct str text, struct feature_manifest *out,
		      struct feature_findings *findings)
{
	const size_t before = findings->total;
	struct yaml_errors errors;
	struct yaml_node *root = NULL;
	memset(out, 0, sizeof(*out));
	yaml_errors_init(&errors);
	struct manifest_reader r = { .arena = arena, .errors = &errors };
	const enum err err = yaml_parse(arena, FEATURE_MANIFEST_FILE, text, &root, &errors);
	if (err == ERR_OK && root->kind != YAML_MAP)
		feature_manifest_error(&r, root, "", "the file must be a map of keys and values");
	else if (err == ERR_OK)
		root_read(&r, root, out);
	feature_manifest_findings(&errors, findings);
	yaml_errors_free(&errors);
	if (r.no_memory)
		return ERR_NO_MEMORY;
	return findings->total > before || err != ERR_OK ? ERR_INVALID : ERR_OK;
}
