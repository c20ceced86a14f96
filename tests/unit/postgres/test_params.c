/*
 * test_params.c — requests own copies of their parameters; queues keep their order. No server.
 */
#include "postgres/internal.h"

#include <string.h>

#include "tests/support/unit.h"

static struct statement_table table;
static const Oid t_two[] = { 25, 25 };
static const struct postgres_stmt two = { "two", "select $1, $2", POSTGRES_READ, 2, t_two, true,
					  false };

static struct statement *
stmt_get(void)
{
	struct statement *s = NULL;
	ck_assert_int_eq(postgres_statement_get(&table, &two, true, &s), ERR_OK);
	return s;
}

static void
setup(void)
{
	postgres_statement_table_init(&table, 4);
}

static void
teardown(void)
{
	postgres_statement_table_free(&table);
}

START_TEST(copies)
{
	struct statement *s = stmt_get();
	struct request *r = NULL;
	char text[] = { 'a', 'b', 'c' }; /* not NUL-terminated */
	const struct postgres_param params[] = { P_STR(((struct str) { text, 2 })), P_NULL };
	ck_assert_int_eq(postgres_request_create(s, params, 2, &r), ERR_OK);
	postgres_statement_unref(s);
	memset(text, 'z', sizeof(text));
	ck_assert_str_eq(r->values[0], "ab");
	ck_assert_ptr_null(r->values[1]);
	postgres_request_free(r);
}
END_TEST

START_TEST(refused)
{
	struct statement *s = stmt_get();
	struct request *r = NULL;
	const struct postgres_param zero[] = { P_NULL, P_STR(((struct str) { "a\0b", 3 })) };
	ck_assert_int_eq(postgres_request_create(s, zero, 2, &r), ERR_INVALID);
	ck_assert_int_eq(postgres_request_create(s, zero, 1, &r), ERR_INTERNAL);
	/* The length is looked at before the bytes. */
	const struct postgres_param large[] = {
		P_STR(((struct str) { "", POSTGRES_PARAM_BYTES_MAX + 1 })), P_NULL
	};
	ck_assert_int_eq(postgres_request_create(s, large, 2, &r), ERR_TOO_LARGE);
	ck_assert_ptr_null(r);
	postgres_statement_unref(s);
}
END_TEST

START_TEST(queue_order)
{
	struct request_queue q;
	struct request *r[4];
	postgres_request_queue_init(&q);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(postgres_request_create_script("select 1", &r[i]), ERR_OK);
	postgres_request_queue_push(&q, r[1]);
	postgres_request_queue_push(&q, r[2]);
	postgres_request_queue_push_front(&q, r[0]);
	postgres_request_queue_push(&q, r[3]);
	ck_assert_uint_eq(q.n, 4);
	for (int i = 0; i < 4; i++) {
		struct request *got = postgres_request_queue_pop(&q);
		ck_assert_ptr_eq(got, r[i]);
		postgres_request_free(got);
	}
	ck_assert_ptr_null(postgres_request_queue_pop(&q));
	/* The tail is right again after it was empty, also from the front. */
	ck_assert_int_eq(postgres_request_create_script("a", &r[0]), ERR_OK);
	ck_assert_int_eq(postgres_request_create_script("b", &r[1]), ERR_OK);
	postgres_request_queue_push_front(&q, r[0]);
	postgres_request_queue_push(&q, r[1]);
	ck_assert_ptr_eq(postgres_request_queue_pop(&q), r[0]);
	ck_assert_ptr_eq(postgres_request_queue_pop(&q), r[1]);
	postgres_request_free(r[0]);
	postgres_request_free(r[1]);
}
END_TEST

static Suite *
params_suite(void)
{
	Suite *s = suite_create("postgres_params");
	TCase *tc = tcase_create("requests");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, copies);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, queue_order);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(params_suite)
