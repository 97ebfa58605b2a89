/*
 * Hashed directories: a tree of at most four levels from hashes to blocks of entries.  A name is in
 * the block its hash leads to, or, when equal hashes run over a block's end, in one of the next.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/index.h"

static int bad_index(struct ext4_inode *dir, uint32_t logical)
{
	return ext4_corrupt(ext4_of(&dir->inode), "directory %llu: bad index in block %u",
		(unsigned long long)dir->inode.number, logical);
}

void ext4_index_put(struct ext4_index_path *p)
{
	while (p->n > 0)
		ext4_block_put(&p->levels[--p->n].block);
}

/* Read a node as level number n of the path. */
static int read_node(
	struct ext4_inode *dir, uint32_t logical, unsigned entries_at, struct ext4_index_path *p)
{
	struct ext4_index_level *l = &p->levels[p->n];
	int err = ext4_directory_block(dir, logical, &l->block);
	if (err < 0)
		return err;
	if (!l->block.page)
		return bad_index(dir, logical);
	p->n++;
	unsigned room = (ext4_of(&dir->inode)->block_size - entries_at) / sizeof(*l->entries);
	l->entries = (const void *)(l->block.data + entries_at);
	l->count = l->entries[0].count;
	l->at = 0;
	if (l->count == 0 || l->count > l->entries[0].limit || l->entries[0].limit > room)
		return bad_index(dir, logical);
	return 0;
}

/* The last entry whose hash is not above. */
static void choose(struct ext4_index_level *l, uint32_t hash)
{
	unsigned low = 1, high = l->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (l->entries[middle].hash <= hash)
			low = middle + 1;
		else
			high = middle;
	}
	l->at = low - 1;
}

uint32_t ext4_index_chosen(const struct ext4_index_path *p)
{
	const struct ext4_index_level *l = &p->levels[p->n - 1];
	return l->entries[l->at].block & EXT4_INDEX_BLOCK_MASK;
}

/* From the node last in the path down to the n_levels'th, along hash (0: the leftmost way). */
static int descend(
	struct ext4_inode *dir, struct ext4_index_path *p, unsigned n_levels, uint32_t hash)
{
	while (p->n < n_levels) {
		int err = read_node(dir, ext4_index_chosen(p), EXT4_HASH_NODE_ENTRIES, p);
		if (err < 0)
			return err;
		choose(&p->levels[p->n - 1], hash);
	}
	return 0;
}

/* The next block, if names with this hash go on there: -ENOENT otherwise. */
static int advance(struct ext4_inode *dir, struct ext4_index_path *p, uint32_t hash)
{
	unsigned n_levels = p->n;
	while (p->n > 0 && p->levels[p->n - 1].at + 1 >= p->levels[p->n - 1].count)
		ext4_block_put(&p->levels[--p->n].block);
	if (p->n == 0)
		return -ENOENT;
	struct ext4_index_level *l = &p->levels[p->n - 1];
	l->at++;
	if ((l->entries[l->at].hash & ~1u) != hash)
		return -ENOENT;
	return descend(dir, p, n_levels, 0);
}

static int find_in_leaf(
	struct ext4_inode *dir, uint32_t logical, const struct name *name, uint32_t *out)
{
	struct ext4_block b;
	int err = ext4_directory_block(dir, logical, &b);
	if (err < 0)
		return err;
	if (!b.page)
		return bad_index(dir, logical);
	err = ext4_entries_find(dir, b.data, ext4_of(&dir->inode)->block_size, name, out);
	ext4_block_put(&b);
	return err;
}

unsigned ext4_index_version(struct ext4 *fs, const uint8_t *root)
{
	const struct ext4_hash_root_info *info = (const void *)(root + EXT4_HASH_ROOT_INFO);
	unsigned version = info->hash_version;
	return version < EXT4_HASH_UNSIGNED && fs->hash_unsigned ? version + EXT4_HASH_UNSIGNED
								 : version;
}

/* Read the root and hash the name as it says; *n_levels: of the tree, the root included. */
static int start(struct ext4_inode *dir, const struct name *name, struct ext4_index_path *p,
	uint32_t *hash, unsigned *n_levels)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	int err = read_node(dir, 0, EXT4_HASH_ROOT_ENTRIES, p);
	if (err < 0)
		return err;
	const struct ext4_hash_root_info *info =
		(const void *)(p->levels[0].block.data + EXT4_HASH_ROOT_INFO);
	unsigned levels_max =
		fs->incompat & EXT4_INCOMPAT_LARGEDIR ? EXT4_INDEX_LEVELS : EXT4_INDEX_LEVELS - 1;
	if (info->info_length != sizeof(*info) || info->indirect_levels >= levels_max)
		return bad_index(dir, 0);
	unsigned version = ext4_index_version(fs, p->levels[0].block.data);
	if (!ext4_hash(name->text, name->len, version, fs->hash_seed, hash))
		return -EOPNOTSUPP;
	*n_levels = info->indirect_levels + 1u;
	choose(&p->levels[0], *hash);
	return 0;
}

int ext4_index_descend(
	struct ext4_inode *dir, const struct name *name, struct ext4_index_path *p, uint32_t *hash)
{
	unsigned n_levels = 0;
	p->n = 0;
	int err = start(dir, name, p, hash, &n_levels);
	return err < 0 ? err : descend(dir, p, n_levels, *hash);
}

int ext4_index_find(
	struct ext4_inode *dir, const struct name *name, uint32_t *out, uint32_t *logical)
{
	struct ext4_index_path p;
	uint32_t hash = 0;
	int err = ext4_index_descend(dir, name, &p, &hash);
	/* No tree has more leaves than the directory has blocks, so this ends whatever the tree
	 * says. */
	uint64_t left = inode_size(&dir->inode) >> ext4_of(&dir->inode)->block_shift;
	while (err == 0) {
		*logical = ext4_index_chosen(&p);
		err = left-- ? find_in_leaf(dir, *logical, name, out) : bad_index(dir, 0);
		if (err != -ENOENT)
			break;
		err = advance(dir, &p, hash);
	}
	ext4_index_put(&p);
	return err;
}
