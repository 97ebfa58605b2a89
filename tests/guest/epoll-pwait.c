/* epoll_pwait changes the mask for the wait; epoll_pwait2 takes nanoseconds; a dup keeps an entry alive. */
#include "lib/check.h"
#include <sys/epoll.h>

static volatile int caught;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught++;
}

int main(void)
{
	int fd[2];
	sigset_t set, none;
	struct epoll_event e = {.events = EPOLLIN}, got;
	must(pipe(fd));
	int ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	handle(SIGUSR1, on_signal, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	show(epoll_wait(ep, &got, 1, 20));
	show(epoll_pwait(ep, &got, 1, -1, &none));
	printf("%d\n", caught);
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	show(epoll_pwait2(ep, &got, 1, &(struct timespec){0, 30000000}, NULL));
	is(now_ns(CLOCK_MONOTONIC) - begin >= 30000000);
	int copy = must(dup(fd[0]));
	close(fd[0]);
	must(write(fd[1], "x", 1));
	show(epoll_wait(ep, &got, 1, 0));
	close(copy);
	show(epoll_wait(ep, &got, 1, 0));
	return 0;
}
