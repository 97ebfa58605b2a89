/*
 * Extended attributes: entries, and from the end of their area down the values.  First in the room behind the inode's
 * fields; what does not fit there in one block, which inodes with equal attributes may share.
 *
 * A change reads all of both areas and lays them out anew: names are few.
 */
#include "abi/linux/errno.h"
#include "abi/linux/xattr.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define ENTRIES_MAX 260u /* of 16 bytes, in 4096 and behind an inode */
#define MAGIC_SIZE 4u
#define NAME_LEN_MAX 255u

static const struct {
	uint8_t index;
	const char *prefix;
} prefixes[] = {{1, "user."}, {4, "trusted."}, {6, "security."}};

struct attribute {
	const struct ext4_xattr_entry *entry; /* index, name; of a new one only these count */
	const uint8_t *value;
	uint32_t len;
};

/* Where entries stand, and what offsets of values count from. */
struct area {
	const uint8_t *base;
	unsigned first, size;
};

struct attributes {
	struct ext4_inode *e;
	uint8_t *memory; /* copies of both areas, which the entries point into; then the new ones */
	struct area inode, block;
	unsigned n_inode, n; /* those in the inode come first */
	struct attribute items[ENTRIES_MAX];
};

static const char *prefix_of(uint8_t index)
{
	for (unsigned i = 0; i < array_size(prefixes); i++)
		if (prefixes[i].index == index)
			return prefixes[i].prefix;
	return NULL;
}

static unsigned entry_size(const struct ext4_xattr_entry *x)
{
	return (unsigned)align_up(sizeof(*x) + x->e_name_len, (size_t)4);
}

/* --- reading --- */

static int bad(struct ext4_inode *e)
{
	return ext4_corrupt(ext4_of(&e->inode), "inode %llu: bad extended attributes",
		(unsigned long long)e->inode.number);
}

static int decode(struct attributes *a, const struct area *from)
{
	for (unsigned at = from->first; at + sizeof(uint32_t) <= from->size;) {
		const struct ext4_xattr_entry *x = (const void *)(from->base + at);
		if (*(const uint32_t *)(from->base + at) == 0)
			break;
		if (at + sizeof(*x) > from->size || at + entry_size(x) > from->size ||
			a->n == ENTRIES_MAX - 1)
			return bad(a->e);
		if (x->e_value_inum != 0 || x->e_value_size > from->size ||
			x->e_value_offs > from->size - x->e_value_size)
			return bad(a->e);
		a->items[a->n++] =
			(struct attribute){x, from->base + x->e_value_offs, x->e_value_size};
		at += entry_size(x);
	}
	return 0;
}

static int read_inode_area(struct attributes *a)
{
	struct ext4 *fs = ext4_of(&a->e->inode);
	unsigned at = EXT4_INODE_SIZE_OLD + a->e->extra_size;
	struct ext4_block b;
	const struct ext4_disk_inode *d;
	if (at % 4 != 0 || at + 2 * MAGIC_SIZE > fs->inode_size)
		return 0;
	int err = ext4_inode_on_disk(a->e, &b, &d);
	if (err < 0)
		return err;
	memcpy(a->memory, (const uint8_t *)d + at, fs->inode_size - at);
	ext4_block_put(&b);
	a->inode = (struct area){a->memory + MAGIC_SIZE, 0, fs->inode_size - at - MAGIC_SIZE};
	err = *(const uint32_t *)a->memory == EXT4_XATTR_MAGIC ? decode(a, &a->inode) : 0;
	a->n_inode = a->n;
	return err;
}

static bool checksum_right(struct ext4 *fs, const struct ext4_block *b)
{
	if (!ext4_has_checksums(fs) || ext4_block_verified(fs, b))
		return true;
	static const uint8_t zero[4];
	const size_t field = offsetof(struct ext4_xattr_header, h_checksum);
	uint32_t crc = crc32c(fs->checksum_seed, &b->number, sizeof(b->number));
	crc = crc32c(crc, b->data, field);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, b->data + field + 4, fs->block_size - field - 4);
	return crc == ((const struct ext4_xattr_header *)b->data)->h_checksum;
}

static int get_block(struct ext4_inode *e, struct ext4_block *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_block_get(fs, e->attributes, out);
	if (err < 0)
		return err;
	const struct ext4_xattr_header *h = (const void *)out->data;
	if (h->h_magic == EXT4_XATTR_MAGIC && h->h_blocks == 1 && checksum_right(fs, out))
		return 0;
	ext4_block_put(out);
	return bad(e);
}

static int read_block_area(struct attributes *a)
{
	struct ext4 *fs = ext4_of(&a->e->inode);
	uint8_t *copy = a->memory + fs->inode_size;
	struct ext4_block b;
	a->block = (struct area){copy, sizeof(struct ext4_xattr_header), fs->block_size};
	if (a->e->attributes == 0)
		return 0;
	int err = get_block(a->e, &b);
	if (err < 0)
		return err;
	memcpy(copy, b.data, fs->block_size);
	ext4_block_put(&b);
	return decode(a, &a->block);
}

static int read_all(struct ext4_inode *e, struct attributes **out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct attributes *a = heap_zalloc(sizeof(*a));
	*out = a;
	if (!a)
		return -ENOMEM;
	a->e = e;
	a->memory = heap_alloc(2ul * (fs->inode_size + fs->block_size));
	if (!a->memory)
		return -ENOMEM;
	int err = read_inode_area(a);
	return err < 0 ? err : read_block_area(a);
}

static void free_all(struct attributes *a)
{
	if (a)
		heap_free(a->memory);
	heap_free(a);
}

static bool is_named(const struct ext4_xattr_entry *x, const char *name)
{
	const char *prefix = prefix_of(x->e_name_index);
	size_t len = prefix ? strlen(prefix) : 0;
	return prefix && strncmp(name, prefix, len) == 0 && strlen(name) == len + x->e_name_len &&
	       memcmp(name + len, x->e_name, x->e_name_len) == 0;
}

static unsigned find(const struct attributes *a, const char *name)
{
	unsigned i = 0;
	while (i < a->n && !is_named(a->items[i].entry, name))
		i++;
	return i;
}

long ext4_xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
	struct attributes *a;
	long result = read_all(ext4_inode_of(inode), &a);
	if (result == 0) {
		unsigned i = find(a, name);
		result = i < a->n ? (long)a->items[i].len : -ENODATA;
		if (result > (long)size && size > 0)
			result = -ERANGE;
		else if (result > 0 && size > 0)
			memcpy(value, a->items[i].value, (size_t)result);
	}
	free_all(a);
	return result;
}

long ext4_xattr_list(struct inode *inode, char *list, size_t size)
{
	struct attributes *a;
	long result = read_all(ext4_inode_of(inode), &a);
	for (unsigned i = 0; result >= 0 && i < a->n; i++) {
		const struct ext4_xattr_entry *x = a->items[i].entry;
		const char *prefix = prefix_of(x->e_name_index);
		if (!prefix)
			continue;
		size_t len = strlen(prefix), all = len + x->e_name_len + 1;
		if (size > 0 && (size_t)result + all > size) {
			result = -ERANGE;
			break;
		}
		if (size > 0) {
			memcpy(list + result, prefix, len);
			memcpy(list + result + len, x->e_name, x->e_name_len);
			list[(size_t)result + all - 1] = 0;
		}
		result += (long)all;
	}
	free_all(a);
	return result;
}

/* --- laying out --- */

static uint32_t entry_hash(const struct ext4_xattr_entry *x, const uint8_t *value, uint32_t len)
{
	uint32_t hash = 0;
	for (unsigned i = 0; i < x->e_name_len; i++)
		hash = hash << 5 ^ hash >> 27 ^ (uint8_t)x->e_name[i];
	for (uint32_t at = 0; at < len; at += 4) {
		uint32_t word = 0;
		memcpy(&word, value + at, min(len - at, 4u));
		hash = hash << 16 ^ hash >> 16 ^ word;
	}
	return hash;
}

/* The order of a block's entries: index, length, name. */
static bool stands_before(const struct ext4_xattr_entry *a, const struct ext4_xattr_entry *b)
{
	if (a->e_name_index != b->e_name_index)
		return a->e_name_index < b->e_name_index;
	if (a->e_name_len != b->e_name_len)
		return a->e_name_len < b->e_name_len;
	return memcmp(a->e_name, b->e_name, a->e_name_len) < 0;
}

static void sort(struct attribute *items, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct attribute x = items[i];
		unsigned at = i;
		for (; at > 0 && stands_before(x.entry, items[at - 1].entry); at--)
			items[at] = items[at - 1];
		items[at] = x;
	}
}

static bool fits(const struct attribute *items, unsigned n, unsigned first, unsigned size)
{
	uint64_t used = first + sizeof(uint32_t);
	for (unsigned i = 0; i < n; i++)
		used += entry_size(items[i].entry) + align_up((uint64_t)items[i].len, 4ull);
	return used <= size;
}

/* They fit.  Hashes are for blocks only. */
static uint32_t encode(
	uint8_t *base, const struct attribute *items, unsigned n, unsigned first, unsigned size)
{
	unsigned at = first, end = size;
	uint32_t all = 0;
	memset(base + first, 0, size - first);
	for (unsigned i = 0; i < n; i++) {
		const struct attribute *x = &items[i];
		struct ext4_xattr_entry *to = (void *)(base + at);
		end -= (unsigned)align_up(x->len, 4u);
		memcpy(base + end, x->value, x->len);
		memcpy(to, x->entry, sizeof(*to) + x->entry->e_name_len);
		to->e_value_offs = (uint16_t)(x->len ? end : 0);
		to->e_value_size = x->len;
		to->e_value_inum = 0;
		to->e_hash = first ? entry_hash(to, base + end, x->len) : 0;
		all = all << 16 ^ all >> 16 ^ to->e_hash;
		at += entry_size(to);
	}
	return all;
}

/* --- writing --- */

static int store_inode_area(struct attributes *a, const uint8_t *area)
{
	struct ext4_block b;
	struct ext4_disk_inode *d;
	if (a->inode.size == 0)
		return 0;
	int err = ext4_inode_for_change(a->e, &b, &d);
	if (err < 0)
		return err;
	memcpy((uint8_t *)d + EXT4_INODE_SIZE_OLD + a->e->extra_size, area,
		a->inode.size + MAGIC_SIZE);
	ext4_inode_seal(a->e, d);
	ext4_block_put(&b);
	return 0;
}

/* A block that nobody else has. */
static int own_block(struct ext4_inode *e, struct ext4_block *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t number;
	int err = e->attributes ? get_block(e, out) : 1;
	if (err < 0)
		return err;
	if (err == 0 && ((const struct ext4_xattr_header *)out->data)->h_refcount == 1)
		return ext4_change(fs, out, EXT4_SEAL_XATTR, 0);
	if (err == 0)
		ext4_block_put(out);
	err = ext4_attributes_free(e);
	uint32_t group = (uint32_t)(e->inode.number - 1) / fs->inodes_per_group;
	if (err == 0)
		err = ext4_block_allocate(e, ext4_group_start(fs, group), &number);
	if (err == 0)
		err = ext4_block_new(fs, number, EXT4_SEAL_XATTR, 0, out);
	if (err == 0)
		e->attributes = number;
	return err;
}

static int store_block_area(struct attributes *a, const struct attribute *items, unsigned n)
{
	struct ext4_block b;
	if (n == 0)
		return ext4_attributes_free(a->e);
	int err = own_block(a->e, &b);
	if (err < 0)
		return err;
	struct ext4_xattr_header *h = (void *)ext4_bytes(&b);
	*h = (struct ext4_xattr_header){
		.h_magic = EXT4_XATTR_MAGIC, .h_refcount = 1, .h_blocks = 1};
	h->h_hash = encode(ext4_bytes(&b), items, n, a->block.first, a->block.size);
	ext4_block_put(&b);
	return 0;
}

static int store_all(struct attributes *a)
{
	struct ext4 *fs = ext4_of(&a->e->inode);
	uint8_t *area = a->memory + fs->inode_size + fs->block_size;
	int err = ext4_check_room(fs, 2);
	if (err == 0)
		err = ext4_begin(fs, 12);
	if (err < 0)
		return err;
	if (a->inode.size > 0) {
		*(uint32_t *)area = EXT4_XATTR_MAGIC;
		encode(area + MAGIC_SIZE, a->items, a->n_inode, 0, a->inode.size);
	}
	err = store_inode_area(a, area);
	if (err == 0)
		err = store_block_area(a, a->items + a->n_inode, a->n - a->n_inode);
	if (err == 0)
		err = ext4_store(a->e);
	ext4_end(fs);
	return err;
}

static void remove_item(struct attributes *a, unsigned i)
{
	memmove(a->items + i, a->items + i + 1, (a->n - i - 1) * sizeof(*a->items));
	a->n--;
	a->n_inode -= i < a->n_inode;
}

/* In the inode if it fits, else in the block. */
static int place(struct attributes *a, const struct attribute *new)
{
	unsigned at = a->n_inode;
	memmove(a->items + at + 1, a->items + at, (a->n - at) * sizeof(*a->items));
	a->items[at] = *new;
	a->n++;
	if (a->inode.size > 0 && fits(a->items, at + 1, 0, a->inode.size)) {
		a->n_inode++;
		return 0;
	}
	sort(a->items + at, a->n - at);
	return fits(a->items + at, a->n - at, a->block.first, a->block.size) ? 0 : -ENOSPC;
}

static int make_entry(const char *name, struct ext4_xattr_entry *out)
{
	for (unsigned i = 0; i < array_size(prefixes); i++) {
		size_t skip = strlen(prefixes[i].prefix), len = strlen(name);
		if (strncmp(name, prefixes[i].prefix, skip) != 0)
			continue;
		if (len - skip > NAME_LEN_MAX)
			return -ERANGE;
		memset(out, 0, sizeof(*out));
		out->e_name_index = prefixes[i].index;
		out->e_name_len = (uint8_t)(len - skip);
		memcpy(out->e_name, name + skip, len - skip);
		return 0;
	}
	return -EOPNOTSUPP;
}

static int change(struct attributes *a, const char *name, const void *value, size_t len, int flags)
{
	union {
		struct ext4_xattr_entry entry;
		uint8_t room[sizeof(struct ext4_xattr_entry) + NAME_LEN_MAX + 1];
	} new;
	unsigned i = find(a, name);
	bool there = i < a->n;
	if (there && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!there && (!value || (flags & XATTR_REPLACE)))
		return -ENODATA;
	if (there)
		remove_item(a, i);
	int err = make_entry(name, &new.entry);
	if (err == 0 && value) {
		const struct attribute item = {&new.entry, value, (uint32_t)len};
		err = len <= a->block.size ? place(a, &item) : -ENOSPC;
	}
	return err < 0 ? err : store_all(a);
}

int ext4_xattr_set(struct inode *inode, const char *name, const void *value, size_t len, int flags)
{
	struct attributes *a;
	if (!ext4_of(inode)->journal)
		return -EROFS;
	int err = read_all(ext4_inode_of(inode), &a);
	if (err == 0)
		err = change(a, name, value, len, flags);
	free_all(a);
	return err;
}

int ext4_attributes_free(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	if (e->attributes == 0)
		return 0;
	int err = get_block(e, &b);
	if (err < 0)
		return err;
	struct ext4_xattr_header *h = (void *)ext4_bytes(&b);
	if (h->h_refcount > 1) {
		err = ext4_change(fs, &b, EXT4_SEAL_XATTR, 0);
		if (err == 0)
			h->h_refcount--;
		e->inode.n_blocks -= fs->block_size / SECTOR_SIZE;
	} else {
		err = ext4_block_release(e, e->attributes);
	}
	ext4_block_put(&b);
	e->attributes = 0;
	return err;
}
