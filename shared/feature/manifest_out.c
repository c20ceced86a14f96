/*
 * manifest_out.c — names that follow from a slug, look-ups in a manifest, and the manifest as JSON.
 *
 * Invariants: the JSON of equal manifests is equal byte for byte: it is what an experiment's rule
 * is frozen as.
 */
#include "feature/manifest.h"

#include <stdio.h>
#include <string.h>

void
feature_flag_key(const char *slug, char out[FEATURE_KEY_SIZE])
{
	(void)snprintf(out, FEATURE_KEY_SIZE, "feature-%s", slug);
	for (char *p = out; *p != '\0'; p++) {
		if (*p == '_')
			*p = '-';
	}
}

void
feature_role_login(const char *slug, char out[FEATURE_ROLE_SIZE])
{
	(void)snprintf(out, FEATURE_ROLE_SIZE, "feature_%s", slug);
}

void
feature_role_owner(const char *slug, char out[FEATURE_ROLE_SIZE])
{
	(void)snprintf(out, FEATURE_ROLE_SIZE, "feature_%s_owner", slug);
}

size_t
feature_variation_find(const struct feature_manifest *m, struct str key)
{
	size_t i = 0;
	while (i < m->n_variations && !str_is(key, m->variations[i]))
		i++;
	return i;
}

const struct feature_endpoint *
feature_endpoint_find(const struct feature_manifest *m, struct str name)
{
	for (size_t i = 0; i < m->n_endpoints; i++) {
		if (str_is(name, m->endpoints[i].name))
			return &m->endpoints[i];
	}
	return NULL;
}

const struct feature_metric *
feature_metric_at(const struct feature_manifest *m, size_t i)
{
	if (i == 0)
		return &m->primary;
	return i <= m->n_guardrails ? &m->guardrails[i - 1] : NULL;
}

const char *
feature_metric_kind_name(enum feature_metric_kind kind)
{
	return kind == FEATURE_MEAN ? "mean" : "proportion";
}

const char *
feature_direction_name(enum feature_direction direction)
{
	return direction == FEATURE_DECREASE ? "decrease" : "increase";
}

static void
member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":", name);
	buf_json_cstr(out, value);
	buf_add_char(out, ',');
}

static void
variations_write(const struct feature_manifest *m, struct buf *out)
{
	for (size_t i = 0; i < m->n_variations; i++) {
		buf_add_cstr(out, i > 0 ? "," : "");
		buf_json_cstr(out, m->variations[i]);
	}
}

static void
weights_write(const struct feature_manifest *m, struct buf *out)
{
	for (size_t i = 0; i < m->n_variations; i++)
		buf_printf(out, "%s%.10g", i > 0 ? "," : "", m->weights[i]);
}

void
feature_flag_document(const struct feature_manifest *m, struct buf *out)
{
	buf_add_cstr(out, "{\"unit\":\"person\",\"variations\":[");
	for (size_t i = 0; i < m->n_variations; i++) {
		/* The control is false, a second variation true; more of them carry their names. */
		buf_printf(out, "%s{\"key\":\"%s\",\"value\":", i > 0 ? "," : "", m->variations[i]);
		if (m->n_variations == 2)
			buf_add_cstr(out, i == 0 ? "false}" : "true}");
		else
			buf_printf(out, "\"%s\"}", m->variations[i]);
	}
	buf_add_cstr(out, "],\"rules\":[{\"experiment\":{\"variations\":[");
	variations_write(m, out);
	buf_add_cstr(out, "],\"weights\":[");
	weights_write(m, out);
	buf_printf(out, "],\"coverage\":%.10g,\"seed\":\"%s\"}}],\"default\":\"%s\"}", m->coverage,
		   m->flag_key, m->variations[0]);
}

static void
metric_write(const struct feature_metric *metric, bool guardrail, struct buf *out)
{
	buf_add_char(out, '{');
	member(out, "name", metric->name);
	member(out, "file", metric->file);
	member(out, "kind", feature_metric_kind_name(metric->kind));
	member(out, "direction", feature_direction_name(metric->direction));
	buf_printf(out, "\"maturity_us\":%lld", (long long)metric->maturity);
	if (guardrail)
		buf_printf(out, ",\"margin\":%.10g", metric->margin);
	buf_add_char(out, '}');
}

static void
endpoints_write(const struct feature_manifest *m, struct buf *out)
{
	for (size_t i = 0; i < m->n_endpoints; i++) {
		const struct feature_endpoint *e = &m->endpoints[i];
		buf_add_cstr(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		buf_json_cstr(out, e->name);
		buf_add_cstr(out, ",\"queries\":{");
		for (size_t v = 0; v < m->n_variations; v++) {
			buf_add_cstr(out, v > 0 ? "," : "");
			buf_json_cstr(out, m->variations[v]);
			buf_add_char(out, ':');
			buf_json_cstr(out, e->queries[v]);
		}
		buf_add_cstr(out, "}}");
	}
}

void
feature_manifest_json(const struct feature_manifest *m, struct buf *out)
{
	buf_add_char(out, '{');
	member(out, "slug", m->slug);
	member(out, "title", m->title);
	member(out, "statement", m->statement);
	member(out, "benefit", m->benefit);
	member(out, "business_owner", m->business_owner);
	member(out, "technical_owner", m->technical_owner);
	buf_printf(out, "\"expires_us\":%lld,", (long long)m->expires);
	member(out, "unit", m->unit);
	buf_add_cstr(out, "\"flag\":{");
	member(out, "key", m->flag_key);
	buf_printf(out, "\"coverage\":%.10g,\"variations\":[", m->coverage);
	variations_write(m, out);
	buf_add_cstr(out, "],\"weights\":[");
	weights_write(m, out);
	buf_add_cstr(out, "]},\"endpoints\":[");
	endpoints_write(m, out);
	buf_printf(out,
		   "],\"experiment\":{\"planned_units\":%lld,\"runs_us\":%lld,\"alpha\":%.10g,"
		   "\"minimum_effect\":%.10g},",
		   (long long)m->planned_units, (long long)m->runs, m->alpha, m->minimum_effect);
	buf_add_cstr(out, "\"metrics\":{\"primary\":");
	metric_write(&m->primary, false, out);
	buf_add_cstr(out, ",\"guardrails\":[");
	for (size_t i = 0; i < m->n_guardrails; i++) {
		buf_add_cstr(out, i > 0 ? "," : "");
		metric_write(&m->guardrails[i], true, out);
	}
	buf_add_cstr(out, "]}}");
}
