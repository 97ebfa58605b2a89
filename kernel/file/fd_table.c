/*
 * The table of descriptors.
 *
 * fd_get() takes no lock.  It reads the slot, raises the reference count unless that is 0, and reads the slot again: the
 * same file still there proves that the reference is one on the right file.  What it needs for that: the
 * memory of a struct file stays a struct file for ever (file.c), and so do arrays that were outgrown (they double, so
 * all old ones together are smaller than the newest).
 */
#include "kernel/file/fd_table.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define FD_TABLE_MIN 64u
#define FD_TABLE_MAX (1u << 20)

typedef struct file *_Atomic slot;

static struct {
	slot *_Atomic slots;
	atomic_uint n_slots;
	struct spinlock lock;
	/* under lock: */
	uint64_t *used, *cloexec; /* a bit per slot */
	unsigned lowest;          /* no slot below is free */
	unsigned limit;
} table;

static bool bit_test(const uint64_t *bits, unsigned n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static void bit_set_to(uint64_t *bits, unsigned n, bool value)
{
	uint64_t bit = 1ull << (n % 64);
	bits[n / 64] = value ? bits[n / 64] | bit : bits[n / 64] & ~bit;
}

void fd_table_init(void)
{
	table.limit = 1024;
	epoll_init();
	timerfd_init();
}

void fd_table_set_limit(unsigned limit)
{
	table.limit = min(limit, FD_TABLE_MAX);
}

static bool file_get_unless_released(struct file *f)
{
	unsigned n = atomic_load_explicit(&f->references, memory_order_relaxed);
	while (n)
		if (atomic_compare_exchange_weak_explicit(
			    &f->references, &n, n + 1, memory_order_acq_rel, memory_order_relaxed))
			return true;
	return false;
}

int fd_get(int fd, struct file **out)
{
	if ((unsigned)fd >= atomic_load_explicit(&table.n_slots, memory_order_acquire))
		return -EBADF;
	for (;;) {
		slot *slots = atomic_load_explicit(&table.slots, memory_order_acquire);
		struct file *f = atomic_load_explicit(&slots[fd], memory_order_acquire);
		if (!f)
			return -EBADF;
		if (unlikely(!file_get_unless_released(f)))
			continue;
		slots = atomic_load_explicit(&table.slots, memory_order_acquire);
		if (likely(atomic_load_explicit(&slots[fd], memory_order_acquire) == f)) {
			*out = f;
			return 0;
		}
		file_put(f);
	}
}

/* Room for more than n descriptors.  Allocates without the lock; somebody else may have been quicker. */
static int fd_table_grow(unsigned n)
{
	unsigned size = FD_TABLE_MIN;
	while (size <= n)
		size *= 2;
	slot *slots = heap_array(size, sizeof(*slots));
	uint64_t *bits = heap_array(size / 64 * 2, sizeof(*bits));
	void *old_bits = bits;
	if (!slots || !bits) {
		heap_free(slots);
		heap_free(bits);
		return -ENOMEM;
	}
	irq_state state = spin_lock(&table.lock);
	if (table.n_slots < size) {
		unsigned n_old = table.n_slots;
		for (unsigned i = 0; i < n_old; i++)
			atomic_store_explicit(&slots[i], table.slots[i], memory_order_relaxed);
		if (n_old) {
			memcpy(bits, table.used, n_old / 8);
			memcpy(bits + size / 64, table.cloexec, n_old / 8);
		}
		old_bits = table.used; /* the block that holds both */
		table.used = bits;
		table.cloexec = bits + size / 64;
		atomic_store_explicit(&table.slots, slots, memory_order_release);
		atomic_store_explicit(&table.n_slots, size, memory_order_release);
		slots = NULL;
	}
	spin_unlock(&table.lock, state);
	heap_free(slots);
	heap_free(old_bits);
	return 0;
}

/* Under the lock: the lowest free number >= from, perhaps beyond the slots there are. */
static unsigned fd_find_free(unsigned from)
{
	unsigned n = max(from, table.lowest);
	while (n < table.n_slots) {
		uint64_t free = ~table.used[n / 64] >> (n % 64);
		if (free)
			return n + (unsigned)__builtin_ctzll(free);
		n = (n / 64 + 1) * 64;
	}
	return n;
}

/* Under the lock: put f at fd and return what was there. */
static struct file *fd_set(unsigned fd, struct file *f, unsigned flags)
{
	struct file *old = atomic_exchange_explicit(&table.slots[fd], f, memory_order_acq_rel);
	bit_set_to(table.used, fd, f != NULL);
	bit_set_to(table.cloexec, fd, f && (flags & FD_CLOEXEC_FLAG));
	if (!f)
		table.lowest = min(table.lowest, fd);
	return old;
}

int fd_install(struct file *f, unsigned from, unsigned flags)
{
	for (;;) {
		irq_state state = spin_lock(&table.lock);
		unsigned fd = fd_find_free(from);
		bool fits = fd < table.n_slots, allowed = fd < table.limit;
		if (allowed && fits) {
			fd_set(fd, f, flags);
			if (from <= table.lowest)
				table.lowest = fd + 1;
		}
		spin_unlock(&table.lock, state);
		if (!allowed)
			return from && from >= table.limit ? -EINVAL : -EMFILE;
		if (fits)
			return (int)fd;
		int err = fd_table_grow(fd);
		if (err < 0)
			return err;
	}
}

/* A descriptor of f is gone. */
static int fd_dropped(struct file *f)
{
	int err = f->ops->flush ? f->ops->flush(f) : 0;
	file_put(f);
	return err;
}

int fd_install_at(struct file *f, int fd, unsigned flags)
{
	if (fd < 0 || (unsigned)fd >= table.limit)
		return -EBADF;
	if ((unsigned)fd >= table.n_slots) {
		int err = fd_table_grow((unsigned)fd);
		if (err < 0)
			return err;
	}
	irq_state state = spin_lock(&table.lock);
	struct file *old = fd_set((unsigned)fd, f, flags);
	spin_unlock(&table.lock, state);
	if (old)
		fd_dropped(old);
	return fd;
}

static int fd_drop(int fd)
{
	if ((unsigned)fd >= table.n_slots)
		return -EBADF;
	irq_state state = spin_lock(&table.lock);
	struct file *f = fd_set((unsigned)fd, NULL, 0);
	spin_unlock(&table.lock, state);
	return f ? fd_dropped(f) : -EBADF;
}

int fd_close(int fd)
{
	return fd_drop(fd);
}

int fd_flags(int fd)
{
	int flags = -EBADF;
	irq_state state = spin_lock(&table.lock);
	if ((unsigned)fd < table.n_slots && table.slots[fd])
		flags = bit_test(table.cloexec, (unsigned)fd) ? (int)FD_CLOEXEC_FLAG : 0;
	spin_unlock(&table.lock, state);
	return flags;
}

static bool fd_mark(int fd, unsigned flags)
{
	irq_state state = spin_lock(&table.lock);
	bool open = (unsigned)fd < table.n_slots && table.slots[fd];
	if (open)
		bit_set_to(table.cloexec, (unsigned)fd, flags & FD_CLOEXEC_FLAG);
	spin_unlock(&table.lock, state);
	return open;
}

int fd_set_flags(int fd, unsigned flags)
{
	return fd_mark(fd, flags) ? 0 : -EBADF;
}

int fd_close_range(unsigned first, unsigned last, unsigned flags)
{
	if (first > last)
		return -EINVAL;
	for (int fd = first > INT32_MAX ? -1 : fd_next((int)first); fd >= 0 && (unsigned)fd <= last;
		fd = fd_next(fd + 1)) {
		if (flags & FD_CLOEXEC_FLAG)
			fd_mark(fd, FD_CLOEXEC_FLAG);
		else
			fd_drop(fd);
	}
	return 0;
}

void fd_close_on_exec(void)
{
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1))
		if (fd_flags(fd) == (int)FD_CLOEXEC_FLAG)
			fd_drop(fd);
}

void fd_close_all(void)
{
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1))
		fd_drop(fd);
}

int fd_next(int from)
{
	int found = -1;
	irq_state state = spin_lock(&table.lock);
	unsigned n = (unsigned)max(from, 0);
	while (n < table.n_slots && found < 0) {
		uint64_t used = table.used[n / 64] >> (n % 64);
		if (used)
			found = (int)(n + (unsigned)__builtin_ctzll(used));
		else
			n = (n / 64 + 1) * 64;
	}
	spin_unlock(&table.lock, state);
	return found;
}
