/* Descriptors travel over UNIX sockets: share the offset, outlive the sender, are cut when unwanted. */
#include "lib/net.h"

union control {
	char space[CMSG_SPACE(3 * sizeof(int))];
	struct cmsghdr header;
};

static void pass(int s, const int *fds, int n)
{
	union control control = {0};
	struct iovec v = {"F", 1};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(n * sizeof(int))};
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	show(sendmsg(s, &m, 0));
}

static int take(int s, int *fds, int flags, size_t room)
{
	union control control = {0};
	char byte;
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};
	show(recvmsg(s, &m, flags));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int n = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	printf("%d descriptors, flags %#x\n", n, m.msg_flags);
	if (c)
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

int main(void)
{
	int pair[2], fd[3], got[3], p[2];
	char buf[16] = "";
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	write_file("f", "0123456789");
	fd[0] = must(open("f", O_RDONLY));
	must(read(fd[0], buf, 3));
	must(pipe(p));
	fd[1] = p[0];
	fd[2] = p[1];
	pass(pair[0], fd, 3);
	close(fd[0]);
	close(fd[1]);
	take(pair[1], got, MSG_CMSG_CLOEXEC, sizeof(union control));
	show(read(got[0], buf, 4));
	printf("%s\n", buf);
	show(fcntl(got[0], F_GETFD));
	must(write(got[2], "pipe", 4));
	show(read(got[1], buf, 16));
	pass(pair[0], got, 3);
	take(pair[1], fd, 0, CMSG_SPACE(sizeof(int)));
	pass(pair[0], got, 1);
	show(read(pair[1], buf, 1));
	int wrong = 99;
	pass(pair[0], &wrong, 1);
	pass(pair[0], pair, 2); /* the socket itself, never received */
	return 0;
}
