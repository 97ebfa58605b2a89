/* pthread_sigqueue gives one thread a signal with a value. */
/* test: cpus=2 */
#include "lib/check.h"

static atomic_int value, where, ready;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	value = info->si_value.sival_int;
	where = gettid();
}

static void *thread(void *tid)
{
	*(pid_t *)tid = gettid();
	ready = 1;
	while (!value)
		sleep_ms(1);
	return NULL;
}

int main(void)
{
	pid_t tid;
	handle(SIGUSR1, on_signal, 0);
	pthread_t id = start(thread, &tid);
	while (!ready)
		sleep_ms(1);
	show(pthread_sigqueue(id, SIGUSR1, (union sigval){.sival_int = 4711}));
	pthread_join(id, NULL);
	printf("%d\n", value);
	is(where == tid);
	siginfo_t forged = {.si_code = SI_USER};
	show(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0x3ffffff, SIGUSR1, &forged));
	return 0;
}
