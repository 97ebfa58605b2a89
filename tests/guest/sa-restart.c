/* Which calls go on after a handler with SA_RESTART, and which give EINTR all the same. */
#include "lib/check.h"
#include <sys/epoll.h>

static int fd[2];
static volatile int caught;

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	if (++caught == 2)
		(void)!write(fd[1], "x", 1);
}

static void twice(int flags)
{
	struct itimerval t = {{0, 50000}, {0, 50000}};
	handle(SIGALRM, on_alarm, flags);
	caught = 0;
	must(setitimer(ITIMER_REAL, &t, NULL));
}

static void stop(void)
{
	char c;
	must(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL));
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	while (read(fd[0], &c, 1) == 1)
		;
	fcntl(fd[0], F_SETFL, 0);
}

int main(void)
{
	char c;
	struct pollfd p = {0};
	struct epoll_event event;
	must(pipe(fd));
	int epoll = must(epoll_create1(0));
	p.fd = fd[0];
	p.events = POLLIN;
	twice(SA_RESTART);
	show(read(fd[0], &c, 1));
	stop();
	twice(0);
	show(read(fd[0], &c, 1));
	stop();
	twice(SA_RESTART);
	show(poll(&p, 1, 5000));
	stop();
	twice(SA_RESTART);
	show(epoll_wait(epoll, &event, 1, 5000));
	stop();
	twice(SA_RESTART);
	show(select(0, NULL, NULL, NULL, &(struct timeval){5, 0}));
	stop();
	twice(SA_RESTART);
	struct timespec left, t = {5, 0};
	show(nanosleep(&t, &left));
	is(left.tv_sec == 4);
	stop();
	twice(SA_RESTART);
	show(pause());
	stop();
	return 0;
}
