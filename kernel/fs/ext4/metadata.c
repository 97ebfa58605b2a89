/* Blocks of metadata, through a page cache of the device; and complaints about them. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

#define COMPLAINTS_MAX 20u
#define AHEAD 4u /* pages read at once: inode tables and directories lie close together */

static int fill(struct page_cache *c, struct page *first)
{
	struct ext4 *fs = container_of(c, struct ext4, metadata);
	uint64_t at = first->index * PAGE_SIZE, left = c->size - at;
	return ext4_read_pages(fs, c, first, AHEAD, &(struct ext4_extent_bytes){at, left, left});
}

static const struct page_cache_ops metadata_ops = {.fill = fill};

void ext4_metadata_init(struct ext4 *fs)
{
	page_cache_init(&fs->metadata, &metadata_ops, 0);
	fs->metadata.size = fs->device->n_sectors * SECTOR_SIZE;
}

int ext4_block_get(struct ext4 *fs, uint64_t number, struct ext4_block *out)
{
	if (number >= fs->n_blocks)
		return ext4_corrupt(fs, "block %llu is beyond the end", (unsigned long long)number);
	uint64_t at = number << fs->block_shift;
	int err = page_cache_get(&fs->metadata, at / PAGE_SIZE, &out->page);
	if (err < 0)
		return err;
	out->data = (const uint8_t *)page_address(out->page) + at % PAGE_SIZE;
	out->number = number;
	return 0;
}

void ext4_block_put(struct ext4_block *b)
{
	if (b->page)
		page_put(b->page);
	b->page = NULL;
}

bool ext4_block_verified(struct ext4 *fs, const struct ext4_block *b)
{
	return fs->verified[b->number % EXT4_VERIFIED] == b->number + 1 ||
	       ext4_is_changed(fs, b->number);
}

void ext4_block_set_verified(struct ext4 *fs, const struct ext4_block *b)
{
	fs->verified[b->number % EXT4_VERIFIED] = b->number + 1;
}

int ext4_corrupt(struct ext4 *fs, const char *fmt, ...)
{
	if (atomic_fetch_add(&fs->n_complaints, 1) >= COMPLAINTS_MAX)
		return -EUCLEAN;
	char text[160];
	va_list args;
	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s: ext4: %s: the file system is damaged", fs->device->name, text);
	return -EUCLEAN;
}
