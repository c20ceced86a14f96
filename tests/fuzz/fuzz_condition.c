/*
 * fuzz_condition.c — conditions and rule documents of flags, put to contexts: no crash, no allocation past the arena, an
 * end within the limit of steps; what is accepted strictly is accepted leniently with the same answer, and the same
 * question has the same answer twice.
 *
 * Input: a condition, a line feed, a context, a line feed, a rule document; what is missing is empty.
 */
#include <stdint.h>

#include "base/log.h"
#include "flag/condition.h"
#include "flag/flag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)

static bool
holds(const struct flag_condition *c, const struct flag_context *context)
{
	struct flag_scope scope = { .context = context, .work = FLAG_WORK_MAX };
	const bool r = flag_condition_holds(c, &scope, NULL);
	BUG_ON(scope.work > FLAG_WORK_MAX);
	return r;
}

static void
condition_try(struct arena *a, struct str text, const struct flag_context *context)
{
	struct flag_condition_compiler how = { .arena = a };
	const struct flag_condition *strict = NULL;
	const struct flag_condition *lenient = NULL;

	const bool accepted = flag_condition_compile(&how, text, "", &strict, NULL) == ERR_OK;
	how.lenient = true;
	const bool read = flag_condition_compile(&how, text, "", &lenient, NULL) == ERR_OK;
	BUG_ON(accepted && !read);
	if (!read)
		return;
	const bool r = holds(lenient, context);
	BUG_ON(accepted && holds(strict, context) != r);
}

static void
document_try(struct arena *a, struct str text, const struct flag_context *context)
{
	const struct flag_document *d = NULL;
	struct err_info info = { .code = ERR_OK };
	struct flag_result r, again;

	if (flag_document_compile(a, STR("me"), text, "", &d, &info) != ERR_OK) {
		BUG_ON(info.msg[0] == '\0');
		return;
	}
	flag_document_evaluate(d, context->unit.text, &r);
	flag_document_evaluate(d, context->unit.text, &again);
	BUG_ON(r.outcome != again.outcome || !str_eq(r.variation, again.variation));
	BUG_ON(r.outcome == FLAG_EVALUATED && r.reason != FLAG_DISABLED && r.value.p == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct flag_context context = { .attributes = NULL };
	struct str rest = { (const char *)data, size };
	const struct str condition = str_cut(&rest, '\n');
	const struct str attributes = rest.p != NULL ? str_cut(&rest, '\n') : STR_NONE;

	arena_init(&a, ARENA_BYTES);
	if (flag_context_read(&a, attributes, "", &context, NULL) != ERR_OK)
		context = (struct flag_context) { .attributes = NULL };
	condition_try(&a, condition, &context);
	if (rest.p != NULL)
		document_try(&a, rest, &context);
	arena_release(&a);
	return 0;
}
