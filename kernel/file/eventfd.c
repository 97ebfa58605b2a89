/*
 * eventfd(2): a counter to wait on.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct wait_queue queue;
	bool semaphore;
	uint64_t number;
	struct spinlock lock;
	_Atomic uint64_t count; /* changed under lock */
};

/* What a read returns, taken off; 0: nothing there. */
static uint64_t eventfd_take(struct eventfd *e)
{
	irq_state state = spin_lock(&e->lock);
	uint64_t value = e->count;
	if (value && e->semaphore)
		value = 1;
	e->count -= value;
	spin_unlock(&e->lock, state);
	return value;
}

static long eventfd_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct eventfd *e = f->object;
	if (to->left < sizeof(uint64_t))
		return -EINVAL;
	uint64_t value;
	while (!(value = eventfd_take(e))) {
		if (file_nonblocking(f))
			return -EAGAIN;
		int err = wait_event_interruptible(&e->queue, EPOLLIN, e->count, NO_DEADLINE);
		if (err < 0)
			return err;
	}
	wait_wake(&e->queue, EPOLLOUT | EPOLLWRNORM);
	int err = io_buffer_put(to, &value, sizeof(value));
	return err < 0 ? err : (long)sizeof(value);
}

static bool eventfd_add(struct eventfd *e, uint64_t value)
{
	irq_state state = spin_lock(&e->lock);
	bool fits = COUNT_MAX - e->count >= value;
	if (fits)
		e->count += value;
	spin_unlock(&e->lock, state);
	return fits;
}

static long eventfd_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct eventfd *e = f->object;
	uint64_t value;
	if (from->left < sizeof(value))
		return -EINVAL;
	int err = io_buffer_get(from, &value, sizeof(value));
	if (err < 0)
		return err;
	if (value > COUNT_MAX)
		return -EINVAL;
	while (!eventfd_add(e, value)) {
		if (file_nonblocking(f))
			return -EAGAIN;
		err = wait_event_interruptible(
			&e->queue, EPOLLOUT, COUNT_MAX - e->count >= value, NO_DEADLINE);
		if (err < 0)
			return err;
	}
	wait_wake(&e->queue, EPOLLIN | EPOLLRDNORM);
	return sizeof(value);
}

static unsigned eventfd_poll(struct file *f)
{
	uint64_t count = ((struct eventfd *)f->object)->count;
	return (count ? POLLIN | POLLRDNORM : 0) | (count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static int eventfd_describe(struct file *f, char *buf, size_t size)
{
	struct eventfd *e = f->object;
	return format(buf, size, "eventfd-count: %16llx\neventfd-id: %llu\neventfd-semaphore: %d\n",
		(unsigned long long)e->count, (unsigned long long)e->number, e->semaphore);
}

static void eventfd_release(struct file *f)
{
	heap_free(f->object);
}

static const struct file_ops eventfd_ops = {
	.kind = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.describe = eventfd_describe,
	.release = eventfd_release,
};

bool file_is_eventfd(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

int eventfd_create(uint64_t value, unsigned flags, struct file **out)
{
	if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	struct eventfd *e = heap_zalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	wait_queue_init(&e->queue);
	e->count = value;
	e->semaphore = flags & EFD_SEMAPHORE;
	e->number = file_anonymous_number();
	int err = file_new(&eventfd_ops, e, O_RDWR | (flags & O_NONBLOCK), out);
	if (err < 0)
		goto free;
	(*out)->ready = &e->queue;
	return 0;
free:
	heap_free(e);
	return err;
}
