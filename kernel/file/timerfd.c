/*
 * timerfd_create(2): expirations of a timer, to read and to wait for.  Deadlines on the wall clock are turned into monotonic
 * ones when they are set; whoever asked
 * for TFD_TIMER_CANCEL_ON_SET is told (-ECANCELED) when the clock is set, and all of them are set anew.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"

struct timerfd {
	struct timer timer;
	struct wait_queue queue;
	int clock;
	struct mutex set_lock; /* one timerfd_settime(2) at a time */
	/* under set_lock, and wall_lock while it is linked: */
	struct list wall_link; /* of wall_timers: armed with a time of the wall clock */
	uint64_t wall_ns;      /* that time */
	bool cancel_on_set;
	struct spinlock lock;
	/* under lock: */
	bool canceled;              /* the clock was set */
	_Atomic uint64_t n_expired; /* not yet read */
	uint64_t deadline_ns;       /* monotonic; 0: not armed */
	uint64_t interval_ns;
};

static struct mutex wall_lock;
static struct list wall_timers = LIST_INIT(wall_timers); /* under wall_lock */

void timerfd_init(void)
{
	mutex_init(&wall_lock);
}

/* Under the lock: count what has passed by now; true when the timer goes on. */
static bool timerfd_advance(struct timerfd *t, uint64_t now)
{
	if (!t->deadline_ns || now < t->deadline_ns)
		return t->deadline_ns;
	if (!t->interval_ns) {
		t->n_expired++;
		t->deadline_ns = 0;
		return false;
	}
	uint64_t n = (now - t->deadline_ns) / t->interval_ns + 1;
	t->n_expired += n;
	t->deadline_ns += n * t->interval_ns;
	return true;
}

static void timerfd_fire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	irq_state state = spin_lock(&t->lock);
	bool again = timerfd_advance(t, clock_monotonic_ns());
	uint64_t deadline = t->deadline_ns;
	spin_unlock(&t->lock, state);
	if (again)
		timer_start(timer, deadline);
	wait_wake(&t->queue, EPOLLIN | EPOLLRDNORM);
}

static uint64_t timerfd_take(struct timerfd *t)
{
	irq_state state = spin_lock(&t->lock);
	uint64_t n = t->n_expired;
	t->n_expired = 0;
	spin_unlock(&t->lock, state);
	return n;
}

static bool timerfd_take_cancel(struct timerfd *t)
{
	irq_state state = spin_lock(&t->lock);
	bool canceled = t->canceled;
	t->canceled = false;
	spin_unlock(&t->lock, state);
	return canceled;
}

static long timerfd_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct timerfd *t = f->object;
	if (to->left < sizeof(uint64_t))
		return -EINVAL;
	uint64_t n;
	while (!(n = timerfd_take(t))) {
		if (timerfd_take_cancel(t))
			return -ECANCELED;
		if (file_nonblocking(f))
			return -EAGAIN;
		int err = wait_event_interruptible(
			&t->queue, EPOLLIN, t->n_expired || t->canceled, NO_DEADLINE);
		if (err < 0)
			return err;
	}
	int err = io_buffer_put(to, &n, sizeof(n));
	return err < 0 ? err : (long)sizeof(n);
}

static unsigned timerfd_poll(struct file *f)
{
	struct timerfd *t = f->object;
	return t->n_expired || t->canceled ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_current(struct timerfd *t, struct linux_itimerspec_ns *out)
{
	irq_state state = spin_lock(&t->lock);
	uint64_t now = clock_monotonic_ns();
	uint64_t left = !t->deadline_ns ? 0 : t->deadline_ns > now ? t->deadline_ns - now : 1;
	*out = (struct linux_itimerspec_ns){t->interval_ns, left};
	spin_unlock(&t->lock, state);
}

static int timerfd_describe(struct file *f, char *buf, size_t size)
{
	struct timerfd *t = f->object;
	struct linux_itimerspec_ns now;
	timerfd_current(t, &now);
	return format(buf, size,
		"clockid: %d\nticks: %lu\nsettime flags: 00\nit_value: (%lu, %lu)\n"
		"it_interval: (%lu, %lu)\n",
		t->clock, (unsigned long)t->n_expired, now.value_ns / NS_PER_S,
		now.value_ns % NS_PER_S, now.interval_ns / NS_PER_S, now.interval_ns % NS_PER_S);
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->object;
	mutex_lock(&wall_lock);
	list_remove(&t->wall_link);
	mutex_unlock(&wall_lock);
	irq_state state = spin_lock(&t->lock);
	t->deadline_ns = 0;
	spin_unlock(&t->lock, state);
	timer_stop(&t->timer);
	heap_free(t);
}

static const struct file_ops timerfd_ops = {
	.kind = "[timerfd]",
	.read = timerfd_read,
	.poll = timerfd_poll,
	.describe = timerfd_describe,
	.release = timerfd_release,
};

int timerfd_create(int clock, unsigned flags, struct file **out)
{
	bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
		     clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME_ALARM ||
		     clock == CLOCK_BOOTTIME_ALARM;
	if (!known || (flags & ~(TFD_NONBLOCK | TFD_CLOEXEC)))
		return -EINVAL;
	struct timerfd *t = heap_zalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	timer_init(&t->timer, timerfd_fire);
	wait_queue_init(&t->queue);
	mutex_init(&t->set_lock);
	list_init(&t->wall_link);
	t->clock = clock;
	int err = file_new(&timerfd_ops, t, O_RDWR | (flags & O_NONBLOCK), out);
	if (err < 0) {
		heap_free(t);
		return err;
	}
	(*out)->ready = &t->queue;
	return 0;
}

/* The monotonic time meant; never 0, which says "not armed". */
static uint64_t timerfd_deadline(const struct timerfd *t, unsigned flags, uint64_t value_ns)
{
	uint64_t now = clock_monotonic_ns();
	if (!(flags & TFD_TIMER_ABSTIME))
		return value_ns > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + value_ns;
	if (t->clock != CLOCK_REALTIME && t->clock != CLOCK_REALTIME_ALARM)
		return value_ns;
	uint64_t wall = clock_realtime_ns();
	return value_ns <= wall ? 1 : now + (value_ns - wall);
}

/* Nobody else does it at the same time.  deadline 0: disarm. */
static void timerfd_arm(struct timerfd *t, uint64_t deadline, uint64_t interval_ns, bool canceled)
{
	/* Disarm first: fire, running meanwhile on another CPU, finds nothing to continue. */
	irq_state state = spin_lock(&t->lock);
	t->deadline_ns = 0;
	spin_unlock(&t->lock, state);
	timer_stop(&t->timer);
	state = spin_lock(&t->lock);
	t->n_expired = 0;
	t->canceled = canceled;
	t->interval_ns = interval_ns;
	t->deadline_ns = deadline;
	/* A time that is past has expired now, not at the next interrupt. */
	bool armed = timerfd_advance(t, clock_monotonic_ns());
	deadline = t->deadline_ns;
	bool tell = t->n_expired || canceled;
	spin_unlock(&t->lock, state);
	if (armed)
		timer_start(&t->timer, deadline);
	if (tell)
		wait_wake(&t->queue, EPOLLIN | EPOLLRDNORM);
}

int timerfd_set(struct file *f, unsigned flags, const struct linux_itimerspec_ns *new,
	struct linux_itimerspec_ns *old)
{
	if (f->ops != &timerfd_ops || (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
		return -EINVAL;
	struct timerfd *t = f->object;
	bool wall = (t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM) &&
		    (flags & TFD_TIMER_ABSTIME) && new->value_ns;
	mutex_lock(&t->set_lock);
	struct linux_itimerspec_ns current;
	timerfd_current(t, &current);
	if (old)
		*old = current;
	bool was_wall = !list_empty(&t->wall_link);
	if (wall || was_wall) /* the clock does not change meanwhile */
		mutex_lock(&wall_lock);
	if (was_wall)
		list_remove(&t->wall_link);
	if (wall)
		list_push_back(&wall_timers, &t->wall_link);
	t->wall_ns = new->value_ns;
	t->cancel_on_set = flags & TFD_TIMER_CANCEL_ON_SET;
	timerfd_arm(t, new->value_ns ? timerfd_deadline(t, flags, new->value_ns) : 0,
		new->interval_ns, false);
	if (wall || was_wall)
		mutex_unlock(&wall_lock);
	mutex_unlock(&t->set_lock);
	return 0;
}

/* wall_lock keeps each timer while it is looked at: its release and its setting take it, too. */
void timerfd_clock_was_set(void)
{
	struct timerfd *t;
	mutex_lock(&wall_lock);
	list_for_each (t, &wall_timers, wall_link) {
		irq_state state = spin_lock(&t->lock);
		uint64_t interval_ns = t->interval_ns;
		bool waiting = t->deadline_ns;
		spin_unlock(&t->lock, state);
		if (waiting || t->cancel_on_set)
			timerfd_arm(t,
				waiting ? timerfd_deadline(t, TFD_TIMER_ABSTIME, t->wall_ns) : 0,
				interval_ns, t->cancel_on_set);
	}
	mutex_unlock(&wall_lock);
}

int timerfd_get(struct file *f, struct linux_itimerspec_ns *out)
{
	if (f->ops != &timerfd_ops)
		return -EINVAL;
	timerfd_current(f->object, out);
	return 0;
}
