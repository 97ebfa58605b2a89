/* signalfd: blocked signals are read as records, with poll, and several at once. */
#include "lib/check.h"
#include <sys/signalfd.h>

int main(void)
{
	sigset_t set;
	struct signalfd_siginfo info[4];
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = must(signalfd(-1, &set, SFD_NONBLOCK));
	struct pollfd p = {fd, POLLIN, 0};
	show(read(fd, info, sizeof(info)));
	show(poll(&p, 1, 0));
	must(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 31}));
	raise(SIGUSR1);
	show(poll(&p, 1, 1000));
	ssize_t n = read(fd, info, sizeof(info));
	printf("%zd records\n", n / (ssize_t)sizeof(*info));
	for (int i = 0; i < n / (ssize_t)sizeof(*info); i++)
		printf("%u code %d value %d %s\n", info[i].ssi_signo, info[i].ssi_code,
			info[i].ssi_code == SI_QUEUE ? info[i].ssi_int : 0,
			info[i].ssi_pid == (uint32_t)getpid() ? "own" : "other");
	sigdelset(&set, SIGUSR2);
	show_ok(signalfd(fd, &set, 0));
	raise(SIGUSR2);
	show(poll(&p, 1, 0));
	show(read(fd, info, 10));
	show(signalfd(1, &set, 0));
	show(signalfd(-1, &set, 1));
	return 0;
}
