/*
 * generations.c — see generations.h. One statement both reports and asks: it takes what is served and returns the three
 * newest generations, so that a lost NOTIFY costs a second and never more.
 */
#include "daemon/generations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SEEN_PERIOD USEC_PER_SEC
#define SEEN_DEADLINE (3 * USEC_PER_SEC)

struct daemon_generations {
	struct daemon_generations_conf conf;
	struct task_engine *engine;
	struct loop_timer *timer;
	struct postgres_listen *listen;
	usec_t loaded_at[3]; /* by kind: when a comparison last started a load */
	bool running;        /* one acknowledgement at a time … */
	bool again;          /* … and one more if a swap came meanwhile */
};

static step_fn seen_write, seen_compare;

static const struct step_row seen_steps[] = {
	{ "write", seen_write },
	{ "compare", seen_compare },
	{ NULL, NULL },
};

/* A daemon may lack a kind: it is then never behind. */
static int64_t
served(const struct daemon_generation *kind)
{
	return kind->served != NULL ? kind->served(kind->arg) : -1;
}

static void
load(struct task_engine *e, const struct daemon_generation *kind)
{
	if (kind->load != NULL)
		kind->load(e, kind->arg);
}

static enum step
seen_write(struct task *t)
{
	const struct daemon_generations *g = t->t_owner;
	const struct daemon_generation *const kind[] = { &g->conf.flag, &g->conf.schema,
							 &g->conf.access };
	char text[ARRAY_LEN(kind)][24];
	char worker[24];

	for (size_t i = 0; i < ARRAY_LEN(kind); i++)
		snprintf(text[i], sizeof(text[i]), "%lld", (long long)served(kind[i]));
	snprintf(worker, sizeof(worker), "%u", g->conf.worker);
	const struct postgres_param params[] = {
		P_TEXT(g->conf.instance), P_TEXT(worker),  P_TEXT(text[0]),
		P_TEXT(text[1]),          P_TEXT(text[2]),
	};
	return postgres_wait(g->conf.pool, t, g->conf.seen, params, ARRAY_LEN(params));
}

static enum step
seen_compare(struct task *t)
{
	struct daemon_generations *g = t->t_owner;
	const struct daemon_generation *const kind[] = { &g->conf.flag, &g->conf.schema,
							 &g->conf.access };
	const usec_t now = clock_now_us();

	/* A swap asks again at once; a snapshot that never reaches the newest generation must not make that a busy loop. */
	for (int i = 0; i < (int)ARRAY_LEN(kind); i++) {
		if (postgres_int(t, 0, 0, i, -1) == served(kind[i]) ||
		    now - g->loaded_at[i] < SEEN_PERIOD / 2)
			continue;
		g->loaded_at[i] = now;
		load(t->t_engine, kind[i]);
	}
	return STEP_DONE;
}

static void seen_start(void *arg);

static void
seen_end(struct task *t, void *arg)
{
	struct daemon_generations *g = arg;

	g->running = false;
	if (g->again && t->t_cancel != TASK_SHUTDOWN) {
		g->again = false;
		seen_start(g);
	}
}

static void
seen_start(void *arg)
{
	struct daemon_generations *g = arg;
	struct task *t = NULL;

	if (g->running ||
	    task_start(g->engine, "worker.seen", seen_steps, clock_now_us() + SEEN_DEADLINE,
		       ARENA_CAP_BYTES, seen_end, g, &t) != ERR_OK)
		return;
	t->t_owner = g;
	g->running = true;
}

static void
load_all(void *arg)
{
	struct daemon_generations *g = arg;

	load(g->engine, &g->conf.access);
	load(g->engine, &g->conf.schema);
	load(g->engine, &g->conf.flag);
}

static void
heard(const char *channel UNUSED, const char *payload, void *arg)
{
	struct daemon_generations *g = arg;
	const struct daemon_generation *kind =
		strncmp(payload, "flag ", 5) == 0     ? &g->conf.flag
		: strncmp(payload, "schema ", 7) == 0 ? &g->conf.schema
		: strncmp(payload, "access ", 7) == 0 ? &g->conf.access
						      : NULL;
	if (kind != NULL)
		load(g->engine, kind);
}

void
daemon_generations_swapped(struct daemon_generations *g)
{
	if (g == NULL)
		return;
	g->again = g->running;
	seen_start(g);
}

enum err
daemon_generations_start(struct loop *l, struct task_engine *e,
			 const struct daemon_generations_conf *conf,
			 struct daemon_generations **out, struct err_info *info)
{
	struct daemon_generations *g = calloc(1, sizeof(*g));
	if (g == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the generations");
	g->conf = *conf;
	g->engine = e;
	const enum err err =
		postgres_listen_create(l, conf->conninfo, conf->label, "bimodal_generation", heard,
				       load_all, g, &g->listen, info);
	if (err != ERR_OK) {
		free(g);
		return err;
	}
	g->timer = loop_every(l, SEEN_PERIOD, seen_start, g);
	*out = g;
	return ERR_OK;
}

void
daemon_generations_stop(struct daemon_generations *g)
{
	if (g == NULL)
		return;
	postgres_listen_destroy(g->listen);
	loop_timer_destroy(g->timer);
	free(g);
}
