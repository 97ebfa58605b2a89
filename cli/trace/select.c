/*
 * Which calls: strace's -e trace=openat,%file,!futex, and files of names.  Classes go by what a
 * call's signature takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"
#include "cli/trace/calls.h"
#include "cli/trace/view.h"

struct class
{
	const char *name;
	const char *words; /* of signatures or names, each with a blank on both sides */
	bool by_signature;
};

/* clang-format off */
static const struct class classes[] = {
	{"file", " path out_path dirfd ", true},
	{"desc", " fd dirfd poll fd_set epoll_event ", true},
	{"network", " socket socketpair bind connect listen accept accept4 getsockname getpeername "
		"sendto recvfrom setsockopt getsockopt shutdown sendmsg recvmsg sendmmsg recvmmsg ",
		false},
	{"memory", " mmap munmap mprotect mremap madvise brk msync mincore mlock mlock2 munlock "
		"mlockall munlockall remap_file_pages pkey_mprotect shmat shmdt mbind "
		"get_mempolicy set_mempolicy migrate_pages move_pages process_madvise ", false},
	{"process", " clone clone3 fork vfork execve execveat exit exit_group wait4 waitid kill "
		"tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal ",
		false},
	{"signal", " rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigreturn "
		"rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack kill tkill tgkill "
		"pause signalfd signalfd4 ", false},
	{"ipc", " shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv "
		"msgctl ", false},
	{"stat", " stat lstat fstat newfstatat statx ", false},
	{"creds", " getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid "
		"setresgid getresuid getresgid setfsuid setfsgid getgroups setgroups capget "
		"capset prctl ", false},
	{"clock", " clock_gettime clock_settime clock_getres clock_adjtime adjtimex gettimeofday "
		"settimeofday time ", false},
};
/* clang-format on */

static bool has_word(const char *words, const char *word, size_t len)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " %.*s ", (int)len, word);
	return strstr(words, wanted) != NULL;
}

/* Some argument's kind is one of the words. */
static bool takes_one_of(const char *signature, const char *words)
{
	for (const char *s = signature; *s;) {
		size_t n = strcspn(s, " ,=");

		if (n && has_word(words, s, n))
			return true;
		s += strcspn(s, ",");
		s += strspn(s, ", ");
	}
	return false;
}

static bool mark_class(bool *set, const char *name, size_t len, bool value)
{
	for (size_t k = 0; k < sizeof(classes) / sizeof(classes[0]); k++) {
		if (strncmp(classes[k].name, name, len) != 0 || classes[k].name[len])
			continue;
		for (size_t i = 0; i < trace_n_syscalls; i++) {
			const struct trace_syscall *c = &trace_syscalls[i];

			if (classes[k].by_signature
					? takes_one_of(c->signature, classes[k].words)
					: has_word(classes[k].words, c->name, strlen(c->name)))
				set[i] = value;
		}
		return true;
	}
	return false;
}

static int mark(bool *set, const char *item, size_t len, bool value)
{
	const struct trace_syscall *call;

	if ((len == 3 && strncmp(item, "all", 3) == 0) ||
		(len == 7 && strncmp(item, "syscall", 7) == 0)) {
		memset(set, value, trace_n_syscalls);
		return 0;
	}
	if (*item == '%' && mark_class(set, item + 1, len - 1, value))
		return 0;
	call = *item == '%' ? NULL : trace_syscall_named(item, len);
	if (!call && (*item == '%' || !mark_class(set, item, len, value)))
		return fail(EINVAL,
			"cannot trace %.*s: it is neither a system call nor a class such as %%file",
			(int)len, item);
	if (call)
		set[call - trace_syscalls] = value;
	return 0;
}

/* "[trace=][!]ITEM,ITEM" */
static int apply(bool *set, const char *expression)
{
	const char *s = expression;

	if (string_starts(s, "trace="))
		s += strlen("trace=");
	else if (strchr(s, '='))
		return fail(EINVAL, "cannot use -e %s: there is -e trace=LIST only", expression);
	bool without = *s == '!';

	s += without;
	memset(set, without, trace_n_syscalls);
	while (*s) {
		size_t n = strcspn(s, ",");
		int err = n ? mark(set, s, n, !without) : 0;

		if (err < 0)
			return err;
		s += n + (s[n] == ',');
	}
	return 0;
}

int trace_selection(const struct string_list *expressions, char **out)
{
	bool *set = memory_new(trace_n_syscalls, sizeof(*set));
	struct text names = {0};
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; err >= 0 && i < expressions->n; i++)
		err = apply(set, expressions->items[i]);
	for (size_t i = 0; i < trace_n_syscalls; i++)
		if (set[i])
			text_format(&names, "%s%s", n++ ? "," : "", trace_syscalls[i].name);
	free(set);
	if (err >= 0 && expressions->n && !n)
		err = fail(EINVAL, "cannot trace nothing: -e names no system call");
	*out = err < 0                           ? NULL
	       : n == 0 || n == trace_n_syscalls ? memory_string("syscall")
						 : text_take(&names);
	if (err < 0 || n == 0 || n == trace_n_syscalls)
		text_free(&names);
	return err;
}

int trace_read_names(const char *path, char **out)
{
	FILE *f = fopen(path, "re");
	char line[256];
	struct text names = {0};
	int err = 0;

	if (!f)
		return fail(errno, "cannot read the list of system calls %s: %s", path,
			strerror(errno));
	for (unsigned number = 1; err >= 0 && fgets(line, sizeof(line), f); number++) {
		size_t n = strcspn(line, "# \t\r\n");

		if (n && !trace_syscall_named(line, n))
			err = fail(EINVAL, "%s:%u: there is no system call %.*s", path, number,
				(int)n, line);
		else if (n)
			text_format(&names, "%s%.*s", names.len ? "," : "", (int)n, line);
	}
	fclose(f);
	if (err < 0)
		text_free(&names);
	*out = err < 0 ? NULL : text_take(&names);
	return err;
}
