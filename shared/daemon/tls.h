/*
 * tls.h — TLS as the daemons are configured with it: the rules of http.tls, the pair this process serves with, its renewal on SIGHUP,
 * and a warning before the certificate ends.
 *
 * The parent reads the pair before it forks and on each SIGHUP, so a worker that is started again inherits a good one whatever lies
 * on the disk by then; each process reads it on SIGHUP by itself.
 */
#ifndef BIMODAL_DAEMON_TLS_H
#define BIMODAL_DAEMON_TLS_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/loop.h"
#include "daemon/config.h"
#include "http/tls.h"

/*
 * Certificate and key are given both or not at all, are a pair, and are there unless the address is of loopback. A proxy on the same
 * host that ends TLS reaches us over loopback, so there is no other way to be open in the clear. Errors go to `e`; *tls (NULL:
 * none configured) is the caller's, or given on to one of the next two.
 */
void daemon_tls_rules(const struct conf *c, const struct daemon_config *config,
		      struct http_tls **tls, struct yaml_errors *e);

/* Take what this process serves with, at its start; NULL: in the clear. */
void daemon_tls_begin(struct http_tls *tls);
/* Serve with it from the next connection on. What has ended does not replace what has not. Logs what was done. */
void daemon_tls_reload(struct http_tls *tls);
/* This process serves nobody, or ends. */
void daemon_tls_forget(void);
/* What daemon_tls_begin took. */
struct http_tls *daemon_tls(void);

/* Before the fork. */
void daemon_tls_metrics(void);
/* Keep the metric of the certificate's end; `warns`: and log as it comes near. */
void daemon_tls_watch(struct loop *l, bool warns);
void daemon_tls_unwatch(void);

#endif
