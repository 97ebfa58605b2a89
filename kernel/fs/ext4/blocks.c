/*
 * Free blocks: found near a goal, as many in a row as are asked for if there are, else the longest row among those looked at.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/fs/internal.h"

#define GROUPS_LOOKED_AT 32u /* for a row long enough, before a shorter one will do */

/* --- rows of bits --- */

/* First bit >= from that is `set` (or not), or end. */
static uint32_t find_bit(const uint8_t *bits, uint32_t from, uint32_t end, bool set)
{
	const uint64_t *words = (const uint64_t *)bits;
	uint64_t flip = set ? 0 : ~0ull;
	for (uint32_t at = from; at < end; at = (at | 63) + 1) {
		uint64_t word = (words[at / 64] ^ flip) & (~0ull << at % 64);
		if (word)
			return min(end, (at & ~63u) + (uint32_t)__builtin_ctzll(word));
	}
	return end;
}

struct search {
	struct ext4 *fs;
	uint32_t n; /* wanted */
	uint64_t start;
	uint32_t len; /* the best so far; 0: none */
};

/* Blocks [start, end) are free by the bitmap: the rows in it that nobody else will have.  True: long enough. */
static bool look_at_row(struct search *s, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct ext4_range *busy = ext4_busy_find(s->fs, start, end - start);
		uint64_t stop = busy ? max(busy->start, start) : end;
		if (stop - start > s->len) {
			s->start = start;
			s->len = (uint32_t)min(stop - start, (uint64_t)s->n);
		}
		if (s->len == s->n || !busy)
			break;
		start = busy->start + busy->len;
	}
	return s->len == s->n;
}

/* From block `from` of the group on.  1: found. */
static int look_at_group(struct search *s, uint32_t group, uint32_t from)
{
	struct ext4_group g;
	struct ext4_block b;
	int err = ext4_group_get(s->fs, group, &g);
	if (err < 0)
		return err;
	if (EXT4_GROUP_COUNT(&g.d, bg_free_blocks_count) == 0) {
		ext4_group_put(&g);
		return 0;
	}
	err = ext4_block_bitmap(s->fs, &g, &b);
	ext4_group_put(&g);
	if (err < 0)
		return err;
	uint32_t n = ext4_group_n_blocks(s->fs, group), at = from, end;
	uint64_t start = ext4_group_start(s->fs, group);
	bool found = false;
	while (!found && (at = find_bit(b.data, at, n, false)) < n) {
		end = find_bit(b.data, at, n, true);
		found = look_at_row(s, start + at, start + end);
		at = end;
	}
	ext4_block_put(&b);
	return found;
}

static int search(struct search *s, uint64_t goal)
{
	struct ext4 *fs = s->fs;
	if (goal < fs->first_data_block || goal >= fs->n_blocks)
		goal = fs->first_data_block;
	uint32_t first = ext4_group_of(fs, goal), group = first;
	uint32_t offset = (uint32_t)(goal - ext4_group_start(fs, first));
	int found = look_at_group(s, first, offset);
	for (uint32_t i = 0; i <= fs->n_groups && found == 0; i++) {
		if (i > GROUPS_LOOKED_AT && s->len > 0)
			break;
		/* After the goal's group those where blocks were found last. */
		found = look_at_group(s, group, 0);
		group = i == 0 && fs->goal_group != first ? fs->goal_group : group + 1;
		if (group >= fs->n_groups)
			group = 0;
	}
	return min(found, 0);
}

int ext4_blocks_find(struct ext4 *fs, uint64_t goal, uint32_t n, struct ext4_range **out)
{
	struct search s = {.fs = fs, .n = n};
	int err = search(&s, goal);
	if (err < 0)
		return err;
	if (s.len == 0)
		return -ENOSPC;
	fs->goal_group = ext4_group_of(fs, s.start);
	return ext4_busy_add(fs, s.start, s.len, out);
}

/* --- taking and freeing --- */

static bool flip_bits(uint8_t *bits, uint32_t from, uint32_t n, bool set)
{
	if (find_bit(bits, from, from + n, set) < from + n)
		return false; /* some are that already */
	for (uint32_t i = from; i < from + n; i++)
		bits[i / 8] ^= (uint8_t)(1u << i % 8);
	return true;
}

/* n blocks of one group. */
static int change_in_group(struct ext4 *fs, uint64_t start, uint32_t n, bool take)
{
	struct ext4_group g;
	struct ext4_block b;
	uint32_t group = ext4_group_of(fs, start);
	int err = ext4_group_get(fs, group, &g);
	if (err < 0)
		return err;
	err = ext4_block_bitmap(fs, &g, &b);
	if (err < 0)
		goto put_group;
	err = ext4_change(fs, &b, EXT4_SEAL_BLOCK_BITMAP, group);
	uint32_t free = EXT4_GROUP_COUNT(&g.d, bg_free_blocks_count);
	uint32_t first = (uint32_t)(start - ext4_group_start(fs, group));
	if (err == 0 && ((take && free < n) || !flip_bits(ext4_bytes(&b), first, n, take)))
		err = ext4_corrupt(fs, "group %u: blocks %u..%u are %s already", group, first,
			first + n - 1, take ? "in use" : "free");
	EXT4_GROUP_SET(&g.d, bg_free_blocks_count, take ? free - n : free + n);
	if (err == 0)
		err = ext4_group_store(fs, &g);
	ext4_block_put(&b);
put_group:
	ext4_group_put(&g);
	return err;
}

static int change_blocks(struct ext4 *fs, uint64_t start, uint64_t n, bool take)
{
	if (start < fs->first_data_block || start >= fs->n_blocks || n > fs->n_blocks - start)
		return ext4_corrupt(fs, "blocks %llu + %llu are none", (unsigned long long)start,
			(unsigned long long)n);
	fs->changes_super = true;
	while (n > 0) {
		uint32_t group = ext4_group_of(fs, start);
		uint64_t end = ext4_group_start(fs, group) + fs->blocks_per_group;
		uint32_t part = (uint32_t)min(n, end - start);
		int err = change_in_group(fs, start, part, take);
		if (err < 0)
			return ext4_abort(fs, "a bitmap can not be changed", err);
		fs->n_free += take ? -(uint64_t)part : part;
		start += part;
		n -= part;
	}
	return 0;
}

int ext4_blocks_take(struct ext4 *fs, uint64_t start, uint64_t n)
{
	return change_blocks(fs, start, n, true);
}

int ext4_blocks_free(struct ext4 *fs, uint64_t start, uint64_t n)
{
	struct ext4_range *r;
	int err = ext4_busy_add(fs, start, n, &r);
	if (err < 0)
		return ext4_abort(fs, "no memory to free blocks", err);
	list_push_back(&fs->journal->freed, &r->link);
	return change_blocks(fs, start, n, false);
}

/* --- room --- */

/* What this caller may not have. */
static uint64_t kept_back(const struct ext4 *fs)
{
	return fs->reserve + (fs_credentials()->override ? 0 : fs->n_root_reserved);
}

int ext4_check_room(struct ext4 *fs, uint64_t n)
{
	uint64_t promised = (uint64_t)max(atomic_load(&fs->n_promised), 0l);
	uint64_t used = promised + kept_back(fs) + n;
	if (fs->n_free < used)
		return -ENOSPC;
	/* Of what is free some is so only once the transaction that freed it is durable. */
	if (!list_empty(&fs->journal->freed) && fs->n_free < used + fs->n_free / 2)
		return ext4_commit_all(fs);
	return 0;
}

int ext4_block_allocate(struct ext4_inode *e, uint64_t goal, uint64_t *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_range *r;
	int err = ext4_blocks_find(fs, goal, 1, &r);
	if (err < 0)
		return ext4_abort(fs, "no block for metadata", err);
	*out = r->start;
	ext4_busy_remove(fs, r);
	err = ext4_blocks_take(fs, *out, 1);
	if (err == 0)
		e->inode.n_blocks += fs->block_size / SECTOR_SIZE;
	return err;
}

int ext4_block_release(struct ext4_inode *e, uint64_t number)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_revoke(fs, number);
	if (err == 0)
		err = ext4_blocks_free(fs, number, 1);
	if (err == 0)
		e->inode.n_blocks -= fs->block_size / SECTOR_SIZE;
	return err;
}
