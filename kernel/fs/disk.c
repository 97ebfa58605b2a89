/*
 * Which disk is meant: by its name, by what the file system on it says (LABEL=, UUID=), or by its partition's id.
 */
#include "kernel/dev/block.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define SUPER_SECTORS 2u /* at byte 1024 */
#define SUPER_OFFSET 1024u
#define MAGIC_AT 0x38u
#define UUID_AT 0x68u
#define LABEL_AT 0x78u
#define LABEL_LEN 16u

static int hex(char c)
{
	c |= 0x20;
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits, dashes anywhere between them. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
	for (unsigned i = 0; i < 16; i++) {
		while (*text == '-')
			text++;
		int high = hex(text[0]), low = high < 0 ? -1 : hex(text[1]);
		if (low < 0)
			return false;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text == '\0';
}

struct wanted {
	const char *label; /* NULL: the UUID */
	uint8_t uuid[16];
};

static bool has(const uint8_t *super, const struct wanted *w)
{
	if (super[MAGIC_AT] != 0x53 || super[MAGIC_AT + 1] != 0xef)
		return false;
	if (!w->label)
		return memcmp(super + UUID_AT, w->uuid, 16) == 0;
	size_t len = strlen(w->label);
	return len <= LABEL_LEN && memcmp(super + LABEL_AT, w->label, len) == 0 &&
	       (len == LABEL_LEN || super[LABEL_AT + len] == 0);
}

static struct block_device *find_super(const struct wanted *w)
{
	struct block_device *d = NULL;
	uint8_t *super = heap_alloc(SUPER_SECTORS * SECTOR_SIZE);
	for (unsigned i = 0; super && (d = block_at(i)); i++)
		if (block_read(d, SUPER_OFFSET, super, SUPER_SECTORS * SECTOR_SIZE) == 0 &&
			has(super, w))
			break;
	heap_free(super);
	return d;
}

static bool same_id(const char *a, const char *b)
{
	while (*a && (*a | 0x20) == (*b | 0x20))
		a++, b++;
	return *a == *b;
}

static struct block_device *find_partition(const char *id)
{
	struct block_device *d = NULL;
	for (unsigned i = 0; *id && (d = block_at(i)); i++)
		if (same_id(d->partition_id, id))
			break;
	return d;
}

static struct block_device *find(const char *name)
{
	struct wanted w = {0};
	if (string_starts_with(name, "LABEL=")) {
		w.label = name + 6;
		return *w.label ? find_super(&w) : NULL;
	}
	if (string_starts_with(name, "UUID="))
		return parse_uuid(name + 5, w.uuid) ? find_super(&w) : NULL;
	if (string_starts_with(name, "PARTUUID="))
		return find_partition(name + 9);
	return block_find(name);
}

/* Tables of partitions are read only when none of the whole disks is meant. */
struct block_device *disk_find(const char *name)
{
	struct block_device *d = find(name);
	if (d)
		return d;
	partitions_find();
	return find(name);
}
