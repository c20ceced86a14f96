/*
 * sample.c — see sample.h. Each record draws from a stream of its own, named after what it is, so that a new field at the end of
 * one record changes nothing in another.
 */
#include "cli/sample.h"

#include <stdio.h>
#include <string.h>

#include "cli/random.h"
#include "cli/sample_words.h"

#define DAY (24 * 3600 * USEC_PER_SEC)
#define DAYS_BACK 180
#define CHILDREN 16 /* numbers of a person's records in their streams */

static const char *
pick(struct random *r, const char *const *words, size_t n)
{
	return words[random_below(r, n)];
}

static void
member(struct buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (out->len > 0 && out->p[out->start + out->len - 1] != '{')
		buf_add_char(out, ',');
	buf_json_cstr(out, name);
	buf_add_char(out, ':');
	buf_json_cstr(out, value);
}

static void
member_number(struct buf *out, const char *name, uint64_t whole, unsigned cents)
{
	buf_add_char(out, ',');
	buf_json_cstr(out, name);
	buf_printf(out, ":%llu", (unsigned long long)whole);
	if (cents > 0)
		buf_printf(out, ".%02u", cents);
}

/* A day or a moment before the sample's present. */
static void
member_time(struct buf *out, const char *name, usec_t at, bool day)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(at, text);
	if (day)
		text[10] = '\0';
	member(out, name, text);
}

/* '#' becomes a digit, 'X' a letter. */
static void
fill(struct random *r, const char *form, char *out, size_t size)
{
	size_t n = 0;

	for (; form[n] != '\0' && n + 1 < size; n++)
		out[n] = form[n] == '#'   ? (char)('0' + random_below(r, 10))
			 : form[n] == 'X' ? (char)('A' + random_below(r, 26))
					  : form[n];
	out[n] = '\0';
}

void
sample_key(const struct sample *s, enum sample_kind kind, uint64_t i, unsigned k,
	   char out[SAMPLE_KEY_SIZE])
{
	static const char *const name[] = { "organization", "person", "person" };
	const int n = snprintf(out, SAMPLE_KEY_SIZE, "seed-%llu-%s-%07llu",
			       (unsigned long long)s->seed, name[kind], (unsigned long long)i);

	if (kind == SAMPLE_OPPORTUNITY)
		snprintf(out + n, SAMPLE_KEY_SIZE - (size_t)n, "-%u", k);
}

uint64_t
sample_organizations(uint64_t people)
{
	return (people + SAMPLE_BLOCK_PEOPLE - 1) / SAMPLE_BLOCK_PEOPLE *
	       SAMPLE_BLOCK_ORGANIZATIONS;
}

int64_t
sample_person_organization(const struct sample *s, uint64_t i)
{
	struct random r;

	random_init(&r, s->seed, "membership", i);
	if (!random_chance(&r, 700))
		return -1;
	return (int64_t)(i / SAMPLE_BLOCK_PEOPLE * SAMPLE_BLOCK_ORGANIZATIONS +
			 random_below(&r, SAMPLE_BLOCK_ORGANIZATIONS));
}

static const struct words_country *
country_of(struct random *r)
{
	unsigned at = (unsigned)random_below(r, 1000);

	for (size_t i = 0; i < words_countries_n; i++) {
		if (at < words_countries[i].share)
			return &words_countries[i];
		at -= words_countries[i].share;
	}
	return &words_countries[0];
}

void
sample_organization(const struct sample *s, uint64_t i, struct buf *out)
{
	static const struct band {
		const char *name;
		unsigned least;
		unsigned most;
	} bands[] = {
		{ "1-9", 1, 9 }, { "10-49", 10, 49 }, { "50-249", 50, 249 }, { "250+", 250, 5000 }
	};
	static const char *const stages[] = { "prospect", "customer", "customer", "former" };
	struct random r;
	char text[128];
	char key[SAMPLE_KEY_SIZE];

	random_init(&r, s->seed, "organization", i);
	const struct words_country *w = country_of(&r);
	const struct words_city *city = &w->cities[random_below(&r, WORDS_CITIES)];
	const struct band *band = &bands[random_below(&r, ARRAY_LEN(bands))];
	const unsigned employees =
		band->least + (unsigned)random_below(&r, band->most - band->least + 1);
	sample_key(s, SAMPLE_ORGANIZATION, i, 0, key);
	snprintf(text, sizeof(text), "%s %s %llu", pick(&r, words_firm_first, words_firm_first_n),
		 pick(&r, words_firm_last, words_firm_last_n), (unsigned long long)i + 1);
	buf_add_char(out, '{');
	member(out, "name", text);
	member(out, "external_id", key);
	member(out, "sector", pick(&r, words_sectors, words_sectors_n));
	member(out, "country", w->country);
	member(out, "region", city->region);
	member(out, "size_band", band->name);
	member_number(out, "employees", employees, 0);
	member_number(out, "revenue", employees / 5, (unsigned)random_below(&r, 100));
	member_number(out, "founded", 1950 + random_below(&r, 70), 0);
	snprintf(text, sizeof(text), "https://www.example.com/o/%llu", (unsigned long long)i + 1);
	member(out, "website", text);
	member(out, "owner", pick(&r, words_owners, words_owners_n));
	member(out, "stage", pick(&r, stages, ARRAY_LEN(stages)));
	buf_add_char(out, '}');
}

/* Letters for an address: what is not ASCII is left out. */
static void
ascii(const char *from, char *out, size_t size)
{
	size_t n = 0;

	for (; *from != '\0' && n + 1 < size; from++) {
		const char ch = *from >= 'A' && *from <= 'Z' ? (char)(*from - 'A' + 'a') : *from;
		if (ch >= 'a' && ch <= 'z')
			out[n++] = ch;
	}
	out[n] = '\0';
}

/* Who and where: the personal part. */
static void
person_private(const struct sample *s, uint64_t i, const struct words_country *w,
	       const struct words_city *city, usec_t born, struct buf *out)
{
	static const char *const domains[] = { "example.com", "example.org", "example.net" };
	struct random r;
	char given[32];
	char family[32];
	char text[160];

	random_init(&r, s->seed, "identity", i);
	const char *first = w->given[random_below(&r, WORDS_NAMES)];
	const char *last = w->family[random_below(&r, WORDS_NAMES)];
	member(out, "given_name", first);
	member(out, "family_name", last);
	ascii(first, given, sizeof(given));
	ascii(last, family, sizeof(family));
	/* The number keeps addresses apart. */
	snprintf(text, sizeof(text), "%s.%s.%llu@%s", given, family, (unsigned long long)i,
		 pick(&r, domains, ARRAY_LEN(domains)));
	member(out, "email", text);
	fill(&r, w->phone, text, sizeof(text));
	member(out, "phone", text);
	const char *street = w->streets[random_below(&r, WORDS_STREETS)];
	const unsigned house = 1 + (unsigned)random_below(&r, 180);
	if (strcmp(w->country, "DE") == 0)
		snprintf(text, sizeof(text), "%s %u", street, house);
	else
		snprintf(text, sizeof(text), "%u %s", house, street);
	member(out, "street", text);
	member(out, "city", city->city);
	fill(&r, city->postcode, text, sizeof(text));
	member(out, "postcode", text);
	member_time(out, "birth_date", born, true);
}

static const char *
age_band(unsigned years)
{
	return years < 25   ? "18-24"
	       : years < 35 ? "25-34"
	       : years < 45 ? "35-44"
	       : years < 55 ? "45-54"
	       : years < 65 ? "55-64"
			    : "65+";
}

void
sample_person(const struct sample *s, uint64_t i, const char *organization_id, struct buf *out)
{
	static const char *const stages[] = { "lead",     "prospect", "customer",
					      "customer", "customer", "former" };
	static const char *const sources[] = { "web", "referral", "fair", "campaign", "partner" };
	struct random r;
	char key[SAMPLE_KEY_SIZE];

	random_init(&r, s->seed, "person", i);
	const struct words_country *w = country_of(&r);
	const struct words_city *city = &w->cities[random_below(&r, WORDS_CITIES)];
	const unsigned days = 18 * 366 + (unsigned)random_below(&r, 62 * 365);
	const unsigned segment = (unsigned)random_below(&r, 100);
	sample_key(s, SAMPLE_PERSON, i, 0, key);
	buf_add_char(out, '{');
	member(out, "external_id", key);
	person_private(s, i, w, city, s->until - days * DAY, out);
	member(out, "organization_id", organization_id);
	member(out, "country", w->country);
	member(out, "region", city->region);
	member(out, "language", w->language);
	member(out, "segment",
	       segment < 30   ? "consumer"
	       : segment < 75 ? "small_business"
			      : "enterprise");
	member(out, "stage", pick(&r, stages, ARRAY_LEN(stages)));
	member(out, "source", pick(&r, sources, ARRAY_LEN(sources)));
	member(out, "age_band", age_band(days / 365));
	member(out, "owner", pick(&r, words_owners, words_owners_n));
	buf_add_char(out, '}');
}

bool
sample_withdrawn(const struct sample *s, uint64_t i)
{
	struct random r;

	random_init(&r, s->seed, "withdrawn", i);
	return random_chance(&r, 30);
}

unsigned
sample_interactions(const struct sample *s, uint64_t i)
{
	struct random r;

	random_init(&r, s->seed, "interactions", i);
	return 1 + (unsigned)random_below(&r, SAMPLE_INTERACTIONS_MAX);
}

void
sample_interaction(const struct sample *s, uint64_t i, unsigned k, const char *person_id,
		   const char *organization_id, struct buf *out)
{
	static const char *const kinds[] = { "email",   "email", "email", "call", "call",
					     "meeting", "chat",  "web",   "web",  "visit" };
	static const char *const subjects[] = { "Question about the invoice",
						"Request for a quote",
						"Delivery date",
						"Renewal",
						"Thank you",
						"Appointment" };
	struct random r;

	random_init(&r, s->seed, "interaction", i * CHILDREN + k);
	const unsigned draw = (unsigned)random_below(&r, 1000);
	const bool purchase = draw >= 20 && draw < 100;
	const char *kind = draw < 20  ? "complaint"
			   : purchase ? "purchase"
				      : pick(&r, kinds, ARRAY_LEN(kinds));
	buf_add_char(out, '{');
	member(out, "person_id", person_id);
	member(out, "organization_id", organization_id);
	member(out, "kind", kind);
	member(out, "channel",
	       draw < 20 || strcmp(kind, "email") == 0 ? "email"
	       : strcmp(kind, "call") == 0             ? "phone"
						       : "web");
	member(out, "direction", draw < 100 || random_chance(&r, 600) ? "in" : "out");
	member_time(out, "at",
		    s->until - (usec_t)(1 + random_below(&r, DAYS_BACK * 24 * 3600)) * USEC_PER_SEC,
		    false);
	member(out, "subject", draw < 20 ? "Complaint" : pick(&r, subjects, ARRAY_LEN(subjects)));
	if (purchase)
		member_number(out, "amount", 10 + random_below(&r, 490),
			      (unsigned)random_below(&r, 100));
	buf_add_char(out, '}');
}

unsigned
sample_opportunities(const struct sample *s, uint64_t i)
{
	struct random r;

	random_init(&r, s->seed, "opportunities", i);
	const unsigned draw = (unsigned)random_below(&r, 1000);
	return draw < 80 ? 2 : draw < 400 ? 1 : 0;
}

void
sample_opportunity(const struct sample *s, uint64_t i, unsigned k, const char *person_id,
		   const char *organization_id, struct buf *out)
{
	struct random r;
	char key[SAMPLE_KEY_SIZE];

	random_init(&r, s->seed, "opportunity", i * CHILDREN + k);
	const unsigned draw = (unsigned)random_below(&r, 1000);
	const char *stage = draw < 350   ? "won"
			    : draw < 700 ? "lost"
			    : draw < 850 ? "engaging"
					 : "prospecting";
	const char *product = pick(&r, words_products, words_products_n);
	const bool closed = draw < 700;
	const usec_t opened = s->until - (usec_t)(31 + random_below(&r, DAYS_BACK)) * DAY;
	/* The product of two draws: many small values, few large ones. */
	const uint64_t amount = 50 + (1 + random_below(&r, 100)) * (1 + random_below(&r, 100));
	sample_key(s, SAMPLE_OPPORTUNITY, i, k, key);
	buf_add_char(out, '{');
	member(out, "external_id", key);
	member(out, "person_id", person_id);
	member(out, "organization_id", organization_id);
	member(out, "name", product);
	member(out, "product", product);
	member(out, "stage", stage);
	member_number(out, "amount", amount, 0);
	member(out, "currency", "EUR");
	if (closed)
		member_number(out, "close_value",
			      draw < 350 ? amount - amount * random_below(&r, 20) / 100 : 0, 0);
	member_time(out, "opened_at", opened, true);
	if (closed)
		member_time(out, "closed_at", opened + (usec_t)(1 + random_below(&r, 30)) * DAY,
			    true);
	member(out, "owner", pick(&r, words_owners, words_owners_n));
	member(out, "source", "seed");
	buf_add_char(out, '}');
}

bool
sample_case(const struct sample *s, uint64_t i)
{
	struct random r;

	random_init(&r, s->seed, "has case", i);
	return random_chance(&r, 150);
}

void
sample_case_write(const struct sample *s, uint64_t i, const char *person_id,
		  const char *organization_id, struct buf *out)
{
	static const char *const kinds[] = { "delivery", "invoice", "defect", "question" };
	static const char *const priorities[] = { "low", "normal", "normal", "normal", "high" };
	struct random r;

	random_init(&r, s->seed, "case", i);
	const char *kind = pick(&r, kinds, ARRAY_LEN(kinds));
	const unsigned draw = (unsigned)random_below(&r, 1000);
	const usec_t opened =
		s->until -
		(usec_t)(30 * 24 * 3600 + random_below(&r, 150 * 24 * 3600)) * USEC_PER_SEC;
	buf_add_char(out, '{');
	member(out, "person_id", person_id);
	member(out, "organization_id", organization_id);
	member(out, "subject", kind);
	member(out, "kind", kind);
	member(out, "status", draw < 700 ? "closed" : draw < 850 ? "open" : "pending");
	member(out, "priority", pick(&r, priorities, ARRAY_LEN(priorities)));
	member_time(out, "opened_at", opened, false);
	if (draw < 700)
		member_time(out, "closed_at",
			    opened + (usec_t)(1 + random_below(&r, 20 * 24)) * 3600 * USEC_PER_SEC,
			    false);
	member(out, "owner", pick(&r, words_owners, words_owners_n));
	buf_add_char(out, '}');
}
