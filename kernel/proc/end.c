/*
 * How it ends: a thread, all other threads, the process, and with it the machine.
 *
 * One task at a time may be the "reaper": it tells all others to end (WORK_EXIT takes them out of sleeps and to
 * user_return()), waits for them, and then ends the machine or, for execve(2), goes on alone.
 */
#include "abi/boot.h"
#include "abi/linux/errno.h"
#include "abi/linux/sched.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/missing.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/futex.h"

#define REAP_PATIENCE_NS                                                                           \
	(5 * NS_PER_S) /* then a thread hangs in the kernel, and the end comes without it */
#define ROBUST_LIST_MAX 2048u

static void (*end_hook)(void), (*program_hook)(void);
static void (*thread_hook)(int tid);

void process_set_leave_hooks(void (*thread)(int tid), void (*program)(void))
{
	program_hook = program;
	thread_hook = thread;
}

void process_set_end_hook(void (*hook)(void))
{
	end_hook = hook;
}

_Noreturn void process_end(const char *record, unsigned status)
{
	static atomic_bool ending;
	if (atomic_exchange(&ending, true)) /* the end itself failed: nothing more is tried */
		machine_end(record, status);
	process.exiting = true;
	fd_close_all();
	if (end_hook)
		end_hook();
	missing_files_list();
	vfs_shut_down();
	machine_end(record, status);
}

/* Become the reaper; false: another task is it. */
static bool reaper_claim(void)
{
	irq_state state = spin_lock(&process.lock);
	bool mine = !process.reaper || process.reaper == task_current();
	if (mine)
		process.reaper = task_current();
	spin_unlock(&process.lock, state);
	return mine;
}

static void notify_others(void)
{
	irq_state state = spin_lock(&process.lock);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		if (t != task_current())
			thread_notify(&t->thread, WORK_EXIT);
	spin_unlock(&process.lock, state);
}

/* Somebody the process does not list (the machine's start) is alone. */
static bool alone(void)
{
	return process.n_tasks <= 1;
}

/* As the reaper: all others are gone, or hang. */
static void reap(void)
{
	uint64_t give_up_ns = clock_monotonic_ns() + REAP_PATIENCE_NS;
	notify_others();
	struct waiter w;
	waiter_init_thread(&w, EVENTS_ALL, 0);
	wait_add(&process.tasks_changed, &w);
	while (!alone() && thread_block(give_up_ns) != -ETIMEDOUT)
		;
	wait_remove(&process.tasks_changed, &w);
	if (!alone())
		log_warn("%u threads did not end within 5 seconds", process.n_tasks - 1);
}

bool process_end_others(void)
{
	if (!reaper_claim())
		return false;
	reap();
	irq_state state = spin_lock(&process.lock);
	process.reaper = NULL;
	spin_unlock(&process.lock, state);
	return true;
}

void task_become_leader(struct task *t)
{
	irq_state state = spin_lock(&process.lock);
	t->thread.tid = PROCESS_ID;
	t->ending = false;
	t->rseq = user_at(0);
	spin_unlock(&process.lock, state);
}

static bool is_task(void)
{
	return process.n_tasks > 0;
}

_Noreturn void process_exit_group(int status)
{
	if (!reaper_claim())
		process_exit_thread(status);
	reap();
	char record[BOOT_STATUS_MAX];
	format(record, sizeof(record), "exited %d\n", status & 0xff);
	process_end(record, status & 0xff);
}

_Noreturn void process_killed(int signal, const struct linux_siginfo *info, struct trap_frame *f)
{
	if (!reaper_claim())
		process_exit_thread(signal);
	reap();
	crash_report(signal, info, f);
	char record[BOOT_STATUS_MAX];
	format(record, sizeof(record), "killed %d\n", signal);
	process_end(record, 128 + (unsigned)signal);
}

_Noreturn void process_out_of_memory(const char *what)
{
	if (is_task()) {
		if (!reaper_claim())
			process_exit_thread(SIGKILL);
		/* Those that wait for memory, too, end this way; what they held stays held. */
		reap();
	}
	memory_report(what);
	process_end("oom\n", 128 + SIGKILL);
}

/* --- a thread leaves --- */

/* A robust futex of a dead owner: the next one is told.  True: go on with the list. */
static void release_robust(struct task *t, user_addr word, bool inherits)
{
	uint32_t value = 0, old = 0;
	if (word.va & 3 || user_load_u32(word, &value) < 0)
		return;
	while ((value & FUTEX_TID_MASK) == (uint32_t)t->thread.tid) {
		if (user_exchange_u32(
			    word, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &old) < 0)
			return;
		if (old == value) {
			/* Those of a PI futex are told by futex_pi_owner_died(). */
			if ((value & FUTEX_WAITERS) && !inherits)
				(void)!futex_wake(word, FUTEX_KEY_SHARED, 1, FUTEX_MATCH_ANY);
			return;
		}
		value = old;
	}
}

/* set_robust_list(2): the program's own linked list; as hostile as anything from there. */
static void release_robust_list(struct task *t)
{
	struct linux_robust_list_head head;
	if (!t->robust_list.va || copy_in(&head, t->robust_list, sizeof(head)) < 0)
		return;
	/* Bit 0 of a pointer: a PI futex. */
	uint64_t entry = head.next, pending = head.list_op_pending;
	uint64_t offset = (uint64_t)head.futex_offset;
	for (unsigned n = 0; (entry & ~1ul) != t->robust_list.va && n < ROBUST_LIST_MAX; n++) {
		uint64_t next = 0, at = entry & ~1ul;
		int err = copy_in(&next, user_at(at), sizeof(next));
		if (at != (pending & ~1ul))
			release_robust(t, user_at(at + offset), entry & 1);
		if (err < 0)
			break;
		entry = next;
	}
	if (pending & ~1ul)
		release_robust(t, user_at((pending & ~1ul) + offset), pending & 1);
	t->robust_list = user_at(0);
}

void program_release_user(void)
{
	if (program_hook)
		program_hook();
}

void task_release_user(struct task *t)
{
	if (thread_hook)
		thread_hook(t->thread.tid);
	release_robust_list(t);
	atomic_store(&t->ending, true);
	futex_pi_owner_died(t->thread.tid);
	const uint32_t gone = 0;
	user_addr word = t->clear_child_tid;
	t->clear_child_tid = user_at(0);
	if (word.va && copy_out(word, &gone, sizeof(gone)) == 0) {
		/* pthread_join() waits on it as a shared futex; a private waiter has another key. */
		(void)!futex_wake(word, FUTEX_KEY_SHARED, 1, FUTEX_MATCH_ANY);
		(void)!futex_wake(word, FUTEX_KEY_PRIVATE, 1, FUTEX_MATCH_ANY);
	}
}

/* Take t out of the process; true: it was the last. */
static bool leave_process(struct task *t)
{
	uint64_t user_ns = 0, system_ns = 0;
	thread_times(&t->thread, &user_ns, &system_ns);
	irq_state state = spin_lock(&process.lock);
	list_remove(&t->link);
	process.ended_user_ns += user_ns;
	process.ended_system_ns += system_ns;
	process.n_tasks--;
	bool last = process.n_tasks == 0;
	if (t->thread.tid == PROCESS_ID)
		process.leader_exit_code = t->exit_code;
	spin_unlock(&process.lock, state);
	return last;
}

_Noreturn void process_exit_thread(int status)
{
	struct task *t = task_current();
	t->exit_code = (uint32_t)status & 0xff;
	task_release_user(t);
	signal_forget_task(t);
	process_unshare_semaphores();
	if (leave_process(t))
		process_exit_group((int)process.leader_exit_code);
	wait_wake_all(&process.tasks_changed, EVENTS_ALL);
	thread_exit();
}
