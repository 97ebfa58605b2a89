/* Inside futexes: what the plain, the vectored and the priority-inheriting ones share. */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/list.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/thread.h"

struct futex_key {
	uint64_t word[2];
};

struct futex_bucket {
	struct spinlock lock;
	struct list waiters; /* under lock, oldest first; next is NULL before the first use */
};

struct pi_waiter;

struct futex_waiter {
	struct list link;
	atomic_bool woken;
	struct futex_key key;
	uint32_t mask;
	struct thread *thread;
	struct pi_waiter *requeue; /* FUTEX_WAIT_REQUEUE_PI: where it goes on; NULL otherwise */
	struct futex_bucket *_Atomic bucket;
};

int futex_key_of(user_addr word, unsigned kind, struct futex_key *out) must_check;
static inline bool futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/* Into the queue of its key; the word is to be read after this. */
void futex_enqueue(struct futex_waiter *w);
/* Out of it; whether somebody had woken it, or taken it out. */
bool futex_dequeue(struct futex_waiter *w);
/*
 * FUTEX_CMP_REQUEUE_PI: take the oldest waiter of that key out, if it waits to go on onto the other; NULL: nobody
 * waits.  It still sleeps: its bucket is NULL, and it looks at its pi_waiter under that one's lock.  -EINVAL: it waits
 * for something else.
 */
int futex_take_first(const struct futex_key *k, const struct futex_key *onto,
	struct futex_waiter **out) must_check;
const struct futex_key *pi_waiter_key(const struct pi_waiter *w);
