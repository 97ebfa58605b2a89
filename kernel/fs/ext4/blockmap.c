/* Block maps of ext2 and ext3: twelve direct blocks, then one, two and three levels of tables. */
#include "kernel/fs/ext4/ext4.h"

#define N_DIRECT 12u
#define LEVELS_MAX 3u

/* Entries [slot, n) of a table: the run that starts at slot. */
static int run_at(struct ext4_inode *e, const uint32_t *table, unsigned slot, unsigned n,
	uint32_t logical, struct ext4_run *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint32_t first = table[slot], len = 1;
	while (slot + len < n && table[slot + len] == (first ? first + len : 0))
		len++;
	if (first && (first >= fs->n_blocks || len > fs->n_blocks - first))
		return ext4_corrupt(fs, "inode %llu: block %u is at %u",
			(unsigned long long)e->inode.number, logical, first);
	*out = (struct ext4_run){logical, len, first, 0};
	return 0;
}

int ext4_blockmap_map(struct ext4_inode *e, uint32_t logical, struct ext4_run *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	const uint32_t *top = (const uint32_t *)e->block;
	if (logical < N_DIRECT)
		return run_at(e, top, logical, N_DIRECT, logical, out);
	unsigned per_table = fs->block_size / sizeof(uint32_t), level = 1;
	uint64_t index = logical - N_DIRECT,
		 span = per_table; /* blocks below one pointer of this level */
	for (; level < LEVELS_MAX && index >= span; level++) {
		index -= span;
		span *= per_table;
	}
	if (index >= span)
		return ext4_corrupt(fs, "inode %llu: block %u is beyond a block map",
			(unsigned long long)e->inode.number, logical);
	uint32_t pointer = top[N_DIRECT - 1 + level];
	struct ext4_block b = {0};
	for (;;) {
		if (pointer == 0) {
			ext4_block_put(&b);
			uint64_t len = min(span - index, (1ull << 32) - 1 - logical);
			*out = (struct ext4_run){logical, (uint32_t)max(len, (uint64_t)1), 0, 0};
			return 0;
		}
		ext4_block_put(&b);
		int err = ext4_block_get(fs, pointer, &b);
		if (err < 0)
			return err;
		const uint32_t *table = (const uint32_t *)b.data;
		span /= per_table;
		unsigned slot = (unsigned)(index / span);
		index %= span;
		if (span == 1) {
			err = run_at(e, table, slot, per_table, logical, out);
			ext4_block_put(&b);
			return err;
		}
		pointer = table[slot];
	}
}
