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
