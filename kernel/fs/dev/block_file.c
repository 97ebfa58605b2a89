/*
 * A block device as a file: read only, straight from the device through one page.
 */
#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "kernel/dev/block.h"
#include "kernel/fs/dev/device.h"
#include "kernel/mem/page.h"

static uint64_t device_size(const struct block_device *d)
{
	return d->n_sectors * SECTOR_SIZE;
}

/* Part of one page's worth of the device, which may end inside it. */
static int read_part(
	struct block_device *d, uint64_t offset, struct io_buffer *to, size_t n, void *page)
{
	uint64_t start = align_down(offset, PAGE_SIZE);
	int err = block_read(d, start, page, min(device_size(d) - start, PAGE_SIZE));
	return err < 0 ? err : io_buffer_put(to, (char *)page + (offset - start), n);
}

static long block_file_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	struct block_device *d = f->object;
	long done = 0;
	struct page *page = page_alloc(0, 0);
	if (!page)
		return -ENOMEM;
	while (to->left && *offset < device_size(d)) {
		uint64_t n = min(device_size(d) - *offset, PAGE_SIZE - *offset % PAGE_SIZE);
		n = min(n, (uint64_t)to->left);
		int err = read_part(d, *offset, to, n, page_address(page));
		if (err < 0) {
			done = done ? done : err;
			break;
		}
		*offset += n;
		done += (long)n;
	}
	page_put(page);
	return done;
}

static long block_file_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (int64_t)f->position;
	else if (whence == SEEK_END)
		offset += (int64_t)device_size(f->object);
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0 || (uint64_t)offset > device_size(f->object))
		return -EINVAL;
	f->position = (uint64_t)offset;
	return offset;
}

static long put_int(unsigned long argument, int value)
{
	return copy_out(user_at(argument), &value, sizeof(value));
}

static long put_long(unsigned long argument, uint64_t value)
{
	return copy_out(user_at(argument), &value, sizeof(value));
}

static long block_file_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	struct block_device *d = f->object;
	switch (request) {
	case BLKGETSIZE64:
		return put_long(argument, device_size(d));
	case BLKGETSIZE:
		return put_long(argument, d->n_sectors);
	case BLKSSZGET:
	case BLKPBSZGET:
		return put_int(argument, SECTOR_SIZE);
	case BLKROGET:
		return put_int(argument, 1);
	}
	return -ENOTTY;
}

static const struct file_ops block_file_ops = {
	.kind = "block",
	.read = block_file_read,
	.seek = block_file_seek,
	.ioctl = block_file_ioctl,
};

int block_file_open(struct inode *i, uint32_t flags, struct file **out)
{
	struct block_device *d = block_at((unsigned)(i->device & 0xff));
	if (!d)
		return -ENXIO;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	return file_new(&block_file_ops, d, flags, out);
}
