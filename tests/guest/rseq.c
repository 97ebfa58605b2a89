/* rseq: registration, the CPU's number, and sequences that a signal, the end of a slice or membarrier interrupts. */
/* test: cpus=2 */
#include "lib/check.h"
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/rseq.h>

#define SIGNATURE RSEQ_SIG

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t sequence;
	uint32_t flags, pad[3];
} __attribute__((aligned(32)));

struct sequence {
	uint32_t version, flags;
	uint64_t start, length, abort;
} __attribute__((aligned(32)));

static __thread struct area area;
static volatile int handled;

static long reg(void *at, uint32_t size, int flags, uint32_t signature)
{
	return syscall(SYS_rseq, at, size, flags, signature);
}

/* The C library has registered an area of its own. */
static void unregister_library(void)
{
	must(reg((char *)__builtin_thread_pointer() + __rseq_offset, 32, 1, SIGNATURE));
}

/* Spins inside a sequence until something makes it begin again; whether it went through the abort handler. */
static int __attribute__((noinline)) spin(unsigned long rounds)
{
	struct sequence s = {0};
	int aborted;
	asm volatile("leaq 1f(%%rip), %%rax; movq %%rax, 8(%[s]); movq $2f-1f, 16(%[s]); leaq "
		     "3f(%%rip), %%rax;"
		     "movq %%rax, 24(%[s]); movq %[s], 8(%[area]);"
		     "1: movq %[n], %%rcx; 4: decq %%rcx; jnz 4b;"
		     "2: movl $0, %[out]; jmp 5f; .byte 0x0f, 0xb9, 0x3d; .long 0x53053053;"
		     "3: movl $1, %[out]; 5: movq $0, 8(%[area])"
		     : [out] "=&r"(aborted)
		     : [s] "r"(&s), [area] "r"(&area), [n] "r"(rounds)
		     : "rax", "rcx", "memory", "cc");
	return aborted;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	handled++;
}

static void *barriers(void *stop)
{
	while (!*(atomic_int *)stop) {
		must(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0));
		sleep_ms(1);
	}
	return NULL;
}

static void *busy(void *stop)
{
	while (!*(atomic_int *)stop)
		;
	return NULL;
}

static void *follow(void *unused)
{
	unregister_library();
	area.cpu_id = 99;
	must(reg(&area, sizeof(area), 0, SIGNATURE));
	int wrong = 0;
	for (int i = 0; i < 200; i++) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(i & 1, &set);
		must(sched_setaffinity(0, sizeof(set), &set));
		wrong += area.cpu_id != (unsigned)(i & 1) || area.cpu_id_start != area.cpu_id;
	}
	printf("wrong %d\n", wrong);
	return NULL;
}

int main(void)
{
	atomic_int stop = 0;
	unregister_library();
	area.cpu_id = 99;
	show(reg(&area, 31, 0, SIGNATURE));
	show(reg((char *)&area + 16, sizeof(area), 0, SIGNATURE));
	show(reg(&area, sizeof(area), 2, SIGNATURE));
	show(reg(&area, sizeof(area), 1, SIGNATURE));
	show(reg(&area, sizeof(area), 0, SIGNATURE));
	is(area.cpu_id < 2);
	show(reg(&area, sizeof(area), 0, SIGNATURE));
	show(reg(&area, sizeof(area), 0, SIGNATURE + 1));
	show(reg(&area, sizeof(area), 1, SIGNATURE + 1));
	show(spin(1000));
	/* A signal in the middle. */
	handle(SIGALRM, on_signal, 0);
	ualarm(20000, 0);
	int rounds = 0;
	while (!handled)
		rounds += spin(1000000000);
	is(rounds >= 1);
	/* Another thread's turn. */
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	pthread_t t = start(busy, &stop);
	is(spin(20000000000ul) == 1);
	stop = 1;
	pthread_join(t, NULL);
	show(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0));
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0));
	CPU_SET(1, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	stop = 0;
	t = start(barriers, &stop);
	is(spin(20000000000ul) == 1);
	stop = 1;
	pthread_join(t, NULL);
	pthread_join(start(follow, NULL), NULL);
	show(reg(&area, sizeof(area), 1, SIGNATURE));
	is(area.cpu_id == UINT32_MAX);
	return 0;
}
