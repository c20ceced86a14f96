/*
 * archive.c — the canonical bytes of a package, and folders to and from them.
 *
 * Invariants: whatever was read has strictly ascending paths, sizes without leading zeros and
 * nothing behind the last file, so writing it again gives the same bytes. No path leads out of a
 * folder: its parts never begin with a dot.
 */
#include "feature/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define SIZE_DIGITS_MAX 7
#define FOLDERS_MAX 32 /* of one package */
#define FS_PATH_SIZE 4096

static const char head[] = "bimodal-package 1\n";

static bool
path_valid(struct str path)
{
	if (path.len == 0 || path.len > FEATURE_PATH_BYTES_MAX)
		return false;
	char before = '/';
	for (size_t i = 0; i < path.len; i++) {
		const char c = path.p[i];
		const bool plain =
			(c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
		if (!plain && c != '.' && c != '/')
			return false;
		if (before == '/' && (c == '/' || c == '.'))
			return false;
		before = c;
	}
	return before != '/';
}

/* A path for a message: any bytes may come in. */
static const char *
path_shown(struct str path, char out[FEATURE_PATH_BYTES_MAX + 4])
{
	const bool cut = !str_copy(out, FEATURE_PATH_BYTES_MAX, path);
	for (char *p = out; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	if (cut)
		memcpy(out + strlen(out), "...", 4);
	return out;
}

static int
path_compare(struct str a, struct str b)
{
	const int c = memcmp(a.p, b.p, MIN(a.len, b.len));
	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
by_path(const void *a, const void *b)
{
	const struct feature_file *left = a;
	const struct feature_file *right = b;
	return path_compare(left->path, right->path);
}

struct str
feature_archive_get(const struct feature_archive *a, struct str path)
{
	for (size_t i = 0; i < a->n; i++) {
		if (str_eq(a->files[i].path, path))
			return a->files[i].content;
	}
	return STR_NONE;
}

static enum err
content_check(struct str path, struct str content, struct err_info *info)
{
	if (content.len > FEATURE_FILE_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "%.*s has %zu bytes, a file of a package has %zu at most",
			       STR_FMT(path), content.len, FEATURE_FILE_BYTES_MAX);
	if (content.len > 0 && memchr(content.p, '\0', content.len) != NULL)
		return err_set(info, ERR_INVALID, NULL, "%.*s holds a zero byte", STR_FMT(path));
	if (!str_utf8_valid(content))
		return err_set(info, ERR_INVALID, NULL, "%.*s is not UTF-8 text", STR_FMT(path));
	return ERR_OK;
}

enum err
feature_archive_add(struct feature_archive *a, struct str path, struct str content,
		    struct err_info *info)
{
	char shown[FEATURE_PATH_BYTES_MAX + 4];
	if (!path_valid(path))
		return err_set(info, ERR_INVALID, NULL,
			       "'%s' is not a path of a package: a-z, 0-9, '_', '-' and '.', parts "
			       "that do not begin "
			       "with a dot, %d bytes at most",
			       path_shown(path, shown), FEATURE_PATH_BYTES_MAX);
	if (a->n == FEATURE_FILES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL, "a package has %d files at most",
			       FEATURE_FILES_MAX);
	if (feature_archive_get(a, path).p != NULL)
		return err_set(info, ERR_INVALID, NULL, "%.*s is there twice", STR_FMT(path));
	const enum err err = content_check(path, content, info);
	if (err != ERR_OK)
		return err;
	if (content.p == NULL)
		content = STR("");
	a->files[a->n++] = (struct feature_file) { path, content };
	return ERR_OK;
}

enum err
feature_archive_write(struct feature_archive *a, struct buf *out, struct err_info *info)
{
	if (a->n == 0)
		return err_set(info, ERR_INVALID, NULL, "the package holds no file");
	qsort(a->files, a->n, sizeof(a->files[0]), by_path);
	const size_t before = out->len;
	buf_add_cstr(out, head);
	for (size_t i = 0; i < a->n; i++) {
		const struct feature_file *f = &a->files[i];
		buf_add_str(out, f->path);
		buf_printf(out, " %zu\n", f->content.len);
		buf_add_str(out, f->content);
		buf_add_char(out, '\n');
	}
	const struct str all = buf_str(out);
	if (out->failed || all.len - before > FEATURE_ARCHIVE_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL, "the package is larger than %zu bytes",
			       FEATURE_ARCHIVE_BYTES_MAX);
	a->bytes = all.len - before;
	sha256_hex(all.p + before, a->bytes, a->sha256);
	return ERR_OK;
}

/* "<path> <size>\n" at the front of *rest. */
static enum err
entry_read(struct str *rest, struct str *path, size_t *size, size_t at, struct err_info *info)
{
	const struct str front = { rest->p,
				   MIN(rest->len, FEATURE_PATH_BYTES_MAX + SIZE_DIGITS_MAX + 2) };
	const size_t end = str_find(front, '\n');
	if (end == front.len)
		return err_set(info, ERR_INVALID, NULL,
			       "byte %zu of the package: '<path> <size>' is expected", at);
	struct str digits = { rest->p, end };
	*path = str_cut(&digits, ' ');
	int64_t n = 0;
	const bool canonical =
		digits.p != NULL && digits.len > 0 && digits.len <= SIZE_DIGITS_MAX &&
		(digits.p[0] != '0' || digits.len == 1) && digits.p[0] != '-' && digits.p[0] != '+';
	if (!canonical || str_int(digits, 0, 9999999, &n) != ERR_OK)
		return err_set(info, ERR_INVALID, NULL,
			       "byte %zu of the package: the size of a file is expected", at);
	*size = (size_t)n;
	rest->p += end + 1;
	rest->len -= end + 1;
	return ERR_OK;
}

enum err
feature_archive_read(struct str bytes, struct feature_archive *out, struct err_info *info)
{
	memset(out, 0, sizeof(*out));
	if (bytes.len > FEATURE_ARCHIVE_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL, "the package is larger than %zu bytes",
			       FEATURE_ARCHIVE_BYTES_MAX);
	if (!str_starts(bytes, head))
		return err_set(info, ERR_INVALID, NULL,
			       "a package begins with the line 'bimodal-package 1'");
	struct str rest = { bytes.p + strlen(head), bytes.len - strlen(head) };
	while (rest.len > 0) {
		const size_t at = (size_t)(rest.p - bytes.p);
		struct str path = STR_NONE;
		size_t size = 0;
		enum err err = entry_read(&rest, &path, &size, at, info);
		if (err != ERR_OK)
			return err;
		if (size >= rest.len || rest.p[size] != '\n')
			return err_set(info, ERR_INVALID, NULL,
				       "byte %zu of the package: the file does not end after the "
				       "%zu bytes it claims",
				       at, size);
		err = feature_archive_add(out, path, (struct str) { rest.p, size }, info);
		if (err != ERR_OK)
			return err;
		if (out->n > 1 && path_compare(out->files[out->n - 2].path, path) >= 0)
			return err_set(info, ERR_INVALID, NULL,
				       "byte %zu of the package: %.*s is not in bytewise order", at,
				       STR_FMT(path));
		rest.p += size + 1;
		rest.len -= size + 1;
	}
	if (out->n == 0)
		return err_set(info, ERR_INVALID, NULL, "the package holds no file");
	out->bytes = bytes.len;
	sha256_hex(bytes.p, bytes.len, out->sha256);
	return ERR_OK;
}

/* ---- folders ---- */

struct walk {
	struct arena *arena;
	const char *root;
	const char *folders[FOLDERS_MAX]; /* below the root, "" first; also those that are done */
	size_t n;
	size_t bytes;
	struct feature_archive *out;
};

static enum err
file_take(struct walk *w, const char *rel, const char *full, struct err_info *info)
{
	char *text = NULL;
	size_t len = 0;
	enum err err = file_read(full, FEATURE_FILE_BYTES_MAX, false, &text, &len, info);
	if (err != ERR_OK)
		return err;
	const struct str path = arena_str(w->arena, str_of(rel));
	const struct str content = arena_str(w->arena, (struct str) { text, len });
	free(text);
	w->bytes += len;
	if (w->bytes > FEATURE_ARCHIVE_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL, "the package is larger than %zu bytes",
			       FEATURE_ARCHIVE_BYTES_MAX);
	if (path.p == NULL || content.p == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %s", rel);
	return feature_archive_add(w->out, path, content, info);
}

static enum err
entry_take(struct walk *w, const char *folder, const char *name, struct err_info *info)
{
	char full[FS_PATH_SIZE];
	struct stat st;
	const char *rel =
		arena_printf(w->arena, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
	if (rel == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %s", name);
	if (name[0] == '.')
		return err_set(info, ERR_INVALID, NULL,
			       "%s/%s is a hidden file: a package holds none", w->root, rel);
	const int n = snprintf(full, sizeof(full), "%s/%s", w->root, rel);
	if (n < 0 || (size_t)n >= sizeof(full))
		return err_set(info, ERR_INVALID, NULL, "the path of %s is too long", rel);
	if (lstat(full, &st) != 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not look at %s: %s", full,
			       strerror(errno));
	if (S_ISREG(st.st_mode))
		return file_take(w, rel, full, info);
	if (!S_ISDIR(st.st_mode))
		return err_set(info, ERR_INVALID, NULL, "%s is neither a file nor a folder", full);
	if (w->n == FOLDERS_MAX || strlen(rel) > FEATURE_PATH_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "%s: too many or too deep folders for a package", full);
	w->folders[w->n++] = rel;
	return ERR_OK;
}

static enum err
folder_take(struct walk *w, const char *folder, struct err_info *info)
{
	char full[FS_PATH_SIZE];
	const int n = snprintf(full, sizeof(full), "%s/%s", w->root, folder);
	if (n < 0 || (size_t)n >= sizeof(full))
		return err_set(info, ERR_INVALID, NULL, "the path of %s is too long", folder);
	DIR *dir = opendir(full);
	if (dir == NULL)
		return err_set(info, ERR_SYSTEM, NULL, "could not open folder %s: %s", full,
			       strerror(errno));
	enum err err = ERR_OK;
	for (const struct dirent *e = readdir(dir); e != NULL && err == ERR_OK; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			err = entry_take(w, folder, e->d_name, info);
	}
	closedir(dir);
	return err;
}

enum err
feature_archive_folder(struct arena *arena, const char *folder, struct feature_archive *out,
		       struct err_info *info)
{
	memset(out, 0, sizeof(*out));
	struct walk w = { .arena = arena, .root = folder, .folders = { "" }, .n = 1, .out = out };
	for (size_t i = 0; i < w.n; i++) {
		const enum err err = folder_take(&w, w.folders[i], info);
		if (err != ERR_OK)
			return err;
	}
	struct buf bytes;
	buf_init(&bytes, FEATURE_ARCHIVE_BYTES_MAX);
	const enum err err = feature_archive_write(out, &bytes, info);
	buf_free(&bytes);
	return err;
}

/* One file and the folders on its way; `dir` is the new folder. */
static enum err
file_put(int dir, const struct feature_file *f, struct err_info *info)
{
	char path[FEATURE_PATH_BYTES_MAX + 1];
	(void)str_copy(path, sizeof(path), f->path);
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dir, path, 0777) != 0 && errno != EEXIST)
			return err_set(info, ERR_SYSTEM, NULL, "could not make folder %s: %s", path,
				       strerror(errno));
		*slash = '/';
	}
	const int fd =
		openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not make %s: %s", path,
			       strerror(errno));
	size_t done = 0;
	while (done < f->content.len) {
		const ssize_t n = write(fd, f->content.p + done, f->content.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	const bool closed = close(fd) == 0;
	if (done < f->content.len || !closed)
		return err_set(info, ERR_SYSTEM, NULL, "could not write %s: %s", path,
			       strerror(errno));
	return ERR_OK;
}

enum err
feature_archive_extract(const struct feature_archive *a, const char *folder, struct err_info *info)
{
	if (mkdir(folder, 0777) != 0)
		return err_set(info, errno == EEXIST ? ERR_CONFLICT : ERR_SYSTEM, NULL,
			       "could not make folder %s: %s", folder, strerror(errno));
	const int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not open folder %s: %s", folder,
			       strerror(errno));
	enum err err = ERR_OK;
	for (size_t i = 0; i < a->n && err == ERR_OK; i++)
		err = file_put(dir, &a->files[i], info);
	close(dir);
	return err;
}
