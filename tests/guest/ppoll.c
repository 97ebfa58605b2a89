/* ppoll and pselect change the mask for the wait alone, so no signal is missed. */
#include "lib/check.h"
#include <sys/select.h>

static volatile int caught;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught++;
}

int main(void)
{
	sigset_t set, none, now;
	int fd[2];
	must(pipe(fd));
	handle(SIGUSR1, on_signal, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	struct pollfd p = {fd[0], POLLIN, 0};
	raise(SIGUSR1);
	show(ppoll(&p, 1, &(struct timespec){0, 0}, NULL));
	printf("%d\n", caught);
	show(ppoll(&p, 1, NULL, &none));
	printf("%d\n", caught);
	must(sigprocmask(SIG_BLOCK, NULL, &now));
	printf("blocked: %d\n", sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	fd_set in;
	FD_ZERO(&in);
	FD_SET(fd[0], &in);
	show(pselect(fd[0] + 1, &in, NULL, NULL, &(struct timespec){5, 0}, &none));
	printf("%d\n", caught);
	show(ppoll(&p, 1, &(struct timespec){0, 20000000}, &none));
	show(ppoll(&p, 1, &(struct timespec){0, -5}, &none));
	return 0;
}
