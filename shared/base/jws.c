/*
 * jws.c — see jws.h. A token comes in here as bytes of a stranger and leaves as a payload that one of the given keys has signed.
 *
 * Invariant: the algorithm is looked up in a table that knows which type of key it is for, and only keys of that type are tried.
 */
#include "base/jws.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/json_in.h"

#define RSA_BYTES_MAX (JWS_RSA_BITS_MAX / 8)
#define EXPONENT_BYTES_MAX 4
#define P256_BYTES 32
#define P256_DER_BYTES_MAX 72
#define ED25519_BYTES 32
#define ALG_BYTES_MAX 15
#define HEADER_BYTES_MAX 4096

enum key_type { KEY_RSA, KEY_P256, KEY_ED25519 };

static const struct algorithm {
	const char *name;
	enum key_type type;
	bool pss;
} algorithms[] = {
	{ "RS256", KEY_RSA, false },
	{ "PS256", KEY_RSA, true },
	{ "ES256", KEY_P256, false },
	{ "EdDSA", KEY_ED25519, false },
};

struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	char kid[JWS_KID_BYTES_MAX + 1]; /* empty: has none */
	char alg[ALG_BYTES_MAX + 1];     /* empty: any of its type */
};

struct jws_keys {
	size_t n;
	struct key key[JWS_KEYS_MAX];
};

/* ---- keys ---- */

/* A member that holds bytes as base64url; 0 if it is not there, not of the form, or longer than `size`. */
static size_t
bytes_of(const struct cJSON *jwk, const char *name, unsigned char *out, size_t size)
{
	const char *text = NULL;
	size_t n = 0;

	if (json_string(jwk, name, true, &text, NULL) != ERR_OK ||
	    base64url_decode(str_of(text), out, size, &n) != ERR_OK)
		return 0;
	return n;
}

static EVP_PKEY *
public_key(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static bool
rsa_good(const BIGNUM *n, const BIGNUM *e)
{
	return n != NULL && e != NULL && BN_num_bits(n) >= JWS_RSA_BITS_MIN &&
	       BN_num_bits(n) <= JWS_RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
}

static EVP_PKEY *
rsa_key(const struct cJSON *jwk)
{
	unsigned char n[RSA_BYTES_MAX], e[EXPONENT_BYTES_MAX];
	const size_t n_len = bytes_of(jwk, "n", n, sizeof(n));
	const size_t e_len = bytes_of(jwk, "e", e, sizeof(e));
	BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL);
	BIGNUM *exponent = BN_bin2bn(e, (int)e_len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (build != NULL && n_len > 0 && e_len > 0 && rsa_good(modulus, exponent) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		key = public_key("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(modulus);
	BN_free(exponent);
	return key;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *
p256_key(const struct cJSON *jwk)
{
	unsigned char point[1 + 2 * P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (build != NULL && bytes_of(jwk, "x", point + 1, P256_BYTES) == P256_BYTES &&
	    bytes_of(jwk, "y", point + 1 + P256_BYTES, P256_BYTES) == P256_BYTES &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
		    1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) == 1)
		key = public_key("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *
ed25519_key(const struct cJSON *jwk)
{
	unsigned char x[ED25519_BYTES];

	if (bytes_of(jwk, "x", x, sizeof(x)) != sizeof(x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof(x));
}

/* A text member that may be absent; false if it is there and is no text of at most size - 1 bytes. */
static bool
text_of(const struct cJSON *jwk, const char *name, char *out, size_t size)
{
	const char *text = "";

	return json_string(jwk, name, false, &text, NULL) == ERR_OK &&
	       str_copy(out, size, str_of(text));
}

/* False: not a key that checks signatures here. */
static bool
key_read(const struct cJSON *jwk, struct key *out)
{
	char kty[8], crv[16], use[8];

	*out = (struct key) { .pkey = NULL };
	if (!cJSON_IsObject(jwk) || !text_of(jwk, "kty", kty, sizeof(kty)) ||
	    !text_of(jwk, "crv", crv, sizeof(crv)) || !text_of(jwk, "use", use, sizeof(use)) ||
	    !text_of(jwk, "kid", out->kid, sizeof(out->kid)) ||
	    !text_of(jwk, "alg", out->alg, sizeof(out->alg)) ||
	    (use[0] != '\0' && strcmp(use, "sig") != 0))
		return false;
	if (strcmp(kty, "RSA") == 0) {
		out->type = KEY_RSA;
		out->pkey = rsa_key(jwk);
	} else if (strcmp(kty, "EC") == 0 && strcmp(crv, "P-256") == 0) {
		out->type = KEY_P256;
		out->pkey = p256_key(jwk);
	} else if (strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0) {
		out->type = KEY_ED25519;
		out->pkey = ed25519_key(jwk);
	}
	ERR_clear_error();
	return out->pkey != NULL;
}

static enum err
keys_read(const struct cJSON *doc, struct jws_keys *k, struct err_info *info)
{
	const struct cJSON *list = cJSON_IsObject(doc) ? json_get(doc, "keys") : NULL;
	const struct cJSON *one = NULL;

	if (!cJSON_IsArray(list))
		return err_set(info, ERR_INVALID, "/keys", "must be a list of keys");
	if (cJSON_GetArraySize(list) > JWS_KEYS_MAX)
		return err_set(info, ERR_INVALID, "/keys", "holds more than %d keys", JWS_KEYS_MAX);
	cJSON_ArrayForEach(one, list)
	{
		if (key_read(one, &k->key[k->n]))
			k->n++;
	}
	return k->n > 0 ? ERR_OK
			: err_set(info, ERR_INVALID, "/keys",
				  "holds no key for signatures by RS256, PS256, ES256 or EdDSA");
}

enum err
jws_keys_parse(struct str jwks, struct jws_keys **out, struct err_info *info)
{
	struct cJSON *doc = NULL;
	struct jws_keys *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the keys");
	enum err err = json_parse(jwks, &doc, info);
	if (err == ERR_OK)
		err = keys_read(doc, k, info);
	json_free(doc);
	if (err == ERR_OK)
		*out = k;
	else
		jws_keys_free(k);
	return err;
}

void
jws_keys_free(struct jws_keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++)
		EVP_PKEY_free(k->key[i].pkey);
	free(k);
}

size_t
jws_keys_count(const struct jws_keys *k)
{
	return k->n;
}

/* ---- one signature ---- */

/* The two numbers of a JWS as the DER that OpenSSL reads; 0 if it is not of the form. */
static size_t
p256_der(const unsigned char *sig, size_t len, unsigned char out[P256_DER_BYTES_MAX])
{
	if (len != 2 * (size_t)P256_BYTES)
		return 0;
	BIGNUM *r = BN_bin2bn(sig, P256_BYTES, NULL);
	BIGNUM *s = BN_bin2bn(sig + P256_BYTES, P256_BYTES, NULL);
	ECDSA_SIG *both = ECDSA_SIG_new();
	int n = 0;

	if (r != NULL && s != NULL && both != NULL && ECDSA_SIG_set0(both, r, s) == 1) {
		r = s = NULL; /* its own now */
		unsigned char *p = out;
		n = i2d_ECDSA_SIG(both, NULL) <= P256_DER_BYTES_MAX ? i2d_ECDSA_SIG(both, &p) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	return n > 0 ? (size_t)n : 0;
}

static bool
signed_by(const struct key *k, const struct algorithm *alg, struct str text,
	  const unsigned char *sig, size_t len)
{
	unsigned char der[P256_DER_BYTES_MAX];
	const EVP_MD *md = k->type == KEY_ED25519 ? NULL : EVP_sha256();
	EVP_PKEY_CTX *p = NULL;

	if (k->type == KEY_P256) {
		len = p256_der(sig, len, der);
		sig = der;
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = len > 0 && ctx != NULL && EVP_DigestVerifyInit(ctx, &p, md, NULL, k->pkey) == 1;
	if (good && k->type == KEY_RSA)
		good = EVP_PKEY_CTX_set_rsa_padding(p, alg->pss ? RSA_PKCS1_PSS_PADDING
								: RSA_PKCS1_PADDING) == 1;
	if (good && alg->pss)
		good = EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha256()) == 1;
	good = good &&
	       EVP_DigestVerify(ctx, sig, len, (const unsigned char *)text.p, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* ---- the header ---- */

struct header {
	const struct algorithm *alg;
	char kid[JWS_KID_BYTES_MAX + 1]; /* empty: names none */
};

static enum err
header_take(const struct cJSON *doc, struct header *out, struct err_info *info)
{
	char alg[ALG_BYTES_MAX + 1], typ[8];

	if (!cJSON_IsObject(doc) || !text_of(doc, "alg", alg, sizeof(alg)) ||
	    !text_of(doc, "kid", out->kid, sizeof(out->kid)))
		return err_set(info, ERR_INVALID, NULL, "the token's header is not of the form");
	if (json_get(doc, "crit") != NULL)
		return err_set(info, ERR_INVALID, NULL,
			       "the token needs extensions that are not known");
	if (!text_of(doc, "typ", typ, sizeof(typ)) ||
	    (typ[0] != '\0' && !str_ieq(str_of(typ), STR("JWT"))))
		return err_set(info, ERR_INVALID, NULL, "the token is of another type");
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (strcmp(alg, algorithms[i].name) == 0)
			out->alg = &algorithms[i];
	}
	return out->alg != NULL ? ERR_OK
				: err_set(info, ERR_INVALID, NULL,
					  "the token's algorithm is none of RS256, PS256, ES256 "
					  "and EdDSA");
}

static enum err
header_read(struct str part, struct header *out, struct err_info *info)
{
	char text[HEADER_BYTES_MAX];
	size_t n = 0;
	struct cJSON *doc = NULL;
	struct err_info ignored = { .code = ERR_OK };

	*out = (struct header) { .alg = NULL };
	if (base64url_decode(part, text, sizeof(text), &n) != ERR_OK ||
	    json_parse((struct str) { text, n }, &doc, &ignored) != ERR_OK)
		return err_set(info, ERR_INVALID, NULL, "the token's header is not of the form");
	const enum err err = header_take(doc, out, info);
	json_free(doc);
	return err;
}

/* ---- tokens ---- */

static bool
fits(const struct key *k, const struct header *h)
{
	return k->type == h->alg->type && (k->alg[0] == '\0' || strcmp(k->alg, h->alg->name) == 0);
}

static enum err
signature_check(const struct jws_keys *keys, const struct header *h, struct str text,
		const unsigned char *sig, size_t len, struct err_info *info)
{
	size_t named = 0;
	size_t fitting = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const struct key *k = &keys->key[i];
		if (h->kid[0] != '\0' && strcmp(k->kid, h->kid) != 0)
			continue;
		named++;
		if (!fits(k, h))
			continue;
		fitting++;
		if (h->kid[0] != '\0' && signed_by(k, h->alg, text, sig, len))
			return ERR_OK;
	}
	if (named == 0)
		return err_set(info, ERR_NOT_FOUND, NULL,
			       "the token's key is not one of the provider's");
	if (fitting == 0)
		return err_set(info, ERR_INVALID, NULL,
			       "the token's algorithm is not that of its key");
	if (h->kid[0] == '\0' && fitting > 1)
		return err_set(info, ERR_INVALID, NULL,
			       "the token does not say by which key it was signed");
	for (size_t i = 0; i < keys->n && h->kid[0] == '\0'; i++) {
		if (fits(&keys->key[i], h) && signed_by(&keys->key[i], h->alg, text, sig, len))
			return ERR_OK;
	}
	return err_set(info, ERR_INVALID, NULL, "the token's signature is wrong");
}

enum err
jws_verify(const struct jws_keys *keys, struct str token, struct arena *a, struct str *payload,
	   struct err_info *info)
{
	unsigned char sig[RSA_BYTES_MAX];
	size_t sig_len = 0;
	struct header h;
	struct str rest = token;
	const struct str head = str_cut(&rest, '.');
	const struct str body = str_cut(&rest, '.');

	*payload = STR_NONE;
	if (token.len > JWS_BYTES_MAX || body.p == NULL || rest.p == NULL ||
	    str_find(rest, '.') < rest.len)
		return err_set(info, ERR_INVALID, NULL, "the token is not of the form");
	enum err err = header_read(head, &h, info);
	if (err != ERR_OK)
		return err;
	if (rest.len == 0 || base64url_decode(rest, sig, sizeof(sig), &sig_len) != ERR_OK)
		return err_set(info, ERR_INVALID, NULL, "the token's signature is wrong");
	const struct str text = { token.p, head.len + 1 + body.len };
	err = signature_check(keys, &h, text, sig, sig_len, info);
	if (err != ERR_OK)
		return err;
	char *bytes = arena_alloc(a, body.len + 1);
	size_t n = 0;
	if (bytes == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the token");
	if (base64url_decode(body, bytes, body.len + 1, &n) != ERR_OK)
		return err_set(info, ERR_INVALID, NULL, "the token is not of the form");
	*payload = (struct str) { bytes, n };
	return ERR_OK;
}
