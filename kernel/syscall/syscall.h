/*
 * System calls.  table.def lists them all; a handler takes its six arguments and returns the result or -Exxx.
 * Handlers decode, copy and call down: they hold no state.
 */
#pragma once

#include "abi/linux/errno.h"
#include "kernel/arch/trap.h"
#include "kernel/ipc/ids.h"

struct syscall_args {
	unsigned long a[6];
	struct trap_frame *frame;
	struct trace *trace; /* of this call, or NULL */
};

typedef long (*syscall_handler)(const struct syscall_args *args);

/* Watching system calls, before the program runs (kernel/syscall/trace.h); and at its end. */
/* One frame to the host, in two parts; sleeps. */
typedef void (*syscall_watch_sender)(
	unsigned kind, const void *head, size_t head_len, const void *rest, size_t rest_len);
struct syscall_watch_options {
	syscall_watch_sender send; /* NULL: there is no host channel */
	const char *trace;         /* mote.trace=: "syscall" or NAME,NAME,...; NULL: none */
	unsigned trace_size;       /* bytes shown of a buffer; 0: as usual */
	bool trace_paths;          /* of descriptors */
	const char *allow;         /* mote.allow=: NAME,NAME,...; NULL: all are */
	bool allow_or_end; /* a call that is not allowed ends the program; otherwise EPERM */
	bool count;        /* tell the host at the end how often each was made */
};
void syscall_watch_configure(const struct syscall_watch_options *o);
void syscall_watch_finish(void);

/* Who calls, for kernel/ipc. */
struct ipc_caller ipc_caller_current(void);
/* prctl(PR_SET_SECCOMP) */
long prctl_set_seccomp(unsigned long mode, unsigned long program);

/* One handler per CALL of table.def. */
#define CALL(name, x86_64, arm64, flags, signature)                                                \
	long sys_##name(const struct syscall_args *args);
#define ABSENT(name, x86_64, arm64, signature)
#define MISSING(name, x86_64, arm64, signature)
#include "kernel/syscall/table.def"
#undef CALL
#undef ABSENT
#undef MISSING

/* Arguments by kind.  ints are 32 bits wide whatever stands above them in the register. */
static inline int arg_int(const struct syscall_args *args, unsigned i)
{
	return (int)args->a[i];
}

static inline unsigned arg_uint(const struct syscall_args *args, unsigned i)
{
	return (unsigned)args->a[i];
}

static inline user_addr arg_user(const struct syscall_args *args, unsigned i)
{
	return user_at(args->a[i]);
}
