/* Red-black tree, links inside the objects.  The owner keeps the order by where it links. */
#pragma once

#include "kernel/lib/base.h"

struct tree_node {
	struct tree_node *parent, *left, *right;
	bool red;
};

struct tree {
	struct tree_node *root;
};

/* Less than zero, zero, more than zero: a stands before, with, behind b. */
typedef int (*tree_compare)(const struct tree_node *a, const struct tree_node *b);
/* The same for a key against a node. */
typedef int (*tree_compare_key)(const void *key, const struct tree_node *node);

/* Insert behind equals. */
void tree_insert(struct tree *t, struct tree_node *node, tree_compare compare);
void tree_remove(struct tree *t, struct tree_node *node);
struct tree_node *tree_find(const struct tree *t, const void *key, tree_compare_key compare);
/* The first node that is not before key; NULL when all are. */
struct tree_node *tree_find_from(const struct tree *t, const void *key, tree_compare_key compare);
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);
