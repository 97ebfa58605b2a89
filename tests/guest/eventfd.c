/* eventfd: counter and semaphore, limits, blocking both ways, poll. */
/* test: cpus=2 */
#include "lib/check.h"
#include <sys/eventfd.h>

static uint64_t taken;

static void *reader(void *fd)
{
	sleep_ms(50);
	must(read((int)(long)fd, &taken, 8));
	return NULL;
}

int main(void)
{
	uint64_t n;
	int fd = must(eventfd(3, EFD_NONBLOCK));
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	show(poll(&p, 1, 0));
	printf("events %#x\n", p.revents);
	show(read(fd, &n, 8));
	printf("%lu\n", n);
	show(read(fd, &n, 8));
	show(eventfd_write(fd, 5));
	show(eventfd_write(fd, 6));
	show(read(fd, &n, 8));
	printf("%lu\n", n);
	show(read(fd, &n, 7));
	n = UINT64_MAX;
	show(write(fd, &n, 8));
	show(eventfd_write(fd, UINT64_MAX - 1));
	p.revents = 0;
	show(poll(&p, 1, 0));
	printf("events %#x\n", p.revents);
	show(eventfd_write(fd, 1));
	must(fcntl(fd, F_SETFL, 0));
	pthread_t thread = start(reader, (void *)(long)fd);
	show(eventfd_write(fd, 1));
	pthread_join(thread, NULL);
	printf("reader took %lx\n", taken);
	int sem = must(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	show(read(sem, &n, 8));
	printf("%lu\n", n);
	show(read(sem, &n, 8));
	show(read(sem, &n, 8));
	show(eventfd(0, 0x1234));
	return 0;
}
