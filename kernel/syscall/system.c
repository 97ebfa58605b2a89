/* Limits, usage, and the machine: its name, its memory, its log, its randomness, its end. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "abi/linux/resource.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"
#include "kernel/proc/system.h"
#include "kernel/proc/timers.h"
#include "kernel/syscall/user.h"

/* --- limits --- */

/* A limit that another layer goes by. */
static void apply_limit(unsigned resource, const struct limit *l)
{
	if (resource == RLIMIT_CPU)
		cpu_limit_changed();
	if (resource == RLIMIT_NOFILE)
		fd_table_set_limit((unsigned)l->current);
	if (resource == RLIMIT_FSIZE)
		vfs_set_file_limit(l->current);
	rw_lock_write(&process.space_lock);
	if (resource == RLIMIT_AS)
		process.space.limit_bytes = l->current;
	else if (resource == RLIMIT_DATA)
		process.space.data_limit_bytes = l->current;
	else if (resource == RLIMIT_STACK)
		process.space.stack_limit_bytes = l->current;
	rw_unlock_write(&process.space_lock);
}

#define FILES_LIMIT_MAX 1048576u /* fs.nr_open */

static int set_limit(unsigned resource, const struct limit *new)
{
	if (new->current > new->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > FILES_LIMIT_MAX)
		return -EPERM;
	irq_state state = spin_lock(&process.lock);
	bool allowed =
		new->max <= process.limits[resource].max || process_capable(CAP_SYS_RESOURCE);
	if (allowed)
		process.limits[resource] = *new;
	spin_unlock(&process.lock, state);
	if (!allowed)
		return -EPERM;
	apply_limit(resource, new);
	return 0;
}

static long limit_call(unsigned resource, user_addr new_at, user_addr old_at)
{
	struct limit new, old;
	if (resource >= LIMITS)
		return -EINVAL;
	if (new_at.va && copy_in(&new, new_at, sizeof(new)) < 0)
		return -EFAULT;
	old = process.limits[resource];
	int err = new_at.va ? set_limit(resource, &new) : 0;
	return err < 0 || !old_at.va ? err : copy_out(old_at, &old, sizeof(old));
}

long sys_getrlimit(const struct syscall_args *args)
{
	return args->a[1] ? limit_call(arg_uint(args, 0), user_at(0), arg_user(args, 1)) : -EFAULT;
}

long sys_setrlimit(const struct syscall_args *args)
{
	return args->a[1] ? limit_call(arg_uint(args, 0), arg_user(args, 1), user_at(0)) : -EFAULT;
}

long sys_prlimit64(const struct syscall_args *args)
{
	int pid = arg_int(args, 0);
	if (pid != 0 && pid != PROCESS_ID)
		return -ESRCH;
	return limit_call(arg_uint(args, 1), arg_user(args, 2), arg_user(args, 3));
}

/* --- usage --- */

static void add_switches(struct linux_rusage *u)
{
	irq_state state = spin_lock(&process.lock);
	const struct task *t;
	list_for_each (t, &process.tasks, link) {
		u->ru_nvcsw += (int64_t)t->thread.n_voluntary;
		u->ru_nivcsw += (int64_t)t->thread.n_involuntary;
	}
	spin_unlock(&process.lock, state);
}

long sys_getrusage(const struct syscall_args *args)
{
	struct linux_rusage u;
	uint64_t user_ns = 0, system_ns = 0;
	memset(&u, 0, sizeof(u));
	switch (arg_int(args, 0)) {
	case RUSAGE_SELF:
		process_cpu_ns(&user_ns, &system_ns);
		add_switches(&u);
		break;
	case RUSAGE_THREAD:
		thread_times(thread_current(), &user_ns, &system_ns);
		u.ru_nvcsw = (int64_t)thread_current()->n_voluntary;
		u.ru_nivcsw = (int64_t)thread_current()->n_involuntary;
		break;
	case RUSAGE_CHILDREN:
		return user_clear(arg_user(args, 1), sizeof(u));
	default:
		return -EINVAL;
	}
	u.ru_utime = timeval_of(user_ns);
	u.ru_stime = timeval_of(system_ns);
	uint64_t resident = process.space.resident_pages;
	u.ru_maxrss = (int64_t)(max(resident, process.max_resident_pages) * (PAGE_SIZE / 1024));
	u.ru_minflt = (int64_t)process.space.minor_faults;
	u.ru_majflt = (int64_t)process.space.major_faults;
	return copy_out(arg_user(args, 1), &u, sizeof(u));
}

long sys_sysinfo(const struct syscall_args *args)
{
	struct memory_usage m;
	page_usage(&m);
	struct linux_sysinfo info = {
		.uptime = (int64_t)div_round_up(clock_monotonic_ns(), NS_PER_S),
		.totalram = m.total * PAGE_SIZE,
		.freeram = m.free * PAGE_SIZE,
		.bufferram = m.cached * PAGE_SIZE,
		.procs = (uint16_t)min(process.n_tasks, 65535u),
		.mem_unit = 1,
	};
	system_load(info.loads);
	return copy_out(arg_user(args, 0), &info, sizeof(info));
}

/* --- names --- */

long sys_uname(const struct syscall_args *args)
{
	struct linux_utsname u;
	memset(&u, 0, sizeof(u));
	string_copy(u.sysname, "Linux", sizeof(u.sysname));
	string_copy(u.release, SYSTEM_RELEASE, sizeof(u.release));
	string_copy(u.version, SYSTEM_VERSION, sizeof(u.version));
	string_copy(u.machine, cpu_platform(), sizeof(u.machine));
	system_host_name(u.nodename);
	system_domain_name(u.domainname);
	return copy_out(arg_user(args, 0), &u, sizeof(u));
}

static long set_name(const struct syscall_args *args, int (*set)(const char *name, size_t len))
{
	char name[SYSTEM_NAME_MAX];
	size_t n = args->a[1];
	if (!process_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (n > sizeof(name))
		return -EINVAL;
	return copy_in(name, arg_user(args, 0), n) < 0 ? -EFAULT : set(name, n);
}

long sys_sethostname(const struct syscall_args *args)
{
	return set_name(args, system_set_host_name);
}

long sys_setdomainname(const struct syscall_args *args)
{
	return set_name(args, system_set_domain_name);
}

/* --- syslog(2) --- */

enum {
	LOG_CLOSE,
	LOG_OPEN,
	LOG_READ,
	LOG_READ_ALL,
	LOG_READ_CLEAR,
	LOG_CLEAR,
	LOG_CONSOLE_OFF,
	LOG_CONSOLE_ON,
	LOG_CONSOLE_LEVEL,
	LOG_SIZE_UNREAD,
	LOG_SIZE_BUFFER
};
#define LOG_BUFFER_SIZE 65536u

static long read_log(user_addr to, int size)
{
	if (size < 0 || !to.va)
		return -EINVAL;
	size_t n = min((size_t)size, (size_t)LOG_BUFFER_SIZE);
	char *buf = heap_alloc(max(n, (size_t)1));
	if (!buf)
		return -ENOMEM;
	n = log_tail(buf, n);
	long result = copy_out(to, buf, n) < 0 ? -EFAULT : (long)n;
	heap_free(buf);
	return result;
}

long sys_syslog(const struct syscall_args *args)
{
	switch (arg_int(args, 0)) {
	case LOG_READ_ALL:
	case LOG_READ_CLEAR:
		return read_log(arg_user(args, 1), arg_int(args, 2));
	case LOG_SIZE_BUFFER:
		return LOG_BUFFER_SIZE;
	case LOG_CLOSE:
	case LOG_OPEN:
	case LOG_CLEAR:
	case LOG_CONSOLE_OFF:
	case LOG_CONSOLE_ON:
	case LOG_CONSOLE_LEVEL:
	case LOG_SIZE_UNREAD:
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- getrandom(2) --- */

#define GRND_ALL 7u /* NONBLOCK, RANDOM, INSECURE */
#define GRND_RANDOM_INSECURE 6u

long sys_getrandom(const struct syscall_args *args)
{
	user_addr to = arg_user(args, 0);
	size_t left = min(args->a[1], (size_t)INT32_MAX), done = 0;
	unsigned flags = arg_uint(args, 2);
	if ((flags & ~GRND_ALL) || (flags & GRND_RANDOM_INSECURE) == GRND_RANDOM_INSECURE)
		return -EINVAL;
	while (done < left) {
		uint8_t bytes[256];
		size_t n = min(left - done, sizeof(bytes));
		random_bytes(bytes, n);
		if (copy_out(user_offset(to, done), bytes, n) < 0)
			return done ? (long)done : -EFAULT;
		done += n;
		if (done < left && thread_interrupted())
			break;
	}
	return (long)done;
}

/* --- reboot(2) --- */

#define REBOOT_MAGIC 0xfee1deadu
#define REBOOT_RESTART 0x01234567u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_CAD_ON 0x89abcdefu
#define REBOOT_CAD_OFF 0u

static bool second_magic(unsigned magic)
{
	return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

long sys_reboot(const struct syscall_args *args)
{
	if (!process_capable(CAP_SYS_BOOT))
		return -EPERM;
	if (arg_uint(args, 0) != REBOOT_MAGIC || !second_magic(arg_uint(args, 1)))
		return -EINVAL;
	switch (arg_uint(args, 2)) {
	case REBOOT_RESTART:
		vfs_sync_all();
		machine_restart();
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		process_exit_group(0);
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}
