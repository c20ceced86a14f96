/*
 * limit.c — how much each principal, and each address without one, may still ask for. See access.h.
 *
 * Place: the guard charges every request, a room whatever costs more. One time a key: the moment at
 * which its quota would be whole again; a request of cost n moves it by n/quota of the window and is
 * refused where that would reach further than one window ahead. So a bucket is one word, changed by
 * compare-and-swap, and holds over all workers: the tables are in a mapping made before the fork.
 *
 * Invariants: fixed memory (two tables of 512 KiB); addresses have a table of their own, so that
 * strangers never push a principal out; a set that is full gives up the bucket that is nearest to
 * being whole, which is the one that loses least. Two workers that claim one bucket at once may be
 * off by one request.
 */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "access/internal.h"
#include "base/log.h"
#include "base/metric.h"
#include "http/http.h"

#define SET_BITS 12
#define WAYS 8
#define NSEC_PER_USEC 1000

struct bucket {
	_Atomic uint64_t key; /* 0: free */
	_Atomic int64_t whole_at;
};

struct table {
	struct bucket set[1u << SET_BITS][WAYS];
};

static struct shared {
	uint64_t salt; /* nobody outside can choose whose bucket to share */
	struct table principals;
	struct table addresses;
} * shared;

static struct metric *refused_count;
static struct metric *evicted_count;

void
access_limits_map(void)
{
	if (shared != NULL)
		return;
	refused_count = metric_counter("access_limited_total", NULL,
				       "Requests refused because a quota was used up.");
	evicted_count = metric_counter("access_limit_evictions_total", NULL,
				       "Quotas in use that were forgotten for want of room.");
	void *made = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	if (made == MAP_FAILED) {
		log_error("access.limits", "could not map %zu bytes for the rate limits",
			  sizeof(*shared));
		exit(EXIT_FAILURE);
	}
	shared = made;
	random_bytes(&shared->salt, sizeof(shared->salt));
}

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static uint64_t
key_of(const void *bytes, size_t n)
{
	uint64_t h = shared->salt;
	const char *p = bytes;
	while (n > 0) {
		uint64_t word = 0;
		const size_t take = MIN(n, sizeof(word));
		memcpy(&word, p, take);
		h = mix(h ^ word) + take;
		p += take;
		n -= take;
	}
	return h == 0 ? 1 : h;
}

/* An IPv6 client counts by its /64, which is what one customer is given. */
static uint64_t
address_key(struct str peer)
{
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN + 1];
	if (memchr(peer.p, ':', peer.len) != NULL && str_copy(text, sizeof(text), peer) &&
	    inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
		return key_of(v6.s6_addr, 8);
	return key_of(peer.p, peer.len);
}

static struct bucket *
bucket_of(struct table *t, uint64_t key, int64_t now)
{
	struct bucket *set = t->set[key >> (64 - SET_BITS)];
	struct bucket *victim = &set[0];
	for (unsigned i = 0; i < WAYS; i++) {
		if (atomic_load_explicit(&set[i].key, memory_order_relaxed) == key)
			return &set[i];
		if (atomic_load_explicit(&set[i].whole_at, memory_order_relaxed) <
		    atomic_load_explicit(&victim->whole_at, memory_order_relaxed))
			victim = &set[i];
	}
	if (atomic_load_explicit(&victim->whole_at, memory_order_relaxed) > now)
		metric_add(evicted_count, 1);
	atomic_store_explicit(&victim->whole_at, 0, memory_order_relaxed);
	atomic_store_explicit(&victim->key, key, memory_order_relaxed);
	return victim;
}

bool
access_limit_take(struct access_limit *l, int64_t cost)
{
	const int64_t now = clock_now_us() * NSEC_PER_USEC;
	const int64_t window = l->window * NSEC_PER_USEC;
	struct bucket *b =
		bucket_of(l->is_address ? &shared->addresses : &shared->principals, l->key, now);
	/* What costs more than the whole quota is let in when nothing else was asked. */
	const int64_t step =
		(int64_t)((double)window / (double)l->quota * (double)MIN(cost, l->quota));
	int64_t old = atomic_load_explicit(&b->whole_at, memory_order_relaxed);
	int64_t ahead = 0;
	bool allowed = false;
	do {
		ahead = MAX(old - now, 0);
		allowed = ahead + step <= window;
		if (!allowed || cost == 0)
			break;
	} while (!atomic_compare_exchange_weak_explicit(&b->whole_at, &old, now + ahead + step,
							memory_order_relaxed,
							memory_order_relaxed));
	if (allowed && cost > 0)
		ahead += step;
	l->left = (int64_t)((double)(window - ahead) / (double)window * (double)l->quota);
	l->reset = (ahead + NSEC_PER_USEC * USEC_PER_SEC - 1) / (NSEC_PER_USEC * USEC_PER_SEC);
	l->wait = allowed ? 0
			  : (ahead + step - window + NSEC_PER_USEC * USEC_PER_SEC - 1) /
				    (NSEC_PER_USEC * USEC_PER_SEC);
	return allowed;
}

/* ---- whose quota ---- */

bool
access_limit_of(const struct access *a, const struct access_actor *actor, struct access_limit *out)
{
	const struct access_limits *limits = &a->conf.limits;
	*out = (struct access_limit) { .window = limits->window, .policy = STR("none") };
	if (shared == NULL)
		return false;
	for (size_t i = 0; i < a->conf.roles->n_roles; i++) {
		if ((actor->roles >> i & 1) == 0)
			continue;
		const struct str role = a->conf.roles->roles[i].name;
		int64_t quota = limits->other;
		for (size_t k = 0; k < limits->n; k++) {
			if (str_is(role, limits->of[k].role))
				quota = limits->of[k].quota;
		}
		if (quota == 0)
			return false;
		if (quota > out->quota) {
			out->quota = quota;
			out->policy = role;
		}
	}
	if (out->quota == 0)
		out->quota = limits->other;
	out->key = key_of(actor->principal, sizeof(actor->principal) - 1);
	return out->quota > 0 && out->window > 0;
}

static bool
address_limit(const struct access *a, struct str peer, struct access_limit *out)
{
	*out = (struct access_limit) { .window = a->conf.limits.window,
				       .quota = a->conf.limits.address,
				       .policy = STR("address"),
				       .is_address = true };
	if (peer.len == 0 || out->quota == 0 || out->window == 0)
		return false;
	out->key = address_key(peer);
	return true;
}

/* ---- the guard's part ---- */

/*
 * "agent";r=99;t=1 and "agent";q=100;w=10 of draft-ietf-httpapi-ratelimit-headers, until the next call. The buffers are kept: nothing is
 * allocated for them.
 */
static struct str
policy_text(const struct access_limit *l)
{
	static struct buf text = { .limit = 256 };
	buf_reset(&text);
	buf_add_char(&text, '"');
	buf_add_str(&text, l->policy);
	buf_add_cstr(&text, "\";q=");
	buf_add_int(&text, l->quota);
	buf_add_cstr(&text, ";w=");
	buf_add_int(&text, MAX(l->window / USEC_PER_SEC, 1));
	return buf_str(&text);
}

static struct str
limit_text(const struct access_limit *l)
{
	static struct buf text = { .limit = 256 };
	buf_reset(&text);
	buf_add_char(&text, '"');
	buf_add_str(&text, l->policy);
	buf_add_cstr(&text, "\";r=");
	buf_add_int(&text, MAX(l->left, 0));
	buf_add_cstr(&text, ";t=");
	buf_add_int(&text, l->reset);
	return buf_str(&text);
}

static enum err
used_up(const struct access_limit *l, struct err_info *info)
{
	metric_add(refused_count, 1);
	return err_set(info, ERR_RATE, NULL,
		       "the quota of %lld requests in %lld s is used up; try again in %lld s",
		       (long long)l->quota, (long long)MAX(l->window / USEC_PER_SEC, 1),
		       (long long)l->wait);
}

static enum err
charge(struct task *t, struct access_limit *l, int64_t cost)
{
	const bool allowed = access_limit_take(l, cost);
	http_reply_header_set(t, "RateLimit-Policy", policy_text(l));
	http_reply_header_set(t, "RateLimit", limit_text(l));
	if (allowed)
		return ERR_OK;
	http_reply_header_fmt(t, "Retry-After", "%lld", (long long)l->wait);
	t->t_err_members = str_of(
		arena_printf(&t->t_arena, "\"violated-policies\":[\"%.*s\"]", STR_FMT(l->policy)));
	return used_up(l, &t->t_err);
}

enum err
access_charge(struct task *t, unsigned cost)
{
	const struct access *a = access_here();
	const struct access_actor *actor = access_actor_of(t);
	struct access_limit l;
	return a != NULL && actor != NULL && access_limit_of(a, actor, &l) ? charge(t, &l, cost)
									   : ERR_OK;
}

enum err
access_charge_request(struct task *t, const struct access *a)
{
	struct access_limit l;
	if (access_actor_of(t) != NULL)
		return access_charge(t, 1);
	/* A balancer that asks whether we live must not be told that it asks too often. */
	if (str_starts(str_of(t->t_name), "health."))
		return ERR_OK;
	return address_limit(a, http_peer(t), &l) ? charge(t, &l, 1) : ERR_OK;
}

enum err
access_charge_unknown(struct task *t)
{
	const struct access *a = access_here();
	struct access_limit l;
	return a != NULL && address_limit(a, http_peer(t), &l) ? charge(t, &l, 1) : ERR_OK;
}

bool
access_charge_early(struct str peer, struct str token, struct http_early *out,
		    struct err_info *info)
{
	static struct access_actor actor; /* large; looked at here alone */
	static char wait[24];
	static char members[ACCESS_NAME_SIZE + 32];
	struct access *a = access_here();
	struct err_info unknown = { .code = ERR_OK };
	const char *reason = NULL;
	struct access_limit l;
	const bool known = a != NULL && token.p != NULL &&
			   access_check(a, token, &actor, &reason, &unknown) == ERR_OK;
	if (a == NULL || !(known ? access_limit_of(a, &actor, &l) : address_limit(a, peer, &l)))
		return true;
	const bool allowed = access_limit_take(&l, 1);
	out->headers[out->n].name = "RateLimit-Policy";
	out->headers[out->n++].value = policy_text(&l);
	out->headers[out->n].name = "RateLimit";
	out->headers[out->n++].value = limit_text(&l);
	if (allowed)
		return true;
	(void)snprintf(wait, sizeof(wait), "%lld", (long long)l.wait);
	out->headers[out->n].name = "Retry-After";
	out->headers[out->n++].value = str_of(wait);
	(void)snprintf(members, sizeof(members), "\"violated-policies\":[\"%.*s\"]",
		       STR_FMT(l.policy));
	out->members = str_of(members);
	return used_up(&l, info) == ERR_OK;
}
