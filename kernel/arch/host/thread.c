/* Host port: threads on ucontexts.  Their stacks are malloc'd: the sanitizers need more than a kernel stack. */
#include <stdlib.h>
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
	void *stack;
};

struct thread *host_current;
static struct thread *switched_from;

static struct host_context *context_of(struct thread *t)
{
	return ((struct thread_arch *)t)->context;
}

static void start(void)
{
	struct host_context *c = context_of(host_current);
	thread_first_run(switched_from);
	irq_enable();
	c->entry(c->arg);
	panic("a thread's entry function returned");
}

int thread_arch_init(struct thread_arch *t, void *stack_top, void (*entry)(void *), void *arg)
{
	struct host_context *c = calloc(1, sizeof(*c));
	void *stack = malloc(HOST_STACK_SIZE);
	if (!c || !stack) {
		free(c);
		free(stack);
		return -ENOMEM;
	}
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = c->stack = stack;
	c->context.uc_stack.ss_size = HOST_STACK_SIZE;
	c->entry = entry;
	c->arg = arg;
	makecontext(&c->context, start, 0);
	t->kernel_stack_top = stack_top;
	t->context = c;
	return 0;
}

void thread_arch_destroy(struct thread_arch *t)
{
	if (t->context)
		free(t->context->stack);
	free(t->context);
	t->context = NULL;
}

struct thread *thread_switch(struct thread *previous, struct thread *next)
{
	switched_from = previous;
	host_current = next;
	swapcontext(&context_of(previous)->context, &context_of(next)->context);
	return switched_from;
}

void thread_adopt(struct thread *t)
{
	((struct thread_arch *)t)->context = calloc(1, sizeof(struct host_context));
	host_current = t;
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
};

static void run_job(void *arg)
{
	struct job *job = arg;
	job->fn(job->arg);
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
	job = (struct job){.fn = fn, .arg = arg};
	struct thread *idle = host_current;
	struct thread *t = NULL;
	const struct thread_request request = {
		.size = sizeof(*t), .name = "test", .entry = run_job, .arg = &job};
	if (thread_create(&request, &t) < 0)
		panic("no memory for the test's thread");
	volatile bool started = false;
	getcontext(&job.done);
	if (started) {
		/* Back from run_job(): the test's thread stays where it was. */
		host_current = idle;
		return;
	}
	started = true;
	thread_start(t);
	sched_run_idle();
}
