/*
 * The way in: from a number to a handler, and what every call has in common, done once here: the trace, SIGPIPE, the
 * bookkeeping for a restart after a signal.
 */
#include "abi/linux/socket.h"
#include "abi/linux/time.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/net/socket.h"
#include "kernel/proc/seccomp.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/trace.h"

static long refuse(const struct syscall_args *args)
{
	(void)args;
	return -ENOSYS;
}

/* One slot more than numbers: calls that this port does not have go there. */
#define SLOT(x86_64, arm64)                                                                        \
	(SYSCALL_NUMBER(x86_64, arm64) < 0 ? (int)SYSCALL_NUMBERS : SYSCALL_NUMBER(x86_64, arm64))

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct syscall_entry table[SYSCALL_NUMBERS + 1] = {
#define CALL(name, x86_64, arm64, flags, signature)                                                \
	[SLOT(x86_64, arm64)] = {sys_##name, #name, signature, flags},
#define ABSENT(name, x86_64, arm64, signature)                                                     \
	[SLOT(x86_64, arm64)] = {refuse, #name, signature, 0},
#define MISSING(name, x86_64, arm64, signature)                                                    \
	[SLOT(x86_64, arm64)] = {refuse, #name, signature, NAMED},
#include "kernel/syscall/table.def"
#undef CALL
#undef ABSENT
#undef MISSING
};
#pragma GCC diagnostic pop

static const struct syscall_entry unknown = {
	refuse, NULL, "hex a, hex b, hex c, hex d, hex e, hex f", NAMED};

const struct syscall_entry *syscall_find(unsigned number)
{
	return number < SYSCALL_NUMBERS && table[number].handler ? &table[number] : &unknown;
}

/* Once per number. */
static void say_missing(const struct syscall_entry *e, unsigned number)
{
	static _Atomic uint64_t said[(SYSCALL_NUMBERS + 64) / 64];
	unsigned slot = number < SYSCALL_NUMBERS ? number : SYSCALL_NUMBERS;
	uint64_t bit = 1ull << slot % 64;
	if (atomic_fetch_or(&said[slot / 64], bit) & bit)
		return;
	log_warn("system call %s (%u) is not implemented", e->name ? e->name : "?", number);
}

/* Only stream-like sockets and pipes raise SIGPIPE; MSG_NOSIGNAL is a flag of the send calls. */
static bool raises_sigpipe(const struct syscall_args *args, syscall_handler handler)
{
	struct file *f = NULL;
	int flags = handler == sys_sendto || handler == sys_sendmmsg ? arg_int(args, 3)
		    : handler == sys_sendmsg                         ? arg_int(args, 2)
								     : 0;
	int fd = arg_int(args, handler == sys_splice ? 2 : handler == sys_tee ? 1 : 0);
	if ((flags & MSG_NOSIGNAL) || fd_get(fd, &f) < 0)
		return false;
	int type = SOCK_STREAM;
	if (file_is_socket(f) && socket_get_option(f, SOL_SOCKET, SO_TYPE, &type, sizeof(type)) < 0)
		type = SOCK_STREAM;
	file_put(f);
	return type != SOCK_DGRAM;
}

/* signal(7): a socket with a timeout gives EINTR even with SA_RESTART. */
static bool has_socket_timeout(const struct syscall_entry *e, const struct syscall_args *args)
{
	struct file *f = NULL;
	struct linux_timeval timeout = {0, 0};
	if (strncmp(e->signature, "fd ", 3) != 0 || fd_get(arg_int(args, 0), &f) < 0)
		return false;
	bool sends = (e->flags & PIPE) || e->handler == sys_connect;
	if (!file_is_socket(f) ||
		socket_get_option(f, SOL_SOCKET, sends ? SO_SNDTIMEO : SO_RCVTIMEO, &timeout,
			sizeof(timeout)) < 0)
		timeout = (struct linux_timeval){0, 0};
	file_put(f);
	return timeout.tv_sec != 0 || timeout.tv_usec != 0;
}

static bool restarts(const struct syscall_entry *e, const struct syscall_args *args)
{
	return (e->flags & RESTART) && !has_socket_timeout(e, args);
}

/* Errors that mean something to the process; the result the program may see. */
static long settle_error(
	const struct syscall_entry *e, const struct syscall_args *args, long result)
{
	struct task *t = task_current();
	if (result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTARTNOHAND)) {
		t->restart = result != -EINTR    ? (int)-result
			     : restarts(e, args) ? ERESTARTSYS
						 : ERESTARTNOHAND;
		atomic_fetch_or(&t->thread.arch.user_work, WORK_SIGNAL);
		return -EINTR;
	}
	if (result == -EPIPE && (e->flags & PIPE) && raises_sigpipe(args, e->handler))
		(void)!signal_send_task(t, SIGPIPE, NULL);
	return result;
}

static long call(const struct syscall_entry *e, const struct syscall_args *args)
{
	long result = e->handler(args);
	/* What rt_sigreturn(2) brings back is an older call's, settled then. */
	if (unlikely(result < 0 && result >= -ERESTARTNOHAND && !(e->flags & (ENDS | PLAIN))))
		result = settle_error(e, args, result);
	return result;
}

/* While some thread has filters of seccomp(2). */
static long call_filtered(const struct syscall_entry *e, const struct syscall_args *args)
{
	long result = 0;
	unsigned number = (unsigned)trap_syscall_number(args->frame);
	return seccomp_allows(args->frame, number, args->a, &result) ? call(e, args) : result;
}

void syscall_dispatch(struct trap_frame *f)
{
	struct syscall_args args;
	trap_syscall_args(f, args.a);
	args.frame = f;
	args.trace = NULL;
	unsigned number = (unsigned)trap_syscall_number(f);
	const struct syscall_entry *e = syscall_find(number);
	if (unlikely(e->flags & NAMED))
		say_missing(e, number);
	task_current()->frame = f;
	trap_set_result(f, unlikely(syscalls_watched)
				   ? syscall_watch(e, number, &args, call_filtered)
				   : call(e, &args));
	lock_check_none("a system call ends with a lock held");
}
