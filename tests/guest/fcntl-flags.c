/* F_GETFL and F_SETFL: what is reported, what can be changed, FIONBIO. */
#include "lib/check.h"
#include <sys/ioctl.h>

int main(void)
{
	int fd = must(open("f", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600)), on = 1;
	show(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC));
	show(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT));
	show(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC));
	int copy = must(dup(fd));
	show(fcntl(copy, F_SETFL, O_APPEND));
	show(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK));
	int p[2];
	must(pipe(p));
	show(ioctl(p[0], FIONBIO, &on));
	show(fcntl(p[0], F_GETFL));
	show(fcntl(p[1], F_GETFL));
	on = 0;
	show(ioctl(p[0], FIONBIO, &on));
	show(fcntl(p[0], F_GETFL));
	show(ioctl(p[0], FIOCLEX));
	show(fcntl(p[0], F_GETFD));
	show(ioctl(p[0], FIONCLEX));
	show(fcntl(p[0], F_GETFD));
	show(ioctl(p[0], FIONBIO, wild()));
	show(ioctl(fd, 0x12345678, NULL));
	show(ioctl(99, FIONBIO, &on));
	show(fcntl(99, F_GETFL));
	return 0;
}
