/* The process as a whole: execve(2), the ends of children it can not have, ids of process, group and session. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "abi/linux/sched.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/pidfd.h"
#include "kernel/syscall/trace.h"
#include "kernel/syscall/user.h"

/* --- execve(2) --- */

/* One string, however long Linux lets it be. */
static int get_string(user_addr from, struct string_vector *to)
{
	char small[256];
	long n = user_string(small, from, sizeof(small));
	if (n >= 0)
		return string_vector_add(to, heap_string(small));
	if (n != -ENAMETOOLONG)
		return (int)n;
	char *large = heap_alloc(EXEC_STRING_MAX);
	if (!large)
		return -ENOMEM;
	n = user_string(large, from, EXEC_STRING_MAX);
	int err = n >= 0               ? string_vector_add(to, heap_string(large))
		  : n == -ENAMETOOLONG ? -E2BIG
				       : (int)n;
	heap_free(large);
	return err;
}

/* argv or envp; NULL counts as empty. */
static int get_strings(user_addr array, struct string_vector *to)
{
	size_t limit = exec_size_limit();
	for (unsigned i = 0; array.va; i++) {
		uintptr_t at = 0;
		int err = copy_in(&at, user_offset(array, i * sizeof(at)), sizeof(at));
		if (err < 0 || !at)
			return err;
		err = get_string(user_at(at), to);
		if (err < 0)
			return err;
		if (to->bytes + (i + 2) * sizeof(at) > limit)
			return -E2BIG;
	}
	return 0;
}

static long prepare(struct exec_plan *plan, int dir, user_addr path, unsigned flags, user_addr argv,
	user_addr envp)
{
	struct place p;
	int err = place_get(&p, dir, path, flags);
	if (err < 0)
		return err;
	err = get_strings(argv, &plan->arguments);
	if (err == 0)
		err = get_strings(envp, &plan->environment);
	if (err == 0 && p.lookup) {
		/* fexecve(3): the file itself, by the name it has. */
		char *name = heap_alloc(PATH_MAX);
		err = !name                                  ? -ENOMEM
		      : vfs_path(p.base, name, PATH_MAX) < 0 ? -ENOENT
							     : exec_prepare(plan, NULL, name);
		heap_free(name);
	} else if (err == 0) {
		err = p.path.text[0] == '\0' ? -ENOENT : exec_prepare(plan, p.base, p.path.text);
	}
	place_put(&p);
	return err;
}

static long execute(const struct syscall_args *args, int dir, user_addr path, unsigned flags,
	user_addr argv, user_addr envp)
{
	if (flags & ~(unsigned)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	struct exec_plan *plan = heap_zalloc(sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	long err = prepare(plan, dir, path, flags, argv, envp);
	if (err == 0 && !process_end_others())
		err = -EINTR; /* another thread ends the process */
	if (err < 0) {
		exec_plan_free(plan);
		heap_free(plan);
		return err;
	}
	trace_ends(args->trace);
	exec_commit(plan);
}

long sys_execve(const struct syscall_args *args)
{
	return execute(args, AT_FDCWD, arg_user(args, 0), 0, arg_user(args, 1), arg_user(args, 2));
}

long sys_execveat(const struct syscall_args *args)
{
	return execute(args, arg_int(args, 0), arg_user(args, 1), arg_uint(args, 4),
		arg_user(args, 2), arg_user(args, 3));
}

/* --- children, of which there are none --- */

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)
#define WAITID_OPTIONS (WAIT4_OPTIONS | WEXITED | WNOWAIT)

long sys_wait4(const struct syscall_args *args)
{
	if (arg_uint(args, 2) & ~WAIT4_OPTIONS)
		return -EINVAL;
	return arg_int(args, 0) == INT32_MIN ? -ESRCH : -ECHILD;
}

/* The process itself is nobody's child that it could wait for. */
static long wait_for_pidfd(int fd)
{
	struct file *f = NULL;
	struct task *t = NULL;
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	err = pidfd_task(f, &t);
	file_put(f);
	if (err < 0)
		return err == -ESRCH ? -ECHILD : err;
	thread_put(&t->thread);
	return -ECHILD;
}

long sys_waitid(const struct syscall_args *args)
{
	unsigned options = arg_uint(args, 3);
	int id = arg_int(args, 1);
	if ((options & ~WAITID_OPTIONS) || !(options & (WEXITED | WUNTRACED | WCONTINUED)))
		return -EINVAL;
	switch (arg_uint(args, 0)) {
	case P_ALL:
		return -ECHILD;
	case P_PID:
		return id <= 0 ? -EINVAL : -ECHILD;
	case P_PGID:
		return id < 0 ? -EINVAL : -ECHILD;
	case P_PIDFD:
		return id < 0 ? -EINVAL : wait_for_pidfd(id);
	default:
		return -EINVAL;
	}
}

/* --- ids: one process, leader of its group and session --- */

long sys_getpid(const struct syscall_args *args)
{
	(void)args;
	return PROCESS_ID;
}

long sys_getppid(const struct syscall_args *args)
{
	(void)args;
	return 0;
}

static long own_id(int pid)
{
	return pid == 0 || pid == PROCESS_ID ? PROCESS_ID : -ESRCH;
}

long sys_getpgid(const struct syscall_args *args)
{
	return own_id(arg_int(args, 0));
}

long sys_getpgrp(const struct syscall_args *args)
{
	(void)args;
	return PROCESS_ID;
}

long sys_getsid(const struct syscall_args *args)
{
	return own_id(arg_int(args, 0));
}

/* A session leader's group can not change; a group leader can not open a session. */
long sys_setpgid(const struct syscall_args *args)
{
	if (arg_int(args, 1) < 0)
		return -EINVAL;
	return own_id(arg_int(args, 0)) < 0 ? -ESRCH : -EPERM;
}

long sys_setsid(const struct syscall_args *args)
{
	(void)args;
	return -EPERM;
}

long sys_personality(const struct syscall_args *args)
{
	unsigned persona = arg_uint(args, 0);
	if (persona == 0xffffffff)
		return PER_LINUX;
	/* Randomisation of the next program and the like would have to be remembered; nothing else is. */
	return persona == PER_LINUX ? PER_LINUX : -EINVAL;
}
