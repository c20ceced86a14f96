/*
 * pattern.c — regular expressions whose cost is bounded, by PCRE2. Compiled when a flag is saved or loaded, into the
 * arena of its condition; matching uses one scratch area of the process and never the heap.
 *
 * What cannot be bounded or read at a glance is refused: backreferences, look-around, recursion, verbs, callouts. Each
 * step of a match is counted by an automatic callout, over all places where it may begin, because PCRE2's own limit
 * starts again at each of them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "flag/predicate.h"

#define NESTING_MAX 20
#define CAPTURES_MAX 16
#define HEAP_KIB_MAX 256
/* Frames grow by doubling up to HEAP_KIB_MAX, and nothing is given back: the sum of all of them, and some. */
#define SCRATCH_BYTES ((2 * HEAP_KIB_MAX + 128) * 1024)

struct flag_pattern {
	const pcre2_code *code;
};

static struct {
	_Alignas(16) unsigned char room[SCRATCH_BYTES];
	size_t used;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	unsigned left; /* steps of the present match */
} scratch;

/* ---- memory ---- */

static void *
scratch_alloc(size_t n, void *unused)
{
	const size_t rounded = (n + 15) & ~(size_t)15;
	(void)unused;

	if (rounded > sizeof(scratch.room) - scratch.used)
		return NULL;
	void *p = scratch.room + scratch.used;
	scratch.used += rounded;
	return p;
}

static void *
arena_take(size_t n, void *arena)
{
	return arena_alloc(arena, n);
}

static void
keep(void *p, void *unused)
{
	(void)p;
	(void)unused;
}

/* ---- what is refused ---- */

/* What may follow "(?": a group that does not capture, options, a name, an atomic group. */
static const char *
group_refused(struct str rest)
{
	size_t i = 0;

	if (str_starts(rest, "<=") || str_starts(rest, "<!") || str_starts(rest, "=") ||
	    str_starts(rest, "!"))
		return "look-around is not allowed, because its cost cannot be bounded";
	if (rest.len > 0 && strchr(":|><", rest.p[0]) != NULL)
		return NULL;
	if (str_starts(rest, "P<"))
		return NULL;
	while (i < rest.len && strchr("imsU-", rest.p[i]) != NULL)
		i++;
	if (i > 0 && i < rest.len && (rest.p[i] == ':' || rest.p[i] == ')'))
		return NULL;
	return "this kind of group is not allowed";
}

static const char *
escape_refused(char c)
{
	if (c >= '1' && c <= '9')
		return "backreferences are not allowed, because their cost cannot be bounded";
	if (c == 'g' || c == 'k')
		return "references to groups are not allowed";
	if (c == 'Q' || c == 'E' || c == 'C' || c == 'K' || c == 'c' || c == '\0')
		return "this escape is not allowed";
	return NULL;
}

/*
 * The scan must never take a place for the inside of a class that PCRE2 does not. A class ends here at the first
 * bracket that could end it, and what could hide a bracket (\Q, \c, comments, the extended syntax) is refused.
 */
static const char *
refused(struct str s)
{
	bool in_class = false;
	size_t class_from = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		const char *why = NULL;
		const struct str rest = { s.p + i + 1, s.len - i - 1 };
		if (c == '\\') {
			why = rest.len > 0 ? escape_refused(rest.p[0]) : NULL;
			i++;
		} else if (in_class) {
			in_class = c != ']' || i == class_from;
		} else if (c == '[') {
			in_class = true;
			class_from = i + 1 + (rest.len > 0 && rest.p[0] == '^');
		} else if (c == '(' && str_starts(rest, "*")) {
			why = "verbs are not allowed";
		} else if (c == '(' && str_starts(rest, "?")) {
			why = group_refused((struct str) { rest.p + 1, rest.len - 1 });
		}
		if (why != NULL)
			return why;
	}
	return NULL;
}

/* ---- compiling ---- */

static int
step(pcre2_callout_block *block, void *unused)
{
	(void)block;
	(void)unused;
	if (scratch.left == 0)
		return PCRE2_ERROR_MATCHLIMIT;
	scratch.left--;
	return 0;
}

static bool
scratch_ready(void)
{
	if (scratch.limits != NULL)
		return true;
	pcre2_general_context *g = pcre2_general_context_create(scratch_alloc, keep, NULL);
	if (g == NULL)
		return false;
	scratch.data = pcre2_match_data_create(1, g);
	pcre2_match_context *limits = pcre2_match_context_create(g);
	if (scratch.data == NULL || limits == NULL)
		return false;
	if (pcre2_set_match_limit(limits, FLAG_PATTERN_STEPS_MAX) != 0 ||
	    pcre2_set_heap_limit(limits, HEAP_KIB_MAX) != 0 ||
	    pcre2_set_callout(limits, step, NULL) != 0)
		return false;
	scratch.limits = limits;
	return true;
}

static pcre2_code *
code_make(struct arena *a, struct str text, uint32_t options, int *error, size_t *at)
{
	pcre2_general_context *g = pcre2_general_context_create(arena_take, keep, a);
	pcre2_compile_context *c = g != NULL ? pcre2_compile_context_create(g) : NULL;

	*error = PCRE2_ERROR_NOMEMORY;
	if (c == NULL || pcre2_set_parens_nest_limit(c, NESTING_MAX) != 0)
		return NULL;
	return pcre2_compile((PCRE2_SPTR)text.p, text.len, options, error, at, c);
}

enum err
flag_pattern_compile(struct arena *a, struct str text, bool folded, const struct flag_pattern **out,
		     char *why, size_t size)
{
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
			   PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
	int error = 0;
	size_t at = 0;
	uint32_t references = 0, captures = 0;

	const char *no =
		text.len > FLAG_PATTERN_BYTES_MAX ? "it is longer than 512 bytes" : refused(text);
	if (no != NULL) {
		(void)snprintf(why, size, "%s", no);
		return ERR_INVALID;
	}
	if (folded)
		options |= PCRE2_CASELESS;
	struct flag_pattern *p = arena_alloc(a, sizeof(*p));
	if (p == NULL || !scratch_ready())
		return ERR_NO_MEMORY;
	pcre2_code *code = code_make(a, text, options, &error, &at);
	if (code == NULL && (error == PCRE2_ERROR_NOMEMORY || error == PCRE2_ERROR_HEAP_FAILED))
		return ERR_NO_MEMORY;
	if (code == NULL) {
		char said[120] = "";
		(void)pcre2_get_error_message(error, (PCRE2_UCHAR *)said, sizeof(said));
		(void)snprintf(why, size, "at byte %zu: %s", at, said);
		return ERR_INVALID;
	}
	if (pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references) != 0 || references > 0 ||
	    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &captures) != 0 ||
	    captures > CAPTURES_MAX) {
		(void)snprintf(why, size, "it has references, or more than %d named groups",
			       CAPTURES_MAX);
		return ERR_INVALID;
	}
	p->code = code;
	*out = p;
	return ERR_OK;
}

/* ---- matching ---- */

int
flag_pattern_match(const struct flag_pattern *p, struct str subject, unsigned *work)
{
	const unsigned most = *work < FLAG_PATTERN_STEPS_MAX ? *work : FLAG_PATTERN_STEPS_MAX;

	if (subject.len > FLAG_PATTERN_SUBJECT_MAX)
		return -1;
	scratch.left = most;
	const int rc =
		pcre2_match(p->code, (PCRE2_SPTR)(subject.p != NULL ? subject.p : ""), subject.len,
			    0, PCRE2_NO_UTF_CHECK, scratch.data, scratch.limits);
	*work -= most - scratch.left;
	if (rc >= 0)
		return 1;
	return rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
