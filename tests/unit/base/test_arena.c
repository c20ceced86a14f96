/* The arena: zeroed, aligned, capped, and without malloc once its chunk is recycled. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/unit.h"

START_TEST(zeroed_and_aligned)
{
	struct arena a;
	for (int round = 0; round < 2; round++) {
		arena_init(&a, ARENA_CAP_BYTES);
		for (size_t n = 0; n < 600; n++) {
			unsigned char *p = arena_alloc(&a, n);
			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				ck_assert_uint_eq(p[i], 0);
			memset(p, 0xab, n);
		}
		arena_release(&a);
		arena_release(&a);
		ck_assert_uint_eq(a.used_bytes, 0);
	}
	arena_trim();
}
END_TEST

START_TEST(cap_holds)
{
	struct arena a;
	arena_init(&a, 100);
	ck_assert_ptr_nonnull(arena_alloc(&a, 96));
	ck_assert_ptr_null(arena_alloc(&a, 1));
	ck_assert_ptr_null(arena_str(&a, STR("x")).p);
	ck_assert_ptr_null(arena_strdup(&a, STR("x")));
	ck_assert_ptr_null(arena_printf(&a, "%d", 1));
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 20));
	arena_release(&a);
	ck_assert_ptr_nonnull(arena_alloc(&a, 50));
	arena_release(&a);
	arena_init(&a, 0);
	ck_assert_ptr_null(arena_alloc(&a, 0));
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(first_chunk_comes_back)
{
	struct arena a;
	arena_init(&a, ARENA_CAP_BYTES);
	const void *first = arena_alloc(&a, 100);
	arena_release(&a);
	ck_assert_ptr_eq(arena_alloc(&a, 100), first);
	arena_release(&a);
	arena_trim();
}
END_TEST

/* A big block must not push out the chunk in use, and what was handed out stays as it was. */
START_TEST(big_blocks)
{
	struct arena a;
	arena_init(&a, ARENA_CAP_BYTES);
	char *small = arena_strdup(&a, STR("small"));
	char *big = arena_alloc(&a, 100000);
	ck_assert_ptr_nonnull(big);
	memset(big, 'b', 100000);
	const char *next = arena_strdup(&a, STR("next"));
	ck_assert_ptr_eq(next, small + 16);
	ck_assert_str_eq(small, "small");
	arena_release(&a);
	big = arena_alloc(&a, 100000);
	ck_assert_int_eq(big[0], 0);
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(texts)
{
	struct arena a;
	char longer[2000];
	arena_init(&a, ARENA_CAP_BYTES);
	const struct str s = arena_str(&a, STR("a\0b"));
	ck_assert_uint_eq(s.len, 3);
	ck_assert_mem_eq(s.p, "a\0b", 4);
	ck_assert_ptr_nonnull(arena_str(&a, STR_NONE).p);
	ck_assert_str_eq(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	memset(longer, 'l', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_str_eq(arena_printf(&a, "%s", longer), longer);
	for (size_t n = 505; n < 520; n++)
		ck_assert_uint_eq(strlen(arena_printf(&a, "%.*s", (int)n, longer)), n);
	arena_release(&a);
	arena_trim();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("arena");
	TCase *tc = tcase_create("arena");
	tcase_add_test(tc, zeroed_and_aligned);
	tcase_add_test(tc, cap_holds);
	tcase_add_test(tc, first_chunk_comes_back);
	tcase_add_test(tc, big_blocks);
	tcase_add_test(tc, texts);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
