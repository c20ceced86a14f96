/*
 * test_seed.c — the sample world: the same numbers for ever, the base rates it promises, and nobody who could exist.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/random.h"
#include "cli/sample.h"
#include "tests/support/unit.h"

#include <cjson/cJSON.h>

static const struct sample world = { .seed = 1,
				     .until = INT64_C(1790000000) * USEC_PER_SEC /
					      (86400 * USEC_PER_SEC) * (86400 * USEC_PER_SEC) };

/* Reference: xoshiro256** with the state 1, 2, 3, 4 gives these first (its authors' program). */
START_TEST(test_generator)
{
	static const uint64_t want[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240) };
	struct random r = { { 1, 2, 3, 4 } };
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_uint_eq(random_next(&r), want[i]);
}
END_TEST

START_TEST(test_streams)
{
	struct random a, b;
	random_init(&a, 1, "x", 1);
	random_init(&b, 1, "x", 1);
	ck_assert_uint_eq(random_next(&a), random_next(&b));
	const struct {
		uint64_t seed;
		const char *stream;
		uint64_t index;
	} others[] = { { 2, "x", 1 }, { 1, "y", 1 }, { 1, "x", 2 } };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		random_init(&a, 1, "x", 1);
		random_init(&b, others[i].seed, others[i].stream, others[i].index);
		ck_assert_uint_ne(random_next(&a), random_next(&b));
	}
}
END_TEST

START_TEST(test_below)
{
	struct random r;
	unsigned long seen[7] = { 0 };
	random_init(&r, 3, "below", 0);
	for (unsigned i = 0; i < 70000; i++)
		seen[random_below(&r, 7)]++;
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		ck_assert_msg(seen[i] > 9500 && seen[i] < 10500, "%zu came %lu times", i, seen[i]);
	ck_assert_uint_eq(random_below(&r, 1), 0);
}
END_TEST

/* One text of everything that belongs to a person. */
static void
person_all(const struct sample *s, uint64_t i, struct buf *out)
{
	sample_person(s, i, "O", out);
	for (unsigned k = 0; k < sample_interactions(s, i); k++)
		sample_interaction(s, i, k, "P", NULL, out);
	for (unsigned k = 0; k < sample_opportunities(s, i); k++)
		sample_opportunity(s, i, k, "P", "O", out);
	if (sample_case(s, i))
		sample_case_write(s, i, "P", "O", out);
}

START_TEST(test_repeatable)
{
	struct buf a, b;
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	const struct sample other = { .seed = 2, .until = world.until };
	for (uint64_t i = 0; i < 50; i++) {
		buf_reset(&a);
		buf_reset(&b);
		person_all(&world, i, &a);
		person_all(&world, i, &b);
		ck_assert(str_eq(buf_str(&a), buf_str(&b)));
		buf_reset(&b);
		person_all(&other, i, &b);
		ck_assert(!str_eq(buf_str(&a), buf_str(&b)));
	}
	buf_free(&a);
	buf_free(&b);
}
END_TEST

/* Each record is one JSON object with no member twice. */
START_TEST(test_json)
{
	struct buf b;
	struct cJSON *j;
	buf_init(&b, 1 << 20);
	for (uint64_t i = 0; i < 500; i++) {
		for (int what = 0; what < 5; what++) {
			buf_reset(&b);
			if (what == 0)
				sample_person(&world, i, i % 2 == 0 ? "O" : NULL, &b);
			else if (what == 1)
				sample_organization(&world, i, &b);
			else if (what == 2)
				sample_interaction(&world, i, 0, "P", NULL, &b);
			else if (what == 3)
				sample_opportunity(&world, i, 0, "P", "O", &b);
			else
				sample_case_write(&world, i, "P", "O", &b);
			ck_assert_msg(json_parse(buf_str(&b), &j, NULL) == ERR_OK, "%s",
				      buf_cstr(&b));
			json_free(j);
		}
	}
	buf_free(&b);
}
END_TEST

/* No address and no number that could be anyone's. */
START_TEST(test_nobody)
{
	static const char *const phones[] = { "+49 30 23125 ", "+44 1632 960", "+33 1 99 00 ",
					      "+1 202 555 01" };
	struct buf b;
	buf_init(&b, 1 << 16);
	for (uint64_t i = 0; i < 2000; i++) {
		struct cJSON *j = NULL;
		const char *email = NULL;
		const char *phone = NULL;
		bool fictional = false;
		buf_reset(&b);
		sample_person(&world, i, NULL, &b);
		ck_assert_int_eq(json_parse(buf_str(&b), &j, NULL), ERR_OK);
		ck_assert_int_eq(json_string(j, "email", true, &email, NULL), ERR_OK);
		ck_assert_int_eq(json_string(j, "phone", true, &phone, NULL), ERR_OK);
		const char *at = strchr(email, '@');
		ck_assert_ptr_nonnull(at);
		ck_assert(strcmp(at, "@example.com") == 0 || strcmp(at, "@example.org") == 0 ||
			  strcmp(at, "@example.net") == 0);
		ck_assert(strspn(email, "abcdefghijklmnopqrstuvwxyz0123456789.") ==
				  (size_t)(at - email) &&
			  email[0] != '.');
		for (size_t k = 0; k < ARRAY_LEN(phones); k++)
			fictional = fictional || strncmp(phone, phones[k], strlen(phones[k])) == 0;
		ck_assert_msg(fictional, "%s", phone);
		json_free(j);
	}
	buf_free(&b);
}
END_TEST

/* A share of n within four standard errors of permille. */
static void
near(const char *what, unsigned long k, unsigned long n, double permille)
{
	const double p = permille / 1000;
	const double slack = 4 * sqrt(p * (1 - p) / (double)n);
	ck_assert_msg(fabs((double)k / (double)n - p) < slack, "%s: %lu of %lu, expected %.3f",
		      what, k, n, p);
}

START_TEST(test_rates)
{
	enum { N = 20000 };
	unsigned long member = 0, withdrawn = 0, interactions = 0, complaints = 0,
		      opportunities = 0, with = 0, two = 0, won = 0, cases = 0;
	struct buf b;
	buf_init(&b, 1 << 16);
	for (uint64_t i = 0; i < N; i++) {
		const unsigned n = sample_interactions(&world, i);
		ck_assert(n >= 1 && n <= SAMPLE_INTERACTIONS_MAX);
		interactions += n;
		member += sample_person_organization(&world, i) >= 0;
		withdrawn += sample_withdrawn(&world, i);
		cases += sample_case(&world, i);
		const unsigned o = sample_opportunities(&world, i);
		with += o > 0;
		two += o == 2;
		for (unsigned k = 0; k < o; k++, opportunities++) {
			buf_reset(&b);
			sample_opportunity(&world, i, k, "P", NULL, &b);
			won += strstr(buf_cstr(&b), "\"stage\":\"won\"") != NULL;
		}
		buf_reset(&b);
		sample_interaction(&world, i, 0, "P", NULL, &b);
		complaints += strstr(buf_cstr(&b), "\"kind\":\"complaint\"") != NULL;
	}
	near("members", member, N, 700);
	near("withdrawn", withdrawn, N, 30);
	near("with opportunity", with, N, 400);
	near("with two", two, N, 80);
	near("won", won, opportunities, 350);
	near("cases", cases, N, 150);
	near("complaints", complaints, N, 20);
	ck_assert(interactions > N * 4.9 && interactions < N * 5.1);
	buf_free(&b);
}
END_TEST

START_TEST(test_blocks)
{
	ck_assert_uint_eq(sample_organizations(1), SAMPLE_BLOCK_ORGANIZATIONS);
	ck_assert_uint_eq(sample_organizations(400), SAMPLE_BLOCK_ORGANIZATIONS);
	ck_assert_uint_eq(sample_organizations(401), 2 * SAMPLE_BLOCK_ORGANIZATIONS);
	for (uint64_t people = 1; people < 1300; people++)
		ck_assert(sample_person_organization(&world, people - 1) <
			  (int64_t)sample_organizations(people));
}
END_TEST

START_TEST(test_keys)
{
	char key[SAMPLE_KEY_SIZE];
	sample_key(&world, SAMPLE_ORGANIZATION, 3, 0, key);
	ck_assert_str_eq(key, "seed-1-organization-0000003");
	sample_key(&world, SAMPLE_PERSON, 17, 0, key);
	ck_assert_str_eq(key, "seed-1-person-0000017");
	sample_key(&world, SAMPLE_OPPORTUNITY, 17, 1, key);
	ck_assert_str_eq(key, "seed-1-person-0000017-1");
}
END_TEST

static Suite *
seed_suite(void)
{
	Suite *s = suite_create("seed");
	TCase *t = tcase_create("seed");
	tcase_add_test(t, test_generator);
	tcase_add_test(t, test_streams);
	tcase_add_test(t, test_below);
	tcase_add_test(t, test_repeatable);
	tcase_add_test(t, test_json);
	tcase_add_test(t, test_nobody);
	tcase_add_test(t, test_rates);
	tcase_add_test(t, test_blocks);
	tcase_add_test(t, test_keys);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(seed_suite)
