/*
 * columns.h — the published columns the tests of the feature room check against: a part of the
 * base schema.
 */
#ifndef BIMODAL_TESTS_FEATURE_COLUMNS_H
#define BIMODAL_TESTS_FEATURE_COLUMNS_H

#include "feature/check.h"

static const struct feature_column published[] = {
	{ "person", "pseudonym" },
	{ "person", "lab_ok" },
	{ "person", "country" },
	{ "person", "stage" },
	{ "person", "segment" },
	{ "person", "organization_id" },
	{ "person", "updated_at" },
	{ "organization", "id" },
	{ "organization", "sector" },
	{ "organization", "parent_id" },
	{ "interaction", "id" },
	{ "interaction", "person_pseudonym" },
	{ "interaction", "kind" },
	{ "interaction", "channel" },
	{ "interaction", "direction" },
	{ "interaction", "at" },
	{ "interaction", "amount" },
	{ "opportunity", "id" },
	{ "opportunity", "person_pseudonym" },
	{ "opportunity", "product" },
	{ "opportunity", "stage" },
	{ "opportunity", "amount" },
	{ "opportunity", "currency" },
	{ "opportunity", "opened_at" },
	{ "opportunity", "closed_at" },
	{ "opportunity", "updated_at" },
};
static const struct feature_columns columns = { published, ARRAY_LEN(published) };

#endif
