/*
 * Entering extents.  One that touches a neighbour becomes part of it.  A full leaf is split, and what leads to it, from the
 * lowest node with room on; a full root moves into a block of its own.  Then the way down is walked again.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/extent_path.h"
#include "kernel/lib/string.h"

#define UNWRITTEN_LEN_MAX (EXT4_EXTENT_LEN_MAX - 1)

/* --- making room --- */

static unsigned entries_max(const struct ext4 *fs)
{
	return (fs->block_size - (unsigned)sizeof(struct ext4_extent_header)) /
	       (unsigned)sizeof(struct ext4_extent);
}

static int new_node(struct ext4_inode *e, uint64_t goal, unsigned depth, struct ext4_level *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t number;
	int err = ext4_block_allocate(e, goal, &number);
	if (err == 0)
		err = ext4_block_new(fs, number, EXT4_SEAL_EXTENTS, e->checksum_seed, &out->block);
	if (err < 0)
		return err;
	out->h = (void *)ext4_bytes(&out->block);
	*out->h = (struct ext4_extent_header){.eh_magic = EXT4_EXTENT_MAGIC,
		.eh_max = (uint16_t)entries_max(fs),
		.eh_depth = (uint16_t)depth};
	return 0;
}

static void set_index(struct ext4_extent_index *x, const struct ext4_level *child)
{
	*x = (struct ext4_extent_index){.ei_block = ext4_extents(child)->ee_block,
		.ei_leaf_lo = (uint32_t)child->block.number,
		.ei_leaf_hi = (uint16_t)(child->block.number >> 32)};
}

/* The root's entries move into a block below it. */
static int grow(struct ext4_inode *e, struct ext4_level *root, uint64_t goal)
{
	struct ext4_level below = {0};
	if (root->h->eh_depth >= EXT4_EXTENT_DEPTH_MAX)
		return -EFBIG;
	int err = new_node(e, goal, root->h->eh_depth, &below);
	if (err < 0)
		return err;
	unsigned n = root->h->eh_entries;
	memcpy(below.h + 1, root->h + 1, n * sizeof(struct ext4_extent));
	below.h->eh_entries = (uint16_t)n;
	root->h->eh_depth++;
	root->h->eh_entries = 1;
	set_index((struct ext4_extent_index *)(root->h + 1), &below);
	ext4_block_put(&below.block);
	return 0;
}

/* The upper entries of the full node `level` move to a new one behind it.  Where files grow at their end, few do. */
static int split(struct ext4_inode *e, struct ext4_path *p, unsigned level, uint64_t goal)
{
	struct ext4_level *l = &p->levels[level], *above = l - 1, new = {0};
	int err = new_node(e, goal, l->h->eh_depth, &new);
	if (err == 0)
		err = ext4_level_change(e, l);
	if (err == 0)
		err = ext4_level_change(e, above);
	if (err < 0)
		goto put;
	unsigned n = l->h->eh_entries, at_end = l->at + 1u >= n, keep = at_end ? n - 1 : n / 2;
	memcpy(new.h + 1, ext4_extents(l) + keep, (n - keep) * sizeof(struct ext4_extent));
	new.h->eh_entries = (uint16_t)(n - keep);
	l->h->eh_entries = (uint16_t)keep;
	struct ext4_extent_index *x = (struct ext4_extent_index *)(above->h + 1) + above->at + 1;
	memmove(x + 1, x, (above->h->eh_entries - above->at - 1u) * sizeof(*x));
	set_index(x, &new);
	above->h->eh_entries++;
put:
	ext4_block_put(&new.block);
	return err;
}

static int make_room(struct ext4_inode *e, struct ext4_path *p, uint64_t goal)
{
	unsigned level = p->n - 1;
	while (level > 0 && p->levels[level].h->eh_entries == p->levels[level].h->eh_max)
		level--;
	const struct ext4_extent_header *h = p->levels[level].h;
	return h->eh_entries == h->eh_max ? grow(e, &p->levels[0], goal)
					  : split(e, p, level + 1, goal);
}

/* --- entering --- */

static bool follows(const struct ext4_extent *a, const struct ext4_extent *b)
{
	bool unwritten = ext4_extent_is_unwritten(a);
	uint32_t len = ext4_extent_len(a),
		 limit = unwritten ? UNWRITTEN_LEN_MAX : EXT4_EXTENT_LEN_MAX;
	return unwritten == ext4_extent_is_unwritten(b) &&
	       (uint64_t)a->ee_block + len == b->ee_block &&
	       ext4_extent_start(a) + len == ext4_extent_start(b) &&
	       len + ext4_extent_len(b) <= limit;
}

/* Entry i of the leaf and the next become one, if they can. */
static bool join(struct ext4_level *leaf, unsigned i)
{
	struct ext4_extent *x = ext4_extents(leaf) + i;
	if (i + 1u >= leaf->h->eh_entries || !follows(x, x + 1))
		return false;
	x->ee_len = (uint16_t)(x->ee_len + ext4_extent_len(x + 1));
	ext4_level_delete(leaf, i + 1);
	return true;
}

static bool join_neighbour(struct ext4_level *leaf, const struct ext4_extent *new)
{
	struct ext4_extent *x = ext4_extents(leaf) + leaf->at;
	if (leaf->at > 0 && follows(x - 1, new)) {
		x[-1].ee_len = (uint16_t)(x[-1].ee_len + ext4_extent_len(new));
		join(leaf, leaf->at - 1);
		return true;
	}
	if (leaf->at < leaf->h->eh_entries && follows(new, x)) {
		uint32_t len = ext4_extent_len(new) + ext4_extent_len(x);
		ext4_extent_set(x, new->ee_block, ext4_extent_start(new), len,
			ext4_extent_is_unwritten(new));
		return true;
	}
	return false;
}

static int enter(struct ext4_inode *e, struct ext4_path *p, const struct ext4_extent *new)
{
	struct ext4_level *leaf = ext4_path_leaf(p);
	int err = ext4_level_change(e, leaf);
	if (err < 0)
		return err;
	if (!join_neighbour(leaf, new)) {
		struct ext4_extent *x = ext4_extents(leaf) + leaf->at;
		if (leaf->h->eh_entries == leaf->h->eh_max)
			return -EAGAIN;
		memmove(x + 1, x, (leaf->h->eh_entries - leaf->at) * sizeof(*x));
		*x = *new;
		leaf->h->eh_entries++;
	}
	return leaf->at == 0 ? ext4_path_fix(e, p, p->n - 1) : 0;
}

static int insert_one(struct ext4_inode *e, const struct ext4_extent *new)
{
	int err;
	do {
		struct ext4_path p;
		err = ext4_path_find(e, new->ee_block, &p);
		if (err == 0)
			err = enter(e, &p, new);
		if (err == -EAGAIN) {
			int made = make_room(e, &p, ext4_extent_start(new));
			err = made < 0 ? made : err;
		}
		ext4_path_put(&p);
	} while (err == -EAGAIN);
	return err;
}

int ext4_extent_insert(struct ext4_inode *e, const struct ext4_run *run, bool unwritten)
{
	uint32_t limit = unwritten ? UNWRITTEN_LEN_MAX : EXT4_EXTENT_LEN_MAX;
	int err = 0;
	ext4_run_forget(e);
	for (uint32_t done = 0; done < run->len && err == 0;) {
		uint32_t len = min(run->len - done, limit);
		struct ext4_extent x;
		ext4_extent_set(&x, run->logical + done, run->physical + done, len, unwritten);
		err = insert_one(e, &x);
		done += len;
	}
	return err < 0 ? ext4_abort(ext4_of(&e->inode), "an extent can not be entered", err) : 0;
}

/* --- written at last --- */

/* What of x lies before, in and behind [from, from + len). */
static int convert_extent(struct ext4_inode *e, struct ext4_path *p, struct ext4_extent *x,
	uint32_t from, uint32_t len)
{
	struct ext4_level *leaf = ext4_path_leaf(p);
	uint64_t start = ext4_extent_start(x);
	uint32_t first = x->ee_block, before = from - first;
	uint32_t behind = ext4_extent_len(x) - before - len;
	struct ext4_run written = {from, len, start + before, 0};
	struct ext4_run rest = {from + len, behind, start + before + len, 0};
	int err = ext4_level_change(e, leaf);
	if (err < 0)
		return err;
	if (before == 0 && behind == 0) {
		unsigned at = (unsigned)(x - ext4_extents(leaf));
		ext4_extent_set(x, first, start, len, false);
		join(leaf, at);
		if (at > 0)
			join(leaf, at - 1);
		return 0;
	}
	if (before > 0) {
		ext4_extent_set(x, first, start, before, true);
	} else {
		ext4_extent_set(x, rest.logical, rest.physical, behind, true);
		if (leaf->at == 1)
			err = ext4_path_fix(e, p, p->n - 1);
	}
	ext4_path_put(p);
	if (err == 0)
		err = ext4_extent_insert(e, &written, false);
	if (err == 0 && before > 0 && behind > 0)
		err = ext4_extent_insert(e, &rest, true);
	return err;
}

int ext4_extent_convert(struct ext4_inode *e, uint32_t from, uint32_t len)
{
	struct ext4_path p;
	ext4_run_forget(e);
	int err = ext4_path_find(e, from, &p);
	if (err == 0) {
		struct ext4_level *leaf = ext4_path_leaf(&p);
		struct ext4_extent *x = ext4_extents(leaf) + leaf->at - 1;
		bool fits = leaf->at > 0 && ext4_extent_is_unwritten(x) && from >= x->ee_block &&
			    from - x->ee_block < ext4_extent_len(x) &&
			    len <= ext4_extent_len(x) - (from - x->ee_block);
		err = fits ? convert_extent(e, &p, x, from, len)
			   : ext4_corrupt(ext4_of(&e->inode), "an extent changed its mind");
	}
	ext4_path_put(&p);
	return err < 0 ? ext4_abort(ext4_of(&e->inode), "an extent can not be converted", err) : 0;
}
