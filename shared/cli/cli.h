/*
 * cli.h — the `bimodal` command: tables of commands, one file a group, HTTP only. What a command may use: its options, HTTP
 * calls one at a time or many at once, and printing.
 *
 * Where to and as whom: --core URL, --sandbox URL, --as ROLE with tokens in $BIMODAL_VAR/tokens/ROLE (core) and ROLE.sandbox, and
 * the ports in $BIMODAL_VAR/run/core/port and run/sandbox/port (`make run` writes them; default folder "var"); or --token-file FILE.
 * Certificates of https addresses are always verified: against the system's roots, or those of --ca FILE or $BIMODAL_CA alone. Where
 * $BIMODAL_VAR/tls/ca.pem is there (deploy/tls.sh), the addresses found in that folder are https and that is their root.
 * --trace FILE or $BIMODAL_TRACE: every exchange is a line of JSON in that file (trace.c).
 */
#ifndef BIMODAL_CLI_CLI_H
#define BIMODAL_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

#define CLI_REPLY_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define CLI_BODY_BYTES_MAX ((size_t)8 * 1024 * 1024) /* the daemons take no larger batch */
#define CLI_PATH_BYTES_MAX 4096
#define CLI_ID_SIZE 40 /* a uuid as text, with room     */
#define CLI_PARALLEL 4 /* connections of cli_call_many  */

enum cli_daemon { CLI_CORE, CLI_SANDBOX };
#define CLI_DAEMONS 2
extern const char *const cli_daemon_name[CLI_DAEMONS];

struct cli {
	const char *url[CLI_DAEMONS];   /* NULL: read from the var folder when needed   */
	const char *token[CLI_DAEMONS]; /* likewise                                     */
	const char *var;                /* the var folder                               */
	const char *as;                 /* role whose token is used                     */
	const char *token_file;         /* instead of the role's                        */
	const char *ca_file;            /* roots for https; NULL: those of the system   */
	const char *trace_file;         /* NULL: no trace                               */
	bool raw;                       /* --raw: print replies as they came, not indented */
	bool quiet;                     /* --quiet: print ids and figures alone, no progress */
	int argc;                       /* of the command, without its name             */
	char **argv;
	const struct cli_command *command;
};

struct cli_command {
	const char *name;    /* "record get": one to three words     */
	const char *usage;   /* arguments                            */
	const char *summary; /* one line                             */
	int (*run)(struct cli *c);
	const char *role; /* whose token is used without --as; NULL = agent */
};

/* The tables of all files; each ends with a NULL name. */
extern const struct cli_command cli_record_commands[];
extern const struct cli_command cli_view_commands[];
extern const struct cli_command cli_segment_commands[];
extern const struct cli_command cli_consent_commands[];
extern const struct cli_command cli_import_commands[];
extern const struct cli_command cli_seed_commands[];
extern const struct cli_command cli_outcomes_commands[];
extern const struct cli_command cli_flag_commands[];
extern const struct cli_command cli_ramp_commands[];
extern const struct cli_command cli_mode2_commands[];
extern const struct cli_command cli_feature_commands[];
extern const struct cli_command cli_experiment_commands[];
extern const struct cli_command cli_change_commands[];
extern const struct cli_command cli_user_commands[];
extern const struct cli_command cli_team_commands[];
extern const struct cli_command cli_token_commands[];
extern const struct cli_command cli_feed_commands[];
extern const struct cli_command cli_session_commands[];
extern const struct cli_command cli_sign_in_commands[];
extern const struct cli_command cli_notices_commands[];
extern const struct cli_command cli_doctor_commands[];
extern const struct cli_command cli_compare_commands[];
extern const struct cli_command cli_load_commands[];
extern const struct cli_command cli_access_commands[];
extern const struct cli_command cli_live_commands[];

/* ---- options (args.c) ---- */
enum cli_option_kind {
	CLI_OPTION_TEXT,    /* const char *                     */
	CLI_OPTION_INT,     /* int64_t, min … max               */
	CLI_OPTION_DECIMAL, /* double, min … max                */
	CLI_OPTION_SWITCH   /* bool, takes no value             */
};
struct cli_option {
	const char *name; /* "--people" */
	enum cli_option_kind kind;
	void *value; /* left alone where the option is not given */
	int64_t min;
	int64_t max;
};
/*
 * Take the options out of the command's arguments ("--name value" or "--name=value"; "--" ends them) and leave the words, of
 * which there must be `words_min` to `words_max`. False: what is wrong was printed; return 2.
 */
MUST_CHECK bool cli_options(struct cli *c, const struct cli_option *options, size_t n,
			    int words_min, int words_max);

/* ---- calls (call.c, many.c) ---- */

/* One reply. Release with cli_reply_free. */
struct cli_reply {
	long status; /* 0: no reply at all        */
	struct buf body;
	struct buf head; /* its header lines, where there is a trace */
	char etag[128];
	char location[512];
	char cookie[512]; /* "name=value" of a Set-Cookie */
	char date[64];
	char error[256]; /* of the transport          */
	double seconds;
};

/*
 * One HTTP call. `extra` is NULL or header lines separated by "\n". A body sets Content-Type: application/json (merge-patch for
 * PATCH) unless `extra` has one. Returns false when there was no reply (printed why). Release the reply in either case.
 */
MUST_CHECK bool cli_call(struct cli *c, enum cli_daemon daemon, const char *method,
			 const char *path, const char *extra, struct str body,
			 struct cli_reply *reply);
/* The same without a word on stderr: reply->error says why there was none. */
MUST_CHECK bool cli_call_quiet(struct cli *c, enum cli_daemon daemon, const char *method,
			       const char *path, const char *extra, struct str body,
			       struct cli_reply *reply);
void cli_reply_free(struct cli_reply *reply);
/* One call whose reply is all there is to show; returns the exit code. */
int cli_call_print(struct cli *c, enum cli_daemon daemon, const char *method, const char *path,
		   struct str body);
/* The same with the path "<before><word><after>"; a body of no bytes is none. */
int cli_call_one(struct cli *c, enum cli_daemon daemon, const char *method, const char *before,
		 const char *word, const char *after, struct str body);

/* One of many calls. */
struct cli_request {
	enum cli_daemon daemon;
	const char *method;
	struct buf path;
	struct buf
		body; /* empty: none                                                              */
	char key[64]; /* Idempotency-Key; empty: none. With one, a lost reply is asked for again  */
	struct cli_reply reply;
	size_t first; /* the caller's own: what the request carries                               */
	size_t count;
	bool started; /* of many.c                                                                */
};
void cli_request_init(struct cli_request *r, enum cli_daemon daemon, const char *method);
void cli_request_free(struct cli_request *r);
/*
 * All of them over at most CLI_PARALLEL connections; an overloaded daemon (503, 429) is asked again after a pause, some times.
 * False if one had no reply (printed why). The replies' statuses are for the caller to judge.
 */
MUST_CHECK bool cli_call_many(struct cli *c, struct cli_request *requests, size_t n);

/* ---- showing ---- */

/* 2xx: prints the body (indented unless --raw) and returns 0. Else prints the problem on stderr and returns 1. */
int cli_reply_print(const struct cli *c, const struct cli_reply *reply);
/* The value of a top-level member of the reply, as text without quotes; false if it is absent. */
MUST_CHECK bool cli_reply_member(const struct cli_reply *reply, const char *name, char *out,
				 size_t size);
/* A line on stderr that is written over, at most ten times a second; on a file one line in ten seconds. Nothing with --quiet. */
void cli_progress(const struct cli *c, const char *what, size_t done, size_t total);
void cli_progress_end(const struct cli *c);

/* Append "name=value" arguments as a JSON object: value is text, unless written name:=JSON. Prints what is wrong and returns false. */
MUST_CHECK bool cli_object(struct buf *out, int argc, char **argv);
/* Append text as a percent-encoded path segment or query value. */
void cli_escape(struct buf *out, const char *text);
/*
 * Append the command's words from `first` on, each "name=value", as a query string that begins with `mark` ('\0': with nothing).
 * False: what is wrong was printed; return 2.
 */
MUST_CHECK bool cli_query(struct cli *c, int first, char mark, struct buf *out);

/* A file as text, "-" for stdin: *out is malloc'd. False: printed why. */
MUST_CHECK bool cli_file(const char *path, size_t limit, char **out, size_t *len);

int cli_usage(const struct cli *c); /* "usage: …" of the command on stderr; returns 2 */

#endif
