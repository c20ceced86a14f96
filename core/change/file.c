/*
 * file.c — POST /v1/changes and PATCH /v1/changes/{id}: reads the body, checks SQL or package, and hands the texts to the SQL function
 * that files them. Findings come back all at once, with the member of the body and the line.
 */
#include <string.h>

#include "base/json_member.h"
#include "core/change/internal.h"

#define MEMBERS_MAX 32
#define TITLE_BYTES_MAX 200
#define PROSE_BYTES_MAX 20000
#define OWNER_BYTES_MAX 200

struct filing {
	struct json_member member[MEMBERS_MAX];
	size_t n;
	struct str title, why, benefit, risk, business_owner, technical_owner, evidence, author;
	struct change_texts texts;
};

/* ---- the body ---- */

static bool
only(struct task *t, const struct filing *f, const char *const *known)
{
	return json_members_known(f->member, f->n, known, "", &t->t_err) == ERR_OK;
}

/* Text of a member; absent: *out is left alone, unless it is required. */
static bool
text(struct task *t, const struct filing *f, const char *key, bool required, size_t max,
     struct str *out)
{
	return json_member_text(f->member, f->n, key, required ? 1 : 0, max, "", &t->t_arena, out,
				&t->t_err) == ERR_OK;
}

static bool
prose(struct task *t, struct filing *f, bool required)
{
	return text(t, f, "title", required, TITLE_BYTES_MAX, &f->title) &&
	       text(t, f, "why", required, PROSE_BYTES_MAX, &f->why) &&
	       text(t, f, "benefit", false, PROSE_BYTES_MAX, &f->benefit) &&
	       text(t, f, "risk", false, PROSE_BYTES_MAX, &f->risk) &&
	       text(t, f, "business_owner", required, OWNER_BYTES_MAX, &f->business_owner) &&
	       text(t, f, "technical_owner", required, OWNER_BYTES_MAX, &f->technical_owner);
}

static bool
sql_texts(struct task *t, struct filing *f, bool required)
{
	return text(t, f, "up", required, CHANGE_TEXT_BYTES_MAX, &f->texts.up) &&
	       text(t, f, "down", required, CHANGE_TEXT_BYTES_MAX, &f->texts.down) &&
	       text(t, f, "verify", false, CHANGE_TEXT_BYTES_MAX, &f->texts.verify);
}

/* Base64 of either alphabet, with or without padding. */
static bool
package_decode(struct task *t, struct str encoded, struct str *out)
{
	char *plain = arena_strdup(&t->t_arena, encoded);
	char *bytes = arena_alloc(&t->t_arena, encoded.len + 4);
	size_t n = encoded.len;
	size_t len = 0;

	if (plain == NULL || bytes == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the package");
		return false;
	}
	while (n > 0 && plain[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		plain[i] = plain[i] == '+' ? '-' : plain[i] == '/' ? '_' : plain[i];
	if (base64url_decode((struct str) { plain, n }, bytes, encoded.len + 4, &len) != ERR_OK ||
	    len == 0) {
		(void)err_set(&t->t_err, ERR_INVALID, "/package", "must be the archive in base64");
		return false;
	}
	*out = (struct str) { bytes, len };
	return true;
}

static struct str
package_file(const struct feature_archive *a, const char *path)
{
	const struct str s = feature_archive_get(a, str_of(path));
	return s.p != NULL ? s : STR("");
}

/* up, down and verify of a promotion are those of its package: kept beside it so that a reader need not unpack it. */
static bool
package_texts(struct task *t, struct filing *f)
{
	struct feature_archive *archive = arena_alloc(&t->t_arena, sizeof(*archive));
	struct feature_package *package = arena_alloc(&t->t_arena, sizeof(*package));
	struct feature_findings *findings = arena_alloc(&t->t_arena, sizeof(*findings));
	struct buf json;

	if (archive == NULL || package == NULL || findings == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the package");
		return false;
	}
	if (feature_archive_read(f->texts.package, archive, &t->t_err) != ERR_OK)
		return false;
	feature_findings_init(findings, &t->t_arena);
	if (feature_package_open(&t->t_arena, f->texts.package, package, findings, &t->t_err) !=
	    ERR_OK) {
		buf_init(&json, 256 * 1024);
		feature_findings_json(findings, &json);
		t->t_err_members = str_of(
			arena_printf(&t->t_arena, "\"findings\":%.*s", STR_FMT(buf_str(&json))));
		buf_free(&json);
		return false;
	}
	f->texts.up = package_file(archive, "up.sql");
	f->texts.down = package_file(archive, "down.sql");
	f->texts.verify = package_file(archive, "verify.sql");
	f->texts.slug = str_of(package->manifest.slug);
	return true;
}

static bool
promotion_read(struct task *t, struct filing *f)
{
	struct str encoded = STR_NONE;
	const struct json_member *evidence = json_member_find(f->member, f->n, "evidence");

	if (!text(t, f, "package", true, CHANGE_BODY_MAX, &encoded) ||
	    !package_decode(t, encoded, &f->texts.package) || !package_texts(t, f))
		return false;
	if (evidence == NULL || evidence->kind != JSON_OBJECT) {
		(void)err_set(&t->t_err, ERR_INVALID, "/evidence",
			      "a promotion rests on evidence: an object");
		return false;
	}
	f->evidence = evidence->value;
	return true;
}

/* Who stands for it: the sender, or whom a service files it for. Neither may approve it. */
static bool
author_read(struct task *t, struct filing *f)
{
	struct uuid id;

	if (!text(t, f, "author", false, UUID_TEXT_SIZE, &f->author))
		return false;
	if (f->author.p == NULL)
		return true;
	if (access_require(t, STR("change.file_for")) != ERR_OK)
		return false;
	if (uuid_parse(f->author, &id) == ERR_OK)
		return true;
	(void)err_set(&t->t_err, ERR_INVALID, "/author", "must be the id of a principal");
	return false;
}

static struct filing *
filing_make(struct task *t)
{
	struct filing *f = task_state(t, sizeof(*f));

	if (f == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return NULL;
	}
	f->n = MEMBERS_MAX;
	return json_scan_object(http_body(t), &t->t_arena, f->member, &f->n, &t->t_err) == ERR_OK
		       ? f
		       : NULL;
}

/* ---- the check ---- */

/* `member`: what they are called in the problem. Places in the body are errors, places in a package are findings. */
static enum step
refuse(struct task *t, const char *member, const char *findings)
{
	t->t_err_members = str_of(arena_printf(&t->t_arena, "\"%s\":%s", member, findings));
	return task_fail(t);
}

/* ---- POST /v1/changes ---- */

static enum step
file_read(struct task *t)
{
	static const char *const known[] = {
		"kind",           "title",           "why",    "benefit", "risk",
		"business_owner", "technical_owner", "up",     "down",    "verify",
		"package",        "evidence",        "author", NULL
	};
	struct filing *f = filing_make(t);
	struct str kind = STR_NONE;

	if (f == NULL || !only(t, f, known) || !text(t, f, "kind", true, 20, &kind))
		return task_fail(t);
	f->why = f->benefit = f->risk = f->texts.verify = STR("");
	f->texts.promotion = str_is(kind, "promotion");
	if (!f->texts.promotion && !str_is(kind, "schema"))
		return task_fail_set(t, ERR_INVALID, "/kind",
				     "must be \"schema\" or \"promotion\"");
	if (!prose(t, f, true) || !author_read(t, f))
		return task_fail(t);
	if (f->texts.promotion ? !promotion_read(t, f) : !sql_texts(t, f, true))
		return task_fail(t);
	return postgres_wait(core_change_app, t, &sql_change_columns, NULL, 0);
}

static enum step
file_write(struct task *t)
{
	struct filing *f = task_state(t, sizeof(*f));
	struct feature_columns columns;
	const char *findings = NULL;
	const char *actor = access_actor_of(t)->principal;

	if (core_change_columns(t, 0, &t->t_arena, &columns, &t->t_err) != ERR_OK)
		return task_fail(t);
	if (core_change_check(&t->t_arena, &f->texts, &columns, &findings, &t->t_err) != ERR_OK)
		return refuse(t, f->texts.promotion ? "findings" : "errors", findings);
	char *hex = NULL;
	if (f->texts.promotion) {
		hex = arena_alloc(&t->t_arena, 2 * f->texts.package.len + 3);
		if (hex == NULL)
			return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the package");
		memcpy(hex, "\\x", 2);
		hex_encode(f->texts.package.p, f->texts.package.len, hex + 2);
	}
	const struct postgres_param params[] = {
		P_TEXT(actor),
		{ .value = f->author.p != NULL ? f->author : str_of(actor) },
		P_TEXT(f->texts.promotion ? "promotion" : "schema"),
		P_STR(f->title),
		P_STR(f->why),
		P_STR(f->benefit),
		P_STR(f->risk),
		P_STR(f->business_owner),
		P_STR(f->technical_owner),
		P_STR(f->texts.up),
		P_STR(f->texts.down),
		P_STR(f->texts.verify),
		P_TEXT(hex),
		{ .value = f->evidence, .is_null = f->evidence.p == NULL },
		{ .value = f->texts.slug, .is_null = !f->texts.promotion },
	};
	return postgres_wait(core_change_app, t, &sql_change_file, params, ARRAY_LEN(params));
}

static enum step
file_answer(struct task *t)
{
	return core_change_answer(t, postgres_value(t, 0, 0, 0), 201);
}

const struct step_row core_change_file_steps[] = {
	{ "read", file_read },
	{ "write", file_write },
	{ "answer", file_answer },
	{ NULL, NULL },
};

/* ---- PATCH /v1/changes/{id} ---- */

static struct postgres_param
optional(struct str s)
{
	return (struct postgres_param) { .value = s, .is_null = s.p == NULL };
}

static enum step
edit_read(struct task *t)
{
	static const char *const known[] = {
		"title",           "why", "benefit", "risk",   "business_owner",
		"technical_owner", "up",  "down",    "verify", NULL
	};
	struct filing *f = filing_make(t);

	if (f == NULL || !only(t, f, known) || !prose(t, f, false) || !sql_texts(t, f, false))
		return task_fail(t);
	struct change_findings *findings = arena_alloc(&t->t_arena, sizeof(*findings));
	struct err_info info = { .code = ERR_OK };
	if (findings == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the check");
	change_findings_init(findings, &t->t_arena);
	const struct str part[] = { [CHANGE_UP] = f->texts.up,
				    [CHANGE_DOWN] = f->texts.down,
				    [CHANGE_VERIFY] = f->texts.verify };
	for (enum change_part p = CHANGE_UP; p <= CHANGE_VERIFY; p++)
		if (part[p].p != NULL && change_check(p, part[p], findings, &info) != ERR_OK &&
		    info.code != ERR_INVALID)
			return task_fail_set(t, info.code, NULL, "%s", info.msg);
	if (findings->total > 0) {
		struct buf json;
		(void)err_set(&t->t_err, ERR_INVALID, NULL, "the SQL of the change is not allowed");
		buf_init(&json, 256 * 1024);
		change_findings_json(findings, &json);
		const char *kept = arena_strdup(&t->t_arena, buf_str(&json));
		buf_free(&json);
		return refuse(t, "errors", kept != NULL ? kept : "[]");
	}
	const struct postgres_param params[] = {
		P_STR(http_param(t, "id")),  P_TEXT(access_actor_of(t)->principal),
		optional(f->title),          optional(f->why),
		optional(f->benefit),        optional(f->risk),
		optional(f->business_owner), optional(f->technical_owner),
		optional(f->texts.up),       optional(f->texts.down),
		optional(f->texts.verify),
	};
	return postgres_wait(core_change_app, t, &sql_change_edit, params, ARRAY_LEN(params));
}

static enum step
edit_answer(struct task *t)
{
	return core_change_answer(t, http_param(t, "id"), 200);
}

const struct step_row core_change_edit_steps[] = {
	{ "read", edit_read },
	{ "answer", edit_answer },
	{ NULL, NULL },
};
