/* adjtimex(2).  Once a second, and only while there is an offset to work off, the rate is set for the next second. */
#include "kernel/proc/clock_adjust.h"

#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/arch/timer.h"
#include "kernel/file/kinds.h"
#include "kernel/proc/process.h"
#include "kernel/proc/timers.h"

#define OFFSET_MAX_NS (NS_PER_S / 2)
#define FREQUENCY_MAX (500ll << 16) /* parts per million, 16 bits after the point */
#define FREQUENCY_TO_PPB(f) ((f)*1000 / 65536)
#define ERROR_MAX_US 16000000ll
#define ERROR_GROWTH_US 500 /* per second */
#define TICK_US 10000ll
#define TICKS_PER_S 100
#define TICK_SLACK_US 1000
#define SLEW_MAX_US 500 /* per second, of adjtime(3) */
#define TIME_CONSTANT_MAX 10
#define TAI_MAX 100000
#define LOOP_SHIFT 2             /* the offset's share per second: 2^-(2 + constant) */
#define FREQUENCY_SHIFT_MAX 40   /* 2 * (2 + LOOP_SHIFT + TIME_CONSTANT_MAX) is less */
#define FREQUENCY_LOOP_MIN_S 256 /* shorter spans say nothing about the frequency */
#define FREQUENCY_LOOP_AUTO_S 2048

static struct {
	struct spinlock lock;
	/* under lock: */
	int64_t frequency;
	int64_t offset_ns; /* still to be worked off */
	int64_t slew_us;   /* likewise, of adjtime(3) */
	int64_t constant, tick_us;
	int64_t max_error_us, error_at_ns; /* as of then */
	int64_t estimated_error_us;
	int32_t tai;
	uint32_t status;
	uint64_t offset_told_s;
	struct timer second;
	bool running;
} clock = {
	.constant = 2,
	.tick_us = TICK_US,
	.max_error_us = ERROR_MAX_US,
	.estimated_error_us = ERROR_MAX_US,
	.status = STA_UNSYNC,
};

static int64_t limit(int64_t x, int64_t most)
{
	return max(min(x, most), -most);
}

/* --- under the lock ----------------------------------------------------------------------------- */

/* The next second begins. */
static void begin_second(void)
{
	int64_t step_ns = clock.offset_ns / (1ll << (LOOP_SHIFT + clock.constant));
	int64_t slew_us = limit(clock.slew_us, SLEW_MAX_US);
	clock.offset_ns -= step_ns;
	clock.slew_us -= slew_us;
	clock.running = step_ns || slew_us;
	clock_set_rate_offset(
		(int32_t)(FREQUENCY_TO_PPB(clock.frequency) +
			  (clock.tick_us - TICK_US) * TICKS_PER_S * (int64_t)NS_PER_US + step_ns +
			  slew_us * (int64_t)NS_PER_US));
}

static void second_fire(struct timer *t)
{
	irq_state state = spin_lock(&clock.lock);
	begin_second();
	bool again = clock.running;
	spin_unlock(&clock.lock, state);
	if (again)
		timer_start(t, clock_monotonic_ns() + NS_PER_S);
}

/* The error grows while nobody says what it is. */
static void age_error(void)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t seconds = (now_ns - (uint64_t)clock.error_at_ns) / NS_PER_S;
	clock.error_at_ns += (int64_t)(seconds * NS_PER_S);
	if (seconds > (uint64_t)ERROR_MAX_US)
		seconds = ERROR_MAX_US;
	clock.max_error_us += (int64_t)seconds * ERROR_GROWTH_US;
	if (clock.max_error_us < ERROR_MAX_US)
		return;
	clock.max_error_us = ERROR_MAX_US;
	clock.status |= STA_UNSYNC;
}

/* What an offset, this long after the last one, says about the frequency (RFC 5905, 11.3: both loops). */
static int64_t frequency_change(int64_t offset_ns, uint64_t seconds)
{
	int64_t change_ppb = 0;
	clock.status &= ~STA_MODE;
	if (seconds >= FREQUENCY_LOOP_MIN_S &&
		((clock.status & STA_FLL) || seconds > FREQUENCY_LOOP_AUTO_S)) {
		clock.status |= STA_MODE;
		change_ppb = offset_ns / (int64_t)seconds / (1 << LOOP_SHIFT);
	}
	seconds = min(seconds, 1ull << (LOOP_SHIFT + 1 + clock.constant));
	int64_t weight = 1ll << 2 * (LOOP_SHIFT + 2 + clock.constant);
	return change_ppb * 65536 / 1000 + offset_ns * (int64_t)seconds / 1000 * 65536 / weight;
}

static void take_offset(int64_t offset)
{
	if (!(clock.status & STA_PLL))
		return;
	int64_t most = clock.status & STA_NANO ? OFFSET_MAX_NS : OFFSET_MAX_NS / NS_PER_US;
	offset = limit(offset, most) * (clock.status & STA_NANO ? 1 : (int64_t)NS_PER_US);
	uint64_t now_s = clock_monotonic_ns() / NS_PER_S;
	uint64_t seconds = clock.status & STA_FREQHOLD ? 0 : now_s - clock.offset_told_s;
	clock.offset_told_s = now_s;
	clock.frequency = limit(clock.frequency + frequency_change(offset, seconds), FREQUENCY_MAX);
	clock.offset_ns = offset;
}

static void take_status(uint32_t status)
{
	if ((clock.status & STA_PLL) && !(status & STA_PLL))
		clock.status = STA_UNSYNC;
	if (!(clock.status & STA_PLL) && (status & STA_PLL))
		clock.offset_told_s = clock_monotonic_ns() / NS_PER_S;
	clock.status = (clock.status & STA_READ_ONLY) | (status & ~STA_READ_ONLY);
}

static void take_constant(int64_t constant)
{
	constant = max(min(constant, (int64_t)TIME_CONSTANT_MAX), 0ll);
	if (!(clock.status & STA_NANO))
		constant += 4;
	clock.constant = min(constant, (int64_t)TIME_CONSTANT_MAX);
}

static void take_modes(const struct linux_timex *t)
{
	if (t->modes & ADJ_STATUS)
		take_status((uint32_t)t->status);
	if (t->modes & ADJ_NANO)
		clock.status |= STA_NANO;
	if (t->modes & ADJ_MICRO)
		clock.status &= ~STA_NANO;
	if (t->modes & ADJ_FREQUENCY)
		clock.frequency = limit(t->freq, FREQUENCY_MAX);
	if (t->modes & ADJ_MAXERROR) {
		clock.max_error_us = max(min(t->maxerror, ERROR_MAX_US), 0ll);
		clock.error_at_ns = (int64_t)clock_monotonic_ns();
	}
	if (t->modes & ADJ_ESTERROR)
		clock.estimated_error_us = max(min(t->esterror, ERROR_MAX_US), 0ll);
	if (t->modes & ADJ_TIMECONST)
		take_constant(t->constant);
	if ((t->modes & ADJ_TAI) && t->constant >= 0 && t->constant <= TAI_MAX)
		clock.tai = (int32_t)t->constant;
	if (t->modes & ADJ_OFFSET)
		take_offset(t->offset);
	if (t->modes & ADJ_TICK)
		clock.tick_us = t->tick;
}

/* --- without it --------------------------------------------------------------------------------- */

static int check(const struct linux_timex *t)
{
	bool may = process_capable(CAP_SYS_TIME);
	if (t->modes & ADJ_ADJTIME) {
		if (!(t->modes & ADJ_OFFSET))
			return -EINVAL;
		return may || (t->modes & ADJ_OFFSET_READ_ONLY) ? 0 : -EPERM;
	}
	if (t->modes && !may)
		return -EPERM;
	if ((t->modes & ADJ_TICK) &&
		(t->tick < TICK_US - TICK_SLACK_US || t->tick > TICK_US + TICK_SLACK_US))
		return -EINVAL;
	/* No leap second is ever put in or left out here: whoever wants one must do it himself. */
	if ((t->modes & ADJ_STATUS) && (t->status & (STA_INS | STA_DEL)))
		return -EINVAL;
	int64_t parts = t->modes & ADJ_NANO ? (int64_t)NS_PER_S : (int64_t)(NS_PER_S / NS_PER_US);
	if ((t->modes & ADJ_SETOFFSET) && (t->time.tv_usec < 0 || t->time.tv_usec >= parts))
		return -EINVAL;
	return 0;
}

static int step_by(const struct linux_timex *t)
{
	int64_t now_ns = (int64_t)clock_realtime_ns(), new_ns = 0, ns = t->time.tv_usec;
	if (!(t->modes & ADJ_NANO))
		ns *= (int64_t)NS_PER_US;
	if (__builtin_mul_overflow(t->time.tv_sec, (int64_t)NS_PER_S, &new_ns) ||
		__builtin_add_overflow(new_ns, ns, &new_ns) ||
		__builtin_add_overflow(new_ns, now_ns, &new_ns) || new_ns < 0)
		return -EINVAL;
	clock_step((uint64_t)new_ns);
	return 0;
}

static void tell(struct linux_timex *t)
{
	uint64_t now_ns = clock_realtime_ns();
	bool nano = clock.status & STA_NANO;
	if (!(t->modes & ADJ_ADJTIME))
		t->offset = nano ? clock.offset_ns : clock.offset_ns / (int64_t)NS_PER_US;
	*t = (struct linux_timex){
		.modes = t->modes,
		.offset = t->offset,
		.freq = clock.frequency,
		.maxerror = clock.max_error_us,
		.esterror = clock.estimated_error_us,
		.status = (int32_t)clock.status,
		.constant = clock.constant,
		.precision = 1,
		.tolerance = FREQUENCY_MAX,
		.time = {(int64_t)(now_ns / NS_PER_S),
			(int64_t)(now_ns % NS_PER_S / (nano ? 1 : NS_PER_US))},
		.tick = clock.tick_us,
		.tai = clock.tai,
	};
}

int clock_adjust(struct linux_timex *t)
{
	int err = check(t);
	if (err == 0 && !(t->modes & ADJ_ADJTIME) && (t->modes & ADJ_SETOFFSET))
		err = step_by(t);
	if (err < 0)
		return err;
	irq_state state = spin_lock(&clock.lock);
	age_error();
	if (t->modes & ADJ_ADJTIME) {
		int64_t old_us = clock.slew_us;
		if (!(t->modes & ADJ_OFFSET_READ_ONLY))
			clock.slew_us = t->offset;
		t->offset = old_us;
	} else {
		take_modes(t);
	}
	bool was_running = clock.running;
	if (t->modes && !was_running)
		begin_second();
	bool start = clock.running && !was_running;
	if (start)
		timer_init(&clock.second, second_fire);
	tell(t);
	int result = clock.status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
	spin_unlock(&clock.lock, state);
	if (start)
		timer_start(&clock.second, clock_monotonic_ns() + NS_PER_S);
	return result;
}

void clock_step(uint64_t realtime_ns)
{
	clock_set_realtime_ns(realtime_ns);
	irq_state state = spin_lock(&clock.lock);
	clock.offset_ns = clock.slew_us = 0;
	clock.max_error_us = clock.estimated_error_us = ERROR_MAX_US;
	clock.status |= STA_UNSYNC;
	if (!clock.running)
		begin_second();
	spin_unlock(&clock.lock, state);
	timerfd_clock_was_set();
}

uint64_t clock_tai_offset_ns(void)
{
	return (uint64_t)atomic_load_explicit((_Atomic int32_t *)&clock.tai, memory_order_relaxed) *
	       NS_PER_S;
}
