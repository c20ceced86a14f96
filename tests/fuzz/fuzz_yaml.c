/*
 * fuzz_yaml.c — any bytes through the YAML reader: no crash, no leak, and a tree that keeps its
 * promises. As JSON it is valid, and written as YAML it says the same when it is read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_scan.h"
#include "base/yaml_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every node reachable without recursion: depth first with a stack as deep as the reader allows. */
static void
tree_check(const struct yaml_node *root)
{
	const struct yaml_node *next[YAML_DEPTH_MAX + 1] = { root };
	unsigned depth = 0;
	unsigned n = 0;
	for (;;) {
		const struct yaml_node *node = next[depth];
		if (node == NULL) {
			if (depth == 0)
				return;
			depth--;
			continue;
		}
		n++;
		if (n > YAML_NODES_MAX || node->line == 0 || node->column == 0)
			abort();
		next[depth] = depth == 0 ? NULL : node->next;
		if (node->kind == YAML_SCALAR &&
		    (node->child != NULL || !str_utf8_valid(node->text)))
			abort();
		if (node->child == NULL)
			continue;
		depth++;
		if (depth > YAML_DEPTH_MAX)
			abort();
		next[depth] = node->child;
	}
}

static void
round_trip(const struct yaml_node *root)
{
	struct err_info info = { .code = ERR_OK };
	enum json_kind kind = JSON_NULL;
	struct yaml_node *again = NULL;
	struct yaml_errors errors;
	struct buf json, text, same;
	struct arena arena;

	arena_init(&arena, 8 * 1024 * 1024);
	yaml_errors_init(&errors);
	buf_init(&json, 4 * 1024 * 1024);
	buf_init(&text, 4 * 1024 * 1024);
	buf_init(&same, 4 * 1024 * 1024);
	if (yaml_json(root, "fuzz.yaml", &json, &errors) == ERR_OK) {
		if (json_scan_any(buf_str(&json), &kind, &info) != ERR_OK)
			abort();
		if (yaml_write(root, &text) != ERR_OK)
			abort();
		/* What is written may be longer than what may be read. */
		if (text.len <= YAML_BYTES_MAX &&
		    (yaml_parse(&arena, "again.yaml", buf_str(&text), &again, &errors) != ERR_OK ||
		     yaml_json(again, "again.yaml", &same, &errors) != ERR_OK ||
		     !str_eq(buf_str(&json), buf_str(&same))))
			abort();
	}
	buf_free(&same);
	buf_free(&text);
	buf_free(&json);
	yaml_errors_free(&errors);
	arena_release(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct yaml_errors errors;
	struct yaml_node *root = NULL;
	arena_init(&arena, 4 * 1024 * 1024);
	yaml_errors_init(&errors);
	const struct str text = { (const char *)data, size };
	const enum err err = yaml_parse(&arena, "fuzz.yaml", text, &root, &errors);
	if ((err == ERR_OK) != (errors.count == 0) || (err == ERR_OK) != (root != NULL))
		abort();
	if (!str_utf8_valid(buf_str(&errors.text)))
		abort();
	if (root != NULL) {
		tree_check(root);
		round_trip(root);
	}
	yaml_errors_free(&errors);
	arena_release(&arena);
	return 0;
}
