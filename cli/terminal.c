/*
 * stdout is not ours alone, so it is not made non-blocking: it is written to when poll(2) says so,
 * PIPE_BUF bytes at a time, which a pipe that is ready takes at once.
 */
#include "cli/terminal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/text.h"

#define INPUT_CHUNK 4096

struct terminal {
	struct loop *loop;
	struct session *session;
	struct watch in, out;
	bool is_raw, is_file, is_closed;
	struct termios before;
	char input[INPUT_CHUNK];
	size_t input_at, input_len;
	bool input_ended;
	struct text output;
	size_t output_at;
	void (*closed)(void *);
	void *context;
};

/* ---- stdin ---- */

static void feed(struct terminal *t)
{
	if (!t->session)
		return;
	t->input_at +=
		session_input(t->session, t->input + t->input_at, t->input_len - t->input_at);
	if (t->input_at == t->input_len)
		t->input_at = t->input_len = 0;
	if (t->input_ended && !t->input_len)
		session_end_input(t->session);
	t->in.is_off = t->input_len || t->input_ended;
}

static void input_ready(void *context, short events)
{
	struct terminal *t = context;
	ssize_t n = read(STDIN_FILENO, t->input, sizeof(t->input));

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	t->input_ended = n <= 0;
	t->input_at = 0;
	t->input_len = n > 0 ? (size_t)n : 0;
	feed(t);
}

void terminal_input_room(struct terminal *t)
{
	feed(t);
}

void terminal_connect(struct terminal *t, struct session *s)
{
	t->session = s;
	feed(t);
}

void terminal_disconnect(struct terminal *t)
{
	t->session = NULL;
	t->in.is_off = true;
}

/* ---- stdout ---- */

/* The reader of our output has gone: a program on the host would die of SIGPIPE. */
static void lose_output(struct terminal *t)
{
	t->is_closed = true;
	t->output.len = t->output_at = 0;
	t->out.is_off = true;
	t->closed(t->context);
}

static void write_some(struct terminal *t)
{
	size_t len = t->output.len - t->output_at;

	if (!t->is_file && len > PIPE_BUF)
		len = PIPE_BUF;
	ssize_t n = write(STDOUT_FILENO, t->output.data + t->output_at, len);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		lose_output(t);
	if (n > 0)
		t->output_at += (size_t)n;
	if (t->output_at < t->output.len)
		return;
	t->output.len = t->output_at = 0;
	t->out.is_off = true;
	if (t->session)
		session_release_output(t->session);
}

static void output_ready(void *context, short events)
{
	(void)events;
	write_some(context);
}

void terminal_write(struct terminal *t, const char *bytes, size_t len)
{
	struct pollfd ready = {STDOUT_FILENO, POLLOUT, 0};

	if (t->is_closed)
		return;
	text_add_bytes(&t->output, bytes, len);
	while (t->output.len && poll(&ready, 1, 0) > 0)
		write_some(t);
	if (!t->output.len || t->is_closed)
		return;
	t->out.is_off = false;
	if (t->session)
		session_hold_output(t->session);
}

/* ---- From start to end ---- */

/* Raw but for the keys that make signals: those take the way of all signals. */
static void make_raw(struct termios *before)
{
	struct termios raw;

	tcgetattr(STDIN_FILENO, before);
	raw = *before;
	cfmakeraw(&raw);
	raw.c_lflag |= ISIG;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

struct terminal *terminal_open(
	struct loop *loop, bool is_raw, void (*closed)(void *context), void *context)
{
	struct terminal *t = memory_new(1, sizeof(*t));
	struct stat st;

	t->loop = loop;
	t->is_raw = is_raw;
	t->is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	t->closed = closed;
	t->context = context;
	t->in = (struct watch){.fd = STDIN_FILENO,
		.events = POLLIN,
		.ready = input_ready,
		.context = t,
		.is_off = true};
	t->out = (struct watch){.fd = STDOUT_FILENO,
		.events = POLLOUT,
		.ready = output_ready,
		.context = t,
		.is_off = true};
	loop_watch(loop, &t->in);
	loop_watch(loop, &t->out);
	if (is_raw)
		make_raw(&t->before);
	return t;
}

void terminal_close(struct terminal *t)
{
	struct pollfd ready = {STDOUT_FILENO, POLLOUT, 0};

	if (!t)
		return;
	while (t->output.len && poll(&ready, 1, -1) >= 0)
		write_some(t);
	if (t->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
	loop_unwatch(t->loop, &t->in);
	loop_unwatch(t->loop, &t->out);
	text_free(&t->output);
	free(t);
}
