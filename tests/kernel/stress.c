/*
 * A kernel of its own instead of kernel/main.c: lib, mem, sched and the port under load on all CPUs.  Linked
 * with those folders' objects, started with a few CPUs and little memory; ends with "exited 0" or a panic.
 * Each round runs groups of threads, one group per subject; what they leave behind is counted.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/trap.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/command_line.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/timer.h"

#define ROUNDS 2u
#define N_PAIRS 8u
#define N_TIMERS 8u
#define FUTEX_AT 0x40000000ul
#define COUNTERS_AT 0x50000000ul
#define N_COUNTERS 64u
#define CHANGING_AT 0x51000000ul
#define FILE_AT 0x100000000ul
#define FILE_PAGES 30000u

void serial_write(const char *text, size_t len);

static bool wrong;
static struct address_space space;
static struct rw_lock space_lock;
static struct wait_queue done;
static atomic_int n_running;

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* --- running groups -------------------------------------------------------------------------------- */

static _Noreturn void finished(void)
{
	atomic_fetch_sub(&n_running, 1);
	wait_wake(&done, 1);
	thread_exit();
}

static void run(const char *what, void (*entry)(void *), unsigned n)
{
	uint64_t start_ns = clock_monotonic_ns();
	atomic_store(&n_running, (int)n);
	for (unsigned i = 0; i < n; i++) {
		struct thread *t = NULL;
		const struct thread_request r = {.size = sizeof(*t),
			.name = what,
			.entry = entry,
			.arg = (void *)(uintptr_t)i};
		if (thread_create(&r, &t) < 0)
			panic("no memory for a thread");
		thread_start(t);
	}
	wait_event(&done, 1, atomic_load(&n_running) == 0);
	struct memory_usage u;
	page_usage(&u);
	log_info("%-10s %6llu ms; pages: %llu free %llu heap %llu stacks %llu tables %llu cached",
		what, (unsigned long long)((clock_monotonic_ns() - start_ns) / NS_PER_MS),
		(unsigned long long)u.free, (unsigned long long)u.heap,
		(unsigned long long)u.stacks, (unsigned long long)u.page_tables,
		(unsigned long long)u.cached);
}

/* --- sched ------------------------------------------------------------------------------------------ */

static struct mutex mutex;
static unsigned long guarded;

static void use_mutex(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 3000; i++) {
		mutex_lock(&mutex);
		unsigned long seen = guarded;
		if (next_random(&seed) % 32 == 0)
			thread_yield();
		guarded = seen + 1;
		mutex_unlock(&mutex);
	}
	finished();
}

static struct wait_queue ball_queue[N_PAIRS];
static atomic_uint ball[N_PAIRS];

static void play_ball(void *arg)
{
	unsigned pair = (unsigned)(uintptr_t)arg / 2, me = (unsigned)(uintptr_t)arg % 2;
	for (int i = 0; i < 1000; i++) {
		wait_event(&ball_queue[pair], 1u << me, atomic_load(&ball[pair]) % 2 == me);
		atomic_fetch_add(&ball[pair], 1);
		wait_wake(&ball_queue[pair], 1u << !me);
	}
	finished();
}

static struct timer timers[N_TIMERS];
static atomic_uint n_fired;

static void fire(struct timer *t)
{
	(void)t;
	atomic_fetch_add(&n_fired, 1);
}

static void use_timers(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 3000; i++) {
		struct timer *t = &timers[next_random(&seed) % N_TIMERS];
		uint64_t soon = clock_monotonic_ns() + next_random(&seed) % 100000;
		switch (next_random(&seed) % 4) {
		case 0:
			timer_stop(t);
			break;
		case 1:
			thread_block(soon);
			break;
		default:
			timer_start(t, soon);
		}
	}
	finished();
}

static void count_up(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
	thread_exit();
}

static void make_threads(void *unused)
{
	(void)unused;
	atomic_int n_done = 0;
	for (unsigned i = 0; i < 500; i++) {
		struct thread *t = NULL;
		const struct thread_request r = {
			.size = 1000, .name = "child", .entry = count_up, .arg = &n_done};
		while (thread_create(&r, &t) < 0)
			thread_yield();
		/* Half of them are waited for, the others never looked at again. */
		bool wait = i % 2;
		if (wait)
			thread_get(t);
		thread_start(t);
		while (wait && atomic_load(&t->state) != THREAD_DEAD)
			thread_yield();
		if (wait)
			thread_put(t);
		if (i % 7 == 0 &&
			thread_set_affinity(thread_current(), 1ull << i % cpu_possible()) < 0)
			panic("affinity");
	}
	while (atomic_load(&n_done) != 500)
		thread_yield();
	finished();
}

/* --- heap -------------------------------------------------------------------------------------------- */

static uint64_t *_Atomic blocks[512];

/* A block knows its size and is filled with it; whoever takes it out frees it, on whatever CPU. */
static void use_heap(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 30000; i++) {
		size_t size = 16 + next_random(&seed) % (next_random(&seed) % 16 ? 700 : 20000);
		uint64_t *block = heap_alloc(size);
		if (block == NULL)
			panic("no memory for %zu bytes", size);
		memset(block, (uint8_t)size, size);
		block[0] = size;
		uint64_t *old =
			atomic_exchange(&blocks[next_random(&seed) % array_size(blocks)], block);
		for (size_t k = 8; old != NULL && k < old[0]; k++)
			if (((uint8_t *)old)[k] != (uint8_t)old[0])
				panic("a heap block of %llu bytes is broken",
					(unsigned long long)old[0]);
		heap_free(old);
	}
	finished();
}

/* --- user memory --------------------------------------------------------------------------------------- */

static uint32_t user_load(uintptr_t at)
{
	uint32_t value = 0;
	if (user_load_u32(user_at(at), &value) < 0)
		panic("can not read %#lx", at);
	return value;
}

/* What was there; new is there now if that was expected. */
static uint32_t user_exchange(uintptr_t at, uint32_t expected, uint32_t new)
{
	uint32_t old = 0;
	if (user_exchange_u32(user_at(at), expected, new, &old) < 0)
		panic("can not write %#lx", at);
	return old;
}

static uint32_t user_swap(uintptr_t at, uint32_t new)
{
	for (;;) {
		uint32_t old = user_load(at);
		if (user_exchange(at, old, new) == old)
			return old;
	}
}

/* glibc's low-level lock: 0 free, 1 held, 2 held and somebody waits. */
static void use_futex(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 2000; i++) {
		if (user_exchange(FUTEX_AT, 0, 1) != 0)
			while (user_swap(FUTEX_AT, 2) != 0) {
				int err = futex_wait(user_at(FUTEX_AT), 0, 2, ~0u, NO_DEADLINE);
				if (err < 0 && err != -EAGAIN)
					panic("futex_wait: %d", err);
			}
		unsigned long seen = guarded;
		if (next_random(&seed) % 16 == 0)
			thread_yield();
		guarded = seen + 1;
		if (user_swap(FUTEX_AT, 0) == 2 && futex_wake(user_at(FUTEX_AT), 0, 1, ~0u) < 0)
			panic("futex_wake");
	}
	finished();
}

static void map(uintptr_t at, size_t length, struct page_cache *cache)
{
	const struct map_request r = {
		.address = at,
		.length = length,
		.how = MAP_AT,
		.prot = cache != NULL ? MMU_READ : MMU_READ | MMU_WRITE,
		.max_prot = MMU_READ | MMU_WRITE,
		.cache = cache,
	};
	uintptr_t got;
	if (address_space_map(&space, &r, &got) < 0)
		panic("no room at %#lx", at);
}

/* Two of the threads change mappings under the others' feet. */
static void change_mappings(unsigned who, uint32_t *seed)
{
	uintptr_t at = CHANGING_AT + next_random(seed) % N_COUNTERS * PAGE_SIZE;
	size_t length = N_COUNTERS * PAGE_SIZE;
	int err = 0;
	rw_lock_write(&space_lock);
	if (who == 1) {
		err = address_space_protect(&space, COUNTERS_AT, length, MMU_READ);
		if (err == 0)
			err = address_space_protect(
				&space, COUNTERS_AT, length, MMU_READ | MMU_WRITE);
	} else if (next_random(seed) % 2) {
		err = address_space_unmap(&space, at, 8 * PAGE_SIZE);
	} else {
		map(at, 8 * PAGE_SIZE, NULL);
	}
	rw_unlock_write(&space_lock);
	if (err < 0)
		panic("changing mappings: %d", err);
}

static void use_pages(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	uint32_t seed = me, value = 1;
	for (int i = 0; i < 4000; i++) {
		if (me < 2 && i % 40 == 0)
			change_mappings(me, &seed);
		uintptr_t at = COUNTERS_AT + next_random(&seed) % N_COUNTERS * PAGE_SIZE;
		uint32_t seen = user_load(at), old;
		do
			old = seen;
		while ((seen = user_exchange(at, old, old + 1)) != old);
		/* Perhaps nothing is there; then that is said and nothing else happens. */
		user_addr moving =
			user_at(CHANGING_AT + next_random(&seed) % (N_COUNTERS + 8) * PAGE_SIZE);
		if (copy_out(moving, &value, sizeof(value)) < 0 || copy_in(&value, moving, 4) < 0)
			value = 1;
	}
	finished();
}

/* --- a file larger than memory --------------------------------------------------------------------------- */

static int fill(struct page_cache *c, struct page *p)
{
	(void)c;
	uint64_t *words = page_address(p);
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		words[i] = p->index * 1000 + i;
	if (p->index % 3 == 0)
		thread_yield();
	return 0;
}

static struct page_cache file;

/* A working set that is used over and over, and pages from all over the file; mapped and read. */
static void use_file(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 8000; i++) {
		uint64_t page = next_random(&seed) % (next_random(&seed) % 2 ? 200 : FILE_PAGES);
		uint64_t word = next_random(&seed) % (PAGE_SIZE / 8), value = 0;
		uint64_t offset = page * PAGE_SIZE + word * 8;
		int err = i % 3 ? copy_in(&value, user_at(FILE_AT + offset), 8)
				: page_cache_read(&file, offset, &value, 8);
		if (err < 0 || value != page * 1000 + word)
			panic("page %llu: error %d, %llu", (unsigned long long)page, err,
				(unsigned long long)value);
	}
	finished();
}

/* --- rounds ------------------------------------------------------------------------------------------- */

static void check(const char *what, unsigned long is, unsigned long should_be)
{
	if (is != should_be)
		panic("%s: %lu, not %lu", what, is, should_be);
}

static void run_round(unsigned round)
{
	guarded = 0;
	run("mutex", use_mutex, 8);
	check("mutex", guarded, 8 * 3000);
	memset(ball, 0, sizeof(ball));
	run("ball", play_ball, 2 * N_PAIRS);
	run("heap", use_heap, 8);
	run("timers", use_timers, 8);
	for (unsigned i = 0; i < N_TIMERS; i++)
		timer_stop(&timers[i]);
	run("threads", make_threads, 6);
	guarded = 0;
	run("futex", use_futex, 8);
	check("futex", guarded, 8 * 2000);
	run("pages", use_pages, 8);
	unsigned long sum = 0;
	for (unsigned i = 0; i < N_COUNTERS; i++)
		sum += user_load(COUNTERS_AT + i * PAGE_SIZE);
	check("counters in pages", sum, (round + 1) * 8 * 4000);
	run("file", use_file, 8);
}

/* --- mistakes that the lock checker must find (stress.wrong=1, DEBUG=1) -------------------------------------- */

static struct mutex wrong_mutex[2];
static struct spinlock wrong_spin[2];

static void make_mistakes(void)
{
	mutex_init(&wrong_mutex[0]);
	mutex_init(&wrong_mutex[1]);
	mutex_lock(&wrong_mutex[0]);
	mutex_lock(&wrong_mutex[1]);
	mutex_unlock(&wrong_mutex[0]);
	mutex_lock(&wrong_mutex[0]);
	mutex_unlock(&wrong_mutex[0]);
	mutex_unlock(&wrong_mutex[1]);

	irq_state state = spin_lock(&wrong_spin[0]);
	spin_lock_nested(&wrong_spin[1]);
	spin_unlock_nested(&wrong_spin[1]);
	spin_unlock(&wrong_spin[0], state);
	state = spin_lock(&wrong_spin[1]);
	spin_lock_nested(&wrong_spin[0]);
	spin_unlock_nested(&wrong_spin[0]);
	mutex_lock(&wrong_mutex[0]);
	uint32_t word;
	(void)!copy_in(&word, user_at(FUTEX_AT), sizeof(word));
	spin_unlock(&wrong_spin[1], state);
	machine_end("exited 0\n", 0);
}

static void tests(void *unused)
{
	static const struct page_cache_ops ops = {.fill = fill};
	(void)unused;
	wait_queue_init(&done);
	mutex_init(&mutex);
	rw_lock_init(&space_lock);
	for (unsigned i = 0; i < N_PAIRS; i++)
		wait_queue_init(&ball_queue[i]);
	for (unsigned i = 0; i < N_TIMERS; i++)
		timer_init(&timers[i], fire);
	if (wrong)
		make_mistakes();
	cpu_start_others();
	thread_block(clock_monotonic_ns() + 50 * NS_PER_MS);
	log_info("%u of %u CPUs", cpu_count(), cpu_possible());
	if (address_space_init(&space, USER_MMAP_BASE) < 0)
		panic("no memory for the address space");
	page_cache_init(&file, &ops, 0);
	file.size = FILE_PAGES * PAGE_SIZE;
	map(FUTEX_AT, PAGE_SIZE, NULL);
	map(COUNTERS_AT, N_COUNTERS * PAGE_SIZE, NULL);
	map(FILE_AT, file.size, &file);
	for (unsigned round = 0; round < ROUNDS; round++)
		run_round(round);
	check("timers that fired at all", atomic_load(&n_fired) > 0, true);
	machine_end("exited 0\n", 0);
}

/* --- what the port calls ----------------------------------------------------------------------------------- */

_Noreturn void kernel_main(const struct boot_info *boot)
{
	log_set_clock(clock_monotonic_ns);
	log_set_sink(serial_write);
	page_init(boot->memory, boot->n_memory);
	sched_init();
	uint64_t yes;
	wrong = command_line_number(boot->command_line, "stress.wrong", &yes);
	struct thread *t = NULL;
	const struct thread_request r = {.size = sizeof(*t), .name = "tests", .entry = tests};
	if (thread_create(&r, &t) < 0)
		panic("no memory for the first thread");
	thread_start(t);
	sched_run_idle();
}

_Noreturn void secondary_main(void)
{
	sched_run_idle();
}

int page_fault(struct trap_frame *f, uintptr_t address, unsigned access)
{
	(void)f;
	rw_lock_read(&space_lock);
	int err = address_space_fault(&space, address, access);
	rw_unlock_read(&space_lock);
	if (err == -ENOMEM || err == -EIO)
		panic("fault at %#lx: %d", address, err);
	return err < 0 ? -EFAULT : 0;
}

void syscall_dispatch(struct trap_frame *f)
{
	panic("a system call at %#lx", trap_ip(f));
}

void user_return(struct trap_frame *f)
{
	(void)f;
}

void user_exception(struct trap_frame *f, const struct user_fault *fault)
{
	panic("signal %d at %#lx", fault->signal, trap_ip(f));
}

void power_button(void)
{
}
