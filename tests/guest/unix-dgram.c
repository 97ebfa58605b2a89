/* UNIX datagrams and sequenced packets keep their borders; senders have names. */
#include "lib/net.h"

int main(void)
{
	struct sockaddr_un a = at_path("server"), b = at_path("client"), from;
	socklen_t length = sizeof(from);
	char buf[64] = "";
	int fd[2];
	int s = must(socket(AF_UNIX, SOCK_DGRAM, 0)), c = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	must(bind(s, ADDRESS(a)));
	must(bind(c, ADDRESS(b)));
	show(sendto(c, "first", 5, 0, ADDRESS(a)));
	show(sendto(c, "second one", 10, 0, ADDRESS(a)));
	show(recvfrom(s, buf, 3, 0, (struct sockaddr *)&from, &length));
	printf("%s from %s\n", buf, from.sun_path);
	show(recv(s, buf, sizeof(buf), 0));
	show(connect(s, ADDRESS(b)));
	show(send(s, "answer", 6, 0));
	show(recv(c, buf, sizeof(buf), 0));
	close(c);
	show(send(s, "x", 1, 0));
	show(sendto(must(socket(AF_UNIX, SOCK_DGRAM, 0)), "x", 1, 0, ADDRESS(b)));
	show(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd));
	show(write(fd[0], "one", 3));
	show(write(fd[0], "two", 3));
	show(read(fd[1], buf, sizeof(buf)));
	show(read(fd[1], buf, 1));
	close(fd[0]);
	show(read(fd[1], buf, sizeof(buf)));
	show(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	show(send(fd[1], "dgram", 5, 0));
	show(read(fd[0], buf, sizeof(buf)));
	show(socketpair(AF_INET, SOCK_STREAM, 0, fd));
	show(socketpair(AF_UNIX, SOCK_RAW, 0, fd));
	show(socketpair(AF_UNIX, 77, 0, fd));
	return 0;
}
