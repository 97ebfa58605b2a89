/* A reset: ECONNRESET once, then EPIPE; SIGPIPE unless MSG_NOSIGNAL; linger 0 sends it. */
#include "lib/net.h"

static void on_pipe(int sig, siginfo_t *info, void *context)
{
	puts("SIGPIPE");
}

int main(void)
{
	int fd[2], err;
	socklen_t length = sizeof(err);
	char c;
	struct linger linger = {1, 0};
	handle(SIGPIPE, on_pipe, 0);
	tcp_pair(fd);
	show(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(fd[1]);
	sleep_ms(30);
	struct pollfd p = {fd[0], POLLIN | POLLOUT | POLLRDHUP, 0};
	show(poll(&p, 1, 1000));
	printf("%#x\n", p.revents);
	show(read(fd[0], &c, 1));
	show(read(fd[0], &c, 1));
	show(write(fd[0], "x", 1));
	show(send(fd[0], "x", 1, MSG_NOSIGNAL));
	tcp_pair(fd);
	must(write(fd[0], "unread", 6));
	sleep_ms(30);
	close(fd[1]); /* with data unread: a reset as well */
	sleep_ms(30);
	show(getsockopt(fd[0], SOL_SOCKET, SO_ERROR, &err, &length));
	printf("%s\n", strerrorname_np(err));
	tcp_pair(fd);
	close(fd[1]);
	sleep_ms(30);
	show(read(fd[0], &c, 1));
	show(write(fd[0], "x", 1));
	sleep_ms(30);
	show(write(fd[0], "x", 1));
	return 0;
}
