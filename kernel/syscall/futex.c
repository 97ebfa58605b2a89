/* futex(2), futex_waitv(2): which operation takes which arguments, and what its timeout means. */
#include "kernel/sched/futex.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/sched.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/timers.h"
#include "kernel/syscall/user.h"

struct futex_call {
	unsigned command, key, operation;
	user_addr word, second;
	uint32_t value, value2, value3;
	user_addr timeout;
};

/* FUTEX_WAIT takes a span, the others a time: FUTEX_LOCK_PI of the wall clock whatever the flag says. */
static int deadline_of(const struct futex_call *c, uint64_t *out)
{
	uint64_t ns;
	*out = NO_DEADLINE;
	if (!c->timeout.va)
		return 0;
	int err = user_timespec(c->timeout, &ns);
	if (err < 0)
		return err;
	bool wall = c->operation & FUTEX_CLOCK_REALTIME || c->command == FUTEX_LOCK_PI;
	*out = c->command == FUTEX_WAIT
		       ? deadline_begin(ns)
		       : clock_deadline(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns);
	return 0;
}

static long futex_sleep(const struct futex_call *c, uint32_t mask)
{
	uint64_t deadline_ns;
	int err = deadline_of(c, &deadline_ns);
	if (err < 0)
		return err;
	long result = futex_wait(c->word, c->key, c->value, mask, deadline_ns);
	if (c->timeout.va && c->command == FUTEX_WAIT)
		result = deadline_end(result);
	/* With a timeout a handler, too, ends the wait. */
	return result == -EINTR && c->timeout.va ? -ERESTARTNOHAND : result;
}

/* Whatever handler ran, the wait for a lock goes on behind it. */
static long futex_lock(const struct futex_call *c)
{
	uint64_t deadline_ns;
	int err = deadline_of(c, &deadline_ns);
	if (err < 0)
		return err;
	err = c->command == FUTEX_WAIT_REQUEUE_PI
		      ? futex_wait_requeue_pi(c->word, c->second, c->key, c->value, deadline_ns)
		      : futex_pi_lock(c->word, c->key, deadline_ns);
	return err == -EINTR ? -ERESTARTNOINTR : err;
}

static long futex_move(const struct futex_call *c)
{
	if ((int)c->value < 0 || (int)c->value2 < 0)
		return -EINVAL;
	if (c->command == FUTEX_CMP_REQUEUE_PI)
		return c->value == 1
			       ? futex_requeue_pi(c->word, c->second, c->key, c->value2, c->value3)
			       : -EINVAL;
	return futex_requeue(c->word, c->second, c->key, c->value, c->value2,
		c->command == FUTEX_CMP_REQUEUE ? &c->value3 : NULL);
}

static long futex_call(const struct futex_call *c)
{
	switch (c->command) {
	case FUTEX_WAIT:
		return futex_sleep(c, FUTEX_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_sleep(c, c->value3);
	case FUTEX_WAKE:
		return futex_wake(c->word, c->key, max(c->value, 1u), FUTEX_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(c->word, c->key, max(c->value, 1u), c->value3);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		return futex_move(c);
	case FUTEX_WAKE_OP:
		return futex_wake_op(c->word, c->second, c->key, c->value, c->value2, c->value3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_lock(c);
	case FUTEX_TRYLOCK_PI:
		return futex_pi_try_lock(c->word, c->key);
	case FUTEX_UNLOCK_PI:
		return futex_pi_unlock(c->word, c->key);
	default:
		return -ENOSYS;
	}
}

static bool takes_clock(unsigned command)
{
	return command == FUTEX_WAIT_BITSET || command == FUTEX_WAIT_REQUEUE_PI ||
	       command == FUTEX_LOCK_PI2;
}

long sys_futex(const struct syscall_args *args)
{
	unsigned operation = arg_uint(args, 1);
	const struct futex_call c = {
		.command = operation & FUTEX_COMMAND_MASK,
		.operation = operation,
		.key = operation & FUTEX_PRIVATE_FLAG ? FUTEX_KEY_PRIVATE : FUTEX_KEY_SHARED,
		.word = arg_user(args, 0),
		.second = arg_user(args, 4),
		.value = arg_uint(args, 2),
		.value2 = arg_uint(args, 3),
		.value3 = arg_uint(args, 5),
		.timeout = arg_user(args, 3),
	};
	if ((operation & FUTEX_CLOCK_REALTIME) && !takes_clock(c.command))
		return -ENOSYS;
	return futex_call(&c);
}

/* --- futex_waitv(2) --- */

static int get_entries(user_addr from, unsigned n, struct futex_wait_entry *out)
{
	for (unsigned i = 0; i < n; i++) {
		struct linux_futex_waitv v;
		if (copy_in(&v, user_offset(from, i * sizeof(v)), sizeof(v)) < 0)
			return -EFAULT;
		if ((v.flags & ~(uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || v.reserved ||
			!(v.flags & FUTEX_32))
			return -EINVAL;
		out[i] = (struct futex_wait_entry){
			.word = user_at(v.word),
			.key_kind =
				v.flags & FUTEX_PRIVATE_FLAG ? FUTEX_KEY_PRIVATE : FUTEX_KEY_SHARED,
			.expected = (uint32_t)v.value,
		};
	}
	return 0;
}

long sys_futex_waitv(const struct syscall_args *args)
{
	unsigned n = arg_uint(args, 1);
	int clock = arg_int(args, 4);
	uint64_t ns, deadline_ns = NO_DEADLINE;
	if (arg_uint(args, 2) || n == 0 || n > FUTEX_WAITV_MAX || !args->a[0])
		return -EINVAL;
	if (args->a[3]) {
		if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
			return -EINVAL;
		int err = user_timespec(arg_user(args, 3), &ns);
		if (err < 0)
			return err;
		deadline_ns = clock_deadline(clock, ns);
	}
	struct futex_wait_entry *entries = heap_array(n, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	int result = get_entries(arg_user(args, 0), n, entries);
	if (result == 0)
		result = futex_wait_any(entries, n, deadline_ns);
	heap_free(entries);
	return result;
}
