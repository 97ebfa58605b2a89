/* futex: WAIT's timeout is relative, WAIT_BITSET's absolute, on either clock. */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t word;

static void waited(const char *what, int op, struct timespec t)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	long result = syscall(SYS_futex, &word, op, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY);
	long ms = (now_ns(CLOCK_MONOTONIC) - begin) / 1000000;
	printf("%s: %ld %s, %s\n", what, result, strerrorname_np(errno),
		ms < 40     ? "at once"
		: ms < 2000 ? "in time"
			    : "late");
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	uint64_t t = now_ns(clock) + ms * 1000000;
	return (struct timespec){t / 1000000000, t % 1000000000};
}

int main(void)
{
	waited("relative 50 ms", FUTEX_WAIT_PRIVATE, (struct timespec){0, 50000000});
	waited("relative 0", FUTEX_WAIT, (struct timespec){0, 0});
	waited("absolute monotonic", FUTEX_WAIT_BITSET_PRIVATE, in_ms(CLOCK_MONOTONIC, 50));
	waited("absolute realtime", FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
		in_ms(CLOCK_REALTIME, 50));
	waited("in the past", FUTEX_WAIT_BITSET_PRIVATE, in_ms(CLOCK_MONOTONIC, -50));
	waited("bad nanoseconds", FUTEX_WAIT, (struct timespec){0, 1000000000});
	waited("negative", FUTEX_WAIT, (struct timespec){-1, 0});
	return 0;
}
