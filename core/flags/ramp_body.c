/*
 * ramp_body.c — the body that begins a ramp: its steps and guardrails, checked here for shape and limits, so that the author gets the place
 * of an error. What depends on the flag (its rules, what it covers now) the database checks under the flag's lock. What is handed on has
 * every member, so that nobody after this asks whether one is there.
 */
#include "core/flags/ramp.h"

#define STEPS_BYTES_MAX ((size_t)8 * 1024)
#define NUMBER_BYTES_MAX 24
#define STEP_MEMBERS_MAX 8

/* One object of an array of the body. */
struct part {
	struct json_member member[STEP_MEMBERS_MAX];
	size_t n;
	const char *at;
};

static const char *
place(struct task *t, const char *at, const char *key)
{
	const char *out = arena_printf(&t->t_arena, "%s/%s", at, key);
	return out != NULL ? out : at;
}

static bool
refuse(struct task *t, const char *at, const char *why)
{
	(void)err_set(&t->t_err, ERR_INVALID, at, "%s", why);
	return false;
}

bool
flags_ramp_coverage(struct task *t, const struct json_member *m, const char *at, double least,
		    double *value)
{
	if (m == NULL || m->kind != JSON_NUMBER || m->value.len > NUMBER_BYTES_MAX ||
	    str_double(m->value, value) != ERR_OK || *value > 1 || *value <= least) {
		(void)err_set(&t->t_err, ERR_INVALID, at,
			      least > 0 ? "must be a number above %g, the one before, and at most 1"
					: "must be a number above %g and at most 1",
			      least > 0 ? least : 0);
		return false;
	}
	return true;
}

bool
flags_ramp_rule(struct task *t, const struct flags_body *b, struct ramp_asked *out)
{
	const struct json_member *m = json_member_find(b->member, b->n, "rule");
	int64_t number = 0;

	out->rule_id = out->place = STR_NONE;
	if (m == NULL || m->kind == JSON_NULL)
		return true;
	if (m->kind == JSON_STRING)
		return flags_body_text(t, b, "rule", 1, FLAG_SEED_MAX, &out->rule_id);
	if (m->kind != JSON_NUMBER || str_int(m->value, 0, FLAG_RULES_MAX - 1, &number) != ERR_OK)
		return refuse(t, "/rule", "must be the id of a rule, or its place from 0 on");
	out->place = m->value;
	return true;
}

/* ---- parts ---- */

static bool
part_read(struct task *t, const struct json_element *e, const char *list, size_t i,
	  const char *const *known, struct part *out)
{
	out->at = arena_printf(&t->t_arena, "/%s/%zu", list, i);
	out->n = ARRAY_LEN(out->member);
	if (out->at == NULL)
		return refuse(t, NULL, "no memory for the request");
	if (e->kind != JSON_OBJECT)
		return refuse(t, out->at, "must be an object");
	return json_scan_object(e->value, &t->t_arena, out->member, &out->n, &t->t_err) == ERR_OK &&
	       json_members_known(out->member, out->n, known, out->at, &t->t_err) == ERR_OK;
}

/* A whole number, added as a member; null where it is not there. */
static bool
part_count(struct task *t, const struct part *p, const char *key, int64_t max, struct buf *out,
	   bool *there)
{
	const struct json_member *m = json_member_find(p->member, p->n, key);
	int64_t number = 0;

	buf_printf(out, ",\"%s\":", key);
	if (m == NULL || m->kind == JSON_NULL) {
		buf_add_cstr(out, "null");
		return true;
	}
	if (m->kind != JSON_NUMBER || str_int(m->value, 1, max, &number) != ERR_OK) {
		(void)err_set(&t->t_err, ERR_INVALID, place(t, p->at, key),
			      "must be a whole number from 1 to %lld", (long long)max);
		return false;
	}
	buf_printf(out, "%lld", (long long)number);
	*there = true;
	return true;
}

static bool
step_read(struct task *t, const struct json_element *e, size_t i, bool last, double *coverage,
	  struct buf *out)
{
	static const char *const known[] = { "coverage", "after_seconds", "sample", "approval",
					     NULL };
	struct part p;
	bool waits = false;

	if (!part_read(t, e, "steps", i, known, &p))
		return false;
	const struct json_member *m = json_member_find(p.member, p.n, "coverage");
	if (!flags_ramp_coverage(t, m, place(t, p.at, "coverage"), *coverage, coverage))
		return false;
	buf_printf(out, "%s{\"coverage\":%.*s", i > 0 ? "," : "", STR_FMT(m->value));
	if (!part_count(t, &p, "after_seconds", RAMP_SECONDS_MAX, out, &waits) ||
	    !part_count(t, &p, "sample", RAMP_SAMPLE_MAX, out, &waits))
		return false;
	m = json_member_find(p.member, p.n, "approval");
	if (m != NULL && m->kind != JSON_TRUE && m->kind != JSON_FALSE)
		return refuse(t, place(t, p.at, "approval"), "must be true or false");
	const bool approval = m != NULL && m->kind == JSON_TRUE;
	buf_printf(out, ",\"approval\":%s}", approval ? "true" : "false");
	waits = waits || approval;
	if (last && waits)
		return refuse(t, p.at, "is the last step: nothing comes for it to wait for");
	if (!last && !waits)
		return refuse(t, p.at,
			      "must say what it waits for: \"after_seconds\", \"sample\" or "
			      "\"approval\"");
	return true;
}

static bool
guardrail_read(struct task *t, const struct json_element *e, size_t i, struct buf *out)
{
	static const char *const known[] = { "metric", "margin", "limit", NULL };
	struct part p;
	struct str name = STR_NONE;

	if (!part_read(t, e, "guardrails", i, known, &p) ||
	    json_member_text(p.member, p.n, "metric", 1, 40, p.at, &t->t_arena, &name, &t->t_err) !=
		    ERR_OK)
		return false;
	if (ramp_metric_find(name) == NULL)
		return refuse(t, place(t, p.at, "metric"),
			      "must be case_opened, complaint, purchase, opportunity_won, "
			      "opportunity_lost or consent_withdrawn");
	buf_printf(out, "%s{\"metric\":\"%.*s\"", i > 0 ? "," : "", STR_FMT(name));
	for (size_t k = 1; k < 3; k++) {
		const struct json_member *m = json_member_find(p.member, p.n, known[k]);
		double value = 0;
		const bool absent = m == NULL || m->kind == JSON_NULL;
		if (!absent && (m->kind != JSON_NUMBER || m->value.len > NUMBER_BYTES_MAX ||
				str_double(m->value, &value) != ERR_OK || value < 0 || value >= 1))
			return refuse(t, place(t, p.at, known[k]),
				      "must be a share: a number from 0 to below 1");
		buf_printf(out, ",\"%s\":%.*s", known[k], absent ? 4 : (int)m->value.len,
			   absent ? "null" : m->value.p);
	}
	buf_add_char(out, '}');
	if (json_member_find(p.member, p.n, "margin") != NULL &&
	    json_member_find(p.member, p.n, "limit") != NULL)
		return refuse(t, p.at, "has either \"margin\" (against the control) or \"limit\"");
	return true;
}

/* ---- the whole ---- */

static bool
list_of(struct task *t, const struct flags_body *b, const char *key, struct json_element *e,
	size_t *n)
{
	const struct json_member *m = json_member_find(b->member, b->n, key);
	const size_t most = *n;
	const char *at = place(t, "", key);

	*n = 0;
	if (m == NULL)
		return true;
	if (m->kind != JSON_ARRAY)
		return refuse(t, at, "must be a list");
	*n = most;
	struct err_info inner = { .code = ERR_OK };
	if (json_scan_array(m->value, e, n, &inner) == ERR_OK)
		return true;
	(void)err_set(&t->t_err, inner.code, at, "must be a list of at most %zu", most);
	return false;
}

static bool
keep(struct task *t, struct buf *text, bool good, struct str *out)
{
	if (good) {
		buf_add_char(text, ']');
		*out = text->failed ? STR_NONE : arena_str(&t->t_arena, buf_str(text));
		if (out->p == NULL) {
			(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
			good = false;
		}
	}
	buf_free(text);
	return good;
}

static bool
steps_read(struct task *t, const struct flags_body *b, struct str *out)
{
	struct json_element e[RAMP_STEPS_MAX];
	size_t n = ARRAY_LEN(e);
	struct buf text;
	double coverage = 0;

	if (!list_of(t, b, "steps", e, &n))
		return false;
	if (n == 0)
		return refuse(t, "/steps", "at least one step is required");
	buf_init(&text, STEPS_BYTES_MAX);
	buf_add_char(&text, '[');
	bool good = true;
	for (size_t i = 0; i < n && good; i++)
		good = step_read(t, &e[i], i, i == n - 1, &coverage, &text);
	return keep(t, &text, good, out);
}

static bool
guardrails_read(struct task *t, const struct flags_body *b, struct str *out)
{
	struct json_element e[RAMP_GUARDRAILS_MAX];
	size_t n = ARRAY_LEN(e);
	struct buf text;

	if (!list_of(t, b, "guardrails", e, &n))
		return false;
	buf_init(&text, STEPS_BYTES_MAX);
	buf_add_char(&text, '[');
	bool good = true;
	for (size_t i = 0; i < n && good; i++)
		good = guardrail_read(t, &e[i], i, &text);
	return keep(t, &text, good, out);
}

bool
flags_ramp_read(struct task *t, struct ramp_asked *out)
{
	static const char *const known[] = { "rule",          "steps",   "guardrails", "on_breach",
					     "planned_units", "comment", NULL };
	struct flags_body b;
	int64_t units = RAMP_PLANNED_UNITS;

	out->on_breach = STR_NONE;
	if (!flags_body_read(t, known, &b) || !flags_ramp_rule(t, &b, out) ||
	    !steps_read(t, &b, &out->steps) || !guardrails_read(t, &b, &out->guardrails) ||
	    !flags_body_text(t, &b, "on_breach", 0, 10, &out->on_breach) ||
	    !flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, &out->comment))
		return false;
	if (out->on_breach.len == 0)
		out->on_breach = STR("hold");
	if (!str_is(out->on_breach, "hold") && !str_is(out->on_breach, "back") &&
	    !str_is(out->on_breach, "kill"))
		return refuse(t, "/on_breach", "must be hold, back or kill");
	const struct json_member *m = json_member_find(b.member, b.n, "planned_units");
	if (m != NULL &&
	    (m->kind != JSON_NUMBER || str_int(m->value, 100, RAMP_SAMPLE_MAX, &units) != ERR_OK))
		return refuse(t, "/planned_units", "must be a whole number from 100 to 1000000");
	const char *text = arena_printf(&t->t_arena, "%lld", (long long)units);
	out->planned_units = str_of(text != NULL ? text : "2000");
	return true;
}
