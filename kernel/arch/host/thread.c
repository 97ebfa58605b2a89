/*
 * Host port: threads on ucontexts, with stacks of their own: the sanitizers need more than a kernel
 * stack.  AddressSanitizer is told of every switch (common_interface_defs.h).
 */
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/switch.h"
#include "kernel/arch/upcall.h"
#include "kernel/sched/thread.h"

#define HOST_STACK_SIZE (1u << 20)

struct host_context {
	ucontext_t context;
	void (*entry)(void *);
	void *arg;
	void *fake_stack; /* AddressSanitizer's, while switched away */
};

struct thread *host_current;
static struct thread *switched_from;

static struct host_context *context_of(struct thread *t)
{
	return ((struct thread_arch *)t)->context;
}

#ifdef __SANITIZE_ADDRESS__
static void switch_starts(struct host_context *from, const struct host_context *to)
{
	const stack_t *s = &to->context.uc_stack;
	__sanitizer_start_switch_fiber(&from->fake_stack, s->ss_sp, s->ss_size);
}

/* The first switch away from the process's own stack tells where that is. */
static void switch_ends(struct host_context *to, struct host_context *from)
{
	const void *bottom;
	size_t size;
	__sanitizer_finish_switch_fiber(to->fake_stack, &bottom, &size);
	if (from->context.uc_stack.ss_sp == NULL) {
		from->context.uc_stack.ss_sp = (void *)(uintptr_t)bottom;
		from->context.uc_stack.ss_size = size;
	}
}
#else
static void switch_starts(struct host_context *from, const struct host_context *to)
{
	(void)from, (void)to;
}

static void switch_ends(struct host_context *to, struct host_context *from)
{
	(void)to, (void)from;
}
#endif

static void start(void)
{
	struct host_context *c = context_of(host_current);
	switch_ends(c, context_of(switched_from));
	thread_first_run(switched_from);
	irq_enable();
	c->entry(c->arg);
	panic("a thread's entry function returned");
}

int thread_arch_init(struct thread_arch *t, void *stack_top, void (*entry)(void *), void *arg)
{
	/* The context stands at the bottom of the stack's memory.  Not malloc'd: kernel threads that
	 * never end would look leaked. */
	struct host_context *c = mmap(NULL, HOST_STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c == MAP_FAILED)
		return -ENOMEM;
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = c + 1;
	c->context.uc_stack.ss_size = HOST_STACK_SIZE - sizeof(*c);
	c->entry = entry;
	c->arg = arg;
	makecontext(&c->context, start, 0);
	t->kernel_stack_top = stack_top;
	t->context = c;
	return 0;
}

void thread_arch_destroy(struct thread_arch *t)
{
	if (t->context != NULL)
		munmap(t->context, HOST_STACK_SIZE);
	t->context = NULL;
}

struct thread *thread_switch(struct thread *previous, struct thread *next)
{
	switched_from = previous;
	host_current = next;
	struct host_context *from = context_of(previous), *to = context_of(next);
	switch_starts(from, to);
	swapcontext(&from->context, &to->context);
	switch_ends(from, context_of(switched_from));
	return switched_from;
}

void thread_adopt(struct thread *t)
{
	static struct host_context boot;
	((struct thread_arch *)t)->context = &boot;
	host_current = t;
}

/* There is no program on a host. */
bool trap_from_user(const struct trap_frame *f)
{
	(void)f;
	return false;
}

struct trap_frame *thread_user_frame(struct thread *t)
{
	(void)t;
	return NULL;
}

/* No program runs on this port. */
void thread_enter_user(uintptr_t ip, uintptr_t sp)
{
	panic("thread_enter_user(%#lx, %#lx)", (unsigned long)ip, (unsigned long)sp);
}

void thread_copy_user(
	struct thread_arch *t, const struct trap_frame *parent, uintptr_t sp, uintptr_t tls)
{
	(void)t;
	(void)parent;
	panic("thread_copy_user(%#lx, %#lx)", (unsigned long)sp, (unsigned long)tls);
}

void thread_resume_user(void)
{
	panic("thread_resume_user()");
}

void thread_set_tls(uintptr_t tls)
{
	((struct thread_arch *)host_current)->user_tls = tls;
}

struct job {
	void (*fn)(void *);
	void *arg;
	ucontext_t done;
	struct thread *idle;
};

static void run_job(void *arg)
{
	struct job *job = arg;
	job->fn(job->arg);
	switched_from = host_current;
	switch_starts(context_of(host_current), context_of(job->idle));
	setcontext(&job->done);
}

static struct job job;

void host_run(void (*fn)(void *), void *arg)
{
	static bool ready;
	if (!ready) {
		host_memory_init(64ul << 20);
		sched_init();
		ready = true;
	}
	job = (struct job){.fn = fn, .arg = arg, .idle = host_current};
	struct thread *t = NULL;
	const struct thread_request request = {
		.size = sizeof(*t), .name = "test", .entry = run_job, .arg = &job};
	if (thread_create(&request, &t) < 0)
		panic("no memory for the test's thread");
	volatile bool started = false;
	getcontext(&job.done);
	if (started) {
		/* Back from run_job(): the test's thread stays where it was. */
		host_current = job.idle;
		switch_ends(context_of(host_current), context_of(switched_from));
		return;
	}
	started = true;
	thread_start(t);
	sched_run_idle();
}
