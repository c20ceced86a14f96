/*
 * args.c — the command line of a daemon, its configuration modes, and its one-off commands.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/tls.h"

static void
usage(FILE *out, const char *program, const struct daemon_command *commands, size_t n)
{
	fprintf(out,
		"usage: %s -c FILE [-c FILE …] [--foreground]\n"
		"\n"
		"  -c, --config FILE    YAML configuration; a later file overrides an earlier one\n"
		"      --foreground     one process, workers and jobs together (for a debugger)\n"
		"      --check-config   read the configuration, report every error, exit\n"
		"      --print-routes   show every route with the right it asks for, as JSON, "
		"exit\n"
		"      --print-config   show every key with its value, default and source, exit\n",
		program);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "      --%s%s%s\n                       %s\n", commands[i].name,
			commands[i].argument != NULL ? " " : "",
			commands[i].argument != NULL ? commands[i].argument : "", commands[i].help);
	fprintf(out, "      --version, --help\n");
}

static const struct daemon_command *
command_find(const char *arg, const struct daemon_command *commands, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(arg, "--", 2) == 0 && strcmp(arg + 2, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* One argument; `*i` moves over the values it takes. Returns false when it is wrong. */
static bool
take(int argc, char **argv, int *i, const struct daemon_command *commands, size_t n,
     struct daemon_args *out)
{
	const char *arg = argv[*i];
	const struct daemon_command *command = command_find(arg, commands, n);

	if (command != NULL) {
		out->command = command;
		if (command->argument == NULL)
			return true;
		out->command_argument = *i + 1 < argc ? argv[++*i] : NULL;
		return out->command_argument != NULL;
	}
	if (strcmp(arg, "-c") == 0 || strcmp(arg, "--config") == 0) {
		if (*i + 1 >= argc || out->n_files == DAEMON_FILES_MAX)
			return false;
		out->files[out->n_files++] = argv[++*i];
		return true;
	}
	if (strcmp(arg, "--foreground") == 0)
		return out->foreground = true;
	if (strcmp(arg, "--check-config") == 0)
		return out->check_config = true;
	if (strcmp(arg, "--print-config") == 0)
		return out->print_config = true;
	if (strcmp(arg, "--force") == 0)
		return out->force = true;
	if (strcmp(arg, "--print-routes") == 0)
		return out->print_routes = true;
	return false;
}

bool
daemon_args_parse(int argc, char **argv, const char *program, const struct daemon_command *commands,
		  size_t n_commands, struct daemon_args *out, int *exit_code)
{
	*out = (struct daemon_args) { .n_files = 0 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			usage(stdout, program, commands, n_commands);
			*exit_code = 0;
			return false;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("%s %s\n", program, DAEMON_VERSION);
			*exit_code = 0;
			return false;
		}
		if (!take(argc, argv, &i, commands, n_commands, out)) {
			fprintf(stderr, "%s: wrong or incomplete argument: %s\n", program,
				argv[i < argc ? i : argc - 1]);
			usage(stderr, program, commands, n_commands);
			*exit_code = 2;
			return false;
		}
	}
	if (out->n_files == 0) {
		fprintf(stderr, "%s: no configuration file given\n", program);
		usage(stderr, program, commands, n_commands);
		*exit_code = 2;
		return false;
	}
	return true;
}

void
daemon_routes_print(const struct http_route *routes, size_t n, bool *first)
{
	struct buf line;
	buf_init(&line, 16 * 1024);
	for (size_t i = 0; i < n; i++) {
		const struct http_route *r = &routes[i];
		buf_reset(&line);
		buf_printf(&line, "%s{\"method\":\"%s\",\"pattern\":", *first ? "[" : ",\n",
			   http_method_name(r->method));
		buf_json_cstr(&line, r->pattern);
		buf_add_cstr(&line, ",\"name\":");
		buf_json_cstr(&line, r->name);
		buf_add_cstr(&line, ",\"right\":");
		buf_json_cstr(&line, r->right);
		buf_printf(&line, ",\"deadline_ms\":%u,\"body_max\":%zu}", r->deadline_ms,
			   r->body_max == 0 ? (size_t)HTTP_BODY_BYTES_DEFAULT : r->body_max);
		printf("%.*s", STR_FMT(buf_str(&line)));
		*first = false;
	}
	buf_free(&line);
}

/* Keys, then the rules over several of them, so that one run names every error. */
static enum err
conf_read(const struct daemon_args *args, struct conf *c, const struct daemon_conf_plan *plan,
	  struct daemon_config *values, struct http_tls **tls, struct yaml_errors *e)
{
	const bool keys_good = conf_load(c, plan->keys, plan->n_keys, values, args->files,
					 args->n_files, e) == ERR_OK;

	*tls = NULL;
	/* A value that could not be read has its error already, and leaves nothing to judge by. */
	if (!keys_good)
		return ERR_CONFIG;
	daemon_tls_rules(c, values, tls, e);
	if (!http_origins_valid(values->ofrep_origins))
		conf_error(c, "ofrep.origins", e,
			   "\"%s\" is not a list of origins such as https://shop.example.org, with "
			   "one space "
			   "between",
			   values->ofrep_origins);
	if (plan->rules != NULL)
		plan->rules(c, values, e);
	if (e->count == 0)
		return ERR_OK;
	http_tls_destroy(*tls);
	*tls = NULL;
	return ERR_CONFIG;
}

enum err
daemon_conf_load(const struct daemon_args *args, struct conf *c,
		 const struct daemon_conf_plan *plan, struct daemon_config *values)
{
	struct http_tls *tls = NULL;
	struct yaml_errors errors;
	yaml_errors_init(&errors);
	const enum err err = conf_read(args, c, plan, values, &tls, &errors);
	daemon_tls_begin(tls);
	if (err != ERR_OK) {
		const struct str text = buf_str(&errors.text);
		fprintf(stderr, "%.*s%u error(s) in the configuration\n", STR_FMT(text),
			errors.count);
	}
	yaml_errors_free(&errors);
	if (err == ERR_OK && args->print_config) {
		struct buf out;
		buf_init(&out, 256 * 1024);
		conf_print(c, &out);
		const struct str text = buf_str(&out);
		fwrite(text.p, 1, text.len, stdout);
		buf_free(&out);
	}
	return err;
}

void
daemon_conf_reload(const struct daemon_args *args, const struct daemon_conf_plan *plan,
		   struct daemon_config *scratch)
{
	struct conf c;
	struct http_tls *tls = NULL;
	struct yaml_errors errors;
	enum log_level to = LOG_INFO;

	yaml_errors_init(&errors);
	if (conf_read(args, &c, plan, scratch, &tls, &errors) != ERR_OK) {
		log_error("config.reload", "nothing was changed: %.*s",
			  STR_FMT(buf_str(&errors.text)));
	} else if (log_level_parse(scratch->log_level, &to) != ERR_OK) {
		http_tls_destroy(tls);
		log_error("config.reload", "nothing was changed: log.level: \"%s\" is not a level",
			  scratch->log_level);
	} else {
		log_set_level(to);
		log_info("config.reload", "log level %s; other keys take effect at the next start",
			 scratch->log_level);
		daemon_tls_reload(tls);
	}
	conf_free(&c);
	yaml_errors_free(&errors);
}

struct once {
	struct loop *loop;
	struct err_info err;
};

static void
once_end(struct task *t, void *arg)
{
	struct once *once = arg;

	once->err = t->t_err;
	loop_stop(once->loop);
}

int
daemon_command_run(const struct daemon_command *command, usec_t deadline, struct loop *l,
		   struct task_engine *e, void *owner)
{
	struct once once = { .loop = l };
	struct task *t = NULL;

	if (task_start(e, command->name, command->steps, clock_now_us() + deadline,
		       4 * ARENA_CAP_BYTES, once_end, &once, &t) != ERR_OK) {
		fprintf(stderr, "could not start --%s\n", command->name);
		return 1;
	}
	t->t_owner = owner;
	loop_run(l);
	if (once.err.code == ERR_OK)
		return 0;
	fprintf(stderr, "--%s failed: %s%s%s%s%s\n", command->name, once.err.msg,
		once.err.field[0] != '\0' ? " at " : "", once.err.field,
		once.err.sqlstate[0] != '\0' ? ", SQLSTATE " : "", once.err.sqlstate);
	return 1;
}
