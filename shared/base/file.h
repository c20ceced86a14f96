/*
 * file.h — small files of a daemon, at start-up (the calls block).
 */
#ifndef BIMODAL_BASE_FILE_H
#define BIMODAL_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/*
 * Read a whole small file (≤ limit) into a malloc'd, NUL-terminated string; one trailing newline cut if `trim`. `len` counts
 * the bytes without the NUL. Errors: ERR_SYSTEM, ERR_TOO_LARGE, ERR_NO_MEMORY; *out is NULL then.
 */
MUST_CHECK enum err file_read(const char *path, size_t limit, bool trim, char **out, size_t *len,
			      struct err_info *info);

/* Write through "PATH.part" and rename: a reader finds the old file or the whole new one. Errors: ERR_SYSTEM. */
MUST_CHECK enum err file_write(const char *path, const char *text, struct err_info *info);

/*
 * Lock `path` (flock) and write our process id into it. *fd holds the lock and is given to file_pid_unlock (-1 is fine).
 * Errors: ERR_LOCKED when another process holds it, ERR_SYSTEM.
 */
MUST_CHECK enum err file_pid_lock(const char *path, int *fd, struct err_info *info);
void file_pid_unlock(int fd);

#endif
