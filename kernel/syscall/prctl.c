/* prctl(2): what a program sets about itself. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/string.h"
#include "kernel/proc/credentials.h"
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

/* --- capabilities --- */

static long ambient(unsigned long operation, unsigned long capability)
{
	uint64_t bit = capability <= CAP_LAST ? 1ull << capability : 0;
	if (operation == PR_CAP_AMBIENT_CLEAR_ALL)
		return capability ? -EINVAL : credentials_change_ambient(CAP_ALL, 0);
	if (!bit)
		return -EINVAL;
	switch (operation) {
	case PR_CAP_AMBIENT_IS_SET:
		return (process.capabilities_ambient & bit) != 0;
	case PR_CAP_AMBIENT_RAISE:
		return credentials_change_ambient(0, bit);
	case PR_CAP_AMBIENT_LOWER:
		return credentials_change_ambient(bit, 0);
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
	return credentials_drop_bounding(1ull << capability);
}

static long credentials_setting(int option, unsigned long a)
{
	switch (option) {
	case PR_GET_KEEPCAPS:
		return (process.securebits & SECBIT_KEEP_CAPS) != 0;
	case PR_SET_KEEPCAPS:
		return a > 1 ? -EINVAL : credentials_keep_capabilities(a ? SECBIT_KEEP_CAPS : 0);
	case PR_GET_SECUREBITS:
		return process.securebits;
	default: /* PR_SET_SECUREBITS */
		return a > UINT32_MAX ? -EPERM : credentials_set_securebits((uint32_t)a);
	}
}

/* --- memory --- */

/* Where the program says its parts are: what /proc/self/stat and cmdline go by. */
static uintptr_t *memory_mark(unsigned which)
{
	switch (which) {
	case PR_SET_MM_START_CODE:
		return &process.code_start;
	case PR_SET_MM_END_CODE:
		return &process.code_end;
	case PR_SET_MM_START_DATA:
		return &process.data_start;
	case PR_SET_MM_END_DATA:
		return &process.data_end;
	case PR_SET_MM_START_STACK:
		return &process.stack_start;
	case PR_SET_MM_ARG_START:
		return &process.arg_start;
	case PR_SET_MM_ARG_END:
		return &process.arg_end;
	case PR_SET_MM_ENV_START:
		return &process.env_start;
	case PR_SET_MM_ENV_END:
		return &process.env_end;
	default:
		return NULL; /* the break, the program's file, and all at once: not changed from here */
	}
}

static bool marks_are_in_order(void)
{
	return process.code_start < process.code_end && process.data_start <= process.data_end &&
	       process.arg_start <= process.arg_end && process.env_start <= process.env_end;
}

static long set_memory_mark(unsigned which, uintptr_t address)
{
	uintptr_t *mark = memory_mark(which);
	if (!process_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (!mark || address < USER_START || address >= USER_END)
		return -EINVAL;
	rw_lock_write(&process.space_lock);
	const struct area *a = area_at(&process.space, address);
	uintptr_t old = *mark;
	*mark = address;
	long err = marks_are_in_order() ? 0 : -EINVAL;
	if (err == 0 && which >= PR_SET_MM_START_STACK && !a)
		err = -EFAULT;
	if (err < 0)
		*mark = old;
	rw_unlock_write(&process.space_lock);
	return err;
}

static long put_auxv(user_addr to, size_t size)
{
	uint8_t auxv[512];
	size_t n = min((size_t)(process.auxv_end - process.auxv_start), sizeof(auxv));
	if (copy_in(auxv, user_at(process.auxv_start), n) < 0 ||
		copy_out(to, auxv, min(n, size)) < 0)
		return -EFAULT;
	return (long)n;
}

/* Memory that can be written, or could, gets no right to execute; for good. */
static long deny_exec_gain(unsigned long flags)
{
	uint8_t old = process.settings.deny_exec_gain;
	if ((flags & ~(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT)) ||
		flags == PR_MDWE_NO_INHERIT)
		return -EINVAL;
	if (old && old != flags)
		return -EPERM;
	process.settings.deny_exec_gain = (uint8_t)flags;
	process.space.deny_exec_gain = flags != 0;
	return 0;
}

/* --- other settings --- */

/* Machine checks do not reach the program here; what it wants with them is kept. */
static long set_memory_error_policy(unsigned long operation, unsigned long policy)
{
	if (operation == PR_MCE_KILL_CLEAR && policy == 0)
		policy = PR_MCE_KILL_DEFAULT;
	else if (operation != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	process.settings.memory_error_policy = (uint8_t)policy;
	return 0;
}

/* No speculation is held back for one program's sake: it guards nothing here from anybody else. */
static long speculation(int option, unsigned long which)
{
	if (which > PR_SPEC_L1D_FLUSH)
		return -ENODEV;
	if (option == PR_SET_SPECULATION_CTRL)
		return which == PR_SPEC_L1D_FLUSH ? -EPERM : -ENXIO;
	return which == PR_SPEC_L1D_FLUSH ? PR_SPEC_FORCE_DISABLE : PR_SPEC_ENABLE;
}

static long io_flusher(int option, unsigned long on)
{
	if (!process_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (option == PR_GET_IO_FLUSHER)
		return on ? -EINVAL : process.settings.io_flusher;
	if (on > 1)
		return -EINVAL;
	process.settings.io_flusher = on;
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
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1)
			return -EINVAL;
		process.no_new_privileges = true;
		return 0;
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
	case PR_TASK_PERF_EVENTS_DISABLE: /* of which there are none */
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_SET_TIMING:
	case PR_SET_SYSCALL_USER_DISPATCH:
		return a == 0 ? 0 : -EINVAL; /* as it is; the other settings are missing */
	case PR_SET_TSC:
		return a == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_MCE_KILL:
		return set_memory_error_policy(a, b);
	case PR_MCE_KILL_GET:
		return process.settings.memory_error_policy;
	case PR_SET_MM:
		return set_memory_mark((unsigned)a, b);
	case PR_SET_MDWE:
		return deny_exec_gain(a);
	case PR_GET_MDWE:
		return process.settings.deny_exec_gain;
	default:
		return -EINVAL;
	}
}

/* The first argument, counted from 1, from which on all must be 0. */
static unsigned first_zero(int option)
{
	switch (option) {
	case PR_GET_NO_NEW_PRIVS:
	case PR_GET_THP_DISABLE:
	case PR_MCE_KILL_GET:
	case PR_GET_MDWE:
		return 1;
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_THP_DISABLE:
	case PR_GET_SPECULATION_CTRL:
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
	case PR_SET_MDWE:
		return 2;
	case PR_CAP_AMBIENT:
	case PR_GET_AUXV:
	case PR_MCE_KILL:
	case PR_SET_MM:
		return 3;
	case PR_SET_SPECULATION_CTRL:
		return 4;
	default:
		return 5;
	}
}

long sys_prctl(const struct syscall_args *args)
{
	unsigned long a = args->a[1];
	int option = arg_int(args, 0);
	for (unsigned i = first_zero(option); i < 5; i++)
		if (args->a[i])
			return -EINVAL;
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
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
		return credentials_setting(option, a);
	case PR_GET_SPECULATION_CTRL:
	case PR_SET_SPECULATION_CTRL:
		return speculation(option, a);
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
		return io_flusher(option, a);
	case PR_GET_AUXV:
		return put_auxv(user_at(a), args->a[2]);
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
		return put_int(user_at(a), PR_TSC_ENABLE);
	case PR_GET_TID_ADDRESS:
		return copy_out(user_at(a), &task_current()->clear_child_tid.va, sizeof(uintptr_t));
	case PR_SET_VMA: /* names of anonymous areas: as a Linux without CONFIG_ANON_VMA_NAME */
	default:
		return process_setting(option, a, args->a[2]);
	}
}
