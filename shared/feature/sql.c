/*
 * sql.c — header and statement of a query file, and the statements sent: ours around the file's.
 *
 * The file's text was parsed by PostgreSQL's parser as exactly one statement before it is put
 * between our brackets, so it cannot close them. Invariants: the texts that go in beside it are
 * slugs and names of a checked manifest, or parameters.
 */
#include "feature/sql.h"

#include <pg_query.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"

#define NAME_MAX_BYTES 40
#define STATEMENT_NAME_HEX 24

enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT8 = 701,
	OID_DATE = 1082,
	OID_TIMESTAMPTZ = 1184,
	OID_NUMERIC = 1700,
	OID_UUID = 2950,
	OID_UUIDS = 2951,
	OID_TIMESTAMPTZS = 1185
};

static const struct {
	const char *name;
	Oid oid;
	bool metric_only;
} types[] = {
	{ "uuid", OID_UUID, false },       { "int", OID_INT4, false },
	{ "integer", OID_INT4, false },    { "bigint", OID_INT8, false },
	{ "numeric", OID_NUMERIC, false }, { "double", OID_FLOAT8, false },
	{ "text", OID_TEXT, false },       { "boolean", OID_BOOL, false },
	{ "date", OID_DATE, false },       { "timestamptz", OID_TIMESTAMPTZ, false },
	{ "uuid[]", OID_UUIDS, true },     { "timestamptz[]", OID_TIMESTAMPTZS, true },
};

/* The parameters every metric has. */
static const struct {
	const char *type, *name;
} metric_params[] = { { "uuid[]", "units" },
		      { "timestamptz[]", "exposed_at" },
		      { "timestamptz", "until" } };

static struct str
word_cut(struct str *rest)
{
	*rest = str_trim(*rest);
	size_t n = 0;
	while (n < rest->len && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	const struct str word = { rest->p, n };
	rest->p += n;
	rest->len -= n;
	return word;
}

static bool
name_valid(struct str s)
{
	if (s.len == 0 || s.len > NAME_MAX_BYTES || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

struct header {
	struct arena *arena;
	const char *file;
	struct feature_query *query;
	struct feature_findings *findings;
	unsigned line;
};

static const char *
param_type(struct header *h, struct str type, bool as_metric, Oid *oid)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_is(type, types[i].name) && (as_metric || !types[i].metric_only)) {
			*oid = types[i].oid;
			return types[i].name;
		}
	}
	feature_find(h->findings, h->file, h->line, 1,
		     "'%.*s' is not a type of a parameter: uuid, int, bigint, numeric, double, "
		     "text, boolean, date or timestamptz",
		     STR_FMT(type));
	return NULL;
}

/* "$2 int limit (what it means)", behind the dashes. */
static enum err
param_read(struct header *h, struct str rest, bool as_metric)
{
	struct feature_query *q = h->query;
	const struct str number = word_cut(&rest);
	const struct str type = word_cut(&rest);
	const struct str name = word_cut(&rest);
	int64_t n = 0;
	struct feature_param param = { .oid = 0 };
	if (str_int((struct str) { number.p + 1, number.len - 1 }, 1, FEATURE_PARAMS_MAX, &n) !=
		    ERR_OK ||
	    (size_t)n != q->n_params + 1) {
		feature_find(h->findings, h->file, h->line, 1,
			     "parameters are numbered from $1 without gaps, to $%d at most",
			     FEATURE_PARAMS_MAX);
		return ERR_OK;
	}
	param.type = param_type(h, type, as_metric, &param.oid);
	if (param.type == NULL)
		param.type = "text";
	bool twice = false;
	for (size_t i = 0; i < q->n_params; i++)
		twice = twice || str_is(name, q->params[i].name);
	if (!name_valid(name) || twice)
		feature_find(h->findings, h->file, h->line, 1,
			     "$%zu needs a name of its own: '-- $%zu %s name', a-z, 0-9 and '_'",
			     (size_t)n, (size_t)n, param.type);
	param.name = arena_strdup(h->arena, name);
	if (param.name == NULL)
		return ERR_NO_MEMORY;
	q->params[q->n_params++] = param;
	return ERR_OK;
}

/* The comment lines in front; *body is what is behind them. */
static enum err
header_read(struct header *h, struct str text, bool as_metric, struct str *body)
{
	*body = text;
	while (body->len > 0) {
		struct str rest = *body;
		struct str line = str_trim(str_cut(&rest, '\n'));
		h->line++;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line = str_trim((struct str) { line.p, line.len - 1 });
		if (line.len > 0 && !str_starts(line, "--"))
			return ERR_OK;
		*body = rest.p != NULL ? rest : (struct str) { text.p + text.len, 0 };
		if (line.len == 0)
			continue;
		line = str_trim((struct str) { line.p + 2, line.len - 2 });
		if (line.len > 1 && line.p[0] == '$') {
			const enum err err = param_read(h, line, as_metric);
			if (err != ERR_OK)
				return err;
		}
	}
	return ERR_OK;
}

static void
params_check(const struct header *h, bool as_metric)
{
	const struct feature_query *q = h->query;
	bool good = q->n_params > 0;
	if (!as_metric) {
		good = good && q->params[0].oid == OID_UUID &&
		       strcmp(q->params[0].name, "unit") == 0;
		if (!good)
			feature_find(h->findings, h->file, 1, 1,
				     "the header begins with '-- $1 uuid unit'");
		return;
	}
	good = q->n_params == ARRAY_LEN(metric_params);
	for (size_t i = 0; good && i < q->n_params; i++)
		good = strcmp(q->params[i].type, metric_params[i].type) == 0 &&
		       strcmp(q->params[i].name, metric_params[i].name) == 0;
	if (!good)
		feature_find(h->findings, h->file, 1, 1,
			     "the header of a metric is '-- $1 uuid[] units', '-- $2 timestamptz[] "
			     "exposed_at', '-- $3 timestamptz until'");
}

/* The one statement of the text, without the semicolon. */
static enum err
statement_find(struct header *h, const char *text, size_t body_at, struct str *out)
{
	PgQuerySplitResult split = pg_query_split_with_parser(text);
	const size_t before = h->findings->total;
	if (split.error != NULL) {
		feature_find(h->findings, h->file, 0, 0, "PostgreSQL's parser says: %s",
			     split.error->message);
	} else if (split.n_stmts != 1) {
		feature_find(h->findings, h->file, 0, 0,
			     "one SELECT is expected, there are %d statements", split.n_stmts);
	} else {
		const size_t len = strlen(text);
		size_t from = (size_t)split.stmts[0]->stmt_location;
		const size_t size = (size_t)split.stmts[0]->stmt_len;
		const size_t to = size > 0 ? from + size : len;
		from = MAX(from, body_at);
		*out = str_trim((struct str) { text + MIN(from, to), to - MIN(from, to) });
	}
	pg_query_free_split_result(split);
	return h->findings->total > before ? ERR_INVALID : ERR_OK;
}

enum err
feature_query_read(struct arena *arena, const char *file, struct str text, bool as_metric,
		   struct feature_query *out, struct feature_findings *findings)
{
	const size_t before = findings->total;
	memset(out, 0, sizeof(*out));
	struct header h = { .arena = arena, .file = file, .query = out, .findings = findings };
	struct str body = STR_NONE;
	out->file = arena_strdup(arena, str_of(file));
	const char *copy = arena_strdup(arena, text);
	if (out->file == NULL || copy == NULL)
		return ERR_NO_MEMORY;
	if (text.len > 0 && memchr(text.p, '\0', text.len) != NULL) {
		feature_find(findings, file, 0, 0, "the file holds a zero byte");
		return ERR_INVALID;
	}
	const enum err err = header_read(&h, (struct str) { copy, text.len }, as_metric, &body);
	if (err != ERR_OK)
		return err;
	params_check(&h, as_metric);
	(void)statement_find(&h, copy, (size_t)(body.p - copy), &out->text);
	return findings->total > before ? ERR_INVALID : ERR_OK;
}

static enum err
statement_make(struct arena *arena, const struct feature_query *q, const char *text,
	       enum postgres_lane lane, struct postgres_stmt *out)
{
	char hex[SHA256_HEX_SIZE];
	Oid *oids = arena_alloc(arena, sizeof(*oids) * MAX(q->n_params, 1));
	if (text == NULL || oids == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < q->n_params; i++)
		oids[i] = q->params[i].oid;
	sha256_hex(text, strlen(text), hex);
	*out = (struct postgres_stmt) {
		.name = arena_printf(arena, "feature_%.*s", STATEMENT_NAME_HEX, hex),
		.text = text,
		.lane = lane,
		.n_params = (unsigned)q->n_params,
		.types = oids,
	};
	return out->name != NULL ? ERR_OK : ERR_NO_MEMORY;
}

enum err
feature_query_answer(struct arena *arena, const struct feature_query *q, const char *slug,
		     const char *endpoint, const char *variant, struct postgres_stmt *out)
{
	const char *text = arena_printf(
		arena,
		"/* feature %s, endpoint %s, variant %s */\n"
		"select '{\"feature\":\"%s\",\"endpoint\":\"%s\",\"unit\":' || to_json($1)::text "
		"|| ',\"variant\":\"%s\",\"rows\":['\n"
		"\t|| coalesce(string_agg(row_to_json(\"feature row\")::text, ','), '') || ']}' as "
		"body, count(*) as n\n"
		"from (select * from (\n%.*s\n) as \"feature query\" limit %d) as \"feature row\"",
		slug, endpoint, variant, slug, endpoint, variant, STR_FMT(q->text),
		FEATURE_ROWS_MAX + 1);
	return statement_make(arena, q, text, POSTGRES_READ, out);
}

enum err
feature_query_metric(struct arena *arena, const struct feature_query *q, const char *slug,
		     const struct feature_metric *metric, struct postgres_stmt *out)
{
	const char *text = arena_printf(
		arena,
		"/* feature %s, metric %s */\n"
		"select coalesce(array_agg(v.unit order by v.unit), '{}')::text as units,\n"
		"\tcoalesce(array_agg(v.value order by v.unit), '{}')::text as \"values\", "
		"count(*) as n,\n"
		"\tcount(distinct v.unit) as different, min(v.value) as least, max(v.value) as "
		"greatest\n"
		"from (select unit, value::bigint as value from (\n%.*s\n) as \"feature query\") "
		"as v\n"
		"join unnest($1, $2) as e (unit, at) on e.unit = v.unit\n"
		"where e.at + interval '%lld microseconds' <= $3 and v.value is not null",
		slug, metric->name, STR_FMT(q->text), (long long)metric->maturity);
	return statement_make(arena, q, text, POSTGRES_SLOW, out);
}
