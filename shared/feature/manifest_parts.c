/*
 * manifest_parts.c — typed look-ups over the YAML tree of a manifest.
 *
 * Invariants: a look-up that fails has told why and where, once; its caller goes on with a
 * harmless value.
 */
#include "feature/manifest_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "feature/manifest.h"

#define MESSAGE_MAX 400

void
feature_manifest_error(struct manifest_reader *r, const struct yaml_node *at, const char *path,
		       const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	yaml_error(r->errors, FEATURE_MANIFEST_FILE, at, path, "%s", text);
}

void
feature_manifest_error_key(struct manifest_reader *r, const struct yaml_node *at, const char *path,
			   const char *fmt, ...)
{
	const struct yaml_node place = { .line = at->key_line, .column = at->key_column };
	char text[MESSAGE_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	yaml_error(r->errors, FEATURE_MANIFEST_FILE, &place, path, "%s", text);
}

const char *
feature_manifest_copy(struct manifest_reader *r, struct str s)
{
	const char *copy = arena_strdup(r->arena, s);
	if (copy != NULL)
		return copy;
	r->no_memory = true;
	return "";
}

void
feature_manifest_only(struct manifest_reader *r, const struct yaml_node *map, const char *path,
		      const char *const *known)
{
	for (const struct yaml_node *n = map->child; n != NULL; n = n->next) {
		bool found = false;
		for (const char *const *k = known; *k != NULL && !found; k++)
			found = str_is(n->key, *k);
		if (found)
			continue;
		const char *near = str_nearest(n->key, known);
		if (near != NULL)
			feature_manifest_error_key(r, n, path,
						   "there is no key '%.*s'; did you mean %s?",
						   STR_FMT(n->key), near);
		else
			feature_manifest_error_key(r, n, path, "there is no key '%.*s'",
						   STR_FMT(n->key));
	}
}

static const struct yaml_node *
child_get(struct manifest_reader *r, const struct yaml_node *map, const char *path, const char *key,
	  bool required, enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "one value", [YAML_MAP] = "a map", [YAML_LIST] = "a list"
	};
	const struct yaml_node *n = yaml_get(map, key);
	if (n == NULL && required)
		feature_manifest_error(r, map, path, "%s is missing", key);
	if (n == NULL || n->kind == kind)
		return n;
	feature_manifest_error(r, n, path, "%s: %s is expected, not %s", key, names[kind],
			       names[n->kind]);
	return NULL;
}

const struct yaml_node *
feature_manifest_map(struct manifest_reader *r, const struct yaml_node *map, const char *path,
		     const char *key)
{
	return child_get(r, map, path, key, true, YAML_MAP);
}

const struct yaml_node *
feature_manifest_list(struct manifest_reader *r, const struct yaml_node *map, const char *path,
		      const char *key, bool required)
{
	return child_get(r, map, path, key, required, YAML_LIST);
}

const struct yaml_node *
feature_manifest_scalar(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			const char *key, bool required)
{
	return child_get(r, map, path, key, required, YAML_SCALAR);
}

const char *
feature_manifest_text(struct manifest_reader *r, const struct yaml_node *map, const char *key,
		      size_t max)
{
	const struct yaml_node *n = feature_manifest_scalar(r, map, key, key, true);
	if (n == NULL)
		return "";
	const struct str text = str_trim(n->text);
	bool control = false;
	for (size_t i = 0; i < text.len; i++)
		control = control || ((unsigned char)text.p[i] < ' ' && text.p[i] != '\n') ||
			  text.p[i] == 0x7f;
	if (text.len == 0)
		feature_manifest_error(r, n, key, "a text is expected");
	else if (text.len > max)
		feature_manifest_error(r, n, key, "the text has %zu bytes, %zu at most are allowed",
				       text.len, max);
	else if (control)
		feature_manifest_error(r, n, key, "the text holds a control character");
	else
		return feature_manifest_copy(r, text);
	return "";
}

bool
feature_manifest_number_of(struct manifest_reader *r, const struct yaml_node *node,
			   const char *path, double min, double max, double *out)
{
	double v = 0;
	if (node->kind != YAML_SCALAR || node->quoted || str_double(node->text, &v) != ERR_OK) {
		feature_manifest_error(r, node, path, "a number is expected");
		return false;
	}
	if (v < min || v > max) {
		feature_manifest_error(r, node, path, "%.*s is not between %g and %g",
				       STR_FMT(node->text), min, max);
		return false;
	}
	*out = v;
	return true;
}

void
feature_manifest_number(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			const char *key, bool required, double min, double max, double *out)
{
	const struct yaml_node *n = feature_manifest_scalar(r, map, path, key, required);
	if (n != NULL)
		(void)feature_manifest_number_of(r, n, path, min, max, out);
}

void
feature_manifest_int(struct manifest_reader *r, const struct yaml_node *map, const char *path,
		     const char *key, int64_t min, int64_t max, int64_t *out)
{
	const struct yaml_node *n = feature_manifest_scalar(r, map, path, key, true);
	if (n == NULL)
		return;
	if (n->quoted || str_int(n->text, min, max, out) != ERR_OK)
		feature_manifest_error(r, n, path,
				       "a whole number between %lld and %lld is expected",
				       (long long)min, (long long)max);
}

void
feature_manifest_duration(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			  const char *key, bool required, usec_t min, usec_t max, usec_t *out)
{
	const struct yaml_node *n = feature_manifest_scalar(r, map, path, key, required);
	usec_t v = 0;
	if (n == NULL)
		return;
	if (clock_parse_duration(n->text, &v) != ERR_OK)
		feature_manifest_error(
			r, n, path,
			"%s: a duration such as 250ms, 20s, 5min, 2h or 14d is expected", key);
	else if (v < min || v > max)
		feature_manifest_error(r, n, path, "%s: %.*s is not between %llds and %lldd", key,
				       STR_FMT(n->text), (long long)(min / USEC_PER_SEC),
				       (long long)(max / (24 * 3600 * USEC_PER_SEC)));
	else
		*out = v;
}

void
feature_manifest_choice(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			const char *key, const char *const *choices, size_t *out)
{
	const struct yaml_node *n = feature_manifest_scalar(r, map, path, key, true);
	if (n == NULL)
		return;
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (str_is(n->text, choices[i])) {
			*out = i;
			return;
		}
	}
	feature_manifest_error(r, n, path, "%s: %s or %s is expected", key, choices[0], choices[1]);
}

const char *
feature_manifest_file_of(struct manifest_reader *r, const struct yaml_node *node, const char *path,
			 const char *folder)
{
	if (node->kind == YAML_SCALAR && str_starts(node->text, folder) &&
	    str_ends(node->text, ".sql") && node->text.len > strlen(folder) + strlen(".sql"))
		return feature_manifest_copy(r, node->text);
	feature_manifest_error(r, node, path, "a file %s….sql of the package is expected", folder);
	return "";
}

/* The reader writes "file:line:column: message" or "file: message", one a line. */
static void
line_take(struct str line, struct feature_findings *findings)
{
	const size_t name = strlen(FEATURE_MANIFEST_FILE);
	int64_t number[2] = { 0, 0 };
	if (!str_starts(line, FEATURE_MANIFEST_FILE ":"))
		return;
	struct str rest = { line.p + name + 1, line.len - name - 1 };
	for (size_t i = 0; i < ARRAY_LEN(number) && rest.len > 0 && rest.p[0] != ' '; i++) {
		if (str_int(str_cut(&rest, ':'), 0, UINT32_MAX, &number[i]) != ERR_OK ||
		    rest.p == NULL)
			return;
	}
	rest = str_trim(rest);
	feature_find(findings, FEATURE_MANIFEST_FILE, (unsigned)number[0], (unsigned)number[1],
		     "%.*s", STR_FMT(rest));
}

void
feature_manifest_findings(const struct yaml_errors *errors, struct feature_findings *findings)
{
	const size_t before = findings->total;
	struct str text = buf_str(&errors->text);
	while (text.p != NULL && text.len > 0)
		line_take(str_cut(&text, '\n'), findings);
	/* The reader keeps a part of a long list only; the number is right even so. */
	if (findings->total - before < errors->count)
		findings->total = before + errors->count;
}
