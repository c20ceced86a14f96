/*
 * template.c — the files of a new feature, as `bimodal feature init` writes them.
 *
 * An endpoint that helps who talks to a customer next: the control shows the latest contacts, the
 * treatment the open opportunities with an advice for each stage. '@' in the texts stands for the
 * slug. A test installs and runs what is made here.
 */
#include "feature/template.h"

#include <string.h>

#include "feature/manifest.h"

#define TEXT_MAX 8192

static const struct {
	const char *path;
	const char *text;
} files[] = {
	{ "feature.yaml",
	  "# A feature is a hypothesis with an end. Every key: `bimodal feature check` tells what "
	  "is missing or wrong.\n"
	  "slug: @\n"
	  "title: Advice on open opportunities\n"
	  "statement: Who sees the open opportunities of a person with an advice wins more of "
	  "them.\n"
	  "benefit: The customer is asked about what matters to them, not about everything.\n"
	  "business_owner: product_owner   # two people, by their names in core: who answers for "
	  "the idea,\n"
	  "technical_owner: innovator      # and who for the code\n"
	  "expires: 14d                 # from deployment; then everything of it is removed\n"
	  "unit: person\n"
	  "flag: {coverage: 1.0, variations: [control, treatment], weights: [0.5, 0.5]}\n"
	  "endpoints:\n"
	  "  - name: advice\n"
	  "    queries:\n"
	  "      control: queries/advice_control.sql\n"
	  "      treatment: queries/advice_treatment.sql\n"
	  "experiment: {planned_units: 2000, runs: 10d, alpha: 0.05, minimum_effect: 0.01}\n"
	  "metrics:\n"
	  "  primary: {name: won, file: metrics/won.sql, kind: proportion, direction: increase, "
	  "maturity: 0}\n"
	  "  guardrails:\n"
	  "    - {name: complaints, file: metrics/complaints.sql, kind: proportion, direction: "
	  "decrease, margin: 0.02}\n" },
	{ "up.sql", "-- Runs once, as the owner of schema feature_@: tables, indexes, views, SQL "
		    "functions and rows of its own.\n"
		    "CREATE TABLE feature_@.advice (\n"
		    "\tstage text PRIMARY KEY,\n"
		    "\tposition int NOT NULL,\n"
		    "\tadvice text NOT NULL\n"
		    ");\n\n"
		    "INSERT INTO feature_@.advice (stage, position, advice) VALUES\n"
		    "\t('engaging', 1, 'Ask what is still open and name a date.'),\n"
		    "\t('prospecting', 2, 'Ask what the product should do for them.');\n" },
	{ "down.sql", "-- Takes away what up.sql made.\n"
		      "DROP TABLE feature_@.advice;\n" },
	{ "verify.sql",
	  "-- Each row is an assertion that failed.\n"
	  "SELECT 'no advice for stage ' || s.stage AS failure\n"
	  "FROM (VALUES ('prospecting'), ('engaging')) AS s (stage)\n"
	  "WHERE NOT EXISTS (SELECT 1 FROM feature_@.advice AS a WHERE a.stage = s.stage)\n" },
	{ "queries/advice_control.sql", "-- The latest contacts of a person.\n"
					"-- $1 uuid unit (pseudonym of the person)\n"
					"-- $2 int limit\n"
					"SELECT i.kind, i.channel, i.direction, i.at, i.amount\n"
					"FROM crm.interaction AS i\n"
					"WHERE i.person_pseudonym = $1\n"
					"ORDER BY i.at DESC, i.id DESC\n"
					"LIMIT least(coalesce($2, 5), 50)\n" },
	{ "queries/advice_treatment.sql",
	  "-- The open opportunities of a person, with an advice for each stage.\n"
	  "-- $1 uuid unit (pseudonym of the person)\n"
	  "-- $2 int limit\n"
	  "SELECT o.id, o.product, o.stage, o.amount, o.currency, o.opened_at, a.advice\n"
	  "FROM crm.opportunity AS o\n"
	  "JOIN feature_@.advice AS a ON a.stage = o.stage\n"
	  "WHERE o.person_pseudonym = $1 AND o.stage IN ('prospecting', 'engaging')\n"
	  "ORDER BY a.position, o.opened_at, o.id\n"
	  "LIMIT least(coalesce($2, 5), 50)\n" },
	{ "metrics/won.sql",
	  "-- 1 for a person with an opportunity won after the exposure. closed_at is a day and "
	  "updated_at the latest change: both\n"
	  "-- must not be earlier than the exposure.\n"
	  "-- $1 uuid[] units\n"
	  "-- $2 timestamptz[] exposed_at (same order)\n"
	  "-- $3 timestamptz until\n"
	  "SELECT e.unit, CASE WHEN EXISTS (\n"
	  "\tSELECT 1 FROM crm.opportunity AS o\n"
	  "\tWHERE o.person_pseudonym = e.unit AND o.stage = 'won' AND o.updated_at >= e.at\n"
	  "\tAND o.closed_at >= (e.at AT TIME ZONE 'UTC')::date AND o.closed_at <= ($3 AT TIME "
	  "ZONE 'UTC')::date\n"
	  ") THEN 1 ELSE 0 END AS value\n"
	  "FROM unnest($1, $2) AS e (unit, at)\n" },
	{ "metrics/complaints.sql", "-- 1 for a person who complained after the exposure.\n"
				    "-- $1 uuid[] units\n"
				    "-- $2 timestamptz[] exposed_at (same order)\n"
				    "-- $3 timestamptz until\n"
				    "SELECT e.unit, CASE WHEN EXISTS (\n"
				    "\tSELECT 1 FROM crm.interaction AS i\n"
				    "\tWHERE i.person_pseudonym = e.unit AND i.kind = 'complaint' "
				    "AND i.at >= e.at AND i.at <= $3\n"
				    ") THEN 1 ELSE 0 END AS value\n"
				    "FROM unnest($1, $2) AS e (unit, at)\n" },
};

static struct str
text_make(struct arena *arena, const char *text, const char *slug)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '@')
			buf_add_cstr(&b, slug);
		else
			buf_add_char(&b, *p);
	}
	const struct str out = b.failed ? STR_NONE : arena_str(arena, buf_str(&b));
	buf_free(&b);
	return out;
}

enum err
feature_template_make(struct arena *arena, const char *slug, struct feature_archive *out,
		      struct err_info *info)
{
	memset(out, 0, sizeof(*out));
	if (!feature_slug_valid(str_of(slug)))
		return err_set(info, ERR_INVALID, NULL,
			       "a slug has %d to %d of a-z, 0-9 and '_', begins with a letter and "
			       "does not end in _owner",
			       FEATURE_SLUG_MIN, FEATURE_SLUG_MAX);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct str text = text_make(arena, files[i].text, slug);
		if (text.p == NULL)
			return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %s",
				       files[i].path);
		const enum err err = feature_archive_add(out, str_of(files[i].path), text, info);
		if (err != ERR_OK)
			return err;
	}
	struct buf bytes;
	buf_init(&bytes, FEATURE_ARCHIVE_BYTES_MAX);
	const enum err err = feature_archive_write(out, &bytes, info);
	buf_free(&bytes);
	return err;
}

enum err
feature_template_write(const char *slug, const char *folder, struct err_info *info)
{
	struct arena arena;
	struct feature_archive archive;
	arena_init(&arena, FEATURE_ARCHIVE_BYTES_MAX);
	enum err err = feature_template_make(&arena, slug, &archive, info);
	if (err == ERR_OK)
		err = feature_archive_extract(&archive, folder, info);
	arena_release(&arena);
	return err;
}
