/* SO_RCVTIMEO and SO_SNDTIMEO: EAGAIN in time, on TCP, UDP and UNIX sockets. */
#include "lib/net.h"

static void timed(const char *what, int fd)
{
	char c;
	struct timeval t = {0, 50000};
	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	ssize_t n = recv(fd, &c, 1, 0);
	uint64_t took = now_ns(CLOCK_MONOTONIC) - begin;
	printf("%s: %zd %s %s\n", what, n, strerrorname_np(errno),
		took >= 49000000 && took < 2000000000 ? "in time" : "not in time");
}

int main(void)
{
	int fd[2];
	struct sockaddr_in a;
	tcp_pair(fd);
	timed("tcp", fd[0]);
	timed("udp", bound(SOCK_DGRAM, &a));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	timed("unix", fd[0]);
	static char buf[1 << 22];
	struct timeval t = {0, 50000};
	tcp_pair(fd);
	must(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	ssize_t n = write(fd[0], buf, sizeof(buf));
	is(n > 0 && n <= (ssize_t)sizeof(buf));
	while (n > 0)
		n = write(fd[0], buf, sizeof(buf));
	printf("%zd %s\n", n, strerrorname_np(errno));
	int l = listener(&a, 1);
	must(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	show(accept(l, NULL, NULL));
	return 0;
}
