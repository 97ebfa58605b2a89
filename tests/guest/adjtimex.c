/* adjtimex(2): what is refused, and what the clock does: slewed, faster, stepped, TAI.  Linux is not let near its clock:
 * what it answers stands in adjtimex.expected. */
#include "lib/check.h"
#include <sys/timex.h>
#include <x86intrin.h>

static void tell(int result, const struct timex *t)
{
	printf("%d: status %x offset %ld freq %ld constant %ld tick %ld tai %d precision %ld "
	       "tolerance %ld\n",
		result, t->status, t->offset, t->freq, t->constant, t->tick, t->tai, t->precision,
		t->tolerance);
}

static void change(unsigned modes, struct timex t)
{
	t.modes = modes;
	int result = clock_adjtime(CLOCK_REALTIME, &t);
	if (result < 0)
		printf("%x: %s\n", modes, strerrorname_np(errno));
	else
		tell(result, &t);
}

/* How much further the wall clock came than the monotonic one meanwhile, in ms. */
static long gap_ms(void)
{
	return (long)(now_ns(CLOCK_REALTIME) / 1000000) - (long)(now_ns(CLOCK_MONOTONIC) / 1000000);
}

static void refusals(void)
{
	change(ADJ_TICK, (struct timex){.tick = 5});
	change(0x8000, (struct timex){0});
	change(ADJ_SETOFFSET, (struct timex){.time = {0, -5}});
	change(ADJ_SETOFFSET, (struct timex){.time = {0, 1000000}});
	change(ADJ_SETOFFSET, (struct timex){.time = {INT64_MIN / 2, 0}});
	struct timex t = {0};
	show(clock_adjtime(CLOCK_MONOTONIC, &t));
	show(clock_adjtime(99, &t));
	show(adjtimex(wild()));
}

static void steps(void)
{
	long before = gap_ms();
	change(ADJ_SETOFFSET, (struct timex){.time = {10, 500000}});
	long moved = gap_ms() - before;
	is(moved >= 10499 && moved <= 10501);
	change(ADJ_SETOFFSET | ADJ_NANO, (struct timex){.time = {-11, 500000000}});
	moved = gap_ms() - before;
	is(moved >= -1 && moved <= 1);
	change(ADJ_TAI | ADJ_MICRO, (struct timex){.constant = 37});
	uint64_t wall = now_ns(CLOCK_REALTIME), tai = now_ns(CLOCK_TAI);
	is(tai - wall >= 37000000000 && tai - wall < 37100000000);
}

static void slews(void)
{
	struct timeval delta = {0, 3000}, left;
	change(ADJ_STATUS, (struct timex){.status = STA_PLL});
	change(ADJ_FREQUENCY, (struct timex){.freq = 100 << 16});
	change(ADJ_FREQUENCY, (struct timex){.freq = 600 << 16});
	change(ADJ_FREQUENCY, (struct timex){.freq = 0});
	change(ADJ_OFFSET | ADJ_NANO | ADJ_TIMECONST, (struct timex){.offset = 64000000});
	struct timex t = {0};
	sleep_ms(1500);
	must(adjtimex(&t));
	is(t.offset < 56000000 && t.offset > 20000000);
	change(ADJ_STATUS | ADJ_MICRO | ADJ_OFFSET, (struct timex){.status = STA_PLL});
	show(adjtime(&delta, NULL));
	sleep_ms(1300);
	show(adjtime(NULL, &left));
	is(left.tv_sec == 0 && left.tv_usec > 0 && left.tv_usec <= 2500);
	/* Once it is told what the time is, the clock says so. */
	change(ADJ_STATUS | ADJ_MAXERROR, (struct timex){.status = STA_PLL, .maxerror = 1000});
}

/* The clock's nanoseconds per 100,000 ticks of the processor's, over 200 ms. */
static uint64_t rate(void)
{
	uint64_t ns = now_ns(CLOCK_MONOTONIC), ticks = __rdtsc();
	sleep_ms(200);
	ns = now_ns(CLOCK_MONOTONIC) - ns;
	return ns * 100000 / (__rdtsc() - ticks);
}

static void faster(void)
{
	uint64_t usual = rate();
	change(ADJ_TICK, (struct timex){.tick = 11000});
	uint64_t fast = rate() * 100 / usual;
	is(fast >= 109 && fast <= 111);
	change(ADJ_TICK, (struct timex){.tick = 9000});
	uint64_t slow = rate() * 100 / usual;
	is(slow >= 89 && slow <= 91);
	change(ADJ_TICK, (struct timex){.tick = 10000});
	uint64_t again = rate() * 100 / usual;
	is(again >= 99 && again <= 101);
}

int main(void)
{
	struct timex t = {0};
	tell(adjtimex(&t), &t);
	refusals();
	steps();
	faster();
	slews();
	return 0;
}
