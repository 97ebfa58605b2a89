/* One process: the same pid everywhere, each thread its own tid, the first thread's equal to the pid. */
#include "lib/check.h"

static pid_t other[2];

static void *thread(void *unused)
{
	other[0] = getpid();
	other[1] = gettid();
	return NULL;
}

int main(void)
{
	pthread_join(start(thread, NULL), NULL);
	is(other[0] == getpid() && other[1] != getpid() && gettid() == getpid());
	is(syscall(SYS_getpid) == getpid() && syscall(SYS_gettid) == gettid());
	is(syscall(SYS_set_tid_address, NULL) == gettid());
	return 0;
}
