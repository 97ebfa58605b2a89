/* New threads, and the refusal of new processes: clone(2). */
#include "abi/linux/errno.h"
#include "abi/linux/sched.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"

#define SAME_PROCESS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

long process_refuse_fork(const char *call, const struct trap_frame *caller)
{
	static atomic_bool said;
	if (!atomic_exchange(&said, true)) {
		char where[160];
		crash_describe_address(trap_ip(caller), where, sizeof(where));
		log_warn("%s refused (ENOSYS): a machine runs one process: start the program "
			 "without workers, helpers or a daemon (thread %d, %s, at %s)",
			call, task_current()->thread.tid, task_current()->thread.name, where);
	}
	return -ENOSYS;
}

static int check_flags(uint64_t flags)
{
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & SAME_PROCESS) != SAME_PROCESS)
		return -ENOSYS;
	/* A thread with a namespace, a working directory or descriptors of its own is not to be had. */
	if (flags & (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
			    CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD | CLONE_INTO_CGROUP |
			    CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	return 0;
}

static struct sem_undo_list *(*undo_share)(struct sem_undo_list **list);
static void (*undo_put)(struct sem_undo_list *list);

void process_set_semaphore_undo(struct sem_undo_list *(*share)(struct sem_undo_list **list),
	void (*put)(struct sem_undo_list *list))
{
	undo_share = share;
	undo_put = put;
}

int task_share_semaphores(struct task *t)
{
	t->semaphore_undo = undo_share(&task_current()->semaphore_undo);
	return t->semaphore_undo ? 0 : -ENOMEM;
}

void process_unshare_semaphores(void)
{
	struct task *t = task_current();
	if (t->semaphore_undo)
		undo_put(t->semaphore_undo);
	t->semaphore_undo = NULL;
}

static void run_task(void *unused)
{
	(void)unused;
	thread_resume_user();
}

/* The child's place in the program, before it runs. */
static void set_up(struct task *t, const struct clone_request *r, const struct trap_frame *parent)
{
	const struct task *me = task_current();
	uintptr_t tls = r->flags & CLONE_SETTLS ? r->tls : thread_tls();
	thread_copy_user(&t->thread.arch, parent, r->stack, tls);
	t->thread.nice = me->thread.nice;
	t->io_priority = me->io_priority;
	if (!me->reset_on_fork) {
		t->policy = me->policy;
		t->thread.rt_priority = me->thread.rt_priority;
		t->thread.no_slice = me->thread.no_slice;
	} else if (t->thread.nice < 0) {
		t->thread.nice = 0;
	}
	t->thread.affinity = me->thread.affinity;
	t->timer_slack_ns = me->timer_slack_ns;
	if (r->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = r->child_tid;
	irq_state state = spin_lock(&process.signal_lock);
	t->blocked = me->blocked;
	spin_unlock(&process.signal_lock, state);
}

/* A tid the program asked to be told; Linux, too, says nothing when it can not be stored. */
static void tell_tid(user_addr to, int tid)
{
	if (copy_out(to, &tid, sizeof(tid)) < 0)
		log_debug("clone: the tid could not be stored");
}

long process_clone(const struct clone_request *r, struct trap_frame *parent)
{
	int err = check_flags(r->flags);
	if (err == -ENOSYS)
		return process_refuse_fork("clone", parent);
	if (err < 0)
		return err;
	struct task *t = NULL;
	err = task_create(task_current()->thread.name, run_task, NULL, &t);
	if (err < 0)
		return err;
	set_up(t, r, parent);
	if (r->flags & CLONE_SYSVSEM)
		err = task_share_semaphores(t);
	if (err == 0)
		err = task_add(t);
	if (err < 0) {
		if (t->semaphore_undo)
			undo_put(t->semaphore_undo);
		thread_put(&t->thread);
		return err;
	}
	int tid = t->thread.tid;
	if (r->flags & CLONE_PARENT_SETTID)
		tell_tid(r->parent_tid, tid);
	if (r->flags & CLONE_CHILD_SETTID)
		tell_tid(r->child_tid, tid);
	thread_start(&t->thread);
	return tid;
}
