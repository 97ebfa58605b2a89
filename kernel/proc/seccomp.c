/* Filters form chains: a thread's newest first, older ones shared with those it came from. */
#include "kernel/proc/seccomp.h"

#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/bpf.h"
#include "kernel/lib/log.h"
#include "kernel/arch/abi.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"

#define CHAIN_MAX 32768u /* instructions a call may have to pass, each filter counting 4 more */
#define CHAIN_EXTRA 4u
#define SECCOMP_ERRNO_MAX 4095u

struct seccomp_filter {
	atomic_uint references;
	struct seccomp_filter *previous; /* a reference */
	unsigned n, depth;               /* depth: of the chain, in instructions */
	bool log;
	struct linux_sock_filter *program;
};

bool seccomp_action_known(uint32_t action)
{
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return true;
	default: /* SECCOMP_RET_USER_NOTIF needs a second process */
		return false;
	}
}

static void filter_get(struct seccomp_filter *f)
{
	if (f)
		atomic_fetch_add(&f->references, 1);
}

static void filter_put(struct seccomp_filter *f)
{
	while (f && atomic_fetch_sub(&f->references, 1) == 1) {
		struct seccomp_filter *previous = f->previous;
		heap_free(f->program);
		heap_free(f);
		f = previous;
	}
}

/* Is b the same chain as a, or an older part of it? */
static bool contains(const struct seccomp_filter *a, const struct seccomp_filter *b)
{
	while (a && a != b)
		a = a->previous;
	return a == b;
}

/* Under process.lock: the tid of a thread whose filters are not ours. */
static int stranger(const struct task *me)
{
	const struct task *t;
	list_for_each (t, &process.tasks, link)
		if (t != me && (t->seccomp_mode == SECCOMP_MODE_STRICT ||
				       !contains(me->seccomp, t->seccomp)))
			return t->thread.tid;
	return 0;
}

/*
 * Other threads may be running their filters: a chain that is replaced is part of the new one, so it stays.
 * Under process.lock; f is me's new chain.
 */
static void give_to_all(struct task *me, struct seccomp_filter *f)
{
	struct task *t;
	list_for_each (t, &process.tasks, link) {
		if (t == me)
			continue;
		struct seccomp_filter *old = t->seccomp;
		filter_get(f);
		t->seccomp = f;
		t->seccomp_mode = SECCOMP_MODE_FILTER;
		if (old)
			atomic_fetch_sub(&old->references, 1); /* never the last: f holds it */
	}
}

long seccomp_add(struct linux_sock_filter *program, unsigned n, unsigned flags)
{
	struct task *me = task_current();
	unsigned depth = n + CHAIN_EXTRA + (me->seccomp ? me->seccomp->depth : 0);
	int err = me->seccomp_mode == SECCOMP_MODE_STRICT                         ? -EINVAL
		  : !process.no_new_privileges && !process_capable(CAP_SYS_ADMIN) ? -EACCES
		  : depth > CHAIN_MAX                                             ? -ENOMEM
										  : 0;
	struct seccomp_filter *f = err < 0 ? NULL : heap_zalloc(sizeof(*f));
	if (!f) {
		heap_free(program);
		return err < 0 ? err : -ENOMEM;
	}
	*f = (struct seccomp_filter){.references = 1,
		.n = n,
		.depth = depth,
		.log = flags & SECCOMP_FILTER_FLAG_LOG,
		.program = program};
	irq_state state = spin_lock(&process.lock);
	int other = flags & SECCOMP_FILTER_FLAG_TSYNC ? stranger(me) : 0;
	if (!other) {
		f->previous = me->seccomp;
		me->seccomp = f;
		me->seccomp_mode = SECCOMP_MODE_FILTER;
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			give_to_all(me, f);
	}
	spin_unlock(&process.lock, state);
	if (!other)
		return 0;
	filter_put(f); /* with the program */
	return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : other;
}

int seccomp_set_strict(void)
{
	if (task_current()->seccomp_mode == SECCOMP_MODE_FILTER)
		return -EINVAL;
	task_current()->seccomp_mode = SECCOMP_MODE_STRICT;
	return 0;
}

/* Under process.lock, when t joins the others: SECCOMP_FILTER_FLAG_TSYNC finds it, or changed us before. */
void seccomp_inherit(struct task *t)
{
	const struct task *me = task_current();
	filter_get(me->seccomp);
	t->seccomp = me->seccomp;
	t->seccomp_mode = me->seccomp_mode;
}

void seccomp_release(struct task *t)
{
	filter_put(t->seccomp);
	t->seccomp = NULL;
}

unsigned seccomp_count(const struct task *t)
{
	unsigned n = 0;
	irq_state state = spin_lock(&process.lock);
	for (const struct seccomp_filter *f = t->seccomp; f; f = f->previous)
		n++;
	spin_unlock(&process.lock, state);
	return n;
}

/* --- deciding --- */

/* Of what all filters say, the strictest; actions are ordered as signed numbers. */
static uint32_t ask(
	const struct seccomp_filter *f, const struct linux_seccomp_data *data, bool *log)
{
	uint32_t verdict = SECCOMP_RET_ALLOW;
	for (; f; f = f->previous) {
		uint32_t said = bpf_run(f->program, BPF_SECCOMP, data, sizeof(*data));
		if ((int32_t)(said & SECCOMP_RET_ACTION_FULL) <
			(int32_t)(verdict & SECCOMP_RET_ACTION_FULL)) {
			verdict = said;
			*log = f->log;
		}
	}
	return verdict;
}

static void trap(struct trap_frame *f, const struct linux_seccomp_data *data, unsigned reason)
{
	const struct linux_siginfo info = {
		.si_signo = SIGSYS,
		.si_code = SYS_SECCOMP,
		.si_errno = (int32_t)reason,
		.sys = {data->ip, data->number, data->arch},
	};
	signal_force_info(&info);
	trap_set_result(f, data->number); /* as if the call had not been */
}

static void kill(
	const struct linux_seccomp_data *data, int signal, bool whole, struct trap_frame *f)
{
	log_warn("seccomp: system call %d ends thread %d with %s", data->number,
		thread_current()->tid, signal_name(signal));
	if (!whole && process.n_tasks > 1)
		process_exit_thread(signal);
	struct linux_siginfo info = {.si_signo = signal, .si_code = SYS_SECCOMP};
	info.sys.call_address = data->ip;
	info.sys.number = data->number;
	info.sys.arch = data->arch;
	process_killed(signal, &info, f);
}

static bool strict_allows(unsigned number)
{
	return number == SYSCALL_NUMBER(0, 63) || number == SYSCALL_NUMBER(1, 64) ||
	       number == SYSCALL_NUMBER(60, 93) || number == SYSCALL_NUMBER(15, 139);
}

bool seccomp_allows(
	struct trap_frame *f, unsigned number, const unsigned long args[6], long *result)
{
	const struct task *t = task_current();
	if (t->seccomp_mode == SECCOMP_MODE_DISABLED)
		return true;
	struct linux_seccomp_data data = {
		.number = (int32_t)number, .arch = AUDIT_ARCH, .ip = trap_ip(f)};
	for (unsigned i = 0; i < 6; i++)
		data.arguments[i] = args[i];
	if (t->seccomp_mode == SECCOMP_MODE_STRICT) {
		if (!strict_allows(number))
			kill(&data, SIGKILL, false, f);
		return true;
	}
	bool log = false;
	uint32_t verdict = ask(t->seccomp, &data, &log), action = verdict & SECCOMP_RET_ACTION_FULL;
	if (action == SECCOMP_RET_ALLOW)
		return true;
	if (log || action == SECCOMP_RET_LOG)
		log_info("seccomp: system call %d of thread %d: %#x", data.number, t->thread.tid,
			verdict);
	*result = -ENOSYS; /* also of SECCOMP_RET_TRACE and USER_NOTIF: nobody to ask */
	switch (action) {
	case SECCOMP_RET_LOG:
		return true;
	case SECCOMP_RET_ERRNO:
		*result = -(long)min(verdict & SECCOMP_RET_DATA, SECCOMP_ERRNO_MAX);
		return false;
	case SECCOMP_RET_TRAP:
		trap(f, &data, verdict & SECCOMP_RET_DATA);
		*result = data.number;
		return false;
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		return false;
	case SECCOMP_RET_KILL_THREAD:
		kill(&data, SIGSYS, false, f);
		return false;
	default: /* SECCOMP_RET_KILL_PROCESS and whatever nobody knows */
		kill(&data, SIGSYS, true, f);
		return false;
	}
}
