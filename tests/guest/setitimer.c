/* setitimer: repeats in real time, counts CPU time, gives back the old setting. */
#include "lib/check.h"

static volatile int caught[65];

static void on_timer(int sig, siginfo_t *info, void *context)
{
	caught[sig]++;
}

int main(void)
{
	struct itimerval t = {{0, 10000}, {0, 10000}}, old;
	handle(SIGALRM, on_timer, SA_RESTART);
	handle(SIGVTALRM, on_timer, SA_RESTART);
	handle(SIGPROF, on_timer, SA_RESTART);
	show(setitimer(ITIMER_REAL, &t, NULL));
	while (caught[SIGALRM] < 5)
		pause();
	show(getitimer(ITIMER_REAL, &old));
	printf("%ld\n", (long)old.it_interval.tv_usec);
	show(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old));
	int before = caught[SIGALRM];
	sleep_ms(50);
	is(caught[SIGALRM] == before);
	show(setitimer(ITIMER_VIRTUAL, &t, NULL));
	show(setitimer(ITIMER_PROF, &t, NULL));
	while (caught[SIGVTALRM] < 3 || caught[SIGPROF] < 3)
		;
	show(setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, NULL));
	show(setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL));
	show(setitimer(3, &t, NULL));
	t.it_value.tv_usec = 1000000;
	show(setitimer(ITIMER_REAL, &t, NULL));
	return 0;
}
