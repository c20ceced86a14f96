/*
 * yaml_json.h — a YAML tree (conf.h) as JSON and back to YAML, without a change of what it says: numbers keep their digits, texts stay
 * texts. JSON is read by the YAML reader itself, so both are one kind of tree.
 *
 * What a plain word means is JSON's and YAML 1.2's: null, true, false, numbers as JSON writes them, everything else text ("no" and "on"
 * are texts). A plain word that some readers of YAML take for a number or a truth value and we do not (True, 012, 0x1F, 1_000, .5) is an
 * error with its place instead of a guess; in quotes it is a text. Written, texts that any reader could take for something else are quoted.
 */
#ifndef BIMODAL_BASE_YAML_JSON_H
#define BIMODAL_BASE_YAML_JSON_H

#include "base/conf.h"

/* Append the tree as JSON. Errors: ERR_CONFIG, in `e`, as in yaml_parse; ERR_NO_MEMORY where `out` is full. */
MUST_CHECK enum err yaml_json(const struct yaml_node *root, const char *file, struct buf *out,
			      struct yaml_errors *e);
/* Append the tree as YAML, members in their order. ERR_NO_MEMORY, or ERR_INVALID where a text cannot be written in YAML. */
MUST_CHECK enum err yaml_write(const struct yaml_node *root, struct buf *out);
/* What a scalar is; *doubtful (may be NULL): it is one that is an error above. */
enum yaml_scalar { YAML_IS_TEXT, YAML_IS_NUMBER, YAML_IS_BOOL, YAML_IS_NULL };
enum yaml_scalar yaml_scalar_is(const struct yaml_node *node, bool *doubtful);
/* The node at a JSON pointer ("/document/rules/0"), or the last one on the way that is there. Never NULL. */
const struct yaml_node *yaml_at(const struct yaml_node *root, struct str pointer);

/* A walk through a tree, depth first, without recursion. */
struct yaml_walk {
	const struct yaml_node *open[YAML_DEPTH_MAX + 1];
	unsigned depth;
	const struct yaml_node *next;
	bool over;
};
enum yaml_step { YAML_STEP_SCALAR, YAML_STEP_OPEN, YAML_STEP_CLOSE, YAML_STEP_END };
void yaml_walk_begin(struct yaml_walk *w, const struct yaml_node *root);
/* *node: the scalar, or the map or list that opens or closes. */
enum yaml_step yaml_walk_next(struct yaml_walk *w, const struct yaml_node **node);

#endif
