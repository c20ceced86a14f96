/*
 * fuzz_yaml.c — any bytes through the YAML reader: no crash, no leak, and a tree that keeps its
 * promises.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/conf.h"

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
	if (root != NULL)
		tree_check(root);
	yaml_errors_free(&errors);
	arena_release(&arena);
	return 0;
}
