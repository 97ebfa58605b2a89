/*
 * /dev/console and /dev/tty: the program's standard streams.
 *
 * As a rule no terminal: TCGETS says ENOTTY, so programs log as they do into a pipe, and bytes pass unchanged.  With
 * mote.tty=1 it is one, line by line: what comes in is echoed, DEL rubs out, ^D on an empty line is the end of the
 * file.  The settings a program makes are kept; of them ICANON, ECHO, ICRNL and OPOST|ONLCR take effect.
 */
#include "kernel/fs/dev/console_file.h"

#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "kernel/arch/timer.h"
#include "kernel/fs/dev/device.h"
#include "kernel/lib/string.h"

#define CHUNK 256u
#define LINE_MAX 4096u

static const struct console_ops *console;
static bool is_terminal;
static struct mutex write_lock;

static struct {
	struct mutex lock; /* readers take turns */
	/* under lock: */
	struct linux_termios settings;
	struct linux_winsize window;
	char line[LINE_MAX];
	size_t len, taken; /* bytes typed; of a finished line, those read */
	bool finished, end;
} terminal;

static void console_set(const struct console_ops *ops)
{
	console = ops;
	mutex_init(&write_lock);
	mutex_init(&terminal.lock);
}

void console_file_set(const struct console_ops *ops)
{
	console_set(ops);
	is_terminal = false;
}

void console_file_set_terminal(const struct console_ops *ops)
{
	console_set(ops);
	is_terminal = true;
	terminal.window = (struct linux_winsize){.ws_row = 24, .ws_col = 80};
	terminal.settings = (struct linux_termios){
		.c_iflag = ICRNL,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
		.c_cc = {[VINTR] = 3,
			[VQUIT] = 28,
			[VERASE] = 127,
			[VKILL] = 21,
			[VEOF] = 4,
			[VMIN] = 1},
	};
}

/* --- out ------------------------------------------------------------------------------------- */

#define RETRY_FIRST_NS (50 * NS_PER_US)
#define RETRY_LAST_NS (10 * NS_PER_MS)

/* All of it, however slow whoever looks at the console is.  Bytes out; -EINTR when a signal ends the wait before any. */
static long put_all(const char *text, size_t len)
{
	size_t done = 0;
	uint64_t pause_ns = RETRY_FIRST_NS;
	while (done < len) {
		size_t n = console->write(text + done, len - done);
		done += n;
		if (n > 0) {
			pause_ns = RETRY_FIRST_NS;
			continue;
		}
		int err = thread_block_interruptible(clock_monotonic_ns() + pause_ns);
		if (err == -EINTR || err == -EAGAIN)
			return done ? (long)done : err;
		pause_ns = min(pause_ns * 2, RETRY_LAST_NS);
	}
	return (long)done;
}

/* With line ends as a terminal shows them.  Bytes of text done, or -EINTR. */
static long put_lines(const char *text, size_t len)
{
	for (size_t start = 0, n = 0;; start = ++n) {
		while (n < len && text[n] != '\n')
			n++;
		long out = put_all(text + start, n - start);
		if (out < (long)(n - start))
			return (long)start + max(out, 0l) > 0 ? (long)start + max(out, 0l) : out;
		if (n == len)
			return (long)len;
		if (put_all("\r\n", 2) < 0)
			return n ? (long)n : -EINTR;
	}
}

static long console_put(const char *text, size_t len)
{
	bool lines =
		is_terminal && (terminal.settings.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
	return lines ? put_lines(text, len) : put_all(text, len);
}

static long console_write_file(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)f, (void)offset;
	char chunk[CHUNK];
	long done = 0, out = 0;
	mutex_lock(&write_lock); /* one write(2) stays in one piece */
	while (from->left && out >= 0) {
		size_t n = min(from->left, sizeof(chunk));
		out = io_buffer_get(from, chunk, n);
		if (out == 0)
			out = console_put(chunk, n);
		done += max(out, 0l);
		if (out < (long)n)
			break;
	}
	mutex_unlock(&write_lock);
	return done ? done : out;
}

/* --- in -------------------------------------------------------------------------------------- */

static bool echoes(void)
{
	return terminal.settings.c_lflag & ECHO;
}

static void line_erase(void)
{
	if (!terminal.len)
		return;
	terminal.len--;
	if (echoes())
		console->write("\b \b", 3);
}

/* One byte typed, line by line. */
static void line_type(char c)
{
	const uint8_t *keys = terminal.settings.c_cc;
	if (c == '\r' && (terminal.settings.c_iflag & ICRNL))
		c = '\n';
	if ((uint8_t)c == keys[VERASE] || c == '\b') {
		line_erase();
	} else if ((uint8_t)c == keys[VKILL]) {
		while (terminal.len)
			line_erase();
	} else if ((uint8_t)c == keys[VEOF]) {
		terminal.finished = true;
		terminal.end = terminal.len == 0;
	} else if (terminal.len < LINE_MAX - 1 || c == '\n') {
		terminal.line[terminal.len++] = c;
		terminal.finished = c == '\n';
		if (echoes())
			console_put(&c, 1);
	}
}

/* Bytes of the finished line; 0 at ^D. */
static long line_take(struct io_buffer *to)
{
	size_t n = min(terminal.len - terminal.taken, to->left);
	int err = io_buffer_put(to, terminal.line + terminal.taken, n);
	if (err < 0)
		return err;
	terminal.taken += n;
	if (terminal.taken == terminal.len) {
		terminal.len = terminal.taken = 0;
		terminal.finished = terminal.end = false;
	}
	return (long)n;
}

/* -EAGAIN: nothing there yet. */
static long terminal_read(struct io_buffer *to)
{
	char c;
	long n = 1;
	while (!terminal.finished && (n = console->read(&c, 1)) == 1)
		line_type(c);
	if (!terminal.finished && n == 0) /* the end of all input ends the line, too */
		terminal.finished = terminal.end = true;
	return terminal.finished ? line_take(to) : -EAGAIN;
}

static long raw_read(struct io_buffer *to)
{
	char chunk[CHUNK];
	long n = console->read(chunk, min(to->left, sizeof(chunk)));
	if (n <= 0)
		return n;
	int err = io_buffer_put(to, chunk, (size_t)n);
	return err < 0 ? err : n;
}

static bool line_mode(void)
{
	return is_terminal && (terminal.settings.c_lflag & ICANON);
}

static long console_read_file(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	if (!to->left)
		return 0;
	for (;;) {
		mutex_lock(&terminal.lock);
		long n = line_mode() ? terminal_read(to) : raw_read(to);
		mutex_unlock(&terminal.lock);
		if (n != -EAGAIN || file_nonblocking(f))
			return n;
		int err = wait_event_interruptible(
			console->readable(), EPOLLIN, console->has_input(), NO_DEADLINE);
		if (err < 0)
			return err;
	}
}

static unsigned console_poll(struct file *f)
{
	(void)f;
	bool input = terminal.finished || console->has_input();
	return POLLOUT | POLLWRNORM | (input ? POLLIN | POLLRDNORM : 0);
}

/* --- settings -------------------------------------------------------------------------------- */

static int settings_set(user_addr from)
{
	struct linux_termios new;
	int err = copy_in(&new, from, sizeof(new));
	if (err < 0)
		return err;
	mutex_lock(&terminal.lock);
	terminal.settings = new;
	mutex_unlock(&terminal.lock);
	return 0;
}

static long console_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	(void)f;
	static const int one = 1;
	user_addr at = user_at(argument);
	if (!is_terminal)
		return -ENOTTY;
	switch (request) {
	case TCGETS:
		return copy_out(at, &terminal.settings, sizeof(terminal.settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return settings_set(at);
	case TIOCGWINSZ:
		return copy_out(at, &terminal.window, sizeof(terminal.window));
	case TIOCSWINSZ:
		return copy_in(&terminal.window, at, sizeof(terminal.window));
	case TIOCGPGRP:
	case TIOCGSID:
		return copy_out(at, &one, sizeof(one));
	case TIOCSPGRP:
	case TIOCSCTTY:
	case TCFLSH:
	case TCSBRK:
	case TCXONC:
		return 0;
	}
	return -ENOTTY;
}

static const struct file_ops console_file_ops = {
	.kind = "console",
	.read = console_read_file,
	.write = console_write_file,
	.poll = console_poll,
	.ioctl = console_ioctl,
};

int console_open(uint32_t flags, struct file **out)
{
	if (!console)
		return -ENXIO;
	int err = file_new(&console_file_ops, NULL, flags, out);
	if (!err)
		(*out)->ready = console->readable();
	return err;
}
