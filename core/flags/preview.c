/*
 * preview.c — POST /v1/flags/{key}/preview: how many people or organizations each variation has now, how many it would have under
 * another document, and who would move from which to which.
 *
 * The record is read in the order of the units, a batch at a time, on the slow lane; while the next batch is on its way, this one is
 * put to the evaluator that also answers applications, so the same code decides. Batches are as large as keeps a step under a
 * millisecond. Invariants: no field is read that the caller may not read; the rows live as long as their step; one preview at a time a
 * worker; what the time allowed is said with the answer. People come in the order of their pseudonyms, which are random: those
 * counted are a sample, and the bound is that of a sample.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_member.h"
#include "core/flags/internal.h"
#include "record/record.h"

#define BODY_MEMBERS_MAX 8
#define SECONDS_DEFAULT 10
#define SECONDS_MAX 25
#define BATCH_FIRST 100
#define BATCH_MIN 20
#define BATCH_MAX 2000
#define STEP_US 600                      /* of evaluation a step */
#define PLACES (FLAG_VARIATIONS_MAX + 1) /* the last one: no value */
#define NONE FLAG_VARIATIONS_MAX
#define FIELDS_MAX 64
#define SEGMENTS_MAX 64
#define DOCUMENTS_MAX FLAG_VISITED_MAX
#define ANSWER_BYTES_MAX ((size_t)512 * 1024)
#define CONFIDENCE 1.96 /* 19 times of 20 */
#define OF_NOBODY 3.0   /* the same bound where none was met */

struct preview {
	struct arena memory; /* of the proposed document */
	struct flag_snapshot *flags;
	struct record_catalog *catalog;
	task_end_fn *end; /* the end that was there before ours */
	void *end_arg;
	const struct flag_document *now; /* NULL: it cannot be read */
	const struct flag_document *would;
	struct record_columns columns;
	const struct record_field *fields[FIELDS_MAX];
	struct str unknown[FLAG_NAMES_MAX]; /* attributes that the record does not have */
	size_t n_unknown;
	struct str segments[SEGMENTS_MAX]; /* their names, and their filters */
	struct str filters[SEGMENTS_MAX];
	bool keeps; /* experiments whose assignments are kept: those are not counted */
	struct str key;
	bool on; /* the proposed document is that of a flag that is on */
	usec_t wall;
	usec_t begin;
	usec_t until;
	int64_t of;
	int64_t counted;
	unsigned asked; /* rows of the batch that is on its way */
	bool complete;
	char after[UUID_TEXT_SIZE];
	int64_t moves[PLACES][PLACES]; /* now → would */
};

/* One row as the evaluator takes it. */
struct row {
	struct flag_value values[FIELDS_MAX + 1];
	char numbers[FIELDS_MAX][FLAG_NUMBER_TEXT_SIZE];
};

static bool running;

static void
preview_end(struct task *t, void *arg)
{
	struct preview *p = arg;
	task_end_fn *const end = p->end;
	void *const end_arg = p->end_arg;

	running = false;
	flag_snapshot_unref(p->flags);
	record_catalog_unref(p->catalog);
	arena_release(&p->memory);
	if (end != NULL)
		end(t, end_arg);
}

/* From here on there is something to give back when the task ends. */
static void
preview_begin(struct task *t, struct preview *p)
{
	running = true;
	arena_init(&p->memory, FLAG_DOCUMENT_MEMORY_MAX);
	p->flags = flag_snapshot_ref(core_flags_now());
	p->catalog = record_catalog_ref(record_engine_catalog(core_flags_conf.records));
	p->end = t->t_end;
	p->end_arg = t->t_end_arg;
	t->t_end = preview_end;
	t->t_end_arg = p;
}

/* ---- what is asked ---- */

static bool
resource_find(struct task *t, struct preview *p)
{
	const bool of_people = p->would->unit == FLAG_PERSON;
	const struct str name = of_people ? STR("people") : STR("organizations");

	if (p->would->unit == FLAG_VISITOR) {
		(void)err_set(&t->t_err, ERR_INVALID, "/document/unit",
			      "visitors are not in the record: only people and organizations can "
			      "be counted");
		return false;
	}
	p->columns.resource = record_catalog_find(p->catalog, name);
	if (p->columns.resource == NULL) {
		(void)err_set(&t->t_err, ERR_DOWN, NULL, "the field registry has no %.*s",
			      STR_FMT(name));
		return false;
	}
	if (access_require(t, of_people ? STR("people.read") : STR("organizations.read")) != ERR_OK)
		return false;
	if (core_flags_owners(t, name, &p->columns.owners))
		return true;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return false;
}

static void
unknown_add(struct preview *p, struct str name)
{
	for (size_t i = 0; i < p->n_unknown; i++)
		if (str_eq(p->unknown[i], name))
			return;
	if (p->n_unknown < ARRAY_LEN(p->unknown))
		p->unknown[p->n_unknown++] = name;
}

/* One attribute that the rules name: a field of the record, which the caller must be let to read, or what only applications tell. */
static bool
attribute_add(struct task *t, struct preview *p, struct str name)
{
	const struct record_field *f = record_field_find(p->columns.resource, name);

	if (str_is(name, FLAG_UNIT_ATTRIBUTE))
		return true;
	if (f == NULL || f->kind == RECORD_JSON) {
		unknown_add(p, name);
		return true;
	}
	if (!record_field_readable(f, access_actor_of(t)->read_classes)) {
		access_refused(t, "class");
		(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL,
			      "the rules ask for the field \"%.*s\", which this principal may not "
			      "read",
			      STR_FMT(name));
		return false;
	}
	for (size_t i = 0; i < p->columns.n; i++)
		if (p->fields[i] == f)
			return true;
	if (p->columns.n == ARRAY_LEN(p->fields)) {
		(void)err_set(&t->t_err, ERR_TOO_LARGE, "/document",
			      "the rules ask for more than %d fields", FIELDS_MAX);
		return false;
	}
	p->fields[p->columns.n++] = f;
	return true;
}

/* A segment that the rules name: of the record, or what only applications tell. */
static bool
segment_add(struct task *t, struct preview *p, struct str name)
{
	struct flag_segment g;

	if (!flag_segment_of(p->flags, name, &g) || g.unit != p->would->unit) {
		unknown_add(p, name);
		return true;
	}
	for (size_t i = 0; i < p->columns.n_segments; i++)
		if (str_eq(p->segments[i], name))
			return true;
	if (!core_flags_segment_readable(t, name, &g))
		return false;
	if (p->columns.n_segments == SEGMENTS_MAX) {
		(void)err_set(&t->t_err, ERR_TOO_LARGE, "/document",
			      "the rules ask for more than %d segments", SEGMENTS_MAX);
		return false;
	}
	p->segments[p->columns.n_segments] = name;
	p->filters[p->columns.n_segments++] = g.query;
	return true;
}

static bool
keeps(const struct flag_document *d)
{
	for (unsigned i = 0; i < d->n_rules; i++)
		if (d->rules[i].kind == FLAG_RULE_EXPERIMENT && d->rules[i].sticky)
			return true;
	return false;
}

static void
documents_add(const struct flag_document **documents, size_t *n, const struct flag_document *d)
{
	for (size_t i = 0; i < *n; i++)
		if (documents[i] == d)
			return;
	if (d != NULL && *n < DOCUMENTS_MAX)
		documents[(*n)++] = d;
}

/* The fields that both documents ask for, and the flags that they wait for. */
static bool
fields_find(struct task *t, struct preview *p)
{
	const struct flag_document *documents[DOCUMENTS_MAX];
	size_t n = 0;

	documents_add(documents, &n, p->would);
	documents_add(documents, &n, p->now);
	for (size_t i = 0; i < n; i++) {
		const struct flag_document *d = documents[i];
		for (unsigned k = 0; k < d->attributes.n; k++)
			if (!attribute_add(t, p, d->attributes.names[k]))
				return false;
		for (unsigned k = 0; k < d->segments.n; k++)
			if (!segment_add(t, p, d->segments.names[k]))
				return false;
		p->keeps = p->keeps || keeps(d);
		for (unsigned k = 0; k < d->flags.n; k++)
			documents_add(documents, &n, flag_document_of(p->flags, d->flags.names[k]));
	}
	p->columns.fields = p->fields;
	p->columns.segments = p->filters;
	p->columns.classes = access_actor_of(t)->read_classes;
	return true;
}

static bool
members_read(struct task *t, struct preview *p, struct str *document)
{
	static const char *const known[] = { "document", "enabled", "seconds", NULL };
	struct json_member m[BODY_MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);
	int64_t seconds = SECONDS_DEFAULT;

	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK ||
	    json_members_known(m, n, known, "", &t->t_err) != ERR_OK)
		return false;
	const struct json_member *d = json_member_find(m, n, "document");
	const struct json_member *on = json_member_find(m, n, "enabled");
	const struct json_member *s = json_member_find(m, n, "seconds");
	if (d == NULL)
		(void)err_set(&t->t_err, ERR_INVALID, "/document", "\"document\" is required");
	else if (on != NULL && on->kind != JSON_TRUE && on->kind != JSON_FALSE)
		(void)err_set(&t->t_err, ERR_INVALID, "/enabled", "must be true or false");
	else if (s != NULL &&
		 (s->kind != JSON_NUMBER || str_int(s->value, 1, SECONDS_MAX, &seconds) != ERR_OK))
		(void)err_set(&t->t_err, ERR_INVALID, "/seconds", "must be a number from 1 to %d",
			      SECONDS_MAX);
	else {
		*document = d->value;
		if (on != NULL)
			p->on = on->kind == JSON_TRUE;
		p->until = p->begin + seconds * USEC_PER_SEC;
		return true;
	}
	return false;
}

/* The flag as it is: there, and on or off. */
static bool
present_look(struct task *t, struct preview *p)
{
	const struct flag_context nobody = { .attributes = NULL };
	struct flag_result r;

	flag_evaluate_in(p->flags, p->key, &nobody, p->wall, &r);
	p->now = flag_document_of(p->flags, p->key);
	p->on = r.source != FLAG_BY_SWITCH;
	if (r.outcome != FLAG_UNKNOWN)
		return true;
	(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"", STR_FMT(p->key));
	return false;
}

static step_fn preview_batch;

static bool
batch_ask(struct task *t, struct preview *p)
{
	p->asked = p->columns.limit;
	p->columns.after = p->after[0] != '\0' ? str_of(p->after) : STR_NONE;
	return record_columns(t, core_flags_conf.records, &p->columns) == ERR_OK;
}

static enum step
preview_read(struct task *t)
{
	struct preview *p = task_state(t, sizeof(*p));
	struct str document = STR_NONE;
	double coverage = 0;

	if (p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (running)
		return task_fail_set(t, ERR_BUSY, NULL,
				     "another preview is being counted; try again in a moment");
	if (core_flags_now() == NULL || record_engine_catalog(core_flags_conf.records) == NULL)
		return task_fail_set(t, ERR_DOWN, NULL, "the flags are not loaded yet");
	preview_begin(t, p);
	p->key = http_param(t, "key");
	p->wall = clock_wall_us();
	p->begin = clock_now_us();
	p->columns.limit = BATCH_FIRST;
	if (!present_look(t, p) || !members_read(t, p, &document) ||
	    flag_document_check(p->key, document, "/document", &coverage, &t->t_err) != ERR_OK ||
	    flag_document_compile(&p->memory, p->key, document, "/document", &p->would,
				  &t->t_err) != ERR_OK ||
	    !resource_find(t, p) || !fields_find(t, p) || !batch_ask(t, p) ||
	    record_columns_count(t, core_flags_conf.records, &p->columns) != ERR_OK)
		return task_fail(t);
	return STEP_WAIT;
}

/* ---- counting ---- */

static void
value_set(struct flag_value *v, const struct record_field *f, struct str text,
	  char number[FLAG_NUMBER_TEXT_SIZE])
{
	double n = 0;

	*v = (struct flag_value) { .key = f->name, .size = 1, .kind = JSON_STRING, .text = text };
	if (text.p == NULL) {
		v->kind = JSON_NULL;
		v->text = STR("null");
	} else if (f->kind == RECORD_BOOLEAN) {
		v->kind = str_is(text, "true") ? JSON_TRUE : JSON_FALSE;
	} else if ((f->kind == RECORD_INTEGER || f->kind == RECORD_DECIMAL) &&
		   str_double(text, &n) == ERR_OK) {
		v->kind = JSON_NUMBER;
		v->number = n;
		v->text = (struct str) { number, flag_number_text(n, number) };
	}
}

static unsigned
place_of(const struct flag_document *d, const struct flag_result *r)
{
	for (unsigned i = 0; d != NULL && r->variation.p != NULL && i < d->n_variations; i++)
		if (str_eq(d->variations[i].key, r->variation))
			return i;
	return NONE;
}

static void
row_count(struct task *t, struct preview *p, int i, struct row *row)
{
	struct str inside[SEGMENTS_MAX];
	struct flag_context c = { .record = row->values, .segments = inside };
	struct flag_result now, would = { .variation = STR_NONE };

	for (size_t k = 0; k < p->columns.n; k++)
		value_set(&row->values[k + 1], p->fields[k], postgres_value(t, 0, i, (int)k + 1),
			  row->numbers[k]);
	for (size_t k = 0; k < p->columns.n_segments; k++)
		if (str_is(postgres_value(t, 0, i, (int)(p->columns.n + k) + 1), "true"))
			inside[c.n_segments++] = p->segments[k];
	flag_context_unit(&c, postgres_value(t, 0, i, 0));
	flag_evaluate_in(p->flags, p->key, &c, p->wall, &now);
	if (p->on)
		flag_evaluate_document(p->would, p->flags, &c, p->wall, &would);
	p->moves[place_of(p->now, &now)][place_of(p->would, &would)]++;
}

/* As many rows as a step has time for. */
static void
batch_fit(struct preview *p, usec_t took, int rows)
{
	const usec_t fit = took > 0 ? STEP_US * rows / took : BATCH_MAX;

	p->columns.limit = (unsigned)MAX(BATCH_MIN, MIN(BATCH_MAX, fit));
}

static enum step preview_say(struct task *t, const struct preview *p);

static enum step
preview_batch(struct task *t)
{
	struct preview *p = task_state(t, sizeof(*p));
	const int rows = postgres_rows(t, 0);
	struct row row;

	if (p->counted == 0)
		p->of = postgres_int(t, 1, 0, 0, 0);
	p->complete = rows < (int)p->asked;
	const bool more = !p->complete && clock_now_us() < p->until;
	if (rows > 0)
		(void)str_copy(p->after, sizeof(p->after), postgres_value(t, 0, rows - 1, 0));
	/* The next ones are on their way while these are counted. */
	if (more && !batch_ask(t, p))
		return task_fail(t);
	const usec_t begin = clock_now_us();
	row.values[0] = (struct flag_value) { .kind = JSON_OBJECT,
					      .n = (uint32_t)p->columns.n,
					      .size = (uint32_t)p->columns.n + 1 };
	for (int i = 0; i < rows; i++)
		row_count(t, p, i, &row);
	p->counted += rows;
	batch_fit(p, clock_now_us() - begin, rows);
	if (!more)
		return preview_say(t, p);
	return task_jump(t, preview_batch);
}

/* ---- the answer ---- */

static void
variation_add(struct buf *out, const char *key, const struct flag_document *d, unsigned place)
{
	buf_printf(out, "\"%s\":", key);
	if (place == NONE || d == NULL)
		buf_add_cstr(out, "null");
	else
		buf_json_str(out, d->variations[place].key);
}

static void
totals_add(struct buf *out, const char *key, const struct preview *p, bool now)
{
	const struct flag_document *d = now ? p->now : p->would;
	bool first = true;

	buf_printf(out, ",\"%s\":[", key);
	for (unsigned i = 0; i < PLACES; i++) {
		int64_t n = 0;
		for (unsigned k = 0; k < PLACES; k++)
			n += now ? p->moves[i][k] : p->moves[k][i];
		if (n == 0 && (d == NULL || i >= d->n_variations))
			continue;
		buf_add_cstr(out, first ? "{" : ",{");
		variation_add(out, "variation", d, i);
		buf_printf(out, ",\"units\":%lld}", (long long)n);
		first = false;
	}
	buf_add_char(out, ']');
}

static bool
same_variation(const struct preview *p, unsigned from, unsigned to)
{
	if (from == NONE || to == NONE || p->now == NULL)
		return from == to;
	return str_eq(p->now->variations[from].key, p->would->variations[to].key);
}

/* Who changes; those that stay are in the totals. Returns how many. */
static int64_t
moves_add(struct buf *out, const struct preview *p)
{
	int64_t moved = 0;

	buf_add_cstr(out, ",\"moves\":[");
	for (unsigned i = 0; i < PLACES; i++) {
		for (unsigned k = 0; k < PLACES; k++) {
			if (p->moves[i][k] == 0 || same_variation(p, i, k))
				continue;
			buf_add_cstr(out, moved == 0 ? "{" : ",{");
			variation_add(out, "from", p->now, i);
			buf_add_char(out, ',');
			variation_add(out, "to", p->would, k);
			buf_printf(out, ",\"units\":%lld}", (long long)p->moves[i][k]);
			moved += p->moves[i][k];
		}
	}
	buf_printf(out, "],\"moved\":%lld", (long long)moved);
	return moved;
}

/* What the moves of all would be by those counted, and how far off that may be, in units. */
static void
estimate_add(struct buf *out, const struct preview *p, int64_t moved)
{
	const double n = (double)MAX(1, p->counted);
	const double of = (double)MAX(p->of, p->counted);
	const double part = (double)moved / n;
	double within = CONFIDENCE * sqrt(part * (1 - part) / n * (1 - n / of)) * of;

	if (moved == 0 || moved == p->counted)
		within = MIN(OF_NOBODY / n * of, of - n);
	buf_printf(out, ",\"estimate\":{\"moved\":%.0f,\"within\":", part * of);
	if (p->complete)
		buf_add_cstr(out, "0}");
	else if (p->would->unit == FLAG_PERSON)
		buf_printf(out, "%.0f}", ceil(within));
	else
		buf_add_cstr(out, "null}"); /* keys are in the order of time: no sample */
}

static enum step
preview_say(struct task *t, const struct preview *p)
{
	struct buf out;

	buf_init(&out, ANSWER_BYTES_MAX);
	buf_printf(&out, "{\"key\":\"%.*s\",\"unit\":\"%s\"", STR_FMT(p->key),
		   p->would->unit == FLAG_PERSON ? "person" : "organization");
	buf_printf(&out, ",\"counted\":%lld,\"of\":%lld,\"complete\":%s,\"ms\":%lld",
		   (long long)p->counted, (long long)(p->complete ? p->counted : p->of),
		   p->complete ? "true" : "false",
		   (long long)((clock_now_us() - p->begin) / USEC_PER_MS));
	totals_add(&out, "now", p, true);
	totals_add(&out, "would", p, false);
	const int64_t moved = moves_add(&out, p);
	estimate_add(&out, p, moved);
	buf_add_cstr(&out, ",\"not_in_record\":[");
	for (size_t i = 0; i < p->n_unknown; i++) {
		if (i > 0)
			buf_add_char(&out, ',');
		buf_json_str(&out, p->unknown[i]);
	}
	buf_printf(&out, "],\"kept_not_counted\":%s}", p->keeps ? "true" : "false");
	const enum step done =
		out.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			   : http_reply_json(t, 200, buf_str(&out));
	buf_free(&out);
	return done;
}

const struct step_row core_flags_preview_steps[] = {
	{ "read", preview_read },
	{ "batch", preview_batch },
	{ NULL, NULL },
};
