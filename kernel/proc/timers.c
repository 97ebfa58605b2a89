/*
 * Timers that send signals.  Those on wall and monotonic time sit in the scheduler's timer tree; those on CPU time do
 * too, at the earliest moment their CPU time can have come, and look again then.
 */
#include "kernel/proc/timers.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/resource.h"
#include "kernel/arch/timer.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/timer.h"

#define CPU_TIMER_STEP_NS NS_PER_MS
#define OVERRUN_MAX 0x7fffffffu

/* What both kinds share. */
struct alarm {
	struct timer timer;
	int clock;
	/* under alarms.lock: */
	uint64_t expiry_ns; /* on its clock (wall time: on the monotonic one); 0: not armed */
	uint64_t interval_ns;
};

struct posix_timer {
	struct alarm alarm;
	struct list link;
	int id;
	int notify;
	struct task *target; /* a reference; NULL: the process */
	/* under process.signal_lock: */
	struct pending_signal entry;
	/* under alarms.lock: */
	unsigned overrun, last_overrun;
};

static struct {
	struct mutex mutex; /* who creates, sets and deletes */
	struct spinlock lock;
	/* under mutex: */
	struct list timers;
	unsigned n;
	int next_id;
} alarms;

static struct alarm intervals[3];

static uint64_t alarm_now(const struct alarm *a)
{
	uint64_t now_ns = 0;
	int clock = clock_is_cpu(a->clock) ? a->clock : CLOCK_MONOTONIC;
	return clock_read(clock, &now_ns) == 0 ? now_ns : 0;
}

/* When to look at it. */
static uint64_t alarm_deadline(const struct alarm *a, uint64_t now_ns)
{
	if (!clock_is_cpu(a->clock))
		return a->expiry_ns;
	uint64_t left = a->expiry_ns > now_ns ? a->expiry_ns - now_ns : 0;
	return clock_monotonic_ns() + max(left / cpu_count(), (uint64_t)CPU_TIMER_STEP_NS);
}

/* In fire: how often it has expired since; the next expiry is set and armed. */
static unsigned alarm_expire(struct alarm *a)
{
	uint64_t now_ns = alarm_now(a);
	irq_state state = spin_lock(&alarms.lock);
	uint64_t times = 0;
	if (a->expiry_ns && now_ns >= a->expiry_ns) {
		times = 1;
		if (a->interval_ns)
			times += (now_ns - a->expiry_ns) / a->interval_ns;
		a->expiry_ns = a->interval_ns ? a->expiry_ns + times * a->interval_ns : 0;
	}
	if (a->expiry_ns)
		timer_start(&a->timer, alarm_deadline(a, now_ns));
	spin_unlock(&alarms.lock, state);
	return (unsigned)min(times, (uint64_t)OVERRUN_MAX);
}

static void alarm_get(struct alarm *a, struct timer_setting *out)
{
	uint64_t now_ns = alarm_now(a);
	irq_state state = spin_lock(&alarms.lock);
	out->interval_ns = a->interval_ns;
	/* Armed and due but not yet fired still counts as armed. */
	out->value_ns = !a->expiry_ns ? 0 : a->expiry_ns > now_ns ? a->expiry_ns - now_ns : 1;
	spin_unlock(&alarms.lock, state);
}

/* Under alarms.mutex.  expiry_ns 0: off. */
static void alarm_set(struct alarm *a, uint64_t expiry_ns, uint64_t interval_ns)
{
	timer_stop(&a->timer);
	uint64_t now_ns = alarm_now(a);
	irq_state state = spin_lock(&alarms.lock);
	a->expiry_ns = expiry_ns;
	a->interval_ns = interval_ns;
	if (expiry_ns)
		timer_start(&a->timer, alarm_deadline(a, now_ns));
	spin_unlock(&alarms.lock, state);
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - 1 - b ? UINT64_MAX - 1 : a + b;
}

/* --- setitimer(2) --- */

static void interval_fire(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);
	static const uint8_t signals[3] = {SIGALRM, SIGVTALRM, SIGPROF};
	const struct linux_siginfo info = {.si_code = SI_KERNEL};
	if (alarm_expire(a) > 0)
		(void)!signal_send_process(signals[a - intervals], &info);
}

void interval_timer_set(int which, const struct timer_setting *new, struct timer_setting *old)
{
	struct alarm *a = &intervals[which];
	mutex_lock(&alarms.mutex);
	alarm_get(a, old);
	if (new) {
		uint64_t at = new->value_ns ? add_saturated(alarm_now(a), new->value_ns) : 0;
		alarm_set(a, at, new->interval_ns);
	}
	mutex_unlock(&alarms.mutex);
}

/* --- RLIMIT_CPU --- */

static struct alarm cpu_limit = {.clock = CLOCK_PROCESS_CPUTIME_ID};

static void cpu_limit_fire(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);
	const struct linux_siginfo info = {.si_code = SI_KERNEL};
	uint64_t hard = process.limits[RLIMIT_CPU].max;
	if (alarm_expire(a) == 0)
		return;
	bool over = hard != RLIM_INFINITY && alarm_now(a) >= hard * NS_PER_S;
	(void)!signal_send_process(over ? SIGKILL : SIGXCPU, &info);
}

/* Seconds; at least one, as on Linux. */
void cpu_limit_changed(void)
{
	uint64_t seconds = process_limit(RLIMIT_CPU);
	mutex_lock(&alarms.mutex);
	if (!cpu_limit.timer.fire)
		timer_init(&cpu_limit.timer, cpu_limit_fire);
	bool set = seconds < RLIM_INFINITY / NS_PER_S;
	alarm_set(&cpu_limit, set ? max(seconds, (uint64_t)1) * NS_PER_S : 0, NS_PER_S);
	mutex_unlock(&alarms.mutex);
}

/* --- timer_create(2) --- */

static void add_overrun(struct posix_timer *p, unsigned n)
{
	irq_state state = spin_lock(&alarms.lock);
	p->overrun = n > OVERRUN_MAX - p->overrun ? OVERRUN_MAX : p->overrun + n;
	spin_unlock(&alarms.lock, state);
}

static void posix_fire(struct timer *t)
{
	struct posix_timer *p = container_of(t, struct posix_timer, alarm.timer);
	unsigned times = alarm_expire(&p->alarm);
	if (times == 0 || p->notify == SIGEV_NONE)
		return;
	bool target_gone = p->target && list_empty(&p->target->link);
	bool sent = !target_gone && signal_send_entry(p->target, &p->entry);
	add_overrun(p, sent ? times - 1 : times);
}

/* The signal is delivered: the program learns how many expiries it stands for. */
static void posix_taken(struct pending_signal *entry, struct linux_siginfo *info)
{
	struct posix_timer *p = container_of(entry, struct posix_timer, entry);
	spin_lock_nested(&alarms.lock);
	p->last_overrun = p->overrun;
	p->overrun = 0;
	if (info)
		info->timer.overrun = (int32_t)p->last_overrun;
	spin_unlock_nested(&alarms.lock);
}

static struct posix_timer *find(int id)
{
	struct posix_timer *p;
	list_for_each (p, &alarms.timers, link)
		if (p->id == id)
			return p;
	return NULL;
}

static int posix_new(int clock, const struct linux_sigevent *e, struct posix_timer **out)
{
	struct task *target = NULL;
	uint64_t now_ns = 0;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
		clock == CLOCK_MONOTONIC_RAW)
		return -EOPNOTSUPP;
	if (clock_read(clock, &now_ns) < 0)
		return -EINVAL;
	if (e->notify & SIGEV_THREAD_ID) {
		target = process_find_task(e->tid);
		if (!target)
			return -EINVAL;
	}
	struct posix_timer *p = heap_zalloc(sizeof(*p));
	if (!p) {
		if (target)
			thread_put(&target->thread);
		return -ENOMEM;
	}
	timer_init(&p->alarm.timer, posix_fire);
	/* "This thread" as others will see it too. */
	p->alarm.clock = clock == CLOCK_THREAD_CPUTIME_ID
				 ? (int)((~(unsigned)thread_current()->tid << 3) |
					   CLOCK_CPU_PER_THREAD | CLOCK_CPU_SCHED)
				 : clock;
	p->notify = e->notify;
	p->target = target;
	p->entry.taken = posix_taken;
	p->entry.info = (struct linux_siginfo){.si_signo = e->signal, .si_code = SI_TIMER};
	p->entry.info.timer.value = e->value;
	*out = p;
	return 0;
}

static int new_id(void)
{
	do
		alarms.next_id = (alarms.next_id + 1) & 0x7fffffff;
	while (find(alarms.next_id));
	return alarms.next_id;
}

int process_timer_create(int clock, const struct linux_sigevent *e, int *id)
{
	struct posix_timer *p = NULL;
	const struct linux_sigevent standard = {.notify = SIGEV_SIGNAL, .signal = SIGALRM};
	int err = posix_new(clock, e ? e : &standard, &p);
	if (err < 0)
		return err;
	mutex_lock(&alarms.mutex);
	if (alarms.n >= process_limit(RLIMIT_SIGPENDING)) {
		mutex_unlock(&alarms.mutex);
		if (p->target)
			thread_put(&p->target->thread);
		heap_free(p);
		return -EAGAIN;
	}
	alarms.n++;
	p->id = *id = new_id();
	p->entry.info.timer.timer_id = p->id;
	if (!e)
		p->entry.info.timer.value = (uint64_t)(unsigned)p->id;
	list_push_back(&alarms.timers, &p->link);
	mutex_unlock(&alarms.mutex);
	return 0;
}

int process_timer_set(
	int id, bool absolute, const struct timer_setting *new, struct timer_setting *old)
{
	mutex_lock(&alarms.mutex);
	struct posix_timer *p = find(id);
	if (p) {
		struct alarm *a = &p->alarm;
		alarm_get(a, old);
		uint64_t at = new->value_ns;
		if (at && !absolute)
			at = add_saturated(alarm_now(a), at);
		else if (at && !clock_is_cpu(a->clock))
			at = clock_deadline(a->clock, at);
		signal_retract_entry(&p->entry);
		alarm_set(a, new->value_ns ? max(at, (uint64_t)1) : 0, new->interval_ns);
		p->overrun = p->last_overrun = 0;
	}
	mutex_unlock(&alarms.mutex);
	return p ? 0 : -EINVAL;
}

int process_timer_get(int id, struct timer_setting *out)
{
	mutex_lock(&alarms.mutex);
	struct posix_timer *p = find(id);
	if (p)
		alarm_get(&p->alarm, out);
	mutex_unlock(&alarms.mutex);
	return p ? 0 : -EINVAL;
}

int process_timer_overrun(int id)
{
	mutex_lock(&alarms.mutex);
	struct posix_timer *p = find(id);
	int n = p ? (int)p->last_overrun : -EINVAL;
	mutex_unlock(&alarms.mutex);
	return n;
}

/* Under alarms.mutex. */
static void posix_delete(struct posix_timer *p)
{
	alarm_set(&p->alarm, 0, 0);
	signal_retract_entry(&p->entry);
	list_remove(&p->link);
	alarms.n--;
	if (p->target)
		thread_put(&p->target->thread);
	heap_free(p);
}

int process_timer_delete(int id)
{
	mutex_lock(&alarms.mutex);
	struct posix_timer *p = find(id);
	if (p)
		posix_delete(p);
	mutex_unlock(&alarms.mutex);
	return p ? 0 : -EINVAL;
}

void process_timers_clear(void)
{
	mutex_lock(&alarms.mutex);
	while (!list_empty(&alarms.timers))
		posix_delete(list_first(&alarms.timers, struct posix_timer, link));
	mutex_unlock(&alarms.mutex);
}

void process_timers_init(void)
{
	static const int clocks[3] = {
		CLOCK_MONOTONIC,
		(int)(~0u << 3) | CLOCK_CPU_VIRT,
		CLOCK_PROCESS_CPUTIME_ID,
	};
	mutex_init(&alarms.mutex);
	list_init(&alarms.timers);
	alarms.next_id = -1;
	for (unsigned i = 0; i < array_size(intervals); i++) {
		timer_init(&intervals[i].timer, interval_fire);
		intervals[i].clock = clocks[i];
	}
}
