/* What the programs about AF_INET6 share. */
#pragma once

#include "net.h"

static inline struct sockaddr_in6 address6(const char *text, int port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	must(inet_pton(AF_INET6, text, &a.sin6_addr) == 1 ? 0 : -1);
	return a;
}

/* A socket bound to a port of its own. */
static inline int bound6(int type, const char *text, int *port)
{
	struct sockaddr_in6 a = address6(text, 0);
	socklen_t length = sizeof(a);
	int fd = must(socket(AF_INET6, type, 0));
	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(getsockname(fd, (struct sockaddr *)&a, &length));
	*port = ntohs(a.sin6_port);
	return fd;
}

/* Without the port, which differs between runs. */
static inline void print_address6(const char *what, const struct sockaddr_in6 *a, socklen_t length)
{
	char text[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
	printf("%s: family %d, %s, %s port, flow %u, scope %u, length %u\n", what, a->sin6_family,
		text, a->sin6_port ? "a" : "no", a->sin6_flowinfo, a->sin6_scope_id, length);
}

static inline void print6(
	const char *what, int fd, int (*call)(int, struct sockaddr *restrict, socklen_t *restrict))
{
	struct sockaddr_in6 a = {0};
	socklen_t length = sizeof(a);
	if (call(fd, (struct sockaddr *)&a, &length) < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		print_address6(what, &a, length);
}
