/*
 * conf.h — YAML configuration: a node tree with marks, then a schema table. Every error of a file is reported in one run
 * as "config/core.yaml:12:5: http.workers: 300 is above the maximum 64".
 *
 * The tree reader is also used for other YAML (feature.yaml, import mappings): it refuses duplicate keys, anchors and
 * aliases, tags, second documents, and anything deeper or larger than its limits.
 */
#ifndef BIMODAL_BASE_CONF_H
#define BIMODAL_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define YAML_BYTES_MAX (256 * 1024)
#define YAML_DEPTH_MAX 40
#define YAML_NODES_MAX 20000
#define YAML_KEYS_MAX 1000  /* in one map */
#define YAML_ERRORS_MAX 100 /* reported; the rest is only counted */

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
	enum yaml_kind kind;
	struct str text;               /* scalar value                                   */
	bool quoted;                   /* the scalar was quoted: text, never number/bool */
	struct str key;                /* in a map: this node's key                      */
	unsigned line, column;         /* 1-based, of the value                          */
	unsigned key_line, key_column; /* of the key, in a map                     */
	struct yaml_node *child;       /* first child of a map or list                   */
	struct yaml_node *next;        /* next sibling                                   */
};

/* Errors gathered over one or more files; rendered one a line. Bounded. */
struct yaml_errors {
	struct buf text; /* "file:line:col: path: message\n" … */
	unsigned count;  /* all of them, also those not in `text` */
};
void yaml_errors_init(struct yaml_errors *e);
void yaml_errors_free(struct yaml_errors *e);
/* `at` may be NULL (no place), `path` NULL or "" (the file as a whole). Control characters in the message become '?'. */
void yaml_error(struct yaml_errors *e, const char *file, const struct yaml_node *at,
		const char *path, const char *fmt, ...) PRINTF(5, 6);

/*
 * Parse text into a tree in the arena. Errors are added to `e`; returns ERR_CONFIG then (the arena's cap included: give it a
 * few MiB). An empty file is an empty map. The tree does not point into `text`.
 */
MUST_CHECK enum err yaml_parse(struct arena *a, const char *file, struct str text,
			       struct yaml_node **root, struct yaml_errors *e);
MUST_CHECK enum err yaml_read_file(struct arena *a, const char *path, struct yaml_node **root,
				   struct yaml_errors *e);
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL if absent */

/* ---- the schema of a daemon's configuration ---- */
enum conf_type {
	CONF_INT,      /* int64_t                              */
	CONF_BOOL,     /* bool                                 */
	CONF_TEXT,     /* const char *                         */
	CONF_DURATION, /* usec_t; "250ms" "10s" "5min" "2h"    */
	CONF_SIZE,     /* int64_t bytes; "64KiB" "1MiB" "2GiB" */
	CONF_FILE, /* const char *; a relative path starts at the folder of the configuration file; must be readable */
	CONF_PRIVATE, /* const char *; like FILE, and others must not be able to read it */
	CONF_SECRET /* const char *; content of the file named, which others must not read; printed as ***** */
};

struct conf_key {
	const char *name; /* dotted: "http.workers"              */
	enum conf_type type;
	size_t offset; /* into the daemon's configuration struct */
	const char *
		def; /* as it would be written in YAML; NULL = required; "" for a FILE, PRIVATE or SECRET = none (value "") */
	const char *min; /* NULL = no bound; for TEXT min/max are lengths   */
	const char *max;
	bool reload;      /* may change on SIGHUP                 */
	const char *help; /* one line with the unit               */
};

struct conf {
	const struct conf_key *keys;
	size_t n_keys;
	struct arena arena; /* owns every string of the values        */
	void *values; /* the daemon's struct; owned by the caller; conf_load sets every field a key names */
	struct conf_source *sources; /* per key: file and line, for --print-config */
	const char **names;          /* of the keys, NULL-terminated, for "did you mean" */
	char *base_dir;              /* of the first file: where relative paths of defaults start */
};

/*
 * Load defaults, then each file in order (later wins), fill `values`. Unknown keys get "did you mean". Errors: ERR_CONFIG
 * with all messages in `e`. Release with conf_free in any case.
 */
MUST_CHECK enum err conf_load(struct conf *c, const struct conf_key *keys, size_t n_keys,
			      void *values, const char *const *files, size_t n_files,
			      struct yaml_errors *e);
/* For rules over several keys, after conf_load: an error at the place where `key` is written. */
void conf_error(const struct conf *c, const char *key, struct yaml_errors *e, const char *fmt, ...)
	PRINTF(4, 5);
void conf_free(struct conf *c);
/* A table: key, value, default, where it was set, whether it is reloadable. Secrets are not shown. */
void conf_print(const struct conf *c, struct buf *out);

#endif
