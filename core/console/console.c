/*
 * console.c — see console.h. /console/NAME is the file of that name; every other path below /console/ is a place inside the page app and
 * gets index.html, so that each view has an address of its own. Only what carries a hash in its name is missing when it is missing.
 *
 * The Content-Security-Policy allows our own scripts and styles as files and nothing else: no inline script, no inline style, no frame, no
 * other host but the sandbox's origin to fetch from.
 */
#include "core/console/console.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "http/files.h"

#define HASHED "assets/"
#define INDEX "index.html"
#define CONFIG "config.json"
#define POLICY_SIZE 640

static struct {
	struct http_files *files; /* NULL: no console */
	const struct http_file *index;
	char policy[POLICY_SIZE];
	struct buf config; /* config.json */
} console;

static void
policy_make(const char *sandbox)
{
	(void)snprintf(console.policy, sizeof(console.policy),
		       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
		       "data:; connect-src 'self'%s%s; base-uri 'none'; form-action 'none'; "
		       "frame-ancestors 'none'",
		       sandbox[0] != '\0' ? " " : "", sandbox);
	buf_init(&console.config, POLICY_SIZE);
	buf_add_cstr(&console.config, "{\"sandbox\":");
	buf_json_cstr(&console.config, sandbox[0] != '\0' ? sandbox : NULL);
	buf_add_char(&console.config, '}');
}

enum err
core_console_load(const struct core_console_conf *conf, struct err_info *info)
{
	if (conf->sandbox_origin[0] != '\0' && !http_origin_valid(conf->sandbox_origin))
		return err_set(info, ERR_CONFIG, "console.sandbox_origin",
			       "\"%s\" is not an origin such as https://sandbox.example.org:7420",
			       conf->sandbox_origin);
	policy_make(conf->sandbox_origin);
	if (conf->folder[0] == '\0')
		return ERR_OK;
	const enum err err = http_files_load(conf->folder, HASHED, &console.files, info);
	if (err != ERR_OK)
		return err;
	console.index = http_files_find(console.files, STR(INDEX));
	if (console.index == NULL)
		return err_set(info, ERR_CONFIG, "console.folder", "%s holds no " INDEX,
			       conf->folder);
	return ERR_OK;
}

void
core_console_free(void)
{
	http_files_free(console.files);
	buf_free(&console.config);
	console.files = NULL;
	console.index = NULL;
}

static void
rules(struct task *t)
{
	http_reply_header(t, "Content-Security-Policy", str_of(console.policy));
	http_reply_header(t, "Referrer-Policy", STR("no-referrer"));
	http_reply_header(t, "Cross-Origin-Opener-Policy", STR("same-origin"));
	http_reply_header(t, "Cross-Origin-Resource-Policy", STR("same-origin"));
	http_reply_header(t, "Permissions-Policy",
			  STR("camera=(), geolocation=(), microphone=(), payment=(), usb=()"));
}

static enum step
serve(struct task *t)
{
	const struct str name = http_param(t, "path");

	rules(t);
	if (str_is(name, CONFIG)) {
		http_reply_header(t, "Cache-Control", STR("no-store"));
		return http_reply_json(t, 200, buf_str(&console.config));
	}
	if (console.files == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "this core serves no console: console.folder is not set");
	const struct http_file *file = http_files_find(console.files, name);
	if (file == NULL && str_starts(name, HASHED))
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "there is no such file; it may be of another version");
	return http_files_reply(t, file != NULL ? file : console.index);
}

static enum step
lead(struct task *t)
{
	http_reply_header(t, "Location", STR("/console/"));
	return http_reply_empty(t, 307);
}

static const struct step_row serve_steps[] = { { "serve", serve }, { NULL, NULL } };
static const struct step_row lead_steps[] = { { "lead", lead }, { NULL, NULL } };

const struct http_route core_console_routes[] = {
	{ HTTP_GET, "/", "console.root", lead_steps, .right = NULL },
	{ HTTP_GET, "/console", "console.lead", lead_steps, .right = NULL },
	{ HTTP_GET, "/console/{path:rest}", "console.file", serve_steps, .right = NULL },
};
const size_t core_console_routes_count = ARRAY_LEN(core_console_routes);
