/*
 * plan.c — from a request's texts to what is run: the check, the transactions, their statements.
 *
 * The registry decides the order. What it opens is published last (the airlock must have the column first); what it withdraws leaves the
 * publication at once, and, where the text begins with it, in a transaction of its own, so that the workers have stopped to use a
 * column before it is dropped. Up and down are planned alike, for the rehearsal as for core.
 */
#include <stdio.h>
#include <string.h>

#include "core/change/internal.h"

#define FEATURE_TIMEOUT (1 * USEC_PER_SEC)

struct str
core_change_unhex(struct arena *arena, struct str hex)
{
	char *bytes = arena_alloc(arena, hex.len / 2 + 1);

	if (hex.p == NULL || bytes == NULL || hex_decode(hex, bytes, hex.len / 2) != ERR_OK)
		return STR_NONE;
	return (struct str) { bytes, hex.len / 2 };
}

/* The same bytes as change.request_sha(). */
void
core_change_sha(struct arena *arena, const struct change_texts *texts, char out[SHA256_HEX_SIZE])
{
	if (texts->promotion) {
		sha256_hex(texts->package.p, texts->package.len, out);
		return;
	}
	const char *all = arena_printf(
		arena, "bimodal-change 1\nup %zu\n%.*s\ndown %zu\n%.*s\nverify %zu\n%.*s\n",
		texts->up.len, STR_FMT(texts->up), texts->down.len, STR_FMT(texts->down),
		texts->verify.len, STR_FMT(texts->verify));
	out[0] = '\0';
	if (all != NULL)
		sha256_hex(all, strlen(all), out);
}

enum err
core_change_columns(struct task *t, unsigned wait, struct arena *arena, struct feature_columns *out,
		    struct err_info *info)
{
	const int n = postgres_rows(t, wait);
	struct feature_column *items = arena_alloc(arena, ((size_t)n + 1) * sizeof(*items));

	if (items == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %d columns", n);
	for (int i = 0; i < n; i++) {
		items[i].table = arena_strdup(arena, postgres_value(t, wait, i, 0));
		items[i].name = arena_strdup(arena, postgres_value(t, wait, i, 1));
		if (items[i].table == NULL || items[i].name == NULL)
			return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %d columns", n);
	}
	*out = (struct feature_columns) { .items = items, .n = (size_t)n };
	return ERR_OK;
}

static const char *
json_keep(struct arena *arena, struct buf *json)
{
	const char *kept = arena_strdup(arena, buf_str(json));
	buf_free(json);
	return kept != NULL ? kept : "[]";
}

static enum err
check_package(struct arena *arena, const struct change_texts *texts,
	      const struct feature_columns *columns, const char **out, struct err_info *info)
{
	struct feature_archive *archive = arena_alloc(arena, sizeof(*archive));
	struct feature_package *package = arena_alloc(arena, sizeof(*package));
	struct feature_findings *findings = arena_alloc(arena, sizeof(*findings));
	struct buf json;

	if (archive == NULL || package == NULL || findings == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the package");
	enum err err = feature_archive_read(texts->package, archive, info);
	if (err != ERR_OK)
		return err;
	feature_findings_init(findings, arena);
	err = feature_package_check(arena, archive, columns, package, findings);
	if (err == ERR_OK && !str_eq(texts->slug, str_of(package->manifest.slug)))
		return err_set(info, ERR_INVALID, "/package",
			       "the package is of the feature \"%s\"", package->manifest.slug);
	if (err == ERR_OK)
		return ERR_OK;
	buf_init(&json, 256 * 1024);
	feature_findings_json(findings, &json);
	*out = json_keep(arena, &json);
	return err_set(info, err, "/package", "the package is not one that may run");
}

enum err
core_change_check(struct arena *arena, const struct change_texts *texts,
		  const struct feature_columns *columns, const char **out, struct err_info *info)
{
	struct change_findings *findings = arena_alloc(arena, sizeof(*findings));
	struct err_info first = { .code = ERR_OK };
	struct buf json;

	*out = "[]";
	if (findings == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the check");
	if (texts->promotion)
		return check_package(arena, texts, columns, out, info);
	change_findings_init(findings, arena);
	const struct str part[] = { [CHANGE_UP] = texts->up,
				    [CHANGE_DOWN] = texts->down,
				    [CHANGE_VERIFY] = texts->verify };
	for (enum change_part p = CHANGE_UP; p <= CHANGE_VERIFY; p++) {
		const enum err err = change_check(p, part[p], findings, &first);
		if (err != ERR_OK && err != ERR_INVALID)
			return err_set(info, err, NULL, "%s", first.msg);
	}
	if (findings->total == 0)
		return ERR_OK;
	buf_init(&json, 256 * 1024);
	change_findings_json(findings, &json);
	*out = json_keep(arena, &json);
	return err_set(info, ERR_INVALID, NULL,
		       "the SQL of the change is not allowed: %s (/%s, line %u)",
		       findings->n > 0 ? findings->items[0].reason : "",
		       findings->n > 0 ? change_part_name(findings->items[0].part) : "",
		       findings->n > 0 ? findings->items[0].line : 0);
}

/* ---- plans ---- */

struct writer {
	struct buf *out;
	const char *part; /* of the probes; NULL: none */
	unsigned n;       /* statements written        */
};

static void
statement_write(struct writer *w, struct str text, bool unpublish)
{
	if (w->part != NULL)
		buf_printf(w->out, "SELECT pg_temp.probe_begin('%s', %u);\n", w->part, w->n + 1);
	buf_add_str(w->out, text);
	buf_add_cstr(w->out, "\n;\n");
	if (unpublish)
		buf_add_cstr(w->out, "SELECT change.unpublish();\n");
	if (w->part != NULL)
		buf_printf(w->out, "SELECT pg_temp.probe_end('%s', %u);\n", w->part, w->n + 1);
	w->n++;
}

static const char *
script_keep(struct arena *arena, struct buf *b, struct err_info *info)
{
	const char *text = b->failed ? NULL : arena_strdup(arena, buf_str(b));
	if (text == NULL)
		(void)err_set(info, ERR_TOO_LARGE, NULL, "the change is too large");
	buf_free(b);
	return text;
}

/* Statements from..n as one script; their lines go into the plan. */
static const char *
script_make(struct arena *arena, const struct change_statement *s, size_t from, size_t n,
	    const char *part, struct err_info *info)
{
	struct buf b;
	struct writer w = { .out = &b, .part = part, .n = (unsigned)from };

	buf_init(&b, CHANGE_SCRIPT_MAX);
	for (size_t i = from; i < n; i++)
		statement_write(&w, s[i].text, s[i].withdraws);
	return script_keep(arena, &b, info);
}

static enum err
lines_keep(struct arena *arena, const struct change_statement *s, size_t n, struct change_plan *out,
	   struct err_info *info)
{
	out->lines = arena_alloc(arena, (n + 1) * sizeof(*out->lines));
	if (out->lines == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the plan");
	out->n_lines = n;
	for (size_t i = 0; i < n; i++)
		out->lines[i] = s[i].line;
	return ERR_OK;
}

static enum err
plan_schema(struct arena *arena, const struct change_texts *texts, enum change_direction direction,
	    bool probe, struct change_plan *out, struct err_info *info)
{
	struct change_statement *s = NULL;
	size_t n = 0;
	size_t lead = 0;
	const char *part = !probe ? NULL : direction == CHANGE_FORWARD ? "up" : "down";

	const enum err err = change_split(
		arena, direction == CHANGE_FORWARD ? texts->up : texts->down, &s, &n, info);
	if (err != ERR_OK)
		return err;
	while (lead < n && s[lead].withdraws)
		lead++;
	for (size_t i = 0; i < n; i++)
		out->registry = out->registry || s[i].registry;
	out->role = CHANGE_OWNER;
	out->after = "";
	out->verify = direction == CHANGE_FORWARD ? arena_strdup(arena, texts->verify) : "";
	out->withdraw = NULL;
	if (lead > 0) {
		out->withdraw = script_make(arena, s, 0, lead, part, info);
		if (out->withdraw == NULL)
			return info->code;
	}
	out->main = script_make(arena, s, lead, n, part, info);
	if (out->main == NULL || out->verify == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the plan");
	return lines_keep(arena, s, n, out, info);
}

static enum err
promotion_script(const struct change_texts *texts, enum change_direction direction,
		 const char *slug, const char *password, unsigned workers, struct buf *script,
		 struct buf *after, struct err_info *info)
{
	if (direction == CHANGE_BACK)
		return feature_install_remove(script, slug, texts->down, info);
	const enum err err =
		feature_install_up(script,
				   &(struct feature_install) {
					   .slug = slug,
					   .password = password,
					   .connections = feature_connections_max(workers),
					   .statement_timeout = FEATURE_TIMEOUT,
					   .up = texts->up,
				   },
				   info);
	return err != ERR_OK ? err : feature_install_after(after, slug, info);
}

static enum err
plan_promotion(struct arena *arena, const struct change_texts *texts,
	       enum change_direction direction, bool probe, const char *password, unsigned workers,
	       struct change_plan *out, struct err_info *info)
{
	const char *slug = arena_strdup(arena, texts->slug);
	struct buf script;
	struct buf after;

	if (slug == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the plan");
	buf_init(&script, CHANGE_SCRIPT_MAX);
	buf_init(&after, CHANGE_SCRIPT_MAX);
	enum err err =
		promotion_script(texts, direction, slug, password, workers, &script, &after, info);
	out->main = script_keep(arena, &script, info);
	out->after = script_keep(arena, &after, info);
	out->verify = direction == CHANGE_FORWARD ? arena_strdup(arena, texts->verify) : "";
	out->role = NULL;
	if (err == ERR_OK && (out->main == NULL || out->after == NULL || out->verify == NULL))
		err = err_set(info, ERR_NO_MEMORY, NULL, "no memory for the plan");
	if (err != ERR_OK || !probe)
		return err;
	struct change_statement *s = NULL;
	size_t n = 0;
	err = change_split(arena, str_of(out->main), &s, &n, info);
	if (err != ERR_OK)
		return err;
	out->main = script_make(arena, s, 0, n, direction == CHANGE_FORWARD ? "up" : "down", info);
	return out->main != NULL ? lines_keep(arena, s, n, out, info) : info->code;
}

enum err
core_change_plan(struct arena *arena, const struct change_texts *texts,
		 enum change_direction direction, bool probe, const char *password,
		 unsigned workers, struct change_plan *out, struct err_info *info)
{
	*out = (struct change_plan) { .withdraw = NULL };
	if (texts->promotion)
		return plan_promotion(arena, texts, direction, probe, password, workers, out, info);
	return plan_schema(arena, texts, direction, probe, out, info);
}
