/*
 * 2 N idle connections to itself, by loopback: what one costs in memory, and whether the last answers as fast as the
 * first.  Prints BYTES FIRST_NS LAST_NS.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define PORT 9000
#define PER_ADDRESS 20000 /* of ephemeral ports */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static long free_memory(void)
{
	struct sysinfo i;
	sysinfo(&i);
	return (long)i.freeram * (long)i.mem_unit;
}

static long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The fastest of many: request, epoll_wait(), answer. */
static long round_trip(int client, int server, int e)
{
	long best = 1000000000;
	for (int i = 0; i < 500; i++) {
		struct epoll_event event;
		char byte = 'x';
		long start = now_ns();
		must(write(client, &byte, 1) == 1 && epoll_wait(e, &event, 1, -1) == 1, "wait");
		must(event.data.fd == server && read(server, &byte, 1) == 1, "request");
		must(write(server, &byte, 1) == 1 && read(client, &byte, 1) == 1, "answer");
		long took = now_ns() - start;
		best = took < best ? took : best;
	}
	return best;
}

static int connection(int i, int listener, int e, int *client)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)},
			   from = {.sin_family = AF_INET};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (unsigned)(i / PER_ADDRESS));
	*client = socket(AF_INET, SOCK_STREAM, 0);
	must(*client >= 0 && !bind(*client, (void *)&from, sizeof(from)), "bind");
	must(!connect(*client, (void *)&to, sizeof(to)), "connect");
	int server = accept(listener, NULL, NULL);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = server};
	must(server >= 0 && !epoll_ctl(e, EPOLL_CTL_ADD, server, &event), "accept");
	return server;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000, client = -1, server = -1;
	struct rlimit r = {(rlim_t)n * 2 + 100, (rlim_t)n * 2 + 100};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	must(!setrlimit(RLIMIT_NOFILE, &r), "setrlimit");
	int listener = socket(AF_INET, SOCK_STREAM, 0), e = epoll_create1(0);
	must(!bind(listener, (void *)&a, sizeof(a)) && !listen(listener, 128), "listen");
	server = connection(0, listener, e, &client);
	long first = round_trip(client, server, e), before = free_memory();
	for (int i = 1; i < n; i++)
		server = connection(i, listener, e, &client);
	long bytes = (before - free_memory()) / (n - 1) / 2;
	printf("%ld %ld %ld\n", bytes, first, round_trip(client, server, e));
	return 0;
}
