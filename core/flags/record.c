/*
 * record.c — what rules may ask of the record: fields of people and organizations of every class but secret, because the flags that name
 * more than open ones stay in core (flag.core_only).
 */
#include "core/flags/internal.h"

#define CLASSES ((uint32_t)(RECORD_OPEN | RECORD_INTERNAL | RECORD_PERSONAL))

bool
core_flags_knows(enum flag_unit unit, struct str attribute)
{
	return unit != FLAG_VISITOR &&
	       record_knows(core_flags_conf.records,
			    unit == FLAG_PERSON ? STR("people") : STR("organizations"), attribute,
			    CLASSES);
}

static struct record_unit
part_of(const struct flag_look_part *part, const char *resource, bool by_key)
{
	return (struct record_unit) {
		.resource = part->wanted ? resource : NULL,
		.by_key = by_key,
		.fields = part->attributes.names,
		.n_fields = part->attributes.n,
	};
}

enum err
core_flags_look_for(struct task *t, const struct flag_look *look, struct str owners)
{
	return record_units(
		t, core_flags_conf.records,
		&(struct record_units) {
			.id = look->id,
			.owners = owners,
			.classes = CLASSES,
			.of = { part_of(&look->person, "people", look->by_id),
				part_of(&look->organization, "organizations", true) } });
}

enum err
core_flags_look(struct task *t, const struct flag_look *look)
{
	return core_flags_look_for(t, look, STR_NONE);
}
