/*
 * ofrep_kept.c — assignments that experiments keep: by what those of a request may have been kept, what the database says was kept, and
 * what an evaluation keeps anew.
 *
 * An attribute that the context does not say is asked of the record in the statement itself, and so is the unit of a person named by id.
 */
#include "flag/batch.h"
#include "flag/ofrep_parts.h"

#define KEPT_BYTES_MAX ((size_t)256 * 1024)
#define KEPT_VALUES_MAX 4096

/* By what something may have been kept, as texts of arrays. */
struct keys {
	struct buf attributes, values, of_record, experiments;
};

static void
key_add(struct keys *k, struct str attribute, struct str value)
{
	if (!flag_sticky_may_be(value))
		return;
	flag_array_add(&k->attributes, attribute);
	flag_array_add(&k->values, value);
}

/* `c`: of the unit; its own name is left out where the statement finds it. */
static void
keys_add(const struct flag_context *c, enum flag_unit unit, bool with_unit, bool of_record,
	 const struct flag_names *names, struct keys *k)
{
	for (unsigned i = 0; i < names->n; i++) {
		const struct str name = names->names[i];
		const struct flag_value *v =
			c->attributes != NULL ? flag_value_member(c->attributes, name) : NULL;
		if (str_is(name, FLAG_UNIT_ATTRIBUTE) && with_unit)
			key_add(k, name, c->unit.text);
		else if (str_is(name, FLAG_UNIT_ATTRIBUTE))
			continue;
		else if (v != NULL && v->kind < JSON_ARRAY)
			key_add(k, name, v->text);
		else if (v == NULL && of_record && flag_ofrep_conf.knows(unit, name))
			flag_array_add(&k->of_record, name);
	}
}

static struct str
array_close(struct arena *a, struct buf *b)
{
	if (b->len == 0)
		buf_add_char(b, '{');
	buf_add_char(b, '}');
	const struct str text = b->failed ? STR_NONE : arena_str(a, buf_str(b));
	buf_free(b);
	return text;
}

static void
keys_init(struct keys *k)
{
	buf_init(&k->attributes, KEPT_BYTES_MAX);
	buf_init(&k->values, KEPT_BYTES_MAX);
	buf_init(&k->of_record, KEPT_BYTES_MAX);
	buf_init(&k->experiments, KEPT_BYTES_MAX);
}

/* What was gathered, in the arena; false: no memory. Of all flags no experiments are named. */
static bool
keys_take(struct arena *a, struct keys *k, struct flag_look_kept *out)
{
	const bool all = k->experiments.len == 0;

	out->wanted = k->attributes.len > 0 || k->of_record.len > 0;
	out->attributes = array_close(a, &k->attributes);
	out->values = array_close(a, &k->values);
	out->of_record = array_close(a, &k->of_record);
	out->experiments = array_close(a, &k->experiments);
	const bool made = out->attributes.p != NULL && out->values.p != NULL &&
			  out->of_record.p != NULL && out->experiments.p != NULL;
	if (all)
		out->experiments = STR_NONE;
	return made;
}

static void
experiments_add(const struct flag_needs *needs, struct keys *k)
{
	for (unsigned i = 0; i < needs->experiments.n; i++)
		flag_array_add(&k->experiments, needs->experiments.names[i]);
}

bool
flag_kept_ask(struct arena *a, const struct flag_context *c, enum flag_unit unit, bool of_record,
	      const struct flag_needs *needs, struct flag_look_kept *out)
{
	struct keys k;

	keys_init(&k);
	keys_add(c, unit, true, of_record, &needs->kept_by, &k);
	experiments_add(needs, &k);
	return keys_take(a, &k, out);
}

bool
ofrep_kept_ask(struct task *t, struct ofrep_context *c, const struct ofrep_asked *asked)
{
	const struct flag_context *of[] = { [FLAG_PERSON] = &c->person,
					    [FLAG_ORGANIZATION] = &c->organization,
					    [FLAG_VISITOR] = &c->given };
	bool by_person = false; /* of whom the id alone is known */
	struct keys k;

	keys_init(&k);
	for (unsigned u = 0; u < ARRAY_LEN(of); u++) {
		const struct flag_needs *needs = asked->by_unit[u];
		const bool by_id = u == FLAG_PERSON && c->by_id;
		if (needs == NULL || (u == FLAG_PERSON && c->person_no.code != NULL))
			continue;
		keys_add(of[u], (enum flag_unit)u, !by_id, c->is_uuid, &needs->kept_by, &k);
		experiments_add(needs, &k);
		by_person = by_person ||
			    (by_id && flag_names_have(&needs->kept_by, STR(FLAG_UNIT_ATTRIBUTE)));
	}
	if (!keys_take(&t->t_arena, &k, &c->look.kept))
		return false;
	c->look.kept.wanted = c->look.kept.wanted || by_person;
	return true;
}

/* [attribute, value, experiment, version, variation] */
static bool
sticky_read(const struct flag_value *v, struct flag_sticky *out)
{
	const struct flag_value *m[5];
	const struct flag_value *at = flag_value_first(v);

	if (v->kind != JSON_ARRAY || v->n != ARRAY_LEN(m))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(m); i++, at = flag_value_next(at))
		m[i] = at;
	*out = (struct flag_sticky) { .attribute = m[0]->text,
				      .value = m[1]->text,
				      .experiment = m[2]->text,
				      .version = (unsigned)m[3]->number,
				      .variation = m[4]->text };
	return true;
}

bool
flag_kept_read(struct arena *a, struct str given, struct flag_context *c)
{
	struct err_info info = { .code = ERR_OK };
	const struct flag_value *all = NULL;
	size_t n = 0;

	if (given.p == NULL)
		return true;
	const struct str text = arena_str(a, given);
	if (text.p == NULL ||
	    flag_value_read(a, text, "", KEPT_VALUES_MAX, &all, &info) != ERR_OK ||
	    all->kind != JSON_ARRAY)
		return false;
	struct flag_sticky *sticky = arena_alloc(a, (all->n + 1) * sizeof(*sticky));
	if (sticky == NULL)
		return false;
	const struct flag_value *v = flag_value_first(all);
	for (uint32_t i = 0; i < all->n; i++, v = flag_value_next(v))
		n += sticky_read(v, &sticky[n]);
	c->sticky = sticky;
	c->n_sticky = n;
	return true;
}

void
ofrep_keep(const struct ofrep_context *c, const struct flag_listed *flag,
	   const struct flag_result *r)
{
	const bool known = flag->unit == FLAG_PERSON && !c->is_stranger;

	flag_stickies_add(flag_ofrep_conf.stickies, flag->key, r,
			  known ? c->person.unit.text : STR(""));
}
