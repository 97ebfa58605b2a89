/* What the files of this folder share and nobody else needs. */
#pragma once

#include "kernel/proc/process.h"

/* A thread of the program is leaving its address space: robust futexes, the word of CLONE_CHILD_CLEARTID.  Sleeps. */
void task_release_user(struct task *t);
/* execve(2): what others do in the background with the program's memory has ended.  Sleeps. */
void program_release_user(void);
/* After execve(2) the surviving thread is the process's first. */
void task_become_leader(struct task *t);

/* CLONE_SYSVSEM.  -ENOMEM. */
int task_share_semaphores(struct task *t) must_check;

/* execve(2): handlers back to the default, ignored ones stay. */
void signal_reset_for_exec(void);
/* The thread goes: what was meant for the whole process and waited for it is offered to the others. */
void signal_forget_task(struct task *t);

/* POSIX timers of timer_create(2): gone.  setitimer(2)'s stay. */
void process_timers_clear(void);
void process_timers_init(void);

/* The report of a machine without memory: who holds it.  Allocates nothing; takes space_lock. */
void memory_report(const char *what);

/* The report of a crash on the console. */
void crash_report(int signal, const struct linux_siginfo *info, const struct trap_frame *f);
/* "[maps line] +offset" of an address of the program; as snprintf.  Takes space_lock. */
int crash_describe_address(uintptr_t address, char *buf, size_t size);

/* The generated files of /proc and /sys: tables handed to kernel/fs. */
void show_process_init(void);
void show_system_init(void);
void show_account_init(void), show_cgroup_init(void);
void show_cpu_init(void);
