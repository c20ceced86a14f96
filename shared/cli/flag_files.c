/*
 * flag_files.c — see flag_files.h. All errors of all files are gathered first, each with its place, so that one run shows them all and
 * nothing is sent to core before everything that can be known here is right.
 */
#include "cli/flag_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flag.h"

#define PATH_BYTES_MAX 4096

const char *const flag_member_names[FLAG_FILE_MEMBERS + 1] = {
	"key",     "kind",     "purpose", "business_owner", "technical_owner", "expires_at",
	"enabled", "document", NULL,
};

/* ---- one file ---- */

static void
members_take(struct flag_file *f, struct yaml_errors *e)
{
	for (const struct yaml_node *n = f->root->child; n != NULL; n = n->next) {
		size_t i = 0;
		while (i < FLAG_FILE_MEMBERS && !str_is(n->key, flag_member_names[i]))
			i++;
		if (i < FLAG_FILE_MEMBERS) {
			f->member[i] = n;
			continue;
		}
		const struct yaml_node at = { .line = n->key_line, .column = n->key_column };
		const char *near = str_nearest(n->key, flag_member_names);
		yaml_error(e, f->path, &at, NULL, "a flag has no member \"%.*s\"%s%s",
			   STR_FMT(n->key), near != NULL ? "; did you mean " : "",
			   near != NULL ? near : "");
	}
	for (size_t i = 0; i < FLAG_FILE_MEMBERS; i++)
		if (f->member[i] == NULL)
			yaml_error(e, f->path, f->root, NULL, "\"%s\" is required",
				   flag_member_names[i]);
}

/* The text of a member; STR_NONE: it is none, and that is said. */
static struct str
text_take(const struct flag_file *f, enum flag_member m, struct yaml_errors *e)
{
	const struct yaml_node *n = f->member[m];
	bool doubtful = false;

	if (n == NULL)
		return STR_NONE;
	if (n->kind == YAML_SCALAR && yaml_scalar_is(n, &doubtful) == YAML_IS_TEXT && !doubtful &&
	    n->text.len > 0)
		return n->text;
	yaml_error(e, f->path, n, flag_member_names[m], "must be a text");
	return STR_NONE;
}

static void
document_check(struct flag_file *f, struct arena *a, struct yaml_errors *e)
{
	const struct yaml_node *n = f->member[FLAG_M_DOCUMENT];
	struct err_info info = { .code = ERR_OK };
	double coverage = 0;
	struct buf json;

	if (n == NULL)
		return;
	if (n->kind != YAML_MAP) {
		yaml_error(e, f->path, n, "document", "must be a map");
		return;
	}
	buf_init(&json, FLAG_FILE_BYTES_MAX);
	if (yaml_json(n, f->path, &json, e) == ERR_OK) {
		f->document = arena_str(a, buf_str(&json));
		if (f->document.p == NULL)
			yaml_error(e, f->path, NULL, NULL, "the files need too much memory");
		else if (f->key[0] != '\0' &&
			 flag_document_check(str_of(f->key), f->document, "/document", &coverage,
					     &info) != ERR_OK)
			yaml_error(e, f->path, yaml_at(f->root, str_of(info.field)), info.field,
				   "%s", info.msg);
	}
	buf_free(&json);
}

static void
file_check(struct flag_file *f, struct arena *a, struct yaml_errors *e)
{
	if (f->root->kind != YAML_MAP) {
		yaml_error(e, f->path, f->root, NULL, "a flag is a map");
		return;
	}
	members_take(f, e);
	const struct str key = text_take(f, FLAG_M_KEY, e);
	if (key.p != NULL && (!flag_key_valid(key) || !str_copy(f->key, sizeof(f->key), key)))
		yaml_error(e, f->path, f->member[FLAG_M_KEY], "key",
			   "may hold lower-case letters, digits, '.', '_' and '-', and begins with "
			   "a letter or digit");
	const struct str kind = text_take(f, FLAG_M_KIND, e);
	if (kind.p != NULL && !str_is(kind, "release") && !str_is(kind, "experiment"))
		yaml_error(e, f->path, f->member[FLAG_M_KIND], "kind",
			   "must be release or experiment");
	(void)text_take(f, FLAG_M_PURPOSE, e);
	(void)text_take(f, FLAG_M_BUSINESS, e);
	(void)text_take(f, FLAG_M_TECHNICAL, e);
	const struct str expires = text_take(f, FLAG_M_EXPIRES, e);
	if (expires.p != NULL && clock_parse_rfc3339(expires, &f->expires) != ERR_OK)
		yaml_error(e, f->path, f->member[FLAG_M_EXPIRES], "expires_at",
			   "must be a date-time as in 2026-05-01T10:00:00Z");
	const struct yaml_node *enabled = f->member[FLAG_M_ENABLED];
	if (enabled != NULL &&
	    (enabled->kind != YAML_SCALAR || yaml_scalar_is(enabled, NULL) != YAML_IS_BOOL))
		yaml_error(e, f->path, enabled, "enabled", "must be true or false");
	document_check(f, a, e);
}

/* ---- the folder ---- */

static int
is_yaml(const struct dirent *d)
{
	const struct str name = str_of(d->d_name);
	return name.p[0] != '.' && (str_ends(name, ".yaml") || str_ends(name, ".yml"));
}

static bool
file_read_one(struct flag_files *files, const char *folder, const char *name)
{
	struct flag_file *f = &files->file[files->n];
	struct yaml_node *root = NULL;

	f->path = arena_printf(&files->arena, "%s/%s", folder, name);
	if (f->path == NULL)
		return false;
	if (yaml_read_file(&files->arena, f->path, &root, &files->errors) != ERR_OK)
		return true; /* said there */
	f->root = root;
	buf_init(&f->differences, CLI_BODY_BYTES_MAX);
	file_check(f, &files->arena, &files->errors);
	for (size_t i = 0; i < files->n; i++)
		if (f->key[0] != '\0' && strcmp(files->file[i].key, f->key) == 0)
			yaml_error(&files->errors, f->path, f->member[FLAG_M_KEY], "key",
				   "the flag %s stands in %s already", f->key, files->file[i].path);
	files->n++;
	return true;
}

bool
flag_files_read(struct flag_files *files, const char *folder)
{
	struct dirent **names = NULL;
	bool good = true;

	*files = (struct flag_files) { .n = 0 };
	arena_init(&files->arena, FLAG_FILES_ARENA_BYTES);
	yaml_errors_init(&files->errors);
	const int n = scandir(folder, &names, is_yaml, alphasort);
	if (n < 0) {
		fprintf(stderr, "bimodal: the folder %s cannot be read\n", folder);
		return false;
	}
	if (n > FLAG_FILES_MAX) {
		fprintf(stderr, "bimodal: there are more than %d files in %s\n", FLAG_FILES_MAX,
			folder);
		good = false;
	}
	files->file = calloc((size_t)n + 1, sizeof(*files->file));
	for (int i = 0; i < n; i++) {
		good = good && files->file != NULL &&
		       file_read_one(files, folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return good;
}

void
flag_files_free(struct flag_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		buf_free(&files->file[i].differences);
	free(files->file);
	yaml_errors_free(&files->errors);
	arena_release(&files->arena);
}

/* ---- what core has ---- */

/* The reply as a tree: JSON is read as the YAML that it is. */
static bool
tree_of(struct arena *a, const struct cli_reply *reply, struct yaml_node **out)
{
	struct yaml_errors errors;

	yaml_errors_init(&errors);
	const bool good =
		yaml_parse(a, "core's answer", buf_str(&reply->body), out, &errors) == ERR_OK;
	if (!good)
		fprintf(stderr, "bimodal: %s", errors.text.len > 0 ? buf_cstr(&errors.text) : "\n");
	yaml_errors_free(&errors);
	return good;
}

static bool
is_text(const struct yaml_node *n, struct str text)
{
	return n != NULL && n->kind == YAML_SCALAR && str_eq(n->text, text);
}

/* A draft of other rules would be lost, or published by somebody else in the place of these. */
static bool
draft_check(struct cli *c, struct flag_files *files, const struct flag_file *f)
{
	struct yaml_node *draft = NULL;
	struct cli_reply reply;
	struct buf path, lines;

	flag_path(&path, f->key, "/draft");
	bool good = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	buf_init(&lines, CLI_BODY_BYTES_MAX);
	if (good && reply.status == 200 && (good = tree_of(&files->arena, &reply, &draft)) &&
	    flag_trees_differ(yaml_get(draft, "document"), f->member[FLAG_M_DOCUMENT], &lines) > 0)
		yaml_error(&files->errors, f->path, f->member[FLAG_M_DOCUMENT], NULL,
			   "the flag %s has a draft of other rules: publish it or drop it first "
			   "(bimodal flag diff %s)",
			   f->key, f->key);
	buf_free(&lines);
	cli_reply_free(&reply);
	buf_free(&path);
	return good;
}

/* Of a flag that is to be made: what core would refuse is said before anything is sent. */
static bool
creation_check(struct cli *c, struct flag_files *files, const struct flag_file *f)
{
	const struct yaml_node *const *m = f->member;
	struct cli_reply reply;
	struct buf path;

	if (f->expires <= clock_wall_us())
		yaml_error(&files->errors, f->path, m[FLAG_M_EXPIRES], "expires_at",
			   "must be in the future for a flag that core does not have");
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/owners?business_owner=");
	buf_add_url(&path, m[FLAG_M_BUSINESS]->text);
	buf_add_cstr(&path, "&technical_owner=");
	buf_add_url(&path, m[FLAG_M_TECHNICAL]->text);
	if (path.failed) {
		yaml_error(&files->errors, f->path, m[FLAG_M_BUSINESS], NULL,
			   "the name is too long");
		buf_free(&path);
		return true;
	}
	const bool good = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	if (good && reply.status >= 400) {
		char detail[256] = "core refuses the owners";
		(void)!cli_reply_member(&reply, "detail", detail, sizeof(detail));
		yaml_error(&files->errors, f->path, m[FLAG_M_BUSINESS], "business_owner", "%s",
			   detail);
	}
	cli_reply_free(&reply);
	buf_free(&path);
	return good;
}

static bool
file_compare(struct cli *c, struct flag_files *files, struct flag_file *f)
{
	struct yaml_node *now = NULL;
	struct cli_reply reply;
	struct buf path;

	flag_path(&path, f->key, "");
	bool good = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	if (good && reply.status != 200 && reply.status != 404) {
		(void)cli_reply_print(c, &reply);
		good = false;
	}
	if (good && reply.status == 200)
		good = tree_of(&files->arena, &reply, &now);
	cli_reply_free(&reply);
	buf_free(&path);
	if (!good)
		return false;
	const struct yaml_node *archived = yaml_get(now, "archived_at");
	const struct yaml_node *revision = yaml_get(now, "revision");
	if (now == NULL || (archived != NULL && archived->quoted))
		return creation_check(c, files, f);
	if (revision == NULL || str_int(revision->text, 1, INT64_MAX, &f->revision) != ERR_OK)
		return false;
	f->now = now;
	if (!is_text(yaml_get(now, "kind"), f->member[FLAG_M_KIND]->text))
		yaml_error(&files->errors, f->path, f->member[FLAG_M_KIND], "kind",
			   "core has this flag as another kind, which does not change");
	f->turns = !is_text(yaml_get(now, "enabled"), f->member[FLAG_M_ENABLED]->text);
	f->n_differences = flag_trees_differ(yaml_get(now, "document"), f->member[FLAG_M_DOCUMENT],
					     &f->differences);
	return f->n_differences == 0 || draft_check(c, files, f);
}

bool
flag_files_compare(struct cli *c, struct flag_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		if (!file_compare(c, files, &files->file[i]))
			return false;
	return true;
}
