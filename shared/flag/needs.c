/*
 * needs.c — what the rules of a flag ask for that a caller may leave to the database: attributes, segments, assignments that were kept. Worked out once, when a
 * snapshot is built, so that a request only looks whether there is anything to look up.
 *
 * A flag that waits for others asks for what they ask for. Paths into an attribute are left out: no field of the record holds an object.
 */
#include "flag/internal.h"
#include "flag/operators.h"

/* By what an experiment keeps its assignments; the unit goes by its own name. */
static enum err
kept_add(struct arena *a, const struct flag_rule *r, struct flag_needs_list *all)
{
	const struct flag_hasher *h = &r->hasher;
	const struct str first = h->attribute.p != NULL ? h->attribute : STR(FLAG_UNIT_ATTRIBUTE);
	const struct str second = h->falls_to_unit ? STR(FLAG_UNIT_ATTRIBUTE) : h->fallback;

	enum err err = flag_name_add(a, &all->experiments, r->experiment);
	if (err == ERR_OK)
		err = flag_name_add(a, &all->kept_by, first);
	return err == ERR_OK && h->has_fallback ? flag_name_add(a, &all->kept_by, second) : err;
}

static enum err
document_add(struct arena *a, const struct flag_snapshot *s, const struct flag_document *d,
	     struct flag_needs_list *all)
{
	enum err err = ERR_OK;
	bool told = false;

	for (unsigned i = 0; i < d->attributes.n && err == ERR_OK; i++) {
		const struct str name = d->attributes.names[i];
		if (!str_is(name, FLAG_UNIT_ATTRIBUTE) && str_find(name, '.') == name.len)
			err = flag_name_add(a, &all->attributes, name);
	}
	for (unsigned i = 0; i < d->segments.n && err == ERR_OK; i++) {
		(void)flag_segment_find(s, d->segments.names[i], &told);
		if (told)
			err = flag_name_add(a, &all->segments, d->segments.names[i]);
	}
	for (unsigned i = 0; i < d->n_rules && err == ERR_OK; i++)
		if (d->rules[i].kind == FLAG_RULE_EXPERIMENT && d->rules[i].sticky)
			err = kept_add(a, &d->rules[i], all);
	return err;
}

static enum err
names_add(struct arena *a, struct flag_name_list *list, const struct flag_names *names)
{
	enum err err = ERR_OK;

	for (unsigned i = 0; i < names->n && err == ERR_OK; i++)
		err = flag_name_add(a, list, names->names[i]);
	return err;
}

enum err
flag_needs_add(struct arena *a, struct flag_needs_list *all, const struct flag_needs *more)
{
	if (more == NULL)
		return ERR_OK;
	enum err err = names_add(a, &all->attributes, &more->attributes);
	if (err == ERR_OK)
		err = names_add(a, &all->segments, &more->segments);
	return err == ERR_OK ? names_add(a, &all->kept_by, &more->kept_by) : err;
}

enum err
flag_needs_take(struct arena *a, const struct flag_needs_list *all, const struct flag_needs **out)
{
	*out = NULL;
	if (all->attributes.n == 0 && all->segments.n == 0 && all->kept_by.n == 0)
		return ERR_OK;
	struct flag_needs *needs = arena_alloc(a, sizeof(*needs));
	if (needs == NULL)
		return ERR_NO_MEMORY;
	needs->attributes = (struct flag_names) { all->attributes.n, all->attributes.names };
	needs->segments = (struct flag_names) { all->segments.n, all->segments.names };
	needs->kept_by = (struct flag_names) { all->kept_by.n, all->kept_by.names };
	needs->experiments = (struct flag_names) { all->experiments.n, all->experiments.names };
	*out = needs;
	return ERR_OK;
}

enum err
flag_needs_make(struct arena *a, const struct flag_snapshot *s, const struct flag_document *d,
		const struct flag_needs **out)
{
	const struct flag_document *asked[FLAG_VISITED_MAX];
	struct flag_needs_list all = { .attributes = { .n = 0 } };
	enum err err = ERR_OK;
	unsigned n = 1;

	asked[0] = d;
	for (unsigned i = 0; i < n && err == ERR_OK; i++) {
		err = document_add(a, s, asked[i], &all);
		for (unsigned k = 0; k < asked[i]->flags.n && n < FLAG_VISITED_MAX; k++) {
			const struct flag_document *other =
				flag_document_of(s, asked[i]->flags.names[k]);
			bool known = other == NULL;
			for (unsigned j = 0; j < n && !known; j++)
				known = asked[j] == other;
			if (!known)
				asked[n++] = other;
		}
	}
	return err == ERR_OK ? flag_needs_take(a, &all, out) : err;
}
