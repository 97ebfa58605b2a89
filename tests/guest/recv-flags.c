/* MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL, MSG_TRUNC, MSG_MORE, FIONREAD on streams and datagrams. */
/* test: cpus=2 */
#include "lib/net.h"
#include <sys/ioctl.h>

static void *late(void *fd)
{
	for (int i = 0; i < 4; i++) {
		sleep_ms(20);
		must(write((int)(long)fd, "piece", 5));
	}
	return NULL;
}

int main(void)
{
	int fd[2], n;
	char buf[64] = "";
	tcp_pair(fd);
	show(recv(fd[1], buf, 10, MSG_DONTWAIT));
	must(write(fd[0], "hello", 5));
	sleep_ms(20);
	show(recv(fd[1], buf, 3, MSG_PEEK));
	show(ioctl(fd[1], FIONREAD, &n));
	printf("%d\n", n);
	show(recv(fd[1], buf, 64, MSG_PEEK));
	show(recv(fd[1], buf, 64, 0));
	pthread_t thread = start(late, (void *)(long)fd[0]);
	show(recv(fd[1], buf, 18, MSG_WAITALL));
	printf("%.18s\n", buf);
	pthread_join(thread, NULL);
	show(recv(fd[1], buf, 64, MSG_DONTWAIT));
	show(send(fd[0], "more ", 5, MSG_MORE));
	show(send(fd[0], "less", 4, 0));
	sleep_ms(20);
	show(recv(fd[1], buf, 64, 0));
	show(send(fd[0], "abcdef", 6, 0));
	show(recv(fd[1], NULL, 3, MSG_TRUNC));
	show(recv(fd[1], buf, 64, 0));
	printf("%.3s\n", buf);
	struct sockaddr_in a;
	int u = bound(SOCK_DGRAM, &a);
	int v = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(sendto(v, "datagram", 8, 0, ADDRESS(a)));
	show(recv(u, buf, 3, MSG_PEEK | MSG_TRUNC));
	show(ioctl(u, FIONREAD, &n));
	printf("%d\n", n);
	show(recv(u, buf, 3, 0));
	show(recv(u, buf, 3, MSG_DONTWAIT));
	show(recv(99, buf, 3, 0));
	show(recv(1, buf, 3, 0));
	show(recv(u, wild(), 3, MSG_DONTWAIT));
	return 0;
}
