/* RLIMIT_FSIZE: writes stop at it, SIGXFSZ beyond; truncate and fallocate too. */
#include "lib/check.h"
#include <sys/resource.h>

static volatile sig_atomic_t count;

static void handler(int signal)
{
	count++;
}

#define counted(call) (count = 0, show(call), printf("   %d signals\n", count))

int main(void)
{
	char text[3000] = "";
	struct rlimit limit = {5000, RLIM_INFINITY};
	signal(SIGXFSZ, handler);
	int fd = must(open("f", O_RDWR | O_CREAT, 0600));
	must(setrlimit(RLIMIT_FSIZE, &limit));
	counted(write(fd, text, 3000));
	counted(write(fd, text, 3000));
	counted(write(fd, text, 3000));
	counted(pwrite(fd, text, 10, 4990));
	counted(pwrite(fd, text, 10, 4995));
	counted(pwrite(fd, text, 10, 5000));
	counted(ftruncate(fd, 5000));
	counted(ftruncate(fd, 5001));
	counted(truncate("f", 9000));
	counted(fallocate(fd, 0, 4000, 1000));
	counted(fallocate(fd, 0, 4000, 1001));
	int p[2];
	must(pipe(p));
	counted(write(p[1], text, 3000));
	signal(SIGXFSZ, SIG_IGN);
	counted(pwrite(fd, text, 10, 6000));
	return 0;
}
