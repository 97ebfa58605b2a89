/* UNIX streams: paths, abstract names, unnamed ends, refusals, removal. */
#include "lib/net.h"

static void name_of(int s, int (*function)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_un a = {0};
	socklen_t length = sizeof(a);
	if (function(s, (struct sockaddr *)&a, &length))
		printf("%s\n", strerrorname_np(errno));
	else
		printf("[%s] length %u\n",
			a.sun_path[0] ? a.sun_path
			: length > 2  ? a.sun_path + 1
				      : "",
			length);
}

int main(void)
{
	struct sockaddr_un a = at_path("sock"),
			   b = {.sun_family = AF_UNIX, .sun_path = "\0abstract"};
	socklen_t short_length = sizeof(sa_family_t) + 9;
	struct stat st;
	char buf[16] = "";
	int l = must(socket(AF_UNIX, SOCK_STREAM, 0)), s = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(s, ADDRESS(a)));
	show(bind(l, ADDRESS(a)));
	show(bind(must(socket(AF_UNIX, SOCK_STREAM, 0)), ADDRESS(a)));
	must(stat("sock", &st));
	printf("%#o\n", st.st_mode & S_IFMT);
	show(connect(s, ADDRESS(a)));
	show(listen(l, 2));
	show(connect(s, ADDRESS(a)));
	int c = must(accept(l, NULL, NULL));
	name_of(c, getsockname);
	name_of(c, getpeername);
	name_of(s, getpeername);
	name_of(s, getsockname);
	must(write(s, "over a path", 11));
	show(read(c, buf, 16));
	puts(buf);
	struct ucred cred;
	socklen_t length = sizeof(cred);
	show(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &length));
	is(cred.pid == getpid() && cred.uid == 0 && cred.gid == 0);
	show(open("sock", O_RDWR));
	show(unlink("sock"));
	show(connect(must(socket(AF_UNIX, SOCK_STREAM, 0)), ADDRESS(a)));
	show(write(c, "still", 5));
	show(read(s, buf, 16));
	close(s);
	show(read(c, buf, 16));
	signal(SIGPIPE, SIG_IGN);
	show(write(c, "x", 1));
	int m = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(m, (struct sockaddr *)&b, short_length));
	show(listen(m, 1));
	name_of(m, getsockname);
	s = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(s, (struct sockaddr *)&b, short_length));
	show(connect(
		must(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&b, short_length - 1));
	show(connect(must(socket(AF_UNIX, SOCK_DGRAM, 0)), (struct sockaddr *)&b, short_length));
	close(m);
	show(connect(must(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&b, short_length));
	return 0;
}
