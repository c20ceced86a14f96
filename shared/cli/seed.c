/*
 * seed.c — `bimodal seed --people N --seed S`: the sample world (sample.h) written into core through the batch path.
 *
 * Order: organizations, whose ids the people need; then people in slices of 100, several slices at a time, each slice's records
 * in the order people → opportunities, cases, consents → interactions. So the interactions of a slice are the mark that it is
 * complete: a second run with the same seed skips what is there, completes what was cut off, and makes nothing twice.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/sample.h"

#define SLICE 100
#define WINDOW 8 /* slices at a time */

struct slice {
	uint64_t first;
	size_t n;
	bool complete;                /* nothing to do                         */
	char ids[SLICE][CLI_ID_SIZE]; /* of the people                         */
	bool fresh[SLICE];            /* this run made the person              */
	bool old_cases;               /* people who were there have their cases        */
	bool old_interactions;        /* people who were there have their interactions */
};

struct seed {
	struct cli *c;
	struct sample sample;
	uint64_t people;
	uint64_t organizations;
	char (*organization_ids)[CLI_ID_SIZE];
	struct slice slices[WINDOW];
	size_t n_slices;
	struct buf record;
	uint64_t written; /* records */
};

static const char *
organization_of(const struct seed *s, uint64_t person)
{
	const int64_t at = sample_person_organization(&s->sample, person);
	return at < 0 ? NULL : s->organization_ids[at];
}

/* The id of the first record with field=value; "" if there is none. */
static bool
find(struct cli *c, const char *resource, const char *field, const char *value,
     char id[CLI_ID_SIZE])
{
	char path[256];
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const char *found = NULL;

	id[0] = '\0';
	snprintf(path, sizeof(path), "/v1/%s?fields=id&limit=1&%s=eq.%s", resource, field, value);
	bool ok = cli_call(c, CLI_CORE, "GET", path, NULL, STR_NONE, &reply);
	if (ok && reply.status != 200) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	}
	if (ok && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK) {
		const struct cJSON *data = json_get(j, "data");
		if (cJSON_IsArray(data) && data->child != NULL &&
		    json_string(data->child, "id", true, &found, NULL) == ERR_OK)
			ok = str_copy(id, CLI_ID_SIZE, str_of(found));
	}
	json_free(j);
	cli_reply_free(&reply);
	return ok;
}

static bool
organizations_write(struct seed *s)
{
	char key[SAMPLE_KEY_SIZE];
	bool ok = true;

	for (uint64_t at = 0; ok && at < s->organizations; at += BATCH_OPS_MAX) {
		struct cli_request r;
		batch_begin(&r, "organizations", false, NULL);
		for (uint64_t i = at; i < s->organizations && i < at + BATCH_OPS_MAX; i++) {
			buf_reset(&s->record);
			sample_organization(&s->sample, i, &s->record);
			sample_key(&s->sample, SAMPLE_ORGANIZATION, i, 0, key);
			batch_add(&r, "external_id", str_of(key), buf_str(&s->record));
		}
		batch_end(&r);
		ok = cli_call_many(s->c, &r, 1) && batch_ids(&r, s->organization_ids + at);
		s->written += ok ? r.count : 0;
		cli_request_free(&r);
		cli_progress(s->c, "organizations", (size_t)at, (size_t)s->organizations);
	}
	return ok;
}

/* Is the slice there as a whole? Its last person's interactions say so. */
static bool
slice_look(struct seed *s, struct slice *p)
{
	char key[SAMPLE_KEY_SIZE];
	char person[CLI_ID_SIZE];
	char interaction[CLI_ID_SIZE] = "";

	sample_key(&s->sample, SAMPLE_PERSON, p->first + p->n - 1, 0, key);
	if (!find(s->c, "people", "external_id", key, person))
		return false;
	if (person[0] != '\0' && !find(s->c, "interactions", "person_id", person, interaction))
		return false;
	p->complete = interaction[0] != '\0';
	return true;
}

/* What of the people who were there before this run has been written? */
static bool
slice_old(struct seed *s, struct slice *p)
{
	char found[CLI_ID_SIZE];
	bool cases_seen = false;
	bool interactions_seen = false;

	for (size_t i = p->n; i-- > 0;) {
		if (p->fresh[i])
			continue;
		if (!interactions_seen) {
			if (!find(s->c, "interactions", "person_id", p->ids[i], found))
				return false;
			p->old_interactions = found[0] != '\0';
			interactions_seen = true;
		}
		if (!cases_seen && sample_case(&s->sample, p->first + i)) {
			if (!find(s->c, "cases", "person_id", p->ids[i], found))
				return false;
			p->old_cases = found[0] != '\0';
			cases_seen = true;
		}
	}
	return true;
}

static bool
people_take(struct seed *s, struct slice *p, const struct cli_request *r)
{
	static struct batch_result results[SLICE];
	bool all_fresh = true;

	if (!batch_results(r, results))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (results[i].status >= 300 || results[i].id[0] == '\0') {
			fprintf(stderr, "bimodal: person %llu was refused: %s\n",
				(unsigned long long)(p->first + i), results[i].reason);
			return false;
		}
		memcpy(p->ids[i], results[i].id, CLI_ID_SIZE);
		p->fresh[i] = results[i].status == 201;
		all_fresh = all_fresh && p->fresh[i];
		s->written += p->fresh[i];
	}
	return all_fresh || slice_old(s, p);
}

/* Make the body of one kind of record for a slice. */
typedef void slice_fn(struct seed *s, const struct slice *p, struct cli_request *r);

static void
people_make(struct seed *s, const struct slice *p, struct cli_request *r)
{
	char key[SAMPLE_KEY_SIZE];

	batch_begin(r, "people", false, NULL);
	for (uint64_t i = p->first; i < p->first + p->n; i++) {
		buf_reset(&s->record);
		sample_person(&s->sample, i, organization_of(s, i), &s->record);
		sample_key(&s->sample, SAMPLE_PERSON, i, 0, key);
		batch_add(r, "external_id", str_of(key), buf_str(&s->record));
	}
}

static void
opportunities_make(struct seed *s, const struct slice *p, struct cli_request *r)
{
	char key[SAMPLE_KEY_SIZE];

	batch_begin(r, "opportunities", false, NULL);
	for (size_t i = 0; i < p->n; i++) {
		const uint64_t person = p->first + i;
		if (!p->fresh[i] && p->old_interactions)
			continue;
		for (unsigned k = 0; k < sample_opportunities(&s->sample, person); k++) {
			buf_reset(&s->record);
			sample_opportunity(&s->sample, person, k, p->ids[i],
					   organization_of(s, person), &s->record);
			sample_key(&s->sample, SAMPLE_OPPORTUNITY, person, k, key);
			batch_add(r, "external_id", str_of(key), buf_str(&s->record));
		}
	}
}

static void
cases_make(struct seed *s, const struct slice *p, struct cli_request *r)
{
	batch_begin(r, "cases", false, NULL);
	for (size_t i = 0; i < p->n; i++) {
		if (!sample_case(&s->sample, p->first + i) ||
		    (!p->fresh[i] && (p->old_cases || p->old_interactions)))
			continue;
		buf_reset(&s->record);
		sample_case_write(&s->sample, p->first + i, p->ids[i],
				  organization_of(s, p->first + i), &s->record);
		batch_add(r, NULL, STR_NONE, buf_str(&s->record));
	}
}

static void
interactions_make(struct seed *s, const struct slice *p, struct cli_request *r)
{
	batch_begin(r, "interactions", false, NULL);
	for (size_t i = 0; i < p->n; i++) {
		const uint64_t person = p->first + i;
		if (!p->fresh[i] && p->old_interactions)
			continue;
		for (unsigned k = 0; k < sample_interactions(&s->sample, person); k++) {
			buf_reset(&s->record);
			sample_interaction(&s->sample, person, k, p->ids[i],
					   organization_of(s, person), &s->record);
			batch_add(r, NULL, STR_NONE, buf_str(&s->record));
		}
	}
}

/* One or two kinds for all open slices of the window at once. `people`: take the ids. */
static bool
round_run(struct seed *s, slice_fn *const *makes, size_t n_makes)
{
	static struct cli_request requests[WINDOW * 2];
	struct slice *owner[WINDOW * 2];
	size_t n = 0;

	for (size_t i = 0; i < s->n_slices; i++) {
		for (size_t k = 0; k < n_makes && !s->slices[i].complete; k++) {
			makes[k](s, &s->slices[i], &requests[n]);
			batch_end(&requests[n]);
			owner[n] = &s->slices[i];
			if (requests[n].count > 0)
				n++;
			else
				cli_request_free(&requests[n]);
		}
	}
	bool ok = n == 0 || cli_call_many(s->c, requests, n);
	for (size_t i = 0; i < n; i++) {
		static char ids[BATCH_OPS_MAX][CLI_ID_SIZE];
		if (ok && makes[0] == people_make) {
			ok = people_take(s, owner[i], &requests[i]);
		} else if (ok) {
			ok = batch_ids(&requests[i], ids);
			s->written += ok ? requests[i].count : 0;
		}
		cli_request_free(&requests[i]);
	}
	return ok;
}

/* Consents are a resource of a person, so they go one by one. One that is there already (409) is as good. */
static bool
consents_write(struct seed *s, const struct slice *p)
{
	bool ok = true;

	for (size_t i = 0; ok && !p->complete && i < p->n; i++) {
		struct cli_request r;
		if (!sample_withdrawn(&s->sample, p->first + i) ||
		    (!p->fresh[i] && p->old_interactions))
			continue;
		cli_request_init(&r, CLI_CORE, "POST");
		buf_printf(&r.path, "/v1/people/%s/consents", p->ids[i]);
		buf_add_cstr(
			&r.body,
			"{\"purpose\":\"analysis\",\"state\":\"withdrawn\",\"source\":\"seed\"}");
		ok = cli_call_many(s->c, &r, 1);
		if (ok && r.reply.status != 201 && r.reply.status != 409)
			ok = cli_reply_print(s->c, &r.reply) == 0;
		s->written += ok && r.reply.status == 201;
		cli_request_free(&r);
	}
	return ok;
}

static bool
window_write(struct seed *s, uint64_t first)
{
	bool ok = true;

	s->n_slices = 0;
	for (uint64_t at = first; ok && at < s->people && s->n_slices < WINDOW; at += SLICE) {
		struct slice *p = &s->slices[s->n_slices++];
		*p = (struct slice) { .first = at,
				      .n = (size_t)MIN((uint64_t)SLICE, s->people - at) };
		ok = slice_look(s, p);
	}
	ok = ok && round_run(s, (slice_fn *const[]) { people_make }, 1);
	ok = ok && round_run(s, (slice_fn *const[]) { opportunities_make, cases_make }, 2);
	for (size_t i = 0; ok && i < s->n_slices; i++)
		ok = consents_write(s, &s->slices[i]);
	return ok && round_run(s, (slice_fn *const[]) { interactions_make }, 1);
}

static bool
world_write(struct seed *s)
{
	struct slice last = { .first = (s->people - 1) / SLICE * SLICE };
	bool ok;

	last.n = (size_t)(s->people - last.first);
	if (!slice_look(s, &last))
		return false;
	if (last.complete) {
		printf("the sample of seed %llu with %llu people is there already; nothing was "
		       "written\n",
		       (unsigned long long)s->sample.seed, (unsigned long long)s->people);
		return true;
	}
	s->organizations = sample_organizations(s->people);
	s->organization_ids = calloc((size_t)s->organizations, CLI_ID_SIZE);
	ok = s->organization_ids != NULL && organizations_write(s);
	const usec_t began = clock_now_us();
	for (uint64_t at = 0; ok && at < s->people; at += (uint64_t)SLICE * WINDOW) {
		cli_progress(s->c, "people", (size_t)at, (size_t)s->people);
		ok = window_write(s, at);
	}
	cli_progress_end(s->c);
	if (ok)
		printf("%llu people and what belongs to them: %llu records in %.1f s\n",
		       (unsigned long long)s->people, (unsigned long long)s->written,
		       (double)(clock_now_us() - began) / (double)USEC_PER_SEC);
	else
		fputs("bimodal: the sample is not complete; the same command continues it\n",
		      stderr);
	return ok;
}

static int
seed_run(struct cli *c)
{
	static struct seed s;
	int64_t people = 2000;
	int64_t seed = 1;
	const char *until = NULL;
	const struct cli_option options[] = {
		{ "--people", CLI_OPTION_INT, &people, 1, SAMPLE_PEOPLE_MAX },
		{ "--seed", CLI_OPTION_INT, &seed, 0, INT64_C(1000000000) },
		{ "--until", CLI_OPTION_TEXT, &until, 0, 0 },
	};

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	s.c = c;
	s.people = (uint64_t)people;
	s.sample.seed = (uint64_t)seed;
	s.sample.until = clock_wall_us() / (24 * 3600 * USEC_PER_SEC) * (24 * 3600 * USEC_PER_SEC);
	if (until != NULL && (strlen(until) != 10 ||
			      clock_parse_rfc3339(str_of(until), &s.sample.until) != ERR_OK)) {
		fprintf(stderr, "bimodal: --until: expected a day such as 2026-05-31, got \"%s\"\n",
			until);
		return 2;
	}
	buf_init(&s.record, CLI_BODY_BYTES_MAX);
	const bool ok = world_write(&s);
	buf_free(&s.record);
	free(s.organization_ids);
	return ok ? 0 : 1;
}

const struct cli_command cli_seed_commands[] = {
	{ "seed", "[--people N] [--seed S] [--until DAY]",
	  "write the sample world: organizations, people, interactions, opportunities, cases, "
	  "consents (2,000 people, seed 1)",
	  seed_run, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
