/* A hundred thousand signals to computing threads: none is lost track of, all registers survive. */
/* test: cpus=2 */
#include "lib/check.h"

static atomic_int stop, caught;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	atomic_fetch_add(&caught, 1);
}

static void *computes(void *unused)
{
	unsigned long wrong = 0;
	while (!stop) {
		unsigned long a = 1, b = 1;
		double x = 1;
		for (int i = 0; i < 80; i++) {
			unsigned long next = a + b;
			a = b;
			b = next;
			x = x * 1.5;
		}
		wrong += b != 61305790721611591ul || x < 1.2e14 || x > 1.23e14;
	}
	return (void *)wrong;
}

int main(void)
{
	pthread_t thread[2];
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (int i = 0; i < 2; i++)
		thread[i] = start(computes, NULL);
	for (int n = 0; n < 10000; n++) {
		pthread_kill(thread[n % 2], SIGUSR1);
		if (n % 100 == 0)
			sleep_ms(1);
	}
	sleep_ms(20);
	stop = 1;
	for (int i = 0; i < 2; i++) {
		void *wrong;
		pthread_join(thread[i], &wrong);
		printf("%lu wrong\n", (unsigned long)wrong);
	}
	is(caught >= 2); /* signals to one thread merge while it does not run */
	return 0;
}
