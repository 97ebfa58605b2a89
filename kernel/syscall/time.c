/* Clocks, sleeping and timers. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/auxv.h"
#include "abi/linux/prctl.h"
#include "kernel/arch/timer.h"
#include "kernel/proc/timers.h"
#include "kernel/proc/clock_adjust.h"
#include "kernel/syscall/user.h"

/* --- clocks --- */

long sys_clock_gettime(const struct syscall_args *args)
{
	uint64_t ns;
	int err = clock_read(arg_int(args, 0), &ns);
	return err < 0 ? err : user_put_timespec(arg_user(args, 1), ns);
}

#define COARSE_RESOLUTION_NS (4 * NS_PER_MS) /* what Linux says with HZ=250; ours are exact */

long sys_clock_getres(const struct syscall_args *args)
{
	uint64_t ns;
	int clock = arg_int(args, 0);
	int err = clock_read(clock, &ns);
	bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
	if (err < 0 || !args->a[1])
		return err;
	return user_put_timespec(arg_user(args, 1), coarse ? COARSE_RESOLUTION_NS : 1);
}

long sys_clock_settime(const struct syscall_args *args)
{
	uint64_t ns;
	int err = user_timespec(arg_user(args, 1), &ns);
	if (err < 0)
		return err;
	if (arg_int(args, 0) != CLOCK_REALTIME)
		return -EINVAL;
	if (!process_capable(CAP_SYS_TIME))
		return -EPERM;
	clock_step(ns);
	return 0;
}

long sys_gettimeofday(const struct syscall_args *args)
{
	const struct linux_timeval now = timeval_of(clock_realtime_ns());
	const struct linux_timezone zone = {0, 0};
	if (args->a[0] && copy_out(arg_user(args, 0), &now, sizeof(now)) < 0)
		return -EFAULT;
	return args->a[1] ? copy_out(arg_user(args, 1), &zone, sizeof(zone)) : 0;
}

long sys_settimeofday(const struct syscall_args *args)
{
	uint64_t ns = 0;
	int err = args->a[0] ? user_timeval(arg_user(args, 0), &ns) : 0;
	if (err < 0)
		return err;
	if (!process_capable(CAP_SYS_TIME))
		return -EPERM;
	if (args->a[0])
		clock_step(ns);
	return 0;
}

long sys_time(const struct syscall_args *args)
{
	int64_t seconds = (int64_t)(clock_realtime_ns() / NS_PER_S);
	if (args->a[0] && copy_out(arg_user(args, 0), &seconds, sizeof(seconds)) < 0)
		return -EFAULT;
	return seconds;
}

#define TICK_NS (NS_PER_S / USER_HZ)

long sys_times(const struct syscall_args *args)
{
	uint64_t user_ns, system_ns;
	process_cpu_ns(&user_ns, &system_ns);
	const struct linux_tms t = {
		(int64_t)(user_ns / TICK_NS), (int64_t)(system_ns / TICK_NS), 0, 0};
	if (args->a[0] && copy_out(arg_user(args, 0), &t, sizeof(t)) < 0)
		return -EFAULT;
	return (long)(clock_monotonic_ns() / TICK_NS);
}

static long adjust(user_addr at)
{
	struct linux_timex t;
	if (copy_in(&t, at, sizeof(t)) < 0)
		return -EFAULT;
	int result = clock_adjust(&t);
	return result < 0 || copy_out(at, &t, sizeof(t)) == 0 ? result : -EFAULT;
}

long sys_adjtimex(const struct syscall_args *args)
{
	return adjust(arg_user(args, 0));
}

long sys_clock_adjtime(const struct syscall_args *args)
{
	uint64_t now_ns;
	if (clock_read(arg_int(args, 0), &now_ns) < 0)
		return -EINVAL;
	return arg_int(args, 0) == CLOCK_REALTIME ? adjust(arg_user(args, 1)) : -EOPNOTSUPP;
}

/* --- sleeping --- */

/* 0 at the deadline; -EINTR, with what is left stored when it was a span. */
static long sleep_until(uint64_t deadline_ns, user_addr left_at)
{
	int err = 0;
	while (err == 0)
		err = thread_block_interruptible(deadline_ns);
	if (err == -ETIMEDOUT)
		return 0;
	uint64_t now_ns = clock_monotonic_ns();
	if (now_ns >= deadline_ns)
		return 0;
	if (left_at.va && user_put_timespec(left_at, deadline_ns - now_ns) < 0)
		return -EFAULT;
	return err;
}

static long sleep_for(uint64_t ns, user_addr left_at)
{
	return deadline_end(sleep_until(deadline_begin(ns), left_at));
}

long sys_nanosleep(const struct syscall_args *args)
{
	uint64_t ns;
	int err = user_timespec(arg_user(args, 0), &ns);
	return err < 0 ? err : sleep_for(ns, arg_user(args, 1));
}

/* On a clock of CPU time: look again when it can have come, as the timers do. */
static long sleep_on_cpu_clock(int clock, uint64_t at_ns)
{
	uint64_t now_ns = 0;
	for (;;) {
		int err = clock_read(clock, &now_ns);
		if (err < 0 || now_ns >= at_ns)
			return err;
		uint64_t step_ns = max((at_ns - now_ns) / cpu_count(), (uint64_t)NS_PER_MS);
		err = thread_block_interruptible(clock_monotonic_ns() + step_ns);
		if (err == -EINTR)
			return err;
	}
}

long sys_clock_nanosleep(const struct syscall_args *args)
{
	int clock = arg_int(args, 0);
	bool absolute = arg_uint(args, 1) & TIMER_ABSTIME;
	uint64_t ns, now_ns;
	int err = user_timespec(arg_user(args, 2), &ns);
	if (err < 0)
		return err;
	if (clock == CLOCK_THREAD_CPUTIME_ID || clock_read(clock, &now_ns) < 0)
		return -EINVAL;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
		clock == CLOCK_MONOTONIC_RAW)
		return -EOPNOTSUPP;
	if (clock_is_cpu(clock))
		return sleep_on_cpu_clock(clock, absolute ? ns : now_ns + ns);
	if (absolute)
		return sleep_until(clock_deadline(clock, ns), user_at(0));
	return sleep_for(ns, arg_user(args, 3));
}

/* --- setitimer(2), alarm(2) --- */

static int get_itimerval(user_addr from, struct timer_setting *out)
{
	struct linux_itimerval v;
	if (copy_in(&v, from, sizeof(v)) < 0)
		return -EFAULT;
	int err = timeval_to_ns(&v.it_value, &out->value_ns);
	return err < 0 ? err : timeval_to_ns(&v.it_interval, &out->interval_ns);
}

static int put_itimerval(user_addr to, const struct timer_setting *from)
{
	/* Rounded up: an armed timer never reads as zero. */
	const struct linux_itimerval v = {
		timeval_of(from->interval_ns), timeval_of(from->value_ns + (NS_PER_US - 1))};
	return copy_out(to, &v, sizeof(v));
}

long sys_setitimer(const struct syscall_args *args)
{
	struct timer_setting new = {0, 0}, old;
	if (arg_uint(args, 0) > ITIMER_PROF)
		return -EINVAL;
	/* Linux, too, takes a missing new value for "off". */
	int err = args->a[1] ? get_itimerval(arg_user(args, 1), &new) : 0;
	if (err < 0)
		return err;
	interval_timer_set(arg_int(args, 0), &new, &old);
	return args->a[2] ? put_itimerval(arg_user(args, 2), &old) : 0;
}

long sys_getitimer(const struct syscall_args *args)
{
	struct timer_setting now;
	if (arg_uint(args, 0) > ITIMER_PROF)
		return -EINVAL;
	interval_timer_set(arg_int(args, 0), NULL, &now);
	return put_itimerval(arg_user(args, 1), &now);
}

long sys_alarm(const struct syscall_args *args)
{
	const struct timer_setting new = {arg_uint(args, 0) * NS_PER_S, 0};
	struct timer_setting old;
	interval_timer_set(ITIMER_REAL, &new, &old);
	/* To the nearest second, but an armed alarm is never 0. */
	uint64_t seconds = (old.value_ns + NS_PER_S / 2) / NS_PER_S;
	return old.value_ns && !seconds ? 1 : (long)seconds;
}

/* --- timer_create(2) --- */

static int check_sigevent(const struct linux_sigevent *e)
{
	int kind = e->notify & ~SIGEV_THREAD_ID;
	if (kind != SIGEV_SIGNAL && kind != SIGEV_NONE && kind != SIGEV_THREAD)
		return -EINVAL;
	if ((e->notify & SIGEV_THREAD_ID) && kind != SIGEV_SIGNAL)
		return -EINVAL;
	if (kind != SIGEV_NONE && (e->signal < 1 || e->signal > SIGNALS))
		return -EINVAL;
	return 0;
}

long sys_timer_create(const struct syscall_args *args)
{
	struct linux_sigevent e;
	int id = 0;
	if (args->a[1] && copy_in(&e, arg_user(args, 1), sizeof(e)) < 0)
		return -EFAULT;
	int err = args->a[1] ? check_sigevent(&e) : 0;
	if (err == 0)
		err = process_timer_create(arg_int(args, 0), args->a[1] ? &e : NULL, &id);
	if (err < 0)
		return err;
	err = copy_out(arg_user(args, 2), &id, sizeof(id));
	if (err < 0)
		(void)!process_timer_delete(id);
	return err;
}

static int put_timer_setting(user_addr to, const struct timer_setting *from)
{
	const struct linux_itimerspec s = {
		timespec_of(from->interval_ns), timespec_of(from->value_ns)};
	return copy_out(to, &s, sizeof(s));
}

long sys_timer_settime(const struct syscall_args *args)
{
	struct linux_itimerspec s;
	struct timer_setting new, old;
	if (copy_in(&s, arg_user(args, 2), sizeof(s)) < 0)
		return args->a[2] ? -EFAULT : -EINVAL;
	int err = timespec_to_ns(&s.it_value, &new.value_ns);
	if (err == 0)
		err = timespec_to_ns(&s.it_interval, &new.interval_ns);
	if (err == 0)
		err = process_timer_set(
			arg_int(args, 0), arg_uint(args, 1) & TIMER_ABSTIME, &new, &old);
	return err < 0 || !args->a[3] ? err : put_timer_setting(arg_user(args, 3), &old);
}

long sys_timer_gettime(const struct syscall_args *args)
{
	struct timer_setting now;
	int err = process_timer_get(arg_int(args, 0), &now);
	return err < 0 ? err : put_timer_setting(arg_user(args, 1), &now);
}

long sys_timer_getoverrun(const struct syscall_args *args)
{
	return process_timer_overrun(arg_int(args, 0));
}

long sys_timer_delete(const struct syscall_args *args)
{
	return process_timer_delete(arg_int(args, 0));
}
