/* Twenty megabytes through a socket pair on two CPUs, with writev and readv. */
/* test: cpus=2 */
#include "lib/net.h"

enum { TOTAL = 20 << 20 };

static void *sender(void *fd)
{
	static unsigned char a[3000], b[5000];
	for (long sent = 0; sent < TOTAL;) {
		memset(a, sent >> 12, sizeof(a));
		memset(b, sent >> 12, sizeof(b));
		struct iovec v[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
		sent += must(writev((int)(long)fd, v, 2));
	}
	must(shutdown((int)(long)fd, SHUT_WR));
	return NULL;
}

int main(void)
{
	int fd[2];
	static unsigned char a[7777], b[1111];
	struct iovec v[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	pthread_t thread = start(sender, (void *)(long)fd[0]);
	long total = 0, n;
	while ((n = must(readv(fd[1], v, 2))) > 0)
		total += n;
	pthread_join(thread, NULL);
	is(total >= TOTAL && total < TOTAL + 8000);
	show(read(fd[1], a, 1));
	return 0;
}
