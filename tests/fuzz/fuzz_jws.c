/*
 * fuzz_jws.c — arbitrary bytes as a token, and as a JWKS.
 *
 * Nothing but the one token that the keys have signed may be accepted, and its payload is known. What a JWKS gives may be asked about a
 * token, whatever it holds.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/jws.h"
#include "base/log.h"

/* RFC 8037, A.1 and A.4 */
#define KEYS                                                                                       \
	"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                         \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"
#define TOKEN                                                                                      \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."                                \
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jws_keys *keys;
	const struct str text = { (const char *)data, size };
	struct err_info info = { .code = ERR_OK };
	struct jws_keys *theirs = NULL;
	struct arena a;
	struct str payload;

	BUG_ON(keys == NULL && jws_keys_parse(STR(KEYS), &keys, NULL) != ERR_OK);
	arena_init(&a, ARENA_CAP_BYTES);
	const enum err err = jws_verify(keys, text, &a, &payload, &info);
	BUG_ON(info.code != err);
	BUG_ON((err == ERR_OK) != str_is(text, TOKEN));
	BUG_ON(err == ERR_OK && !str_is(payload, "Example of Ed25519 signing"));
	err_clear(&info);
	if (jws_keys_parse(text, &theirs, &info) == ERR_OK) {
		BUG_ON(jws_keys_count(theirs) == 0 || jws_keys_count(theirs) > JWS_KEYS_MAX);
		(void)!jws_verify(theirs, STR(TOKEN), &a, &payload, NULL);
	}
	BUG_ON((theirs == NULL) != (info.code != ERR_OK));
	jws_keys_free(theirs);
	arena_release(&a);
	return 0;
}
