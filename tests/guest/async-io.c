/* O_ASYNC: SIGIO and F_SETSIG from a pipe and a socket; owners. */
#include "lib/check.h"
#include <sys/ioctl.h>

static volatile sig_atomic_t count, code, fd_seen, band;

static void handler(int signal, siginfo_t *info, void *context)
{
	count++;
	code = info->si_code;
	fd_seen = info->si_fd;
	band = info->si_band & (POLLIN | POLLOUT);
}

static void await(int n)
{
	for (int i = 0; i < 200 && count < n; i++)
		usleep(5000);
}

int main(void)
{
	int p[2], s[2];
	char c[10];
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGIO, &a, NULL);
	sigaction(SIGRTMIN, &a, NULL);
	must(pipe(p));
	show(fcntl(p[0], F_GETOWN));
	show(fcntl(p[0], F_GETSIG));
	show(fcntl(p[0], F_SETOWN, 99999999));
	show(fcntl(p[0], F_SETOWN, getpid()));
	is(fcntl(p[0], F_GETOWN) == getpid());
	must(write(p[1], "x", 1));
	must(read(p[0], c, 1));
	printf("%d\n", count);
	show(fcntl(p[0], F_SETFL, O_ASYNC));
	is((fcntl(p[0], F_GETFL) & O_ASYNC) != 0);
	must(write(p[1], "x", 1));
	await(1);
	is(count >= 1 && code == SI_KERNEL);
	show(fcntl(p[0], F_SETSIG, SIGRTMIN));
	show(fcntl(p[0], F_SETSIG, 100));
	is(fcntl(p[0], F_GETSIG) == SIGRTMIN);
	count = 0;
	must(write(p[1], "x", 1));
	await(1);
	is(count >= 1 && code == POLL_IN && fd_seen == p[0] && band == POLLIN);
	show(fcntl(p[0], F_SETFL, 0));
	count = 0;
	must(write(p[1], "x", 1));
	usleep(20000);
	printf("%d\n", count);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	int on = 1;
	show(ioctl(s[0], FIOASYNC, &on));
	struct f_owner_ex ex = {F_OWNER_TID, (int)syscall(SYS_gettid)};
	show(fcntl(s[0], F_SETOWN_EX, &ex));
	count = 0;
	must(write(s[1], "x", 1));
	await(1);
	is(count >= 1);
	ex.pid = 0;
	show(fcntl(s[0], F_GETOWN_EX, &ex));
	is(ex.type == F_OWNER_TID && ex.pid == syscall(SYS_gettid));
	ex.type = 7;
	show(fcntl(s[0], F_SETOWN_EX, &ex));
	close(s[0]);
	close(p[0]);
	return 0;
}
