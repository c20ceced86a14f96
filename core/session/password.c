/*
 * password.c — see password.h. The rules follow NIST SP 800-63B: length, no composition, a list of what everybody tries first; the
 * hash is argon2id (RFC 9106) of libsodium, which has it for each kind of processor: half the time of the reference's. It has one
 * lane, so that a job is one thread's work.
 */
#include "core/session/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFFERENT_MIN 5

/* In small letters, of twelve characters and more: shorter ones are refused anyhow. */
static const char *const commonest[] = {
	"password1234",
	"password12345",
	"password123456",
	"passwordpassword",
	"password2024",
	"password2025",
	"password2026",
	"passw0rd1234",
	"p@ssw0rd1234",
	"p@ssword1234",
	"123456789012",
	"1234567890123",
	"12345678901234",
	"123456789123",
	"1234567891011",
	"qwertyuiop123",
	"qwertyuiopas",
	"qwertyuiop[]",
	"qwerty123456",
	"qwerty1234567",
	"1qaz2wsx3edc",
	"1q2w3e4r5t6y",
	"q1w2e3r4t5y6",
	"asdfghjkl123",
	"zxcvbnm12345",
	"iloveyou1234",
	"iloveyouforever",
	"welcome12345",
	"welcome123456",
	"letmein12345",
	"administrator",
	"administrator1",
	"admin1234567",
	"adminadminadmin",
	"changeme1234",
	"changemeplease",
	"default12345",
	"secret123456",
	"abcdefghijkl",
	"abcdefghijklm",
	"abcd12345678",
	"abc123456789",
	"monkey123456",
	"dragon123456",
	"football1234",
	"baseball1234",
	"sunshine1234",
	"princess1234",
	"superman1234",
	"trustno1trustno1",
	"correcthorsebatterystaple",
	"correct horse battery staple",
	"bimodalbimodal",
	"bimodal12345",
};

static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static size_t
characters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

static unsigned
different(struct str s)
{
	bool seen[256] = { false };
	unsigned n = 0;
	for (size_t i = 0; i < s.len; i++) {
		bool *one = &seen[(unsigned char)small(s.p[i])];
		n += !*one;
		*one = true;
	}
	return n;
}

static bool
is_common(struct str s)
{
	for (size_t i = 0; i < sizeof(commonest) / sizeof(commonest[0]); i++) {
		if (str_ieq(s, str_of(commonest[i])))
			return true;
	}
	return false;
}

enum err
password_check(struct str password, struct str login, struct str email, const char *field,
	       struct err_info *info)
{
	if (password.len > PASSWORD_BYTES_MAX)
		return err_set(info, ERR_INVALID, field, "must not be longer than %d bytes",
			       PASSWORD_BYTES_MAX);
	if (!str_utf8_valid(password) || has_control(password))
		return err_set(info, ERR_INVALID, field, "must be text without control characters");
	if (characters(password) < PASSWORD_CHARS_MIN)
		return err_set(info, ERR_INVALID, field, "must have %d characters or more",
			       PASSWORD_CHARS_MIN);
	if (str_ieq(password, login) || (email.len > 0 && str_ieq(password, email)))
		return err_set(info, ERR_INVALID, field, "must not be the name of its owner");
	if (different(password) < DIFFERENT_MIN)
		return err_set(info, ERR_INVALID, field, "must have %d different characters",
			       DIFFERENT_MIN);
	if (is_common(password))
		return err_set(info, ERR_INVALID, field,
			       "is one of the commonest passwords, which are tried first");
	return ERR_OK;
}

/* ---- argon2id ---- */

void
password_nobody(const struct password_cost *cost, char out[PASSWORD_PHC_SIZE])
{
	/* base64 of 16 and 32 zero bytes */
	static const char salt[] = "AAAAAAAAAAAAAAAAAAAAAA";
	static const char hash[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	(void)snprintf(out, PASSWORD_PHC_SIZE, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
		       cost->memory_kib, cost->passes, salt, hash);
}

static bool
cost_of(const char *phc, struct password_cost *out)
{
	return sscanf(phc, "$argon2id$v=19$m=%7u,t=%3u,p=1$", &out->memory_kib, &out->passes) == 2;
}

static void
compare(struct password_job *j)
{
	struct password_cost stored = { 0 };
	if (!cost_of(j->phc, &stored) || stored.memory_kib > PASSWORD_MEMORY_MAX_KIB) {
		j->failed = true;
		return;
	}
	errno = 0;
	j->right = crypto_pwhash_str_verify(j->phc, j->given, j->given_len) == 0;
	j->failed = !j->right && errno != EINVAL; /* which is its word for another password */
	if (j->right && j->wanted_len == 0 &&
	    (stored.memory_kib < j->cost.memory_kib || stored.passes < j->cost.passes)) {
		memcpy(j->wanted, j->given, j->given_len);
		j->wanted_len = j->given_len;
	}
}

_Static_assert(PASSWORD_PHC_SIZE >= crypto_pwhash_STRBYTES, "the library fills that many");

void
password_run(void *job)
{
	struct password_job *j = job;
	j->right = j->phc[0] == '\0';
	if (!j->right)
		compare(j);
	if (!j->right || j->failed || j->wanted_len == 0)
		return;
	j->failed = crypto_pwhash_str_alg(j->made, j->wanted, j->wanted_len, j->cost.passes,
					  (size_t)j->cost.memory_kib * 1024,
					  crypto_pwhash_ALG_ARGON2ID13) != 0;
}

struct password_job *
password_job_create(const struct password_cost *cost)
{
	/* The first call learns what the processor can; the others are one look. */
	struct password_job *j = sodium_init() >= 0 ? calloc(1, sizeof(*j)) : NULL;
	if (j != NULL)
		j->cost = *cost;
	return j;
}

void
password_job_free(void *job)
{
	explicit_bzero(job, sizeof(struct password_job));
	free(job);
}
