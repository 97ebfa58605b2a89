/*
 * What /proc and /sys show of disks and network cards: drivers and file systems do not know each other, so it is done here.
 * Times that requests took are not measured: 0.
 */
#include "kernel/devices.h"

#include "kernel/dev/block.h"
#include "kernel/dev/netif.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define BLOCK_MAJOR 254

/* --- disks ----------------------------------------------------------------------------------- */

static void disk_counters(struct text *t, const struct block_device *d)
{
	text_add(t, "%lu 0 %lu 0 %lu 0 %lu 0 0 0 0 0 0 0 0 %lu 0\n", (unsigned long)d->n_reads,
		(unsigned long)d->n_sectors_read, (unsigned long)d->n_writes,
		(unsigned long)d->n_sectors_written, (unsigned long)d->n_flushes);
}

static void show_diskstats(struct text *t, int unused)
{
	(void)unused;
	const struct block_device *d;
	for (unsigned n = 0; (d = block_at(n)); n++) {
		text_add(t, "%4d %7u %s ", BLOCK_MAJOR, n, d->name);
		disk_counters(t, d);
	}
}

static void show_partitions(struct text *t, int unused)
{
	(void)unused;
	const struct block_device *d;
	text_add(t, "major minor  #blocks  name\n\n");
	for (unsigned n = 0; (d = block_at(n)); n++)
		text_add(t, "%4d  %7u %10lu %s\n", BLOCK_MAJOR, n,
			(unsigned long)(d->n_sectors / 2), d->name);
}

static void show_devices(struct text *t, int unused)
{
	(void)unused;
	text_add(t,
		"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 "
		"pts\n\n"
		"Block devices:\n%3d virtblk\n",
		BLOCK_MAJOR);
}

static void show_disk_stat(struct text *t, int n)
{
	disk_counters(t, block_at((unsigned)n));
}

static void show_disk_size(struct text *t, int n)
{
	text_add(t, "%lu\n", (unsigned long)block_at((unsigned)n)->n_sectors);
}

static void show_disk_number(struct text *t, int n)
{
	text_add(t, "%d:%d\n", BLOCK_MAJOR, n);
}

static void show_disk_read_only(struct text *t, int n)
{
	text_add(t, "%d\n", block_at((unsigned)n)->read_only);
}

static void show_disk_event(struct text *t, int n)
{
	text_add(t, "MAJOR=%d\nMINOR=%d\nDEVNAME=%s\nDEVTYPE=disk\n", BLOCK_MAJOR, n,
		block_at((unsigned)n)->name);
}

#define FACT(name, text_)                                                                          \
	static void show_##name(struct text *t, int unused)                                        \
	{                                                                                          \
		(void)unused;                                                                      \
		text_add(t, text_ "\n");                                                           \
	}
FACT(zero, "0")
FACT(sector, "512")
FACT(scheduler, "[none]")

static long disk_link(char *buf, size_t size, int n)
{
	char text[48];
	int len = format(text, sizeof(text), "../../block/%s", block_at((unsigned)(n - 1))->name);
	memcpy(buf, text, min((size_t)len, size));
	return (long)min((size_t)len, size);
}

static const struct generated_each disk_files[] = {
	{"size", show_disk_size},
	{"stat", show_disk_stat},
	{"dev", show_disk_number},
	{"ro", show_disk_read_only},
	{"uevent", show_disk_event},
	{"removable", show_zero},
	{"queue/rotational", show_zero},
	{"queue/logical_block_size", show_sector},
	{"queue/physical_block_size", show_sector},
	{"queue/hw_sector_size", show_sector},
	{"queue/scheduler", show_scheduler},
};

/* --- network cards --------------------------------------------------------------------------- */

static struct netif *card(int n)
{
	return netif_at((unsigned)n);
}

static void show_address(struct text *t, int n)
{
	const uint8_t *m = card(n)->mac;
	text_add(t, "%02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void show_mtu(struct text *t, int n)
{
	text_add(t, "%u\n", card(n)->mtu);
}

static void show_index(struct text *t, int n)
{
	text_add(t, "%u\n", card(n)->index);
}

static bool is_loopback(int n)
{
	return card(n)->flags & NETIF_LOOPBACK;
}

/* The loopback has no link to be up or down. */
static void show_state(struct text *t, int n)
{
	text_add(t, "%s\n", is_loopback(n) ? "unknown" : card(n)->link_up ? "up" : "down");
}

static void show_carrier(struct text *t, int n)
{
	text_add(t, "%d\n", is_loopback(n) || card(n)->link_up);
}

static void show_type(struct text *t, int n)
{
	text_add(t, "%d\n", is_loopback(n) ? 772 : 1); /* ARPHRD_LOOPBACK, ARPHRD_ETHER */
}

static void show_card_flags(struct text *t, int n)
{
	text_add(t, "0x%x\n", is_loopback(n) ? 0x9 : 0x1003);
}

static void show_card_event(struct text *t, int n)
{
	text_add(t, "INTERFACE=%s\nIFINDEX=%u\n", card(n)->name, card(n)->index);
}

#define COUNTER(name)                                                                              \
	static void show_##name(struct text *t, int n)                                             \
	{                                                                                          \
		text_add(t, "%lu\n", (unsigned long)card(n)->name);                                \
	}
COUNTER(rx_packets)
COUNTER(rx_bytes)
COUNTER(rx_dropped)
COUNTER(tx_packets)
COUNTER(tx_bytes)
COUNTER(tx_dropped)

static const struct generated_each card_files[] = {
	{"address", show_address},
	{"mtu", show_mtu},
	{"ifindex", show_index},
	{"iflink", show_index},
	{"operstate", show_state},
	{"carrier", show_carrier},
	{"type", show_type},
	{"flags", show_card_flags},
	{"uevent", show_card_event},
	{"dormant", show_zero},
	{"link_mode", show_zero},
	{"dev_id", show_zero},
	{"addr_assign_type", show_zero},
	{"statistics/rx_packets", show_rx_packets},
	{"statistics/rx_bytes", show_rx_bytes},
	{"statistics/rx_dropped", show_rx_dropped},
	{"statistics/rx_errors", show_zero},
	{"statistics/tx_packets", show_tx_packets},
	{"statistics/tx_bytes", show_tx_bytes},
	{"statistics/tx_dropped", show_tx_dropped},
	{"statistics/tx_errors", show_zero},
	{"statistics/collisions", show_zero},
	{"statistics/multicast", show_zero},
};

/* --- */

static const struct generated_file files[] = {
	{.path = "/proc/diskstats", .show = show_diskstats},
	{.path = "/proc/partitions", .show = show_partitions},
	{.path = "/proc/devices", .show = show_devices},
};

static void add_disk(int n)
{
	char number[16];
	const char *name = block_at((unsigned)n)->name;
	vfs_generated_each("/sys/block", name, n, disk_files, array_size(disk_files));
	format(number, sizeof(number), "%d:%d", BLOCK_MAJOR, n);
	vfs_generated_link("/sys/dev/block", number, n + 1, disk_link);
	vfs_generated_link("/sys/class/block", name, n + 1, disk_link);
}

/* When /sys is first looked into. */
static void add_devices(void)
{
	for (int n = 0; block_at((unsigned)n); n++)
		add_disk(n);
	for (int n = 0; card(n); n++)
		vfs_generated_each(
			"/sys/class/net", card(n)->name, n, card_files, array_size(card_files));
}

void devices_show_init(void)
{
	vfs_generated_add(files, array_size(files));
	vfs_generated_later(add_devices);
}
