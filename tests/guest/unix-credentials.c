/* SO_PASSCRED: messages carry who sent them; forged ones are refused unless root. */
#include "lib/net.h"

int main(void)
{
	int pair[2], on = 1;
	char byte;
	union {
		char space[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr header;
	} control = {0};
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	show(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	must(write(pair[0], "x", 1));
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	show(recvmsg(pair[1], &m, 0));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct ucred cred = {0};
	is(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS);
	if (c)
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	is(cred.pid == getpid() && cred.uid == 0 && cred.gid == 0);
	return 0;
}
