/*
 * fuzz_schema.c — schemas and values of flags: no crash, an end within the limit of steps, a reason with every refusal, and the same
 * answer twice.
 *
 * Input: a schema, a line feed, a value.
 */
#include <stdint.h>

#include "base/log.h"
#include "flag/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	const struct str text = str_cut(&rest, '\n');
	const struct flag_value *schema = NULL, *value = NULL;
	struct err_info info = { .code = ERR_OK };
	struct arena a;

	arena_init(&a, ARENA_BYTES);
	if (flag_value_read(&a, text, "", FLAG_SCHEMA_VALUES_MAX, &schema, NULL) == ERR_OK &&
	    flag_value_read(&a, rest.p != NULL ? rest : STR("null"), "", FLAG_SCHEMA_VALUES_MAX,
			    &value, NULL) == ERR_OK) {
		if (flag_schema_check(&a, schema, "", &info) != ERR_OK) {
			BUG_ON(info.msg[0] == '\0');
		} else {
			const enum err once = flag_schema_fits(&a, schema, value, "", &info);
			BUG_ON(once != ERR_OK && info.msg[0] == '\0');
			BUG_ON(flag_schema_fits(&a, schema, value, "", NULL) != once);
		}
	}
	arena_release(&a);
	return 0;
}
