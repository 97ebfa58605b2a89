/*
 * The one process: its threads, address space, ids, limits, signals, and its end.  Everything a system call
 * handler asks about "the process" is here.
 *
 * Lock order: space_lock (sleeps), then lock, then signal_lock.
 */
#pragma once

#include "abi/linux/signal.h"
#include "kernel/arch/abi.h"
#include "kernel/fs/vfs.h"
#include "kernel/mem/address_space.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"

#define PROCESS_ID 1
#define GROUPS_MAX 65536u
#define LIMITS 16 /* RLIMIT_ numbers 0..15 */

struct limit {
	uint64_t current, max; /* UINT64_MAX: unlimited */
};

struct signal_queue {
	uint64_t set;        /* bit N-1: signal N is pending */
	struct list entries; /* struct pending_signal: with siginfo, real-time ones in order */
};

/* A thread of the program. */
struct task {
	struct thread thread;     /* first */
	struct list link;         /* process.tasks, under process.lock */
	struct trap_frame *frame; /* of the system call in progress */
	/* under process.signal_lock: */
	uint64_t blocked;    /* signal mask */
	uint64_t saved_mask; /* of sigsuspend, ppoll, ... to restore after the handler */
	uint64_t waited;     /* of sigtimedwait(2): signals it takes although they are blocked */
	bool restore_mask;
	struct signal_queue pending;
	atomic_bool ending; /* its locks are being passed on */
	/* own thread only: */
	struct linux_stack altstack;
	user_addr clear_child_tid, robust_list;
	uint32_t exit_code;
	int policy;           /* SCHED_ */
	bool reset_on_fork;   /* new threads are ordinary ones */
	uint16_t io_priority; /* ioprio_set(2); 0: none set */
	int restart;          /* ERESTART...: the call in progress returned -EINTR; 0: it did not */
	uint64_t deadline_ns; /* of that call; NO_DEADLINE: none. See syscall_deadline() */
	bool resume_deadline; /* it was restarted: its deadline stays */
	struct user_fault_context { /* of the last fault, for signal contexts */
		uintptr_t address;
		unsigned long vector, error;
	} fault;
	uint64_t timer_slack_ns;
	/* For whoever looks from outside, kernel/proc/freeze.h: */
	atomic_bool parked;   /* stands at the border; its registers are in memory */
	bool held;            /* stays there when the others go on */
	bool changed_outside; /* its registers were, while it stood */
	bool stepping;        /* one instruction, then SIGTRAP */
	user_addr rseq;       /* rseq(2); 0: none */
	uint32_t rseq_signature;
	uint8_t seccomp_mode;
	struct seccomp_filter *seccomp;       /* changed under process.lock */
	struct sem_undo_list *semaphore_undo; /* shared; kernel/ipc's */
	uint64_t start_ns;
};

static inline struct task *task_current(void)
{
	return (struct task *)thread_current();
}

struct process {
	struct rw_lock space_lock; /* guards space, see kernel/mem/address_space.h */
	struct address_space space;

	struct spinlock lock;
	/* under lock: */
	struct list tasks;
	unsigned n_tasks;
	int last_tid;
	struct task
		*reaper; /* waits for all others to end: exit_group(2), execve(2), a fatal signal */
	struct wait_queue tasks_changed;
	uint32_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	uint32_t *groups;
	unsigned n_groups, groups_size;
	struct fs_credentials fs_credentials; /* what kernel/fs goes by: read without the lock */
	uint64_t capabilities_effective, capabilities_permitted, capabilities_inheritable,
		capabilities_bounding, capabilities_ambient;
	uint32_t securebits;
	bool no_new_privileges;
	struct {
		uint8_t dumpable, parent_death_signal;
		uint8_t memory_error_policy; /* PR_MCE_KILL_ */
		uint8_t deny_exec_gain;      /* PR_MDWE_ */
		bool no_huge_pages, subreaper, io_flusher;
	} settings; /* prctl(2) */
	struct limit limits[LIMITS];

	struct spinlock signal_lock;
	/* under signal_lock: */
	struct linux_sigaction actions[SIGNALS + 1];
	struct signal_queue pending;      /* for any thread */
	unsigned n_queued;                /* entries in all queues */
	struct wait_queue signal_arrived; /* announces EPOLLIN with every signal: signalfd */
	atomic_bool stopped;              /* by SIGSTOP and kin */
	atomic_bool frozen;               /* kernel/proc/freeze.h */
	struct wait_queue continued;

	/* set once, at start or exec: */
	char *executable; /* its path, for reports */
	uintptr_t arg_start, arg_end, env_start, env_end, stack_start, auxv_start, auxv_end;
	uintptr_t code_start, code_end, data_start, data_end, vdso_base, entry;
	uint64_t start_ns;
	atomic_bool exiting;
	atomic_bool lock_future;         /* mlockall(MCL_FUTURE) */
	atomic_uint barriers_registered; /* membarrier(2) */
	atomic_bool
		out_of_memory; /* found by a fault inside the kernel: ends at the next user_return() */
	uint32_t leader_exit_code;
	_Atomic uint64_t ended_user_ns, ended_system_ns; /* CPU time of threads that are gone */
	_Atomic uint64_t max_resident_pages;
};
extern struct process process;

/* kernel/main.c: make the process and its first thread, load the program, run.  A failure ends the machine with
 * a "failed" record.  environment: NAME=VALUE strings; all strings stay valid. */
struct program_request {
	const char *path;
	const char *const *arguments; /* [0] is argv[0] */
	unsigned n_arguments;
	const char *const *environment;
	unsigned n_environment;
	const char *working_directory;
};
void process_init(void);
_Noreturn void process_run(const struct program_request *r);
/* What happens between the program's end and the unmounting of its files: the network sends what is left.  Sleeps. */
void process_set_end_hook(void (*hook)(void));
/* What kernel/ipc does when a thread shares its list of semaphore operations to take back (CLONE_SYSVSEM; NULL: no
 * memory), and when it gives it up. */
struct sem_undo_list;
void process_set_semaphore_undo(struct sem_undo_list *(*share)(struct sem_undo_list **list),
	void (*put)(struct sem_undo_list *list));
/* unshare(CLONE_SYSVSEM). */
void process_unshare_semaphores(void);
/* A thread, by its tid, leaves the program's memory (it ends, or execve(2)); then, for execve(2), the program does.
 * Who keeps work of theirs going ends it here.  Set once; both may sleep. */
void process_set_leave_hooks(void (*thread)(int tid), void (*program)(void));
/* mote.missing-files: list at the end what was looked for and not found. */
void process_list_missing_files(void);

/* clone(2)/clone3(2) of a thread. */
struct clone_request {
	uint64_t flags;  /* CLONE_ */
	uintptr_t stack; /* top; 0: the parent's */
	uintptr_t tls;
	user_addr parent_tid, child_tid;
};
/* The new tid; -ENOSYS for a second process, named once on the console; -EINVAL, -EAGAIN, -ENOMEM. */
long process_clone(const struct clone_request *r, struct trap_frame *parent) must_check;
/* fork(2), vfork(2) and kin by that name: -ENOSYS, with a line on the console, once. */
long process_refuse_fork(const char *call, const struct trap_frame *caller) must_check;
_Noreturn void process_exit_thread(int status);
_Noreturn void process_exit_group(int status);
/* Ended by a signal: report (registers, mapping, ...) and end. */
_Noreturn void process_killed(int signal, const struct linux_siginfo *info, struct trap_frame *f);
_Noreturn void process_out_of_memory(const char *what);
/* The machine's end, whatever the reason: files written back, record told.  status: the exit code. */
_Noreturn void process_end(const char *record, unsigned status);
/* End every thread but the current one, and return when they are gone; false: somebody else is at it and the
 * caller must end itself. */
bool process_end_others(void) must_check;

/* The task with that tid, counted (thread_put(&t->thread)), or NULL. */
struct task *process_find_task(int tid) must_check;
int process_next_tid(int from); /* next tid >= from, or -1 */
/* Fault every page of [start, end) in, for MMU_READ or MMU_WRITE.  -ENOMEM: a hole; -EACCES, -EIO, -EINTR.  Sleeps. */
int process_populate(uintptr_t start, uintptr_t end, unsigned prot) must_check;
/* Every CPU has passed a full barrier since the call.  Sleeps. */
void process_barrier(void);
/* The same, and every thread has left its restartable sequence (rseq(2)). */
void process_disturb_sequences(void);
uint64_t process_limit(unsigned resource);
bool process_capable(unsigned capability);
/* Sum over all threads, alive and gone; both may be NULL. */
uint64_t process_cpu_ns(uint64_t *user_ns, uint64_t *system_ns);
