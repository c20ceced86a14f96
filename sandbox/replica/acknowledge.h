/*
 * acknowledge.h — a worker tells core, through its API, which generations it serves: each second and on every swap. Core shows it beside a
 * kill and never waits for it.
 */
#ifndef BIMODAL_SANDBOX_ACKNOWLEDGE_H
#define BIMODAL_SANDBOX_ACKNOWLEDGE_H

#include <stdint.h>

#include "base/loop.h"
#include "base/task.h"
#include "http/client.h"

struct sandbox_acknowledge_conf {
	struct http_client *core;
	const char *instance;
	unsigned worker;
	int64_t (*flag)(void *arg);
	int64_t (*schema)(void *arg);
	int64_t (*access)(void *arg);
	void *arg;
};

/* Once a worker; what `conf` names must live until the stop. */
void sandbox_acknowledge_start(struct loop *l, struct task_engine *e,
			       const struct sandbox_acknowledge_conf *conf);
void sandbox_acknowledge_stop(void);
/* A request that proposes something: ERR_OK, or its error is set, because core said last that Mode 2 is stopped. */
MUST_CHECK enum err sandbox_mode2_check(struct task *t);
/* Something was swapped: tell now. */
void sandbox_acknowledge_now(void);

#endif
