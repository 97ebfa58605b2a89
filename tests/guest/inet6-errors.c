/* AF_INET6: addresses that are not this machine's, lengths, families, and the options servers set. */
#include "lib/net6.h"

static void destinations(int type)
{
	static const char *const texts[] = {"fe80::1", "ff02::1"};
	for (unsigned i = 0; i < COUNT(texts); i++) {
		printf("--- type %d, %s\n", type, texts[i]);
		int fd = must(socket(AF_INET6, type, 0));
		struct sockaddr_in6 a = address6(texts[i], 9);
		show(connect(fd, ADDRESS(a)));
		print6("name", fd, getsockname);
		print6("peer", fd, getpeername);
		if (type == SOCK_DGRAM)
			show(sendto(fd, "x", 1, 0, ADDRESS(a)));
		a.sin6_port = 0;
		fd = must(socket(AF_INET6, type, 0));
		show(bind(fd, ADDRESS(a)));
		/* What is bound to an address of IPv4 cannot speak IPv6. */
		fd = must(socket(AF_INET6, type, 0));
		struct sockaddr_in6 mapped = address6("::ffff:127.0.0.1", 0);
		must(bind(fd, ADDRESS(mapped)));
		a.sin6_port = htons(9);
		if (type == SOCK_DGRAM)
			show(connect(fd, ADDRESS(a)));
	}
}

static void lengths_and_families(int type)
{
	printf("--- lengths and families, type %d\n", type);
	struct sockaddr_in6 wild = address6("::", 0), mapped = address6("::ffff:127.0.0.1", 9);
	struct sockaddr_in four = local(9);
	int fd = must(socket(AF_INET6, type, 0));
	show(bind(fd, (struct sockaddr *)&wild, 0));
	show(bind(fd, (struct sockaddr *)&wild, 16));
	show(bind(fd, (struct sockaddr *)&wild, 23));
	show(bind(fd, (struct sockaddr *)&four, 16));
	show(bind(fd, (struct sockaddr *)&four, 28));
	wild.sin6_family = AF_UNSPEC;
	show(bind(fd, ADDRESS(wild)));
	wild.sin6_family = AF_INET6;
	show(bind(fd, (struct sockaddr *)&wild, 24));
	show(bind(fd, ADDRESS(wild)));
	fd = must(socket(AF_INET6, type, 0));
	show(connect(fd, (struct sockaddr *)&mapped, 1));
	show(connect(fd, (struct sockaddr *)&mapped, 23));
	show(connect(fd, (struct sockaddr *)&four, 16));
	mapped.sin6_family = 99;
	show(connect(fd, ADDRESS(mapped)));
	if (type == SOCK_STREAM)
		return;
	fd = must(socket(AF_INET6, type, 0));
	show(sendto(fd, "x", 1, 0, ADDRESS(mapped)));
	mapped.sin6_family = AF_UNSPEC;
	show(sendto(fd, "x", 1, 0, ADDRESS(mapped)));
	mapped.sin6_family = AF_INET6;
	show(sendto(fd, "x", 1, 0, (struct sockaddr *)&mapped, 23));
	show(sendto(fd, "x", 1, 0, (struct sockaddr *)&mapped, 24));
	mapped.sin6_port = 0;
	show(sendto(fd, "x", 1, 0, ADDRESS(mapped)));
}

static void option(int fd, const char *name, int number, int value)
{
	int got = -1, old = -1;
	socklen_t length = sizeof(old);
	getsockopt(fd, IPPROTO_IPV6, number, &old, &length);
	printf("%s: was %d", name, old);
	int err = setsockopt(fd, IPPROTO_IPV6, number, &value, sizeof(value));
	printf(", set %d %s", value, err ? strerrorname_np(errno) : "ok");
	length = sizeof(got);
	err = getsockopt(fd, IPPROTO_IPV6, number, &got, &length);
	printf(", get %s %d, length %u\n", err ? strerrorname_np(errno) : "ok", got, length);
}

#define OPTION(number, value) option(fd, #number, number, value)

static void options(int type)
{
	printf("--- options, type %d\n", type);
	int fd = must(socket(AF_INET6, type, 0)), on = 1;
	OPTION(IPV6_UNICAST_HOPS, 33);
	OPTION(IPV6_UNICAST_HOPS, -1);
	OPTION(IPV6_UNICAST_HOPS, 256);
	OPTION(IPV6_MULTICAST_HOPS, 5);
	OPTION(IPV6_MULTICAST_LOOP, 0);
	OPTION(IPV6_MULTICAST_LOOP, 2);
	OPTION(IPV6_MULTICAST_IF, 1);
	OPTION(IPV6_RECVPKTINFO, 7);
	OPTION(IPV6_RECVHOPLIMIT, 1);
	OPTION(IPV6_RECVTCLASS, 1);
	OPTION(IPV6_TCLASS, 0x2f);
	OPTION(IPV6_TCLASS, 300);
	OPTION(IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	OPTION(IPV6_MTU_DISCOVER, 9);
	OPTION(IPV6_MTU, 1000);
	OPTION(IPV6_MTU, 1400);
	OPTION(IPV6_RECVERR, 1);
	OPTION(IPV6_DONTFRAG, 1);
	OPTION(IPV6_AUTOFLOWLABEL, 0);
	OPTION(IPV6_MINHOPCOUNT, 3);
	OPTION(IPV6_FREEBIND, 1);
	OPTION(99, 1);
	show(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, 2));
	show(setsockopt(fd, IPPROTO_IPV6, 99, &on, 2));
	show(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &on, sizeof(on)));
	show(setsockopt(fd, IPPROTO_IP, IP_TOS, &on, sizeof(on)));
	show(setsockopt(fd, IPPROTO_IP, IP_TTL, &on, sizeof(on)));
	show(setsockopt(fd, 12345, 1, &on, sizeof(on)));
	socklen_t length = sizeof(on);
	show(getsockopt(fd, 12345, 1, &on, &length));
}

int main(void)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		destinations(type);
		lengths_and_families(type);
		options(type);
	}
	show(socket(AF_INET6, SOCK_STREAM, IPPROTO_UDP));
	show(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP));
	show(socket(AF_INET6, SOCK_SEQPACKET, 0));
	show(socket(AF_INET6, SOCK_STREAM, 300));
	return 0;
}
