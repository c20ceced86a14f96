/*
 * usage.c — see usage.h. Two sides: counts gather on one while the other is on its way. Each is a dense array of rows behind a hash
 * index of fixed size; a report that failed for a reason that passes is sent again. Streams are counted anew for each report, because
 * they are a state and not a sum; one report more is sent after the last stream has ended, so that it is known to have ended.
 */
#include "flag/usage.h"

#include <string.h>

#include "base/id.h"
#include "flag/internal.h"

#define INDEX (FLAG_USAGE_ROWS * 2) /* a power of two, never full */
#define SEND_DEADLINE (5 * USEC_PER_SEC)

struct row {
	char flag[FLAG_KEY_MAX + 1]; /* empty: all of them, or of a stream */
	char principal[UUID_TEXT_SIZE];
	char client[FLAG_CLIENT_SIZE];
	int64_t count;
	usec_t first, last; /* wall */
};

struct table {
	uint16_t index[INDEX]; /* number of a row plus one */
	struct row row[FLAG_USAGE_ROWS];
	unsigned n;
	unsigned unknown;
};

static struct {
	struct flag_usage_conf conf;
	struct loop_timer *timer;
	struct table side[2];
	struct table streams;
	unsigned gathering; /* index of the side that takes new ones */
	bool writing;       /* the other one is on its way */
	bool had_streams;   /* the last report that was taken over named some */
	bool has_streams;   /* … the one on its way does */
} usage;

void
flag_usage_client(struct str user_agent, char out[FLAG_CLIENT_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < user_agent.len && n + 1 < FLAG_CLIENT_SIZE; i++) {
		const char c = user_agent.p[i];
		if (c == ' ' || c == '(' || c == ';' || c == '\t')
			break;
		const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				  (c >= '0' && c <= '9') ||
				  (c != '\0' && strchr(".-+/_", c) != NULL);
		out[n++] = good ? c : '_';
	}
	if (n == 0)
		out[n++] = '-';
	out[n] = '\0';
}

/* ---- the table ---- */

static uint64_t
mix(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return (h ^ 0xff) * UINT64_C(1099511628211);
}

static void
table_reset(struct table *t)
{
	if (t->n == 0)
		return;
	memset(t->index, 0, sizeof(t->index));
	t->n = 0;
	t->unknown = 0;
}

/* The row of the three, a new one if it is not there; NULL: the table is full. */
static struct row *
row_of(struct table *t, struct str flag, struct str principal, struct str client)
{
	const uint64_t h = mix(mix(mix(UINT64_C(14695981039346656037), flag), principal), client);
	size_t at = (h ^ (h >> 32)) & (INDEX - 1);

	for (; t->index[at] != 0; at = (at + 1) & (INDEX - 1)) {
		struct row *r = &t->row[t->index[at] - 1];
		if (str_is(flag, r->flag) && str_is(principal, r->principal) &&
		    str_is(client, r->client))
			return r;
	}
	if (t->n == FLAG_USAGE_ROWS)
		return NULL;
	struct row *r = &t->row[t->n];
	if (!str_copy(r->flag, sizeof(r->flag), flag) ||
	    !str_copy(r->principal, sizeof(r->principal), principal) ||
	    !str_copy(r->client, sizeof(r->client), client))
		return NULL;
	r->count = 0;
	t->index[at] = (uint16_t)++t->n;
	return r;
}

/* Of a key that is not there, which is whatever text a client thought of. */
static bool
is_plain(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if ((unsigned char)key.p[i] < 0x20 || key.p[i] == 0x7f)
			return false;
	return key.len > 0 && key.len <= FLAG_KEY_MAX && str_utf8_valid(key);
}

void
flag_usage_add(struct str key, struct str principal, struct str client, bool known, usec_t now)
{
	struct table *t = &usage.side[usage.gathering];
	const unsigned before = t->n;
	const struct str flag = key.p == NULL ? STR("") : key;
	struct row *r = NULL;

	/* Keys that anybody may think of must leave room for those that are there. */
	if (known || (t->unknown < FLAG_USAGE_UNKNOWN_MAX && is_plain(flag)))
		r = row_of(t, flag, principal, client);
	else
		r = row_of(t, STR(FLAG_USAGE_OTHERS), principal, client);
	if (r == NULL) {
		metric_add(flag_metric_set()->usage_lost, 1);
		return;
	}
	if (t->n != before && !known)
		t->unknown++;
	if (r->count++ == 0)
		r->first = now;
	r->last = now;
}

void
flag_usage_stream(struct str principal, struct str client)
{
	struct row *r = row_of(&usage.streams, STR(""), principal, client);
	if (r != NULL)
		r->count++;
}

/* ---- the report ---- */

static void
row_add(struct buf *out, const struct row *r, bool stream)
{
	char at[CLOCK_RFC3339_SIZE];

	buf_add_cstr(out, out->len == 1 ? "{" : ",{");
	if (!stream) {
		buf_add_cstr(out, "\"flag\":");
		buf_json_cstr(out, r->flag);
		buf_add_char(out, ',');
	}
	buf_add_cstr(out, "\"principal\":");
	buf_json_cstr(out, r->principal);
	buf_add_cstr(out, ",\"client\":");
	buf_json_cstr(out, r->client);
	buf_add_cstr(out, stream ? ",\"open\":" : ",\"count\":");
	buf_add_int(out, r->count);
	if (!stream) {
		clock_rfc3339(r->first, at);
		buf_add_cstr(out, ",\"first_at\":");
		buf_json_cstr(out, at);
		clock_rfc3339(r->last, at);
		buf_add_cstr(out, ",\"last_at\":");
		buf_json_cstr(out, at);
	}
	buf_add_char(out, '}');
}

static void
table_add(struct buf *out, const struct table *t, bool stream)
{
	buf_add_char(out, '[');
	for (unsigned i = 0; i < t->n; i++)
		row_add(out, &t->row[i], stream);
	buf_add_char(out, ']');
}

bool
flag_usage_take(void (*each)(void), struct buf *asked, struct buf *streams)
{
	if (usage.side[!usage.gathering].n == 0)
		usage.gathering = !usage.gathering;
	table_reset(&usage.streams);
	if (each != NULL)
		each();
	usage.has_streams = usage.streams.n > 0;
	if (usage.side[!usage.gathering].n == 0 && !usage.has_streams && !usage.had_streams)
		return false;
	table_add(asked, &usage.side[!usage.gathering], false);
	table_add(streams, &usage.streams, true);
	return !asked->failed && !streams->failed;
}

void
flag_usage_done(bool lost)
{
	struct table *t = &usage.side[!usage.gathering];

	for (unsigned i = 0; lost && i < t->n; i++)
		metric_add(flag_metric_set()->usage_lost, t->row[i].count);
	if (!lost)
		usage.had_streams = usage.has_streams;
	table_reset(t);
}

/* ---- telling it ---- */

static enum step
usage_send(struct task *t)
{
	struct buf asked, streams;
	enum step next = STEP_DONE;

	buf_init(&asked, FLAG_USAGE_BYTES_MAX);
	buf_init(&streams, FLAG_USAGE_BYTES_MAX);
	task_wait_soft(t);
	if (flag_usage_take(usage.conf.streams, &asked, &streams))
		next = usage.conf.send(t, buf_str(&asked), buf_str(&streams));
	else
		flag_usage_done(asked.failed || streams.failed);
	buf_free(&streams);
	buf_free(&asked);
	return next;
}

static enum step
usage_sent(struct task *t)
{
	const enum err err = usage.conf.sent(t);

	if (err == ERR_OK || (!err_row(err)->retryable && err != ERR_UNKNOWN_END))
		flag_usage_done(err != ERR_OK);
	return STEP_DONE;
}

static const struct step_row send_steps[] = {
	{ "send", usage_send },
	{ "sent", usage_sent },
	{ NULL, NULL },
};

static void
send_end(struct task *t UNUSED, void *arg UNUSED)
{
	usage.writing = false;
}

static void
send_start(void *arg UNUSED)
{
	struct task *t = NULL;

	if (!usage.writing &&
	    task_start(usage.conf.engine, "flag.usage", send_steps, clock_now_us() + SEND_DEADLINE,
		       4 * FLAG_USAGE_BYTES_MAX, send_end, NULL, &t) == ERR_OK)
		usage.writing = true;
}

void
flag_usage_start(const struct flag_usage_conf *conf)
{
	usage.conf = *conf;
	usage.timer = loop_every(conf->loop, conf->period, send_start, NULL);
}

void
flag_usage_flush(void)
{
	if (usage.timer != NULL)
		send_start(NULL);
}

void
flag_usage_stop(void)
{
	loop_timer_destroy(usage.timer);
	usage.timer = NULL;
}
