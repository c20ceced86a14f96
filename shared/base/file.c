/*
 * file.c — small files of a daemon: read one whole, write one whole, lock the pid file.
 *
 * Used at start-up only: these calls block.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum err
file_read(const char *path, size_t limit, bool trim, char **out, size_t *len, struct err_info *info)
{
	*out = NULL;
	*len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not open %s: %s", path,
			       strerror(errno));
	enum err err = ERR_OK;
	size_t n = 0;
	char *text = malloc(limit + 1);
	struct stat st;
	if (text == NULL)
		err = err_set(info, ERR_NO_MEMORY, NULL, "no memory to read %s", path);
	else if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode))
		err = err_set(info, ERR_SYSTEM, NULL, "could not read %s: it is a folder", path);
	/* One byte more than allowed is asked for, to see that there is more. */
	while (err == ERR_OK && n <= limit) {
		const ssize_t got = read(fd, text + n, limit + 1 - n);
		if (got == 0)
			break;
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR)
			err = err_set(info, ERR_SYSTEM, NULL, "could not read %s: %s", path,
				      strerror(errno));
	}
	if (err == ERR_OK && n > limit)
		err = err_set(info, ERR_TOO_LARGE, NULL, "%s is larger than %zu bytes", path,
			      limit);
	(void)close(fd);
	if (err != ERR_OK) {
		free(text);
		return err;
	}
	if (trim && n > 0 && text[n - 1] == '\n')
		n--;
	if (trim && n > 0 && text[n - 1] == '\r')
		n--;
	text[n] = '\0';
	*out = text;
	*len = n;
	return ERR_OK;
}

enum err
file_write(const char *path, const char *text, struct err_info *info)
{
	char part[4096];
	const int n = snprintf(part, sizeof(part), "%s.part", path);
	if (n < 0 || (size_t)n >= sizeof(part))
		return err_set(info, ERR_SYSTEM, NULL, "the path %.100s… is too long", path);
	FILE *f = fopen(part, "we");
	bool ok = f != NULL && fputs(text, f) >= 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (ok && rename(part, path) == 0)
		return ERR_OK;
	return err_set(info, ERR_SYSTEM, NULL, "could not write %s: %s", path, strerror(errno));
}

enum err
file_pid_lock(const char *path, int *out, struct err_info *info)
{
	*out = -1;
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not open %s: %s", path,
			       strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char other[16] = "";
		const ssize_t n = read(fd, other, sizeof(other) - 1);
		other[n > 0 ? strcspn(other, "\n") : 0] = '\0';
		(void)close(fd);
		return err_set(info, ERR_LOCKED, NULL, "already running: process %s holds %s",
			       other[0] != '\0' ? other : "(unknown)", path);
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		const int saved = errno;
		(void)close(fd);
		return err_set(info, ERR_SYSTEM, NULL, "could not write %s: %s", path,
			       strerror(saved));
	}
	*out = fd;
	return ERR_OK;
}

void
file_pid_unlock(int fd)
{
	if (fd < 0)
		return;
	/* Emptied, not unlinked: with an unlinked file two starters could hold locks on two files
	 * of one name. */
	(void)!ftruncate(fd, 0);
	(void)close(fd);
}
