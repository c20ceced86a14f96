/*
 * main.c — options, the command table, help. A command is found by its one to three words; the table is the documentation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cli/cli.h"
#include "cli/trace.h"

static const struct group {
	const char *title;
	const struct cli_command *commands;
} groups[] = {
	{ "Records", cli_record_commands },
	{ "Saved views", cli_view_commands },
	{ "Consents", cli_consent_commands },
	{ "Import", cli_import_commands },
	{ "Sample data", cli_seed_commands },
	{ "Outcomes of the sample's world", cli_outcomes_commands },
	{ "Flags", cli_flag_commands },
	{ "Ramps and schedules of flags", cli_ramp_commands },
	{ "Segments", cli_segment_commands },
	{ "Mode 2 as a whole", cli_mode2_commands },
	{ "Hypothesis features", cli_feature_commands },
	{ "Promoted features", cli_compare_commands },
	{ "Experiments", cli_experiment_commands },
	{ "Changes", cli_change_commands },
	{ "People and services", cli_user_commands },
	{ "Teams", cli_team_commands },
	{ "Tokens", cli_token_commands },
	{ "Notices", cli_notices_commands },
	{ "Feed", cli_feed_commands },
	{ "Sign-in", cli_sign_in_commands },
	{ "Sessions and passwords", cli_session_commands },
	{ "Installation", cli_doctor_commands },
	{ "Load", cli_load_commands },
	{ "Rights", cli_access_commands },
	{ "Live", cli_live_commands },
};

static bool
first_word_is(const char *name, const char *word)
{
	const size_t n = strcspn(name, " ");
	return strlen(word) == n && strncmp(name, word, n) == 0;
}

/* All commands, or those whose first word is `word`; returns how many. */
static unsigned
commands_print(FILE *out, const char *word)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		bool titled = false;
		for (const struct cli_command *c = groups[i].commands; c->name != NULL; c++) {
			if (word != NULL && !first_word_is(c->name, word))
				continue;
			if (!titled)
				fprintf(out, "%s\n", groups[i].title);
			titled = true;
			n++;
			fprintf(out, "  %s %s\n      %s\n", c->name, c->usage, c->summary);
		}
	}
	return n;
}

static void
help(FILE *out)
{
	fputs("usage: bimodal [--as ROLE] [--core URL] [--sandbox URL] [--token-file FILE] [--ca "
	      "FILE] "
	      "[--var FOLDER] [--trace FILE] [--raw] [--quiet] COMMAND …\n\n",
	      out);
	(void)commands_print(out, NULL);
	fputs("\nAddresses and tokens come from the folder $BIMODAL_VAR (default: var), which "
	      "`make run` fills.\n"
	      "Certificates of https addresses are verified: against the system's roots, or those "
	      "of --ca or $BIMODAL_CA alone.\n"
	      "--trace FILE or $BIMODAL_TRACE appends a line of JSON for each exchange with a "
	      "daemon: what was asked and answered, how long\n"
	      "it took, without credentials. It holds what you may read: the file is yours "
	      "alone.\n"
	      "\"bimodal COMMAND --help\" shows one command or group.\n",
	      out);
}

/* How many of argv's words name this command: 0 if they do not. */
static int
words_match(const char *name, int argc, char **argv)
{
	struct str rest = str_of(name);
	int words = 0;

	while (rest.p != NULL) {
		const struct str word = str_cut(&rest, ' ');
		if (words >= argc || !str_is(word, argv[words]))
			return 0;
		words++;
	}
	return words;
}

/* The one that most words name: "flag ramp start" before "flag ramp". */
static const struct cli_command *
command_find(int argc, char **argv, int *words)
{
	const struct cli_command *found = NULL;

	*words = 0;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		for (const struct cli_command *c = groups[i].commands; c->name != NULL; c++) {
			const int n = words_match(c->name, argc, argv);
			if (n > *words) {
				found = c;
				*words = n;
			}
		}
	}
	return found;
}

/* One option in front of the command; returns how many arguments it took, 0 if it is none of ours. */
static int
option(struct cli *c, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **value;
	} with_value[] = {
		{ "--as", &c->as },
		{ "--core", &c->url[CLI_CORE] },
		{ "--sandbox", &c->url[CLI_SANDBOX] },
		{ "--token-file", &c->token_file },
		{ "--ca", &c->ca_file },
		{ "--var", &c->var },
		{ "--trace", &c->trace_file },
	};
	for (size_t i = 0; i < ARRAY_LEN(with_value); i++) {
		if (strcmp(argv[0], with_value[i].name) != 0)
			continue;
		if (argc < 2)
			return 0;
		*with_value[i].value = argv[1];
		return 2;
	}
	if (strcmp(argv[0], "--raw") == 0)
		return c->raw = true;
	if (strcmp(argv[0], "--quiet") == 0)
		return c->quiet = true;
	return 0;
}

/* `bimodal seed --help`, `bimodal flag --help`, `bimodal flag enable --help`, `bimodal flag ramp start --help`. */
static bool
help_wanted(int argc, char **argv)
{
	for (int i = 1; i < MIN(argc, 4); i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

static int
command_run(struct cli *c, int argc, char **argv)
{
	int words = 0;

	if (argc >= 1 && help_wanted(argc, argv) && commands_print(stdout, argv[0]) > 0)
		return 0;
	c->command = command_find(argc, argv, &words);
	if (c->command == NULL && argc >= 1) {
		fprintf(stderr, "bimodal: there is no command \"%s%s%s\"\n\n", argv[0],
			argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
		if (commands_print(stderr, argv[0]) > 0)
			return 2;
	}
	if (c->command == NULL) {
		help(stderr);
		return 2;
	}
	if (c->as == NULL)
		c->as = c->command->role != NULL ? c->command->role : "agent";
	c->argc = argc - words;
	c->argv = argv + words;
	return c->command->run(c);
}

int
main(int argc, char **argv)
{
	const char *var = getenv("BIMODAL_VAR");
	const char *ca = getenv("BIMODAL_CA");
	const char *trace = getenv("BIMODAL_TRACE");
	struct cli c = { .var = var != NULL ? var : "var",
			 .ca_file = ca != NULL && ca[0] != '\0' ? ca : NULL,
			 .trace_file = trace != NULL && trace[0] != '\0' ? trace : NULL };
	int at = 1;

	while (at < argc && strncmp(argv[at], "--", 2) == 0) {
		if (strcmp(argv[at], "--help") == 0) {
			help(stdout);
			return 0;
		}
		const int took = option(&c, argc - at, argv + at);
		if (took == 0) {
			fprintf(stderr, "bimodal: unknown or incomplete option: %s\n", argv[at]);
			return 2;
		}
		at += took;
	}
	if (c.trace_file != NULL && !trace_open(c.trace_file))
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	return command_run(&c, argc - at, argv + at);
}
