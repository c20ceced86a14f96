/*
 * ofrep_context.c — for whom flags are evaluated: the body of a request, what kind of person its targeting key names, and one flag for
 * them. What the record adds is asked for by ofrep_look.c.
 */
#include "base/json_member.h"
#include "flag/ofrep_parts.h"

#define BODY_MEMBERS_MAX 64

static bool
refuse(struct task *t, const struct err_info *info, struct ofrep_refusal *no)
{
	const char *place = arena_printf(&t->t_arena, "%s%s%s", info->field,
					 info->field[0] != '\0' ? ": " : "", info->msg);
	no->code = info->code == ERR_BAD_JSON ? "PARSE_ERROR" : "INVALID_CONTEXT";
	no->details = place != NULL ? place : "the context is too large";
	return false;
}

static bool
refuse_key(const char *details, struct ofrep_refusal *no)
{
	*no = (struct ofrep_refusal) { "INVALID_CONTEXT", details };
	return false;
}

static bool
key_check(const struct flag_context *c, struct ofrep_refusal *no)
{
	const struct flag_value *key = flag_value_member(c->attributes, STR(FLAG_UNIT_ATTRIBUTE));

	if (key == NULL || key->kind == JSON_NULL)
		return true;
	if (key->kind != JSON_STRING)
		return refuse_key("/context/targetingKey: must be a string", no);
	return key->text.len <= FLAG_UNIT_MAX ||
	       refuse_key("/context/targetingKey: must have at most 200 bytes", no);
}

/* What kind of person the key names: an id to be looked up, a pseudonym, or a stranger. */
static void
person_read(struct ofrep_context *c)
{
	struct uuid id;

	c->is_stranger = true;
	c->is_uuid = uuid_parse(c->given.unit.text, &id) == ERR_OK;
	if (!c->is_uuid)
		return;
	uuid_text(&id, c->id);
	uuid_text(&id, c->uuid);
	if (uuid_version(&id) != 7 && uuid_version(&id) != 4)
		return;
	c->is_stranger = false;
	c->by_id = uuid_version(&id) == 7;
	flag_context_unit(&c->person, str_of(c->uuid));
	if (c->by_id && flag_ofrep_conf.lookup == NULL) {
		c->by_id = false;
		(void)refuse_key("/context/targetingKey: ids of persons are not known here; give "
				 "the pseudonym",
				 &c->person_no);
	}
}

/* Clients also send {}, and some no body at all: then there is no targeting key, which matters only to rules that divide. */
bool
ofrep_context_read(struct task *t, struct ofrep_context *c, struct ofrep_refusal *no)
{
	struct json_member members[BODY_MEMBERS_MAX];
	size_t n = ARRAY_LEN(members);
	struct err_info info = { .code = ERR_OK };

	if (http_body(t).len == 0)
		return true;
	if (json_scan_object(http_body(t), &t->t_arena, members, &n, &info) != ERR_OK)
		return refuse(t, &info, no);
	const struct json_member *context = json_member_find(members, n, "context");
	if (context == NULL || context->kind == JSON_NULL)
		return true;
	if (flag_context_read(&t->t_arena, context->value, "/context", &c->given, &info) != ERR_OK)
		return refuse(t, &info, no);
	if (!key_check(&c->given, no))
		return false;
	c->person = c->given;
	c->organization = c->given;
	person_read(c);
	return true;
}

struct str
ofrep_unit(const struct ofrep_context *c, enum flag_unit unit)
{
	return unit == FLAG_PERSON ? c->person.unit.text : c->given.unit.text;
}

void
ofrep_evaluate(const struct flag_snapshot *s, const struct flag_listed *flag,
	       const struct ofrep_context *c, usec_t now, struct flag_result *out,
	       struct ofrep_refusal *no)
{
	const bool of_person = flag->unit == FLAG_PERSON;
	enum flag_unit unit = FLAG_VISITOR;
	bool needed = false;

	*no = (struct ofrep_refusal) { NULL, NULL };
	if (of_person && c->person_no.code != NULL &&
	    flag_unit_of(s, flag->key, now, &unit, &needed) && needed) {
		*no = c->person_no;
		return;
	}
	const struct flag_context *context = of_person                         ? &c->person
					     : flag->unit == FLAG_ORGANIZATION ? &c->organization
									       : &c->given;
	flag_evaluate_in(s, flag->key, context, now, out);
	if (out->outcome == FLAG_BROKEN)
		*no = (struct ofrep_refusal) { "GENERAL", "the flag's document cannot be read" };
	else if (out->outcome == FLAG_UNIT_MISSING)
		*no = (struct ofrep_refusal) {
			"TARGETING_KEY_MISSING",
			"/context/targetingKey: the flag divides units and needs one"
		};
}
