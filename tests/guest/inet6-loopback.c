/* ::1 as servers and clients use it: streams, datagrams with their control messages, errors, large ones in fragments. */
#include "lib/net6.h"

static void stream(void)
{
	int port, s = bound6(SOCK_STREAM, "::1", &port);
	show(listen(s, 5));
	int client = must(socket(AF_INET6, SOCK_STREAM, 0));
	struct sockaddr_in6 to = address6("::1", port), from;
	show(connect(client, ADDRESS(to)));
	socklen_t length = sizeof(from);
	int c = must(accept(s, (struct sockaddr *)&from, &length));
	print_address6("accepted", &from, length);
	print6("its name", c, getsockname);
	print6("client", client, getsockname);
	char buf[4096];
	memset(buf, 'x', sizeof(buf));
	size_t sent = 0, got = 0;
	while (sent < 1 << 20) {
		ssize_t n = send(client, buf, sizeof(buf), MSG_DONTWAIT);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		got += (size_t)must(read(c, buf, sizeof(buf)));
	}
	shutdown(client, SHUT_WR);
	for (ssize_t n; (n = read(c, buf, sizeof(buf))) > 0;)
		got += (size_t)n;
	printf("%zu bytes sent, %d bytes missing\n", sent, (int)(sent - got));
	close(s);
	int refused = must(socket(AF_INET6, SOCK_STREAM, 0));
	show(connect(refused, ADDRESS(to)));
	/* "any" is this machine. */
	s = bound6(SOCK_STREAM, "::", &port);
	show(listen(s, 5));
	to = address6("::", port);
	client = must(socket(AF_INET6, SOCK_STREAM, 0));
	show(connect(client, ADDRESS(to)));
	print6("client of any", client, getpeername);
}

static void show_control(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int x = 0;
		char text[INET6_ADDRSTRLEN];
		memcpy(&x, CMSG_DATA(c), sizeof(x));
		if (c->cmsg_type == IPV6_PKTINFO)
			printf("pktinfo %s\n",
				inet_ntop(AF_INET6, CMSG_DATA(c), text, sizeof(text)));
		else
			printf("level %d type %d: %d\n", c->cmsg_level, c->cmsg_type, x);
	}
}

static void datagrams(void)
{
	int port, on = 1, hops = 7, class = 0x20, s = bound6(SOCK_DGRAM, "::", &port);
	must(setsockopt(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)));
	must(setsockopt(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)));
	must(setsockopt(s, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on)));
	int client = must(socket(AF_INET6, SOCK_DGRAM, 0));
	must(setsockopt(client, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)));
	must(setsockopt(client, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class)));
	struct sockaddr_in6 to = address6("::1", port), from;
	show(sendto(client, "ping", 4, 0, ADDRESS(to)));
	char buf[16], control[256];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	show(recvmsg(s, &m, 0));
	print_address6("from", &from, m.msg_namelen);
	show_control(&m);
	static char large[60000], back[65536];
	memset(large, 'y', sizeof(large));
	show(sendto(client, large, sizeof(large), 0, ADDRESS(to)));
	show(recv(s, back, sizeof(back), 0));
	is(memcmp(large, back, sizeof(large)) == 0);
	close(s);
	show(connect(client, ADDRESS(to)));
	show(send(client, "x", 1, 0));
	sleep_ms(10);
	show(send(client, "x", 1, 0));
	print6("its name", client, getsockname);
}

int main(void)
{
	stream();
	datagrams();
	return 0;
}
