/*
 * doctor.c — `bimodal doctor`: what is wrong with an installation, and what to do about it. Each check prints one line if all is
 * well and two (what, remedy) if not; exit 1 if anything is wrong. It changes nothing.
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_in.h"
#include "cli/call.h"
#include "cli/cli.h"

#define PACKAGES_BYTES_MAX ((size_t)64 * 1024)
#define LAG_MS_MAX 5000
#define SKEW_S_MAX 2
#define CERTIFICATE_DAYS_MIN                                                                       \
	14 /* the daemons warn from then on, or from a third of a shorter life */
#define RUN "make run"

struct doctor {
	struct cli *c;
	unsigned wrong;
	bool reached[CLI_DAEMONS];
};

static void PRINTF(2, 3) good(const struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	if (d->c->quiet)
		return;
	fputs("ok     ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void PRINTF(3, 4) bad(struct doctor *d, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	d->wrong++;
	fputs("WRONG  ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n       remedy: %s\n", remedy);
}

/* ---- the machine ---- */

static void
check_folder(struct doctor *d)
{
	struct stat st;
	char path[1024];

	if (stat(d->c->var, &st) != 0 || !S_ISDIR(st.st_mode)) {
		bad(d, RUN " makes it; or name it with --var or $BIMODAL_VAR",
		    "the data folder %s is not there: %s", d->c->var, strerror(errno));
		return;
	}
	good(d, "data folder %s", d->c->var);
	snprintf(path, sizeof(path), "%s/tokens", d->c->var);
	if (stat(path, &st) != 0)
		bad(d, RUN " makes the tokens", "the folder of tokens %s cannot be read: %s", path,
		    strerror(errno));
	else if ((st.st_mode & 077) != 0)
		bad(d, "chmod 0700 on it", "others may look into the folder of tokens %s", path);
	else
		good(d, "tokens are readable by us alone");
}

/* Is the package there? No shell: the name comes from a file. */
static bool
package_there(const char *name)
{
	const pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		const char *const args[] = { "dpkg-query", "-W", "-f=${Status}", name, NULL };
		const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 ||
		    dup2(nowhere, STDERR_FILENO) < 0)
			_exit(127);
		execvp(args[0], (char *const *)(const void *)args);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Lines "name group why": those of group `run` must be there; `build` and `test` only where one builds. */
static void
check_packages(struct doctor *d, const char *list)
{
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };
	unsigned n = 0;

	if (file_read(list, PACKAGES_BYTES_MAX, false, &text, &len, &info) != ERR_OK) {
		bad(d, "run it in the checkout, or give --packages FILE",
		    "the list of packages could not be read: %s", info.msg);
		return;
	}
	for (struct str rest = { text, len }; rest.p != NULL;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		char name[128];
		if (line.len == 0 || line.p[0] == '#')
			continue;
		const struct str word = str_cut(&line, ' ');
		if (!str_starts(str_trim(line), "run") || !str_copy(name, sizeof(name), word))
			continue;
		n++;
		if (!package_there(name))
			bad(d, "apt-get install it; " RUN " does", "the package %s is missing",
			    name);
	}
	free(text);
	good(d, "%u packages looked for", n);
}

/* ---- the daemons ---- */

/* A date of the first certificate that was shown, "Expire date" say; -1 if it is not told. */
static time_t
certificate_date(const struct curl_certinfo *shown, const char *what)
{
	const size_t n = strlen(what);

	if (shown->num_of_certs < 1)
		return -1;
	for (const struct curl_slist *l = shown->certinfo[0]; l != NULL; l = l->next)
		if (strncmp(l->data, what, n) == 0 && l->data[n] == ':')
			return curl_getdate(l->data + n + 1, NULL);
	return -1;
}

/* When the certificate of an https address ends, as the daemon shows it: a handshake, and no request. */
static void
check_certificate(struct doctor *d, enum cli_daemon daemon)
{
	const char *name = cli_daemon_name[daemon];
	struct curl_certinfo *shown = NULL;
	CURL *curl = curl_easy_init();

	if (curl == NULL || strncmp(d->c->url[daemon], "https:", 6) != 0) {
		curl_easy_cleanup(curl);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, d->c->url[daemon]);
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	call_tls(d->c, curl);
	time_t from = -1;
	time_t until = -1;
	if (curl_easy_perform(curl) == CURLE_OK &&
	    curl_easy_getinfo(curl, CURLINFO_CERTINFO, &shown) == CURLE_OK && shown != NULL) {
		from = certificate_date(shown, "Start date");
		until = certificate_date(shown, "Expire date");
	}
	curl_easy_cleanup(curl);
	const long long left = (long long)(until - time(NULL));
	const long long near = MIN(CERTIFICATE_DAYS_MIN * 86400LL, (long long)(until - from) / 3);
	if (from < 0 || until < 0)
		bad(d, "look at it with openssl s_client",
		    "the certificate of bimodal-%s does not say when it ends", name);
	else if (left < near)
		bad(d, "put a new pair where http.tls says and send the parent SIGHUP",
		    "the certificate of bimodal-%s ends in %lld days", name, left / 86400);
	else
		good(d, "the certificate of bimodal-%s is good for %lld days", name, left / 86400);
}

static void
check_reached(struct doctor *d, enum cli_daemon daemon)
{
	struct cli_reply reply;
	const char *name = cli_daemon_name[daemon];

	if (!cli_call_quiet(d->c, daemon, "GET", "/healthz", NULL, STR_NONE, &reply)) {
		bad(d, RUN " starts it; var/log has its log", "bimodal-%s does not answer: %s",
		    name, reply.error);
		cli_reply_free(&reply);
		return;
	}
	d->reached[daemon] = true;
	good(d, "bimodal-%s answers at %s in %.1f ms", name, d->c->url[daemon],
	     reply.seconds * 1000);
	const time_t there = reply.date[0] != '\0' ? curl_getdate(reply.date, NULL) : -1;
	const long skew = there >= 0 ? (long)(there - (time_t)(clock_wall_us() / USEC_PER_SEC)) : 0;
	if (labs(skew) > SKEW_S_MAX)
		bad(d, "set the clocks by one server of time (systemd-timesyncd or chrony)",
		    "the clock of bimodal-%s differs from ours by %ld s", name, skew);
	else if (there >= 0)
		good(d, "the clock of bimodal-%s agrees with ours", name);
	cli_reply_free(&reply);
}

/* Every member of /readyz that is false is a part that is not ready. */
static void
check_ready(struct doctor *d, enum cli_daemon daemon)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const char *name = cli_daemon_name[daemon];
	unsigned parts = 0;

	if (!cli_call_quiet(d->c, daemon, "GET", "/readyz", NULL, STR_NONE, &reply) ||
	    json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
		bad(d, "see its log in var/log", "bimodal-%s does not say whether it is ready",
		    name);
		cli_reply_free(&reply);
		return;
	}
	const struct cJSON *item;
	cJSON_ArrayForEach(item, j)
	{
		if (!cJSON_IsFalse(item))
			continue;
		parts++;
		bad(d,
		    strcmp(item->string, "database") == 0
			    ? "start its PostgreSQL (deploy/cluster.sh start) and see var/log"
			    : "see its log in var/log",
		    "bimodal-%s is not ready: %s", name, item->string);
	}
	if (reply.status == 200)
		good(d, "bimodal-%s is ready", name);
	else if (parts == 0)
		bad(d, "see its log in var/log", "bimodal-%s is not ready (status %ld)", name,
		    reply.status);
	json_free(j);
	cli_reply_free(&reply);
}

/* A token of the right daemon is taken; none and the other daemon's are refused. */
static void
check_tokens(struct doctor *d, enum cli_daemon daemon)
{
	const enum cli_daemon other = daemon == CLI_CORE ? CLI_SANDBOX : CLI_CORE;
	struct cli borrowed = *d->c;
	struct cli_reply reply;
	const char *name = cli_daemon_name[daemon];

	if (!cli_call_quiet(d->c, daemon, "GET", "/v1/me", NULL, STR_NONE, &reply) ||
	    reply.status != 200)
		bad(d, RUN " makes a new one",
		    "bimodal-%s does not accept our token of role %s (status %ld)", name, d->c->as,
		    reply.status);
	else
		good(d, "bimodal-%s accepts our token of role %s", name, d->c->as);
	cli_reply_free(&reply);
	borrowed.token[daemon] = "not-a-token";
	if (cli_call_quiet(&borrowed, daemon, "GET", "/v1/me", NULL, STR_NONE, &reply) &&
	    reply.status == 401)
		good(d, "bimodal-%s refuses an unknown token", name);
	else
		bad(d, "stop it: whoever reaches it gets in",
		    "bimodal-%s did not refuse an unknown token (status %ld)", name, reply.status);
	cli_reply_free(&reply);
	if (d->c->token[other] == NULL || d->c->token_file != NULL)
		return;
	borrowed.token[daemon] = d->c->token[other];
	if (cli_call_quiet(&borrowed, daemon, "GET", "/v1/me", NULL, STR_NONE, &reply) &&
	    reply.status == 401)
		good(d, "bimodal-%s refuses a token of the %s", name, cli_daemon_name[other]);
	else
		bad(d, "look at access.token: each token has one audience",
		    "bimodal-%s did not refuse a token of the %s (status %ld)", name,
		    cli_daemon_name[other], reply.status);
	cli_reply_free(&reply);
}

/* ---- the feed ---- */

static struct cJSON *
feed_get(struct doctor *d, enum cli_daemon daemon)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;

	if (!cli_call_quiet(d->c, daemon, "GET", "/v1/feed", NULL, STR_NONE, &reply) ||
	    reply.status != 200 || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK)
		bad(d, "ask as operator; see its log in var/log",
		    "bimodal-%s does not tell the state of the feed (status %ld)",
		    cli_daemon_name[daemon], reply.status);
	cli_reply_free(&reply);
	return j;
}

static void
check_slots(struct doctor *d, const char *hop, const struct cJSON *slots)
{
	const struct cJSON *slot;

	cJSON_ArrayForEach(slot, slots)
	{
		const char *name = NULL;
		const char *wal = NULL;
		bool active = false;
		if (json_string(slot, "slot", true, &name, NULL) != ERR_OK ||
		    json_bool(slot, "active", true, &active, NULL) != ERR_OK ||
		    json_string(slot, "wal_status", false, &wal, NULL) != ERR_OK)
			continue;
		if (wal != NULL && strcmp(wal, "lost") == 0)
			bad(d, "it is copied anew by itself; watch bimodal feed status",
			    "hop %s: slot %s was cut off because it fell too far behind", hop,
			    name);
		else if (!active)
			bad(d, "start the PostgreSQL behind it (deploy/cluster.sh start)",
			    "hop %s: nobody reads slot %s", hop, name);
	}
}

static void
check_feed_core(struct doctor *d)
{
	struct cJSON *j = feed_get(d, CLI_CORE);
	unsigned n = 0;

	const struct cJSON *hop;
	cJSON_ArrayForEach(hop, json_get(j, "hops"))
	{
		const char *name = NULL;
		int64_t age = 0;
		const struct cJSON *state = json_get(hop, "state");
		if (json_string(hop, "hop", true, &name, NULL) != ERR_OK ||
		    json_int(hop, "age_ms", true, INT64_MIN, INT64_MAX, &age, NULL) != ERR_OK)
			continue;
		n++;
		if (age > LAG_MS_MAX)
			bad(d, "see var/log: core's jobs process looks each second",
			    "hop %s was looked at %lld ms ago", name, (long long)age);
		else
			good(d, "hop %s was looked at %lld ms ago", name, (long long)age);
		if (cJSON_IsFalse(json_get(state, "airlock_reached")))
			bad(d, "start the airlock's PostgreSQL (deploy/cluster.sh start)",
			    "core does not reach the airlock");
		check_slots(d, name, json_get(state, "slots"));
	}
	if (j != NULL && n == 0)
		bad(d, "deploy/feed.sh sets it up", "core knows of no feed");
	json_free(j);
}

static void
check_feed_sandbox(struct doctor *d)
{
	struct cJSON *j = feed_get(d, CLI_SANDBOX);
	int64_t lag = 0;

	if (j == NULL)
		return;
	if (json_int(j, "lag_ms", true, INT64_MIN, INT64_MAX, &lag, NULL) != ERR_OK)
		bad(d, "deploy/feed.sh sets it up", "nothing has reached the sandbox yet");
	else if (lag > LAG_MS_MAX)
		bad(d, "see which hop stands: bimodal feed status",
		    "the sandbox's copy is %lld ms behind", (long long)lag);
	else
		good(d, "the sandbox's copy is %lld ms behind", (long long)lag);
	const struct cJSON *sub;
	cJSON_ArrayForEach(sub, json_get(j, "subscriptions"))
	{
		const char *name = NULL;
		bool enabled = true;
		if (json_string(sub, "name", true, &name, NULL) == ERR_OK &&
		    json_bool(sub, "enabled", true, &enabled, NULL) == ERR_OK && !enabled)
			bad(d,
			    "see the log of the sandbox's PostgreSQL, repair, then ALTER "
			    "SUBSCRIPTION … ENABLE",
			    "subscription %s stopped on an error", name);
	}
	json_free(j);
}

/* Stopped is no fault, but nobody should look for one elsewhere. */
static void
check_mode2(struct doctor *d)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const char *since = NULL, *by = NULL, *reason = NULL;
	bool stopped = false;

	if (!cli_call_quiet(d->c, CLI_CORE, "GET", "/v1/mode2", NULL, STR_NONE, &reply) ||
	    reply.status != 200 || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK ||
	    json_bool(j, "stopped", true, &stopped, NULL) != ERR_OK)
		bad(d, "ask as operator; see its log in var/log",
		    "bimodal-core does not tell whether Mode 2 is stopped (status %ld)",
		    reply.status);
	else if (!stopped)
		good(d, "Mode 2 is not stopped");
	else if (json_string(j, "since", false, &since, NULL) == ERR_OK &&
		 json_string(j, "by_name", false, &by, NULL) == ERR_OK &&
		 json_string(j, "reason", false, &reason, NULL) == ERR_OK)
		printf("note   Mode 2 was stopped by %s at %.16s: %s\n"
		       "       every experiment is off until bimodal mode2 start\n",
		       by != NULL ? by : "-", since != NULL ? since : "-",
		       reason != NULL ? reason : "-");
	json_free(j);
	cli_reply_free(&reply);
}

static int
doctor_run(struct cli *c)
{
	struct doctor d = { .c = c };
	const char *packages = "deploy/packages.txt";
	const struct cli_option options[] = { { "--packages", CLI_OPTION_TEXT, &packages, 0, 0 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	check_folder(&d);
	check_packages(&d, packages);
	for (int daemon = CLI_CORE; daemon <= CLI_SANDBOX; daemon++)
		check_reached(&d, (enum cli_daemon)daemon);
	for (int daemon = CLI_CORE; daemon <= CLI_SANDBOX; daemon++) {
		if (!d.reached[daemon])
			continue;
		check_certificate(&d, (enum cli_daemon)daemon);
		check_ready(&d, (enum cli_daemon)daemon);
		check_tokens(&d, (enum cli_daemon)daemon);
	}
	if (d.reached[CLI_CORE]) {
		check_feed_core(&d);
		check_mode2(&d);
	}
	if (d.reached[CLI_SANDBOX])
		check_feed_sandbox(&d);
	if (d.wrong > 0)
		printf("%u %s wrong\n", d.wrong, d.wrong == 1 ? "thing is" : "things are");
	else
		puts("nothing is wrong");
	return d.wrong > 0 ? 1 : 0;
}

const struct cli_command cli_doctor_commands[] = {
	{ "doctor", "[--packages FILE]", "what is wrong with this installation, and the remedy",
	  doctor_run, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
