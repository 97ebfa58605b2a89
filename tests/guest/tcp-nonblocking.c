/* Nonblocking connect, accept, read and write: EINPROGRESS, EAGAIN, SO_ERROR, poll. */
#include "lib/net.h"

int main(void)
{
	struct sockaddr_in a, nobody = {0};
	int err;
	socklen_t length = sizeof(err);
	static char buf[1 << 20];
	int l = listener(&a, 5);
	must(fcntl(l, F_SETFL, O_NONBLOCK));
	show(accept(l, NULL, NULL));
	int s = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	show(fcntl(s, F_GETFD));
	show(connect(s, ADDRESS(a)));
	struct pollfd p = {s, POLLOUT, 0};
	show(poll(&p, 1, 1000));
	printf("%#x\n", p.revents);
	show(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &length));
	printf("SO_ERROR %d\n", err);
	show(connect(s, ADDRESS(a)));
	int c = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	is(c >= 0 && fcntl(c, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(c, F_GETFD) == 1);
	show(read(c, buf, 10));
	long sent = 0, n, got = 0;
	while ((n = write(s, buf, sizeof(buf))) > 0)
		sent += n;
	printf("%s\n", strerrorname_np(errno));
	is(sent > 10000);
	show(poll(&p, 1, 0));
	while (got < sent && (n = read(c, buf, sizeof(buf))) != 0) {
		if (n > 0)
			got += n;
		else
			poll(&(struct pollfd){c, POLLIN, 0}, 1, 1000);
	}
	is(got == sent);
	show(poll(&p, 1, 1000));
	int closed = bound(SOCK_STREAM, &nobody);
	close(closed);
	s = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	show(connect(s, ADDRESS(nobody)));
	p.fd = s;
	show(poll(&p, 1, 1000));
	printf("%#x\n", p.revents);
	show(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &length));
	printf("SO_ERROR %s\n", strerrorname_np(err));
	show(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &length));
	printf("SO_ERROR %d\n", err);
	s = must(socket(AF_INET, SOCK_STREAM, 0));
	show(connect(s, ADDRESS(nobody)));
	show(accept4(l, NULL, NULL, 0x123));
	show(accept(s, NULL, NULL));
	return 0;
}
