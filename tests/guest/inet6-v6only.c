/* Who may have a port beside whom: :: for both families, :: for IPv6 alone, and addresses of IPv4. */
#include "lib/net6.h"

static int open6(int type, bool v6only, bool reuse)
{
	int fd = must(socket(AF_INET6, type, 0)), on = v6only;
	must(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	on = reuse;
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	return fd;
}

static int open4(int type, bool reuse)
{
	int fd = must(socket(AF_INET, type, 0)), on = reuse;
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	return fd;
}

static void conflicts(int type, bool reuse)
{
	printf("--- type %d, reuse %d\n", type, reuse);
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in6 wild = address6("::", 0), mapped;
	socklen_t length = sizeof(wild);
	int both = open6(type, false, reuse);
	must(bind(both, ADDRESS(wild)));
	must(getsockname(both, (struct sockaddr *)&wild, &length));
	any.sin_port = wild.sin6_port;
	mapped = address6("::ffff:127.0.0.1", ntohs(wild.sin6_port));
	struct sockaddr_in lo = local(ntohs(wild.sin6_port));
	puts("beside both families:");
	show(bind(open4(type, reuse), ADDRESS(any)));
	show(bind(open4(type, reuse), ADDRESS(lo)));
	show(bind(open6(type, true, reuse), ADDRESS(wild)));
	show(bind(open6(type, false, reuse), ADDRESS(mapped)));
	close(both);

	wild.sin6_port = 0;
	int six = open6(type, true, reuse);
	must(bind(six, ADDRESS(wild)));
	must(getsockname(six, (struct sockaddr *)&wild, &length));
	any.sin_port = lo.sin_port = mapped.sin6_port = wild.sin6_port;
	puts("beside IPv6 alone:");
	show(bind(open6(type, false, reuse), ADDRESS(mapped)));
	show(bind(open4(type, reuse), ADDRESS(any)));
	show(bind(open6(type, false, reuse), ADDRESS(wild)));
	show(bind(open6(type, true, reuse), ADDRESS(wild)));
	close(six);
}

/* nginx: listen 80; listen [::]:80; */
static void two_listeners(void)
{
	puts("--- two listeners");
	struct sockaddr_in6 wild = address6("::", 0);
	socklen_t length = sizeof(wild);
	int four = open4(SOCK_STREAM, true), six = open6(SOCK_STREAM, true, true);
	must(bind(six, ADDRESS(wild)));
	must(getsockname(six, (struct sockaddr *)&wild, &length));
	show(listen(six, 5));
	struct sockaddr_in to = local(ntohs(wild.sin6_port));
	int client = must(socket(AF_INET, SOCK_STREAM, 0));
	show(connect(client, ADDRESS(to)));
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = wild.sin6_port};
	show(bind(four, ADDRESS(any)));
	show(listen(four, 5));
	show(connect(client, ADDRESS(to)));
	show_ok(accept(four, NULL, NULL));
	show(fcntl(six, F_SETFL, O_NONBLOCK));
	show(accept(six, NULL, NULL));
}

static void when(int type)
{
	printf("--- when, type %d\n", type);
	int on = 1, got = -1, fd = must(socket(AF_INET6, type, 0));
	socklen_t length = sizeof(got);
	show(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &got, &length));
	printf("%d\n", got);
	show(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	show(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &got, &length));
	printf("%d\n", got);
	struct sockaddr_in6 mapped = address6("::ffff:127.0.0.1", 9), wild = address6("::", 0);
	show(bind(fd, ADDRESS(mapped)));
	show(connect(fd, ADDRESS(mapped)));
	if (type == SOCK_DGRAM) {
		struct sockaddr_in four = local(9);
		show(connect(fd, ADDRESS(four)));
		show(sendto(fd, "x", 1, 0, ADDRESS(four)));
		show(sendto(fd, "x", 1, 0, ADDRESS(mapped)));
	}
	show(bind(fd, ADDRESS(wild)));
	on = 0;
	show(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	show(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, 1));
	int four = must(socket(AF_INET, type, 0));
	show(setsockopt(four, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	show(getsockopt(four, IPPROTO_IPV6, IPV6_V6ONLY, &on, &length));
}

static void datagrams(void)
{
	puts("--- a datagram");
	int on = 1, port, six = must(socket(AF_INET6, SOCK_DGRAM, 0)), four;
	struct sockaddr_in6 wild = address6("::", 0);
	socklen_t length = sizeof(wild);
	must(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	must(bind(six, ADDRESS(wild)));
	must(getsockname(six, (struct sockaddr *)&wild, &length));
	port = ntohs(wild.sin6_port);
	four = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = local(port);
	must(connect(four, ADDRESS(to)));
	show(send(four, "x", 1, 0));
	sleep_ms(10);
	show(send(four, "x", 1, 0));
	char c;
	show(recv(six, &c, 1, MSG_DONTWAIT));
}

int main(void)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		conflicts(type, false);
		conflicts(type, true);
		when(type);
	}
	two_listeners();
	datagrams();
	return 0;
}
