/*
 * test_webhooks.c — the signature of the standard's own example, pauses, addresses that may be reached, URLs and bodies.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "core/webhooks/body.h"
#include "tests/support/unit.h"

static struct arena arena;
static struct err_info info;

static void
set_up(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
	err_clear(&info);
}

static void
tear_down(void)
{
	arena_release(&arena);
	arena_trim();
}

/* The example of the specification: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw. */
#define KEY_HEX "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define WANT "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

START_TEST(signs_the_example_of_the_standard)
{
	struct webhooks_secret s[WEBHOOKS_SECRETS_MAX];
	struct buf out;

	ck_assert_uint_eq(core_webhooks_secrets_parse(STR(KEY_HEX), s), 1);
	ck_assert_uint_eq(s[0].len, 24);
	buf_init(&out, 1024);
	core_webhooks_sign(STR(ID), STR("1614265330"), STR(BODY), s, 1, &out);
	ck_assert_str_eq(buf_cstr(&out), WANT);
	buf_reset(&out);
	core_webhooks_sign(STR(ID), STR("1614265331"), STR(BODY), s, 1, &out);
	ck_assert_str_ne(buf_cstr(&out), WANT);
	buf_free(&out);
}
END_TEST

START_TEST(signs_once_a_secret)
{
	struct webhooks_secret s[WEBHOOKS_SECRETS_MAX];
	struct buf out;

	ck_assert_uint_eq(core_webhooks_secrets_parse(STR("00112233," KEY_HEX), s), 2);
	buf_init(&out, 1024);
	core_webhooks_sign(STR(ID), STR("1614265330"), STR(BODY), s, 2, &out);
	const struct str text = buf_str(&out);
	ck_assert(str_starts(text, "v1,") && str_ends(text, " " WANT));
	buf_free(&out);
	ck_assert_uint_eq(core_webhooks_secrets_parse(STR(""), s), 0);
	ck_assert_uint_eq(core_webhooks_secrets_parse(STR("zz,0g," KEY_HEX), s), 1);
	/* A text that was cut must not be signed. */
	buf_init(&out, 10);
	core_webhooks_sign(STR(ID), STR("1"), STR(BODY), s, 1, &out);
	ck_assert(out.failed);
	buf_free(&out);
}
END_TEST

START_TEST(pauses_grow_over_days_and_end)
{
	usec_t total = 0;
	usec_t before = 0;

	for (int64_t tries = 1; tries < WEBHOOKS_TRIES_MAX; tries++) {
		const usec_t least = core_webhooks_pause(5 * USEC_PER_SEC, tries, 0);
		const usec_t most = core_webhooks_pause(5 * USEC_PER_SEC, tries, 65535);
		ck_assert_int_gt(least, before);
		ck_assert_int_gt(most, least);
		ck_assert_int_lt(most, least * 5 / 4);
		before = least;
		total += most;
	}
	ck_assert_int_gt(total / USEC_PER_SEC, 3 * 86400);
	ck_assert_int_lt(total / USEC_PER_SEC, 4 * 86400);
	ck_assert_int_eq(core_webhooks_pause(USEC_PER_SEC, WEBHOOKS_TRIES_MAX, 0), -1);
	ck_assert_int_eq(core_webhooks_pause(USEC_PER_SEC, 0, 0), -1);
	ck_assert_int_eq(core_webhooks_pause(USEC_PER_SEC, INT64_MAX, 0), -1);
}
END_TEST

static void
address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return;
	}
	ck_assert_int_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	in6->sin6_family = AF_INET6;
}

static const struct {
	const char *text;
	bool is_public;
} addresses[] = {
	{ "8.8.8.8", true },
	{ "1.1.1.1", true },
	{ "172.15.255.255", true },
	{ "172.32.0.0", true },
	{ "100.63.255.255", true },
	{ "100.128.0.0", true },
	{ "198.17.255.255", true },
	{ "198.20.0.0", true },
	{ "223.255.255.255", true },
	{ "2606:4700::1111", true },
	{ "2001:4860:4860::8888", true },
	{ "::ffff:8.8.8.8", true },
	{ "0.0.0.0", false },
	{ "0.1.2.3", false },
	{ "10.0.0.1", false },
	{ "10.255.255.255", false },
	{ "100.64.0.1", false },
	{ "127.0.0.1", false },
	{ "127.255.255.254", false },
	{ "169.254.169.254", false },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "192.0.0.8", false },
	{ "192.0.2.1", false },
	{ "192.88.99.1", false },
	{ "192.168.1.1", false },
	{ "198.19.0.1", false },
	{ "198.51.100.7", false },
	{ "203.0.113.7", false },
	{ "224.0.0.1", false },
	{ "240.0.0.1", false },
	{ "255.255.255.255", false },
	{ "::", false },
	{ "::1", false },
	{ "::ffff:127.0.0.1", false },
	{ "::ffff:10.1.1.1", false },
	{ "::ffff:169.254.169.254", false },
	{ "::127.0.0.1", false },
	{ "64:ff9b::a00:1", false },
	{ "64:ff9b:1::a00:1", false },
	{ "100::1", false },
	{ "2001::1", false },
	{ "2001:1ff::1", false },
	{ "2001:db8::1", false },
	{ "2002:7f00:1::", false },
	{ "3fff::1", false },
	{ "5f00::1", false },
	{ "fc00::1", false },
	{ "fd00:ec2::254", false },
	{ "fe80::1", false },
	{ "fec0::1", false },
	{ "ff02::1", false },
};

START_TEST(knows_the_internet)
{
	struct sockaddr_storage a;

	address(addresses[_i].text, &a);
	ck_assert_msg(core_webhooks_is_public((void *)&a) == addresses[_i].is_public, "%s",
		      addresses[_i].text);
}
END_TEST

START_TEST(reads_networks)
{
	static const char *const bad[] = { "10.0.0.0",   "10.0.0.0/33",      "10.0.0/8",
					   "x/8",        "::1/129",          "/8",
					   ",",          "10.0.0.0/8,,::/0", "10.0.0.0/",
					   "10.0.0.0/-1" };
	static const struct {
		const char *text;
		bool in;
	} cases[] = {
		{ "10.1.2.3", true },          { "10.2.0.0", false },
		{ "127.0.0.1", true },         { "127.0.0.2", false },
		{ "fd12::1", true },           { "fe80::1", false },
		{ "::ffff:127.0.0.1", true },  { "::1", false },
		{ "::ffff:127.0.0.2", false }, { "192.168.255.255", true },
		{ "192.169.0.0", false },
	};
	struct core_webhooks_nets nets;
	struct sockaddr_storage a;

	ck_assert_int_eq(core_webhooks_nets_parse("", &nets, &info), ERR_OK);
	ck_assert_uint_eq(nets.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&info);
		ck_assert_msg(core_webhooks_nets_parse(bad[i], &nets, &info) == ERR_CONFIG, "%s",
			      bad[i]);
		ck_assert_str_eq(info.field, "webhook.allow");
	}
	ck_assert_int_eq(
		core_webhooks_nets_parse(" 10.1.0.0/16,127.0.0.1/32 , fd00::/8, 192.168.0.0/16",
					 &nets, NULL),
		ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		address(cases[i].text, &a);
		ck_assert_msg(core_webhooks_in_nets(&nets, (void *)&a) == cases[i].in, "%s",
			      cases[i].text);
	}
}
END_TEST

static const struct {
	const char *body;
	bool is_new;
	const char *place; /* NULL: it is well */
} bodies[] = {
	{ "{\"url\":\"https://example.org/x\"}", true, NULL },
	{ "{\"url\":\"https://example.org/x\",\"types\":[\"notice.*\",\"*\",\"a.b-c\"],"
	  "\"description\":\"d\",\"team\":\"01890000-0000-7000-8000-000000000001\"}",
	  true, NULL },
	{ "{\"url\":\"http://10.0.0.1/x\"}", true, NULL },
	{ "{\"enabled\":false,\"types\":[\"x\"]}", false, NULL },
	{ "{}", false, NULL },
	{ "{}", true, "/url" },
	{ "{\"url\":\"http://10.0.1.1/x\"}", true, "/url" },
	{ "{\"url\":\"https://10.0.1.1/x\"}", true, "/url" },
	{ "{\"url\":\"https://0x0a000101/x\"}", true, "/url" },
	{ "{\"url\":\"https://[::ffff:10.0.1.1]/x\"}", true, "/url" },
	{ "{\"url\":\"http://8.8.8.8/\"}", true, "/url" },
	{ "{\"url\":\"https://a:b@example.org/\"}", true, "/url" },
	{ "{\"url\":\"https://example.org/\\n\"}", true, "/url" },
	{ "{\"url\":\"javascript:alert(1)\"}", true, "/url" },
	{ "{\"url\":7}", true, "/url" },
	{ "{\"types\":[]}", false, "/types" },
	{ "{\"types\":\"*\"}", false, "/types" },
	{ "{\"types\":[\"a,b\"]}", false, "/types/0" },
	{ "{\"types\":[\"a\",\"b}\"]}", false, "/types/1" },
	{ "{\"types\":[\"a*\"]}", false, "/types/0" },
	{ "{\"enabled\":1}", false, "/enabled" },
	{ "{\"enabled\":true}", true, "/enabled" },
	{ "{\"team\":\"x\"}", true, "/team" },
	{ "{\"owner\":\"x\"}", false, "/owner" },
};

START_TEST(reads_bodies)
{
	struct webhooks_body b;
	struct core_webhooks_nets nets;

	ck_assert_int_eq(core_webhooks_nets_parse("10.0.0.0/24", &nets, NULL), ERR_OK);
	const enum err err = core_webhooks_body_read(str_of(bodies[_i].body), bodies[_i].is_new,
						     &nets, &arena, &b, &info);
	ck_assert_msg((err == ERR_OK) == (bodies[_i].place == NULL), "%s: %s", bodies[_i].body,
		      info.msg);
	if (bodies[_i].place != NULL)
		ck_assert_str_eq(info.field, bodies[_i].place);
	if (_i == 1)
		ck_assert(str_is(b.types, "{notice.*,*,a.b-c}"));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("webhooks");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, signs_the_example_of_the_standard);
	tcase_add_test(c, signs_once_a_secret);
	tcase_add_test(c, pauses_grow_over_days_and_end);
	tcase_add_loop_test(c, knows_the_internet, 0, ARRAY_LEN(addresses));
	tcase_add_test(c, reads_networks);
	tcase_add_loop_test(c, reads_bodies, 0, ARRAY_LEN(bodies));
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
