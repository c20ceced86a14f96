/*
 * ofrep_look.c — what the record knows of the unit that a request names: a person's pseudonym, the attributes and segments that the
 * rules ask for, and what was kept (ofrep_kept.c). One statement for all flags of a request; none where they ask for nothing that the context does not say itself.
 *
 * A person's id that cannot be looked up is an error of the flags that divide by it, so that the application takes its default for
 * them; the unit is never replaced by another key. Attributes that cannot be looked up are unknown: see flag_context. All that is kept
 * for later steps is the task's own, because the snapshot whose names they are may be gone by then.
 */
#include "flag/ofrep_parts.h"

enum {
	PERSON,
	PERSON_RECORD,
	PERSON_SEGMENTS,
	ORGANIZATION,
	ORGANIZATION_RECORD,
	ORGANIZATION_SEGMENTS,
	KEPT
};

static void
person_impossible(struct ofrep_context *c)
{
	if (c->by_id)
		c->person_no =
			(struct ofrep_refusal) { "GENERAL", "the person could not be looked up" };
}

/* ---- asking ---- */

/* A copy of those names that the context leaves to the record. */
static bool
names_take(struct task *t, const struct ofrep_context *c, enum flag_unit unit,
	   const struct flag_names *names, bool of_attributes, struct flag_names *out)
{
	struct str *own = NULL;
	unsigned n = 0;

	*out = (struct flag_names) { 0, NULL };
	for (unsigned i = 0; i < names->n; i++) {
		const struct str name = names->names[i];
		if (of_attributes && ((c->given.attributes != NULL &&
				       flag_value_member(c->given.attributes, name) != NULL) ||
				      !flag_ofrep_conf.knows(unit, name)))
			continue;
		if (own == NULL)
			own = arena_alloc(&t->t_arena, names->n * sizeof(*own));
		if (own == NULL || (own[n] = arena_str(&t->t_arena, name)).p == NULL)
			return false;
		n++;
	}
	*out = (struct flag_names) { n, own };
	return true;
}

static bool
part_take(struct task *t, const struct ofrep_context *c, enum flag_unit unit,
	  const struct flag_needs *needs, struct flag_look_part *part)
{
	*part = (struct flag_look_part) { .wanted = false };
	if (needs == NULL)
		return true;
	if (!names_take(t, c, unit, &needs->attributes, true, &part->attributes) ||
	    !names_take(t, c, unit, &needs->segments, false, &part->segments))
		return false;
	part->wanted = part->attributes.n > 0 || part->segments.n > 0;
	return true;
}

static enum err
submit(struct task *t, const struct ofrep_context *c)
{
	if (c->look.person.wanted || c->look.organization.wanted || c->look.kept.wanted)
		return flag_ofrep_conf.look(t, &c->look);
	return postgres_add(flag_ofrep_conf.pool, t, flag_ofrep_conf.lookup,
			    (struct postgres_param[]) { P_STR(c->look.id) }, 1);
}

static void
part_unknown(const struct flag_look_part *part, struct flag_context *c)
{
	if (!part->wanted)
		return;
	c->unknown = &part->attributes;
	c->segments_unknown = part->segments.n > 0;
}

static void
kept_unknown(struct ofrep_context *c)
{
	c->given.sticky_unknown = c->person.sticky_unknown = c->organization.sticky_unknown =
		c->look.kept.wanted;
}

static void
all_unknown(struct ofrep_context *c)
{
	person_impossible(c);
	part_unknown(&c->look.person, &c->person);
	part_unknown(&c->look.organization, &c->organization);
	kept_unknown(c);
}

static void
all_known(struct ofrep_context *c)
{
	c->person.unknown = c->organization.unknown = NULL;
	c->person.segments_unknown = c->organization.segments_unknown = false;
	c->given.sticky_unknown = c->person.sticky_unknown = c->organization.sticky_unknown = false;
}

/* False: no memory. */
static bool
look_make(struct task *t, struct ofrep_context *c, const struct ofrep_asked *asked)
{
	const struct flag_needs *const *needs = asked->by_unit;
	struct flag_look *look = &c->look;
	const bool person = c->is_uuid && !c->is_stranger && c->person_no.code == NULL;

	*look = (struct flag_look) { .id = c->is_uuid ? str_of(c->id) : STR_NONE,
				     .by_id = c->by_id };
	if (flag_ofrep_conf.look == NULL)
		return true;
	if (!part_take(t, c, FLAG_PERSON, person ? needs[FLAG_PERSON] : NULL, &look->person) ||
	    !part_take(t, c, FLAG_ORGANIZATION, c->is_uuid ? needs[FLAG_ORGANIZATION] : NULL,
		       &look->organization))
		return false;
	if (flag_ofrep_conf.stickies != NULL && !ofrep_kept_ask(t, c, asked))
		return false;
	/* Where the person is wanted by id anyhow, the same statement tells the pseudonym. */
	if (c->by_id && (look->kept.wanted || (asked->divides && look->organization.wanted)))
		look->person.wanted = true;
	return true;
}

enum step
ofrep_look(struct task *t, struct ofrep_context *c, const struct ofrep_asked *asked)
{
	const struct flag_look *look = &c->look;

	c->looking = false;
	all_known(c);
	if (!look_make(t, c, asked))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the evaluation");
	if (!look->person.wanted && !look->organization.wanted && !look->kept.wanted &&
	    !(c->by_id && asked->divides))
		return STEP_NEXT;
	task_wait_soft(t);
	c->looking = submit(t, c) == ERR_OK;
	if (c->looking)
		return STEP_WAIT;
	err_clear(&t->t_err);
	all_unknown(c);
	return STEP_NEXT;
}

/* ---- taking ---- */

/* Who of the segments that were asked for; false: no memory. */
static bool
segments_take(struct task *t, const struct flag_names *asked, struct str inside,
	      struct flag_context *c)
{
	struct str *names = arena_alloc(&t->t_arena, (asked->n + 1) * sizeof(*names));

	c->segments = names;
	c->n_segments = 0;
	for (unsigned i = 0; names != NULL && i < asked->n && i < inside.len; i++)
		if (inside.p[i] == 't')
			names[c->n_segments++] = asked->names[i];
	return names != NULL;
}

/* One part of the row; its unit is there. */
static void
part_read(struct task *t, const struct flag_look_part *part, int column, struct flag_context *c)
{
	const struct str record = postgres_value(t, 0, 0, column + PERSON_RECORD);
	struct err_info info = { .code = ERR_OK };
	const struct str text = record.p != NULL ? arena_str(&t->t_arena, record) : STR_NONE;

	if ((record.p != NULL &&
	     (text.p == NULL || flag_context_record(&t->t_arena, text, c, &info) != ERR_OK)) ||
	    !segments_take(t, &part->segments, postgres_value(t, 0, 0, column + PERSON_SEGMENTS),
			   c))
		part_unknown(part, c);
}

static void
person_take(struct task *t, struct ofrep_context *c)
{
	const struct str unit =
		postgres_rows(t, 0) > 0 ? postgres_value(t, 0, 0, PERSON) : STR_NONE;

	if (unit.p == NULL && c->by_id)
		c->person_no =
			(struct ofrep_refusal) { "INVALID_CONTEXT",
						 "/context/targetingKey: there is no such person" };
	if (unit.p == NULL)
		return;
	if (c->by_id && !str_copy(c->uuid, sizeof(c->uuid), unit)) {
		all_unknown(c);
		return;
	}
	flag_context_unit(&c->person, str_of(c->uuid));
	if (c->look.person.wanted)
		part_read(t, &c->look.person, PERSON, &c->person);
}

/* All that was kept, in every context: each rule looks for its own. */
static void
kept_take(struct task *t, struct ofrep_context *c)
{
	const struct str given = postgres_rows(t, 0) > 0 ? postgres_value(t, 0, 0, KEPT) : STR_NONE;

	if (!flag_kept_read(&t->t_arena, given, &c->given)) {
		kept_unknown(c);
		return;
	}
	c->person.sticky = c->organization.sticky = c->given.sticky;
	c->person.n_sticky = c->organization.n_sticky = c->given.n_sticky;
}

bool
ofrep_look_take(struct task *t, struct ofrep_context *c)
{
	if (!c->looking)
		return false;
	c->looking = false;
	if (task_wait_err(t, 0, NULL) != ERR_OK) {
		all_unknown(c);
		return true;
	}
	if (c->look.organization.wanted && postgres_rows(t, 0) > 0 &&
	    !postgres_is_null(t, 0, 0, ORGANIZATION))
		part_read(t, &c->look.organization, ORGANIZATION, &c->organization);
	if (c->look.person.wanted || c->by_id)
		person_take(t, c);
	if (c->look.kept.wanted)
		kept_take(t, c);
	return true;
}
