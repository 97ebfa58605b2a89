/* dup, dup2, dup3, F_DUPFD: lowest free numbers, close-on-exec, what they refuse. */
#include "lib/check.h"

int main(void)
{
	int fd = must(open("/dev/null", O_RDWR | O_CLOEXEC));
	show(dup(fd));
	show(fcntl(fd, F_GETFD));
	show(fcntl(4, F_GETFD));
	show(dup2(fd, 10));
	show(dup2(fd, 10));
	show(dup2(fd, fd));
	show(fcntl(fd, F_GETFD));
	show(dup3(fd, fd, 0));
	show(dup3(fd, 11, O_CLOEXEC));
	show(fcntl(11, F_GETFD));
	show(dup3(fd, 12, O_APPEND));
	show(fcntl(fd, F_DUPFD, 10));
	show(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	show(fcntl(20, F_GETFD));
	show(close(4));
	show(open("/dev/null", O_RDONLY));
	show(dup2(99, 5));
	show(dup2(fd, -1));
	show(dup2(99, 99));
	show(dup(-1));
	show(fcntl(20, F_SETFD, 0));
	show(fcntl(20, F_GETFD));
	show(fcntl(20, F_SETFD, FD_CLOEXEC));
	show(fcntl(20, F_GETFD));
	show(fcntl(20, 12345));
	show(fcntl(fd, F_DUPFD, -1));
	show(close(10));
	show(close(10));
	show(write(10, "x", 1));
	show(syscall(SYS_close_range, 3, 1000, 0));
	show(write(fd, "x", 1));
	show(open("/dev/null", O_RDONLY));
	return 0;
}
