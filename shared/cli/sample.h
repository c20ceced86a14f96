/*
 * sample.h — the sample world: records made from (seed, number), the same on every machine. Pure: text in, text out.
 *
 * People come in blocks of 400 that share 20 organizations, so that person 17 is the same in a world of 100 and of 100,000.
 * Nobody exists: e-mail addresses are at example.com, .org or .net (RFC 2606), telephone numbers from the ranges that the
 * regulators keep free for fiction, streets and organizations are invented.
 *
 * Base rates, which tests and the tour rely on:
 *	people          700 of 1,000 belong to an organization; segment consumer 30 %, small_business 45 %, enterprise 25 %
 *	consents        30 of 1,000 have withdrawn the consent to analysis
 *	interactions    1 to 9 a person (mean 5) over the last 180 days; 20 of 1,000 are complaints; 80 of 1,000 are purchases
 *	opportunities   400 of 1,000 people have one, 80 of these 400 two; of those 350 in 1,000 won, 350 lost, 300 still open
 *	cases           150 of 1,000 people have one; 700 in 1,000 of them closed
 */
#ifndef BIMODAL_CLI_SAMPLE_H
#define BIMODAL_CLI_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define SAMPLE_BLOCK_PEOPLE 400
#define SAMPLE_BLOCK_ORGANIZATIONS 20
#define SAMPLE_PEOPLE_MAX 10000000
#define SAMPLE_INTERACTIONS_MAX 9  /* a person */
#define SAMPLE_OPPORTUNITIES_MAX 2 /* a person */
#define SAMPLE_KEY_SIZE 48

struct sample {
	uint64_t seed;
	usec_t until; /* the present of the sample: midnight UTC of a day */
};

enum sample_kind { SAMPLE_ORGANIZATION, SAMPLE_PERSON, SAMPLE_OPPORTUNITY };
/* external_id: "seed-<seed>-person-0000017"; opportunities add "-1". */
void sample_key(const struct sample *s, enum sample_kind kind, uint64_t i, unsigned k,
		char out[SAMPLE_KEY_SIZE]);
/* How many organizations a world of so many people has. */
uint64_t sample_organizations(uint64_t people);
/* Number of the person's organization, or -1. */
int64_t sample_person_organization(const struct sample *s, uint64_t i);

/* Records as JSON objects, appended. Ids may be NULL. */
void sample_organization(const struct sample *s, uint64_t i, struct buf *out);
void sample_person(const struct sample *s, uint64_t i, const char *organization_id,
		   struct buf *out);

bool sample_withdrawn(const struct sample *s, uint64_t i);
unsigned sample_interactions(const struct sample *s, uint64_t i);
void sample_interaction(const struct sample *s, uint64_t i, unsigned k, const char *person_id,
			const char *organization_id, struct buf *out);
unsigned sample_opportunities(const struct sample *s, uint64_t i);
void sample_opportunity(const struct sample *s, uint64_t i, unsigned k, const char *person_id,
			const char *organization_id, struct buf *out);
bool sample_case(const struct sample *s, uint64_t i);
void sample_case_write(const struct sample *s, uint64_t i, const char *person_id,
		       const char *organization_id, struct buf *out);

#endif
