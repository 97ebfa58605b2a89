/* Edge-triggered epoll on TCP: nothing lost between accept, data, and half close. */
/* test: cpus=2 */
#include "lib/net.h"
#include <sys/epoll.h>

static void *client(void *address)
{
	struct sockaddr_in *a = address;
	char buf[30000];
	memset(buf, 'c', sizeof(buf));
	for (int i = 0; i < 100; i++) {
		int s = must(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(s, ADDRESS(*a)));
		must(write(s, buf, 1 + i * 290));
		must(shutdown(s, SHUT_WR));
		must(read(s, buf, 1));
		close(s);
	}
	return NULL;
}

int main(void)
{
	struct sockaddr_in a;
	struct epoll_event e = {.events = EPOLLIN | EPOLLET}, got[8];
	int l = listener(&a, 10), ep = must(epoll_create1(0)), ended = 0;
	static long bytes;
	must(fcntl(l, F_SETFL, O_NONBLOCK));
	e.data.fd = l;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	pthread_t thread = start(client, &a);
	while (ended < 100) {
		int n = must(epoll_wait(ep, got, 8, 10000));
		if (n == 0) {
			puts("nothing for ten seconds");
			return 1;
		}
		for (int i = 0; i < n; i++) {
			char buf[1000];
			int fd = got[i].data.fd, c;
			ssize_t k;
			if (fd == l) {
				while ((c = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					e.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
					e.data.fd = c;
					must(epoll_ctl(ep, EPOLL_CTL_ADD, c, &e));
				}
				continue;
			}
			while ((k = read(fd, buf, sizeof(buf))) > 0)
				bytes += k;
			if (k == 0) {
				must(write(fd, "!", 1));
				close(fd);
				ended++;
			}
		}
	}
	pthread_join(thread, NULL);
	printf("%ld bytes\n", bytes);
	return 0;
}
