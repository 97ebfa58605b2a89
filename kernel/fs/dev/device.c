/*
 * /dev, and the devices that are nothing but code: null, zero, full, random.
 */
#include "kernel/fs/dev/device.h"

#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "kernel/dev/block.h"
#include "kernel/fs/dev/pty.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define MEMORY_MAJOR 1u
#define TERMINAL_MAJOR 5u
#define BLOCK_MAJOR 254u
#define ZERO_SIZE (1ull << 47) /* no mapping is larger */

enum memory_device {
	NULL_DEVICE = 3,
	ZERO_DEVICE = 5,
	FULL_DEVICE = 7,
	RANDOM_DEVICE,
	URANDOM_DEVICE
};

/* --- the files ------------------------------------------------------------------------------- */

static long null_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)f, (void)to, (void)offset;
	return 0;
}

static long null_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)f, (void)offset;
	long n = (long)from->left;
	from->left = 0;
	return n;
}

static long full_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)f, (void)from, (void)offset;
	return -ENOSPC;
}

static long zero_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)f, (void)offset;
	long n = (long)to->left;
	int err = io_buffer_clear(to, to->left);
	return err < 0 ? err : n;
}

static long random_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)f, (void)offset;
	uint8_t chunk[256];
	long done = 0;
	while (to->left) {
		size_t n = min(to->left, sizeof(chunk));
		random_bytes(chunk, n);
		int err = io_buffer_put(to, chunk, n);
		if (err < 0)
			return done ? done : err;
		done += (long)n;
	}
	return done;
}

static long random_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)f, (void)offset;
	uint8_t chunk[256];
	long done = 0;
	while (from->left) {
		size_t n = min(from->left, sizeof(chunk));
		int err = io_buffer_get(from, chunk, n);
		if (err < 0)
			return done ? done : err;
		random_mix(chunk, n);
		done += (long)n;
	}
	return done;
}

static long random_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	(void)f;
	static const int bits = 256;
	return request == RNDGETENTCNT ? copy_out(user_at(argument), &bits, sizeof(bits)) : -ENOTTY;
}

static long no_seek(struct file *f, int64_t offset, int whence)
{
	(void)f, (void)offset, (void)whence;
	return 0;
}

static unsigned always_ready(struct file *f)
{
	(void)f;
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* mmap(2) of /dev/zero is memory of its own each time.  What was mapped stays until the file is closed, and the mapping,
 * which has a reference of its own then, is gone. */
struct zero_mapping {
	struct list link;
	struct file *memory;
};

static struct mutex zero_lock;

static int zero_map(struct file *f, struct page_cache **out, uint64_t *id, uint64_t *device)
{
	struct zero_mapping *m = heap_alloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	int err = vfs_memory_file("dev/zero", ZERO_SIZE, &m->memory);
	if (err < 0) {
		heap_free(m);
		return err;
	}
	mutex_lock(&zero_lock);
	list_push_back(f->object, &m->link);
	mutex_unlock(&zero_lock);
	return m->memory->ops->map(m->memory, out, id, device);
}

static void zero_release(struct file *f)
{
	struct list *item;
	while ((item = list_pop_front(f->object))) {
		struct zero_mapping *m = list_entry(item, struct zero_mapping, link);
		file_put(m->memory);
		heap_free(m);
	}
	heap_free(f->object);
}

static const struct file_ops null_ops = {.kind = "null",
	.read = null_read,
	.write = null_write,
	.seek = no_seek,
	.poll = always_ready};
static const struct file_ops zero_ops = {.kind = "zero",
	.read = zero_read,
	.write = null_write,
	.seek = no_seek,
	.poll = always_ready,
	.map = zero_map,
	.release = zero_release};
static const struct file_ops full_ops = {.kind = "full",
	.read = zero_read,
	.write = full_write,
	.seek = no_seek,
	.poll = always_ready};
static const struct file_ops random_ops = {.kind = "random",
	.read = random_read,
	.write = random_write,
	.seek = no_seek,
	.poll = always_ready,
	.ioctl = random_ioctl};

static int zero_open(uint32_t flags, struct file **out)
{
	struct list *mappings = heap_alloc(sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	list_init(mappings);
	int err = file_new(&zero_ops, mappings, flags, out);
	if (err < 0)
		heap_free(mappings);
	return err;
}

static int memory_device_open(unsigned minor, uint32_t flags, struct file **out)
{
	switch (minor) {
	case NULL_DEVICE:
		return file_new(&null_ops, NULL, flags, out);
	case ZERO_DEVICE:
		return zero_open(flags, out);
	case FULL_DEVICE:
		return file_new(&full_ops, NULL, flags, out);
	case RANDOM_DEVICE:
	case URANDOM_DEVICE:
		return file_new(&random_ops, NULL, flags, out);
	}
	return -ENXIO;
}

int device_open(struct inode *i, uint32_t flags, struct file **out)
{
	uint64_t major = i->device >> 8, minor = i->device & 0xff;
	if (S_ISBLK(i->mode))
		return major == BLOCK_MAJOR ? block_file_open(i, flags, out) : -ENXIO;
	if (major == MEMORY_MAJOR)
		return memory_device_open((unsigned)minor, flags, out);
	if (major == PTS_MAJOR)
		return pty_open((unsigned)minor, flags, out);
	if (major == TERMINAL_MAJOR && minor == 0) {
		int err = pty_open(PTY_CONTROLLING, flags, out);
		return err == -ENXIO ? console_open(flags, out) : err;
	}
	if (major == TERMINAL_MAJOR && minor == 1)
		return console_open(flags, out);
	if (major == TERMINAL_MAJOR && minor == 2)
		return ptmx_open(flags, out);
	return -ENXIO;
}

/* --- the tree -------------------------------------------------------------------------------- */

static const struct device_node {
	const char *name;
	uint32_t mode;
	uint8_t major, minor;
	const char *target;
} nodes[] = {
	{"null", S_IFCHR | 0666, MEMORY_MAJOR, NULL_DEVICE, NULL},
	{"zero", S_IFCHR | 0666, MEMORY_MAJOR, ZERO_DEVICE, NULL},
	{"full", S_IFCHR | 0666, MEMORY_MAJOR, FULL_DEVICE, NULL},
	{"random", S_IFCHR | 0666, MEMORY_MAJOR, RANDOM_DEVICE, NULL},
	{"urandom", S_IFCHR | 0666, MEMORY_MAJOR, URANDOM_DEVICE, NULL},
	{"tty", S_IFCHR | 0666, TERMINAL_MAJOR, 0, NULL},
	{"console", S_IFCHR | 0600, TERMINAL_MAJOR, 1, NULL},
	{"ptmx", S_IFCHR | 0666, TERMINAL_MAJOR, 2, NULL},
	{"pts", S_IFDIR | 0755, 0, 0, NULL},
	{"fd", S_IFLNK | 0777, 0, 0, "/proc/self/fd"},
	{"stdin", S_IFLNK | 0777, 0, 0, "/proc/self/fd/0"},
	{"stdout", S_IFLNK | 0777, 0, 0, "/proc/self/fd/1"},
	{"stderr", S_IFLNK | 0777, 0, 0, "/proc/self/fd/2"},
	{"shm", S_IFDIR | 01777, 0, 0, NULL},
};

static int plant(struct inode *root, const char *name, const struct inode_request *request)
{
	struct inode *i;
	int err = tmpfs_plant(root, name, request, &i);
	if (!err)
		inode_put(i);
	return err;
}

static int plant_block_devices(struct inode *root)
{
	int err = 0;
	struct block_device *d;
	for (unsigned n = 0; !err && n < 256 && (d = block_at(n)); n++)
		err = plant(root, d->name,
			&(struct inode_request){
				.mode = S_IFBLK | 0600, .device = DEVICE_NUMBER(BLOCK_MAJOR, n)});
	return err;
}

int devfs_make(struct super **out)
{
	int err = tmpfs_filesystem.mount(NULL, 0, out);
	if (err < 0)
		return err;
	struct super *s = *out;
	mutex_init(&zero_lock);
	s->type = &devfs_filesystem;
	string_copy(s->source, "devtmpfs", sizeof(s->source));
	s->root->mode = S_IFDIR | 0755;
	for (size_t n = 0; !err && n < array_size(nodes); n++)
		err = plant(s->root, nodes[n].name,
			&(struct inode_request){.mode = nodes[n].mode,
				.device = DEVICE_NUMBER(nodes[n].major, nodes[n].minor),
				.target = nodes[n].target});
	return err ? err : plant_block_devices(s->root);
}

const struct filesystem devfs_filesystem = {.name = "devtmpfs"};
