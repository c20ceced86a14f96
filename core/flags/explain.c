/*
 * explain.c — POST /v1/flags/{key}/explain: what somebody gets, or got at a moment or under a revision, and what decided it.
 *
 * The revisions of that moment (the flag's and of those it waited for) become a snapshot like the one a worker serves, and the same
 * evaluator is asked with the clock at that moment; nothing is worked out in another way here. What the rules ask for and the context
 * does not say comes from the record as it is now, of those records and fields that the principal may read. What is asked is kept
 * nowhere, and a person's pseudonym, which is the unit, is in no answer.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_member.h"
#include "core/flags/internal.h"
#include "flag/condition.h"
#include "record/record.h"

#define BODY_MEMBERS_MAX 8
#define DOCUMENT_MEMBERS_MAX 32
#define ANSWER_BYTES_MAX (4 * FLAG_DOCUMENT_BYTES_MAX)

struct explanation {
	struct str key;
	struct flag_context context;
	char at[CLOCK_RFC3339_SIZE]; /* empty: now */
	char revision[24];           /* empty: that of the moment */
	char unit[UUID_TEXT_SIZE];   /* of a person, as the flags know it */
	bool names_person;           /* the key is a person's id */
	bool asked;                  /* … and may be looked up: wait 1 */
	/* the revision, once it was found */
	struct flag_snapshot *flags;
	task_end_fn *end; /* the end that was there before ours */
	void *end_arg;
	struct str document;
	bool enabled, archived;
	int64_t number, since, moment;
	/* what the record was asked for */
	struct flag_look look;
	struct str owners;
	bool found;       /* it was asked, and the unit is there */
	struct str known; /* JSON object of the attributes that it had, or STR_NONE */
};

/* ---- the question ---- */

/* The owners whose people this principal may read, as the text of an array; STR_NONE: all. */
bool
core_flags_owners(struct task *t, struct str resource, struct str *out)
{
	const struct access_resource asked = { .name = resource };
	const struct access_actor *actor = access_actor_of(t);
	const enum access_scope scope =
		access_scope_of(core_flags_conf.access, actor, &asked, false);
	struct record_owners owners = { .self = str_of(actor->name) };

	*out = STR_NONE;
	if (scope == ACCESS_SCOPE_ALL)
		return true;
	owners.names = &owners.self;
	owners.n = 1;
	if (scope == ACCESS_SCOPE_TEAM && !access_team_names(core_flags_conf.access, actor,
							     &t->t_arena, &owners.names, &owners.n))
		return false;
	*out = record_owners_text(&owners, &t->t_arena);
	return out->p != NULL;
}

static bool
when_read(struct task *t, const struct json_member *m, size_t n, struct explanation *x)
{
	const struct json_member *revision = json_member_find(m, n, "revision");
	struct str text = STR("");
	usec_t at = 0;
	int64_t number = 0;

	if (json_member_text(m, n, "at", 0, 64, "", &t->t_arena, &text, &t->t_err) != ERR_OK)
		return false;
	if (text.len > 0 && revision != NULL)
		(void)err_set(&t->t_err, ERR_INVALID, "/at", "give a time or a revision, not both");
	else if (text.len > 0 && clock_parse_rfc3339(text, &at) != ERR_OK)
		(void)err_set(&t->t_err, ERR_INVALID, "/at",
			      "must be a date-time as in 2026-05-01T10:00:00Z");
	else if (at > clock_wall_us())
		(void)err_set(&t->t_err, ERR_INVALID, "/at", "is yet to come");
	else if (revision != NULL && (revision->kind != JSON_NUMBER ||
				      str_int(revision->value, 1, INT64_MAX, &number) != ERR_OK))
		(void)err_set(&t->t_err, ERR_INVALID, "/revision",
			      "must be the number of a revision");
	else {
		if (text.len > 0)
			(void)str_copy(x->at, sizeof(x->at), text);
		if (revision != NULL)
			(void)snprintf(x->revision, sizeof(x->revision), "%lld", (long long)number);
		return true;
	}
	return false;
}

/* As OFREP takes it: an id, which is to be looked up, or a pseudonym, in small letters. */
static void
person_read(struct explanation *x)
{
	struct uuid id;

	if (uuid_parse(x->context.unit.text, &id) != ERR_OK)
		return;
	x->names_person = uuid_version(&id) == 7;
	if (x->names_person || uuid_version(&id) == 4)
		uuid_text(&id, x->unit);
}

static bool
question_read(struct task *t, struct explanation *x)
{
	static const char *const known[] = { "context", "at", "revision", NULL };
	struct json_member m[BODY_MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);

	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK ||
	    json_members_known(m, n, known, "", &t->t_err) != ERR_OK || !when_read(t, m, n, x))
		return false;
	const struct json_member *context = json_member_find(m, n, "context");
	if (context != NULL && flag_context_read(&t->t_arena, context->value, "/context",
						 &x->context, &t->t_err) != ERR_OK)
		return false;
	if (x->context.unit.text.len > FLAG_UNIT_MAX) {
		(void)err_set(&t->t_err, ERR_INVALID, "/context/targetingKey",
			      "has at most %d bytes", FLAG_UNIT_MAX);
		return false;
	}
	person_read(x);
	return true;
}

static enum step
explain_read(struct task *t)
{
	struct explanation *x = task_state(t, sizeof(*x));
	struct str owners = STR_NONE;

	if (x == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	x->key = http_param(t, "key");
	if (!question_read(t, x))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(x->key),
		P_TEXT(x->at[0] != '\0' ? x->at : NULL),
		P_TEXT(x->revision[0] != '\0' ? x->revision : NULL),
	};
	if (postgres_add(core_flags_conf.pool, t, &sql_flag_as_of, params, ARRAY_LEN(params)) !=
	    ERR_OK)
		return task_fail(t);
	x->asked = x->names_person && access_allows(t, STR("people.read"));
	if (!x->asked)
		return STEP_WAIT;
	if (!core_flags_owners(t, STR("people"), &owners))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	return postgres_wait(
		core_flags_conf.pool, t, &sql_flag_person_seen,
		(struct postgres_param[]) { P_TEXT(x->unit),
					    { .value = owners, .is_null = owners.p == NULL } },
		2);
}

/* ---- the answer ---- */

static const char *const sources[] = {
	[FLAG_BY_NOTHING] = "nothing",
	[FLAG_BY_SWITCH] = "switch",
	[FLAG_BY_DEFAULT] = "default",
	[FLAG_BY_FORCE] = "force",
	[FLAG_BY_EXPERIMENT] = "experiment",
	[FLAG_BY_PREREQUISITE] = "prerequisite",
	[FLAG_BY_CYCLE] = "flags that wait for each other",
};

static const char *const outcomes[] = {
	[FLAG_EVALUATED] = "evaluated",
	[FLAG_UNKNOWN] = "unknown",
	[FLAG_UNIT_MISSING] = "targeting key missing",
	[FLAG_BROKEN] = "document cannot be read",
};

/* The text of member `name` of rule i, as it was stored; STR_NONE: it has none. */
static struct str
rule_member(struct task *t, struct str document, unsigned i, const char *name)
{
	struct json_member m[DOCUMENT_MEMBERS_MAX];
	struct json_element rules[FLAG_RULES_MAX];
	struct err_info info = { .code = ERR_OK };
	size_t n = ARRAY_LEN(m);
	size_t n_rules = ARRAY_LEN(rules);

	if (json_scan_object(document, &t->t_arena, m, &n, &info) != ERR_OK)
		return STR_NONE;
	const struct json_member *all = json_member_find(m, n, "rules");
	if (all == NULL || json_scan_array(all->value, rules, &n_rules, &info) != ERR_OK ||
	    i >= n_rules)
		return STR_NONE;
	n = ARRAY_LEN(m);
	if (json_scan_object(rules[i].value, &t->t_arena, m, &n, &info) != ERR_OK)
		return STR_NONE;
	const struct json_member *found = json_member_find(m, n, name);
	return found != NULL ? found->value : STR_NONE;
}

static void
member_add(struct buf *out, const char *key, struct str text)
{
	buf_printf(out, ",\"%s\":", key);
	if (text.p != NULL)
		buf_json_str(out, text);
	else
		buf_add_cstr(out, "null");
}

static void
rule_begin(struct buf *out, const struct flag_rule *r, unsigned i)
{
	buf_printf(out, "{\"index\":%u", i);
	member_add(out, "id", r->id);
}

/* The rules that were passed over, each with the reason. */
static void
passed_add(struct buf *out, const struct flag_document *d, struct flag_scope *scope, unsigned n)
{
	buf_add_cstr(out, ",\"passed\":[");
	for (unsigned i = 0; i < n; i++) {
		const struct flag_rule *r = &d->rules[i];
		const char *why = "division";
		if (i > 0)
			buf_add_char(out, ',');
		rule_begin(out, r, i);
		if (!r->active)
			why = "inactive";
		else if (r->condition != NULL && !flag_condition_holds(r->condition, scope, NULL))
			why = "condition";
		else if (r->kind == FLAG_RULE_GATE)
			why = "gate open";
		else if (r->n_prerequisites > 0)
			why = "prerequisite or division";
		buf_printf(out, ",\"because\":\"%s\"}", why);
	}
	buf_add_char(out, ']');
}

static void
rule_add(struct task *t, struct buf *out, const struct explanation *x,
	 const struct flag_document *d, const struct flag_result *r)
{
	const unsigned i = (unsigned)r->rule;
	const struct str condition = rule_member(t, x->document, i, "condition");

	buf_add_cstr(out, ",\"rule\":");
	rule_begin(out, &d->rules[i], i);
	buf_add_cstr(out, ",\"condition\":");
	buf_add_str(out, condition.p != NULL ? condition : STR("null"));
	if (r->source == FLAG_BY_PREREQUISITE || r->source == FLAG_BY_CYCLE) {
		const struct str flags = rule_member(t, x->document, i, "prerequisites");
		buf_add_cstr(out, ",\"prerequisites\":");
		buf_add_str(out, flags.p != NULL ? flags : STR("null"));
	}
	member_add(out, "attribute", r->attribute);
	buf_add_cstr(out, ",\"bucket\":");
	if (r->bucket >= 0)
		buf_printf(out, "%.4f", r->bucket);
	else
		buf_add_cstr(out, "null");
	member_add(out, "experiment", r->experiment);
	if (r->arm >= 0)
		buf_printf(out, ",\"arm\":%d", r->arm);
	if (r->leaf >= 0)
		buf_printf(out, ",\"context\":%d", r->leaf);
	buf_printf(out, ",\"kept\":%s}", r->sticky_used ? "true" : "false");
}

static void
decision_add(struct task *t, struct buf *out, const struct flag_snapshot *s,
	     const struct explanation *x, const struct flag_result *r)
{
	const struct flag_document *d = flag_document_of(s, x->key);
	struct flag_scope scope = { .context = &x->context, .snapshot = s, .work = FLAG_WORK_MAX };

	buf_printf(out, ",\"outcome\":\"%s\"", outcomes[r->outcome]);
	member_add(out, "reason",
		   r->outcome == FLAG_EVALUATED ? str_of(flag_reason_text(r->reason)) : STR_NONE);
	member_add(out, "variation", r->variation);
	buf_add_cstr(out, ",\"value\":");
	buf_add_str(out, r->value.p != NULL ? r->value : STR("null"));
	buf_printf(out, ",\"decided_by\":\"%s\"", sources[r->source]);
	if (r->rule >= 0 && d != NULL)
		rule_add(t, out, x, d, r);
	else
		buf_add_cstr(out, ",\"rule\":null");
	if (d == NULL || r->source == FLAG_BY_SWITCH)
		buf_add_cstr(out, ",\"passed\":[]");
	else
		passed_add(out, d, &scope, r->rule >= 0 ? (unsigned)r->rule : d->n_rules);
}

static void
moment_add(struct buf *out, const char *key, int64_t at)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(at, text);
	member_add(out, key, str_of(text));
}

/* ---- the flag is known ---- */

static void
explain_end(struct task *t, void *arg)
{
	struct explanation *x = arg;

	flag_snapshot_unref(x->flags);
	if (x->end != NULL)
		x->end(t, x->end_arg);
}

/* The revision, kept for the steps to come; false: the error is set. */
static bool
revision_take(struct task *t, struct explanation *x)
{
	x->document = arena_str(&t->t_arena, postgres_value(t, 0, 0, 3));
	x->enabled = postgres_bool(t, 0, 0, 1);
	x->number = postgres_int(t, 0, 0, 2, 0);
	x->moment = postgres_int(t, 0, 0, 6, 0);
	x->since = postgres_int(t, 0, 0, 7, 0);
	x->archived = postgres_bool(t, 0, 0, 8);
	if (x->document.p == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return false;
	}
	if (flag_snapshot_build(postgres_result(t, 0), &x->flags, &t->t_err) != ERR_OK)
		return false;
	x->end = t->t_end;
	x->end_arg = t->t_end_arg;
	t->t_end = explain_end;
	t->t_end_arg = x;
	return true;
}

/* Who it is, now that the flag is known; false: the error is set. */
static bool
unit_settle(struct task *t, struct explanation *x, const struct flag_document *d)
{
	if (d == NULL || d->unit != FLAG_PERSON || x->unit[0] == '\0')
		return true;
	if (x->names_person && !x->asked)
		return access_require(t, STR("people.read")) == ERR_OK;
	if (x->asked && (postgres_rows(t, 1) == 0 ||
			 !str_copy(x->unit, sizeof(x->unit), postgres_value(t, 1, 0, 0)))) {
		(void)err_set(&t->t_err, ERR_NOT_FOUND, "/context/targetingKey",
			      "there is no such person");
		return false;
	}
	flag_context_unit(&x->context, str_of(x->unit));
	return true;
}

/* ---- the record ---- */

/* Which of the attributes the context leaves to the record; false: the error is set. */
static bool
attributes_take(struct task *t, const struct explanation *x, enum flag_unit unit,
		const struct flag_names *names, struct flag_names *out)
{
	const struct record_catalog *catalog = record_engine_catalog(core_flags_conf.records);
	const struct str resource = unit == FLAG_PERSON ? STR("people") : STR("organizations");
	struct str *own = arena_alloc(&t->t_arena, (names->n + 1) * sizeof(*own));
	unsigned n = 0;

	for (unsigned i = 0; own != NULL && i < names->n; i++) {
		const struct str name = names->names[i];
		if ((x->context.attributes != NULL &&
		     flag_value_member(x->context.attributes, name) != NULL) ||
		    !core_flags_knows(unit, name))
			continue;
		const struct record_resource *r = record_catalog_find(catalog, resource);
		if (!record_field_readable(record_field_find(r, name),
					   access_actor_of(t)->read_classes)) {
			access_refused(t, "class");
			(void)err_set(
				&t->t_err, ERR_FORBIDDEN, NULL,
				"the rules ask for the field \"%.*s\", which this principal may "
				"not read: give it in the context",
				STR_FMT(name));
			return false;
		}
		own[n++] = name;
	}
	*out = (struct flag_names) { n, own };
	if (own == NULL)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return own != NULL;
}

/* The record of the unit, if this principal may read it; false: the error is set. */
static bool
part_take(struct task *t, struct explanation *x, const struct flag_document *d,
	  const struct flag_needs *needs)
{
	const bool of_person = d->unit == FLAG_PERSON;
	const char *right = of_person ? "people.read" : "organizations.read";
	const struct str resource = of_person ? STR("people") : STR("organizations");
	struct flag_look_part *part = of_person ? &x->look.person : &x->look.organization;
	struct uuid id;

	if (d->unit == FLAG_VISITOR || (of_person && x->unit[0] == '\0') ||
	    uuid_parse(x->context.unit.text, &id) != ERR_OK || !access_allows(t, str_of(right)))
		return true;
	uuid_text(&id, x->unit);
	x->look.id = str_of(x->unit);
	if (!attributes_take(t, x, d->unit, &needs->attributes, &part->attributes))
		return false;
	for (unsigned i = 0; i < needs->segments.n; i++) {
		struct flag_segment g;
		if (flag_segment_of(x->flags, needs->segments.names[i], &g) &&
		    !core_flags_segment_readable(t, needs->segments.names[i], &g))
			return false;
	}
	part->segments = needs->segments;
	part->wanted = part->attributes.n > 0 || part->segments.n > 0;
	if (core_flags_owners(t, resource, &x->owners))
		return true;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return false;
}

static bool
look_wanted(const struct explanation *x)
{
	return x->look.person.wanted || x->look.organization.wanted || x->look.kept.wanted;
}

/* What is to be asked of the database; false: the error is set. */
static bool
look_make(struct task *t, struct explanation *x, const struct flag_document *d)
{
	const struct flag_needs *needs = flag_needs_of(x->flags, x->key, x->moment);

	if (needs == NULL)
		return true;
	if (!part_take(t, x, d, needs))
		return false;
	if (flag_kept_ask(&t->t_arena, &x->context, d->unit,
			  x->look.person.wanted || x->look.organization.wanted, needs,
			  &x->look.kept))
		return true;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return false;
}

static enum step
explain_look(struct task *t)
{
	struct explanation *x = task_state(t, sizeof(*x));

	if (postgres_rows(t, 0) == 0 || !str_eq(postgres_value(t, 0, 0, 0), x->key) ||
	    (x->revision[0] != '\0' && !str_is(postgres_value(t, 0, 0, 2), x->revision)))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"%s%s%s",
				     STR_FMT(x->key), x->at[0] != '\0' ? " that was there at " : "",
				     x->at, x->revision[0] != '\0' ? " with that revision" : "");
	if (!revision_take(t, x))
		return task_fail(t);
	const struct flag_document *d = flag_document_of(x->flags, x->key);
	if (!unit_settle(t, x, d) || !look_make(t, x, d))
		return task_fail(t);
	if (!look_wanted(x))
		return STEP_NEXT;
	return core_flags_look_for(t, x->flags, &x->look, x->owners) == ERR_OK ? STEP_WAIT
									       : task_fail(t);
}

/* Who of the segments that were asked for; false: no memory. */
static bool
segments_take(struct task *t, struct explanation *x, const struct flag_names *asked,
	      struct str inside)
{
	struct str *names = arena_alloc(&t->t_arena, (asked->n + 1) * sizeof(*names));

	x->context.segments = names;
	for (unsigned i = 0; names != NULL && i < asked->n && i < inside.len; i++)
		if (inside.p[i] == 't')
			names[x->context.n_segments++] = asked->names[i];
	return names != NULL;
}

/* What the record said; false: the error is set. */
static bool
record_take(struct task *t, struct explanation *x)
{
	const bool of_person = x->look.person.wanted;
	const struct flag_look_part *part = of_person ? &x->look.person : &x->look.organization;
	const int column = of_person ? 0 : 3;

	if (!look_wanted(x) || postgres_rows(t, 0) == 0)
		return true;
	if (x->look.kept.wanted &&
	    !flag_kept_read(&t->t_arena, postgres_value(t, 0, 0, 6), &x->context)) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return false;
	}
	if (!part->wanted || postgres_is_null(t, 0, 0, column))
		return true;
	x->found = true;
	x->known = postgres_value(t, 0, 0, column + 1);
	if (!segments_take(t, x, &part->segments, postgres_value(t, 0, 0, column + 2))) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return false;
	}
	return x->known.p == NULL ||
	       flag_context_record(&t->t_arena, x->known, &x->context, &t->t_err) == ERR_OK;
}

static void
record_add(struct buf *out, const struct explanation *x)
{
	const struct flag_look_part *part =
		x->look.person.wanted ? &x->look.person : &x->look.organization;

	buf_add_cstr(out, ",\"record\":");
	if (!x->found) {
		buf_add_cstr(out, "null");
		return;
	}
	buf_add_cstr(out, "{\"attributes\":");
	buf_add_str(out, x->known.p != NULL ? x->known : STR("{}"));
	buf_add_cstr(out, ",\"segments\":{");
	for (unsigned i = 0; i < part->segments.n; i++) {
		const struct str name = part->segments.names[i];
		bool inside = false;
		for (size_t k = 0; k < x->context.n_segments; k++)
			inside = inside || str_eq(x->context.segments[k], name);
		if (i > 0)
			buf_add_char(out, ',');
		buf_json_str(out, name);
		buf_add_cstr(out, inside ? ":true" : ":false");
	}
	buf_add_cstr(out, "}}");
}

static enum step
explain_answer(struct task *t)
{
	struct explanation *x = task_state(t, sizeof(*x));
	struct flag_result r;
	struct buf out;

	if (!record_take(t, x))
		return task_fail(t);
	flag_evaluate_in(x->flags, x->key, &x->context, x->moment, &r);
	buf_init(&out, ANSWER_BYTES_MAX);
	buf_printf(&out, "{\"key\":\"%.*s\"", STR_FMT(x->key));
	moment_add(&out, "at", x->moment);
	buf_printf(&out, ",\"revision\":%lld", (long long)x->number);
	moment_add(&out, "since", x->since);
	buf_printf(&out, ",\"enabled\":%s,\"archived\":%s", x->enabled ? "true" : "false",
		   x->archived ? "true" : "false");
	decision_add(t, &out, x->flags, x, &r);
	record_add(&out, x);
	buf_add_char(&out, '}');
	const enum step done =
		out.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			   : http_reply_json(t, 200, buf_str(&out));
	buf_free(&out);
	return done;
}

const struct step_row core_flags_explain_steps[] = {
	{ "read", explain_read },
	{ "look", explain_look },
	{ "answer", explain_answer },
	{ NULL, NULL },
};
