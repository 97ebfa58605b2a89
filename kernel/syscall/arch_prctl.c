/* arch_prctl(2): the FS and GS bases of the calling thread.  A call of x86-64 alone. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/syscall.h"

long sys_arch_prctl(const struct syscall_args *args)
{
	uintptr_t address = args->a[1];
	bool sets = arg_int(args, 0) == ARCH_SET_FS || arg_int(args, 0) == ARCH_SET_GS;
	if (sets && address >= USER_END)
		return -EPERM;
	switch (arg_int(args, 0)) {
	case ARCH_SET_FS:
		thread_set_tls(address);
		return 0;
	case ARCH_SET_GS:
		thread_set_user_gs(address);
		return 0;
	case ARCH_GET_FS:
		address = thread_tls();
		return copy_out(user_at(args->a[1]), &address, sizeof(address));
	case ARCH_GET_GS:
		address = thread_user_gs();
		return copy_out(user_at(args->a[1]), &address, sizeof(address));
	default:
		return -EINVAL;
	}
}
