/* Samples of where CPU time goes, and what getrusage(2) and its kin are told after them. */
#include "kernel/sched/cpu_time.h"

#include "kernel/arch/cpu.h"

static struct spinlock lock = SPINLOCK_INIT;

void cpu_time_sample(struct cpu_time_split *s, enum cpu_mode mode)
{
	_Atomic uint32_t *n = mode == CPU_IN_PROGRAM ? &s->n_user : &s->n_system;
	uint32_t old = atomic_load_explicit(n, memory_order_relaxed);
	if (old != UINT32_MAX)
		atomic_store_explicit(n, old + 1, memory_order_relaxed);
}

/* total * part / (part + rest), which needs more than 64 bits on the way. */
static uint64_t share(uint64_t total, uint32_t part, uint32_t rest)
{
	uint64_t sum = (uint64_t)part + rest;
	return total / sum * part + total % sum * part / sum;
}

void cpu_time_divide(
	struct cpu_time_split *s, uint64_t total_ns, uint64_t *user_ns, uint64_t *system_ns)
{
	uint32_t n_user = atomic_load_explicit(&s->n_user, memory_order_relaxed);
	uint32_t n_system = atomic_load_explicit(&s->n_system, memory_order_relaxed);
	uint64_t system = n_system ? share(total_ns, n_system, n_user) : 0;
	irq_state state = spin_lock(&lock);
	if (total_ns > s->user_ns + s->system_ns) {
		s->system_ns = min(max(system, s->system_ns), total_ns - s->user_ns);
		s->user_ns = total_ns - s->system_ns;
	}
	*user_ns = s->user_ns;
	*system_ns = s->system_ns;
	spin_unlock(&lock, state);
}
