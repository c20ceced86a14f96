/*
 * flag.h — what the commands on flags have in common.
 */
#ifndef BIMODAL_CLI_FLAG_H
#define BIMODAL_CLI_FLAG_H

#include "cli/cli.h"

struct cJSON;

#define FLAG_FILE_BYTES_MAX ((size_t)1024 * 1024) /* of a document */

/* "/v1/flags/KEY<rest>". The caller frees it. */
void flag_path(struct buf *path, const char *key, const char *rest);
/* A change of a flag; exit code 3 if a live worker does not serve it yet. */
int flag_change(struct cli *c, const char *method, const char *path, struct str body);
/* The same with header lines, as cli_call takes them; NULL: none. */
int flag_change_if(struct cli *c, const char *method, const char *path, const char *extra,
		   struct str body);
/* Append the member "document": the text itself if it begins with "{", else the file of that name. False: printed why. */
MUST_CHECK bool flag_document_add(struct buf *body, const char *text);
/* Is it JSON? False: printed what is wrong, and where in the text of that name. */
MUST_CHECK bool flag_json_good(struct str text, const char *name);
/* "revision 3 applied by 2 of 2 workers …" of an answer; false: it is none. */
bool flag_applied_print(const struct cJSON *j);
/* Show one flag: what it is for, who gets what, until when. */
int flag_show(struct cli *c, const char *key);
/* The command `flag ramp`. */
int flag_ramp(struct cli *c);
/* The commands on drafts and earlier revisions (flag_draft.c). */
int flag_draft(struct cli *c);
int flag_diff(struct cli *c);
int flag_publish(struct cli *c);
int flag_rollback(struct cli *c);
/* "add /rules/0/force" and the values, of each of them. */
void flag_changes_print(const struct cJSON *changes);
/* The commands on protected flags (flag_request.c). */
int flag_protect(struct cli *c);
int flag_unprotect(struct cli *c);
int flag_requests(struct cli *c);
int flag_approve(struct cli *c);
int flag_reject(struct cli *c);
int flag_withdraw(struct cli *c);
/* Why somebody gets what, and whom a document would move (flag_explain.c). */
int flag_explain(struct cli *c);
int flag_preview(struct cli *c);
/* Who asks for flags, and for keys that are not there (flag_usage.c). */
int flag_usage(struct cli *c);
int flag_unknown(struct cli *c);
/* Flags as files (flag_plan.c). */
int flag_export(struct cli *c);
int flag_plan(struct cli *c);
int flag_apply(struct cli *c);
/* The applications of a kill's answer; nothing where it names none. */
void flag_applications_print(const struct cJSON *j);

#endif
