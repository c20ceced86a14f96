/*
 * live.c — the room: its route, its start and its end. See live.h.
 */
#include "core/live/internal.h"

struct live live;

void
core_live_start(const struct core_live_conf *conf)
{
	live.conf = *conf;
	live.epoch = 1;
	live.schema = -1;
	buf_init(&live.text, (size_t)conf->buffer * 2);
	live.timer = loop_every(conf->loop, conf->period, live_tail_tick, NULL);
}

void
core_live_access_changed(void)
{
	live.epoch++;
	if (live.n > 0)
		live_streams_recheck();
}

void
core_live_stop(void)
{
	loop_timer_destroy(live.timer);
	live.timer = NULL;
	buf_free(&live.text);
}

void
core_live_metrics(void)
{
	live_streams_metrics();
}

const struct http_route core_live_routes[] = {
	{ HTTP_GET, "/v1/live", "live.stream", live_open_steps, .right = "live.read" },
};
const size_t core_live_routes_count = ARRAY_LEN(core_live_routes);
