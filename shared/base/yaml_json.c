/*
 * yaml_json.c — see yaml_json.h. Reading is conf.h's; writing is libyaml's emitter, which is told the style of each text: plain where
 * every reader takes it for a text, a block where it has lines, double quotes else. No recursion: the walk keeps its own stack.
 */
#include "base/yaml_json.h"

#include <string.h>

#include <yaml.h>

#include "base/json_scan.h"

/* ---- the walk ---- */

void
yaml_walk_begin(struct yaml_walk *w, const struct yaml_node *root)
{
	w->depth = 0;
	w->next = root;
	w->over = false;
}

enum yaml_step
yaml_walk_next(struct yaml_walk *w, const struct yaml_node **node)
{
	if (w->over)
		return YAML_STEP_END;
	if (w->next == NULL) {
		*node = w->open[--w->depth];
		w->next = w->depth > 0 ? (*node)->next : NULL;
		w->over = w->depth == 0;
		return YAML_STEP_CLOSE;
	}
	*node = w->next;
	if ((*node)->kind == YAML_SCALAR) {
		w->next = w->depth > 0 ? (*node)->next : NULL;
		w->over = w->depth == 0;
		return YAML_STEP_SCALAR;
	}
	w->open[w->depth++] = *node;
	w->next = (*node)->child;
	return YAML_STEP_OPEN;
}

/* ---- what a scalar is ---- */

static bool
is_one_of(struct str text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (str_ieq(text, str_of(*words)))
			return true;
	return false;
}

static bool
is_json_number(struct str text)
{
	enum json_kind kind = JSON_NULL;
	struct err_info ignored = { .code = ERR_OK };

	/* A scan passes over blanks, which no plain word begins or ends with. */
	return json_scan_any(text, &kind, &ignored) == ERR_OK && kind == JSON_NUMBER;
}

/* Could a reader of any YAML take it for a number: a sign, then digits with '_', ':', one '.', an exponent, or another base? */
static bool
is_like_number(struct str text)
{
	static const char *const words[] = { ".inf", ".nan", NULL };
	size_t i = 0, digits = 0, dots = 0;

	if (text.len > 0 && (text.p[0] == '+' || text.p[0] == '-'))
		i++;
	const struct str rest = { text.p + i, text.len - i };
	if (is_one_of(rest, words))
		return true;
	const bool based = rest.len > 2 && rest.p[0] == '0' && strchr("xXoObB", rest.p[1]) != NULL;
	for (i = based ? 2 : 0; i < rest.len; i++) {
		const char c = rest.p[i];
		const bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (c >= '0' && c <= '9')
			digits++;
		else if (c == '.')
			dots++;
		else if (c == 'e' || c == 'E' || c == '-' || c == '+') {
			if (!based && digits == 0)
				return false;
		} else if (c != '_' && c != ':' && !(based && hex))
			return false;
		/* Times and dates have more than one '-' or a letter; versions more than one dot. */
		if (c == '-' && i > 0 && rest.p[i - 1] != 'e' && rest.p[i - 1] != 'E')
			return false;
	}
	return (digits > 0 || based) && dots <= 1;
}

enum yaml_scalar
yaml_scalar_is(const struct yaml_node *node, bool *doubtful)
{
	static const char *const words[] = { "true", "false", "null", NULL };
	const struct str t = node->text;

	if (doubtful != NULL)
		*doubtful = false;
	if (node->quoted)
		return YAML_IS_TEXT;
	if (t.len == 0 || str_is(t, "~") || str_is(t, "null"))
		return YAML_IS_NULL;
	if (str_is(t, "true") || str_is(t, "false"))
		return YAML_IS_BOOL;
	if (is_json_number(t))
		return YAML_IS_NUMBER;
	if (doubtful != NULL)
		*doubtful = is_one_of(t, words) || is_like_number(t);
	return YAML_IS_TEXT;
}

/* ---- JSON ---- */

static void
scalar_json(const struct yaml_node *node, const char *file, struct buf *out, struct yaml_errors *e)
{
	bool doubtful = false;

	switch (yaml_scalar_is(node, &doubtful)) {
	case YAML_IS_NULL:
		buf_add_cstr(out, "null");
		break;
	case YAML_IS_BOOL:
	case YAML_IS_NUMBER:
		buf_add_str(out, node->text);
		break;
	case YAML_IS_TEXT:
		if (doubtful)
			yaml_error(
				e, file, node, NULL,
				"%.*s is a text to some readers of YAML and not to others: put it "
				"in quotes, or write it as JSON would",
				STR_FMT(node->text));
		buf_json_str(out, node->text);
		break;
	}
}

enum err
yaml_json(const struct yaml_node *root, const char *file, struct buf *out, struct yaml_errors *e)
{
	const unsigned before = e->count;
	const struct yaml_node *node = NULL;
	struct yaml_walk w;

	yaml_walk_begin(&w, root);
	for (enum yaml_step s; (s = yaml_walk_next(&w, &node)) != YAML_STEP_END;) {
		if (s == YAML_STEP_CLOSE) {
			buf_add_char(out, node->kind == YAML_MAP ? '}' : ']');
			continue;
		}
		const unsigned parent = w.depth - (s == YAML_STEP_OPEN ? 1 : 0);
		const struct yaml_node *in = parent > 0 ? w.open[parent - 1] : NULL;
		if (in != NULL && in->child != node)
			buf_add_char(out, ',');
		if (in != NULL && in->kind == YAML_MAP) {
			buf_json_str(out, node->key);
			buf_add_char(out, ':');
		}
		if (s == YAML_STEP_OPEN)
			buf_add_char(out, node->kind == YAML_MAP ? '{' : '[');
		else
			scalar_json(node, file, out, e);
	}
	if (e->count != before)
		return ERR_CONFIG;
	return out->failed ? ERR_NO_MEMORY : ERR_OK;
}

const struct yaml_node *
yaml_at(const struct yaml_node *root, struct str pointer)
{
	const struct yaml_node *node = root;
	char name[256];

	if (pointer.len > 0 && pointer.p[0] == '/')
		pointer = (struct str) { pointer.p + 1, pointer.len - 1 };
	while (pointer.p != NULL && pointer.len > 0) {
		const struct str raw = str_cut(&pointer, '/');
		size_t n = 0;
		for (size_t i = 0; i < raw.len && n + 1 < sizeof(name); i++) {
			const bool escape = raw.p[i] == '~' && i + 1 < raw.len;
			name[n++] = !escape ? raw.p[i] : raw.p[++i] == '1' ? '/' : '~';
		}
		const struct str key = { name, n };
		int64_t at = 0;
		const struct yaml_node *child = node->kind == YAML_SCALAR ? NULL : node->child;
		if (node->kind == YAML_LIST && str_int(key, 0, YAML_NODES_MAX, &at) != ERR_OK)
			child = NULL;
		for (; child != NULL; child = child->next)
			if (node->kind == YAML_MAP ? str_eq(child->key, key) : at-- == 0)
				break;
		if (child == NULL)
			return node;
		node = child;
	}
	return node;
}

/* ---- YAML ---- */

static int
write_some(void *data, unsigned char *bytes, size_t n)
{
	struct buf *out = data;

	buf_add(out, bytes, n);
	return out->failed ? 0 : 1;
}

/* A word that no reader takes for anything but a text. */
static bool
is_plain(struct str text)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no",
					     "on",   "off",   "y",    "n",   NULL };

	for (size_t i = 0; i < text.len; i++) {
		const char c = text.p[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		const bool inner = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' ||
				   (c == ' ' && i + 1 < text.len && text.p[i + 1] != ' ');
		if (!letter && (i == 0 || !inner))
			return false;
	}
	return text.len > 0 && text.len < 80 && !is_one_of(text, words);
}

/* Lines that a block gives back as they are. */
static bool
is_block(struct str text)
{
	if (text.len < 2 || memchr(text.p, '\n', text.len) == NULL || text.p[0] == ' ' ||
	    text.p[0] == '\n')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		if ((c < 0x20 && c != '\n') || c >= 0x7f ||
		    (c == ' ' && (i + 1 == text.len || text.p[i + 1] == '\n')))
			return false;
	}
	return !str_ends(text, "\n\n");
}

static bool
text_emit(yaml_emitter_t *em, struct str text, bool plain, bool key)
{
	const yaml_scalar_style_t style = plain || is_plain(text) ? YAML_PLAIN_SCALAR_STYLE
					  : !key && is_block(text)
						  ? YAML_LITERAL_SCALAR_STYLE
						  : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	yaml_event_t ev;

	return yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text.p,
					    (int)text.len, 1, 1, style) != 0 &&
	       yaml_emitter_emit(em, &ev) != 0;
}

static bool
node_emit(yaml_emitter_t *em, const struct yaml_node *node, enum yaml_step s)
{
	yaml_event_t ev;
	int made = 0;

	if (s == YAML_STEP_SCALAR)
		return text_emit(em, node->text.len > 0 || node->quoted ? node->text : STR("null"),
				 !node->quoted && yaml_scalar_is(node, NULL) != YAML_IS_TEXT,
				 false);
	if (s == YAML_STEP_CLOSE)
		made = node->kind == YAML_MAP ? yaml_mapping_end_event_initialize(&ev)
					      : yaml_sequence_end_event_initialize(&ev);
	else if (node->kind == YAML_MAP)
		made = yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1,
							   YAML_BLOCK_MAPPING_STYLE);
	else
		made = yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
							    YAML_BLOCK_SEQUENCE_STYLE);
	return made != 0 && yaml_emitter_emit(em, &ev) != 0;
}

static bool
tree_emit(yaml_emitter_t *em, const struct yaml_node *root)
{
	const struct yaml_node *node = NULL;
	struct yaml_walk w;

	yaml_walk_begin(&w, root);
	for (enum yaml_step s; (s = yaml_walk_next(&w, &node)) != YAML_STEP_END;) {
		const unsigned parent = w.depth - (s == YAML_STEP_OPEN ? 1 : 0);
		if (s != YAML_STEP_CLOSE && parent > 0 && w.open[parent - 1]->kind == YAML_MAP &&
		    !text_emit(em, node->key, false, true))
			return false;
		if (!node_emit(em, node, s))
			return false;
	}
	return true;
}

enum err
yaml_write(const struct yaml_node *root, struct buf *out)
{
	yaml_emitter_t em;
	yaml_event_t ev;

	if (yaml_emitter_initialize(&em) == 0)
		return ERR_NO_MEMORY;
	yaml_emitter_set_output(&em, write_some, out);
	yaml_emitter_set_unicode(&em, 1);
	yaml_emitter_set_width(&em, -1);
	const bool good = yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING) != 0 &&
			  yaml_emitter_emit(&em, &ev) != 0 &&
			  yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1) != 0 &&
			  yaml_emitter_emit(&em, &ev) != 0 && tree_emit(&em, root) &&
			  yaml_document_end_event_initialize(&ev, 1) != 0 &&
			  yaml_emitter_emit(&em, &ev) != 0 && yaml_emitter_flush(&em) != 0;
	yaml_emitter_delete(&em);
	if (good && !out->failed)
		return ERR_OK;
	return out->failed ? ERR_NO_MEMORY : ERR_INVALID;
}
