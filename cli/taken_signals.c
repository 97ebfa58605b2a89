/* Signals as something to read. */
#include "cli/taken_signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

static void taken(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

int signals_take(void)
{
	sigset_t set;

	taken(&set);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail(errno, "cannot take signals: %s", strerror(errno));
	return 0;
}

int signals_open(void)
{
	sigset_t set;

	taken(&set);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

	return fd < 0 ? fail(errno, "cannot take signals: %s", strerror(errno)) : fd;
}
