/* seccomp(2) and its older form, prctl(PR_SET_SECCOMP). */
#include "kernel/proc/seccomp.h"

#include "abi/linux/errno.h"
#include "kernel/lib/bpf.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/trace.h"
#include "kernel/syscall/user.h"

#define FLAGS_KNOWN                                                                                \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |    \
		SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

/* From now on the dispatcher asks. */
static long begun(long result)
{
	if (result == 0)
		syscalls_watched = true;
	return result;
}

static long set_filter(unsigned flags, user_addr from)
{
	struct linux_sock_fprog p;
	if (flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (copy_in(&p, from, sizeof(p)) < 0)
		return -EFAULT;
	if (p.n == 0 || p.n > BPF_MAXINSNS)
		return -EINVAL;
	struct linux_sock_filter *program = heap_array(p.n, sizeof(*program));
	if (!program)
		return -ENOMEM;
	uint16_t *scratch = heap_array(p.n, sizeof(*scratch));
	long result =
		scratch ? copy_in(program, user_at(p.filter), p.n * sizeof(*program)) : -ENOMEM;
	if (result == 0 && !bpf_check(program, p.n, BPF_SECCOMP, scratch))
		result = -EINVAL;
	heap_free(scratch);
	if (result == 0)
		return begun(seccomp_add(program, p.n, flags));
	heap_free(program);
	return result;
}

static long action_available(user_addr at)
{
	uint32_t action;
	if (copy_in(&action, at, sizeof(action)) < 0)
		return -EFAULT;
	return seccomp_action_known(action) ? 0 : -EOPNOTSUPP;
}

long sys_seccomp(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 1);
	switch (arg_uint(args, 0)) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || args->a[2] ? -EINVAL : begun(seccomp_set_strict());
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(flags, arg_user(args, 2));
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(arg_user(args, 2));
	default: /* SECCOMP_GET_NOTIF_SIZES: there are no notifications */
		return -EINVAL;
	}
}

long prctl_set_seccomp(unsigned long mode, unsigned long program)
{
	if (mode == SECCOMP_MODE_STRICT)
		return begun(seccomp_set_strict());
	return mode == SECCOMP_MODE_FILTER ? set_filter(0, user_at(program)) : -EINVAL;
}
