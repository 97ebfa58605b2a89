/*
 * Calls whose arguments can not be drawn freely: those that would take the program's own memory, signals, descriptors or rights
 * away.  Memory is mapped, moved and protected in zones; signals keep handlers; what belongs to a thread (seccomp filters,
 * robust lists, credentials) happens in a brief thread that uses no library, since it may lose its stack pointer's friends.
 */
#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/guest/fuzz.h"

#define PAGE 4096
#define BRIEF_STACK (32 * 1024)
#define ALT_STACK (64 * 1024)
#define BRIEF_CALLS 6
#define BRIEF_TRIES 200000 /* 30 s */
#define FD_SPARE 40
#define RESTORER 0x04000000

static const char *const out[] = {"exit", "exit_group", "reboot", "rt_sigreturn", "fork", "vfork",
	"clone", "clone3", "brk", "chroot", "vhangup", "process_madvise", "userfaultfd"};
static const char *const brief[] = {"seccomp", "set_robust_list", "set_tid_address", "rseq",
	"unshare", "arch_prctl", "sched_setattr", "sched_setscheduler", "sched_setparam"};
static const char *const parting[] = {"prctl", "setuid", "setgid", "setreuid", "setregid",
	"setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capset"};
/* Not in brief threads: what stays behind until tame_after(), or reads memory that later calls write to. */
static const char *const at_once[] = {"mmap", "mremap", "shmat", "mlockall", "mq_notify"};

struct action { /* rt_sigaction(2)'s */
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};
static struct action plain_action;

struct brief {
	struct {
		long number, args[6];
	} calls[BRIEF_CALLS];
	unsigned n;
	_Atomic int tid;
};

static bool among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}
#define AMONG(name, list) among(name, list, sizeof(list) / sizeof(list[0]))

enum tamed tamed_kind(const char *name)
{
	return AMONG(name, out)       ? TAMED_OUT
	       : AMONG(name, brief)   ? TAMED_BRIEF
	       : AMONG(name, parting) ? TAMED_PARTING
				      : TAMED_OPEN;
}

/* --- memory --- */

void zone_prepare(struct thread *t)
{
	if (!t->zone)
		t->zone = mmap(NULL, 2 * ZONE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->zone == MAP_FAILED ||
		mmap(t->zone, ZONE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			-1, 0) != t->zone)
		die("no zone: %d", errno);
}

void zone_touch(struct thread *t)
{
	volatile uint8_t *at = threads[below(t, n_threads)].zone;
	if (!at)
		return;
	t->touching = true;
	if (!sigsetjmp(t->fault, 1))
		for (unsigned i = 0; i < 8; i++) {
			volatile uint8_t *byte = at + below(t, ZONE);
			if (below(t, 2))
				*byte = (uint8_t)i;
			else
				(void)*byte;
		}
	t->touching = false;
}

/* A piece of somebody's zone in args[at] and args[at + 1]. */
static void in_zone(struct thread *t, unsigned at)
{
	const uint8_t *zone = threads[below(t, n_threads)].zone;
	size_t from = below(t, ZONE / PAGE) * PAGE, n = 1 + below(t, below(t, 4) ? 8 * PAGE : ZONE);
	if (below(t, 8) == 0) { /* what must be refused */
		t->args[at] = hostile(t) | 1;
		return;
	}
	t->args[at] = (long)(zone ? zone + from : t->zone + from);
	t->args[at + 1] = (long)(n < ZONE - from ? n : ZONE - from);
}

static void tame_mremap(struct thread *t)
{
	in_zone(t, 0);
	t->args[2] = below(t, 16) ? below(t, 1 << 20) : 0;
	t->args[3] &= 7;
	long old[2] = {t->args[0], t->args[1]}, n = t->args[2];
	if (t->args[3] & MREMAP_FIXED) {
		t->args[0] = 0;
		in_zone(t, 0);
		t->args[4] = t->args[0];
		if (t->args[4] + n > t->args[4] + t->args[1])
			t->args[2] = t->args[1];
	}
	t->args[0] = old[0];
	t->args[1] = old[1];
}

static bool tame_memory(struct thread *t, const char *name)
{
	static const char *const ranges[] = {"munmap", "mprotect", "pkey_mprotect", "madvise",
		"mbind", "mseal", "munlock", "mlock", "mlock2", "msync", "mincore"};
	if (!strcmp(name, "mremap"))
		tame_mremap(t);
	else if (!strcmp(name, "mmap") && below(t, 2)) {
		in_zone(t, 0);
		t->args[3] |= t->args[0] & 1 ? 0 : MAP_FIXED;
		t->args[5] &= 0x7fff000;
	} else if (!strcmp(name, "remap_file_pages") || !strcmp(name, "shmdt"))
		in_zone(t, 0);
	else if (!strcmp(name, "shmat"))
		t->args[1] = 0, t->args[2] &= ~0x4000l; /* nowhere over others: SHM_REMAP */
	else if (!strcmp(name, "mseal"))                /* for good */
		t->args[0] = hostile(t) | 1;
	else if (AMONG(name, ranges))
		in_zone(t, 0);
	else
		return false;
	return true;
}

/* --- signals --- */

static void nothing(int signal)
{
	(void)signal;
}

static void fault(int signal)
{
	int tid = (int)syscall(SYS_gettid);
	for (unsigned i = 0; i < n_threads; i++)
		if (threads[i].tid == tid && threads[i].touching)
			siglongjmp(threads[i].fault, 1);
	struct sigaction a = {.sa_handler = SIG_DFL};
	sigaction(signal, &a, NULL);
}

void signals_prepare(void)
{
	struct sigaction a = {.sa_handler = nothing};
	for (int s = 1; s < 65; s++)
		if (s != SIGSEGV && s != SIGBUS && s != SIGILL && s != SIGFPE) {
			a.sa_flags = s == SIGUSR1 ? 0 : SA_RESTART;
			sigaction(s, &a, NULL);
		}
	a = (struct sigaction){.sa_handler = fault, .sa_flags = SA_NODEFER};
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGBUS, &a, NULL);
	syscall(SYS_rt_sigaction, SIGUSR1, NULL, &plain_action, 8);
}

static int harmless_signal(struct thread *t)
{
	static const int some[] = {0, SIGUSR1, SIGUSR2, SIGCHLD, SIGURG, SIGWINCH, SIGALRM, SIGHUP,
		SIGTSTP, SIGCONT, SIGPIPE, SIGSYS, SIGTRAP, 34, 35, 63, 64, 65, -1, 0x7fffffff};
	return some[below(t, sizeof(some) / sizeof(some[0]))];
}

/* Of the kind of thing a program blocks: never what ends our waits, or tells of faults. */
static unsigned long harmless_mask(struct thread *t)
{
	unsigned long never = 1ul << (SIGUSR1 - 1) | 1ul << (SIGSEGV - 1) | 1ul << (SIGBUS - 1) |
			      1ul << (SIGSYS - 1);
	return draw(t) & ~never;
}

static long place(struct thread *t, const void *what, size_t n)
{
	if (below(t, 6) == 0)
		return hostile(t);
	uint8_t *at = t->arena + 256 * below(t, 64);
	memcpy(at, what, n);
	return (long)at;
}

static void tame_sigaction(struct thread *t)
{
	struct action a = plain_action;
	bool quiet = below(t, 3) == 0; /* one whose default is to do nothing */
	int s = quiet ? (int[]){SIGCHLD, SIGURG, SIGWINCH, SIGCONT}[below(t, 4)]
		      : harmless_signal(t);
	a.flags = RESTORER | (draw(t) & (SA_NODEFER | SA_RESTART | SA_ONSTACK | SA_SIGINFO));
	a.mask = harmless_mask(t);
	if (quiet && below(t, 2))
		a.handler = below(t, 2) ? SIG_DFL : SIG_IGN;
	t->args[0] = s == SIGUSR1 || s == SIGSYS ? SIGUSR2 : s;
	t->args[1] = below(t, 8) ? place(t, &a, sizeof(a)) : 0;
	t->args[3] = below(t, 8) ? 8 : number(t);
}

static void tame_altstack(struct thread *t)
{
	stack_t s = {.ss_sp = t->stack + BRIEF_STACK,
		.ss_size = below(t, 4) ? ALT_STACK : below(t, 2048)};
	s.ss_flags = below(t, 4) ? 0 : below(t, 2) ? SS_DISABLE : (int)(1u << 31);
	t->args[0] = below(t, 8) ? place(t, &s, sizeof(s)) : 0;
}

static long event(struct thread *t)
{
	struct sigevent e = {.sigev_notify = (int)below(t, 6), .sigev_signo = harmless_signal(t)};
	e._sigev_un._tid = below(t, 4) ? threads[below(t, n_threads)].tid : (int)number(t);
	return below(t, 8) ? place(t, &e, sizeof(e)) : 0;
}

static bool tame_signals(struct thread *t, const char *name)
{
	unsigned long mask = harmless_mask(t);
	int pid = below(t, 4) ? getpid() : (int[]){0, 0x7fffffff, 99999}[below(t, 3)];
	int tid = below(t, 4) ? threads[below(t, n_threads)].tid : (int)(0x7fffffff & number(t));
	long *a = t->args;
	if (!strcmp(name, "kill") || !strcmp(name, "rt_sigqueueinfo"))
		a[0] = pid, a[1] = harmless_signal(t);
	else if (!strcmp(name, "tkill"))
		a[0] = tid, a[1] = harmless_signal(t);
	else if (!strcmp(name, "tgkill") || !strcmp(name, "rt_tgsigqueueinfo"))
		a[0] = pid, a[1] = tid, a[2] = harmless_signal(t);
	else if (!strcmp(name, "pidfd_send_signal"))
		a[1] = harmless_signal(t);
	else if (!strcmp(name, "rt_sigaction"))
		tame_sigaction(t);
	else if (!strcmp(name, "rt_sigprocmask"))
		a[1] = place(t, &mask, 8), a[3] = below(t, 8) ? 8 : number(t);
	else if (!strcmp(name, "rt_sigsuspend"))
		a[0] = place(t, &mask, 8), a[1] = below(t, 8) ? 8 : number(t);
	else if (!strcmp(name, "sigaltstack"))
		tame_altstack(t);
	else if (!strcmp(name, "timer_create") || !strcmp(name, "mq_notify"))
		a[1] = event(t);
	else
		return false;
	return true;
}

/* --- the rest --- */

static void tame_limit(struct thread *t, const char *name)
{
	static const int some[] = {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_NICE, RLIMIT_RTPRIO,
		RLIMIT_MSGQUEUE, RLIMIT_SIGPENDING, RLIMIT_MEMLOCK, 16, -1};
	struct rlimit now = {0, 0};
	int which = some[below(t, sizeof(some) / sizeof(some[0]))];
	unsigned at = name[0] == 'p' ? 1 : 0;
	if (which >= 0 && which < 16)
		getrlimit(which, &now);
	if (below(t, 2))
		now.rlim_cur = (rlim_t)number(t) + 256;
	if (at)
		t->args[0] = below(t, 2) ? 0 : getpid();
	t->args[at] = which;
	t->args[at + 1] = place(t, &now, sizeof(now));
}

static void tame_exec(struct thread *t, const char *name)
{
	/* Nothing there is a program: every one of these must fail, and late ones too. */
	unsigned at = strcmp(name, "execveat") ? 0 : 1;
	static const char *const files[] = {
		"/tmp/fuzz/a", "/tmp/fuzz", "/dev/null", "/tmp/fuzz/none", ""};
	const char *f = files[below(t, sizeof(files) / sizeof(files[0]))];
	t->args[at] = place(t, f, strlen(f) + 1);
	if (at)
		t->args[4] &= ~0x1000l; /* AT_EMPTY_PATH */
}

void tame(struct thread *t, const struct call *c)
{
	long *a = t->args;
	if (tame_memory(t, c->name) || tame_signals(t, c->name))
		return;
	if (!strncmp(c->name, "dup", 3) && (unsigned long)a[1] < FIRST_FD)
		a[1] = FIRST_FD + FD_SPARE; /* the console stays */
	else if (!strcmp(c->name, "close_range"))
		a[0] = FIRST_FD + FD_SPARE + below(t, 64),
		a[2] = below(t, 8) ? a[2] & 4 : number(t) & ~2l;
	/* Taking a futex with an owner goes on after every signal, as on Linux. */
	else if (!strcmp(c->name, "futex") &&
		 ((a[1] & 0x7f) == 6 || (a[1] & 0x7f) == 11 || (a[1] & 0x7f) == 13))
		a[1] = 1;
	else if (!strcmp(c->name, "mmap")) {
		a[3] &= ~(long)MAP_FIXED;
		if ((unsigned long)a[1] > 1 << 20)
			a[1] = PAGE;
	} else if (!strcmp(c->name, "fallocate") || strstr(c->name, "truncate"))
		a[1] &= 0xfffff, a[2] &= 0xfffff, a[3] &= 0xfffff;
	else if (!strcmp(c->name, "setrlimit") || !strcmp(c->name, "prlimit64"))
		tame_limit(t, c->name);
	else if (!strncmp(c->name, "execve", 6))
		tame_exec(t, c->name);
	else if (!strcmp(c->name, "ioperm") || !strcmp(c->name, "iopl"))
		a[0] = 0;
}

void tame_after(struct thread *t, const struct call *c, long result)
{
	static const struct rlimit files = {1024, 1024 * 1024};
	const uint8_t *at = (const uint8_t *)result;
	bool ours = false;
	for (unsigned i = 0; i < n_threads; i++)
		ours |= at >= threads[i].zone && at < threads[i].zone + 2 * ZONE;
	if ((!strcmp(c->name, "mmap") || !strcmp(c->name, "mremap")) && result != -1 && !ours)
		munmap((void *)result, (size_t)(c->name[1] == 'm' ? t->args[1] : t->args[2]));
	else if (!strcmp(c->name, "shmat") && result != -1)
		syscall(SYS_shmdt, result);
	else if (!strcmp(c->name, "mlockall"))
		munlockall();
	else if (strstr(c->name, "limit"))
		setrlimit(RLIMIT_NOFILE, &files);
	else if (!strcmp(c->name, "setitimer"))
		for (int i = 0; i < 3; i++)
			syscall(SYS_setitimer, i, &(struct itimerspec){0}, NULL);
	else if (!strcmp(c->name, "timer_settime"))
		syscall(SYS_timer_delete, t->args[0]);
}

/* --- brief threads --- */

static long raw(long number, const long *a)
{
	long result;
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* With the library's thread pointer of whoever made it: nothing but calls. */
static int brief_main(void *arg)
{
	struct brief *b = arg;
	for (unsigned i = 0; i < b->n; i++)
		raw(b->calls[i].number, b->calls[i].args);
	raw(SYS_exit, (long[6]){0});
	__builtin_unreachable();
}

static struct sock_fprog *random_filter(struct thread *t)
{
	struct sock_fprog *program = (void *)(t->arena + 48 * 1024);
	struct sock_filter *f = (void *)(program + 1);
	static const uint32_t verdicts[] = {SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM,
		SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_ERRNO | 0xffff, SECCOMP_RET_TRAP};
	unsigned n = 6 + below(t, 30);
	/* What ends a signal's handler and the thread is never refused. */
	f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0);
	f[2] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1);
	f[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (unsigned i = 4; i < n - 1; i++) {
		unsigned kind = below(t, 8);
		f[i] = kind < 4 ? (struct sock_filter)BPF_STMT(
					  BPF_LD | BPF_W | BPF_ABS, below(t, 16) * 4)
		       : kind < 6 ? (struct sock_filter)BPF_JUMP(BPF_JMP | below(t, 5) << 4 | BPF_K,
					    (uint32_t)below(t, 400), (uint8_t)below(t, n - i),
					    (uint8_t)below(t, n - i))
		       : kind < 7
			       ? (struct sock_filter)BPF_STMT(
					 BPF_ALU | below(t, 11) << 4, (uint32_t)below(t, 40))
			       : (struct sock_filter)BPF_STMT((uint16_t)draw(t), (uint32_t)draw(t));
		if (BPF_CLASS(f[i].code) == BPF_RET) /* any other verdict ends the process */
			f[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	f[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdicts[below(t, 7)]);
	program->len = below(t, 16) ? (unsigned short)n : (unsigned short)number(t);
	program->filter = below(t, 16) ? f : (void *)hostile(t);
	return program;
}

static void tame_brief(struct thread *t, const struct call *c)
{
	if (!strcmp(c->name, "seccomp")) {
		t->args[0] = below(t, 8) ? SECCOMP_SET_MODE_FILTER : (long)below(t, 5);
		t->args[1] = below(t, 4) ? 0 : number(t) & ~1l; /* not on all threads */
		t->args[2] = (long)random_filter(t);
	} else if (!strncmp(c->name, "sched_", 6))
		t->args[0] = 0;
	else if (!strcmp(c->name, "prctl"))
		t->args[0] = below(t, 8) ? (long)below(t, 80) : number(t);
}

static void brief_add(struct thread *t, struct brief *b, const struct call *c)
{
	fill_arguments(t, c);
	if (tamed_kind(c->name) == TAMED_OPEN)
		tame(t, c);
	else
		tame_brief(t, c);
	b->calls[b->n].number = c->number;
	memcpy(b->calls[b->n++].args, t->args, sizeof(t->args));
}

void brief_thread(
	struct thread *t, const struct call *first, const struct call *(*other)(struct thread *t))
{
	struct brief *b = (void *)(t->stack + BRIEF_STACK + ALT_STACK);
	b->n = 0;
	brief_add(t, b, first);
	for (unsigned n = below(t, BRIEF_CALLS - 1); n > 0; n--) {
		const struct call *c = other(t);
		if (!AMONG(c->name, at_once) && !strstr(c->name, "sig") &&
			!strstr(c->name, "limit") && !strstr(c->name, "timer"))
			brief_add(t, b, c);
	}
	memcpy(t->args, b->calls[0].args, sizeof(t->args));
	int tid = clone(brief_main, t->stack + BRIEF_STACK,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		b);
	if (tid < 0)
		return;
	for (unsigned i = 0; i < BRIEF_TRIES; i++) {
		if (syscall(SYS_tgkill, getpid(), tid, SIGUSR1) < 0 && errno == ESRCH)
			return;
		nanosleep(&(struct timespec){0, 100000}, NULL);
	}
	die("a thread that began with %s does not end", first->name);
}
