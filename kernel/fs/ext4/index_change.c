/*
 * Putting names into hashed directories.  A full leaf is split by hash; a full node likewise, and a full root moves into a
 * node below it.  Every split makes room one level up first, then the way down is walked again.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/index.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define DOT_SIZE 12u
#define CONTINUES 1u /* in a block's first hash: names with it begin in the block before */

struct item {
	uint32_t hash;
	uint16_t offset, size; /* of its entry in the old block */
};

static unsigned limit_of(const struct ext4 *fs, unsigned entries_at)
{
	unsigned room = fs->block_size - entries_at;
	if (ext4_has_checksums(fs))
		room -= (unsigned)sizeof(struct ext4_hash_tail);
	return room / (unsigned)sizeof(struct ext4_hash_entry);
}

static struct ext4_hash_entry *entries_of(struct ext4_index_level *l)
{
	return (struct ext4_hash_entry *)(uintptr_t)l->entries;
}

static bool is_full(const struct ext4_index_level *l)
{
	return l->entries[0].count >= l->entries[0].limit;
}

static int change_level(struct ext4_inode *dir, struct ext4_index_path *p, unsigned level)
{
	return ext4_change(ext4_of(&dir->inode), &p->levels[level].block,
		level ? EXT4_SEAL_NODE : EXT4_SEAL_ROOT, dir->checksum_seed);
}

/* Behind the entry gone down by. */
static int add_index(struct ext4_inode *dir, struct ext4_index_path *p, unsigned level,
	uint32_t hash, uint32_t block)
{
	struct ext4_index_level *l = &p->levels[level];
	int err = change_level(dir, p, level);
	if (err < 0)
		return err;
	struct ext4_hash_entry *e = entries_of(l);
	unsigned n = e[0].count;
	memmove(e + l->at + 2, e + l->at + 1, (n - l->at - 1) * sizeof(*e));
	e[l->at + 1].hash = hash;
	e[l->at + 1].block = block;
	e[0].count = (uint16_t)(n + 1);
	return 0;
}

/* --- leaves --- */

static void sort(struct item *items, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct item x = items[i];
		unsigned at = i;
		for (; at > 0 && items[at - 1].hash > x.hash; at--)
			items[at] = items[at - 1];
		items[at] = x;
	}
}

/* Hash and place of every entry from `start` on; how many. */
static int collect(struct ext4_inode *dir, const uint8_t *block, unsigned start, unsigned version,
	struct item *items)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	unsigned size = ext4_leaf_size(fs);
	struct ext4_entry e;
	int n = 0;
	for (unsigned at = start; at < size; at = e.next) {
		int err = ext4_entry_at(dir, block, size, at, &e);
		if (err < 0)
			return err;
		if (!e.inode)
			continue;
		struct item *x = &items[n++];
		x->offset = (uint16_t)at;
		x->size = (uint16_t)ext4_entry_size(e.name_len);
		if (!ext4_hash(e.name, e.name_len, version, fs->hash_seed, &x->hash))
			return -EOPNOTSUPP;
	}
	sort(items, (unsigned)n);
	return n;
}

/* The items' entries from the old block, one after the other; the last reaches to the end. */
static void pack(const struct ext4 *fs, uint8_t *to, const uint8_t *old, const struct item *items,
	unsigned n)
{
	struct ext4_disk_entry *last = NULL;
	unsigned at = 0, size = ext4_leaf_size(fs);
	memset(to, 0, fs->block_size);
	ext4_leaf_init(fs, to);
	for (unsigned i = 0; i < n; i++) {
		last = (void *)(to + at);
		memcpy(last, old + items[i].offset, items[i].size);
		last->rec_len = items[i].size;
		at += items[i].size;
	}
	if (last)
		last->rec_len = (uint16_t)(last->rec_len + size - at);
}

/* How many items stay, so that both halves are about the same size. */
static unsigned half(const struct item *items, unsigned n)
{
	unsigned total = 0, sum = 0, i = 0;
	for (unsigned k = 0; k < n; k++)
		total += items[k].size;
	while (i + 1 < n && sum + items[i].size <= total / 2)
		sum += items[i++].size;
	return max(i, 1u);
}

struct scratch {
	uint8_t *old;
	struct item *items;
};

static int scratch_make(const struct ext4 *fs, const uint8_t *block, struct scratch *s)
{
	s->old = heap_alloc(fs->block_size);
	s->items = heap_array(fs->block_size / DOT_SIZE + 1, sizeof(*s->items));
	if (!s->old || !s->items)
		return -ENOMEM;
	memcpy(s->old, block, fs->block_size);
	return 0;
}

static void scratch_free(struct scratch *s)
{
	heap_free(s->old);
	heap_free(s->items);
}

/* The leaf chosen by the path; its parent has room. */
static int split_leaf(struct ext4_inode *dir, struct ext4_index_path *p, struct ext4_block *leaf)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	struct ext4_block new = {0};
	struct scratch s = {0};
	uint32_t logical;
	unsigned version = ext4_index_version(fs, p->levels[0].block.data);
	int n = scratch_make(fs, leaf->data, &s);
	if (n == 0)
		n = collect(dir, s.old, 0, version, s.items);
	if (n < 2) {
		scratch_free(&s);
		return n < 0 ? n : -ENOSPC;
	}
	unsigned keep = half(s.items, (unsigned)n);
	int err = ext4_leaf_change(dir, leaf);
	if (err == 0)
		err = ext4_directory_append(dir, EXT4_SEAL_LEAF, &logical, &new);
	if (err == 0) {
		pack(fs, ext4_bytes(&new), s.old, s.items + keep, (unsigned)n - keep);
		pack(fs, ext4_bytes(leaf), s.old, s.items, keep);
		uint32_t hash = s.items[keep].hash;
		if (hash == s.items[keep - 1].hash)
			hash |= CONTINUES;
		err = add_index(dir, p, p->n - 1, hash, logical);
	}
	ext4_block_put(&new);
	scratch_free(&s);
	return err < 0 ? ext4_abort(fs, "a directory can not be split", err) : 0;
}

/* --- nodes --- */

static void init_node(const struct ext4 *fs, uint8_t *bytes)
{
	struct ext4_disk_entry *empty = (void *)bytes;
	empty->inode = 0;
	empty->rec_len = (uint16_t)fs->block_size;
	struct ext4_hash_entry *e = (void *)(bytes + EXT4_HASH_NODE_ENTRIES);
	e[0].limit = (uint16_t)limit_of(fs, EXT4_HASH_NODE_ENTRIES);
}

/* The root's entries move into a node below it. */
static int grow(struct ext4_inode *dir, struct ext4_index_path *p)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	struct ext4_hash_entry *root = entries_of(&p->levels[0]);
	struct ext4_hash_root_info *info =
		(void *)(ext4_bytes(&p->levels[0].block) + EXT4_HASH_ROOT_INFO);
	unsigned levels_max = fs->incompat & EXT4_INCOMPAT_LARGEDIR ? 3 : 2;
	struct ext4_block new;
	uint32_t logical;
	if (info->indirect_levels + 1u >= levels_max)
		return -ENOSPC;
	int err = change_level(dir, p, 0);
	if (err == 0)
		err = ext4_directory_append(dir, EXT4_SEAL_NODE, &logical, &new);
	if (err < 0)
		return err;
	init_node(fs, ext4_bytes(&new));
	struct ext4_hash_entry *e = (void *)(ext4_bytes(&new) + EXT4_HASH_NODE_ENTRIES);
	uint16_t limit = e[0].limit;
	memcpy(e, root, root[0].count * sizeof(*e));
	e[0].limit = limit;
	root[0].count = 1;
	root[0].block = logical;
	info->indirect_levels++;
	ext4_block_put(&new);
	return 0;
}

/* The upper half of the node at `level` moves into a new one; the level above has room. */
static int split_node(struct ext4_inode *dir, struct ext4_index_path *p, unsigned level)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	struct ext4_block new;
	uint32_t logical;
	int err = change_level(dir, p, level);
	if (err == 0)
		err = ext4_directory_append(dir, EXT4_SEAL_NODE, &logical, &new);
	if (err < 0)
		return err;
	struct ext4_hash_entry *old = entries_of(&p->levels[level]);
	init_node(fs, ext4_bytes(&new));
	struct ext4_hash_entry *e = (void *)(ext4_bytes(&new) + EXT4_HASH_NODE_ENTRIES);
	unsigned n = old[0].count, keep = n / 2;
	uint32_t hash = old[keep].hash;
	uint16_t limit = e[0].limit;
	memcpy(e, old + keep, (n - keep) * sizeof(*e));
	e[0].limit = limit;
	e[0].count = (uint16_t)(n - keep);
	old[0].count = (uint16_t)keep;
	ext4_block_put(&new);
	return add_index(dir, p, level - 1, hash, logical);
}

/* Room for one more entry in the lowest node. */
static int make_room(struct ext4_inode *dir, struct ext4_index_path *p)
{
	unsigned level = p->n - 1;
	while (level > 0 && is_full(&p->levels[level]))
		level--;
	if (is_full(&p->levels[level]))
		return grow(dir, p);
	return split_node(dir, p, level + 1);
}

/* --- names --- */

/* -EAGAIN: something was split. */
static int try_insert(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type)
{
	struct ext4_index_path p;
	struct ext4_block leaf;
	uint32_t hash;
	int err = ext4_index_descend(dir, name, &p, &hash);
	if (err == 0)
		err = ext4_directory_block(dir, ext4_index_chosen(&p), &leaf);
	if (err < 0)
		goto put;
	err = leaf.page ? ext4_leaf_insert(dir, &leaf, name, number, type) : -EUCLEAN;
	if (err == -ENOSPC) {
		err = is_full(&p.levels[p.n - 1]) ? make_room(dir, &p) : split_leaf(dir, &p, &leaf);
		err = err < 0 ? err : -EAGAIN;
	}
	ext4_block_put(&leaf);
put:
	ext4_index_put(&p);
	return err;
}

int ext4_index_insert(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type)
{
	int err;
	do {
		err = try_insert(dir, name, number, type);
	} while (err == -EAGAIN);
	return err;
}

/* Block 0 becomes the root; its entries, but for the dots, move into a leaf. */
static void make_root(struct ext4 *fs, uint8_t *bytes, uint32_t leaf)
{
	struct ext4_disk_entry *parent = (void *)(bytes + DOT_SIZE);
	struct ext4_hash_root_info *info = (void *)(bytes + EXT4_HASH_ROOT_INFO);
	struct ext4_hash_entry *e = (void *)(bytes + EXT4_HASH_ROOT_ENTRIES);
	((struct ext4_disk_entry *)bytes)->rec_len = DOT_SIZE;
	parent->rec_len = (uint16_t)(fs->block_size - DOT_SIZE);
	memset(info, 0, fs->block_size - EXT4_HASH_ROOT_INFO);
	info->hash_version = fs->disk->s_def_hash_version;
	info->info_length = sizeof(*info);
	e[0].limit = (uint16_t)limit_of(fs, EXT4_HASH_ROOT_ENTRIES);
	e[0].count = 1;
	e[0].block = leaf;
}

int ext4_index_make(struct ext4_inode *dir)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	struct ext4_block root, leaf = {0};
	struct scratch s = {0};
	uint32_t logical;
	unsigned version = fs->disk->s_def_hash_version;
	if (version < EXT4_HASH_UNSIGNED && fs->hash_unsigned)
		version += EXT4_HASH_UNSIGNED;
	int n = ext4_directory_block(dir, 0, &root);
	if (n < 0 || !root.page)
		return n < 0 ? n : -EUCLEAN;
	n = scratch_make(fs, root.data, &s);
	if (n == 0)
		n = collect(dir, s.old, 2 * DOT_SIZE, version, s.items);
	int err = min(n, 0);
	if (err == 0)
		err = ext4_change(fs, &root, EXT4_SEAL_ROOT, dir->checksum_seed);
	if (err == 0)
		err = ext4_directory_append(dir, EXT4_SEAL_LEAF, &logical, &leaf);
	if (err == 0) {
		pack(fs, ext4_bytes(&leaf), s.old, s.items, (unsigned)n);
		make_root(fs, ext4_bytes(&root), logical);
		dir->flags |= EXT4_INODE_INDEX;
	}
	ext4_block_put(&leaf);
	ext4_block_put(&root);
	scratch_free(&s);
	return err;
}
