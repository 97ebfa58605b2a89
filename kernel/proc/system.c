/* The machine's name and load. */
#include "kernel/proc/system.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"

static struct spinlock lock = SPINLOCK_INIT;
/* under lock: */
static char host_name[SYSTEM_NAME_MAX + 1] = "mote", domain_name[SYSTEM_NAME_MAX + 1] = "(none)";
static uint64_t averages[3], sampled_ns, sampled_busy_ns;

static void get(const char from[SYSTEM_NAME_MAX + 1], char to[SYSTEM_NAME_MAX + 1])
{
	irq_state state = spin_lock(&lock);
	memcpy(to, from, SYSTEM_NAME_MAX + 1);
	spin_unlock(&lock, state);
}

static int set(char to[SYSTEM_NAME_MAX + 1], const char *name, size_t len)
{
	if (len > SYSTEM_NAME_MAX)
		return -EINVAL;
	irq_state state = spin_lock(&lock);
	memset(to, 0, SYSTEM_NAME_MAX + 1);
	memcpy(to, name, len);
	spin_unlock(&lock, state);
	return 0;
}

void system_host_name(char name[SYSTEM_NAME_MAX + 1])
{
	get(host_name, name);
}

int system_set_host_name(const char *name, size_t len)
{
	return set(host_name, name, len);
}

void system_domain_name(char name[SYSTEM_NAME_MAX + 1])
{
	get(domain_name, name);
}

int system_set_domain_name(const char *name, size_t len)
{
	return set(domain_name, name, len);
}

static uint64_t busy_ns(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < cpu_count(); i++) {
		struct sched_usage u;
		sched_usage(i, &u);
		sum += u.user_ns + u.system_ns;
	}
	return sum;
}

/*
 * Worked out when somebody asks, so that nothing ticks: the mean number of busy CPUs since the last question
 * moves each average by the share of its span that has passed.
 */
void system_load(uint64_t load[3])
{
	static const uint64_t span_ns[3] = {60 * NS_PER_S, 300 * NS_PER_S, 900 * NS_PER_S};
	uint64_t now = clock_monotonic_ns(), busy = busy_ns();
	irq_state state = spin_lock(&lock);
	uint64_t passed = now - sampled_ns;
	if (passed >= NS_PER_S) {
		uint64_t mean = ((busy - sampled_busy_ns) << 10) / (passed >> 6);
		for (unsigned i = 0; i < 3; i++) {
			uint64_t share = min(passed, span_ns[i]) / (span_ns[i] >> 10);
			averages[i] = (averages[i] * (1024 - share) + mean * share) >> 10;
		}
		sampled_ns = now;
		sampled_busy_ns = busy;
	}
	for (unsigned i = 0; i < 3; i++)
		load[i] = averages[i];
	spin_unlock(&lock, state);
}
