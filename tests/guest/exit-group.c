/* exit() from a thread ends all of them, also those that compute and those that block. */
/* test: cpus=4 */
#include "lib/check.h"

static void *computes(void *unused)
{
	for (volatile long n = 0;; n++)
		;
	return NULL;
}

static void *blocks(void *fd)
{
	char c;
	must(read((int)(long)fd, &c, 1));
	return NULL;
}

static void *leaves(void *unused)
{
	sleep_ms(50);
	puts("leaving");
	exit(42);
}

int main(void)
{
	int fd[2];
	must(pipe(fd));
	start(computes, NULL);
	start(computes, NULL);
	start(blocks, (void *)(long)fd[0]);
	start(leaves, NULL);
	for (;;)
		pause();
}
