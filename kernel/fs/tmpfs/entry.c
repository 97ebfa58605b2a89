/*
 * The entries of a directory in memory: by name (hash first), and by position for whoever lists it.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static int compare_names(uint32_t hash, const char *text, uint32_t len, const struct entry *e)
{
	if (hash != e->hash)
		return hash < e->hash ? -1 : 1;
	if (len != e->len)
		return len < e->len ? -1 : 1;
	return memcmp(text, e->text, len);
}

static int compare_by_name(const struct tree_node *a, const struct tree_node *b)
{
	const struct entry *e = container_of(a, struct entry, by_name);
	return compare_names(e->hash, e->text, e->len, container_of(b, struct entry, by_name));
}

static int compare_name(const void *key, const struct tree_node *node)
{
	const struct name *n = key;
	return compare_names(n->hash, n->text, n->len, container_of(node, struct entry, by_name));
}

static int compare_by_position(const struct tree_node *a, const struct tree_node *b)
{
	const struct entry *x = container_of(a, struct entry, by_position);
	const struct entry *y = container_of(b, struct entry, by_position);
	return x->position < y->position ? -1 : x->position > y->position;
}

struct entry *entry_find(struct node *dir, const struct name *name)
{
	struct tree_node *found = tree_find(&dir->by_name, name, compare_name);
	return found ? container_of(found, struct entry, by_name) : NULL;
}

/* A fresh entry is no part of the directory before entry_commit(): its position is 0 until then. */
struct entry *entry_prepare(struct node *dir, const struct name *name, bool over_lower)
{
	struct entry *e = entry_find(dir, name);
	if (e)
		return e;
	e = heap_alloc(sizeof(*e) + name->len);
	if (!e)
		return NULL;
	*e = (struct entry){
		.over_lower = over_lower && dir->lower, .hash = name->hash, .len = name->len};
	memcpy(e->text, name->text, name->len);
	return e;
}

void entry_discard(struct node *dir, struct entry *e)
{
	(void)dir;
	if (!e->position)
		heap_free(e);
}

void entry_commit(struct node *dir, struct entry *e, struct inode *inode)
{
	struct inode *old = e->inode;
	if (inode)
		inode_get(inode);
	e->inode = inode;
	if (!e->position) {
		e->position = dir->next_position++;
		tree_insert(&dir->by_name, &e->by_name, compare_by_name);
		tree_insert(&dir->by_position, &e->by_position, compare_by_position);
	}
	node_pin(dir);
	if (old)
		inode_put(old);
}

int entry_set(struct node *dir, const struct name *name, struct inode *inode, bool over_lower)
{
	struct entry *e = entry_prepare(dir, name, over_lower);
	if (!e)
		return -ENOMEM;
	entry_commit(dir, e, inode);
	return 0;
}

static void entry_take_out(struct node *dir, struct entry *e)
{
	tree_remove(&dir->by_name, &e->by_name);
	tree_remove(&dir->by_position, &e->by_position);
}

void entry_remove(struct node *dir, struct entry *e)
{
	if (e->over_lower) {
		entry_commit(dir, e, NULL);
		return;
	}
	struct inode *old = e->inode;
	if (e->position)
		entry_take_out(dir, e);
	heap_free(e);
	if (old)
		inode_put(old);
}

void entries_free(struct node *dir)
{
	struct tree_node *first;
	while ((first = tree_first(&dir->by_position))) {
		struct entry *e = container_of(first, struct entry, by_position);
		entry_take_out(dir, e);
		if (e->inode)
			inode_put(e->inode);
		heap_free(e);
	}
}
