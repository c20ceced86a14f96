/*
 * outcomes.c — `bimodal outcomes SLUG --effect …`: what the sample's people do after they were exposed to an experiment.
 *
 * Core is asked, person by person, which variant of the experiment's flag they have (OFREP); then what they did is written into
 * core like any other outcome, and reaches the sandbox by the feed. The world's effect is planted here and nowhere else:
 *
 *	proven   won opportunities: --base in 1,000 with the first variation (control), --base + --lift with any other
 *	none     won opportunities: --base with every variant (an A/A experiment)
 *	harm     won opportunities as with none; complaints: 20 in 1,000 with control, 20 + --lift with any other
 *
 * Who does what is drawn from (seed, slug, person): a second run writes the same records again, not more.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/pages.h"
#include "cli/random.h"
#include "feature/manifest.h"

#define ASK_AT_ONCE 100
#define COMPLAINTS_BASE 20
#define KEY_SIZE 120
#define CONTROL "control"

enum effect { EFFECT_PROVEN, EFFECT_NONE, EFFECT_HARM };

struct person {
	char id[CLI_ID_SIZE];
	uint64_t number;
	bool control;
	bool in; /* has a variant */
};

struct outcomes {
	struct cli *c;
	const char *slug;
	char flag[FEATURE_KEY_SIZE];
	enum effect effect;
	uint64_t seed;
	unsigned base;
	unsigned lift;
	size_t limit;
	char prefix[48]; /* of the people's external ids */
	struct person *people;
	size_t n;
	size_t room;
	unsigned long units[2], won[2], complaints[2]; /* control, other */
};

static bool
person_take(const struct cJSON *record, void *arg)
{
	struct outcomes *o = arg;
	const char *id = NULL;
	const char *external = NULL;
	int64_t number = 0;

	if (json_string(record, "id", true, &id, NULL) != ERR_OK ||
	    json_string(record, "external_id", true, &external, NULL) != ERR_OK)
		return true;
	const size_t n = strlen(o->prefix);
	if (strncmp(external, o->prefix, n) != 0 ||
	    str_int(str_of(external + n), 0, INT64_MAX, &number) != ERR_OK)
		return true;
	if (o->n == o->room) {
		const size_t room = o->room == 0 ? 1024 : o->room * 2;
		struct person *people = reallocarray(o->people, room, sizeof(*people));
		if (people == NULL)
			return false;
		o->people = people;
		o->room = room;
	}
	struct person *p = &o->people[o->n++];
	*p = (struct person) { .number = (uint64_t)number };
	(void)str_copy(p->id, sizeof(p->id), str_of(id));
	return o->n < o->limit;
}

/* The variants of up to ASK_AT_ONCE people. */
static bool
variants_ask(struct outcomes *o, struct person *people, size_t n)
{
	static struct cli_request requests[ASK_AT_ONCE];
	char variant[128];

	for (size_t i = 0; i < n; i++) {
		cli_request_init(&requests[i], CLI_CORE, "POST");
		buf_printf(&requests[i].path, "/ofrep/v1/evaluate/flags/%s", o->flag);
		buf_printf(&requests[i].body, "{\"context\":{\"targetingKey\":\"%s\"}}",
			   people[i].id);
	}
	bool ok = cli_call_many(o->c, requests, n);
	for (size_t i = 0; i < n; i++) {
		const struct cli_reply *reply = &requests[i].reply;
		if (ok && reply->status != 200) {
			(void)cli_reply_print(o->c, reply);
			ok = false;
		}
		/* No variant: the flag is off, or the person is outside its coverage. */
		people[i].in = ok && cli_reply_member(reply, "variant", variant, sizeof(variant));
		people[i].control = people[i].in && strcmp(variant, CONTROL) == 0;
		cli_request_free(&requests[i]);
	}
	return ok;
}

static bool
draw(const struct outcomes *o, const struct person *p, const char *what, unsigned permille)
{
	char stream[80];
	struct random r;

	snprintf(stream, sizeof(stream), "outcome %s %s", o->slug, what);
	random_init(&r, o->seed, stream, p->number);
	return random_chance(&r, permille);
}

static void
won_add(struct outcomes *o, const struct person *p, struct cli_request *r)
{
	char key[KEY_SIZE];
	char today[CLOCK_RFC3339_SIZE];
	struct buf data;

	if (!draw(o, p, "won", o->base + (o->effect == EFFECT_PROVEN && !p->control ? o->lift : 0)))
		return;
	snprintf(key, sizeof(key), "outcome-%s-%llu-%07llu", o->slug, (unsigned long long)o->seed,
		 (unsigned long long)p->number);
	clock_rfc3339(clock_wall_us(), today);
	today[10] = '\0';
	buf_init(&data, 1024);
	buf_printf(&data,
		   "{\"external_id\":\"%s\",\"person_id\":\"%s\",\"name\":\"%s\",\"product\":"
		   "\"Team\",\"stage\":\"won\",\"amount\":100,"
		   "\"close_value\":100,\"currency\":\"EUR\",\"opened_at\":\"%s\",\"closed_at\":\"%"
		   "s\",\"source\":\"outcomes\"}",
		   key, p->id, o->slug, today, today);
	batch_add(r, "external_id", str_of(key), buf_str(&data));
	buf_free(&data);
	o->won[!p->control]++;
}

static void
complaint_add(struct outcomes *o, const struct person *p, struct cli_request *r)
{
	char data[256];

	if (!draw(o, p, "complaint",
		  COMPLAINTS_BASE + (o->effect == EFFECT_HARM && !p->control ? o->lift : 0)))
		return;
	snprintf(data, sizeof(data),
		 "{\"person_id\":\"%s\",\"kind\":\"complaint\",\"channel\":\"email\",\"direction\":"
		 "\"in\",\"subject\":\"Complaint\"}",
		 p->id);
	batch_add(r, NULL, STR_NONE, str_of(data));
	o->complaints[!p->control]++;
}

/* Two batches of one stretch of people. Complaints have no key of their own: the stretch's Idempotency-Key keeps them single. */
static bool
stretch_write(struct outcomes *o, size_t first, size_t n)
{
	struct cli_request requests[2];
	char key[64];
	bool ok = true;

	snprintf(key, sizeof(key), "oc-%s-%llu-%zu", o->slug, (unsigned long long)o->seed,
		 first / BATCH_OPS_MAX);
	batch_begin(&requests[0], "opportunities", false, NULL);
	batch_begin(&requests[1], "interactions", false, key);
	for (size_t i = first; i < first + n; i++) {
		const struct person *p = &o->people[i];
		if (!p->in)
			continue;
		o->units[!p->control]++;
		won_add(o, p, &requests[0]);
		complaint_add(o, p, &requests[1]);
	}
	for (size_t i = 0; i < 2; i++) {
		static char ids[BATCH_OPS_MAX][CLI_ID_SIZE];
		batch_end(&requests[i]);
		if (ok && requests[i].count > 0)
			ok = cli_call_many(o->c, &requests[i], 1) && batch_ids(&requests[i], ids);
		cli_request_free(&requests[i]);
	}
	return ok;
}

static int
person_order(const void *a, const void *b)
{
	const struct person *p = a;
	const struct person *q = b;
	return (p->number > q->number) - (p->number < q->number);
}

static bool
outcomes_write(struct outcomes *o)
{
	bool ok = cli_pages(o->c, CLI_CORE, "people", "fields=id,external_id&lab_ok=true",
			    person_take, o);

	if (ok && o->n == 0) {
		fprintf(stderr, "bimodal: there is nobody of seed %llu; run bimodal seed first\n",
			(unsigned long long)o->seed);
		return false;
	}
	if (o->n > 0)
		qsort(o->people, o->n, sizeof(*o->people), person_order);
	for (size_t at = 0; ok && at < o->n; at += ASK_AT_ONCE) {
		cli_progress(o->c, "variants", at, o->n);
		ok = variants_ask(o, &o->people[at], MIN((size_t)ASK_AT_ONCE, o->n - at));
	}
	for (size_t at = 0; ok && at < o->n; at += BATCH_OPS_MAX) {
		cli_progress(o->c, "outcomes", at, o->n);
		ok = stretch_write(o, at, MIN((size_t)BATCH_OPS_MAX, o->n - at));
	}
	cli_progress_end(o->c);
	return ok;
}

static int
outcomes_run(struct cli *c)
{
	static const char *const effects[] = { "proven", "none", "harm" };
	struct outcomes o = { .c = c, .effect = EFFECT_NONE };
	int64_t seed = 1, people = 1000000, base = 200, lift = 100;
	const char *effect = "none";
	const struct cli_option options[] = {
		{ "--effect", CLI_OPTION_TEXT, &effect, 0, 0 },
		{ "--seed", CLI_OPTION_INT, &seed, 0, INT64_C(1000000000) },
		{ "--people", CLI_OPTION_INT, &people, 1, 1000000 },
		{ "--base", CLI_OPTION_INT, &base, 0, 1000 },
		{ "--lift", CLI_OPTION_INT, &lift, 0, 1000 },
	};
	bool known = false;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
		if (strcmp(effect, effects[i]) != 0)
			continue;
		o.effect = (enum effect)i;
		known = true;
	}
	o.slug = c->argv[0];
	if (!known || !feature_slug_valid(str_of(o.slug)) || base + lift > 1000)
		return cli_usage(c);
	feature_flag_key(o.slug, o.flag);
	o.seed = (uint64_t)seed;
	o.limit = (size_t)people;
	o.base = (unsigned)base;
	o.lift = (unsigned)lift;
	snprintf(o.prefix, sizeof(o.prefix), "seed-%lld-person-", (long long)seed);
	const bool ok = outcomes_write(&o);
	free(o.people);
	if (!ok)
		return 1;
	printf("control: %lu people, %lu won, %lu complaints\nothers:  %lu people, %lu won, %lu "
	       "complaints\n",
	       o.units[0], o.won[0], o.complaints[0], o.units[1], o.won[1], o.complaints[1]);
	return 0;
}

const struct cli_command cli_outcomes_commands[] = {
	{ "outcomes",
	  "SLUG [--effect proven|none|harm] [--seed S] [--people N] [--base PERMILLE] [--lift "
	  "PERMILLE]",
	  "what the sample's people do after an exposure, with a planted effect", outcomes_run,
	  NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
