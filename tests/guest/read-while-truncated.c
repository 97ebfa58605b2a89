/* Reading a file that another thread shortens and lengthens gives old bytes or zeros, never rubbish. */
/* test: cpus=2 */
#include "lib/check.h"

static atomic_int stop;

static void *shortens(void *fd)
{
	char buf[8192];
	memset(buf, 'd', sizeof(buf));
	for (int i = 0; i < 500; i++) {
		must(ftruncate((int)(long)fd, 100));
		must(pwrite((int)(long)fd, buf, sizeof(buf), 0));
	}
	stop = 1;
	return NULL;
}

int main(void)
{
	char buf[8192];
	int fd = must(open("f", O_RDWR | O_CREAT, 0600)), wrong = 0;
	pthread_t thread = start(shortens, (void *)(long)fd);
	while (!stop) {
		ssize_t n = must(pread(fd, buf, sizeof(buf), 0));
		for (ssize_t i = 0; i < n; i++)
			wrong += buf[i] != 'd' && buf[i] != 0;
	}
	pthread_join(thread, NULL);
	printf("%d wrong\n", wrong);
	return 0;
}
