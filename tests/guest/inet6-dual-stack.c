/* A socket of AF_INET6 bound to :: serves IPv4 too, whose addresses it sees as ::ffff:a.b.c.d. */
#include "lib/net6.h"

static void stream(void)
{
	int port, s = bound6(SOCK_STREAM, "::", &port);
	print6("listener", s, getsockname);
	show(listen(s, 5));
	int client = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in to = local(port);
	show(connect(client, ADDRESS(to)));
	struct sockaddr_in6 from;
	socklen_t length = sizeof(from);
	int c = must(accept(s, (struct sockaddr *)&from, &length));
	print_address6("accepted", &from, length);
	print6("its name", c, getsockname);
	print6("its peer", c, getpeername);
	int domain = 0;
	length = sizeof(domain);
	show(getsockopt(c, SOL_SOCKET, SO_DOMAIN, &domain, &length));
	is(domain == AF_INET6);
	char buf[16];
	show(write(client, "hello", 5));
	show(read(c, buf, sizeof(buf)));
	show(write(c, "world!", 6));
	show(read(client, buf, sizeof(buf)));
	close(client);
	show(read(c, buf, sizeof(buf)));
	close(c);

	client = must(socket(AF_INET6, SOCK_STREAM, 0));
	struct sockaddr_in6 mapped = address6("::ffff:127.0.0.1", port);
	show(connect(client, ADDRESS(mapped)));
	print6("client", client, getsockname);
	print6("its peer", client, getpeername);
	mapped = address6("::ffff:127.0.0.1", 0);
	int other = must(socket(AF_INET6, SOCK_STREAM, 0));
	show(bind(other, ADDRESS(mapped)));
	print6("bound to a mapped address", other, getsockname);
	mapped = address6("::ffff:0.0.0.0", 0);
	other = must(socket(AF_INET6, SOCK_STREAM, 0));
	show(bind(other, ADDRESS(mapped)));
	print6("bound to IPv4's wildcard", other, getsockname);
}

static void datagrams(void)
{
	int port, on = 1, s = bound6(SOCK_DGRAM, "::", &port);
	show(setsockopt(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)));
	int client = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = local(port);
	show(sendto(client, "ping", 4, 0, ADDRESS(to)));
	struct sockaddr_in6 from;
	char buf[16];
	_Alignas(8) char control[64];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	show(recvmsg(s, &m, 0));
	print_address6("from", &from, m.msg_namelen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);
		char text[INET6_ADDRSTRLEN];
		printf("level %d type %d length %zu: %s on %u\n", c->cmsg_level, c->cmsg_type,
			c->cmsg_len, inet_ntop(AF_INET6, &info->ipi6_addr, text, sizeof(text)),
			info->ipi6_ifindex);
	}
	/* The answer with the same control message, as servers do. */
	v.iov_len = 4;
	show(sendmsg(s, &m, 0));
	show(recv(client, buf, sizeof(buf), 0));
	show(connect(s, ADDRESS(from)));
	print6("connected", s, getsockname);
	show(send(s, "pong", 4, 0));
	show(recv(client, buf, sizeof(buf), 0));
	struct sockaddr_in6 nobody = {.sin6_family = AF_UNSPEC};
	show(connect(s, ADDRESS(nobody)));
	struct sockaddr_in6 name = {0};
	socklen_t length = sizeof(name);
	show(getsockname(s, (struct sockaddr *)&name, &length));
	is(IN6_IS_ADDR_UNSPECIFIED(&name.sin6_addr));
	print6("peer", s, getpeername);
	/* UDP takes addresses of IPv4 as they are. */
	struct sockaddr_in back = {0};
	length = sizeof(back);
	must(getsockname(client, (struct sockaddr *)&back, &length));
	back = local(ntohs(back.sin_port));
	show(sendto(s, "again", 5, 0, ADDRESS(back)));
	show(recv(client, buf, sizeof(buf), 0));
}

int main(void)
{
	stream();
	datagrams();
	return 0;
}
