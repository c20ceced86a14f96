/*
 * flag_plan.c — `bimodal flag export`, `flag plan` and `flag apply`: flags as files in a folder. A plan says what would be made, changed,
 * left alone; apply does it, one flag after the other, each rule change as a draft that is published over the revision that was looked at,
 * so that whoever has changed the flag meanwhile is not overwritten and every guard of publishing holds. Nothing is archived without
 * --prune, and never an experiment, which the sandbox ends.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/flag_files.h"
#include "cli/pages.h"

#define EXIT_CHANGES 2 /* of a plan, with --detailed-exitcode */
#define EXIT_WAITING 3 /* of apply: approval, or a worker */

struct plan {
	struct cli *c;
	struct flag_files files;
	const char *comment;
	bool prune;
	bool rebucket; /* those who have met a variation may be given another one */
	char (*gone)[FLAG_KEY_MAX + 1]; /* live releases without a file */
	size_t n_gone, room;
	unsigned made, changed, same;
	bool waiting;
};

/* ---- what is to be done ---- */

static bool
gone_take(const struct cJSON *record, void *arg)
{
	struct plan *p = arg;
	const char *key = NULL, *kind = NULL;

	if (json_string(record, "key", true, &key, NULL) != ERR_OK ||
	    json_string(record, "kind", true, &kind, NULL) != ERR_OK)
		return false;
	for (size_t i = 0; i < p->files.n; i++)
		if (strcmp(p->files.file[i].key, key) == 0)
			return true;
	if (strcmp(kind, "release") != 0)
		return true;
	if (p->n_gone == p->room) {
		p->room = p->room > 0 ? 2 * p->room : 64;
		void *more = realloc(p->gone, p->room * sizeof(*p->gone));
		if (more == NULL)
			return false;
		p->gone = more;
	}
	return str_copy(p->gone[p->n_gone++], FLAG_KEY_MAX + 1, str_of(key));
}

static bool
is_on(const struct flag_file *f)
{
	return str_is(f->member[FLAG_M_ENABLED]->text, "true");
}

/* What a file says that apply does not change: said, so that nobody thinks it was. */
static void
others_print(const struct flag_file *f)
{
	static const enum flag_member others[] = { FLAG_M_PURPOSE, FLAG_M_BUSINESS,
						   FLAG_M_TECHNICAL, FLAG_M_EXPIRES };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *name = flag_member_names[others[i]];
		const struct yaml_node *now = yaml_get(f->now, name);
		const struct str here = f->member[others[i]]->text;
		usec_t at = 0;
		const bool same = now != NULL &&
				  (others[i] == FLAG_M_EXPIRES
					   ? clock_parse_rfc3339(now->text, &at) == ERR_OK &&
						     at / USEC_PER_MS == f->expires / USEC_PER_MS
					   : str_eq(now->text, here));
		if (!same)
			printf("  note: %s is \"%.*s\" in core and \"%.*s\" in %s:%u; it is not "
			       "changed by apply\n",
			       name, now != NULL ? (int)now->text.len : 0,
			       now != NULL ? now->text.p : "", STR_FMT(here), f->path,
			       f->member[others[i]]->line);
	}
}

static void
file_print(struct plan *p, struct flag_file *f)
{
	if (f->now == NULL) {
		p->made++;
		printf("create %s (%s), %s\n", f->key, f->path, is_on(f) ? "on" : "off");
		return;
	}
	if (f->n_differences > 0 || f->turns) {
		p->changed++;
		printf("change %s (%s), revision %lld\n", f->key, f->path, (long long)f->revision);
		fputs(f->differences.len > 0 ? buf_cstr(&f->differences) : "", stdout);
		if (f->turns)
			printf("  turn %s\n", is_on(f) ? "on" : "off");
	} else {
		p->same++;
		if (!p->c->quiet)
			printf("same   %s\n", f->key);
	}
	others_print(f);
}

static void
plan_print(struct plan *p)
{
	for (size_t i = 0; i < p->files.n; i++)
		file_print(p, &p->files.file[i]);
	for (size_t i = 0; i < p->n_gone && p->prune; i++)
		printf("archive %s\n", p->gone[i]);
	printf("%u to create, %u to change, %zu to archive, %u as they are", p->made, p->changed,
	       p->prune ? p->n_gone : 0, p->same);
	if (!p->prune && p->n_gone > 0)
		printf("; %zu %s no file and %s left alone", p->n_gone,
		       p->n_gone == 1 ? "flag has" : "flags have", p->n_gone == 1 ? "is" : "are");
	putchar('\n');
}

/* Read, check, compare, print. False: nothing may be done, and why was printed. */
static bool
plan_make(struct plan *p, const char *folder)
{
	struct yaml_errors *e = &p->files.errors;
	bool good = flag_files_read(&p->files, folder);

	if (good && e->count == 0)
		good = flag_files_compare(p->c, &p->files) &&
		       cli_pages(p->c, CLI_CORE, "flags", NULL, gone_take, p);
	if (e->count > 0) {
		fprintf(stderr, "%s%u %s; nothing was changed\n",
			buf_cstr(&e->text) != NULL ? buf_cstr(&e->text) : "", e->count,
			e->count == 1 ? "error" : "errors");
		return false;
	}
	if (good)
		plan_print(p);
	return good;
}

static void
plan_free(struct plan *p)
{
	flag_files_free(&p->files);
	free(p->gone);
}

int
flag_plan(struct cli *c)
{
	struct plan p = { .c = c };
	bool detailed = false;
	const struct cli_option options[] = {
		{ "--prune", CLI_OPTION_SWITCH, &p.prune, 0, 0 },
		{ "--detailed-exitcode", CLI_OPTION_SWITCH, &detailed, 0, 0 },
	};

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	const bool good = plan_make(&p, c->argv[0]);
	const bool pending = p.made + p.changed > 0 || (p.prune && p.n_gone > 0);
	plan_free(&p);
	return !good ? 1 : detailed && pending ? EXIT_CHANGES : 0;
}

/* ---- doing it ---- */

/* One write. 202 is one that somebody else has to approve; anything else past 2xx ends the run. */
static bool
write_call(struct plan *p, const char *method, const char *path, const char *extra, struct str body,
	   bool tells)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;

	bool good = cli_call(p->c, CLI_CORE, method, path, extra, body, &reply);
	if (good && reply.status == 202) {
		p->waiting = true;
		puts("  waits for approval:");
		(void)cli_reply_print(p->c, &reply);
	} else if (good && (reply.status < 200 || reply.status >= 300)) {
		(void)cli_reply_print(p->c, &reply);
		good = false;
	} else if (good && tells && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK) {
		int64_t workers = 0, of = 0;
		const struct cJSON *applied = json_get(j, "applied");
		fputs("  ", stdout);
		(void)flag_applied_print(j);
		if (json_int(applied, "workers", true, 0, INT64_MAX, &workers, NULL) != ERR_OK ||
		    json_int(applied, "of", true, 0, INT64_MAX, &of, NULL) != ERR_OK ||
		    workers < of)
			p->waiting = true;
	}
	json_free(j);
	cli_reply_free(&reply);
	return good;
}

static void
comment_add(struct buf *body, const struct plan *p)
{
	buf_add_cstr(body, "\"comment\":");
	buf_json_cstr(body, p->comment);
	buf_add_char(body, '}');
}

static bool
create_do(struct plan *p, const struct flag_file *f)
{
	struct buf body;

	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_add_char(&body, '{');
	for (size_t i = 0; i < FLAG_FILE_MEMBERS; i++) {
		buf_printf(&body, "%s\"%s\":", i > 0 ? "," : "", flag_member_names[i]);
		if (i == FLAG_M_DOCUMENT)
			buf_add_str(&body, f->document);
		else if (i == FLAG_M_ENABLED)
			buf_add_str(&body, f->member[i]->text);
		else
			buf_json_str(&body, f->member[i]->text);
	}
	buf_add_char(&body, '}');
	const bool good =
		!body.failed && write_call(p, "POST", "/v1/flags", NULL, buf_str(&body), true);
	buf_free(&body);
	return good;
}

/*
 * The draft is made from the revision that was looked at, and published over that one alone. Where the flag has just been turned off,
 * which is a revision of its own, the draft's base says that the rules are still those.
 */
static bool
rules_do(struct plan *p, const struct flag_file *f)
{
	struct buf path, body, match;

	flag_path(&path, f->key, "/draft");
	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_printf(&body, "{\"base\":%lld,\"document\":", (long long)f->revision);
	buf_add_str(&body, f->document);
	buf_add_char(&body, ',');
	comment_add(&body, p);
	bool good =
		!body.failed && write_call(p, "PUT", buf_cstr(&path), NULL, buf_str(&body), false);
	buf_free(&path);
	flag_path(&path, f->key, "/publish");
	buf_reset(&body);
	buf_add_cstr(&body, p->rebucket ? "{\"rebucket\":true," : "{");
	comment_add(&body, p);
	buf_init(&match, CLI_ID_SIZE);
	buf_printf(&match, "If-Match: \"v%lld\"", (long long)f->revision);
	const bool strict = !f->turns || is_on(f);
	if (good && !write_call(p, "POST", buf_cstr(&path), strict ? buf_cstr(&match) : NULL,
				buf_str(&body), true)) {
		fprintf(stderr, "bimodal: the rules of %s stay a draft: bimodal flag diff %s\n",
			f->key, f->key);
		good = false;
	}
	buf_free(&match);
	buf_free(&body);
	buf_free(&path);
	return good;
}

static bool
key_do(struct plan *p, const char *method, const char *key, const char *rest)
{
	struct buf path, body;

	flag_path(&path, key, rest);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_char(&body, '{');
	comment_add(&body, p);
	const bool good = write_call(p, method, buf_cstr(&path), NULL,
				     strcmp(method, "POST") == 0 ? buf_str(&body) : STR_NONE, true);
	buf_free(&body);
	buf_free(&path);
	return good;
}

static bool
file_do(struct plan *p, const struct flag_file *f)
{
	if (f->now == NULL) {
		printf("create %s\n", f->key);
		return create_do(p, f);
	}
	if (f->n_differences == 0 && !f->turns)
		return true;
	printf("change %s\n", f->key);
	/* Off before other rules, on after them: nobody is given what no side wants. */
	if (f->turns && !is_on(f) && !key_do(p, "POST", f->key, "/disable"))
		return false;
	if (f->n_differences > 0 && !rules_do(p, f))
		return false;
	return !f->turns || !is_on(f) || key_do(p, "POST", f->key, "/enable");
}

int
flag_apply(struct cli *c)
{
	struct plan p = { .c = c, .comment = "applied from files" };
	const struct cli_option options[] = {
		{ "--prune", CLI_OPTION_SWITCH, &p.prune, 0, 0 },
		{ "--comment", CLI_OPTION_TEXT, &p.comment, 0, 0 },
		{ "--rebucket", CLI_OPTION_SWITCH, &p.rebucket, 0, 0 },
	};

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	bool good = plan_make(&p, c->argv[0]);
	size_t done = 0;
	for (size_t i = 0; good && i < p.files.n; i++)
		if ((good = file_do(&p, &p.files.file[i])))
			done++;
	for (size_t i = 0; good && p.prune && i < p.n_gone; i++) {
		printf("archive %s\n", p.gone[i]);
		good = key_do(&p, "DELETE", p.gone[i], "");
	}
	if (!good && p.files.n > 0 && p.files.errors.count == 0)
		fprintf(stderr, "bimodal: stopped after %zu of %zu files; another run goes on\n",
			done, p.files.n);
	plan_free(&p);
	return !good ? 1 : p.waiting ? EXIT_WAITING : 0;
}

/* ---- export ---- */

/* The flag as text that gives the same when it is read again. False: printed why. */
static bool
export_text(const struct cli_reply *reply, struct buf *out)
{
	struct yaml_node *flag = NULL, *again = NULL;
	struct yaml_errors errors;
	struct buf first, second;
	struct arena a;

	arena_init(&a, FLAG_FILES_ARENA_BYTES);
	yaml_errors_init(&errors);
	buf_init(&first, FLAG_FILE_BYTES_MAX);
	buf_init(&second, FLAG_FILE_BYTES_MAX);
	const struct yaml_node *tree =
		yaml_parse(&a, "core's answer", buf_str(&reply->body), &flag, &errors) == ERR_OK
			? flag_file_tree(&a, flag)
			: NULL;
	const bool good = tree != NULL && yaml_write(tree, out) == ERR_OK &&
			  yaml_parse(&a, "the export", buf_str(out), &again, &errors) == ERR_OK &&
			  yaml_json(tree, "core's answer", &first, &errors) == ERR_OK &&
			  yaml_json(again, "the export", &second, &errors) == ERR_OK &&
			  str_eq(buf_str(&first), buf_str(&second));
	if (!good)
		fprintf(stderr,
			"bimodal: the flag cannot be written as YAML that says the same\n%s",
			errors.text.len > 0 ? buf_cstr(&errors.text) : "");
	buf_free(&second);
	buf_free(&first);
	yaml_errors_free(&errors);
	arena_release(&a);
	return good;
}

static bool
export_one(struct cli *c, const char *key, const char *folder)
{
	struct err_info info = { .code = ERR_OK };
	struct cli_reply reply;
	struct buf path, text;

	flag_path(&path, key, "");
	buf_init(&text, FLAG_FILE_BYTES_MAX);
	bool good = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	if (good && reply.status != 200) {
		(void)cli_reply_print(c, &reply);
		good = false;
	}
	good = good && export_text(&reply, &text);
	if (good && folder == NULL) {
		fputs(buf_cstr(&text), stdout);
	} else if (good) {
		buf_reset(&path);
		buf_printf(&path, "%s/%s.yaml", folder, key);
		if (path.failed || file_write(buf_cstr(&path), buf_cstr(&text), &info) != ERR_OK) {
			fprintf(stderr, "bimodal: %s/%s.yaml: %s\n", folder, key, info.msg);
			good = false;
		}
	}
	cli_reply_free(&reply);
	buf_free(&text);
	buf_free(&path);
	return good;
}

struct exported {
	struct cli *c;
	const char *folder;
	size_t n;
	bool failed;
};

static bool
export_take(const struct cJSON *record, void *arg)
{
	struct exported *x = arg;
	const char *key = NULL;

	if (json_string(record, "key", true, &key, NULL) != ERR_OK ||
	    !flag_key_valid(str_of(key)) || !export_one(x->c, key, x->folder)) {
		x->failed = true;
		return false;
	}
	x->n++;
	return true;
}

int
flag_export(struct cli *c)
{
	struct exported x = { .c = c };
	const struct cli_option options[] = { { "--dir", CLI_OPTION_TEXT, &x.folder, 0, 0 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 1))
		return 2;
	if (c->argc == 0 && x.folder == NULL) {
		fputs("bimodal: name one flag, or a folder for all of them\n", stderr);
		return cli_usage(c);
	}
	if (x.folder != NULL && mkdir(x.folder, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "bimodal: %s: %s\n", x.folder, strerror(errno));
		return 1;
	}
	if (c->argc == 1)
		return export_one(c, c->argv[0], x.folder) ? 0 : 1;
	const bool good = cli_pages(c, CLI_CORE, "flags", NULL, export_take, &x) && !x.failed;
	if (!c->quiet)
		printf("%zu flags written to %s\n", x.n, x.folder);
	return good ? 0 : 1;
}
