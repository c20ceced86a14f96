/*
 * sample_words.h — the words the sample world is made of. Internal to sample.c.
 */
#ifndef BIMODAL_CLI_SAMPLE_WORDS_H
#define BIMODAL_CLI_SAMPLE_WORDS_H

#include <stddef.h>

#define WORDS_NAMES 24
#define WORDS_CITIES 6
#define WORDS_STREETS 6

struct words_city {
	const char *city;
	const char *region;
	const char *postcode; /* digits of a district; # is a random digit */
};

struct words_country {
	const char *country;  /* ISO 3166-1 alpha-2 */
	const char *language; /* ISO 639-1          */
	const char *given[WORDS_NAMES];
	const char *family[WORDS_NAMES];
	struct words_city cities[WORDS_CITIES];
	const char *streets[WORDS_STREETS];
	const char *phone; /* # is a random digit    */
	unsigned share;    /* of 1,000 people        */
};

extern const struct words_country words_countries[];
extern const size_t words_countries_n;
extern const char *const words_products[];
extern const size_t words_products_n;
extern const char *const words_sectors[];
extern const size_t words_sectors_n;
extern const char *const words_firm_first[];
extern const size_t words_firm_first_n;
extern const char *const words_firm_last[];
extern const size_t words_firm_last_n;
extern const char *const words_owners[];
extern const size_t words_owners_n;

#endif
