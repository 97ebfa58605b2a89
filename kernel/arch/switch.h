/*
 * Port contract 4/6: threads as the processor sees them.  struct thread (kernel/sched/thread.h)
 * starts with a struct thread_arch, so a pointer to one is a pointer to the other.
 */
#pragma once

#include "kernel/lib/base.h"

struct trap_frame;
struct thread;

/*
 * From the port: struct thread_arch, complete.  It has at least
 *     atomic_uint user_work;    not 0: call user_return() before the program goes on
 *     void *kernel_stack_top;
 *     uintptr_t user_tls;       FS base / TPIDR_EL0
 * and inline thread_current(): the thread of this CPU.
 */
#include "machine/switch.h"

/* Prepare a thread that will start in entry(arg) on the stack given, interrupts on, after
 * thread_first_run() (upcall.h) with interrupts off.  t is cleared memory.  Allocates the FPU area:
 * -ENOMEM. */
int thread_arch_init(
	struct thread_arch *t, void *stack_top, void (*entry)(void *), void *arg) must_check;
void thread_arch_destroy(struct thread_arch *t);

/* Become next; returns when somebody switches back.  Interrupts are off.  Saves FPU and TLS of
 * threads that have been in user mode.  Returns the thread that ran before on this CPU. */
struct thread *thread_switch(struct thread *previous, struct thread *next);

/* The boot stack of this CPU becomes that thread (its idle thread). */
void thread_adopt(struct thread *t);

/* Where the current thread's user registers are saved (top of its kernel stack). */
struct trap_frame *thread_user_frame(struct thread *t);

/* First entry into the program: all registers zero but these.  Does not return. */
_Noreturn void thread_enter_user(uintptr_t ip, uintptr_t sp);

/* Prepare t, made by thread_arch_init(), so that thread_resume_user() in it continues the program
 * where parent's frame is, with result 0, that stack pointer (0: the same) and TLS. */
void thread_copy_user(
	struct thread_arch *t, const struct trap_frame *parent, uintptr_t sp, uintptr_t tls);
/* From the kernel entry function of such a thread. */
_Noreturn void thread_resume_user(void);

void thread_set_tls(uintptr_t tls); /* of the current thread, at once */
uintptr_t thread_tls(void);         /* of the current thread, as the program left it */
