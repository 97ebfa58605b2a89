/*
 * Samples for a profile: a timer on each CPU notes what it interrupts, the kernel's stack and the program's, both along
 * frame pointers; a thread sends what has come together.  It exists while profiling is on, and so does all memory.
 *
 * Interrupts are off under spinlocks: what happens there is seen where they are let go.
 */
#include "kernel/inspect/profiler.h"

#include "abi/channel.h"
#include "abi/profile.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/trap.h"
#include "kernel/dev/channel.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/timer.h"

#define BUFFER_SIZE (32u << 10)
#define ROUND_NS (100 * NS_PER_MS)
#define LIMIT_MAX_MS 60000u

struct buffer {
	uint32_t len;
	uint8_t bytes[BUFFER_SIZE];
};

struct stack {
	struct profile_sample sample;
	uint64_t addresses[2 * PROFILE_DEPTH_MAX];
};

struct sampler {
	struct timer timer;
	unsigned cpu;
	struct stack scratch; /* the interrupt's */
	struct spinlock lock;
	/* under lock: */
	struct buffer *filling;
	uint32_t lost;
	/* the thread's: */
	struct buffer *sending;
};

static struct mutex turn; /* of those that switch it on and off */
/* under turn: */
static bool running;
static struct sampler *samplers;
static unsigned n_samplers;

static _Atomic uint64_t period_ns; /* 0: off */
static _Atomic uint64_t until_ns;

/* --- in the timer's interrupt --- */

/* The kernel's own stack, from the interrupted place outward. */
static unsigned walk_kernel(const struct trap_frame *f, uint64_t *out)
{
	uintptr_t frame = trap_fp(f), below = (uintptr_t)f;
	uintptr_t top = (uintptr_t)thread_current()->arch.kernel_stack_top;
	unsigned n = 0;
	out[n++] = trap_ip(f);
	while (n < PROFILE_DEPTH_MAX && frame > below && frame % 8 == 0 && frame + 16 <= top) {
		const uintptr_t *pair = (const uintptr_t *)frame;
		if (pair[1] < USER_END)
			break;
		out[n++] = pair[1];
		below = frame;
		frame = pair[0];
	}
	return n;
}

/* With interrupts off copy_in() fails where it would have to bring a page. */
static unsigned walk_user(const struct trap_frame *f, uint64_t *out)
{
	uintptr_t frame = trap_fp(f), last = trap_sp(f), pair[2];
	unsigned n = 0;
	if (trap_ip(f) == 0 || trap_ip(f) >= USER_END)
		return 0;
	out[n++] = trap_ip(f);
	while (n < PROFILE_DEPTH_MAX && frame >= last && frame < USER_END && frame % 8 == 0) {
		if (copy_in(pair, user_at(frame), sizeof(pair)) < 0 || pair[1] == 0 ||
			pair[1] >= USER_END)
			break;
		out[n++] = pair[1];
		last = frame + sizeof(pair);
		frame = pair[0];
	}
	return n;
}

/* Its length. */
static uint32_t take_sample(struct stack *to, const struct trap_frame *f)
{
	struct thread *t = thread_current();
	struct profile_sample *s = &to->sample;
	*s = (struct profile_sample){.tid = (uint32_t)t->tid};
	memcpy(s->name, t->name, sizeof(s->name));
	if (!trap_from_user(f))
		s->n_kernel = (uint16_t)walk_kernel(f, to->addresses);
	if (t->tid != 0)
		s->n_user = (uint16_t)walk_user(thread_user_frame(t), to->addresses + s->n_kernel);
	return (uint32_t)(sizeof(*s) + (s->n_kernel + s->n_user) * sizeof(uint64_t));
}

static void fire(struct timer *t)
{
	struct sampler *s = container_of(t, struct sampler, timer);
	uint64_t period = atomic_load(&period_ns), now_ns = clock_monotonic_ns();
	if (period == 0)
		return;
	if (!sched_is_idle()) {
		uint32_t len = take_sample(&s->scratch, timer_interrupted());
		irq_state state = spin_lock(&s->lock);
		struct buffer *b = s->filling;
		bool fits = len <= BUFFER_SIZE - b->len;
		if (fits) {
			memcpy(b->bytes + b->len, &s->scratch, len);
			b->len += len;
		}
		s->lost += !fits;
		spin_unlock(&s->lock, state);
	}
	uint64_t next_ns = t->deadline_ns + period;
	timer_start(t, next_ns > now_ns ? next_ns : now_ns + period);
}

/* --- the thread --- */

static void send_samples(struct sampler *s, bool last)
{
	irq_state state = spin_lock(&s->lock);
	struct buffer *full = s->filling;
	s->filling = s->sending;
	s->filling->len = 0;
	struct profile_batch head = {.cpu = s->cpu, .lost = s->lost, .last = last};
	s->lost = 0;
	spin_unlock(&s->lock, state);
	s->sending = full;
	const struct channel_piece pieces[] = {{&head, sizeof(head)}, {full->bytes, full->len}};
	if (full->len > 0 || head.lost > 0 || last)
		channel_send(CHANNEL_SAMPLES, pieces, 2);
}

static void send_all(bool last)
{
	for (unsigned i = 0; i < n_samplers; i++)
		send_samples(&samplers[i], last && i + 1 == n_samplers);
}

static void free_samplers(void)
{
	for (unsigned i = 0; i < n_samplers; i++) {
		heap_free(samplers[i].filling);
		heap_free(samplers[i].sending);
	}
	heap_free(samplers);
	samplers = NULL;
}

/* A timer belongs to the CPU that starts it. */
static void start_timers(void)
{
	struct thread *self = thread_current();
	for (unsigned i = 0; i < n_samplers; i++) {
		if (thread_set_affinity(self, 1ull << i) < 0)
			continue;
		thread_yield();
		timer_start(&samplers[i].timer, clock_monotonic_ns() + atomic_load(&period_ns));
	}
	(void)!thread_set_affinity(self, UINT64_MAX);
}

/* True: it is over; false: somebody wants it on again. */
static bool finish(void)
{
	mutex_lock(&turn);
	bool over = clock_monotonic_ns() >= atomic_load(&until_ns);
	if (over) {
		atomic_store(&period_ns, 0);
		for (unsigned i = 0; i < n_samplers; i++)
			timer_stop(&samplers[i].timer);
		send_all(true);
		free_samplers();
		running = false;
	}
	mutex_unlock(&turn);
	return over;
}

static void serve(void *unused)
{
	(void)unused;
	start_timers();
	do {
		while (clock_monotonic_ns() < atomic_load(&until_ns)) {
			(void)thread_block(clock_monotonic_ns() + ROUND_NS);
			send_all(false);
		}
	} while (!finish());
	thread_exit();
}

/* --- on and off --- */

static bool make_samplers(void)
{
	n_samplers = 0;
	samplers = heap_zalloc(cpu_count() * sizeof(*samplers));
	for (unsigned i = 0; samplers && i < cpu_count(); i++) {
		struct sampler *s = &samplers[n_samplers++];
		timer_init(&s->timer, fire);
		s->cpu = i;
		s->filling = heap_zalloc(sizeof(struct buffer));
		s->sending = heap_zalloc(sizeof(struct buffer));
		if (!s->filling || !s->sending) {
			free_samplers();
			return false;
		}
	}
	return samplers != NULL;
}

static void start(void)
{
	struct thread *t = NULL;
	const struct thread_request request = {
		.size = sizeof(struct thread), .name = "profiler", .entry = serve};
	if (!make_samplers() || thread_create(&request, &t) < 0) {
		log_warn("profile: out of memory");
		if (samplers)
			free_samplers();
		return;
	}
	running = true;
	thread_start(t);
}

/* In the channel's thread: one at a time. */
void profiler_frame(const void *content, uint32_t len)
{
	const struct profile_request *r = content;
	static bool used;
	if (len < sizeof(*r))
		return;
	if (!used)
		mutex_init(&turn);
	used = true;
	mutex_lock(&turn);
	uint64_t limit_ns = min(r->limit_ms, LIMIT_MAX_MS) * NS_PER_MS;
	atomic_store(&until_ns, r->hz == 0 ? 0 : clock_monotonic_ns() + limit_ns);
	if (r->hz > 0)
		atomic_store(&period_ns, NS_PER_S / min(r->hz, PROFILE_HZ_MAX));
	if (r->hz > 0 && !running)
		start();
	mutex_unlock(&turn);
}
