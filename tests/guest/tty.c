/* Terminal calls: on what is not a terminal, ENOTTY; isatty agrees with them. */
#include "lib/check.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
	struct termios t;
	struct winsize w;
	int fd[2], null = must(open("/dev/null", O_RDWR));
	must(pipe(fd));
	show(tcgetattr(null, &t));
	show(tcgetattr(fd[0], &t));
	show(ioctl(fd[0], TIOCGWINSZ, &w));
	show(isatty(fd[0]));
	show(isatty(null));
	show(isatty(99));
	is(isatty(1) == (tcgetattr(1, &t) == 0));
	return 0;
}
