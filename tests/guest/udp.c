/* UDP over the loopback: to and from, connected, refused, empty datagrams, sizes. */
#include "lib/net.h"

int main(void)
{
	struct sockaddr_in a, b, from;
	socklen_t length = sizeof(from);
	static char buf[70000];
	int s = bound(SOCK_DGRAM, &a), t = bound(SOCK_DGRAM, &b);
	show(sendto(s, "hello", 5, 0, ADDRESS(b)));
	show(recvfrom(t, buf, sizeof(buf), 0, (struct sockaddr *)&from, &length));
	is(from.sin_port == a.sin_port && length == sizeof(from));
	show(sendto(t, "", 0, 0, ADDRESS(from)));
	show(recvfrom(s, buf, sizeof(buf), 0, NULL, NULL));
	show(send(s, "x", 1, 0));
	show(connect(s, ADDRESS(b)));
	show(send(s, "connected", 9, 0));
	show(read(t, buf, sizeof(buf)));
	int other = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(sendto(other, "stranger", 8, 0, ADDRESS(a)));
	show(recv(s, buf, sizeof(buf), MSG_DONTWAIT));
	show(sendto(s, buf, 65507, 0, ADDRESS(b)));
	show(recv(t, buf, sizeof(buf), 0));
	show(sendto(s, buf, 65508, 0, ADDRESS(b)));
	show(close(t));
	show(send(s, "into nothing", 12, 0));
	sleep_ms(20);
	struct pollfd p = {s, POLLIN | POLLOUT, 0};
	show(poll(&p, 1, 0));
	printf("%#x\n", p.revents);
	show(send(s, "again", 5, 0));
	show(recv(s, buf, 10, MSG_DONTWAIT));
	a = (struct sockaddr_in){.sin_family = AF_UNSPEC};
	show(connect(s, ADDRESS(a)));
	show(send(s, "x", 1, 0));
	show(getpeername(s, (struct sockaddr *)&from, &length));
	b.sin_port = 0;
	show(sendto(s, "x", 1, 0, ADDRESS(b)));
	show(listen(s, 1));
	show(bind(s, ADDRESS(b)));
	return 0;
}
