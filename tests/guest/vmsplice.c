/* vmsplice both ways, packet pipes, and pipes of other sizes. */
#include "lib/check.h"
#include <sys/ioctl.h>

static char text[100000], back[100000];

static void vm(void)
{
	int p[2];
	must(pipe(p));
	struct iovec v[2] = {{text, 100}, {text + 5000, 8000}};
	show(vmsplice(p[1], v, 2, 0));
	show(read(p[0], back, sizeof(back)));
	is(!memcmp(back, text, 100) && !memcmp(back + 100, text + 5000, 8000));
	v[0] = (struct iovec){text, sizeof(text)};
	show_ok(vmsplice(p[1], v, 1, SPLICE_F_NONBLOCK));
	v[0] = (struct iovec){back, 10};
	v[1] = (struct iovec){back + 20, 10};
	show(vmsplice(p[0], v, 2, 0));
	is(!memcmp(back, text, 10) && !memcmp(back + 20, text + 10, 10));
	show(vmsplice(p[1], v, 2, 16));
	show(vmsplice(99, v, 2, 0));
	int f = must(open("f", O_RDWR | O_CREAT, 0600));
	show(vmsplice(f, v, 2, 0));
	show(vmsplice(p[1], v, 0, 0));
	show(vmsplice(p[1], wild(), 1, 0));
	show(vmsplice(p[1], v, 5000, 0));
	must(close(p[0]));
	signal(SIGPIPE, SIG_IGN);
	show(vmsplice(p[1], v, 1, 0));
}

static void packets(void)
{
	int p[2];
	must(pipe2(p, O_DIRECT | O_NONBLOCK));
	must(write(p[1], "one", 3));
	must(write(p[1], "second", 6));
	must(write(p[1], text, 5000));
	show(read(p[0], back, 100));
	show(read(p[0], back, 2));
	show(read(p[0], back, 5000));
	show(read(p[0], back, 5000));
	show(read(p[0], back, 5000));
	show(fcntl(p[1], F_GETFL) == (O_WRONLY | O_NONBLOCK | O_DIRECT));
	show(fcntl(p[1], F_SETFL, O_NONBLOCK));
	must(write(p[1], "one", 3));
	must(write(p[1], "two", 3));
	show(read(p[0], back, 100));
	for (int i = 0; i < 16; i++)
		must(write(p[1], text, 3000));
	show(write(p[1], "x", 1));
	show(write(p[1], text, 2000));
	show(write(p[1], text, 1095));
}

static void sizes(void)
{
	int p[2], n = 0;
	must(pipe2(p, O_NONBLOCK));
	show(fcntl(p[0], F_GETPIPE_SZ));
	show(fcntl(p[0], F_SETPIPE_SZ, 5000));
	show(write(p[1], text, 9000));
	show(ioctl(p[0], 0x541b, &n));
	printf("%d\n", n);
	show(fcntl(p[0], F_SETPIPE_SZ, 4096));
	show(fcntl(p[0], F_SETPIPE_SZ, 300000));
	show(write(p[1], text, 90000));
	show(read(p[0], back, sizeof(back)));
	is(!memcmp(back, text, 8192) && !memcmp(back + 8192, text, 90000));
	show(fcntl(p[0], F_SETPIPE_SZ, 0));
	show(fcntl(p[0], F_SETPIPE_SZ, -1));
	show(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
	show(fcntl(must(open("f", O_RDONLY)), F_SETPIPE_SZ, 4096));
	struct pollfd f = {p[1], POLLOUT, 0};
	show(fcntl(p[0], F_SETPIPE_SZ, 4096));
	show(write(p[1], "x", 1));
	show(poll(&f, 1, 0));
	show(read(p[0], back, 1));
	show(poll(&f, 1, 0));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 23;
	vm();
	packets();
	sizes();
	return 0;
}
