/*
 * files.c — see files.h. Load: walk the folder, read each file, sort by name, hang compressed forms on the file they belong to. Serve:
 * find by name, choose the form, compare ETags. The table does not change after it was loaded, so all processes share its pages.
 */
#include "http/files.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

#define ETAG_SIZE 36
#define ETAG_DIGITS 32

/* The forms of a file, the best first. */
enum form { FORM_BR, FORM_GZIP, FORM_PLAIN, FORMS };
static const struct {
	const char *suffix;
	struct str coding; /* of Content-Encoding */
} forms[FORMS] = {
	[FORM_BR] = { ".br", { "br", 2 } },
	[FORM_GZIP] = { ".gz", { "gzip", 4 } },
	[FORM_PLAIN] = { "", { NULL, 0 } },
};

struct body {
	char *p; /* NULL: there is no such form */
	size_t len;
	char etag[ETAG_SIZE];
};

struct http_file {
	char *name;
	const char *type;
	bool immutable;
	struct body body[FORMS];
};

struct http_files {
	struct http_file *file; /* by name */
	size_t n;
	size_t bytes;
	size_t folder_len; /* of the path that fts gives, with its slash */
	const char *immutable;
};

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".txt", "text/plain; charset=utf-8" },
};

static const char *
type_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_ends(name, types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* ---- loading ---- */

static bool
name_fits(struct str name)
{
	if (name.len == 0 || name.len > HTTP_FILES_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-' || c == '/'))
			return false;
	}
	return true;
}

static void
etag_make(struct body *b)
{
	char hex[SHA256_HEX_SIZE];
	struct buf out;

	sha256_hex(b->p, b->len, hex);
	buf_init(&out, ETAG_SIZE - 1);
	buf_add_char(&out, '"');
	buf_add(&out, hex, ETAG_DIGITS);
	buf_add_char(&out, '"');
	(void)str_copy(b->etag, sizeof(b->etag), buf_str(&out));
	buf_free(&out);
}

/* Each file on its own at first, in the plain form. */
static enum err
file_add(struct http_files *f, const char *path, off_t size, struct err_info *info)
{
	const struct str name = str_of(path + f->folder_len);
	struct http_file *file = &f->file[f->n];

	if (f->n == HTTP_FILES_MAX)
		return err_set(info, ERR_CONFIG, path, "there are more than %d files",
			       HTTP_FILES_MAX);
	if ((uint64_t)size > HTTP_FILE_BYTES_MAX)
		return err_set(info, ERR_CONFIG, path, "is larger than %zu bytes",
			       HTTP_FILE_BYTES_MAX);
	if (!name_fits(name))
		return err_set(info, ERR_CONFIG, path,
			       "a name may have up to %d of A-Z a-z 0-9 . _ -",
			       HTTP_FILES_NAME_MAX);
	*file = (struct http_file) { .name = strndup(name.p, name.len) };
	BUG_ON(file->name == NULL);
	f->n++;
	struct body *b = &file->body[FORM_PLAIN];
	const enum err err = file_read(path, (size_t)size, false, &b->p, &b->len, info);
	if (err != ERR_OK)
		return err;
	f->bytes += b->len;
	if (f->bytes > HTTP_FILES_BYTES_MAX)
		return err_set(info, ERR_CONFIG, path, "the files have more than %zu bytes",
			       HTTP_FILES_BYTES_MAX);
	file->type = type_of(name);
	file->immutable = f->immutable != NULL && str_starts(name, f->immutable);
	etag_make(b);
	return ERR_OK;
}

static enum err
folder_read(struct http_files *f, FTS *walk, const char *folder, struct err_info *info)
{
	enum err err = ERR_OK;

	errno = 0;
	for (FTSENT *e = fts_read(walk); e != NULL && err == ERR_OK; e = fts_read(walk)) {
		if (e->fts_level == 0 && e->fts_info == FTS_D)
			f->folder_len =
				e->fts_pathlen + (e->fts_path[e->fts_pathlen - 1] == '/' ? 0 : 1);
		else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
			err = err_set(info, ERR_CONFIG, e->fts_path, "%s", strerror(e->fts_errno));
		else if (e->fts_level == 0 && e->fts_info != FTS_DP)
			err = err_set(info, ERR_CONFIG, folder, "is not a folder");
		else if (e->fts_level > 0 && e->fts_name[0] == '.')
			(void)fts_set(walk, e, FTS_SKIP);
		else if (e->fts_info == FTS_F)
			err = file_add(f, e->fts_path, e->fts_statp->st_size, info);
		errno = 0;
	}
	if (err == ERR_OK && errno != 0)
		err = err_set(info, ERR_CONFIG, folder, "%s", strerror(errno));
	return err;
}

static int
by_name(const void *a, const void *b)
{
	const struct http_file *x = a;
	const struct http_file *y = b;
	return strcmp(x->name, y->name);
}

static struct http_file *
find(const struct http_files *f, const char *name)
{
	const struct http_file key = { .name = (char *)(uintptr_t)name };
	return f->n == 0 ? NULL : bsearch(&key, f->file, f->n, sizeof(*f->file), by_name);
}

/* The file that `file` is a compressed form of, or NULL. */
static struct http_file *
origin_of(const struct http_files *f, const struct http_file *file, enum form *form)
{
	char name[HTTP_FILES_NAME_MAX + 1];

	for (*form = 0; *form < FORM_PLAIN; (*form)++) {
		const struct str whole = str_of(file->name);
		if (!str_ends(whole, forms[*form].suffix))
			continue;
		(void)str_copy(name, sizeof(name),
			       (struct str) { whole.p, whole.len - strlen(forms[*form].suffix) });
		return find(f, name);
	}
	return NULL;
}

/* A form stands behind its origin in the order of names; both are still in the table while it is looked for. */
static void
forms_join(struct http_files *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		enum form form = FORM_PLAIN;
		struct http_file *origin = origin_of(f, &f->file[i], &form);
		if (origin == NULL)
			continue;
		origin->body[form] = f->file[i].body[FORM_PLAIN];
		f->file[i].body[FORM_PLAIN].p = NULL;
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->file[i].body[FORM_PLAIN].p != NULL)
			f->file[kept++] = f->file[i];
		else
			free(f->file[i].name);
	}
	f->n = kept;
}

enum err
http_files_load(const char *folder, const char *immutable, struct http_files **out,
		struct err_info *info)
{
	char *const roots[] = { (char *)(uintptr_t)folder, NULL };
	struct http_files *f = calloc(1, sizeof(*f));
	BUG_ON(f == NULL);
	f->file = calloc(HTTP_FILES_MAX, sizeof(*f->file));
	BUG_ON(f->file == NULL);
	f->immutable = immutable;
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	enum err err = ERR_OK;
	if (walk == NULL)
		err = err_set(info, ERR_CONFIG, folder, "%s", strerror(errno));
	else
		err = folder_read(f, walk, folder, info);
	if (walk != NULL)
		(void)fts_close(walk);
	if (err != ERR_OK) {
		http_files_free(f);
		return err;
	}
	qsort(f->file, f->n, sizeof(*f->file), by_name);
	forms_join(f);
	*out = f;
	return ERR_OK;
}

void
http_files_free(struct http_files *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->file[i].name);
		for (unsigned k = 0; k < FORMS; k++)
			free(f->file[i].body[k].p);
	}
	free(f->file);
	free(f);
}

size_t
http_files_count(const struct http_files *f)
{
	return f->n;
}

/* ---- serving ---- */

const struct http_file *
http_files_find(const struct http_files *f, struct str name)
{
	char text[HTTP_FILES_NAME_MAX + 1];
	return name.p != NULL && memchr(name.p, '\0', name.len) == NULL &&
			       str_copy(text, sizeof(text), name)
		       ? find(f, text)
		       : NULL;
}

/* q=0, q=0.0 … is a refusal; whatever else stands there is none. */
static bool
is_refused(struct str params)
{
	while (params.p != NULL) {
		const struct str p = str_trim(str_cut(&params, ';'));
		if (p.len < 3 || (p.p[0] != 'q' && p.p[0] != 'Q') || p.p[1] != '=')
			continue;
		for (size_t i = 2; i < p.len; i++) {
			if (p.p[i] != '0' && p.p[i] != '.')
				return false;
		}
		return true;
	}
	return false;
}

bool
http_files_accepts(struct str header, struct str coding)
{
	bool any = false;

	while (header.p != NULL) {
		struct str rest = str_cut(&header, ',');
		const struct str name = str_trim(str_cut(&rest, ';'));
		if (str_ieq(name, coding))
			return !is_refused(rest);
		if (str_is(name, "*"))
			any = !is_refused(rest);
	}
	return any;
}

static const struct body *
form_choose(struct task *t, const struct http_file *file)
{
	const struct str accepted = http_header(t, "Accept-Encoding");

	for (unsigned i = 0; i < FORM_PLAIN; i++) {
		if (file->body[i].p == NULL || !http_files_accepts(accepted, forms[i].coding))
			continue;
		http_reply_header(t, "Content-Encoding", forms[i].coding);
		return &file->body[i];
	}
	return &file->body[FORM_PLAIN];
}

enum step
http_files_reply(struct task *t, const struct http_file *file)
{
	const struct body *b = form_choose(t, file);

	http_reply_header(t, "ETag", str_of(b->etag));
	http_reply_header(t, "Vary", STR("Accept-Encoding"));
	http_reply_header(t, "Cache-Control",
			  file->immutable ? STR("public, max-age=31536000, immutable")
					  : STR("no-cache"));
	if (http_none_match(t, str_of(b->etag)))
		return http_reply_empty(t, 304);
	return http_reply(t, 200, file->type, (struct str) { b->p, b->len });
}
