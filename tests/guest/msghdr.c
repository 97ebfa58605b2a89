/* sendmsg and recvmsg: several pieces, names, flags told back, mmsg. */
#include "lib/net.h"

int main(void)
{
	struct sockaddr_in a, from;
	char x[4] = "", y[32] = "";
	struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefgh", 6}}, in[2] = {{x, 3}, {y, 31}};
	int u = bound(SOCK_DGRAM, &a), v = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = out, .msg_iovlen = 3};
	show(sendmsg(v, &m, 0));
	m = (struct msghdr){
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = in, .msg_iovlen = 2};
	show(recvmsg(u, &m, 0));
	printf("%s %s name %u flags %#x from %s\n", x, y, m.msg_namelen, m.msg_flags,
		inet_ntoa(from.sin_addr));
	must(sendto(v, "0123456789", 10, 0, ADDRESS(a)));
	in[1].iov_len = 2;
	show(recvmsg(u, &m, 0));
	printf("flags %#x\n", m.msg_flags);
	must(sendto(v, "0123456789", 10, 0, ADDRESS(a)));
	show(recvmsg(u, &m, MSG_TRUNC));
	struct mmsghdr mm[3] = {0};
	for (int i = 0; i < 3; i++)
		mm[i].msg_hdr = (struct msghdr){.msg_name = &a,
			.msg_namelen = sizeof(a),
			.msg_iov = out + 2,
			.msg_iovlen = 1};
	show(sendmmsg(v, mm, 3, 0));
	printf("%u %u %u\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
	char buf[3][8] = {0};
	struct iovec each[3];
	for (int i = 0; i < 3; i++) {
		each[i] = (struct iovec){buf[i], 7};
		mm[i].msg_hdr = (struct msghdr){.msg_iov = each + i, .msg_iovlen = 1};
	}
	show(recvmmsg(u, mm, 3, MSG_DONTWAIT, NULL));
	printf("%s %s %s %u\n", buf[0], buf[1], buf[2], mm[2].msg_len);
	show(recvmmsg(u, mm, 3, MSG_DONTWAIT, NULL));
	show(sendmsg(v, wild(), 0));
	m = (struct msghdr){.msg_iov = wild(), .msg_iovlen = 1};
	show(sendmsg(v, &m, 0));
	m = (struct msghdr){.msg_iov = out, .msg_iovlen = 3};
	show(sendmsg(v, &m, 0));
	return 0;
}
