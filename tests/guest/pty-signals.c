/* A pseudo-terminal as controlling terminal: ^C, ^\, a new window size and hanging up are signals; /dev/tty is it. */
#include "lib/check.h"
#include <sys/ioctl.h>

static volatile sig_atomic_t last;

static void handler(int signal)
{
	last = signal;
}

static void expect_signal(const char *what)
{
	for (int i = 0; i < 100 && !last; i++)
		usleep(5000);
	printf("%s: %s\n", what, last ? sigabbrev_np(last) : "none");
	fflush(stdout);
	last = 0;
}

int main(void)
{
	static const int signals[] = {SIGINT, SIGQUIT, SIGWINCH, SIGHUP};
	for (size_t i = 0; i < COUNT(signals); i++)
		signal(signals[i], handler);
	setsid();
	int m = must(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	must(unlockpt(m));
	int s = must(open(ptsname(m), O_RDWR | O_NOCTTY));
	show(ioctl(s, TIOCSCTTY, 0));
	must(write(m, "\003", 1));
	expect_signal("^C");
	must(write(m, "\034", 1));
	expect_signal("^\\");
	struct winsize w = {10, 20, 0, 0};
	must(ioctl(m, TIOCSWINSZ, &w));
	expect_signal("window");
	must(ioctl(m, TIOCSWINSZ, &w));
	usleep(20000);
	printf("the same again: %d\n", last);
	int tty = must(open("/dev/tty", O_RDWR));
	must(write(tty, "x", 1));
	usleep(30000);
	char c[20];
	ssize_t n = must(read(m, c, sizeof(c)));
	for (ssize_t i = 0; i < n; i++)
		printf("%02x ", (unsigned char)c[i]);
	puts("");
	must(close(tty));
	must(close(m));
	expect_signal("closed");
	return 0;
}
