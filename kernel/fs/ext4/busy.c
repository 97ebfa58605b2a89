/*
 * Blocks the bitmaps call free, or soon will, but nobody may take: found for data that are being written, and freed by a
 * transaction that is not durable yet, since until then a crash brings back what they belonged to.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/mem/heap.h"

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct ext4_range *x = container_of(a, struct ext4_range, node);
	const struct ext4_range *y = container_of(b, struct ext4_range, node);
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Ranges do not overlap: those that end at or before the key are before it. */
static int compare_key(const void *key, const struct tree_node *node)
{
	uint64_t start = *(const uint64_t *)key;
	const struct ext4_range *r = container_of(node, struct ext4_range, node);
	return r->start + r->len <= start ? 1 : r->start > start ? -1 : 0;
}

int ext4_busy_add(struct ext4 *fs, uint64_t start, uint64_t len, struct ext4_range **out)
{
	struct ext4_range *r = heap_zalloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->start = start;
	r->len = len;
	list_init(&r->link);
	tree_insert(&fs->busy, &r->node, compare);
	*out = r;
	return 0;
}

void ext4_busy_remove(struct ext4 *fs, struct ext4_range *r)
{
	tree_remove(&fs->busy, &r->node);
	list_remove(&r->link);
	heap_free(r);
}

const struct ext4_range *ext4_busy_find(struct ext4 *fs, uint64_t start, uint64_t len)
{
	const struct tree_node *n = tree_find_from(&fs->busy, &start, compare_key);
	const struct ext4_range *r = n ? container_of(n, struct ext4_range, node) : NULL;
	return r && r->start < start + len ? r : NULL;
}
