/*
 * Port contract 3/6: between the program and the kernel.  The trap frame, user memory, signals.
 *
 * A user pointer is a user_addr: it can not be dereferenced.  The functions below are the only
 * way across.  They may fault pages in, so they may sleep: never under a spinlock.
 */
#pragma once

#include "abi/linux/signal.h"
#include "kernel/lib/base.h"

typedef struct {
	uintptr_t va;
} user_addr;

static inline user_addr user_at(uintptr_t va)
{
	return (user_addr){va};
}

static inline user_addr user_offset(user_addr a, size_t n)
{
	return (user_addr){a.va + n};
}

/* Inline or extern from the port: struct trap_frame, complete. */
#include "machine/trap.h"

/* 0, or -EFAULT; on -EFAULT part may have been copied. */
int copy_in(void *to, user_addr from, size_t n) must_check;
int copy_out(user_addr to, const void *from, size_t n) must_check;
int user_clear(user_addr to, size_t n) must_check;
/* Length without the NUL; -EFAULT, or -ENAMETOOLONG when no NUL is among the first size bytes. */
long user_string(char *to, user_addr from, size_t size) must_check;
/* Aligned words, atomically. 0, -EFAULT; exchange stores new when the word is expected; *old is
 * what was there. */
int user_load_u32(user_addr at, uint32_t *out) must_check;
int user_exchange_u32(user_addr at, uint32_t expected, uint32_t new, uint32_t *old) must_check;

/* The frame of an entry into the kernel. */
bool trap_from_user(const struct trap_frame *f);
uintptr_t trap_ip(const struct trap_frame *f);
void trap_set_ip(struct trap_frame *f, uintptr_t ip); /* of the program */
uintptr_t trap_sp(const struct trap_frame *f);
uintptr_t trap_fp(const struct trap_frame *f); /* frame pointer, for backtraces */
/* System call: number, six arguments, result. */
unsigned long trap_syscall_number(const struct trap_frame *f);
void trap_syscall_args(const struct trap_frame *f, unsigned long args[6]);
void trap_set_result(struct trap_frame *f, long result);
long trap_result(const struct trap_frame *f);
/* The frame came from a system call whose restart is wanted: step back onto the instruction, with
 * the number the call had. */
void trap_restart_syscall(struct trap_frame *f);

/* Build a signal frame on the user stack (or on the alternate stack in it) and turn f so that the
 * program continues in the handler.  -EFAULT: the stack can not take it. */
struct signal_frame {
	int signal;
	const struct linux_siginfo *info;
	user_addr handler, restorer;
	unsigned long flags; /* SA_* */
	uint64_t old_mask;   /* blocked signals to return to */
	bool on_altstack;    /* take altstack; the caller decided */
	struct linux_stack altstack;
	uintptr_t fault_address; /* of SIGSEGV/SIGBUS, for the context */
	unsigned long
		fault_error; /* the port's error code and vector, as struct user_fault has them */
	unsigned long fault_vector;
};
int trap_push_signal(struct trap_frame *f, const struct signal_frame *s) must_check;
/* rt_sigreturn(2): restore f and the FPU from the user stack.  -EFAULT on a bad frame; hostile
 * contents never gain privilege. */
int trap_pop_signal(struct trap_frame *f, uint64_t *mask, struct linux_stack *altstack) must_check;

/* A report of all registers, for a crash; as snprintf. */
int trap_describe(const struct trap_frame *f, char *buf, size_t size);
