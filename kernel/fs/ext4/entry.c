/* Changing directories: entries put into blocks, taken out, led elsewhere; the blocks themselves. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/string.h"

#define DOT_SIZE 12u

/* file_type of an entry, by DT_ */
static const uint8_t type_on_disk[] = {[DT_REG] = 1,
	[DT_DIR] = 2,
	[DT_CHR] = 3,
	[DT_BLK] = 4,
	[DT_FIFO] = 5,
	[DT_SOCK] = 6,
	[DT_LNK] = 7};

unsigned ext4_entry_size(unsigned name_len)
{
	return (unsigned)align_up(EXT4_ENTRY_HEADER + name_len, 4u);
}

unsigned ext4_leaf_size(const struct ext4 *fs)
{
	return ext4_has_checksums(fs) ? fs->block_size - (unsigned)sizeof(struct ext4_entry_tail)
				      : fs->block_size;
}

void ext4_leaf_init(const struct ext4 *fs, uint8_t *block)
{
	unsigned size = ext4_leaf_size(fs);
	((struct ext4_disk_entry *)block)->inode = 0;
	((struct ext4_disk_entry *)block)->rec_len = (uint16_t)size;
	if (size < fs->block_size)
		*(struct ext4_entry_tail *)(block + size) = (struct ext4_entry_tail){
			.rec_len = sizeof(struct ext4_entry_tail), .type = EXT4_ENTRY_TAIL_TYPE};
}

int ext4_leaf_change(struct ext4_inode *dir, struct ext4_block *b)
{
	return ext4_change(ext4_of(&dir->inode), b, EXT4_SEAL_LEAF, dir->checksum_seed);
}

int ext4_entries_insert(
	uint8_t *entries, unsigned size, const struct name *name, uint32_t number, uint8_t type)
{
	unsigned needed = ext4_entry_size(name->len);
	for (unsigned at = 0; at < size;) {
		struct ext4_disk_entry *d = (void *)(entries + at);
		unsigned used = d->inode ? ext4_entry_size(d->name_len) : 0;
		if (d->rec_len < EXT4_ENTRY_HEADER || d->rec_len > size - at)
			return -EUCLEAN;
		if (d->rec_len >= used + needed) {
			struct ext4_disk_entry *new = (void *)(entries + at + used);
			unsigned len = d->rec_len - used;
			if (used)
				d->rec_len = (uint16_t)used;
			new->inode = number;
			new->rec_len = (uint16_t)len;
			new->name_len = (uint8_t)name->len;
			new->file_type = type;
			memcpy(new->name, name->text, name->len);
			return 0;
		}
		at += d->rec_len;
	}
	return -ENOSPC;
}

/* --- blocks --- */

int ext4_directory_append(
	struct ext4_inode *dir, enum ext4_seal seal, uint32_t *logical, struct ext4_block *out)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	uint64_t number, size = inode_size(&dir->inode);
	struct ext4_run before;
	*logical = (uint32_t)(size >> fs->block_shift);
	uint32_t group = (uint32_t)(dir->inode.number - 1) / fs->inodes_per_group;
	uint64_t goal = ext4_group_start(fs, group);
	if (*logical > 0 && ext4_map(dir, *logical - 1, &before) == 0 && before.physical)
		goal = before.physical + 1;
	int err = ext4_block_allocate(dir, goal, &number);
	if (err == 0)
		err = ext4_block_new(fs, number, seal, dir->checksum_seed, out);
	if (err < 0)
		return err;
	rw_lock_write(&dir->map_lock);
	err = ext4_extent_insert(dir, &(struct ext4_run){*logical, 1, number, 0}, false);
	rw_unlock_write(&dir->map_lock);
	if (err < 0)
		ext4_block_put(out);
	else
		inode_set_size(&dir->inode, size + fs->block_size);
	return err;
}

int ext4_directory_init(struct ext4_inode *dir, uint32_t parent)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	static const struct name dots = {"..", 2, 0};
	struct ext4_block b;
	uint32_t logical;
	int err = ext4_directory_append(dir, EXT4_SEAL_LEAF, &logical, &b);
	if (err < 0)
		return err;
	uint8_t type = fs->incompat & EXT4_INCOMPAT_FILETYPE ? type_on_disk[DT_DIR] : 0;
	uint8_t *bytes = ext4_bytes(&b);
	ext4_leaf_init(fs, bytes);
	struct ext4_disk_entry *dot = (void *)bytes;
	dot->inode = (uint32_t)dir->inode.number;
	dot->name_len = 1;
	dot->file_type = type;
	dot->name[0] = '.';
	err = ext4_entries_insert(bytes, ext4_leaf_size(fs), &dots, parent, type);
	ext4_block_put(&b);
	return err;
}

int ext4_directory_set_parent(struct ext4_inode *dir, uint32_t parent)
{
	struct ext4_block b;
	int err = ext4_directory_block(dir, 0, &b);
	if (err < 0 || !b.page)
		return err < 0 ? err : -EUCLEAN;
	bool indexed = dir->flags & EXT4_INODE_INDEX &&
		       ext4_of(&dir->inode)->compat & EXT4_COMPAT_DIR_INDEX;
	struct ext4_disk_entry *d = (void *)(ext4_bytes(&b) + DOT_SIZE);
	if (d->name_len != 2 || d->name[0] != '.' || d->name[1] != '.')
		err = ext4_corrupt(ext4_of(&dir->inode), "directory %llu: no parent",
			(unsigned long long)dir->inode.number);
	if (err == 0)
		err = ext4_change(ext4_of(&dir->inode), &b,
			indexed ? EXT4_SEAL_ROOT : EXT4_SEAL_LEAF, dir->checksum_seed);
	if (err == 0)
		d->inode = parent;
	ext4_block_put(&b);
	return err < 0 ? ext4_abort(ext4_of(&dir->inode), "a parent can not be changed", err) : 0;
}

struct emptiness {
	struct directory_sink sink;
	bool found;
};

static bool found_entry(struct directory_sink *s, const char *name, size_t name_len, uint64_t ino,
	uint8_t type, uint64_t next)
{
	(void)name, (void)name_len, (void)ino, (void)type, (void)next;
	((struct emptiness *)s)->found = true;
	return false;
}

int ext4_directory_check_empty(struct ext4_inode *dir)
{
	struct emptiness e = {{found_entry}, false};
	uint64_t position = 2;
	int err = ext4_list(&dir->inode, &position, &e.sink);
	return err < 0 ? err : e.found ? -ENOTEMPTY : 0;
}

/* --- entries --- */

/* The blocks in order: the first with room, else a new one. */
static int add_in_order(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	uint64_t n = inode_size(&dir->inode) >> fs->block_shift;
	struct ext4_block b;
	uint32_t logical;
	int err = -ENOSPC;
	for (uint32_t i = 0; i < n && err == -ENOSPC; i++) {
		err = ext4_directory_block(dir, i, &b);
		if (err == 0 && !b.page)
			err = -ENOSPC;
		else if (err == 0) {
			err = ext4_leaf_insert(dir, &b, name, number, type);
			ext4_block_put(&b);
		}
	}
	if (err != -ENOSPC)
		return err;
	if (n == 1 && fs->compat & EXT4_COMPAT_DIR_INDEX) {
		err = ext4_index_make(dir);
		return err < 0 ? err : ext4_index_insert(dir, name, number, type);
	}
	err = ext4_directory_append(dir, EXT4_SEAL_LEAF, &logical, &b);
	if (err < 0)
		return err;
	ext4_leaf_init(fs, ext4_bytes(&b));
	err = ext4_entries_insert(ext4_bytes(&b), ext4_leaf_size(fs), name, number, type);
	ext4_block_put(&b);
	return err;
}

static bool has_room(const uint8_t *entries, unsigned size, unsigned needed)
{
	for (unsigned at = 0; at < size;) {
		const struct ext4_disk_entry *d = (const void *)(entries + at);
		unsigned used = d->inode ? ext4_entry_size(d->name_len) : 0;
		if (d->rec_len < EXT4_ENTRY_HEADER || d->rec_len > size - at)
			return false;
		if (d->rec_len >= used + needed)
			return true;
		at += d->rec_len;
	}
	return false;
}

int ext4_leaf_insert(struct ext4_inode *dir, struct ext4_block *b, const struct name *name,
	uint32_t number, uint8_t type)
{
	unsigned size = ext4_leaf_size(ext4_of(&dir->inode));
	if (!has_room(b->data, size, ext4_entry_size(name->len)))
		return -ENOSPC;
	int err = ext4_leaf_change(dir, b);
	return err < 0 ? err : ext4_entries_insert(ext4_bytes(b), size, name, number, type);
}

int ext4_entry_add(struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	uint8_t disk_type = fs->incompat & EXT4_INCOMPAT_FILETYPE ? type_on_disk[type] : 0;
	int err = -EOPNOTSUPP;
	if (dir->flags & EXT4_INODE_INDEX && fs->compat & EXT4_COMPAT_DIR_INDEX)
		err = ext4_index_insert(dir, name, number, disk_type);
	else if (dir->flags & EXT4_INODE_EXTENTS) {
		/* An index nobody keeps up would be wrong. */
		dir->flags &= ~EXT4_INODE_INDEX;
		err = add_in_order(dir, name, number, disk_type);
	}
	return err;
}

/* The entry in its block, which belongs to the transaction then; `before`: the one ahead of it, or NULL. */
static int find_for_change(struct ext4_inode *dir, const struct name *name, struct ext4_block *b,
	struct ext4_disk_entry **out, struct ext4_disk_entry **before)
{
	uint32_t number, logical;
	int err = ext4_entry_find(dir, name, &number, &logical);
	if (err == 0)
		err = ext4_directory_block(dir, logical, b);
	if (err == 0)
		err = b->page ? ext4_leaf_change(dir, b) : -EUCLEAN;
	if (err < 0)
		return err;
	*before = NULL;
	unsigned size = ext4_of(&dir->inode)->block_size;
	struct ext4_entry e;
	for (unsigned at = 0; at < size; at = e.next) {
		err = ext4_entry_at(dir, b->data, size, at, &e);
		if (err < 0)
			break;
		*out = (void *)(ext4_bytes(b) + at);
		if (e.inode && e.name_len == name->len &&
			memcmp(e.name, name->text, name->len) == 0)
			return 0;
		*before = *out;
	}
	ext4_block_put(b);
	return err < 0 ? err : -EUCLEAN;
}

int ext4_entry_remove(struct ext4_inode *dir, const struct name *name)
{
	struct ext4_block b;
	struct ext4_disk_entry *d, *before;
	int err = find_for_change(dir, name, &b, &d, &before);
	if (err < 0)
		return ext4_abort(ext4_of(&dir->inode), "a name can not be removed", err);
	if (before)
		before->rec_len = (uint16_t)(before->rec_len + d->rec_len);
	d->inode = 0;
	ext4_block_put(&b);
	return 0;
}

int ext4_entry_set(struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type)
{
	struct ext4_block b;
	struct ext4_disk_entry *d, *before;
	int err = find_for_change(dir, name, &b, &d, &before);
	if (err < 0)
		return ext4_abort(ext4_of(&dir->inode), "a name can not be changed", err);
	d->inode = number;
	if (ext4_of(&dir->inode)->incompat & EXT4_INCOMPAT_FILETYPE)
		d->file_type = type_on_disk[type];
	ext4_block_put(&b);
	return 0;
}
