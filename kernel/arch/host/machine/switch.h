/* Host port: a thread is a ucontext with a stack of its own. */
#pragma once

struct host_context;

struct thread_arch {
	atomic_uint user_work;
	void *kernel_stack_top;
	uintptr_t user_tls;
	struct host_context *context;
};

extern struct thread *host_current;

static inline struct thread *thread_current(void)
{
	return host_current;
}
