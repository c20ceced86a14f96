/*
 * finding.c — collects findings of a package check and writes them for people and programs.
 *
 * Invariants: `total` counts every finding; what does not fit into the list or the arena is only
 * counted, so a package with findings is refused whatever happens to their texts.
 */
#include "feature/finding.h"

#include <stdarg.h>

void
feature_findings_init(struct feature_findings *f, struct arena *arena)
{
	*f = (struct feature_findings) { .arena = arena };
}

void
feature_find(struct feature_findings *f, const char *file, unsigned line, unsigned column,
	     const char *fmt, ...)
{
	f->total++;
	if (f->n == FEATURE_FINDINGS_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	const char *reason = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
	const char *name = arena_strdup(f->arena, str_of(file));
	if (reason == NULL || name == NULL)
		return;
	f->items[f->n++] = (struct feature_finding) {
		.file = name, .line = line, .column = column, .reason = reason
	};
}

void
feature_findings_text(const struct feature_findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct feature_finding *it = &f->items[i];
		if (it->line > 0)
			buf_printf(out, "%s:%u:%u: %s\n", it->file, it->line, it->column,
				   it->reason);
		else
			buf_printf(out, "%s: %s\n", it->file, it->reason);
	}
	if (f->total > f->n)
		buf_printf(out, "and %zu more\n", f->total - f->n);
}

void
feature_findings_json(const struct feature_findings *f, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < f->n; i++) {
		const struct feature_finding *it = &f->items[i];
		buf_add_cstr(out, i > 0 ? ",{\"file\":" : "{\"file\":");
		buf_json_cstr(out, it->file);
		buf_printf(out, ",\"line\":%u,\"column\":%u,\"reason\":", it->line, it->column);
		buf_json_cstr(out, it->reason);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}
