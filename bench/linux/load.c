/* memcached's load: load ADDRESS PORT CONNECTIONS REQUESTS; GETs of 32 bytes, one under way on each connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char set[] = "set k 0 0 32\r\n0123456789abcdef0123456789abcdef\r\n",
		  get[] = "get k\r\n";

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((unsigned short)atoi(argv[2])),
		.sin_addr.s_addr = inet_addr(argv[1])};
	int n = atoi(argv[3]), left = atoi(argv[4]), under_way = 0, e = epoll_create1(0), one = 1;
	char buf[4096];
	for (int i = 0; i < n; i++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);
		struct epoll_event event = {.events = EPOLLIN, .data.fd = s};
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (connect(s, (void *)&a, sizeof a) || write(s, set, sizeof set - 1) < 0 ||
			read(s, buf, sizeof buf) != 8 || write(s, get, sizeof get - 1) < 0)
			return perror("load"), 1;
		epoll_ctl(e, EPOLL_CTL_ADD, s, &event);
		under_way++;
	}
	while (under_way > 0) {
		struct epoll_event events[64];
		int got = epoll_wait(e, events, 64, 20000);
		if (got <= 0)
			return fprintf(stderr, "load: no answer\n"), 1;
		for (int i = 0; i < got; i++) {
			ssize_t len = read(events[i].data.fd, buf, sizeof buf);
			if (len < 5 || memcmp(buf + len - 5, "END\r\n", 5))
				return fprintf(stderr, "load: odd answer\n"), 1;
			if (left-- <= 0)
				under_way--;
			else if (write(events[i].data.fd, get, sizeof get - 1) < 0)
				return perror("load"), 1;
		}
	}
	return 0;
}
