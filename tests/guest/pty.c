/* A pseudo-terminal: names, locking, lines and echo, raw mode with VMIN and VTIME, window, packets, closing. */
#include "lib/check.h"
#include <sys/ioctl.h>
#include <termios.h>

static int m, s;
static char buf[10000];

static void show_bytes(const char *what, int fd)
{
	ssize_t n = read(fd, buf, sizeof(buf));
	printf("%s: %zd ", what, n);
	for (ssize_t i = 0; i < n && i < 200; i++)
		printf(buf[i] >= ' ' && buf[i] < 127 ? "%c" : "\\x%02x", (unsigned char)buf[i]);
	printf("%s\n", n < 0 ? strerrorname_np(errno) : "");
	fflush(stdout);
}

static void type(const char *text)
{
	must(write(m, text, strlen(text)));
	usleep(30000);
}

static void opening(void)
{
	int number = -1, lock = -1;
	char name[64];
	m = must(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	show(isatty(m));
	must(ioctl(m, TIOCGPTN, &number));
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	is(access(name, F_OK) == 0);
	show(open(name, O_RDWR | O_NOCTTY));
	must(ioctl(m, TIOCGPTLCK, &lock));
	printf("%d\n", lock);
	show(grantpt(m));
	show(unlockpt(m));
	is(!strcmp(ptsname(m), name));
	s = must(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
	struct stat st;
	must(fstat(s, &st));
	is(S_ISCHR(st.st_mode) && st.st_rdev >> 8 == 136);
	is(!strcmp(ttyname(s), name));
	struct termios t;
	must(tcgetattr(s, &t));
	printf("%x %x %x %x %d %d\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_cc[VINTR],
		t.c_cc[VMIN]);
}

static void lines(void)
{
	show_bytes("nothing typed", s);
	type("hel");
	show_bytes("no line yet", s);
	type("pp\177lo\r");
	int n = 0;
	must(ioctl(s, FIONREAD, &n));
	printf("%d\n", n);
	show_bytes("line", s);
	show_bytes("echo", m);
	type("junk\025two\nthree\n");
	show_bytes("second", s);
	show_bytes("third", s);
	show_bytes("echo", m);
	type("partial\004");
	show_bytes("with ^D", s);
	type("\004");
	show_bytes("^D alone", s);
	show_bytes("and then", s);
	show_bytes("echo", m);
	type("one two\027x\n\001\n");
	show_bytes("word rubbed out", s);
	show_bytes("control", s);
	show_bytes("echo", m);
	must(write(s, "out\nput\n", 8));
	usleep(30000);
	show_bytes("shown", m);
	type("abcdef\n");
	must(read(s, buf, 3));
	printf("%.3s\n", buf);
	show_bytes("rest of the line", s);
	show_bytes("echo", m);
}

static void raw(void)
{
	struct termios t;
	must(tcgetattr(s, &t));
	cfmakeraw(&t);
	must(tcsetattr(s, TCSANOW, &t));
	type("a\r\003");
	show_bytes("raw", s);
	show_bytes("no echo", m);
	must(write(s, "x\ny", 3));
	usleep(30000);
	show_bytes("raw out", m);
	must(fcntl(s, F_SETFL, 0));
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	must(tcsetattr(s, TCSANOW, &t));
	show_bytes("after a tenth", s);
	t.c_cc[VTIME] = 0;
	must(tcsetattr(s, TCSANOW, &t));
	show_bytes("at once", s);
	t.c_cc[VMIN] = 3;
	must(tcsetattr(s, TCSANOW, &t));
	type("abc");
	show_bytes("three", s);
	must(fcntl(s, F_SETFL, O_NONBLOCK));
}

static void rest(void)
{
	struct winsize w = {30, 100, 0, 0}, back = {0};
	must(ioctl(m, TIOCSWINSZ, &w));
	must(ioctl(s, TIOCGWINSZ, &back));
	printf("%d %d\n", back.ws_row, back.ws_col);
	int on = 1;
	must(ioctl(m, TIOCPKT, &on));
	must(write(s, "packet", 6));
	usleep(30000);
	show_bytes("packet", m);
	on = 0;
	must(ioctl(m, TIOCPKT, &on));
	struct pollfd p[2] = {{m, POLLIN | POLLOUT, 0}, {s, POLLIN | POLLOUT, 0}};
	show(poll(p, 2, 0));
	printf("%x %x\n", p[0].revents, p[1].revents);
	type("xyz");
	must(tcflush(s, TCIFLUSH));
	show_bytes("flushed", s);
	int peer = must(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	must(close(peer));
	show(lseek(m, 0, SEEK_SET));
	must(write(s, "last", 4));
	usleep(30000);
	must(close(s));
	show_bytes("after close", m);
	show_bytes("and then", m);
	show(poll(p, 1, 0));
	printf("%x\n", p[0].revents);
	s = must(open(ptsname(m), O_RDWR | O_NOCTTY | O_NONBLOCK));
	show_bytes("opened again", m);
	must(close(m));
	show_bytes("hung up", s);
	show(write(s, "x", 1));
	show(poll(&p[1], 1, 0));
	printf("%x\n", p[1].revents);
}

int main(void)
{
	opening();
	lines();
	raw();
	rest();
	return 0;
}
