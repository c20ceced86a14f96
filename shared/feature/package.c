/*
 * package.c — a package as a whole: the manifest, that every file is known and used, and the check
 * of every SQL text.
 *
 * Invariants: one run tells all findings; after ERR_OK every file that the manifest names is
 * there, checked, and of a valid header.
 */
#include <string.h>

#include "feature/check.h"

static void
file_needed(const struct feature_archive *archive, const char *path,
	    struct feature_findings *findings)
{
	if (path != NULL && path[0] != '\0' && feature_archive_get(archive, str_of(path)).p == NULL)
		feature_find(findings, FEATURE_MANIFEST_FILE, 0, 0,
			     "%s is named but not in the package", path);
}

static bool
used_as_query(const struct feature_manifest *m, struct str path)
{
	for (size_t i = 0; i < m->n_endpoints; i++) {
		for (size_t v = 0; v < m->n_variations; v++) {
			if (m->endpoints[i].queries[v] != NULL &&
			    str_is(path, m->endpoints[i].queries[v]))
				return true;
		}
	}
	return false;
}

static bool
used_as_metric(const struct feature_manifest *m, struct str path)
{
	for (size_t i = 0; feature_metric_at(m, i) != NULL; i++) {
		const char *file = feature_metric_at(m, i)->file;
		if (file != NULL && str_is(path, file))
			return true;
	}
	return false;
}

static void
files_needed(const struct feature_archive *archive, const struct feature_manifest *m,
	     struct feature_findings *findings)
{
	static const char *const always[] = { "up.sql", "down.sql", "verify.sql" };
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (feature_archive_get(archive, str_of(always[i])).p == NULL)
			feature_find(findings, always[i], 0, 0, "the file is missing");
	}
	for (size_t i = 0; i < m->n_endpoints; i++) {
		for (size_t v = 0; v < m->n_variations; v++)
			file_needed(archive, m->endpoints[i].queries[v], findings);
	}
	for (size_t i = 0; feature_metric_at(m, i) != NULL; i++)
		file_needed(archive, feature_metric_at(m, i)->file, findings);
}

static enum err
file_check(struct arena *arena, const struct feature_manifest *m, const struct feature_file *f,
	   const struct feature_columns *columns, struct feature_findings *findings)
{
	static const struct {
		const char *path;
		enum feature_check_kind kind;
	} fixed[] = { { "up.sql", FEATURE_CHECK_UP },
		      { "down.sql", FEATURE_CHECK_DOWN },
		      { "verify.sql", FEATURE_CHECK_VERIFY } };
	const char *path = arena_strdup(arena, f->path);
	if (path == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (str_is(f->path, fixed[i].path))
			return feature_check_sql(fixed[i].kind, m->slug, path, f->content, columns,
						 findings);
	}
	if (used_as_query(m, f->path))
		return feature_check_sql(FEATURE_CHECK_QUERY, m->slug, path, f->content, columns,
					 findings);
	if (used_as_metric(m, f->path))
		return feature_check_sql(FEATURE_CHECK_METRIC, m->slug, path, f->content, columns,
					 findings);
	if (!str_is(f->path, FEATURE_MANIFEST_FILE))
		feature_find(findings, path, 0, 0, "the file is not named in %s",
			     FEATURE_MANIFEST_FILE);
	return ERR_OK;
}

enum err
feature_package_check(struct arena *arena, const struct feature_archive *archive,
		      const struct feature_columns *columns, struct feature_package *out,
		      struct feature_findings *findings)
{
	const size_t before = findings->total;
	const struct str manifest = feature_archive_get(archive, STR(FEATURE_MANIFEST_FILE));
	out->archive = *archive;
	memset(&out->manifest, 0, sizeof(out->manifest));
	if (manifest.p == NULL) {
		feature_find(findings, FEATURE_MANIFEST_FILE, 0, 0, "the file is missing");
		return ERR_INVALID;
	}
	const enum err err = feature_manifest_read(arena, manifest, &out->manifest, findings);
	if (err == ERR_NO_MEMORY)
		return err;
	files_needed(archive, &out->manifest, findings);
	/* Without a slug it is not known which schema is the feature's own: nothing of the SQL can be judged. */
	for (size_t i = 0; out->manifest.slug != NULL && i < archive->n; i++) {
		if (file_check(arena, &out->manifest, &archive->files[i], columns, findings) ==
		    ERR_NO_MEMORY)
			return ERR_NO_MEMORY;
	}
	return findings->total > before ? ERR_INVALID : ERR_OK;
}

enum err
feature_package_open(struct arena *arena, struct str bytes, struct feature_package *out,
		     struct feature_findings *findings, struct err_info *info)
{
	enum err err = feature_archive_read(bytes, &out->archive, info);
	if (err != ERR_OK)
		return err;
	const struct str manifest = feature_archive_get(&out->archive, STR(FEATURE_MANIFEST_FILE));
	err = feature_manifest_read(arena, manifest, &out->manifest, findings);
	if (err == ERR_NO_MEMORY)
		return err_set(info, err, NULL, "no memory for the manifest");
	if (err != ERR_OK)
		return err_set(info, err, NULL, "%s",
			       findings->n > 0 ? findings->items[0].reason
					       : "the manifest is not valid");
	return ERR_OK;
}
