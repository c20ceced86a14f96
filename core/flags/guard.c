/*
 * guard.c — whoever has met a variation is not moved to another one by an edit that nobody meant so. Before a revision is written, its
 * rules are compared with the present ones (flag/rebucket.h), and every unit that was exposed is put to both, with what the record
 * knows of it.
 *
 * Place: between the step that read a revision and those that write it, which get their state back as it was. Invariants: only units
 * that a bucket decides about count; whom a rule names without dividing is meant. The record is asked only where rules name its fields
 * and the caller may read each of them; a unit that cannot be judged for that is refused with the changes that move units for certain.
 * A batch is short enough for one step. The write is refused where the present rules or the draft are no longer those looked at here.
 */
#include <string.h>

#include "core/flags/internal.h"
#include "flag/rebucket.h"

#define GUARD_TIME (1500 * USEC_PER_MS)
#define BATCH_PLAIN 400
#define BATCH_RECORD 20
#define UNIT_SIZE (4 * FLAG_UNIT_MAX + 1)
#define RECORD_BYTES_MAX (256 * 1024) /* of one unit, read */
#define MEMBERS_BYTES_MAX (32 * 1024)

/* Columns of flag_guard.sql and flag_divided.sql. */
enum { REVISION, DOCUMENT, DRAFT, DRAFT_HASH, DIVIDED };
enum { UNIT, VARIATION, RECORD };

struct guard {
	struct flags_edit *edit;
	struct arena memory; /* of both documents */
	struct flag_snapshot *flags;
	task_end_fn *end; /* the end that was there before ours */
	void *end_arg;
	const struct flag_document *now;
	const struct flag_document *would;
	struct flag_rebucket causes[FLAG_REBUCKETS_MAX];
	size_t n_causes;
	bool with_record;
	bool blind; /* the rules name what only the record knows, and the caller may not read it */
	usec_t wall;
	usec_t until;
	int64_t counted;
	int64_t moved;
	int64_t unjudged;
	int batch;
	char after[UNIT_SIZE];
};

static void
guard_end(struct task *t, void *arg)
{
	struct guard *g = arg;
	task_end_fn *const end = g->end;
	void *const end_arg = g->end_arg;

	flag_snapshot_unref(g->flags);
	arena_release(&g->memory);
	if (end != NULL)
		end(t, end_arg);
}

static enum step
go_on(struct task *t, const struct flags_edit *edit)
{
	const enum step step = task_continue(t, edit->then);
	void *state = task_state(t, edit->size);

	if (state == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	memcpy(state, edit->state, edit->size);
	return step;
}

/* ---- both documents ---- */

/* May the record be asked for what these rules name? */
static bool
record_wanted(struct task *t, struct guard *g, const struct flag_document *d)
{
	const struct record_catalog *catalog = record_engine_catalog(core_flags_conf.records);
	const bool of_people = d->unit == FLAG_PERSON;
	const struct str name = of_people ? STR("people") : STR("organizations");
	struct str owners = STR_NONE;
	bool wanted = false;

	if (d->unit == FLAG_VISITOR || catalog == NULL)
		return false;
	const struct record_resource *r = record_catalog_find(catalog, name);
	for (unsigned i = 0; r != NULL && i < d->attributes.n; i++) {
		const struct record_field *f = record_field_find(r, d->attributes.names[i]);
		if (f == NULL)
			continue;
		wanted = true;
		g->blind = g->blind || !record_field_readable(f, access_actor_of(t)->read_classes);
	}
	if (!wanted)
		return false;
	g->blind = g->blind ||
		   !access_allows(t, of_people ? STR("people.read") : STR("organizations.read")) ||
		   !core_flags_owners(t, name, &owners) || owners.p != NULL;
	return !g->blind;
}

/* False: there is nothing to look at, or the error is set. */
static bool
documents_compile(struct task *t, struct guard *g, struct str present, struct str next)
{
	struct err_info info = { .code = ERR_OK };

	/* Rules that cannot be read have divided nobody. */
	if (flag_document_load(&g->memory, g->edit->key, present, &g->now, &info) != ERR_OK)
		return false;
	if (flag_document_load(&g->memory, g->edit->key, next, &g->would, &t->t_err) != ERR_OK)
		return false;
	if (!flag_document_divides(g->now) || !flag_document_divides(g->would))
		return false;
	g->n_causes = flag_rebuckets(g->now, g->would, g->causes, ARRAY_LEN(g->causes));
	g->with_record = record_wanted(t, g, g->now);
	g->with_record = record_wanted(t, g, g->would) || (g->with_record && !g->blind);
	return true;
}

/* ---- those who were exposed ---- */

static bool
batch_ask(struct task *t, struct guard *g)
{
	static const char *const units[] = {
		[FLAG_PERSON] = "person", [FLAG_ORGANIZATION] = "organization", [FLAG_VISITOR] = ""
	};
	g->batch = g->with_record ? BATCH_RECORD : BATCH_PLAIN;
	const char *batch = arena_printf(&t->t_arena, "%d", g->batch);
	const struct postgres_param params[] = {
		P_STR(g->edit->key),
		P_TEXT(g->after),
		P_TEXT(batch),
		P_TEXT(g->with_record ? units[g->would->unit] : ""),
	};
	return postgres_add(core_flags_conf.pool, t, &sql_flag_divided, params,
			    ARRAY_LEN(params)) == ERR_OK;
}

/* An experiment that keeps assignments keeps this one. */
static size_t
sticky_of(const struct guard *g, struct str unit, struct str variation, struct flag_sticky *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < g->now->n_rules; i++) {
		const struct flag_rule *const r = &g->now->rules[i];
		if (!r->sticky || r->hasher.attribute.p != NULL)
			continue;
		out[n++] = (struct flag_sticky) { .attribute = STR(FLAG_UNIT_ATTRIBUTE),
						  .value = unit,
						  .experiment = r->experiment,
						  .version = r->bucket_version,
						  .variation = variation };
	}
	return n;
}

/* Whoever is named without being divided is meant. */
static bool
is_meant(const struct flag_result *r)
{
	if (r->source == FLAG_BY_FORCE)
		return r->reason == FLAG_TARGETING_MATCH;
	return r->source == FLAG_BY_EXPERIMENT && !r->hashed && !r->sticky_used;
}

static enum err
unit_count(struct task *t, struct guard *g, int i)
{
	const struct str unit = postgres_value(t, 0, i, UNIT);
	const struct str record = postgres_value(t, 0, i, RECORD);
	struct flag_sticky sticky[FLAG_RULES_MAX];
	struct flag_context c = { .sticky = sticky };
	struct flag_result now, would;
	struct arena memory;
	enum err err = ERR_OK;

	arena_init(&memory, RECORD_BYTES_MAX);
	c.n_sticky = sticky_of(g, unit, postgres_value(t, 0, i, VARIATION), sticky);
	if (record.p != NULL)
		err = flag_context_record(&memory, record, &c, &t->t_err);
	if (err == ERR_OK) {
		flag_context_unit(&c, unit);
		flag_evaluate_document(g->now, g->flags, &c, g->wall, &now);
		flag_evaluate_document(g->would, g->flags, &c, g->wall, &would);
		g->counted++;
		if (now.outcome != FLAG_EVALUATED || now.reason != FLAG_SPLIT)
			g->unjudged++;
		else if (!is_meant(&would) &&
			 (would.variation.p == NULL || !str_eq(now.variation, would.variation)))
			g->moved++;
	}
	arena_release(&memory);
	return err;
}

/* ---- the answer ---- */

void
core_flags_causes_json(struct buf *out, const struct flag_document *now,
		       const struct flag_document *would, const struct flag_rebucket *causes,
		       size_t n, const char *at)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		const struct flag_rebucket *const c = &causes[i];
		const char *const name = flag_rebucket_name(c->kind);
		const bool of_rule = c->kind == FLAG_REBUCKET_FILTERS;
		buf_printf(out, "%s{\"change\":\"%s\",\"pointer\":\"%s", i > 0 ? "," : "", name,
			   at);
		if (c->kind == FLAG_REBUCKET_UNIT)
			buf_add_cstr(out, "/unit");
		else if (c->kind == FLAG_REBUCKET_GONE)
			buf_add_cstr(out, "/rules");
		else if (would->rules[c->rule].kind == FLAG_RULE_EXPERIMENT && !of_rule)
			buf_printf(out, "/rules/%u/experiment/%s", c->rule, name);
		else
			buf_printf(out, "/rules/%u/%s", c->rule,
				   c->kind == FLAG_REBUCKET_SHARE ? "force" : name);
		buf_add_cstr(out, "\",\"rule\":");
		const struct flag_rule *rules =
			c->kind == FLAG_REBUCKET_GONE ? now->rules : would->rules;
		if (c->kind == FLAG_REBUCKET_UNIT || rules[c->rule].id.p == NULL)
			buf_add_cstr(out, "null");
		else
			buf_json_str(out, rules[c->rule].id);
		buf_printf(out, ",\"share\":%.4f,\"why\":\"%s\"}", c->share,
			   flag_rebucket_why(c->kind));
	}
	buf_add_char(out, ']');
}

static enum step
refuse(struct task *t, const struct guard *g, bool complete)
{
	const struct flags_edit *const edit = g->edit;
	struct buf members;

	buf_init(&members, MEMBERS_BYTES_MAX);
	buf_add_cstr(&members, "\"rebucket\":{\"causes\":");
	core_flags_causes_json(&members, g->now, g->would, g->causes, g->n_causes, edit->at);
	buf_printf(&members, ",\"moved\":%lld,\"unjudged\":%lld,\"counted\":%lld,\"complete\":%s}",
		   (long long)g->moved, (long long)g->unjudged, (long long)g->counted,
		   complete ? "true" : "false");
	t->t_err_members = members.failed ? STR_NONE : arena_str(&t->t_arena, buf_str(&members));
	buf_free(&members);
	const char *const what = g->n_causes == 0 ? "a condition or the order of the rules"
						  : flag_rebucket_name(g->causes[0].kind);
	const char *const why = g->n_causes == 0 ? "who was divided falls to another rule"
						 : flag_rebucket_why(g->causes[0].kind);
	return task_fail_set(
		t, ERR_CONFLICT, edit->at[0] != '\0' ? edit->at : NULL,
		"%s%lld of %lld units that have met a variation would get another one "
		"or none (%s: %s)%s; \"rebucket\": true does it all the same",
		complete ? "" : "at least ", (long long)g->moved, (long long)g->counted, what, why,
		g->n_causes > 0 && g->unjudged > 0 ? ", and of some only those who ask know" : "");
}

/* ---- the steps ---- */

static enum step
guard_read(struct task *t)
{
	struct guard **state = task_state(t, sizeof(struct guard *));
	const struct postgres_param key = P_STR((*state)->edit->key);

	return postgres_wait(core_flags_conf.pool, t, &sql_flag_guard, &key, 1);
}

static step_fn guard_count;

static enum step
guard_begin(struct task *t)
{
	struct guard *const g = *(struct guard **)task_state(t, sizeof(struct guard *));
	struct flags_edit *const edit = g->edit;

	if (core_flags_now() == NULL)
		return task_fail_set(t, ERR_DOWN, NULL, "the flags are not loaded yet");
	/* What is not there is told by the write. */
	if (postgres_rows(t, 0) == 0)
		return go_on(t, edit);
	const struct str next =
		edit->document.p != NULL ? edit->document : postgres_value(t, 0, 0, DRAFT);
	edit->seen = postgres_int(t, 0, 0, REVISION, 0);
	(void)str_copy(edit->seen_draft, sizeof(edit->seen_draft),
		       postgres_value(t, 0, 0, DRAFT_HASH));
	if (edit->rebucket || next.p == NULL || !postgres_bool(t, 0, 0, DIVIDED))
		return go_on(t, edit);
	arena_init(&g->memory, (size_t)2 * FLAG_DOCUMENT_MEMORY_MAX);
	g->flags = flag_snapshot_ref(core_flags_now());
	g->end = t->t_end;
	g->end_arg = t->t_end_arg;
	t->t_end = guard_end;
	t->t_end_arg = g;
	g->wall = clock_wall_us();
	g->until = clock_now_us() + GUARD_TIME;
	if (!documents_compile(t, g, postgres_value(t, 0, 0, DOCUMENT), next))
		return t->t_err.code != ERR_OK ? task_fail(t) : go_on(t, edit);
	return batch_ask(t, g) ? STEP_WAIT : task_fail(t);
}

static enum step
guard_count(struct task *t)
{
	struct guard *const g = *(struct guard **)task_state(t, sizeof(struct guard *));
	const int rows = postgres_rows(t, 0);
	const bool complete = rows < g->batch;

	for (int i = 0; i < rows; i++)
		if (unit_count(t, g, i) != ERR_OK)
			return task_fail(t);
	if (rows > 0 && !str_copy(g->after, sizeof(g->after), postgres_value(t, 0, rows - 1, UNIT)))
		return task_fail_set(t, ERR_INTERNAL, NULL, "a unit is longer than they may be");
	if (!complete && clock_now_us() < g->until)
		return batch_ask(t, g) ? task_jump(t, guard_count) : task_fail(t);
	/* Of those looked at nobody moves, and nothing says that others would. */
	if (g->moved == 0 && (g->n_causes == 0 || (g->unjudged == 0 && complete)))
		return go_on(t, g->edit);
	return refuse(t, g, complete);
}

static const struct step_row guard_steps[] = {
	{ "guard-read", guard_read },
	{ "guard", guard_begin },
	{ "guard-count", guard_count },
	{ NULL, NULL },
};

enum step
core_flags_guard(struct task *t, struct flags_edit *edit)
{
	struct guard *g = arena_alloc(&t->t_arena, sizeof(*g));
	if (g == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	const enum step step = task_continue(t, guard_steps);
	struct guard **state = task_state(t, sizeof(*state));

	if (state == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	g->edit = edit;
	*state = g;
	return step;
}

struct flags_edit *
core_flags_edit(struct task *t, struct str key, struct str document, const char *at, bool rebucket)
{
	struct flags_edit *edit = arena_alloc(&t->t_arena, sizeof(*edit));

	if (edit == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return NULL;
	}
	*edit = (struct flags_edit) {
		.key = key, .document = document, .at = at, .rebucket = rebucket
	};
	return edit;
}
