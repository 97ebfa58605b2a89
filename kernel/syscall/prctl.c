/* prctl(2): what a program sets about itself. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/string.h"
#include "kernel/syscall/user.h"

static long set_name(user_addr from)
{
	char name[THREAD_NAME_SIZE];
	long n = user_string(name, from, sizeof(name));
	if (n == -ENAMETOOLONG)
		name[sizeof(name) - 1] = '\0';
	else if (n < 0)
		return n;
	string_copy(thread_current()->name, name, sizeof(name));
	return 0;
}

static long get_name(user_addr to)
{
	char name[THREAD_NAME_SIZE] = {0};
	string_copy(name, thread_current()->name, sizeof(name));
	return copy_out(to, name, sizeof(name));
}

static long ambient(unsigned long operation, unsigned long capability)
{
	uint64_t bit = capability <= CAP_LAST ? 1ull << capability : 0;
	if (operation == PR_CAP_AMBIENT_CLEAR_ALL) {
		process.capabilities_ambient = 0;
		return 0;
	}
	if (!bit)
		return -EINVAL;
	switch (operation) {
	case PR_CAP_AMBIENT_IS_SET:
		return (process.capabilities_ambient & bit) != 0;
	case PR_CAP_AMBIENT_RAISE:
		if (!(process.capabilities_permitted & process.capabilities_inheritable & bit))
			return -EPERM;
		process.capabilities_ambient |= bit;
		return 0;
	case PR_CAP_AMBIENT_LOWER:
		process.capabilities_ambient &= ~bit;
		return 0;
	default:
		return -EINVAL;
	}
}

static long bounding(int option, unsigned long capability)
{
	if (capability > CAP_LAST)
		return -EINVAL;
	if (option == PR_CAPBSET_READ)
		return process.capabilities_bounding >> capability & 1;
	if (!process_capable(CAP_SETPCAP))
		return -EPERM;
	process.capabilities_bounding &= ~(1ull << capability);
	return 0;
}

static long put_int(user_addr to, int value)
{
	return copy_out(to, &value, sizeof(value));
}

/* Settings of the process that are kept and read back, and act where they can. */
static long process_setting(int option, unsigned long a, unsigned long b)
{
	switch (option) {
	case PR_GET_DUMPABLE:
		return process.settings.dumpable;
	case PR_SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		process.settings.dumpable = (uint8_t)a;
		return 0;
	case PR_GET_KEEPCAPS:
		return process.keep_capabilities;
	case PR_SET_KEEPCAPS:
		if (a > 1)
			return -EINVAL;
		process.keep_capabilities = a;
		return 0;
	case PR_GET_SECUREBITS:
		return process.securebits;
	case PR_SET_SECUREBITS:
		process.securebits = (uint32_t)a;
		return process_capable(CAP_SETPCAP) ? 0 : -EPERM;
	case PR_SET_NO_NEW_PRIVS:
		process.no_new_privileges = a == 1;
		return a == 1 ? 0 : -EINVAL;
	case PR_GET_NO_NEW_PRIVS:
		return process.no_new_privileges;
	case PR_SET_THP_DISABLE:
		process.settings.no_huge_pages = process.space.no_large_pages = a != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return process.settings.no_huge_pages;
	case PR_SET_CHILD_SUBREAPER:
		process.settings.subreaper = a != 0;
		return 0;
	case PR_SET_PDEATHSIG:
		if (a > SIGNALS)
			return -EINVAL;
		process.settings.parent_death_signal = (uint8_t)a;
		return 0;
	case PR_SET_PTRACER: /* nobody traces */
		return 0;
	case PR_GET_SECCOMP:
		return task_current()->seccomp_mode;
	case PR_SET_SECCOMP:
		return prctl_set_seccomp(a, b);
	case PR_GET_TIMING:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_prctl(const struct syscall_args *args)
{
	unsigned long a = args->a[1];
	int option = arg_int(args, 0);
	switch (option) {
	case PR_SET_NAME:
		return set_name(user_at(a));
	case PR_GET_NAME:
		return get_name(user_at(a));
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
		return bounding(option, a);
	case PR_CAP_AMBIENT:
		return ambient(a, args->a[2]);
	case PR_SET_TIMERSLACK:
		task_current()->timer_slack_ns = a ? a : 50000;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)task_current()->timer_slack_ns;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(user_at(a), process.settings.subreaper);
	case PR_GET_PDEATHSIG:
		return put_int(user_at(a), process.settings.parent_death_signal);
	case PR_GET_TSC:
		return put_int(user_at(a), 1); /* PR_TSC_ENABLE */
	case PR_GET_TID_ADDRESS:
		return copy_out(user_at(a), &task_current()->clear_child_tid.va, sizeof(uintptr_t));
	case PR_SET_VMA: /* names of anonymous areas: as a Linux without CONFIG_ANON_VMA_NAME */
	default:
		return process_setting(option, a, args->a[2]);
	}
}
