/*
 * files.h — static files: a folder is read into memory once, at start, and served from a table of its names. No request ever reaches the
 * file system, so that no path can lead out of the folder, and no step waits for a disk.
 *
 * "a.js.gz" and "a.js.br" beside "a.js" are its compressed forms, sent to clients that take them. Each form has a strong ETag of its own.
 * Files in the folder `immutable` carry a hash of their content in their name: clients may keep them for good.
 */
#ifndef BIMODAL_HTTP_FILES_H
#define BIMODAL_HTTP_FILES_H

#include "http/http.h"

#define HTTP_FILES_MAX 1024
#define HTTP_FILES_NAME_MAX 200
#define HTTP_FILES_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of all */
#define HTTP_FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct http_files;
struct http_file;

/*
 * Read all of `folder`. `immutable` is a folder in it, with its slash ("assets/"), or NULL. ERR_CONFIG names the file and what is wrong
 * with it: unreadable, too large, too many, a name with other characters than A-Z a-z 0-9 . _ -. Links and hidden files are left out.
 */
MUST_CHECK enum err http_files_load(const char *folder, const char *immutable,
				    struct http_files **out, struct err_info *info);
void http_files_free(struct http_files *files); /* NULL is fine */
size_t http_files_count(const struct http_files *files);

/* By its name below the folder ("assets/a.js"), as it stands in the path of a request; NULL: there is none. */
const struct http_file *http_files_find(const struct http_files *files, struct str name);
/* The file in the best form that the client takes, or 304. */
enum step http_files_reply(struct task *t, const struct http_file *file);

/* Does a client with this Accept-Encoding (STR_NONE: none) take this coding? RFC 9110, 12.5.3 */
bool http_files_accepts(struct str accept_encoding, struct str coding);

#endif
