/*
 * internal.h — what the files of this room share. Not for other rooms; they see nothing of it.
 */
#ifndef BIMODAL_CORE_NOTICES_INTERNAL_H
#define BIMODAL_CORE_NOTICES_INTERNAL_H

#include "base/json_member.h"
#include "core/notices/notices.h"
#include "gen/sql_core.h"

#define NOTICES_PAGE_DEFAULT 50
#define NOTICES_PAGE_MAX 200

extern struct postgres_pool *core_notices_app;
extern struct core_notices_conf core_notices_conf;

extern const struct step_row core_notices_settings_get_steps[];
extern const struct step_row core_notices_settings_put_steps[];

/* The choices of one principal as they came, checked, as the text of the jsonb that settings_put takes. */
MUST_CHECK enum err core_notices_settings_read(struct str body, struct arena *arena,
					       struct buf *out, struct err_info *info);

/*
 * The pause after attempt `tries` (from 1): it doubles, to six hours at most, and a quarter of it is left to chance (0 … 65535), so that
 * what failed together does not come back together.
 */
usec_t core_notices_pause(usec_t first, int64_t tries, unsigned chance);

/* The job that sends e-mail; only with a server configured. */
void core_notices_mail_jobs(struct daemon_jobs *jobs);
void core_notices_mail_finish(void);
void core_notices_mail_metrics(void);

#endif
