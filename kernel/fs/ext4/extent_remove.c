/* Taking extents out of the tree, from the end on; nodes that become empty go, too.  And moving them along the file. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/extent_path.h"

/* Empty nodes leave the tree. */
static int prune(struct ext4_inode *e, struct ext4_path *p)
{
	unsigned level = p->n - 1;
	for (; level > 0 && p->levels[level].h->eh_entries == 0; level--) {
		struct ext4_level *above = &p->levels[level - 1];
		int err = ext4_level_change(e, above);
		if (err == 0)
			err = ext4_block_release(e, p->levels[level].block.number);
		if (err < 0)
			return err;
		ext4_level_delete(above, above->at);
	}
	if (level == 0 && p->levels[0].h->eh_entries == 0)
		p->levels[0].h->eh_depth = 0;
	return p->levels[level].h->eh_entries > 0 ? ext4_path_fix(e, p, level) : 0;
}

/* Blocks [from, to) of the extent, the last entry of the leaf that starts before `to`.  Something may be left behind. */
static int cut(struct ext4_inode *e, struct ext4_path *p, uint32_t from, uint64_t to,
	struct ext4_run *behind)
{
	struct ext4_level *leaf = ext4_path_leaf(p);
	unsigned at = leaf->at - 1;
	struct ext4_extent *x = ext4_extents(leaf) + at;
	uint32_t first = x->ee_block, len = ext4_extent_len(x);
	uint64_t start = ext4_extent_start(x), end = (uint64_t)first + len;
	bool unwritten = ext4_extent_is_unwritten(x);
	int err = ext4_level_change(e, leaf);
	if (err < 0)
		return err;
	behind->len = (uint32_t)(end - to);
	if (from > first) {
		ext4_extent_set(x, first, start, from - first, unwritten);
		*behind = (struct ext4_run){(uint32_t)to, behind->len, start + (to - first), 0};
	} else if (to < end) {
		ext4_extent_set(
			x, (uint32_t)to, start + (to - first), (uint32_t)(end - to), unwritten);
		behind->len = 0;
	} else {
		ext4_level_delete(leaf, at);
		behind->len = 0;
	}
	return prune(e, p);
}

static int remove_last(struct ext4_inode *e, struct ext4_path *p, uint32_t from, uint64_t *to)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_level *leaf = ext4_path_leaf(p);
	const struct ext4_extent *x = ext4_extents(leaf) + leaf->at - 1;
	uint64_t end = leaf->at > 0 ? (uint64_t)x->ee_block + ext4_extent_len(x) : 0;
	if (end <= from) {
		*to = from;
		return 0;
	}
	end = min(end, *to);
	uint32_t cut_from = max(from, x->ee_block), n = (uint32_t)(end - cut_from);
	uint64_t start = ext4_extent_start(x) + (cut_from - x->ee_block);
	bool unwritten = ext4_extent_is_unwritten(x);
	struct ext4_run behind;
	int err = cut(e, p, cut_from, end, &behind);
	ext4_path_put(p);
	if (err == 0 && behind.len > 0)
		err = ext4_extent_insert(e, &behind, unwritten);
	if (err == 0)
		err = ext4_blocks_free(fs, start, n);
	e->inode.n_blocks -= (uint64_t)n << (fs->block_shift - 9);
	*to = cut_from;
	return err;
}

int ext4_extent_remove(struct ext4_inode *e, uint32_t from, uint64_t *to)
{
	struct ext4_path p;
	ext4_run_forget(e);
	int err = ext4_path_find(e, (uint32_t)(*to - 1), &p);
	if (err == 0)
		err = remove_last(e, &p, from, to);
	ext4_path_put(&p);
	return err < 0 ? ext4_abort(ext4_of(&e->inode), "an extent can not be removed", err) : 0;
}

/* --- moving along the file --- */

static int move_entry(struct ext4_inode *e, struct ext4_path *p, unsigned entry, int64_t delta)
{
	struct ext4_level *leaf = ext4_path_leaf(p);
	int err = ext4_level_change(e, leaf);
	if (err < 0)
		return err;
	struct ext4_extent *x = ext4_extents(leaf) + entry;
	x->ee_block = (uint32_t)(x->ee_block + delta);
	return entry == 0 ? ext4_path_fix(e, p, p->n - 1) : 0;
}

int ext4_extent_shift_down(struct ext4_inode *e, uint32_t at, uint32_t delta)
{
	struct ext4_path p;
	ext4_run_forget(e);
	int err = ext4_path_find(e, at, &p);
	if (err == 0) {
		const struct ext4_level *leaf = ext4_path_leaf(&p);
		bool there = leaf->at > 0 && ext4_extents(leaf)[leaf->at - 1].ee_block == at;
		err = there ? move_entry(e, &p, leaf->at - 1, -(int64_t)delta)
			    : ext4_corrupt(ext4_of(&e->inode), "an extent moved by itself");
	}
	ext4_path_put(&p);
	return err < 0 ? ext4_abort(ext4_of(&e->inode), "an extent can not be moved", err) : 0;
}

/* The part of x before `from` stays. */
static int move_part(struct ext4_inode *e, struct ext4_path *p, struct ext4_extent *x,
	uint32_t from, uint32_t delta)
{
	uint32_t first = x->ee_block, stays = from - first, len = ext4_extent_len(x) - stays;
	bool unwritten = ext4_extent_is_unwritten(x);
	uint64_t start = ext4_extent_start(x);
	int err = ext4_level_change(e, ext4_path_leaf(p));
	if (err < 0)
		return err;
	ext4_extent_set(x, first, start, stays, unwritten);
	ext4_path_put(p);
	const struct ext4_run moved = {from + delta, len, start + stays, 0};
	return ext4_extent_insert(e, &moved, unwritten);
}

int ext4_extent_shift_up(struct ext4_inode *e, uint32_t from, uint64_t *end, uint32_t delta)
{
	struct ext4_path p;
	ext4_run_forget(e);
	int err = ext4_path_find(e, (uint32_t)(*end - 1), &p);
	if (err < 0)
		goto put;
	struct ext4_level *leaf = ext4_path_leaf(&p);
	struct ext4_extent *x = ext4_extents(leaf) + leaf->at - 1;
	if (leaf->at == 0 || (uint64_t)x->ee_block + ext4_extent_len(x) <= from) {
		*end = from;
		goto put;
	}
	*end = max(from, x->ee_block);
	err = x->ee_block < from ? move_part(e, &p, x, from, delta)
				 : move_entry(e, &p, leaf->at - 1, delta);
put:
	ext4_path_put(&p);
	return err < 0 ? ext4_abort(ext4_of(&e->inode), "an extent can not be moved", err) : 0;
}
