/* Fifty megabytes each way at once over the loopback, summed on both sides. */
/* test: cpus=2 timeout=120 */
#include "lib/net.h"

enum { TOTAL = 50 << 20 };

static unsigned char pattern(long at)
{
	return (at * 2654435761ul) >> 16;
}

static void *sender(void *fd)
{
	static _Thread_local unsigned char buf[100000];
	for (long at = 0; at < TOTAL;) {
		size_t n = TOTAL - at < (long)sizeof(buf) ? TOTAL - at : (long)sizeof(buf);
		for (size_t i = 0; i < n; i++)
			buf[i] = pattern(at + i);
		for (size_t done = 0; done < n;)
			done += must(write((int)(long)fd, buf + done, n - done));
		at += n;
	}
	must(shutdown((int)(long)fd, SHUT_WR));
	return NULL;
}

static void *receiver(void *fd)
{
	static _Thread_local unsigned char buf[70001];
	long at = 0, wrong = 0, n;
	while ((n = must(read((int)(long)fd, buf, sizeof(buf)))) > 0) {
		for (long i = 0; i < n; i++)
			wrong += buf[i] != pattern(at + i);
		at += n;
	}
	printf("%ld bytes, %ld wrong\n", at, wrong);
	return NULL;
}

int main(void)
{
	int fd[2];
	tcp_pair(fd);
	pthread_t t[4] = {start(sender, (void *)(long)fd[0]), start(receiver, (void *)(long)fd[1]),
		start(sender, (void *)(long)fd[1]), start(receiver, (void *)(long)fd[0])};
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}
