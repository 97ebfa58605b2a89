/* select: sets in and out, the time that is left, bad descriptors. */
#include "lib/check.h"
#include <sys/select.h>

int main(void)
{
	int a[2], b[2];
	fd_set in, out, except;
	must(pipe(a));
	must(pipe(b));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(a[0], &in);
	FD_SET(b[0], &in);
	FD_SET(a[1], &out);
	FD_SET(a[0], &except);
	must(write(b[1], "x", 1));
	show(select(20, &in, &out, &except, NULL));
	printf("%d %d %d %d\n", !!FD_ISSET(a[0], &in), !!FD_ISSET(b[0], &in),
		!!FD_ISSET(a[1], &out), !!FD_ISSET(a[0], &except));
	FD_ZERO(&in);
	FD_SET(a[0], &in);
	struct timeval t = {0, 50000};
	show(select(a[0] + 1, &in, NULL, NULL, &t));
	printf("%d, left %ld\n", !!FD_ISSET(a[0], &in), (long)(t.tv_sec + t.tv_usec));
	FD_SET(b[0], &in);
	t = (struct timeval){100, 0};
	show(select(b[0] + 1, &in, NULL, NULL, &t));
	is(t.tv_sec == 99);
	close(b[1]);
	char c;
	must(read(b[0], &c, 1));
	FD_ZERO(&in);
	FD_SET(b[0], &in);
	show(select(b[0] + 1, &in, NULL, NULL, NULL));
	FD_SET(b[1], &in);
	show(select(b[1] + 1, &in, NULL, NULL, &t));
	show(select(-1, &in, NULL, NULL, &t));
	t.tv_sec = -1;
	show(select(0, NULL, NULL, NULL, &t));
	return 0;
}
