/* What the socket programs share: addresses, and pairs of connected sockets. */
#pragma once

#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

static inline struct sockaddr_in local(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

#define ADDRESS(a) (struct sockaddr *)&(a), sizeof(a)

/* A socket bound to a free port of the loopback; *a becomes its address. */
static inline int bound(int type, struct sockaddr_in *a)
{
	socklen_t length = sizeof(*a);
	int s = must(socket(AF_INET, type, 0));
	*a = local(0);
	must(bind(s, ADDRESS(*a)));
	must(getsockname(s, (struct sockaddr *)a, &length));
	return s;
}

static inline int listener(struct sockaddr_in *a, int backlog)
{
	int s = bound(SOCK_STREAM, a);
	must(listen(s, backlog));
	return s;
}

/* Two ends of one TCP connection over the loopback. */
static inline void tcp_pair(int fd[2])
{
	struct sockaddr_in a;
	int l = listener(&a, 1);
	fd[0] = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(fd[0], ADDRESS(a)));
	fd[1] = must(accept(l, NULL, NULL));
	must(close(l));
}

static inline struct sockaddr_un at_path(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	return a;
}
