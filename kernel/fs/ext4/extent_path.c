/* Walking down a tree of extents with every node on the way kept. */
#include "kernel/fs/ext4/extent_path.h"
#include "abi/linux/errno.h"
#include "kernel/lib/string.h"

void ext4_extent_set(
	struct ext4_extent *x, uint32_t logical, uint64_t start, uint32_t len, bool unwritten)
{
	*x = (struct ext4_extent){.ee_block = logical,
		.ee_len = (uint16_t)(unwritten ? len + EXT4_EXTENT_LEN_MAX : len),
		.ee_start_hi = (uint16_t)(start >> 32),
		.ee_start_lo = (uint32_t)start};
}

void ext4_extent_init(struct ext4_inode *e)
{
	memset(e->block, 0, sizeof(e->block));
	*(struct ext4_extent_header *)e->block =
		(struct ext4_extent_header){.eh_magic = EXT4_EXTENT_MAGIC,
			.eh_max = (sizeof(e->block) - sizeof(struct ext4_extent_header)) /
				  sizeof(struct ext4_extent)};
}

void ext4_run_forget(struct ext4_inode *e)
{
	irq_state state = spin_lock(&e->lock);
	e->last_run.len = 0;
	spin_unlock(&e->lock, state);
}

void ext4_path_put(struct ext4_path *p)
{
	while (p->n > 0)
		ext4_block_put(&p->levels[--p->n].block);
}

/* Look into the last node: its depth. */
static unsigned choose(uint32_t logical, struct ext4_path *p)
{
	struct ext4_level *l = &p->levels[p->n - 1];
	unsigned n = ext4_extent_count_up_to(l->h, logical);
	l->at = l->h->eh_depth == 0 ? n : n ? n - 1 : 0;
	return l->h->eh_depth;
}

int ext4_path_find(struct ext4_inode *e, uint32_t logical, struct ext4_path *p)
{
	struct ext4_extent_header *h = (void *)e->block;
	p->n = 0;
	int err = ext4_extent_check(e, h, sizeof(e->block), EXT4_ANY_DEPTH);
	if (err < 0)
		return err;
	p->levels[0] = (struct ext4_level){.h = h};
	p->n = 1;
	while (choose(logical, p) > 0) {
		struct ext4_level *above = ext4_path_leaf(p), *l = above + 1;
		const struct ext4_extent_index *x =
			(const struct ext4_extent_index *)(above->h + 1) + above->at;
		uint64_t child = (uint64_t)x->ei_leaf_hi << 32 | x->ei_leaf_lo;
		*l = (struct ext4_level){0};
		err = ext4_extent_node(e, child, above->h->eh_depth - 1u, &l->block);
		if (err < 0)
			return err;
		l->h = (void *)ext4_bytes(&l->block);
		p->n++;
	}
	return 0;
}

int ext4_level_change(struct ext4_inode *e, struct ext4_level *l)
{
	if (!l->block.page)
		return 0;
	return ext4_change(ext4_of(&e->inode), &l->block, EXT4_SEAL_EXTENTS, e->checksum_seed);
}

int ext4_path_fix(struct ext4_inode *e, struct ext4_path *p, unsigned level)
{
	for (; level > 0; level--) {
		struct ext4_level *above = &p->levels[level - 1];
		uint32_t key = ext4_extents(&p->levels[level])->ee_block;
		struct ext4_extent_index *x =
			(struct ext4_extent_index *)(above->h + 1) + above->at;
		if (x->ei_block == key)
			return 0;
		int err = ext4_level_change(e, above);
		if (err < 0)
			return err;
		x->ei_block = key;
		if (above->at > 0)
			return 0;
	}
	return 0;
}

void ext4_level_delete(struct ext4_level *l, unsigned at)
{
	struct ext4_extent *x = ext4_extents(l);
	memmove(x + at, x + at + 1, (l->h->eh_entries - at - 1) * sizeof(*x));
	l->h->eh_entries--;
}
