/*
 * offload.c — a small pool of threads for pure work. See offload.h.
 *
 * Place: under the loop. offload_wait queues; a thread runs the function and puts the job on the list of those that are done;
 * an eventfd wakes the loop, which wakes the tasks. Invariants: everything in `struct offload` behind `lock` is touched under it
 * alone; a job belongs to exactly one of loop, queue, thread, done list; only the loop's thread allocates and frees jobs.
 */
#include "base/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/log.h"

struct job {
	offload_fn *fn;
	void *arg;
	void (*release)(void *arg);
	struct task_handle task;
	unsigned slot;
	struct job *next;
};

struct list {
	struct job *first, *last;
};

struct offload {
	struct task_engine *engine; /* the loop's thread alone, from here … */
	struct event event;
	unsigned jobs;
	unsigned jobs_max;
	unsigned n_threads;
	pthread_t threads[OFFLOAD_THREADS_MAX];
	int nice; /* … to here; written before the threads start */
	int wake_fd;

	pthread_mutex_t lock;
	pthread_cond_t work; /* the queue is not empty, or `stopping` */
	struct list queue;
	struct list done;
	bool stopping;
};

static void
list_add(struct list *l, struct job *j)
{
	j->next = NULL;
	if (l->last != NULL)
		l->last->next = j;
	else
		l->first = j;
	l->last = j;
}

static struct job *
list_take(struct list *l)
{
	struct job *j = l->first;
	if (j != NULL)
		l->first = j->next;
	if (l->first == NULL)
		l->last = NULL;
	return j;
}

/* ---- the threads ---- */

static struct job *
next_job(struct offload *o)
{
	(void)pthread_mutex_lock(&o->lock);
	while (!o->stopping && o->queue.first == NULL)
		(void)pthread_cond_wait(&o->work, &o->lock);
	struct job *j = o->stopping ? NULL : list_take(&o->queue);
	(void)pthread_mutex_unlock(&o->lock);
	return j;
}

static void *
thread_main(void *arg)
{
	static const uint64_t one = 1;
	struct offload *o = arg;
	struct job *j;

	/* Of Linux: a thread has a priority of its own. It may not be allowed to lower it; then it runs as the others do. */
	if (o->nice != 0)
		(void)setpriority(PRIO_PROCESS, 0, o->nice);
	while ((j = next_job(o)) != NULL) {
		j->fn(j->arg);
		(void)pthread_mutex_lock(&o->lock);
		list_add(&o->done, j);
		(void)pthread_mutex_unlock(&o->lock);
		/* It only fails when the counter is full, and then the loop is awake anyway. */
		(void)!write(o->wake_fd, &one, sizeof(one));
	}
	return NULL;
}

/* ---- the loop ---- */

static void
job_end(struct offload *o, struct job *j, enum err err)
{
	if (err != ERR_OK && j->release != NULL)
		j->release(j->arg);
	task_wake(o->engine, j->task, j->slot, err, NULL, err == ERR_OK ? j->arg : NULL,
		  err == ERR_OK ? j->release : NULL);
	free(j);
	o->jobs--;
}

static void
on_done(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct offload *o = arg;
	uint64_t count;
	(void)!read(fd, &count, sizeof(count));
	(void)pthread_mutex_lock(&o->lock);
	struct list done = o->done;
	o->done = (struct list) { NULL, NULL };
	(void)pthread_mutex_unlock(&o->lock);
	struct job *j;
	while ((j = list_take(&done)) != NULL)
		job_end(o, j, ERR_OK);
}

/* A job whose task has ended needs no thread: it is taken out before another one is queued. */
static void
drop_orphans(struct offload *o)
{
	struct list gone = { NULL, NULL };
	struct list kept = { NULL, NULL };
	struct job *j;
	(void)pthread_mutex_lock(&o->lock);
	while ((j = list_take(&o->queue)) != NULL)
		list_add(task_find(o->engine, j->task) == NULL ? &gone : &kept, j);
	o->queue = kept;
	(void)pthread_mutex_unlock(&o->lock);
	while ((j = list_take(&gone)) != NULL)
		job_end(o, j, ERR_CANCELLED);
}

enum step
offload_wait(struct offload *o, struct task *t, offload_fn *fn, void *arg,
	     void (*release)(void *arg))
{
	if (o->jobs >= o->jobs_max)
		drop_orphans(o);
	struct job *j = o->jobs >= o->jobs_max ? NULL : calloc(1, sizeof(*j));
	unsigned slot = 0;
	if (j == NULL || task_wait_begin(t, &slot) != ERR_OK) {
		free(j);
		if (release != NULL)
			release(arg);
		return task_fail_set(t, ERR_BUSY, NULL,
				     "too many such requests are waiting; try again");
	}
	*j = (struct job) {
		.fn = fn, .arg = arg, .release = release, .task = t->t_handle, .slot = slot
	};
	o->jobs++;
	(void)pthread_mutex_lock(&o->lock);
	list_add(&o->queue, j);
	(void)pthread_cond_signal(&o->work);
	(void)pthread_mutex_unlock(&o->lock);
	return STEP_WAIT;
}

unsigned
offload_count(const struct offload *o)
{
	return o->jobs;
}

static enum err
threads_start(struct offload *o, unsigned n, struct err_info *info)
{
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = 0;
	while (failed == 0 && o->n_threads < n) {
		failed = pthread_create(&o->threads[o->n_threads], NULL, thread_main, o);
		o->n_threads += failed == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0 ? ERR_OK
			   : err_set(info, ERR_SYSTEM, NULL, "could not start a thread: %s",
				     strerror(failed));
}

enum err
offload_create(struct loop *l, struct task_engine *e, const struct offload_conf *conf,
	       struct offload **out, struct err_info *info)
{
	BUG_ON(conf->threads == 0 || conf->threads > OFFLOAD_THREADS_MAX ||
	       conf->queue_max > OFFLOAD_QUEUE_MAX);
	struct offload *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the threads");
	o->engine = e;
	o->jobs_max = conf->threads + conf->queue_max;
	o->nice = conf->nice;
	o->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_cond_init(&o->work, NULL);
	enum err err = o->wake_fd >= 0 ? ERR_OK
				       : err_set(info, ERR_SYSTEM, NULL,
						 "could not make an eventfd: %s", strerror(errno));
	(void)event_assign(&o->event, loop_base(l), o->wake_fd, EV_READ | EV_PERSIST, on_done, o);
	if (err == ERR_OK) {
		BUG_ON(event_add(&o->event, NULL) != 0);
		err = threads_start(o, conf->threads, info);
	}
	if (err != ERR_OK) {
		offload_destroy(o);
		o = NULL;
	}
	*out = o;
	return err;
}

void
offload_destroy(struct offload *o)
{
	if (o == NULL)
		return;
	(void)pthread_mutex_lock(&o->lock);
	o->stopping = true;
	(void)pthread_cond_broadcast(&o->work);
	(void)pthread_mutex_unlock(&o->lock);
	for (unsigned i = 0; i < o->n_threads; i++)
		(void)pthread_join(o->threads[i], NULL);
	/* Alone from here on. */
	struct job *j;
	while ((j = list_take(&o->done)) != NULL)
		job_end(o, j, ERR_OK);
	while ((j = list_take(&o->queue)) != NULL)
		job_end(o, j, ERR_STOPPING);
	if (o->wake_fd >= 0) {
		(void)event_del(&o->event);
		(void)close(o->wake_fd);
	}
	(void)pthread_cond_destroy(&o->work);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}
