/*
 * ofrep_bulk.c — OFREP, all flags at once for one context, with an entity tag. See ofrep.h.
 *
 * Flow: body and query → (wait for the flags that the client was told of) → (what the record knows) → every flag of one snapshot,
 * in slices of time → 304 or the whole. Invariants: an answer is that of one snapshot, which it holds until it is written; the entity
 * tag is that of the evaluated flags as they are written, so it differs where the context makes another result, and of the period of
 * tickets, so that nobody keeps an address that is over; a client that was told of other flags than those served here is never
 * answered from fewer, nor with 304.
 */
#include <stdlib.h>
#include <string.h>

#include "flag/ofrep_parts.h"

#define LOOK_PERIOD (20 * USEC_PER_MS)     /* while waiting for a snapshot */
#define REFRESH_PERIOD (200 * USEC_PER_MS) /* it is asked for again        */
#define SLICE ((usec_t)500)                /* µs of one step               */
#define SLICE_FLAGS 16                     /* between two looks at the clock */
#define TAG_SIZE 36                        /* quotes, 32 digits, NUL */
#define CONFIG_TAG_MAX 200
#define SPARE_BYTES_MAX ((size_t)256 * 1024)

/* What is being written; counted references, because a step that goes on later hands it to the task's waits. */
struct output {
	unsigned refs;
	struct flag_snapshot *flags;
	struct buf text;
	size_t done; /* flags */
	int64_t by_reason[FLAG_REASONS];
	int64_t errors;
};

struct bulk {
	struct ofrep_context context;
	int64_t generation; /* of the flags that the record was asked for       */
	unsigned looks;
	int64_t announced;         /* generation that the client was told of; -1: none */
	bool foreign;              /* it was told of something that is not ours        */
	int64_t modified;          /* seconds since 1970 of that; -1: not said         */
	usec_t give_up, refreshed; /* monotonic */
	uint64_t swaps, swaps_wanted;
	usec_t now; /* wall: of the whole answer */
};

static struct buf spare; /* the memory of the last answer */

/* ---- output ---- */

static struct output *
output_make(struct flag_snapshot *flags)
{
	struct output *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->refs = 1;
	o->flags = flag_snapshot_ref(flags);
	buf_init(&o->text, OFREP_BULK_BYTES_MAX);
	if (spare.p != NULL) {
		o->text = spare;
		spare = (struct buf) { .p = NULL };
		buf_reset(&o->text);
	}
	return o;
}

static void
output_release(void *result)
{
	struct output *o = result;
	if (--o->refs > 0)
		return;
	flag_snapshot_unref(o->flags);
	if (spare.p == NULL && o->text.p != NULL && o->text.cap <= SPARE_BYTES_MAX)
		spare = o->text;
	else
		buf_free(&o->text);
	free(o);
}

/* ---- the request ---- */

/* "g812", as our events say it, with quotes or without. */
static bool
config_tag_read(struct str text, int64_t *generation)
{
	if (str_starts(text, "W/"))
		text = (struct str) { text.p + 2, text.len - 2 };
	if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
		text = (struct str) { text.p + 1, text.len - 2 };
	return str_starts(text, "g") && str_int((struct str) { text.p + 1, text.len - 1 }, 0,
						INT64_MAX, generation) == ERR_OK;
}

static bool
query_read(struct task *t, struct bulk *b, struct ofrep_refusal *no)
{
	const struct str tag = http_query(t, "flagConfigEtag");
	const struct str modified = http_query(t, "flagConfigLastModified");
	usec_t at = 0;

	b->announced = -1;
	b->modified = -1;
	if (tag.len > CONFIG_TAG_MAX) {
		*no = (struct ofrep_refusal) { "PARSE_ERROR",
					       "flagConfigEtag: must have at most 200 bytes" };
		return false;
	}
	if (tag.len > 0 && !config_tag_read(tag, &b->announced)) {
		b->announced = -1;
		b->foreign = true;
	}
	if (modified.len == 0 || str_int(modified, 0, INT64_MAX, &b->modified) == ERR_OK)
		return true;
	if (clock_parse_rfc3339(modified, &at) == ERR_OK) {
		b->modified = at / USEC_PER_SEC;
		return true;
	}
	*no = (struct ofrep_refusal) {
		"PARSE_ERROR", "flagConfigLastModified: must be seconds since 1970 or a date-time"
	};
	return false;
}

/* ---- flags that the client has heard of ---- */

static int64_t
served_since(void)
{
	return flag_store_since(flag_ofrep_conf.store) / USEC_PER_SEC;
}

/*
 * Are the flags served here those it was told of, or later ones? Where only a time was said, two further reads are: the first of them
 * may have begun before.
 */
static bool
is_there(const struct bulk *b)
{
	const struct flag_store *store = flag_ofrep_conf.store;
	if (b->announced >= 0)
		return flag_store_generation(store) >= b->announced;
	return b->modified < 0 || served_since() >= b->modified ||
	       flag_store_swaps(store) >= b->swaps_wanted;
}

static enum step
bulk_read(struct task *t)
{
	struct bulk *b = task_state(t, sizeof(*b));
	struct ofrep_refusal no = { NULL, NULL };

	if (b == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the evaluation");
	if (flag_store_now(flag_ofrep_conf.store) == NULL)
		return ofrep_answer_error(t, 500, STR_NONE, "GENERAL",
					  "the flags are not loaded yet");
	if (!ofrep_context_read(t, &b->context, &no) || !query_read(t, b, &no))
		return ofrep_answer_error(t, 400, STR_NONE, no.code, no.details);
	b->give_up = clock_now_us() + flag_ofrep_conf.wait;
	b->swaps = flag_store_swaps(flag_ofrep_conf.store);
	b->swaps_wanted = b->swaps + 2;
	return STEP_NEXT;
}

static enum step
bulk_wait(struct task *t)
{
	struct bulk *b = task_state(t, sizeof(*b));
	const usec_t now = clock_now_us();
	const uint64_t swaps = flag_store_swaps(flag_ofrep_conf.store);

	if (is_there(b))
		return STEP_NEXT;
	if (now >= b->give_up)
		return ofrep_answer_error(
			t, 500, STR_NONE, "GENERAL",
			"the flags that were announced have not arrived here yet; try again");
	if (b->refreshed == 0 || swaps != b->swaps || now - b->refreshed >= REFRESH_PERIOD) {
		b->refreshed = now;
		b->swaps = swaps;
		flag_ofrep_conf.refresh(t->t_engine, flag_ofrep_conf.arg);
	}
	const enum step parked = task_sleep(t, LOOK_PERIOD);
	return parked == STEP_WAIT ? task_jump(t, bulk_wait) : parked;
}

static enum step
bulk_ask(struct task *t)
{
	struct bulk *b = task_state(t, sizeof(*b));
	const struct flag_snapshot *flags = flag_store_now(flag_ofrep_conf.store);

	b->generation = flag_snapshot_generation(flags);
	struct ofrep_asked asked = { .divides = flag_snapshot_divides(flags, FLAG_PERSON) };
	for (unsigned u = 0; u < ARRAY_LEN(asked.by_unit); u++)
		asked.by_unit[u] = flag_needs_of_all(flags, (enum flag_unit)u);
	return ofrep_look(t, &b->context, &asked);
}

/* ---- the answer ---- */

/* 128 bits of the text, eight bytes at a time; it tells results apart and guards nothing. */
static void
tag_of(struct str text, uint64_t more, char out[TAG_SIZE])
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h[2] = { more ^ text.len, more * odd + 1 };
	for (size_t i = 0; i < text.len; i += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, text.p + i, MIN(text.len - i, sizeof(word)));
		h[0] = (h[0] ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h[0] ^= h[0] >> 32;
		h[1] = ((h[1] << 27) | (h[1] >> 37)) + word * UINT64_C(0xc4ceb9fe1a85ec53);
		h[1] = h[1] * 5 + odd;
	}
	h[0] ^= h[0] >> 29;
	h[1] = (h[1] ^ (h[1] >> 31)) * UINT64_C(0xc4ceb9fe1a85ec53) ^ h[0];
	out[0] = '"';
	hex_encode(h, sizeof(h), out + 1);
	out[TAG_SIZE - 3] = '"';
	out[TAG_SIZE - 2] = '\0';
}

static void
streams_add(struct buf *out, const struct output *o, const uint8_t token[SHA256_BYTES],
	    uint32_t period)
{
	buf_add_str(out, STR(",\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":"
			     "\"" FLAG_OFREP_EVENTS "?after="));
	buf_add_int(out, flag_snapshot_generation(o->flags));
	buf_add_str(out, STR("&ticket="));
	buf_add_str(out, ofrep_ticket_of(token, period));
	buf_add_str(out, STR("\"}}]"));
}

/* 304 tells the client that what it has is right, so it is not said where it may have heard of something else. */
static bool
may_be_unchanged(const struct bulk *b, const struct output *o)
{
	if (b->foreign)
		return false;
	if (b->announced >= 0)
		return b->announced == flag_snapshot_generation(o->flags);
	return b->modified < 0 || b->modified <= served_since();
}

static enum step
bulk_answer(struct task *t, struct bulk *b, struct output *o)
{
	const struct flag_metric_set *m = flag_metric_set();
	uint8_t token[SHA256_BYTES];
	char tag[TAG_SIZE];

	const bool streams = flag_ofrep_conf.key.len > 0 && flag_ofrep_conf.token_of(t, token);
	const uint32_t period = ofrep_ticket_period(b->now);
	for (size_t i = 0; i < FLAG_REASONS; i++)
		metric_add(m->by_reason[i], o->by_reason[i]);
	metric_add(m->errors, o->errors);
	tag_of(buf_str(&o->text), streams ? period : 0, tag);
	http_reply_header(t, "ETag", str_of(tag));
	if (may_be_unchanged(b, o) && http_none_match(t, str_of(tag)))
		return http_reply_empty(t, 304);
	buf_add_str(&o->text, STR("],\"metadata\":{\"generation\":"));
	buf_add_int(&o->text, flag_snapshot_generation(o->flags));
	buf_add_char(&o->text, '}');
	if (streams)
		streams_add(&o->text, o, token, period);
	buf_add_char(&o->text, '}');
	if (o->text.failed)
		return ofrep_answer_error(t, 500, STR_NONE, "GENERAL",
					  "the answer is larger than the server's limit");
	return http_reply_json(t, 200, buf_str(&o->text));
}

/* The next of the flags; false when all are done. */
static bool
flag_next(const struct bulk *b, struct output *o)
{
	const struct flag_listed *flag = &flag_snapshot_list(o->flags)[o->done];
	struct ofrep_refusal no;
	struct flag_result r;

	if (o->done == flag_snapshot_count(o->flags) || o->text.failed)
		return false;
	if (o->done++ > 0)
		buf_add_char(&o->text, ',');
	ofrep_evaluate(o->flags, flag, &b->context, b->now, &r, &no);
	if (no.code != NULL) {
		o->errors++;
		ofrep_add_failure(&o->text, flag->key, &no);
	} else {
		o->by_reason[r.reason]++;
		ofrep_add_result(&o->text, flag->key, &r);
		ofrep_keep(&b->context, flag, &r);
	}
	return true;
}

static step_fn bulk_go_on;

/* As many flags as a step may take, and the answer after the last; else the rest in a later step. Takes over the reference. */
static enum step
bulk_slice(struct task *t, struct bulk *b, struct output *o)
{
	const usec_t until = clock_now_us() + SLICE;
	unsigned slot = 0;
	bool more = true;

	do {
		for (unsigned i = 0; i < SLICE_FLAGS && more; i++)
			more = flag_next(b, o);
	} while (more && clock_now_us() < until);
	if (!more) {
		const enum step done = bulk_answer(t, b, o);
		output_release(o);
		return done;
	}
	if (task_wait_begin(t, &slot) != ERR_OK) {
		output_release(o);
		return task_fail_set(t, ERR_BUSY, NULL, "a step waits for too many things");
	}
	/* The wait keeps the output and lets go of it whatever becomes of the task; the sleep lets others run. */
	task_wake(t->t_engine, t->t_handle, slot, ERR_OK, NULL, o, output_release);
	const enum step parked = task_sleep(t, 0);
	return parked == STEP_WAIT ? task_jump(t, bulk_go_on) : parked;
}

static enum step
bulk_evaluate(struct task *t)
{
	struct bulk *b = task_state(t, sizeof(*b));

	struct flag_snapshot *flags = flag_store_now(flag_ofrep_conf.store);
	if (ofrep_look_take(t, &b->context) && flag_snapshot_generation(flags) != b->generation &&
	    ++b->looks < OFREP_LOOKS_MAX)
		return task_jump(t, bulk_ask);
	b->now = clock_wall_us();
	struct output *o = output_make(flags);
	if (o == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	ofrep_asked(t, STR_NONE, true);
	buf_add_str(&o->text, STR("{\"flags\":["));
	return bulk_slice(t, b, o);
}

static enum step
bulk_go_on(struct task *t)
{
	struct bulk *b = task_state(t, sizeof(*b));
	struct output *o = task_result(t, 0);

	o->refs++; /* the wait's own goes after this step */
	return bulk_slice(t, b, o);
}

const struct step_row flag_ofrep_bulk_steps[] = {
	{ "read", bulk_read },         { "wait", bulk_wait },   { "ask", bulk_ask },
	{ "evaluate", bulk_evaluate }, { "go on", bulk_go_on }, { NULL, NULL },
};
