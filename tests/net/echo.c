/* For tests/net/scripted.py: sends every datagram to port 7 back, over both families. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	static char buf[65536];
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)))
		return 1;
	setbuf(stdout, NULL);
	puts("ready");
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &length);
		if (n >= 0)
			sendto(s, buf, (size_t)n, 0, (struct sockaddr *)&from, length);
	}
}
