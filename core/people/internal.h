/*
 * internal.h — private to core/people: bodies read by a table of members, pages, answers.
 */
#ifndef BIMODAL_CORE_PEOPLE_INTERNAL_H
#define BIMODAL_CORE_PEOPLE_INTERNAL_H

#include "base/json_member.h"
#include "core/people/people.h"
#include "gen/sql_core.h"

#define PEOPLE_BODY_MAX ((size_t)64 * 1024)
#define PEOPLE_MEMBERS_MAX 16
#define PEOPLE_LIST_MAX 32 /* roles or scopes in one body */
#define PEOPLE_TEXT_MAX 800
#define PEOPLE_HAND_OVER_MS 35000
#define PEOPLE_OVERLAP_MINUTES 60
#define PEOPLE_OVERLAP_MINUTES_MAX (7 * 24 * 60)

extern struct core_people_conf core_people_conf;

/* ---- bodies ---- */

enum people_type { PEOPLE_TEXT, PEOPLE_UUID, PEOPLE_BOOL, PEOPLE_INT, PEOPLE_LIST };

enum people_need {
	PEOPLE_OPTIONAL,
	PEOPLE_REQUIRED,
	PEOPLE_NULLABLE /* optional, and null takes the value away */
};

struct people_member {
	const char *name;
	enum people_type type;
	enum people_need need;
};

struct people_body {
	struct json_member member[PEOPLE_MEMBERS_MAX];
	size_t n;
};

/*
 * Reads the request's body: members of `known` (NULL name ends it) and no others, each of its type. An empty body is {} unless
 * something is required. False: the task has its error.
 */
MUST_CHECK bool people_body(struct task *t, const struct people_member *known,
			    struct people_body *out);
/* NULL if it is absent or null. */
const struct json_member *people_get(const struct people_body *b, const char *name);
/* The text of a member; STR_NONE if it is absent or null. */
struct str people_text(struct task *t, const struct people_body *b, const char *name);
/*
 * A list of words as the text of a text[] parameter; `valid` says of each whether it may stand there. *out is STR_NONE if the
 * member is absent or null. False: the task has its error.
 */
MUST_CHECK bool people_list(struct task *t, const struct people_body *b, const char *name,
			    bool (*valid)(struct str word), const char *what, struct str *out);
/* The body as it came, or {}. */
struct str people_raw(struct task *t);

/* ---- requests ---- */

const char *people_actor(struct task *t);
bool people_may(struct task *t, const char *right);
/* Is the path parameter the one who asks? */
bool people_is_self(struct task *t, struct str id);
/* The version of If-Match; STR_NONE for "*". False: the task has its error. */
MUST_CHECK bool people_if_match(struct task *t, struct str *version);
/* A fresh id as text, in the task's arena; NULL past its cap. */
const char *people_id(struct task *t);
/* Query parameter `limit` as text; NULL: the task has its error. */
const char *people_limit(struct task *t);
/* A query parameter that must be a uuid if it is there. False: the task has its error. */
MUST_CHECK bool people_query_uuid(struct task *t, const char *name, struct str *out);
/* A query parameter that must be one of two words if it is there. */
MUST_CHECK bool people_query_word(struct task *t, const char *name, const char *one,
				  const char *other, struct str *out);
/* true or false; absent is false. */
MUST_CHECK bool people_query_flag(struct task *t, const char *name, bool *out);

/* ---- answers, of the first wait ---- */

/* {"data":…,"page":…} of columns body, has_more, next. */
enum step people_answer_page(struct task *t);
/* Columns body, version. No row is a 404. */
enum step people_answer(struct task *t);
/* The same with 201 and Location: the route's own path and the id. */
enum step people_answer_created(struct task *t);

extern const struct step_row core_people_user_list_steps[];
extern const struct step_row core_people_user_get_steps[];
extern const struct step_row core_people_user_create_steps[];
extern const struct step_row core_people_user_change_steps[];
extern const struct step_row core_people_user_disable_steps[];
extern const struct step_row core_people_user_enable_steps[];
extern const struct step_row core_people_user_roles_steps[];
extern const struct step_row core_people_me_change_steps[];
extern const struct step_row core_people_hand_over_steps[];
extern const struct step_row core_people_owners_steps[];

extern const struct step_row core_people_team_list_steps[];
extern const struct step_row core_people_team_get_steps[];
extern const struct step_row core_people_team_create_steps[];
extern const struct step_row core_people_team_change_steps[];
extern const struct step_row core_people_team_archive_steps[];
extern const struct step_row core_people_team_restore_steps[];
extern const struct step_row core_people_member_list_steps[];
extern const struct step_row core_people_member_put_steps[];
extern const struct step_row core_people_member_delete_steps[];

extern const struct step_row core_people_token_list_steps[];
extern const struct step_row core_people_token_get_steps[];
extern const struct step_row core_people_token_create_steps[];
extern const struct step_row core_people_token_rotate_steps[];
extern const struct step_row core_people_token_revoke_steps[];

#endif
