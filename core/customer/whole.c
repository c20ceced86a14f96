/*
 * whole.c — answers of several lists: the whole of a person, of an organization, and the search over everything. What they are made of is
 * said here, as lists like any other; a part that the principal has no right to read, or no class for, is not there.
 *
 * The fields that are searched are those of the indexes of change 0013, argument by argument: another order would be another expression,
 * and no index would serve it.
 */
#include "access/access.h"
#include "core/customer/internal.h"

#define OPEN_CASES "status=in.(open,pending)&sort=-opened_at&limit=25"
#define OPEN_DEALS "stage=in.(prospecting,engaging)&sort=-id&limit=25"
#define LAST_INTERACTIONS "sort=-at&limit=20"

static const struct record_part person_parts[] = {
	{ "consents", "consents", "person_id", "sort=id&limit=20", { 0 } },
	{ "opportunities", "opportunities", "person_id", OPEN_DEALS, { 0 } },
	{ "cases", "cases", "person_id", OPEN_CASES, { 0 } },
	{ "interactions", "interactions", "person_id", LAST_INTERACTIONS, { 0 } },
};

static const struct record_part organization_parts[] = {
	{ "people", "people", "organization_id", "sort=-id&limit=25", { 0 } },
	{ "opportunities", "opportunities", "organization_id", OPEN_DEALS, { 0 } },
	{ "cases", "cases", "organization_id", OPEN_CASES, { 0 } },
	{ "interactions", "interactions", "organization_id", LAST_INTERACTIONS, { 0 } },
};

static const struct record_part searched_parts[] = {
	{ .name = "people",
	  .resource = "people",
	  .words = { "given_name", "family_name", "email", "phone", "external_id" } },
	{ .name = "organizations",
	  .resource = "organizations",
	  .words = { "name", NULL, NULL, NULL, "external_id" } },
	{ .name = "opportunities",
	  .resource = "opportunities",
	  .words = { "name", NULL, NULL, NULL, "external_id" } },
	{ .name = "cases", .resource = "cases", .words = { "subject", NULL, NULL, NULL, NULL } },
};

static enum step
serve_parts(struct task *t, struct str resource, const struct record_part *parts, size_t n,
	    const struct step_row *steps)
{
	struct record_call *call = customer_begin(t);
	if (call == NULL)
		return task_fail(t);
	struct record_part *may = arena_alloc(&t->t_arena, n * sizeof(*may));
	if (may == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	for (size_t i = 0; i < n; i++) {
		const char *right = arena_printf(&t->t_arena, "%s.read", parts[i].resource);
		if (right != NULL && access_allows(t, str_of(right)))
			may[call->n_parts++] = parts[i];
	}
	struct str *shown = arena_alloc(&t->t_arena, (n + 1) * sizeof(*shown));
	size_t n_shown = 0;
	for (size_t i = 0; shown != NULL && i < call->n_parts; i++)
		shown[n_shown++] = str_of(may[i].resource);
	if (shown != NULL && resource.p != NULL)
		shown[n_shown++] = resource;
	if (shown == NULL || !customer_scope(t, call, shown, n_shown))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	call->resource = resource;
	call->parts = may;
	return task_continue(t, steps);
}

static enum step
person(struct task *t)
{
	return serve_parts(t, STR("people"), person_parts, ARRAY_LEN(person_parts),
			   record_overview);
}

static enum step
organization(struct task *t)
{
	return serve_parts(t, STR("organizations"), organization_parts,
			   ARRAY_LEN(organization_parts), record_overview);
}

static enum step
search(struct task *t)
{
	return serve_parts(t, STR_NONE, searched_parts, ARRAY_LEN(searched_parts), record_search);
}

const struct step_row customer_person_steps[] = { { "person", person }, { NULL, NULL } };
const struct step_row customer_organization_steps[] = { { "organization", organization },
							{ NULL, NULL } };
const struct step_row customer_search_steps[] = { { "search", search }, { NULL, NULL } };
