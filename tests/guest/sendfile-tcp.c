/* sendfile to a TCP socket: a file of ten megabytes, from an offset, nonblocking as well. */
/* test: cpus=2 */
#include "lib/net.h"
#include <sys/sendfile.h>

enum { SIZE = 10 << 20 };
static uint64_t sum;
static long total;

static void *receiver(void *fd)
{
	static unsigned char buf[50000];
	for (ssize_t n; (n = read((int)(long)fd, buf, sizeof(buf))) > 0; total += n)
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i];
	return NULL;
}

int main(void)
{
	static unsigned char buf[65536];
	uint64_t want = 0;
	int fd[2], file = must(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	for (int at = 0; at < SIZE; at += sizeof(buf)) {
		for (size_t i = 0; i < sizeof(buf); i++)
			want += buf[i] = (at + i) * 31 >> 5;
		must(write(file, buf, sizeof(buf)));
	}
	tcp_pair(fd);
	pthread_t thread = start(receiver, (void *)(long)fd[1]);
	off_t at = 0;
	while (at < SIZE / 2)
		must(sendfile(fd[0], file, &at, SIZE / 2 - at));
	must(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while (at < SIZE) {
		ssize_t n = sendfile(fd[0], file, &at, SIZE - at);
		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){fd[0], POLLOUT, 0}, 1, 1000);
		else
			must(n);
	}
	close(fd[0]);
	pthread_join(thread, NULL);
	printf("%ld bytes %s\n", total, sum == want ? "same" : "different");
	return 0;
}
