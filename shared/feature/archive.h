/*
 * archive.h — a feature package as bytes: a folder of small text files in one canonical form,
 * named by its SHA-256.
 *
 * "bimodal-package 1\n", then for each file in bytewise order of the paths "<path> <size>\n", the
 * content, "\n". There is exactly one archive for a set of files, so equal hashes mean equal
 * packages on both sides. Reading is strict: what feature_archive_write would not have written is
 * refused.
 */
#ifndef BIMODAL_FEATURE_ARCHIVE_H
#define BIMODAL_FEATURE_ARCHIVE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

#define FEATURE_FILES_MAX 64
#define FEATURE_FILE_BYTES_MAX ((size_t)256 * 1024)
#define FEATURE_ARCHIVE_BYTES_MAX ((size_t)1024 * 1024)
#define FEATURE_PATH_BYTES_MAX 100
#define FEATURE_MEDIA_TYPE "application/vnd.bimodal.package"

/* [a-z0-9_/.-], parts not empty and not beginning with a dot. Content is UTF-8 text without zero
 * bytes. */
struct feature_file {
	struct str path;
	struct str content;
};

/* Views: paths and contents belong to whoever holds the bytes they were read from. */
struct feature_archive {
	struct feature_file files[FEATURE_FILES_MAX]; /* by path, once read or written */
	size_t n;
	size_t bytes;                 /* of the archive                     */
	char sha256[SHA256_HEX_SIZE]; /* of its bytes; "" until read or written */
};

/*
 * Put one file into an archive that is being made, in any order. Errors: ERR_INVALID a path or
 * content that is not allowed, a path twice; ERR_TOO_LARGE a limit. `info` names the path.
 */
MUST_CHECK enum err feature_archive_add(struct feature_archive *a, struct str path,
					struct str content, struct err_info *info);

/* Sort, append the canonical bytes to `out` and set `sha256`. Errors: ERR_INVALID no file;
 * ERR_TOO_LARGE. */
MUST_CHECK enum err feature_archive_write(struct feature_archive *a, struct buf *out,
					  struct err_info *info);

/* The archive in `bytes`; views into them. Errors: ERR_INVALID with the byte's place,
 * ERR_TOO_LARGE. */
MUST_CHECK enum err feature_archive_read(struct str bytes, struct feature_archive *out,
					 struct err_info *info);

/*
 * Read a folder (blocks; command line and tests). Contents live in the arena (give it 4 MiB).
 * Errors: those of feature_archive_add; ERR_SYSTEM; ERR_INVALID a link, a device or a hidden file.
 */
MUST_CHECK enum err feature_archive_folder(struct arena *arena, const char *folder,
					   struct feature_archive *out, struct err_info *info);

/* Write the files into a new folder (blocks). Errors: ERR_CONFLICT the folder is there already;
 * ERR_SYSTEM. */
MUST_CHECK enum err feature_archive_extract(const struct feature_archive *a, const char *folder,
					    struct err_info *info);

/* A file's content, .p NULL if there is none of that path. */
struct str feature_archive_get(const struct feature_archive *a, struct str path);

#endif
