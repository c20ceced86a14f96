/*
 * test_notices.c — the text of an e-mail, subjects that try to be headers, and what a principal may choose.
 */
#include <stdio.h>
#include <string.h>

#include "core/notices/internal.h"
#include "core/notices/message.h"
#include "http/mail.h"
#include "tests/support/unit.h"

static struct arena arena;
static struct err_info info;
static struct buf out;

static void
set_up(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
	err_clear(&info);
	buf_init(&out, NOTICES_MESSAGE_MAX);
}

static void
tear_down(void)
{
	buf_free(&out);
	arena_release(&arena);
	arena_trim();
}

static const struct {
	const char *text;
	const char *want;
} subjects[] = {
	{ "Change 7 waits", "Subject: Change 7 waits\r\n" },
	{ "a\r\nBcc: x@y", "Subject: a  Bcc: x@y\r\n" },
	{ "\r\n\r\nbody", "Subject: =?UTF-8?B?ICAgIGJvZHk=?=\r\n" },
	{ "=?UTF-8?B?eA==?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=\r\n" },
	{ "für", "Subject: =?UTF-8?B?ZsO8cg==?=\r\n" },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  "Subject: =?UTF-8?B?MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAx?=\r\n"
	  " =?UTF-8?B?MjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==?=\r\n" },
};

START_TEST(subject_is_one_header)
{
	core_notices_subject(str_of(subjects[_i].text), &out);
	ck_assert_str_eq(buf_cstr(&out), subjects[_i].want);
}
END_TEST

/* No word ends within a character, no line is longer than 78, whatever the text. */
START_TEST(subject_words_hold_whole_characters)
{
	char text[400] = "";
	size_t n = 0;

	while (n + 5 < sizeof(text)) {
		memcpy(text + n, _i % 2 == 0 ? "aä€" : "€€ä", 6);
		n += _i % 2 == 0 ? 6 : 5;
	}
	text[n] = '\0';
	core_notices_subject((struct str) { text + _i % 7, n - (size_t)_i % 7 }, &out);
	struct str rest = buf_str(&out);
	while (rest.len > 0) {
		const struct str line = str_cut(&rest, '\n');
		ck_assert_uint_le(line.len, 79);
	}
}
END_TEST

START_TEST(message_has_one_head)
{
	const struct notices_message m = {
		.from = "b@example.org",
		.to = "a@example.com",
		.id = "01890000-0000-7000-8000-000000000001",
		.url = "https://crm.example",
		.at = 1000000 * USEC_PER_SEC,
		.notices =
			STR("[{\"title\":\"T\\r\\nX: y\",\"body\":\"B\",\"link\":\"/changes/1\"}]"),
	};

	ck_assert_int_eq(core_notices_message(&m, &arena, &out, &info), ERR_OK);
	const char *text = buf_cstr(&out);
	ck_assert_ptr_nonnull(strstr(text, "Date: Mon, 12 Jan 1970 13:46:40 +0000\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nTo: <a@example.com>\r\nSubject: T  X: y\r\n"));
	ck_assert_ptr_nonnull(strstr(
		text, "\r\nMessage-ID: <01890000-0000-7000-8000-000000000001@example.org>\r\n"));
	ck_assert_ptr_null(strstr(text, "\r\nX: y"));
	/* "T\r\nX: y\r\nB\r\nhttps://crm.example/changes/1\r\n\r\n" */
	ck_assert_ptr_nonnull(strstr(
		text, "\r\n\r\nVA0KWDogeQ0KQg0KaHR0cHM6Ly9jcm0uZXhhbXBsZS9jaGFuZ2VzLzENCg0K\r\n"));
}
END_TEST

/* title → what stands in the body: moments as people write them, all else as it was. */
static const struct {
	const char *title;
	const char *want;
} proses[] = {
	{ "until 2026-11-23T11:10:39.735341+00:00. If", "until Mon, 23 Nov 2026 11:10:39 GMT. If" },
	{ "2026-11-23T11:10:39Z", "Mon, 23 Nov 2026 11:10:39 GMT" },
	{ "at 2026-11-23T13:10:39+02:00, 7 of 9", "at Mon, 23 Nov 2026 11:10:39 GMT, 7 of 9" },
	{ "2026-11-23T11:10:39Z 2026-11-24T11:10:39Z",
	  "Mon, 23 Nov 2026 11:10:39 GMT Tue, 24 Nov 2026 11:10:39 GMT" },
	{ "expires on 2026-11-23", "expires on 2026-11-23" },
	{ "2026-13-45T11:10:39Z", "2026-13-45T11:10:39Z" },
	{ "Change 7. 1.2.3 ...", "Change 7. 1.2.3 ..." },
	{ "00000000000000000000000000000000000000000000000000",
	  "00000000000000000000000000000000000000000000000000" },
	{ "....", "...." },
	{ "", "" },
};

START_TEST(message_says_moments_as_people_do)
{
	struct notices_message m = { .from = "b@x", .to = "a@x", .id = "1", .url = "" };
	char want[200];
	char line[300];

	m.notices = str_of(arena_printf(&arena, "[{\"title\":\"T\",\"body\":\"%s\",\"link\":\"\"}]",
					proses[_i].title));
	ck_assert_int_eq(core_notices_message(&m, &arena, &out, &info), ERR_OK);
	snprintf(want, sizeof(want), "T\r\n%s%s\r\n\r\n", proses[_i].want,
		 proses[_i].want[0] == '\0' ? "" : "\r\n");
	/* The body in lines of 57 bytes each. */
	for (size_t at = 0, n = strlen(want); at < n; at += 57) {
		(void)base64_encode(want + at, MIN(n - at, (size_t)57), line, sizeof(line));
		ck_assert_msg(strstr(buf_cstr(&out), line) != NULL, "%s", want);
	}
}
END_TEST

START_TEST(message_refuses_what_is_no_list)
{
	static const char *const bad[] = { "", "{}", "[1]", "[{\"title\":1}]", "[{]" };
	struct notices_message m = { .from = "b@x", .to = "a@x", .id = "1", .url = "" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m.notices = str_of(bad[i]);
		err_clear(&info);
		ck_assert_msg(core_notices_message(&m, &arena, &out, &info) != ERR_OK, "%s",
			      bad[i]);
	}
}
END_TEST

START_TEST(knows_addresses)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "a@b", true },
		{ "first.last+tag@mail.example.org", true },
		{ "o'neil@example.org", true },
		{ "", false },
		{ "@", false },
		{ "a@", false },
		{ "@b", false },
		{ "ab", false },
		{ "a@b@c", false },
		{ "a b@c", false },
		{ "a@b\r\nRCPT TO:<x@y>", false },
		{ "a@b>", false },
		{ "<a@b", false },
		{ "a,c@b", false },
		{ "\"a\"@b", false },
		{ "m\xc3\xbcller@example.org", false },
		{ "a@b\x7f", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(http_mail_address_valid(str_of(cases[i].text)) == cases[i].valid,
			      "%s", cases[i].text);
}
END_TEST

static const struct {
	const char *body;
	const char *place; /* NULL: it is well, and `want` what goes to the database */
	const char *want;
} choices[] = {
	{ "{}", NULL, "{\"time_zone\":\"UTC\"}" },
	{ "{\"hours\":null,\"digest\":null}", NULL, "{\"time_zone\":\"UTC\"}" },
	{ "{\"hours\":{\"to\":\"06:00\",\"from\":\"22:30\"},\"digest\":{\"hour\":7}}", NULL,
	  "{\"time_zone\":\"UTC\",\"from\":1350,\"to\":360,\"digest_hour\":7}" },
	{ "{\"channels\":{\"*\":[],\"change\":[\"app\"]},\"time_zone\":\"Asia/Tokyo\"}", NULL,
	  "{\"time_zone\":\"Asia/Tokyo\",\"channels\":{\"*\":[],\"change\":[\"app\"]}}" },
	{ "{\"time_zone\":5}", "/time_zone", NULL },
	{ "{\"time_zone\":\"\"}", "/time_zone", NULL },
	{ "{\"hours\":{\"from\":\"8:00\",\"to\":\"09:00\"}}", "/hours/from", NULL },
	{ "{\"hours\":{\"from\":\"08:00\",\"to\":\"24:00\"}}", "/hours/to", NULL },
	{ "{\"hours\":{\"from\":\"-1:00\",\"to\":\"10:00\"}}", "/hours/from", NULL },
	{ "{\"hours\":{\"from\":\"08:00\",\"to\":\"10:00\",\"x\":1}}", "/hours/x", NULL },
	{ "{\"digest\":{\"hour\":7.5}}", "/digest/hour", NULL },
	{ "{\"digest\":{}}", "/digest/hour", NULL },
	{ "{\"channels\":{\"a\":[\"app\",\"email\",\"webhook\",\"app\"]}}", "/channels/a", NULL },
	{ "{\"channels\":{\"a\":\"app\"}}", "/channels/a", NULL },
	{ "{\"x\":1}", "/x", NULL },
};

START_TEST(reads_choices)
{
	const enum err err =
		core_notices_settings_read(str_of(choices[_i].body), &arena, &out, &info);

	ck_assert_msg((err == ERR_OK) == (choices[_i].place == NULL), "%s: %s", choices[_i].body,
		      info.msg);
	if (choices[_i].place != NULL)
		ck_assert_str_eq(info.field, choices[_i].place);
	else
		ck_assert_str_eq(buf_cstr(&out), choices[_i].want);
}
END_TEST

START_TEST(pauses_double_up_to_a_limit)
{
	const usec_t first = 30 * USEC_PER_SEC;
	const usec_t most = 6 * 3600 * USEC_PER_SEC;

	ck_assert_int_eq(core_notices_pause(first, 1, 0), first);
	ck_assert_int_eq(core_notices_pause(first, 2, 0), 2 * first);
	ck_assert_int_eq(core_notices_pause(first, 5, 0), 16 * first);
	ck_assert_int_eq(core_notices_pause(first, 40, 0), most);
	ck_assert_int_eq(core_notices_pause(3600 * USEC_PER_SEC, INT64_MAX, 0), most);
	ck_assert_int_eq(core_notices_pause(first, 0, 0), first);
	for (int64_t tries = 1; tries < 12; tries++) {
		const usec_t least = core_notices_pause(first, tries, 65535);
		ck_assert_int_lt(least, core_notices_pause(first, tries, 0));
		ck_assert_int_ge(least, core_notices_pause(first, tries, 0) / 4 * 3);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("notices");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, subject_is_one_header, 0, ARRAY_LEN(subjects));
	tcase_add_loop_test(c, subject_words_hold_whole_characters, 0, 14);
	tcase_add_test(c, message_has_one_head);
	tcase_add_loop_test(c, message_says_moments_as_people_do, 0, ARRAY_LEN(proses));
	tcase_add_test(c, message_refuses_what_is_no_list);
	tcase_add_test(c, knows_addresses);
	tcase_add_test(c, pauses_double_up_to_a_limit);
	tcase_add_loop_test(c, reads_choices, 0, ARRAY_LEN(choices));
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
