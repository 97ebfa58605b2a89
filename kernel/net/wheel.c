/*
 * The millisecond wheel.  Six levels of 64 slots (two years), a timer's level being the highest 6-bit digit in which its
 * expiry differs from the wheel's time.  So all timers of a level come before all of the next, the slots of a
 * level in use are ahead of the current digit, and the next event is the lowest bit of the lowest level in use:
 * no ticking, no search.  Reaching a slot of a higher level spreads its timers over the lower ones.
 */
#include "kernel/net/wheel.h"

#include "kernel/mem/heap.h"
#include "kernel/net/net.h"
#include "kernel/sched/timer.h"

#define LEVELS 6u
#define DIGIT_BITS 6u
#define SLOTS 64u

struct wheel {
	struct spinlock lock;
	/* under lock: */
	unsigned cpu;
	uint64_t time_ms;      /* all that is due before or at this has fired */
	uint64_t armed_ms;     /* what the timer below is set to; UINT64_MAX: nothing */
	uint64_t used[LEVELS]; /* bit per slot that has timers */
	struct wheel_timer *slots[LEVELS * SLOTS];
	struct timer timer;
};

static struct wheel *wheels[CPU_MAX];

static void wheel_run(struct timer *timer);

static struct wheel *wheel_new(unsigned cpu)
{
	struct wheel *w = heap_zalloc(sizeof(*w));
	if (!w)
		return NULL;
	w->cpu = cpu;
	w->time_ms = now_ms();
	w->armed_ms = UINT64_MAX;
	timer_init(&w->timer, wheel_run);
	wheels[cpu] = w;
	return w;
}

void wheel_init(void)
{
	if (!wheel_new(0))
		panic("no memory for the timer wheel");
}

/* Interrupts are off. Without memory for this CPU's wheel the first CPU's serves. */
static struct wheel *wheel_here(void)
{
	unsigned cpu = cpu_id();
	struct wheel *w = wheels[cpu];
	if (likely(w != NULL))
		return w;
	w = wheel_new(cpu);
	return w ? w : wheels[0];
}

static void slot_insert(struct wheel *w, struct wheel_timer *t)
{
	uint64_t at = max(t->expires_ms, w->time_ms + 1);
	uint64_t differs = at ^ w->time_ms;
	unsigned level = (unsigned)(63 - __builtin_clzll(differs)) / DIGIT_BITS;
	unsigned digit = SLOTS - 1;
	if (likely(level < LEVELS))
		digit = (unsigned)(at >> (level * DIGIT_BITS)) % SLOTS;
	else
		level = LEVELS - 1; /* beyond the horizon: looked at again at its end */
	unsigned slot = level * SLOTS + digit;
	t->slot = (uint16_t)slot;
	t->next = w->slots[slot];
	if (t->next)
		t->next->previous = &t->next;
	t->previous = &w->slots[slot];
	w->slots[slot] = t;
	w->used[level] |= 1ull << digit;
}

static void slot_remove(struct wheel *w, struct wheel_timer *t)
{
	*t->previous = t->next;
	if (t->next)
		t->next->previous = t->previous;
	else if (!w->slots[t->slot])
		w->used[t->slot / SLOTS] &= ~(1ull << t->slot % SLOTS);
}

/* When the next slot in use is reached, and which. */
static uint64_t next_event(const struct wheel *w, unsigned *slot)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		if (!w->used[level])
			continue;
		unsigned digit = (unsigned)__builtin_ctzll(w->used[level]);
		unsigned shift = level * DIGIT_BITS;
		*slot = level * SLOTS + digit;
		if (unlikely(digit <= (w->time_ms >> shift) % SLOTS))
			return w->time_ms + 1; /* only the horizon's slot can lie behind */
		return (w->time_ms >> (shift + DIGIT_BITS) << DIGIT_BITS | digit) << shift;
	}
	return UINT64_MAX;
}

static void arm(struct wheel *w)
{
	unsigned slot;
	uint64_t at = next_event(w, &slot);
	if (at == w->armed_ms)
		return;
	w->armed_ms = at;
	if (at != UINT64_MAX)
		timer_start(&w->timer, at * NS_PER_MS);
}

bool wheel_start(struct wheel_timer *t, uint64_t expires_ms)
{
	bool was_armed = wheel_cancel(t);
	irq_state irq = irq_save();
	struct wheel *w = wheel_here();
	spin_lock_nested(&w->lock);
	/* A wheel that slept catches up, or the timer would stand at too coarse a level. */
	uint64_t now = now_ms();
	unsigned slot;
	if (next_event(w, &slot) > now)
		w->time_ms = now;
	t->expires_ms = expires_ms;
	t->cpu = (uint16_t)w->cpu;
	slot_insert(w, t);
	/* Only ever earlier from here: that the next event went away is seen when the timer fires. */
	if (next_event(w, &slot) < w->armed_ms)
		arm(w);
	spin_unlock(&w->lock, irq);
	return was_armed;
}

bool wheel_cancel(struct wheel_timer *t)
{
	for (;;) {
		unsigned cpu = t->cpu;
		if (cpu == WHEEL_IDLE)
			return false;
		struct wheel *w = wheels[cpu];
		irq_state irq = spin_lock(&w->lock);
		bool here = t->cpu == cpu;
		if (here) {
			slot_remove(w, t);
			t->cpu = WHEEL_IDLE;
		}
		spin_unlock(&w->lock, irq);
		if (here)
			return true;
	}
}

/* Empty the slot: what is due goes to the front of *due, the rest finds its place further down. */
static void spread(struct wheel *w, unsigned slot, struct wheel_timer **due)
{
	struct wheel_timer *t = w->slots[slot];
	w->slots[slot] = NULL;
	w->used[slot / SLOTS] &= ~(1ull << slot % SLOTS);
	while (t) {
		struct wheel_timer *next = t->next;
		if (t->expires_ms > w->time_ms) {
			slot_insert(w, t);
		} else {
			t->slot = LEVELS * SLOTS - 1; /* any: it stands on a list of its own */
			t->next = *due;
			if (*due)
				(*due)->previous = &t->next;
			t->previous = due;
			*due = t;
		}
		t = next;
	}
}

static void wheel_run(struct timer *timer)
{
	struct wheel *w = container_of(timer, struct wheel, timer);
	irq_state irq = spin_lock(&w->lock);
	uint64_t now = now_ms();
	struct wheel_timer *due = NULL;
	unsigned slot;
	uint64_t at;
	while ((at = next_event(w, &slot)) <= now) {
		w->time_ms = max(w->time_ms, at);
		spread(w, slot, &due);
		while (due) {
			struct wheel_timer *t = due;
			due = t->next;
			if (due)
				due->previous = &due;
			t->cpu = WHEEL_IDLE;
			spin_unlock_nested(&w->lock);
			t->fire(t);
			spin_lock_nested(&w->lock);
		}
	}
	w->time_ms = max(w->time_ms, now);
	w->armed_ms = UINT64_MAX;
	arm(w);
	spin_unlock(&w->lock, irq);
	net_flush();
}
