/* Named pipes: openers wait for each other, O_NONBLOCK does not. */
/* test: cpus=2 */
#include "lib/check.h"

static void *writer(void *unused)
{
	sleep_ms(30);
	int fd = must(open("p", O_WRONLY));
	must(write(fd, "through the fifo", 16));
	close(fd);
	return NULL;
}

int main(void)
{
	char buf[32] = "";
	show(mkfifo("p", 0600));
	show(mkfifo("p", 0600));
	show(open("p", O_WRONLY | O_NONBLOCK));
	pthread_t thread = start(writer, NULL);
	int fd = must(open("p", O_RDONLY));
	show(read(fd, buf, sizeof(buf)));
	puts(buf);
	show(read(fd, buf, sizeof(buf)));
	pthread_join(thread, NULL);
	int w = must(open("p", O_WRONLY | O_NONBLOCK));
	show(write(w, "again", 5));
	show(read(fd, buf, sizeof(buf)));
	show(mknod("q", S_IFREG | 0600, 0));
	show(mknod("r", 0123456, 0));
	return 0;
}
