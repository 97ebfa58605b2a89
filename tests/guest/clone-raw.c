/* clone and clone3 by hand: shared memory and files, TLS, CLEARTID wakes a futex, bad flags refused. */
/* test: cpus=2 cflags=-fno-stack-protector */
#include "lib/check.h"
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>

enum { FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
static volatile int seen, tid_there;
static pid_t child_tid, parent_tid;

static void wait_clear(void)
{
	for (pid_t t; (t = __atomic_load_n(&child_tid, __ATOMIC_ACQUIRE)) != 0;)
		syscall(SYS_futex, &child_tid, FUTEX_WAIT, t, NULL);
}

static int child(void *argument)
{
	seen = (int)(long)argument;
	tid_there = child_tid == parent_tid && child_tid == syscall(SYS_gettid);
	syscall(SYS_exit, 0);
	return 0;
}

int main(void)
{
	char *stack = map_pages(16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	static char tls[4096] __attribute__((aligned(64)));
	int all = FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	child_tid = -1;
	pid_t tid = clone(child, stack + 16 * PAGE, all, (void *)123, &parent_tid, tls, &child_tid);
	is(tid > 0 && parent_tid == tid);
	wait_clear();
	printf("%d %d\n", seen, tid_there);

	struct clone_args args = {.flags = all,
		.parent_tid = (uintptr_t)&parent_tid,
		.child_tid = (uintptr_t)&child_tid,
		.stack = (uintptr_t)stack,
		.stack_size = 16 * PAGE};
	seen = 0;
	child_tid = -1;
	long result;
	/* The new thread has an empty stack and nowhere to return to: it ends right here. */
	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tmovl $77, %1\n\tmov %5, "
			 "%%eax\n\txor %%edi, %%edi\n\t"
			 "syscall\n1:"
			 : "=a"(result), "=m"(seen)
			 : "0"((long)SYS_clone3), "D"(&args), "S"(sizeof(args)), "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	is(result > 0 && parent_tid == result);
	wait_clear();
	printf("%d\n", seen);

	show(syscall(SYS_clone3, &args, 8));
	show(syscall(SYS_clone3, NULL, sizeof(args)));
	args.flags = CLONE_THREAD;
	show(syscall(SYS_clone3, &args, sizeof(args)));
	args.flags = CLONE_SIGHAND;
	show(syscall(SYS_clone3, &args, sizeof(args)));
	args.flags = FLAGS;
	args.stack_size = 0;
	show(syscall(SYS_clone3, &args, sizeof(args)));
	return 0;
}
