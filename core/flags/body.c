/*
 * body.c — what the writes of this room have in common: the members of their bodies, and what a statement's outcome means to the one
 * who asked. A document is compiled here first, so that its author gets the place of an error.
 */
#include "core/flags/internal.h"

bool
flags_body_read(struct task *t, const char *const *known, struct flags_body *b)
{
	b->n = ARRAY_LEN(b->member);
	return json_scan_object(http_body(t), &t->t_arena, b->member, &b->n, &t->t_err) == ERR_OK &&
	       json_members_known(b->member, b->n, known, "", &t->t_err) == ERR_OK;
}

bool
flags_body_text(struct task *t, const struct flags_body *b, const char *key, size_t min, size_t max,
		struct str *out)
{
	*out = STR("");
	return json_member_text(b->member, b->n, key, min, max, "", &t->t_arena, out, &t->t_err) ==
	       ERR_OK;
}

bool
flags_body_revision(struct task *t, const struct flags_body *b, const char *key, bool required,
		    struct str *out)
{
	const struct json_member *m = json_member_find(b->member, b->n, key);
	const char *const at = arena_printf(&t->t_arena, "/%s", key);
	int64_t number = 0;

	if (m == NULL && !required)
		return true;
	if (m == NULL)
		(void)err_set(&t->t_err, ERR_INVALID, at, "\"%s\" is required", key);
	else if (m->kind != JSON_NUMBER || str_int(m->value, 1, INT64_MAX, &number) != ERR_OK)
		(void)err_set(&t->t_err, ERR_INVALID, at, "must be the number of a revision");
	else
		*out = m->value;
	return m != NULL && out->p == m->value.p;
}

bool
flags_body_bool(struct task *t, const struct flags_body *b, const char *key, bool *out)
{
	const struct json_member *m = json_member_find(b->member, b->n, key);

	if (m == NULL)
		return true;
	*out = m->kind == JSON_TRUE;
	if (m->kind == JSON_TRUE || m->kind == JSON_FALSE)
		return true;
	(void)err_set(&t->t_err, ERR_INVALID, arena_printf(&t->t_arena, "/%s", key),
		      "must be true or false");
	return false;
}

bool
flags_body_document(struct task *t, const struct flags_body *b, struct str key, struct str *text,
		    double *coverage)
{
	const struct json_member *m = json_member_find(b->member, b->n, "document");

	if (m == NULL) {
		(void)err_set(&t->t_err, ERR_INVALID, "/document", "\"document\" is required");
		return false;
	}
	*text = m->value;
	return flag_document_check(key, m->value, "/document", coverage, &t->t_err) == ERR_OK;
}

bool
flags_comment_read(struct task *t, struct str *comment)
{
	static const char *const known[] = { "comment", NULL };
	struct flags_body b;

	*comment = STR("");
	if (http_body(t).len == 0)
		return true;
	return flags_body_read(t, known, &b) &&
	       flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, comment);
}

bool
flags_edit_read(struct task *t, struct str *comment, bool *rebucket)
{
	static const char *const known[] = { "comment", "rebucket", NULL };
	struct flags_body b;

	*comment = STR("");
	if (http_body(t).len == 0)
		return true;
	return flags_body_read(t, known, &b) &&
	       flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, comment) &&
	       flags_body_bool(t, &b, "rebucket", rebucket);
}

/* ---- the outcome of a write ---- */

bool
flags_outcome(struct task *t, struct str key, bool *again)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);

	*again = str_is(outcome, "retry") || str_is(outcome, "unseen");
	if (str_is(outcome, "made"))
		return true;
	if (*again)
		return false;
	if (str_is(outcome, "missing"))
		(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
			      STR_FMT(key));
	else if (str_is(outcome, "archived"))
		(void)err_set(&t->t_err, ERR_GONE, NULL, "the flag \"%.*s\" has been archived",
			      STR_FMT(key));
	else if (str_is(outcome, "denied"))
		(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL,
			      "the flag \"%.*s\" is not an experiment of this principal",
			      STR_FMT(key));
	else if (str_is(outcome, "expired"))
		(void)err_set(&t->t_err, ERR_CONFLICT, NULL,
			      "the flag \"%.*s\" has expired and cannot be turned on",
			      STR_FMT(key));
	else if (str_is(outcome, "exists"))
		(void)err_set(&t->t_err, ERR_CONFLICT, "/key", "there is a flag \"%.*s\" already",
			      STR_FMT(key));
	else if (str_is(outcome, "team"))
		(void)err_set(&t->t_err, ERR_INVALID, "/team", "there is no such team");
	else if (str_is(outcome, "full"))
		(void)err_set(&t->t_err, ERR_CONFLICT, NULL,
			      "there are %lld live experiments already: that is the limit",
			      (long long)core_flags_conf.experiment_max);
	else
		(void)err_set(&t->t_err, ERR_INTERNAL, NULL, "the statement gave no outcome");
	return false;
}
