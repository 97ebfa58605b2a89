/* Options programs set and read, and their lengths; unknown ones are refused. */
#include "lib/net.h"

static int fd;

static void option(const char *name, int level, int number, int value)
{
	int got = -1;
	socklen_t length = sizeof(got);
	int set = setsockopt(fd, level, number, &value, sizeof(value));
	printf("%s: set %s", name, set ? strerrorname_np(errno) : "ok");
	int get = getsockopt(fd, level, number, &got, &length);
	printf(", get %s %d, length %u\n", get ? strerrorname_np(errno) : "ok", got, length);
}

#define OPTION(level, number, value) option(#number, level, number, value)

int main(void)
{
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	OPTION(SOL_SOCKET, SO_REUSEADDR, 1);
	OPTION(SOL_SOCKET, SO_REUSEPORT, 1);
	OPTION(SOL_SOCKET, SO_KEEPALIVE, 5);
	OPTION(SOL_SOCKET, SO_BROADCAST, 1);
	OPTION(SOL_SOCKET, SO_OOBINLINE, 1);
	OPTION(SOL_SOCKET, SO_TYPE, 1);
	OPTION(SOL_SOCKET, SO_DOMAIN, 1);
	OPTION(SOL_SOCKET, SO_PROTOCOL, 1);
	OPTION(SOL_SOCKET, SO_ERROR, 1);
	OPTION(SOL_SOCKET, SO_ACCEPTCONN, 1);
	OPTION(IPPROTO_TCP, TCP_NODELAY, 1);
	OPTION(IPPROTO_TCP, TCP_CORK, 1);
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE, 33);
	OPTION(IPPROTO_TCP, TCP_KEEPINTVL, 34);
	OPTION(IPPROTO_TCP, TCP_KEEPCNT, 5);
	OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE, 0);
	OPTION(IPPROTO_IP, IP_TOS, 0x10);
	OPTION(IPPROTO_IP, IP_TTL, 40);
	OPTION(SOL_SOCKET, 12345, 1);
	OPTION(IPPROTO_TCP, 12345, 1);
	OPTION(12345, 1, 1);
	int size = 100000;
	socklen_t length = sizeof(size);
	show(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	show(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length));
	printf("%d\n", size);
	size = 1;
	show(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	show(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length));
	is(size >= 2048);
	struct linger linger = {1, 9};
	length = sizeof(linger);
	show(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	linger.l_linger = 0;
	show(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
	printf("%d %d %u\n", linger.l_onoff, linger.l_linger, length);
	struct timeval t = {3, 500000};
	length = sizeof(t);
	show(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	t = (struct timeval){0};
	show(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, &length));
	printf("%ld.%06ld\n", (long)t.tv_sec, (long)t.tv_usec);
	show(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &size, 2));
	show(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, wild(), 4));
	length = 2;
	show(getsockopt(fd, SOL_SOCKET, SO_TYPE, &size, &length));
	printf("%u\n", length);
	char name[16] = "";
	length = sizeof(name);
	show(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length));
	is(name[0] != 0);
	struct tcp_info info;
	length = sizeof(info);
	show(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
	printf("state %d\n", info.tcpi_state);
	show(setsockopt(1, SOL_SOCKET, SO_KEEPALIVE, &size, 4));
	show(setsockopt(99, SOL_SOCKET, SO_KEEPALIVE, &size, 4));
	return 0;
}
