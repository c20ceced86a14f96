/*
 * components.c — what the operations of a document refer to, and what that refers to. See openapi.h.
 *
 * Place: the end of write.c. References are found as text: "#/components/<kind>/<name>". Invariant: what nothing visible refers
 * to is not written, so that a schema never tells of a route, a resource or a field that its reader may not see.
 */
#include "openapi/internal.h"

#include <stdlib.h>
#include <string.h>

#define USED_MAX 4096
#define SLOTS (2 * USED_MAX) /* a power of two */
#define PROPERTIES_MAX 64    /* of a schema with some that need a right */
#define TEXT_BYTES_MAX (256 * 1024)

struct used {
	enum openapi_kind kind;
	struct str name;
	struct str text;
};

struct walk {
	const struct openapi_list *list;
	struct arena *arena;
	struct used *used;
	size_t n;
	uint16_t *slots; /* index + 1 by hash of the name */
	bool failed;
};

const struct openapi_component *
openapi_component_find(const struct openapi *o, enum openapi_kind kind, bool each, struct str name)
{
	for (size_t i = 0; i < o->n_components; i++)
		if (o->components[i].kind == kind && o->components[i].each == each &&
		    str_eq(o->components[i].name, name))
			return &o->components[i];
	return NULL;
}

bool
openapi_component_add(struct openapi *o, const struct openapi_component *c)
{
	if (o->n_components == OPENAPI_COMPONENTS_MAX ||
	    openapi_component_find(o, c->kind, c->each, c->name) != NULL)
		return false;
	o->components[o->n_components++] = *c;
	return true;
}

static bool
may_see(const struct walk *w, const struct json_member *property)
{
	struct json_member m[PROPERTIES_MAX];
	size_t n = PROPERTIES_MAX;
	if (property->kind != JSON_OBJECT ||
	    json_scan_object(property->value, w->arena, m, &n, NULL) != ERR_OK)
		return true;
	for (size_t i = 0; i < n; i++)
		if (str_is(m[i].key, "x-right"))
			return openapi_may(w->list->view,
					   (struct str) { m[i].value.p + 1, m[i].value.len - 2 });
	return true;
}

/* A schema without the properties that need a right which this reader lacks. */
static void
narrow(const struct walk *w, struct str text, struct buf *out)
{
	struct json_member m[PROPERTIES_MAX], p[PROPERTIES_MAX];
	size_t n = PROPERTIES_MAX;
	const char *between = "{";
	if (json_scan_object(text, w->arena, m, &n, NULL) != ERR_OK)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s\"%.*s\":", between, STR_FMT(m[i].key));
		between = ",";
		size_t k = PROPERTIES_MAX;
		if (!str_is(m[i].key, "properties") ||
		    json_scan_object(m[i].value, w->arena, p, &k, NULL) != ERR_OK) {
			buf_add_str(out, m[i].value);
			continue;
		}
		const char *inner = "{";
		for (size_t j = 0; j < k; j++) {
			if (!may_see(w, &p[j]))
				continue;
			buf_printf(out, "%s\"%.*s\":", inner, STR_FMT(p[j].key));
			buf_add_str(out, p[j].value);
			inner = ",";
		}
		buf_add_cstr(out, inner[0] == '{' ? "{}" : "}");
	}
	buf_add_char(out, '}');
}

/* The text for this reader, in the arena. */
static struct str
text_of(const struct walk *w, const struct openapi_component *c, struct str resource)
{
	if (!c->each && !c->conditional)
		return c->text;
	struct buf b;
	buf_init(&b, TEXT_BYTES_MAX);
	if (c->conditional)
		narrow(w, c->text, &b);
	else
		openapi_fill(c->text, resource, &b);
	const struct str text = b.failed ? STR_NONE : arena_str(w->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/* "people.Record": what the view gives of the resource, or what there is once for each. */
static struct str
resource_text(const struct walk *w, struct str name)
{
	const struct openapi_view *v = w->list->view;
	struct str part = name;
	const struct str resource = str_cut(&part, '.');
	for (size_t i = 0; i < v->n_resources; i++) {
		const struct openapi_resource *r = &v->resources[i];
		if (!str_eq(r->name, resource))
			continue;
		if (str_is(part, "Record"))
			return r->record;
		if (str_is(part, "Part"))
			return r->part;
		if (str_is(part, "Create"))
			return r->create;
		if (str_is(part, "Child"))
			return r->child;
		if (str_is(part, "Patch"))
			return r->patch;
		const struct openapi_component *c =
			openapi_component_find(w->list->api, OPENAPI_SCHEMA, true, part);
		return c == NULL ? STR_NONE : text_of(w, c, resource);
	}
	return STR_NONE;
}

static size_t
slot_of(const struct walk *w, enum openapi_kind kind, struct str name)
{
	uint32_t h = 2166136261u + (uint32_t)kind;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619u;
	size_t slot = h & (SLOTS - 1);
	while (w->slots[slot] != 0) {
		const struct used *u = &w->used[w->slots[slot] - 1];
		if (u->kind == kind && str_eq(u->name, name))
			break;
		slot = (slot + 1) & (SLOTS - 1);
	}
	return slot;
}

static void
refer(struct walk *w, enum openapi_kind kind, struct str name)
{
	const size_t slot = slot_of(w, kind, name);
	if (w->slots[slot] != 0)
		return;
	const struct openapi_component *c = openapi_component_find(w->list->api, kind, false, name);
	struct str text = STR_NONE;
	if (c != NULL)
		text = text_of(w, c, STR_NONE);
	else if (kind == OPENAPI_SCHEMA)
		text = resource_text(w, name);
	const struct str kept = arena_str(w->arena, name);
	if (text.p == NULL || kept.p == NULL || w->n == USED_MAX) {
		w->failed = true;
		return;
	}
	w->used[w->n++] = (struct used) { kind, kept, text };
	w->slots[slot] = (uint16_t)w->n;
}

static void
scan(struct walk *w, struct str text)
{
	static const char mark[] = "\"#/components/";
	while (text.len > 0) {
		const char *at = memmem(text.p, text.len, mark, sizeof(mark) - 1);
		if (at == NULL)
			return;
		struct str rest = { at + sizeof(mark) - 1,
				    text.len - (size_t)(at - text.p) - (sizeof(mark) - 1) };
		const struct str kind = str_cut(&rest, '/');
		const struct str name = str_cut(&rest, '"');
		for (int k = 0; k < OPENAPI_KINDS; k++)
			if (str_is(kind, openapi_kind_names[k]))
				refer(w, (enum openapi_kind)k, name);
		text = rest;
	}
}

static int
compare(const void *x, const void *y)
{
	const struct used *a = x, *b = y;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	const int order = memcmp(a->name.p, b->name.p, MIN(a->name.len, b->name.len));
	return order != 0 ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

void
openapi_components_write(const struct openapi_list *list, struct str text, struct arena *a,
			 struct buf *out)
{
	struct walk w = { .list = list,
			  .arena = a,
			  .used = arena_alloc(a, USED_MAX * sizeof(*w.used)),
			  .slots = arena_alloc(a, SLOTS * sizeof(*w.slots)) };
	if (w.used == NULL || w.slots == NULL) {
		out->failed = true;
		return;
	}
	scan(&w, text);
	for (size_t i = 0; i < w.n; i++)
		scan(&w, w.used[i].text);
	qsort(w.used, w.n, sizeof(*w.used), compare);
	for (size_t i = 0; i < w.n; i++) {
		const struct used *u = &w.used[i];
		if (i == 0 || u->kind != w.used[i - 1].kind)
			buf_printf(out, "%s,\n\"%s\":{\n", i == 0 ? "" : "}",
				   openapi_kind_names[u->kind]);
		else
			buf_add_cstr(out, ",\n");
		buf_json_str(out, u->name);
		buf_add_char(out, ':');
		buf_add_str(out, u->text);
	}
	if (w.n > 0)
		buf_add_char(out, '}');
	out->failed = out->failed || w.failed;
}
