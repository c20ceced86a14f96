/*
 * multi.c — see multi.h. Invariant: curl's callbacks only (dis)arm events, they never call back into curl.
 */
#include "http/multi.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"

struct http_multi {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	http_multi_done_fn *done;
};

static void
finished_collect(struct http_multi *m)
{
	int left = 0;

	for (const CURLMsg *msg = curl_multi_info_read(m->multi, &left); msg != NULL;
	     msg = curl_multi_info_read(m->multi, &left)) {
		char *private = NULL;
		if (msg->msg != CURLMSG_DONE)
			continue;
		const CURLcode code = msg->data.result;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		m->done(private, code);
	}
}

static void
socket_ready(evutil_socket_t fd, short what, void *arg)
{
	struct http_multi *m = arg;
	int running = 0;
	const int flags = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
			  ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(m->multi, fd, flags, &running);
	finished_collect(m);
}

static void
timer_fired(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http_multi *m = arg;
	int running = 0;

	(void)curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finished_collect(m);
}

static int
socket_wanted(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_multi *m = arg;
	struct event *event = known;

	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		const short events =
			(short)(EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
				((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
		event = event_new(m->base, fd, events, socket_ready, m);
		if (event == NULL || event_add(event, NULL) != 0) {
			if (event != NULL)
				event_free(event);
			event = NULL;
		}
	}
	(void)curl_multi_assign(m->multi, fd, event);
	return what != CURL_POLL_REMOVE && event == NULL ? -1 : 0;
}

static int
timer_wanted(CURLM *multi UNUSED, long ms, void *arg)
{
	struct http_multi *m = arg;

	if (ms < 0)
		return event_del(m->timer);
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	return event_add(m->timer, &after);
}

struct http_multi *
http_multi_create(struct loop *l, unsigned connections_max, http_multi_done_fn *done)
{
	static bool ready;
	struct http_multi *m = calloc(1, sizeof(*m));

	BUG_ON(m == NULL);
	if (!ready) {
		BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
		ready = true;
	}
	m->base = loop_base(l);
	m->done = done;
	m->timer = event_new(m->base, -1, 0, timer_fired, m);
	m->multi = curl_multi_init();
	BUG_ON(m->timer == NULL || m->multi == NULL);
	(void)curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	(void)curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
	(void)curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	(void)curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
	(void)curl_multi_setopt(m->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections_max);
	return m;
}

void
http_multi_destroy(struct http_multi *m)
{
	if (m == NULL)
		return;
	(void)curl_multi_cleanup(m->multi);
	event_free(m->timer);
	free(m);
}

enum err
http_multi_add(struct http_multi *m, CURL *easy)
{
	return curl_multi_add_handle(m->multi, easy) == CURLM_OK ? ERR_OK : ERR_NO_MEMORY;
}

void
http_multi_remove(struct http_multi *m, CURL *easy)
{
	(void)curl_multi_remove_handle(m->multi, easy);
}
