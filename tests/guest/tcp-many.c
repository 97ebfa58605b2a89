/* Two hundred connections at once, then a thousand one after the other, each with its own data. */
/* test: cpus=2 */
#include "lib/net.h"
#include <sys/epoll.h>

static int l;

static void *server(void *unused)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = l}, got[64];
	int ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	for (;;) {
		int n = epoll_wait(ep, got, 64, -1);
		for (int i = 0; i < n; i++) {
			char buf[64];
			int fd = got[i].data.fd;
			if (fd == l) {
				e.data.fd = must(accept(l, NULL, NULL));
				must(epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e));
				continue;
			}
			ssize_t k = read(fd, buf, sizeof(buf));
			if (k <= 0)
				close(fd);
			else
				must(write(fd, buf, k));
		}
	}
	return NULL;
}

static int ask(int s, int number)
{
	char buf[64];
	int length = sprintf(buf, "number %d", number);
	must(write(s, buf, length));
	memset(buf, 0, sizeof(buf));
	must(read(s, buf, sizeof(buf)));
	return atoi(buf + 7) == number;
}

int main(void)
{
	struct sockaddr_in a;
	static int s[200];
	int right = 0;
	l = listener(&a, 128);
	start(server, NULL);
	for (int i = 0; i < 200; i++) {
		s[i] = must(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(s[i], ADDRESS(a)));
	}
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 200; i++)
			right += ask(s[(i * 7) % 200], round * 1000 + i);
	printf("%d right\n", right);
	for (int i = 0; i < 200; i++)
		close(s[i]);
	right = 0;
	for (int i = 0; i < 1000; i++) {
		int c = must(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(c, ADDRESS(a)));
		right += ask(c, i);
		close(c);
	}
	printf("%d right\n", right);
	return 0;
}
