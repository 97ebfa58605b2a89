/* TCP over the loopback: connect, accept, names of both ends, data both ways, orderly end. */
/* test: cpus=2 */
#include "lib/net.h"

static void *server(void *fd)
{
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int s = must(accept((int)(long)fd, (struct sockaddr *)&peer, &length));
	char buf[4096];
	ssize_t n;
	while ((n = read(s, buf, sizeof(buf))) > 0)
		must(write(s, buf, n));
	sleep_ms(50);
	printf("server: peer %s, length %u, end %zd\n", inet_ntoa(peer.sin_addr), length, n);
	close(s);
	return NULL;
}

int main(void)
{
	struct sockaddr_in a, name;
	socklen_t length = sizeof(name);
	char buf[4096] = "";
	int l = listener(&a, 5);
	pthread_t thread = start(server, (void *)(long)l);
	int s = must(socket(AF_INET, SOCK_STREAM, 0));
	show(getpeername(s, (struct sockaddr *)&name, &length));
	show(connect(s, ADDRESS(a)));
	show(connect(s, ADDRESS(a)));
	show(getpeername(s, (struct sockaddr *)&name, &length));
	is(name.sin_port == a.sin_port && name.sin_addr.s_addr == a.sin_addr.s_addr);
	show(getsockname(s, (struct sockaddr *)&name, &length));
	is(name.sin_port != 0 && name.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	for (int i = 1; i < 200; i++) {
		memset(buf, i, i * 20);
		must(write(s, buf, i * 20));
		for (int got = 0; got < i * 20;)
			got += must(read(s, buf + got, i * 20 - got));
		if (buf[0] != (char)i || buf[i * 20 - 1] != (char)i)
			printf("wrong in round %d\n", i);
	}
	show(shutdown(s, SHUT_WR));
	show(read(s, buf, sizeof(buf)));
	pthread_join(thread, NULL);
	show(read(s, buf, sizeof(buf)));
	return 0;
}
