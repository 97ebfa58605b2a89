/* A thousand datagrams between two threads: none is mixed, order is kept. */
/* test: cpus=2 */
#include "lib/net.h"

static int s;

static void *echo(void *unused)
{
	struct sockaddr_in from;
	char buf[2000];
	for (int i = 0; i < 1000; i++) {
		socklen_t length = sizeof(from);
		ssize_t n =
			must(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &length));
		must(sendto(s, buf, n, 0, (struct sockaddr *)&from, length));
	}
	return NULL;
}

int main(void)
{
	struct sockaddr_in a;
	char buf[2000], back[2000];
	int wrong = 0;
	s = bound(SOCK_DGRAM, &a);
	pthread_t thread = start(echo, NULL);
	int c = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(connect(c, ADDRESS(a)));
	for (int i = 0; i < 1000; i++) {
		int n = 1 + i % 1400;
		memset(buf, i, n);
		must(send(c, buf, n, 0));
		wrong += recv(c, back, sizeof(back), 0) != n || memcmp(buf, back, n) != 0;
	}
	pthread_join(thread, NULL);
	printf("%d wrong\n", wrong);
	return 0;
}
