/*
 * Partition tables: GPT (UEFI 2.10, 5.3) and MBR, with logical partitions in the extended one.  A table is the disk's
 * word and not trusted: a partition lies within its disk, and at most PARTITIONS_MAX of a disk are looked at.  Checksums
 * of a GPT are not needed for that and not checked.
 */
#include "kernel/dev/block.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define PARTITIONS_MAX 128u
#define MBR_TABLE 446u
#define MBR_SIGNATURE 440u
#define MBR_GPT 0xee
#define GPT_ENTRY 128u

struct partition {
	struct block_device block;
	struct block_device *disk;
	uint64_t start;
};

static int submit(struct block_device *block, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	struct partition *p = block->driver;
	return p->disk->ops->submit(p->disk, operation, p->start + sector, segments, n_segments);
}

static int start(struct block_device *block, struct block_request *r)
{
	struct partition *p = block->driver;
	r->sector += p->start;
	int err = p->disk->ops->start(p->disk, r);
	if (err < 0)
		r->sector -= p->start;
	return err; /* from a success on r is in other hands */
}

static const struct block_ops waiting_ops = {.submit = submit};
static const struct block_ops partition_ops = {.submit = submit, .start = start};

static struct partition *add(
	struct block_device *disk, unsigned number, uint64_t first, uint64_t n_sectors)
{
	if (n_sectors == 0 || first == 0 || first >= disk->n_sectors ||
		n_sectors > disk->n_sectors - first)
		return NULL;
	struct partition *p = heap_zalloc(sizeof(*p));
	if (!p)
		return NULL;
	size_t len = strlen(disk->name);
	bool digit = disk->name[len - 1] >= '0' && disk->name[len - 1] <= '9';
	p->disk = disk;
	p->start = first;
	p->block.driver = p;
	p->block.ops = disk->ops->start ? &partition_ops : &waiting_ops;
	p->block.n_sectors = n_sectors;
	p->block.max_segments = disk->max_segments;
	p->block.read_only = disk->read_only;
	format(p->block.name, sizeof(p->block.name), "%s%s%u", disk->name, digit ? "p" : "",
		number);
	return p;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t x;
	memcpy(&x, at, sizeof(x));
	return x;
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t x;
	memcpy(&x, at, sizeof(x));
	return x;
}

/* --- MBR --- */

static void add_mbr(struct block_device *disk, unsigned number, uint64_t base, const uint8_t *entry,
	uint32_t signature)
{
	struct partition *p = add(disk, number, base + get32(entry + 8), get32(entry + 12));
	if (!p)
		return;
	format(p->block.partition_id, sizeof(p->block.partition_id), "%08x-%02x", signature,
		number);
	block_register(&p->block);
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A chain of tables of two entries: a partition, and the next table. */
static void add_logical(
	struct block_device *disk, uint64_t extended, uint32_t signature, uint8_t *sector)
{
	uint64_t at = extended;
	for (unsigned number = 5; number < 5 + PARTITIONS_MAX; number++) {
		if (block_read(disk, at * SECTOR_SIZE, sector, SECTOR_SIZE) < 0 ||
			sector[510] != 0x55 || sector[511] != 0xaa)
			return;
		add_mbr(disk, number, at, sector + MBR_TABLE, signature);
		uint32_t next = get32(sector + MBR_TABLE + 16 + 8);
		if (!is_extended(sector[MBR_TABLE + 16 + 4]) || next == 0)
			return;
		at = extended + next;
	}
}

static void read_mbr(struct block_device *disk, uint8_t *sector)
{
	uint32_t signature = get32(sector + MBR_SIGNATURE);
	uint64_t extended = 0;
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *entry = sector + MBR_TABLE + 16 * i;
		if (is_extended(entry[4]))
			extended = get32(entry + 8);
		else if (entry[4])
			add_mbr(disk, i + 1, 0, entry, signature);
	}
	if (extended)
		add_logical(disk, extended, signature, sector);
}

/* --- GPT --- */

static void add_gpt(struct block_device *disk, unsigned number, const uint8_t *entry)
{
	uint64_t first = get64(entry + 32), last = get64(entry + 40);
	const uint8_t *id = entry + 16;
	if ((get64(entry) | get64(entry + 8)) == 0 || last < first)
		return;
	struct partition *p = add(disk, number, first, last - first + 1);
	if (!p)
		return;
	/* The first three fields are little-endian (UEFI 2.10, appendix A). */
	format(p->block.partition_id, sizeof(p->block.partition_id),
		"%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", get32(id), id[5], id[4],
		id[7], id[6], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
	block_register(&p->block);
}

static void read_gpt(struct block_device *disk, uint8_t *sector)
{
	if (block_read(disk, SECTOR_SIZE, sector, SECTOR_SIZE) < 0 ||
		memcmp(sector, "EFI PART", 8) != 0 || get32(sector + 84) != GPT_ENTRY)
		return;
	uint64_t table = get64(sector + 72);
	unsigned n = min(get32(sector + 80), PARTITIONS_MAX);
	for (unsigned i = 0; i < n; i++) {
		unsigned in_sector = i % (SECTOR_SIZE / GPT_ENTRY);
		uint64_t at = table + i / (SECTOR_SIZE / GPT_ENTRY);
		if (in_sector == 0 && (at >= disk->n_sectors || block_read(disk, at * SECTOR_SIZE,
									sector, SECTOR_SIZE) < 0))
			return;
		add_gpt(disk, i + 1, sector + in_sector * GPT_ENTRY);
	}
}

static void read_table(struct block_device *disk, uint8_t *sector)
{
	if (block_read(disk, 0, sector, SECTOR_SIZE) < 0 || sector[510] != 0x55 ||
		sector[511] != 0xaa)
		return;
	for (unsigned i = 0; i < 4; i++)
		if (sector[MBR_TABLE + 16 * i + 4] == MBR_GPT) {
			read_gpt(disk, sector);
			return;
		}
	read_mbr(disk, sector);
}

void partitions_find(void)
{
	static bool found;
	uint8_t *sector = found ? NULL : heap_alloc(SECTOR_SIZE);
	if (!sector)
		return;
	found = true;
	unsigned n = 0;
	while (block_at(n))
		n++;
	for (unsigned i = 0; i < n; i++)
		read_table(block_at(i), sector);
	heap_free(sector);
}
