/*
 * Red-black tree (Guibas and Sedgewick; the cases as in Cormen et al., 3rd edition, chapter 13), with
 * NULL for the black leaves.  Invariants: the root is black; a red node has black children; every
 * path down to a leaf has the same number of black nodes.
 */
#include "kernel/lib/tree.h"

static bool is_red(const struct tree_node *n)
{
	return n != NULL && n->red;
}

/* Where the tree points at node. */
static struct tree_node **link_of(struct tree *t, struct tree_node *node)
{
	struct tree_node *parent = node->parent;
	if (parent == NULL)
		return &t->root;
	return parent->left == node ? &parent->left : &parent->right;
}

static void rotate_left(struct tree *t, struct tree_node *x)
{
	struct tree_node *y = x->right;
	*link_of(t, x) = y;
	y->parent = x->parent;
	x->right = y->left;
	if (y->left != NULL)
		y->left->parent = x;
	y->left = x;
	x->parent = y;
}

static void rotate_right(struct tree *t, struct tree_node *x)
{
	struct tree_node *y = x->left;
	*link_of(t, x) = y;
	y->parent = x->parent;
	x->left = y->right;
	if (y->right != NULL)
		y->right->parent = x;
	y->right = x;
	x->parent = y;
}

/* node and its parent are red. */
static void repair_insert(struct tree *t, struct tree_node *node)
{
	while (is_red(node->parent)) {
		struct tree_node *parent = node->parent, *grand = parent->parent;
		bool left = parent == grand->left;
		struct tree_node *uncle = left ? grand->right : grand->left;
		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			grand->red = true;
			node = grand;
			continue;
		}
		if (left && node == parent->right) {
			rotate_left(t, parent);
			parent = node;
		} else if (!left && node == parent->left) {
			rotate_right(t, parent);
			parent = node;
		}
		parent->red = false;
		grand->red = true;
		if (left)
			rotate_right(t, grand);
		else
			rotate_left(t, grand);
		break;
	}
	t->root->red = false;
}

void tree_insert(struct tree *t, struct tree_node *node, tree_compare compare)
{
	struct tree_node *parent = NULL, **link = &t->root;
	while (*link != NULL) {
		parent = *link;
		link = compare(node, parent) < 0 ? &parent->left : &parent->right;
	}
	*node = (struct tree_node){.parent = parent, .red = true};
	*link = node;
	repair_insert(t, node);
}

/* Paths through node (perhaps NULL, a leaf below parent) lack one black node. */
static void repair_remove(struct tree *t, struct tree_node *node, struct tree_node *parent)
{
	while (node != t->root && !is_red(node)) {
		bool left = node == parent->left;
		struct tree_node *sibling = left ? parent->right : parent->left;
		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			if (left)
				rotate_left(t, parent);
			else
				rotate_right(t, parent);
			sibling = left ? parent->right : parent->left;
		}
		if (!is_red(sibling->left) && !is_red(sibling->right)) {
			sibling->red = true;
			node = parent;
			parent = node->parent;
			continue;
		}
		if (left && !is_red(sibling->right)) {
			sibling->left->red = false;
			sibling->red = true;
			rotate_right(t, sibling);
			sibling = parent->right;
		} else if (!left && !is_red(sibling->left)) {
			sibling->right->red = false;
			sibling->red = true;
			rotate_left(t, sibling);
			sibling = parent->left;
		}
		sibling->red = parent->red;
		parent->red = false;
		if (left) {
			sibling->right->red = false;
			rotate_left(t, parent);
		} else {
			sibling->left->red = false;
			rotate_right(t, parent);
		}
		return;
	}
	if (node != NULL)
		node->red = false;
}

/* next, the leftmost node of node's right subtree, takes node's place. */
static void replace_by_next(struct tree *t, struct tree_node *node, struct tree_node *next)
{
	next->left = node->left;
	next->left->parent = next;
	if (next != node->right) {
		next->right = node->right;
		next->right->parent = next;
	}
	*link_of(t, node) = next;
	next->parent = node->parent;
	next->red = node->red;
}

void tree_remove(struct tree *t, struct tree_node *node)
{
	struct tree_node *child, *parent;
	bool black;
	if (node->left != NULL && node->right != NULL) {
		struct tree_node *next = node->right;
		while (next->left != NULL)
			next = next->left;
		child = next->right;
		black = !next->red;
		parent = next->parent == node ? next : next->parent;
		if (next->parent != node) {
			parent->left = child;
			if (child != NULL)
				child->parent = parent;
		}
		replace_by_next(t, node, next);
	} else {
		child = node->left != NULL ? node->left : node->right;
		parent = node->parent;
		black = !node->red;
		*link_of(t, node) = child;
		if (child != NULL)
			child->parent = parent;
	}
	if (black)
		repair_remove(t, child, parent);
}

struct tree_node *tree_find(const struct tree *t, const void *key, tree_compare_key compare)
{
	struct tree_node *node = t->root;
	while (node != NULL) {
		int order = compare(key, node);
		if (order == 0)
			return node;
		node = order < 0 ? node->left : node->right;
	}
	return NULL;
}

struct tree_node *tree_find_from(const struct tree *t, const void *key, tree_compare_key compare)
{
	struct tree_node *node = t->root, *found = NULL;
	while (node != NULL) {
		if (compare(key, node) <= 0) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct tree_node *tree_first(const struct tree *t)
{
	struct tree_node *node = t->root;
	while (node != NULL && node->left != NULL)
		node = node->left;
	return node;
}

struct tree_node *tree_last(const struct tree *t)
{
	struct tree_node *node = t->root;
	while (node != NULL && node->right != NULL)
		node = node->right;
	return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	if (node->right != NULL) {
		struct tree_node *n = node->right;
		while (n->left != NULL)
			n = n->left;
		return n;
	}
	while (node->parent != NULL && node == node->parent->right)
		node = node->parent;
	return node->parent;
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	if (node->left != NULL) {
		struct tree_node *n = node->left;
		while (n->right != NULL)
			n = n->right;
		return n;
	}
	while (node->parent != NULL && node == node->parent->left)
		node = node->parent;
	return node->parent;
}
