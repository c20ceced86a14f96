/*
 * args.c — what stands behind a command's name: options, words, name=value pairs, and how texts go into a path.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_scan.h"

static const struct cli_option *
option_find(const struct cli_option *options, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(name, options[i].name))
			return &options[i];
	return NULL;
}

static bool
option_set(const struct cli_option *o, const char *text)
{
	int64_t whole = 0;
	double decimal = 0;

	switch (o->kind) {
	case CLI_OPTION_TEXT:
		*(const char **)o->value = text;
		return true;
	case CLI_OPTION_INT:
		if (str_int(str_of(text), o->min, o->max, &whole) != ERR_OK) {
			fprintf(stderr,
				"bimodal: %s: expected a whole number from %lld to %lld, got "
				"\"%s\"\n",
				o->name, (long long)o->min, (long long)o->max, text);
			return false;
		}
		*(int64_t *)o->value = whole;
		return true;
	case CLI_OPTION_DECIMAL:
		if (str_double(str_of(text), &decimal) != ERR_OK || decimal < (double)o->min ||
		    decimal > (double)o->max) {
			fprintf(stderr,
				"bimodal: %s: expected a number from %lld to %lld, got \"%s\"\n",
				o->name, (long long)o->min, (long long)o->max, text);
			return false;
		}
		*(double *)o->value = decimal;
		return true;
	case CLI_OPTION_SWITCH:
		*(bool *)o->value = true;
		return true;
	}
	return false;
}

/* One argument that begins with "--"; *took arguments are used up. */
static bool
option_take(struct cli *c, const struct cli_option *options, size_t n, int at, int *took)
{
	struct str value = str_of(c->argv[at]);
	const struct str name = str_cut(&value, '=');
	const struct cli_option *o = option_find(options, n, name);

	if (o == NULL) {
		fprintf(stderr, "bimodal: %s has no option %.*s\n", c->command->name,
			STR_FMT(name));
		return false;
	}
	*took = 1;
	if (o->kind == CLI_OPTION_SWITCH) {
		if (value.p == NULL)
			return option_set(o, NULL);
		fprintf(stderr, "bimodal: %s takes no value\n", o->name);
		return false;
	}
	if (value.p != NULL)
		return option_set(o, value.p);
	if (at + 1 >= c->argc) {
		fprintf(stderr, "bimodal: %s needs a value\n", o->name);
		return false;
	}
	*took = 2;
	return option_set(o, c->argv[at + 1]);
}

bool
cli_options(struct cli *c, const struct cli_option *options, size_t n, int words_min, int words_max)
{
	int words = 0;
	bool ended = false;

	for (int i = 0; i < c->argc;) {
		int took = 1;
		if (!ended && strcmp(c->argv[i], "--") == 0)
			ended = true;
		else if (!ended && strncmp(c->argv[i], "--", 2) == 0) {
			if (!option_take(c, options, n, i, &took))
				return false;
		} else
			c->argv[words++] = c->argv[i];
		i += took;
	}
	c->argc = words;
	if (words >= words_min && words <= words_max)
		return true;
	(void)cli_usage(c);
	return false;
}

bool
cli_object(struct buf *out, int argc, char **argv)
{
	buf_add_char(out, '{');
	for (int i = 0; i < argc; i++) {
		struct str value = str_of(argv[i]);
		struct str name = str_cut(&value, '=');
		if (value.p == NULL || name.len == 0) {
			fprintf(stderr, "bimodal: expected name=value or name:=JSON, got \"%s\"\n",
				argv[i]);
			return false;
		}
		const bool json = name.p[name.len - 1] == ':';
		name.len -= json;
		enum json_kind kind;
		if (json && json_scan_any(value, &kind, NULL) != ERR_OK) {
			fprintf(stderr, "bimodal: the value of \"%.*s\" is not JSON\n",
				STR_FMT(name));
			return false;
		}
		buf_add_cstr(out, i > 0 ? "," : "");
		buf_json_str(out, name);
		buf_add_char(out, ':');
		if (json)
			buf_add_str(out, value);
		else
			buf_json_str(out, value);
	}
	buf_add_char(out, '}');
	return !out->failed;
}

void
cli_escape(struct buf *out, const char *text)
{
	buf_add_url(out, str_of(text));
}

bool
cli_query(struct cli *c, int first, char mark, struct buf *out)
{
	for (int i = first; i < c->argc; i++) {
		const char *value = strchr(c->argv[i], '=');
		if (value == NULL || value == c->argv[i]) {
			fprintf(stderr, "bimodal: \"%s\" is not of the form name=value\n",
				c->argv[i]);
			(void)cli_usage(c);
			return false;
		}
		if (i > first || mark != '\0')
			buf_add_char(out, i == first ? mark : '&');
		buf_add(out, c->argv[i], (size_t)(value + 1 - c->argv[i]));
		cli_escape(out, value + 1);
	}
	return true;
}

int
cli_usage(const struct cli *c)
{
	fprintf(stderr, "usage: bimodal %s %s\n", c->command->name, c->command->usage);
	return 2;
}

bool
cli_file(const char *path, size_t limit, char **out, size_t *len)
{
	struct err_info info = { .code = ERR_OK };

	if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, limit, false, out, len,
		      &info) == ERR_OK)
		return true;
	fprintf(stderr, "bimodal: %s\n", info.msg);
	return false;
}
