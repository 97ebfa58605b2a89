/* What socket, bind, connect, send and their kin refuse. */
#include "lib/net.h"

int main(void)
{
	struct sockaddr_in a = local(1);
	struct sockaddr_un un = at_path("absent/sock");
	char name[200];
	socklen_t length = sizeof(name);
	int s = must(socket(AF_INET, SOCK_STREAM, 0)),
	    file = must(open("f", O_RDWR | O_CREAT, 0600));
	show(socket(AF_INET, 77, 0));
	show(socket(9999, SOCK_STREAM, 0));
	show(socket(AF_INET, SOCK_STREAM, 9999));
	show(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	show(socket(AF_UNIX, SOCK_STREAM, 17));
	show_ok(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
	show(bind(file, ADDRESS(a)));
	show(bind(99, ADDRESS(a)));
	show(bind(s, wild(), sizeof(a)));
	show(bind(s, ADDRESS(un)));
	show(connect(s, (struct sockaddr *)&a, 1));
	show(connect(s, wild(), sizeof(a)));
	show(connect(s, ADDRESS(a)));
	show(listen(file, 1));
	show(accept(file, NULL, NULL));
	show(getsockname(s, wild(), &length));
	show(getsockname(s, (struct sockaddr *)name, wild()));
	length = 3;
	show(getsockname(s, (struct sockaddr *)name, &length));
	printf("%u\n", length);
	length = -1;
	show(getsockname(s, (struct sockaddr *)name, &length));
	show(bind(must(socket(AF_UNIX, SOCK_STREAM, 0)), ADDRESS(un)));
	show(connect(must(socket(AF_UNIX, SOCK_STREAM, 0)), ADDRESS(un)));
	show(connect(must(socket(AF_UNIX, SOCK_STREAM, 0)), ADDRESS(a)));
	show(lseek(s, 0, SEEK_SET));
	show(pread(s, name, 1, 0));
	show(fsync(s));
	show(ftruncate(s, 0));
	show(sendto(s, "x", 1, 0, wild(), 16));
	show(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, name, -1));
	a.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	show(connect(must(socket(AF_INET, SOCK_DGRAM, 0)), ADDRESS(a)));
	return 0;
}
