/*
 * poll(2) and select(2): a look at every file, then a sleep with a waiter on each of their queues.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/mem/heap.h"

#define POLL_ALWAYS (POLLERR | POLLHUP)
#define POLL_ON_STACK 8u

static long poll_look(struct poll_entry *entries, unsigned n)
{
	long found = 0;
	for (unsigned i = 0; i < n; i++) {
		struct poll_entry *e = &entries[i];
		if (!e->file)
			continue;
		e->revents = file_poll(e->file) & (e->events | POLL_ALWAYS);
		found += e->revents != 0;
	}
	return found;
}

static void poll_add(struct poll_entry *entries, struct waiter *waiters, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (entries[i].file && entries[i].file->ready) {
			waiter_init_thread(&waiters[i], entries[i].events | POLL_ALWAYS, 0);
			wait_add(entries[i].file->ready, &waiters[i]);
		}
}

static void poll_remove(struct poll_entry *entries, struct waiter *waiters, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (entries[i].file && entries[i].file->ready)
			wait_remove(entries[i].file->ready, &waiters[i]);
}

static long poll_sleep(
	struct poll_entry *entries, struct waiter *waiters, unsigned n, uint64_t deadline_ns)
{
	long found = 0;
	int err = 0;
	poll_add(entries, waiters, n);
	while (!(found = poll_look(entries, n)) && !err)
		err = thread_block_interruptible(deadline_ns);
	poll_remove(entries, waiters, n);
	if (found || err == -ETIMEDOUT)
		return found;
	return err;
}

long poll_files(struct poll_entry *entries, unsigned n, uint64_t deadline_ns)
{
	long found = poll_look(entries, n);
	if (found || deadline_ns == 0)
		return found;
	struct waiter some[POLL_ON_STACK], *waiters = some;
	if (n > POLL_ON_STACK) {
		waiters = heap_array(n, sizeof(*waiters));
		if (!waiters)
			return -ENOMEM;
	}
	found = poll_sleep(entries, waiters, n, deadline_ns);
	if (waiters != some)
		heap_free(waiters);
	return found;
}
