/* futex(2): sleeping on words of user memory.  Hashed buckets; private keys are addresses. Shared keys
 * too: there is one address space (a MAP_SHARED page mapped twice: keyed by its page). */
#pragma once

#include "kernel/arch/trap.h"

#define FUTEX_KEY_PRIVATE 0u
#define FUTEX_KEY_SHARED 1u

/* Resolve the page behind a shared futex: handed down by kernel/proc, which knows the address space.
 * 0 and an identity of the word, or -EFAULT.  May sleep. */
void futex_set_resolver(int (*resolve)(user_addr word, uint64_t key[2]));

/* 0 woken; -EAGAIN: the word is not expected; -EINTR, -ETIMEDOUT, -EFAULT, -EINVAL (misaligned, mask 0). */
int futex_wait(user_addr word, unsigned key_kind, uint32_t expected, uint32_t mask,
	uint64_t deadline_ns) must_check;
/* How many were woken. */
int futex_wake(user_addr word, unsigned key_kind, unsigned n, uint32_t mask) must_check;
/* FUTEX_REQUEUE, and with expected not NULL FUTEX_CMP_REQUEUE: woken plus moved. */
int futex_requeue(user_addr from, user_addr to, unsigned key_kind, unsigned n_wake, unsigned n_move,
	const uint32_t *expected) must_check;
/* FUTEX_WAKE_OP. */
int futex_wake_op(user_addr word, user_addr second, unsigned key_kind, unsigned n_wake,
	unsigned n_second, uint32_t operation) must_check;

/* futex_waitv(2): which of them was woken (n > 0).  -EAGAIN, -EINTR, -ETIMEDOUT, -EFAULT, -EINVAL, -ENOMEM. */
struct futex_wait_entry {
	user_addr word;
	unsigned key_kind;
	uint32_t expected;
};
int futex_wait_any(
	const struct futex_wait_entry *entries, unsigned n, uint64_t deadline_ns) must_check;

/*
 * Priority inheriting futexes: the word holds the owner's tid, the kernel hands it over.  Of those who wait the most
 * urgent comes first.  (The owner's own priority is not raised.)
 *
 * Does a thread of that tid live that has not begun to end?  Handed down by kernel/proc.
 */
void futex_pi_set_living(bool (*living)(int tid));
/* FUTEX_LOCK_PI.  0; -EDEADLK: it is ours; -ESRCH: the owner is no thread; -EINVAL: word and kernel disagree;
 * -ETIMEDOUT, -EINTR, -EFAULT. */
int futex_pi_lock(user_addr word, unsigned key_kind, uint64_t deadline_ns) must_check;
/* FUTEX_TRYLOCK_PI: -EAGAIN when it is taken. */
int futex_pi_try_lock(user_addr word, unsigned key_kind) must_check;
/* FUTEX_UNLOCK_PI: -EPERM: not ours. */
int futex_pi_unlock(user_addr word, unsigned key_kind) must_check;
/* FUTEX_WAIT_REQUEUE_PI: 0 when the lock `to` is ours.  -EAGAIN: word changed, or a signal came after it was moved. */
int futex_wait_requeue_pi(user_addr word, user_addr to, unsigned key_kind, uint32_t expected,
	uint64_t deadline_ns) must_check;
/* FUTEX_CMP_REQUEUE_PI: how many got the lock or wait for it now. */
int futex_requeue_pi(user_addr from, user_addr to, unsigned key_kind, unsigned n_move,
	uint32_t expected) must_check;
/* A thread ends: its locks go to the next who wait, marked FUTEX_OWNER_DIED.  living() has said no since before. */
void futex_pi_owner_died(int tid);
