/* System V semaphores: all-or-none operations, waiting, undo, what semctl tells. */
/* test: cpus=2 */
#include "lib/check.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

static int id;
static atomic_int ready;

static long op(int number, int operation, int flags)
{
	struct sembuf b = {number, operation, flags};
	return semop(id, &b, 1);
}

static void values(const char *when)
{
	unsigned short v[3];
	must(semctl(id, 0, GETALL, v));
	printf("%s: %d %d %d\n", when, v[0], v[1], v[2]);
}

static void *takes_two(void *unused)
{
	struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
	ready++;
	long err = semop(id, both, 2);
	printf("both: %ld %s\n", err, err ? strerrorname_np(errno) : "");
	return NULL;
}

static void *waits_for_zero(void *unused)
{
	ready++;
	printf("zero: %ld\n", op(2, 0, 0));
	return NULL;
}

static void await(int n)
{
	while (ready < n)
		sched_yield();
	sleep_ms(50);
}

static void *with_undo(void *alone)
{
	if (alone)
		must(unshare(CLONE_SYSVSEM));
	must(op(0, 2, SEM_UNDO));
	must(op(1, -1, SEM_UNDO));
	values("inside");
	return NULL;
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

static void errors(void)
{
	struct sembuf b = {0, 0, 0}, many[501] = {{0, 0, 0}};
	struct timespec past = {0, 0}, bad = {0, -1};
	unsigned short v[3] = {0, 40000, 0};
	show(semget(IPC_PRIVATE, 0, 0600));
	show(semget(IPC_PRIVATE, 32001, 0600));
	show(semget(IPC_PRIVATE, -1, 0600));
	show(semget(0x4d6f7466, 1, 0600));
	show(semop(id, &b, 0));
	show(semop(id, many, 501));
	show(semop(id, many, 500));
	show(semop(-1, &b, 1));
	show(semop(id + 1, &b, 1));
	show(semop(id, wild(), 1));
	show(op(3, 1, 0));
	show(op(0, -1, IPC_NOWAIT));
	show(op(0, 32767, 0));
	show(op(0, 1, 0));
	show(op(0, 0, IPC_NOWAIT));
	show(op(0, -32767, 0));
	b.sem_op = -1;
	show(semtimedop(id, &b, 1, &past));
	show(semtimedop(id, &b, 1, &bad));
	show(semctl(id, 0, SETVAL, 32768));
	show(semctl(id, 0, SETVAL, -1));
	show(semctl(id, 5, SETVAL, 1));
	show(semctl(id, 3, GETVAL));
	show(semctl(id, 0, SETALL, v));
	show(semctl(id, 0, 99, 0));
	show(semctl(-1, 0, GETVAL));
	handle(SIGALRM, on_alarm, SA_RESTART);
	ualarm(30000, 0);
	show(semop(id, &b, 1));
}

int main(void)
{
	struct semid_ds ds;
	struct seminfo info;
	id = must(semget(IPC_PRIVATE, 3, IPC_CREAT | 0600));
	errors();
	must(semctl(id, 2, SETVAL, 1));
	values("set");
	pthread_t a = start(takes_two, NULL), b;
	await(1);
	printf("waiting: %d %d\n", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT));
	must(op(0, 1, 0));
	sleep_ms(30);
	values("one of both");
	printf("waiting: %d %d\n", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT));
	fflush(stdout);
	must(op(1, 1, 0));
	pthread_join(a, NULL);
	values("taken");
	a = start(waits_for_zero, NULL);
	await(2);
	printf("for zero: %d\n", semctl(id, 2, GETZCNT));
	fflush(stdout);
	must(semctl(id, 2, SETVAL, 0));
	pthread_join(a, NULL);
	is(semctl(id, 2, GETPID) == getpid());
	/* Undo: at the end of a thread of its own list; not of one that shares the process's. */
	unsigned short v[3] = {5, 5, 5};
	must(semctl(id, 0, SETALL, v));
	pthread_join(start(with_undo, NULL), NULL);
	values("shared list");
	pthread_join(start(with_undo, (void *)1), NULL);
	/* pthread_join(3) may return before the undo: only that it comes is certain. */
	while (semctl(id, 0, GETVAL) != 7 || semctl(id, 1, GETVAL) != 4)
		sched_yield();
	values("own list");
	must(unshare(CLONE_SYSVSEM));
	values("list given up");
	must(op(0, 3, SEM_UNDO));
	must(semctl(id, 0, SETVAL, 9));
	must(unshare(CLONE_SYSVSEM));
	values("set by hand");
	must(semctl(id, 0, IPC_STAT, &ds));
	printf("%lu %o %d%d\n", ds.sem_nsems, ds.sem_perm.mode, ds.sem_otime != 0,
		ds.sem_ctime != 0);
	must(semctl(id, 0, IPC_INFO, &info));
	printf("%d %d %d %d %d\n", info.semmni, info.semmsl, info.semopm, info.semvmx, info.semaem);
	/* Removed under those who wait. */
	v[0] = v[1] = 0;
	must(semctl(id, 0, SETALL, v));
	a = start(takes_two, NULL);
	await(3);
	b = 0;
	(void)b;
	show(semctl(id, 0, IPC_RMID));
	pthread_join(a, NULL);
	show(op(0, 1, 0));
	return 0;
}
