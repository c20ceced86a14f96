/*
 * console.h — the web console: its built files (shared/console) under /console/, what the page must know of this installation, and the
 * rules under which a browser shows it. Nobody has to be signed in to load it; all it shows comes from the API.
 */
#ifndef BIMODAL_CORE_CONSOLE_H
#define BIMODAL_CORE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "http/http.h"

struct core_console_conf {
	const char
		*folder; /* of what `make` built; "": there is no console, and its routes say so */
	const char *
		sandbox_origin; /* "https://host[:port]" that pages may speak to besides us; "": none */
};

/* Before the fork, so that all workers share the files. ERR_CONFIG says which key or file is wrong. */
MUST_CHECK enum err core_console_load(const struct core_console_conf *conf, struct err_info *info);
void core_console_free(void);

extern const struct http_route core_console_routes[];
extern const size_t core_console_routes_count;

#endif
