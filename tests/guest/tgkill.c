/* Signals for one thread reach that thread; signals for the process reach one that lets them in. */
/* test: cpus=2 */
#include "lib/check.h"

static _Thread_local int number;
static atomic_int got[4], ready;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	atomic_fetch_add(&got[number], 1);
}

static void *thread(void *id)
{
	sigset_t set;
	number = (int)(long)id;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (number == 3)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ready++;
	while (ready < 100)
		sleep_ms(2);
	return NULL;
}

int main(void)
{
	pthread_t id[4];
	sigset_t set;
	handle(SIGUSR1, on_signal, SA_RESTART);
	handle(SIGUSR2, on_signal, SA_RESTART);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (long i = 1; i < 4; i++)
		id[i] = start(thread, (void *)i);
	while (ready < 3)
		sleep_ms(1);
	for (int n = 0; n < 5; n++) {
		pthread_kill(id[2], SIGUSR1);
		kill(getpid(), SIGUSR2);
		sleep_ms(20);
	}
	printf("%d %d %d %d\n", got[0], got[1], got[2], got[3]);
	show(syscall(SYS_tgkill, getpid(), 0x3ffffff, SIGUSR1));
	show(syscall(SYS_tgkill, 1, gettid() + 100000, SIGUSR1));
	show(syscall(SYS_tgkill, getpid(), -1, SIGUSR1));
	show(syscall(SYS_tkill, gettid(), 0));
	ready = 100;
	for (int i = 1; i < 4; i++)
		pthread_join(id[i], NULL);
	return 0;
}
