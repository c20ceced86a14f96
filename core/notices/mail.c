/*
 * mail.c — the job that sends notices by e-mail. What is due for a recipient is put into one message by the database; a message is
 * taken with a lease, sent, and noted. A process that is killed between sending and noting leaves the lease to run out: the message
 * goes out a second time, under the same Message-ID, rather than never.
 */
#include "core/notices/internal.h"

#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "core/notices/message.h"
#include "gen/sql_core.h"
#include "http/mail.h"

#define UNDER_WAY_MAX 8
#define SEND_TIMEOUT (30 * USEC_PER_SEC)
#define LEASE (90 * USEC_PER_SEC)
#define TRIES_MAX 10
#define PAUSE_MAX (6 * 3600 * USEC_PER_SEC)

static struct http_mail *mailer;
static unsigned under_way;
static struct metric *sent;
static struct metric *failed;
static struct metric *dead;

/* One message; in the arena of its task. */
struct letter {
	const char *id;
	const char *address;
	int64_t attempt;
	int64_t tries;
	usec_t at;
	struct str notices;
	struct err_info info; /* why it could not even be handed to the mailer */
};

/* ---- one message ---- */

static enum step
letter_send(struct task *t)
{
	struct letter *l = t->t_owner;
	struct buf text;

	buf_init(&text, NOTICES_MESSAGE_MAX);
	const enum err err = core_notices_message(
		&(struct notices_message) { .from = core_notices_conf.smtp.from,
					    .to = l->address,
					    .id = l->id,
					    .url = core_notices_conf.url,
					    .at = l->at,
					    .notices = l->notices },
		&t->t_arena, &text, &t->t_err);
	task_wait_soft(t);
	const enum step next = err != ERR_OK
				       ? task_fail(t)
				       : http_mail_wait(mailer, t, l->address, buf_str(&text));
	buf_free(&text);
	if (t->t_err.code == ERR_OK)
		return next;
	l->info = t->t_err;
	err_clear(&t->t_err);
	return STEP_NEXT;
}

usec_t
core_notices_pause(usec_t first, int64_t tries, unsigned chance)
{
	const int64_t doublings = MIN(MAX(tries, 1) - 1, 20);
	const usec_t pause = MIN(first << doublings, PAUSE_MAX);

	return pause - pause / 4 * (usec_t)(chance & 0xffff) / 65536;
}

static enum step
letter_note(struct task *t)
{
	const struct letter *l = t->t_owner;
	const struct err_info *info = &l->info;
	const enum err err = l->info.code != ERR_OK ? l->info.code : task_wait_err(t, 0, &info);
	const bool over = err == ERR_INVALID || l->tries >= TRIES_MAX;
	uint16_t chance = 0;

	random_bytes(&chance, sizeof(chance));
	const usec_t pause = core_notices_pause(core_notices_conf.smtp.retry, l->tries, chance);

	metric_add(err == ERR_OK ? sent : over ? dead : failed, 1);
	if (err != ERR_OK && over)
		log_warn("mail.dead", "message %s is given up: %s", l->id, info->msg);
	const struct postgres_param params[] = {
		P_TEXT(l->id),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)l->attempt)),
		P_TEXT(err == ERR_OK ? "sent"
		       : over        ? "dead"
				     : "again"),
		P_TEXT(err == ERR_OK ? NULL : info->msg),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)(pause / USEC_PER_MS))),
	};
	return postgres_wait(core_notices_conf.pool, t, &sql_notice_mail_done, params,
			     ARRAY_LEN(params));
}

static enum step
letter_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row letter_steps[] = {
	{ "send", letter_send },
	{ "note", letter_note },
	{ "done", letter_done },
	{ NULL, NULL },
};

static void
letter_end(struct task *t, void *arg UNUSED)
{
	under_way--;
	if (t->t_err.code != ERR_OK && t->t_cancel != TASK_SHUTDOWN)
		log_error("mail.failed", "a message was not brought to its end: %s", t->t_err.msg);
}

static void
letter_start(struct task *job, int row)
{
	struct task *t = NULL;

	if (task_start(core_notices_conf.engine, "notices.letter", letter_steps,
		       clock_now_us() + SEND_TIMEOUT + 10 * USEC_PER_SEC, 2 * ARENA_CAP_BYTES,
		       letter_end, NULL, &t) != ERR_OK)
		return; /* its lease runs out and it is taken again */
	under_way++;
	struct letter *l = arena_alloc(&t->t_arena, sizeof(*l));
	if (l != NULL)
		*l = (struct letter) {
			.id = arena_strdup(&t->t_arena, postgres_value(job, 0, row, 0)),
			.address = arena_strdup(&t->t_arena, postgres_value(job, 0, row, 1)),
			.attempt = postgres_int(job, 0, row, 2, 0),
			.tries = postgres_int(job, 0, row, 3, 0),
			.at = postgres_int(job, 0, row, 4, 0),
			.notices = arena_str(&t->t_arena, postgres_value(job, 0, row, 5).p != NULL
								  ? postgres_value(job, 0, row, 5)
								  : STR("[]")),
		};
	if (l == NULL || l->id == NULL || l->address == NULL || l->notices.p == NULL)
		task_cancel(t, TASK_SHUTDOWN);
	t->t_owner = l;
}

/* ---- the job ---- */

static enum step
mail_gather(struct task *t)
{
	return postgres_wait(core_notices_conf.pool, t, &sql_notice_mail_gather, NULL, 0);
}

static enum step
mail_take(struct task *t)
{
	const unsigned room = UNDER_WAY_MAX - MIN(under_way, (unsigned)UNDER_WAY_MAX);
	const struct postgres_param params[] = {
		P_TEXT(arena_printf(&t->t_arena, "%u", room)),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)LEASE)),
	};

	if (room == 0)
		return STEP_DONE;
	return postgres_wait(core_notices_conf.pool, t, &sql_notice_mail_take, params,
			     ARRAY_LEN(params));
}

static enum step
mail_send(struct task *t)
{
	const int rows = postgres_rows(t, 0);

	for (int i = 0; i < rows; i++)
		letter_start(t, i);
	return STEP_DONE;
}

static const struct step_row mail_steps[] = {
	{ "gather", mail_gather },
	{ "take", mail_take },
	{ "send", mail_send },
	{ NULL, NULL },
};

void
core_notices_mail_metrics(void)
{
	const char *help = "attempts to send an e-mail, by what became of them";

	sent = metric_counter("bimodal_mails_total", "result=\"sent\"", help);
	failed = metric_counter("bimodal_mails_total", "result=\"failed\"", help);
	dead = metric_counter("bimodal_mails_total", "result=\"dead\"", help);
}

void
core_notices_mail_jobs(struct daemon_jobs *jobs)
{
	const struct core_notices_conf *c = &core_notices_conf;

	mailer = http_mail_create(c->loop, c->engine,
				  &(struct http_mail_conf) { .url = c->smtp.url,
							     .user = c->smtp.user,
							     .password = c->smtp.password,
							     .from = c->smtp.from,
							     .ca_file = c->smtp.ca_file,
							     .timeout = SEND_TIMEOUT });
	daemon_jobs_add(jobs, &(struct daemon_job) {
				      .name = "notices.mail",
				      .period = c->period,
				      .steps = mail_steps,
			      });
}

void
core_notices_mail_finish(void)
{
	http_mail_destroy(mailer);
	mailer = NULL;
}
