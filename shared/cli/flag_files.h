/*
 * flag_files.h — flags as YAML files, one a flag: read, checked as core would check them, compared with what core has. A file holds key,
 * kind, purpose, business_owner, technical_owner, expires_at, enabled and document, in that order where it was exported.
 */
#ifndef BIMODAL_CLI_FLAG_FILES_H
#define BIMODAL_CLI_FLAG_FILES_H

#include "base/yaml_json.h"
#include "cli/cli.h"
#include "flag/flag.h"

#define FLAG_FILES_MAX 2000
#define FLAG_FILES_ARENA_BYTES ((size_t)256 * 1024 * 1024)
#define FLAG_FILE_MEMBERS 8

/* Places of the members in struct flag_file.member. */
enum flag_member {
	FLAG_M_KEY,
	FLAG_M_KIND,
	FLAG_M_PURPOSE,
	FLAG_M_BUSINESS,
	FLAG_M_TECHNICAL,
	FLAG_M_EXPIRES,
	FLAG_M_ENABLED,
	FLAG_M_DOCUMENT
};
extern const char *const flag_member_names[FLAG_FILE_MEMBERS + 1];

struct flag_file {
	const char *path;
	const struct yaml_node *root;
	const struct yaml_node *member[FLAG_FILE_MEMBERS]; /* NULL: it is not there */
	char key[FLAG_KEY_MAX + 1];
	struct str document; /* as JSON */
	usec_t expires;

	/* What core has; NULL: no such flag, or an archived one. */
	const struct yaml_node *now;
	int64_t revision;
	struct buf differences; /* of the rules, as lines for people; the caller frees */
	unsigned n_differences;
	bool turns;
};

struct flag_files {
	struct arena arena; /* owns all texts and trees */
	struct yaml_errors errors;
	struct flag_file *file;
	size_t n;
};

/* Every *.yaml of the folder in the order of their names, checked; what is wrong is in files->errors. False: printed why. */
MUST_CHECK bool flag_files_read(struct flag_files *files, const char *folder);
void flag_files_free(struct flag_files *files);

/* What core has under each key, and what differs. What stands against applying is added to the errors. False: printed why. */
MUST_CHECK bool flag_files_compare(struct cli *c, struct flag_files *files);

/* Core's flag (a reply of GET /v1/flags/KEY as a tree) as the tree of its file, in the arena; NULL: no memory. */
const struct yaml_node *flag_file_tree(struct arena *a, const struct yaml_node *flag);

/* Lines "change /rules/0/coverage", "  - 0.1", "  + 0.5" for what two documents differ in; how many differences. */
unsigned flag_trees_differ(const struct yaml_node *before, const struct yaml_node *after,
			   struct buf *lines);

#endif
