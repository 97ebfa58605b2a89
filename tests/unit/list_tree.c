/* Lists, and the red-black tree against a plain array, with its invariants checked. */
#include <stdlib.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"

#define N 400

struct item {
	struct tree_node node;
	struct list link;
	int key;
	bool in;
};

static struct item items[N];

static struct item *of(const struct tree_node *n)
{
	return container_of(n, struct item, node);
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return of(a)->key - of(b)->key;
}

static int compare_key(const void *key, const struct tree_node *n)
{
	return *(const int *)key - of(n)->key;
}

/* Black height of the subtree; -1 is never returned: broken rules assert. */
static int check_node(const struct tree_node *n, const struct tree_node *parent)
{
	if (n == NULL)
		return 1;
	assert(n->parent == parent);
	assert(!n->red ||
		((n->left == NULL || !n->left->red) && (n->right == NULL || !n->right->red)));
	int left = check_node(n->left, n), right = check_node(n->right, n);
	assert(left == right);
	return left + !n->red;
}

static void check_tree(const struct tree *t)
{
	assert(t->root == NULL || !t->root->red);
	check_node(t->root, NULL);
	int n = 0, n_in = 0;
	const struct tree_node *before = NULL;
	for (const struct tree_node *at = tree_first(t); at != NULL; at = tree_next(at), n++) {
		assert(tree_prev(at) == before);
		assert(before == NULL || of(before)->key <= of(at)->key);
		before = at;
	}
	assert(tree_last(t) == before);
	for (int i = 0; i < N; i++)
		n_in += items[i].in;
	assert(n == n_in);
}

static void check_find(const struct tree *t, int key)
{
	int lowest = -1;
	bool exact = false;
	for (int i = 0; i < N; i++) {
		if (!items[i].in || items[i].key < key)
			continue;
		exact |= items[i].key == key;
		if (lowest < 0 || items[i].key < lowest)
			lowest = items[i].key;
	}
	struct tree_node *from = tree_find_from(t, &key, compare_key);
	assert(lowest < 0 ? from == NULL : from != NULL && of(from)->key == lowest);
	struct tree_node *found = tree_find(t, &key, compare_key);
	assert((found != NULL) == exact && (found == NULL || of(found)->key == key));
}

static void check_trees(void)
{
	struct tree t = {0};
	for (int round = 0; round < 20000; round++) {
		struct item *i = &items[rand() % N];
		/* Phases that mostly fill, and mostly empty. */
		if (rand() % 4 == 0 && i->in == (round / 4000 % 2 == 0))
			continue;
		if (i->in) {
			tree_remove(&t, &i->node);
		} else {
			i->key = rand() % 300;
			tree_insert(&t, &i->node, compare);
		}
		i->in = !i->in;
		if (round % 50 == 0) {
			check_tree(&t);
			check_find(&t, rand() % 310);
		}
	}
	while (t.root != NULL) {
		of(t.root)->in = false;
		tree_remove(&t, t.root);
		check_tree(&t);
	}
}

static void check_equals_keep_order(void)
{
	struct tree t = {0};
	for (int i = 0; i < 20; i++) {
		items[i].key = 5;
		tree_insert(&t, &items[i].node, compare);
	}
	int n = 0;
	for (struct tree_node *at = tree_first(&t); at != NULL; at = tree_next(at))
		assert(of(at) == &items[n++]);
	int key = 5;
	assert(of(tree_find_from(&t, &key, compare_key)) == &items[0]);
}

static void check_lists(void)
{
	struct list head = LIST_INIT(head);
	assert(list_empty(&head) && list_pop_front(&head) == NULL);
	for (int i = 0; i < 4; i++)
		list_push_back(&head, &items[i].link);
	list_push_front(&head, &items[4].link);
	list_remove(&items[1].link);
	assert(list_empty(&items[1].link));
	static const int order[] = {4, 0, 2, 3};
	int n = 0;
	struct item *i, *next;
	list_for_each (i, &head, link)
		assert(i == &items[order[n++]]);
	list_for_each_safe (i, next, &head, link)
		list_remove(&i->link);
	assert(n == 4 && list_empty(&head));
}

int main(void)
{
	check_trees();
	check_equals_keep_order();
	check_lists();
	return 0;
}
