/*
 * record.c — what rules may ask of the record: fields of people and organizations of every class but secret, because the flags that name
 * more than open ones stay in core (flag.core_only).
 */
#include "core/flags/internal.h"

#include "base/log.h"

#define FORGET_PERIOD (10 * USEC_PER_SEC)
#define FORGOTTEN 10000
#define FORGOTTEN_AT_ONCE "10000"
#define CLASSES ((uint32_t)(RECORD_OPEN | RECORD_INTERNAL | RECORD_PERSONAL))

bool
core_flags_knows(enum flag_unit unit, struct str attribute)
{
	return unit != FLAG_VISITOR &&
	       record_knows(core_flags_conf.records,
			    unit == FLAG_PERSON ? STR("people") : STR("organizations"), attribute,
			    CLASSES);
}

/* The filters of the segments, of those that are of such units. */
static const struct str *
filters_of(struct task *t, const struct flag_snapshot *flags, const struct flag_names *names,
	   enum flag_unit unit)
{
	struct str *out = arena_alloc(&t->t_arena, (names->n + 1) * sizeof(*out));
	struct flag_segment g;

	for (unsigned i = 0; out != NULL && i < names->n; i++)
		if (flag_segment_of(flags, names->names[i], &g) && g.unit == unit)
			out[i] = g.query;
	return out;
}

static struct record_unit
part_of(struct task *t, const struct flag_snapshot *flags, const struct flag_look_part *part,
	enum flag_unit unit, bool by_key)
{
	const struct str *filters = filters_of(t, flags, &part->segments, unit);

	return (struct record_unit) {
		.resource = !part->wanted         ? NULL
			    : unit == FLAG_PERSON ? "people"
						  : "organizations",
		.by_key = by_key,
		.fields = part->attributes.names,
		.n_fields = part->attributes.n,
		.segments = filters,
		.n_segments = filters != NULL ? part->segments.n : 0,
	};
}

/* What experiments keep: sql/core/functions/flag_sticky.sql. */
#define KEPT "flag.kept($4, $5, a.unit, array[a.known::jsonb, b.known::jsonb], $6, $7)"

enum err
core_flags_look_for(struct task *t, const struct flag_snapshot *flags, const struct flag_look *look,
		    struct str owners)
{
	const struct flag_look_kept *kept = &look->kept;
	const struct str params[] = { kept->attributes, kept->values, kept->of_record,
				      kept->experiments };

	return record_units(
		t, core_flags_conf.records,
		&(struct record_units) {
			.id = look->id,
			.owners = owners,
			.classes = CLASSES,
			.of = { part_of(t, flags, &look->person, FLAG_PERSON, look->by_id),
				part_of(t, flags, &look->organization, FLAG_ORGANIZATION, true) },
			.more = kept->wanted ? KEPT : NULL,
			.params = params,
			.n_params = kept->wanted ? ARRAY_LEN(params) : 0 });
}

enum err
core_flags_look(struct task *t, const struct flag_look *look)
{
	return core_flags_look_for(t, core_flags_now(), look, STR_NONE);
}

/* ---- what was kept for flags that have ended ---- */

static enum step
forget_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_flag_sticky_forget,
			     (struct postgres_param[]) { P_TEXT(FORGOTTEN_AT_ONCE) }, 1);
}

/* A full share: there may be more. */
static enum step
forget_again(struct task *t)
{
	const int64_t n = postgres_int(t, 0, 0, 0, 0);

	if (n > 0)
		log_info("flag.forget", "%lld kept assignments of ended flags were removed",
			 (long long)n);
	return n == FORGOTTEN ? task_jump(t, forget_write) : STEP_DONE;
}

static const struct step_row forget_steps[] = {
	{ "write", forget_write },
	{ "again", forget_again },
	{ NULL, NULL },
};

void
core_flags_forget_job(struct daemon_jobs *jobs, struct postgres_pool *pool)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.forget",
						     .period = FORGET_PERIOD,
						     .steps = forget_steps,
						     .owner = pool });
}
