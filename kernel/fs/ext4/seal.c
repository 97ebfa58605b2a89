/* Checksums of changed blocks, once per transaction, just before they are copied. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"

void ext4_super_seal(struct ext4 *fs, struct ext4_disk_super *s)
{
	if (ext4_has_checksums(fs))
		s->s_checksum = crc32c(~0u, s, offsetof(struct ext4_disk_super, s_checksum));
}

static void seal_super(struct ext4 *fs)
{
	struct ext4_disk_super *s = fs->disk;
	s->s_free_blocks_count_lo = (uint32_t)fs->n_free;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		s->s_free_blocks_count_hi = (uint32_t)(fs->n_free >> 32);
	s->s_free_inodes_count = fs->n_free_inodes;
	ext4_super_seal(fs, s);
}

static int seal_bitmap(struct ext4 *fs, const struct ext4_change *c, const uint8_t *bytes)
{
	struct ext4_group g;
	int err = ext4_has_checksums(fs) ? ext4_group_get(fs, c->seed, &g) : 1;
	if (err != 0)
		return min(err, 0);
	bool blocks = c->seal == EXT4_SEAL_BLOCK_BITMAP;
	unsigned n = blocks ? fs->blocks_per_group : fs->inodes_per_group;
	uint32_t crc = crc32c(fs->checksum_seed, bytes, n / 8);
	if (blocks)
		EXT4_GROUP_SET(&g.d, bg_block_bitmap_csum, crc);
	else
		EXT4_GROUP_SET(&g.d, bg_inode_bitmap_csum, crc);
	err = ext4_group_store(fs, &g);
	ext4_group_put(&g);
	return err;
}

static void seal_extents(struct ext4 *fs, const struct ext4_change *c, uint8_t *bytes)
{
	const struct ext4_extent_header *h = (const void *)bytes;
	size_t tail = sizeof(*h) + h->eh_max * sizeof(struct ext4_extent);
	if (tail + sizeof(uint32_t) <= fs->block_size)
		*(uint32_t *)(bytes + tail) = crc32c(c->seed, bytes, tail);
}

static void seal_leaf(struct ext4 *fs, const struct ext4_change *c, uint8_t *bytes)
{
	unsigned end = fs->block_size - (unsigned)sizeof(struct ext4_entry_tail);
	struct ext4_entry_tail *tail = (void *)(bytes + end);
	tail->checksum = crc32c(c->seed, bytes, end);
}

static void seal_index(
	struct ext4 *fs, const struct ext4_change *c, uint8_t *bytes, unsigned entries)
{
	const struct ext4_hash_entry *e = (const void *)(bytes + entries);
	size_t tail_at = entries + e->limit * sizeof(*e);
	if (e->count > e->limit || tail_at + sizeof(struct ext4_hash_tail) > fs->block_size)
		return;
	struct ext4_hash_tail *tail = (void *)(bytes + tail_at);
	tail->checksum = 0;
	uint32_t crc = crc32c(c->seed, bytes, entries + e->count * sizeof(*e));
	tail->checksum = crc32c(crc, tail, sizeof(*tail));
}

static void seal_xattr(struct ext4 *fs, const struct ext4_change *c, uint8_t *bytes)
{
	struct ext4_xattr_header *h = (void *)bytes;
	h->h_checksum = 0;
	uint32_t crc = crc32c(fs->checksum_seed, &c->number, sizeof(c->number));
	h->h_checksum = crc32c(crc, bytes, fs->block_size);
}

static void seal_contents(struct ext4 *fs, const struct ext4_change *c, uint8_t *bytes)
{
	switch ((enum ext4_seal)c->seal) {
	case EXT4_SEAL_EXTENTS:
		seal_extents(fs, c, bytes);
		break;
	case EXT4_SEAL_LEAF:
		seal_leaf(fs, c, bytes);
		break;
	case EXT4_SEAL_ROOT:
		seal_index(fs, c, bytes, EXT4_HASH_ROOT_ENTRIES);
		break;
	case EXT4_SEAL_NODE:
		seal_index(fs, c, bytes, EXT4_HASH_NODE_ENTRIES);
		break;
	case EXT4_SEAL_XATTR:
		seal_xattr(fs, c, bytes);
		break;
	default:
		break;
	}
}

int ext4_seal(struct ext4 *fs, struct ext4_change *c, unsigned pass)
{
	uint8_t *bytes =
		(uint8_t *)page_address(c->page) + (c->number << fs->block_shift) % PAGE_SIZE;
	bool bitmap = c->seal == EXT4_SEAL_BLOCK_BITMAP || c->seal == EXT4_SEAL_INODE_BITMAP;
	if (bitmap)
		return pass == 0 ? seal_bitmap(fs, c, bytes) : 0;
	if (pass == 0)
		return 0;
	if (c->seal == EXT4_SEAL_SUPER)
		seal_super(fs);
	else if (c->seal == EXT4_SEAL_GROUPS)
		ext4_group_seal(fs, c->seed, bytes);
	else if (ext4_has_checksums(fs))
		seal_contents(fs, c, bytes);
	return 0;
}
