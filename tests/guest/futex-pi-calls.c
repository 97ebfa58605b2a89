/* Priority-inheriting futexes by their calls: hand-over, bits of the word, deadlock, timeouts, dead owners. */
/* test: cpus=2 */
#include "lib/check.h"
#include <linux/futex.h>

#define LOCK_PI2 13

static uint32_t word, plain;
static atomic_int waiting, tids[8];

static long futex(uint32_t *at, int operation, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, at, operation, value, timeout, NULL, 0);
}

/* Whose it is, and the bits. */
static void show_word(const char *when)
{
	uint32_t value = word;
	int owner = value & FUTEX_TID_MASK, who = -1;
	for (int i = 0; i < 8; i++)
		if (tids[i] == owner && owner)
			who = i;
	printf("%s: owner %s%d%s%s\n", when, owner ? "" : "none ", owner ? who : 0,
		value & FUTEX_WAITERS ? " waiters" : "", value & FUTEX_OWNER_DIED ? " died" : "");
}

static void *locker(void *number)
{
	int i = (intptr_t)number;
	tids[i] = gettid();
	waiting++;
	long err = futex(&word, FUTEX_LOCK_PI, 0, NULL);
	printf("thread %d: lock %ld\n", i, err);
	show_word("then");
	fflush(stdout);
	err = futex(&word, FUTEX_UNLOCK_PI, 0, NULL);
	if (err)
		printf("unlock %s\n", strerrorname_np(errno));
	return NULL;
}

static void *dies_with_it(void *number)
{
	tids[(intptr_t)number] = gettid();
	word = gettid();
	waiting = 1;
	while (waiting < 2)
		sleep_ms(1);
	sleep_ms(60);
	return NULL;
}

static void *requeued(void *number)
{
	int i = (intptr_t)number;
	tids[i] = gettid();
	waiting++;
	long err = syscall(SYS_futex, &plain, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, 0);
	printf("thread %d: requeued %ld\n", i, err);
	fflush(stdout);
	must(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	return NULL;
}

static void await(int n)
{
	while (waiting < n)
		sleep_ms(1);
	sleep_ms(60);
}

static void errors(void)
{
	struct timespec past = {1, 0}, bad = {0, 2000000000};
	word = 0;
	show(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	show_word("tried");
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL));
	show(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	show_word("unlocked");
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	word = 4000000;
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL));
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	word = FUTEX_OWNER_DIED;
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL));
	show_word("was dead");
	word = FUTEX_WAITERS;
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL));
	show_word("had bit");
	show(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI, 0, NULL));
	show(futex(wild(), FUTEX_LOCK_PI, 0, NULL));
	show(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL));
	show(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, NULL));
	show(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL));
	show(futex(&word, FUTEX_LOCK_PI, 0, &bad));
	show(futex(&word, LOCK_PI2, 0, &past));
	show(syscall(SYS_futex, &plain, FUTEX_CMP_REQUEUE_PI, 2, 1, &word, 0));
	show(syscall(SYS_futex, &plain, FUTEX_CMP_REQUEUE_PI, 1, 1, &word, 9));
	show(syscall(SYS_futex, &plain, FUTEX_CMP_REQUEUE_PI, 1, 1, &plain, 0));
	show(syscall(SYS_futex, &plain, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &plain, 0));
	show(syscall(SYS_futex, &plain, FUTEX_WAIT_REQUEUE_PI, 9, NULL, &word, 0));
	show(syscall(SYS_futex, &plain, FUTEX_WAIT_REQUEUE_PI, 0, &past, &word, 0));
	show(futex(&word, 77, 0, NULL));
}

static void *timed(void *unused)
{
	struct timespec t;
	must(clock_gettime(CLOCK_REALTIME, &t));
	t.tv_nsec = (t.tv_nsec + 30000000) % 1000000000;
	if (t.tv_nsec < 30000000)
		t.tv_sec++;
	show(futex(&word, FUTEX_LOCK_PI, 0, &t));
	must(clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_sec--;
	show(futex(&word, LOCK_PI2, 0, &t));
	show(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	return NULL;
}

int main(void)
{
	pthread_t t[3];
	tids[0] = gettid();
	errors();

	word = gettid();
	pthread_join(start(timed, NULL), NULL);
	show_word("timed out");
	waiting = 0;
	for (int i = 1; i < 4; i++) {
		t[i - 1] = start(locker, (void *)(intptr_t)i);
		await(i);
	}
	show_word("three wait");
	fflush(stdout);
	must(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	show_word("all gone");

	waiting = 0;
	t[0] = start(dies_with_it, (void *)4);
	await(1);
	t[1] = start(locker, (void *)5);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	show_word("heir gone");

	/* Two waiters on a plain futex: one gets the free lock, the other waits for it. */
	waiting = 0;
	word = gettid();
	t[0] = start(requeued, (void *)6);
	await(1);
	t[1] = start(requeued, (void *)7);
	await(2);
	show(futex(&plain, FUTEX_WAKE, 1, NULL));
	show(syscall(SYS_futex, &plain, FUTEX_CMP_REQUEUE_PI, 1, 5, &word, 0));
	show_word("moved");
	fflush(stdout);
	must(futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	show_word("end");
	return 0;
}
