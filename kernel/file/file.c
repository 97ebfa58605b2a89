/*
 * Open file descriptions: their life, and the body of read(2) and write(2).
 *
 * The memory of a struct file is never anything else again: fd_get() may look at the reference count of one that has
 * just been released (kernel/file/fd_table.c), so released ones are kept for the next file_new().
 */
#include "kernel/file/file.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/async.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static struct spinlock spare_lock;
static struct list spare = LIST_INIT(spare); /* under spare_lock: by file->watchers */

static void (*name_dropper)(struct file *f);
static _Atomic uint64_t next_anonymous = 1;

void file_set_name_dropper(void (*drop)(struct file *f))
{
	name_dropper = drop;
}

static void (*_Atomic transfer_hook)(struct file *f, bool written);

void file_set_transfer_hook(void (*moved)(struct file *f, bool written))
{
	transfer_hook = moved;
}

/* Per CPU, so counting is not shared; a reader sees a sum that is a moment old. */
static struct {
	uint64_t calls[2], bytes[2];
} accounts[CPU_MAX] aligned_to(64);

static void (*disk_account)(uint64_t *n_read, uint64_t *n_written);

void file_set_disk_account(void (*sectors)(uint64_t *n_read, uint64_t *n_written))
{
	disk_account = sectors;
}

void file_account(struct file_account *out)
{
	*out = (struct file_account){0};
	for (unsigned i = 0; i < cpu_count(); i++) {
		out->reads += accounts[i].calls[0];
		out->read_bytes += accounts[i].bytes[0];
		out->writes += accounts[i].calls[1];
		out->written_bytes += accounts[i].bytes[1];
	}
	if (disk_account)
		disk_account(&out->disk_read_bytes, &out->disk_written_bytes);
	out->disk_read_bytes *= 512;
	out->disk_written_bytes *= 512;
}

void file_transferred(struct file *f, bool written)
{
	void (*moved)(struct file *, bool) =
		atomic_load_explicit(&transfer_hook, memory_order_relaxed);
	if (unlikely(moved))
		moved(f, written);
}

uint64_t file_anonymous_number(void)
{
	return atomic_fetch_add(&next_anonymous, 1);
}

static struct file *file_take_spare(void)
{
	irq_state state = spin_lock(&spare_lock);
	struct list *item = list_pop_front(&spare);
	spin_unlock(&spare_lock, state);
	return item ? list_entry(item, struct file, watchers) : NULL;
}

int file_new(const struct file_ops *ops, void *object, uint32_t flags, struct file **out)
{
	struct file *f = file_take_spare();
	if (!f) {
		f = heap_zalloc(sizeof(*f));
		if (!f)
			return -ENOMEM;
	}
	f->ops = ops;
	f->flags = flags;
	f->object = object;
	f->ready = NULL;
	f->inode = NULL;
	f->dentry = NULL;
	f->position = 0;
	f->async = NULL;
	f->read_ahead = 0;
	mutex_init(&f->position_lock);
	list_init(&f->watchers);
	atomic_store_explicit(&f->references, 1, memory_order_release);
	*out = f;
	return 0;
}

static void file_release(struct file *f)
{
	if (!list_empty(&f->watchers))
		epoll_forget(f);
	/* Found empty: an epoll that ended just now is through with f. */
	atomic_thread_fence(memory_order_acquire);
	if (unlikely(f->async))
		async_forget(f);
	if (f->ops->release)
		f->ops->release(f);
	if (f->dentry)
		name_dropper(f);
	irq_state state = spin_lock(&spare_lock);
	list_push_front(&spare, &f->watchers);
	spin_unlock(&spare_lock, state);
}

void file_put(struct file *f)
{
	if (atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel) == 1)
		file_release(f);
}

unsigned file_poll(struct file *f)
{
	if (!f->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll(f);
}

bool file_readable(const struct file *f)
{
	uint32_t flags = f->flags;
	return !(flags & (O_PATH | O_WRONLY));
}

bool file_writable(const struct file *f)
{
	uint32_t flags = f->flags;
	return !(flags & O_PATH) &&
	       ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR);
}

static void file_count(struct file *f, bool written, long n)
{
	unsigned cpu = cpu_id();
	accounts[cpu].calls[written]++;
	accounts[cpu].bytes[written] += (uint64_t)n;
	file_transferred(f, written);
}

typedef long (*transfer)(struct file *f, struct io_buffer *b, uint64_t *offset);

static long file_transfer(struct file *f, struct io_buffer *b, const uint64_t *at, transfer op)
{
	if (!f->ops->seek) /* no position: pipes, sockets */
		return op(f, b, NULL);
	if (at) {
		uint64_t position = *at;
		return op(f, b, &position);
	}
	mutex_lock(&f->position_lock);
	long n = op(f, b, &f->position);
	mutex_unlock(&f->position_lock);
	return n;
}

/* The checks in Linux's order: pread(2) of a pipe is -ESPIPE whatever its open mode. */
static int file_check_transfer(const struct file *f, const uint64_t *at, bool allowed)
{
	if (at && *at > INT64_MAX)
		return -EINVAL;
	if (f->flags & O_PATH)
		return -EBADF;
	if (at && !f->ops->seek)
		return -ESPIPE;
	return allowed ? 0 : -EBADF;
}

long file_read(struct file *f, struct io_buffer *to, const uint64_t *at)
{
	int err = file_check_transfer(f, at, file_readable(f));
	if (err < 0)
		return err;
	if (!f->ops->read)
		return -EINVAL;
	long n = file_transfer(f, to, at, f->ops->read);
	if (n > 0)
		file_count(f, false, n);
	return n;
}

long file_write(struct file *f, struct io_buffer *from, const uint64_t *at)
{
	int err = file_check_transfer(f, at, file_writable(f));
	if (err < 0)
		return err;
	if (!f->ops->write)
		return -EINVAL;
	long n = file_transfer(f, from, at, f->ops->write);
	if (n > 0)
		file_count(f, true, n);
	return n;
}
