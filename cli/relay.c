/*
 * One loop over all descriptors.  The console carries bytes unchanged; what is not a byte (the end
 * of input, a request to stop) is framed as BOOT_CONTROL_* says, for kernels that know it.
 */
#include "cli/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "abi/boot.h"
#include "cli/publish.h"
#include "cli/text.h"

#define INPUT_CHUNK 4096
#define ERRORS_MAX 4096

struct state {
	const struct relay *relay;
	int signals;                 /* a signalfd */
	char input[2 * INPUT_CHUNK]; /* for the machine, framed */
	size_t input_at, input_len;
	bool started; /* the machine takes input from now on */
	bool input_ended, child_ended, output_closed, console_closed;
	int child_status;
	int stop_signal;    /* that asked for the end; 0 = none did */
	int64_t kill_at_ns; /* when the machine has had its time */
	struct text status, errors;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void taken_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGCHLD);
}

int relay_prepare(void)
{
	sigset_t set;

	taken_signals(&set);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail(errno, "cannot take signals: %s", strerror(errno));
	return 0;
}

/* ---- Towards the machine ---- */

static void add_control(struct state *s, char control)
{
	if (s->input_len + 2 > sizeof(s->input))
		return;
	s->input[s->input_len++] = BOOT_CONTROL;
	s->input[s->input_len++] = control;
}

static void end_input(struct state *s)
{
	s->input_ended = true;
	if (s->relay->is_framed)
		add_control(s, BOOT_CONTROL_END);
}

static void read_input(struct state *s)
{
	char buf[INPUT_CHUNK];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(s);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (s->relay->is_framed && buf[i] == BOOT_CONTROL)
			s->input[s->input_len++] = BOOT_CONTROL;
		s->input[s->input_len++] = buf[i];
	}
}

static void write_input(struct state *s)
{
	ssize_t n = write(s->relay->console, s->input + s->input_at, s->input_len - s->input_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		s->input_at += (size_t)n;
	if (n < 0 || s->input_at == s->input_len)
		s->input_at = s->input_len = 0;
}

/* ---- From the machine ---- */

/* The reader of our output has gone: a program on the host would die of SIGPIPE. */
static void lose_output(struct state *s)
{
	s->output_closed = true;
	s->stop_signal = SIGPIPE;
	kill(s->relay->child, SIGKILL);
}

static void write_output(struct state *s, const char *buf, size_t len)
{
	while (len && !s->output_closed) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};

			poll(&out, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			lose_output(s);
		} else if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

static bool read_console(struct state *s)
{
	char buf[65536];
	ssize_t n = read(s->relay->console, buf, sizeof(buf));

	if (n > 0)
		write_output(s, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->console_closed = true;
	return n > 0;
}

static bool read_channel(struct state *s)
{
	struct channel *c = s->relay->channel;

	if (!c || c->fd < 0)
		return false;
	size_t before = c->n_read;

	if (channel_read(c) < 0) {
		close(c->fd);
		c->fd = -1;
	}
	return c->n_read > before;
}

static bool read_text(int fd, struct text *to, size_t max)
{
	char buf[512];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0 && to->len < max)
		text_add_bytes(to, buf, (size_t)n);
	return n > 0;
}

/* The first line tells when the kernel listens; the rest is how the machine ended. */
static bool read_status(struct state *s)
{
	static const char line[] = "started\n";

	bool more = read_text(s->relay->status, &s->status, BOOT_STATUS_MAX);
	if (s->started || !s->status.len || !string_starts(s->status.data, line))
		return more;
	s->started = true;
	if (s->relay->has_ports)
		publish_widen(s->relay->child);
	s->status.len -= strlen(line);
	memmove(s->status.data, s->status.data + strlen(line), s->status.len + 1);
	return more;
}

/* ---- Signals ---- */

/* The first one asks the machine to stop as its signal says; the second ends it. */
static void ask_to_stop(struct state *s, int number)
{
	bool again = s->stop_signal != 0;

	s->stop_signal = number;
	if (again || !s->relay->is_framed || number == SIGQUIT) {
		kill(s->relay->child, SIGKILL);
		return;
	}
	add_control(s, number == SIGINT   ? BOOT_CONTROL_INTERRUPT
		       : number == SIGHUP ? BOOT_CONTROL_HANGUP
					  : BOOT_CONTROL_TERMINATE);
	s->kill_at_ns = now_ns() + s->relay->stop_seconds * 1000000000LL;
}

static void read_signals(struct state *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			ask_to_stop(s, (int)info.ssi_signo);
		else if (waitpid(s->relay->child, &s->child_status, WNOHANG) == s->relay->child)
			s->child_ended = true;
	}
}

/* ---- The end ---- */

/* What is still on the way when the engine has ended. */
static void drain(struct state *s)
{
	while (!s->console_closed && read_console(s))
		;
	while (read_channel(s))
		;
	while (read_status(s))
		;
	while (read_text(s->relay->errors, &s->errors, ERRORS_MAX))
		;
}

/* The first line the engine said, for a message. */
static const char *engine_words(struct state *s)
{
	s->errors.data[strcspn(s->errors.data, "\n")] = 0;
	return s->errors.data;
}

static int failed_status(const char *text, const char *program)
{
	char *end = NULL;
	long status = strtol(text, &end, 10);

	while (*end == ' ')
		end++;
	fail(EIO, "cannot run %s: %s", program, *end ? end : "the kernel gave no reason");
	return status == EXIT_NOT_RUNNABLE || status == EXIT_NOT_FOUND ? (int)status
								       : EXIT_MOTE_FAILED;
}

static int status_of_record(const char *record, const char *program)
{
	if (string_starts(record, "exited "))
		return (int)strtol(record + strlen("exited "), NULL, 10) & 0xff;
	if (string_starts(record, "killed "))
		return EXIT_KILLED + ((int)strtol(record + strlen("killed "), NULL, 10) & 0x7f);
	if (string_starts(record, "failed "))
		return failed_status(record + strlen("failed "), program);
	if (strcmp(record, "oom") == 0) {
		fail(ENOMEM, "%s ran out of memory: give the machine more with -m", program);
		return EXIT_KILLED + SIGKILL;
	}
	if (strcmp(record, "panic") == 0)
		fail(EIO, "the kernel failed while it ran %s: its report is above", program);
	else
		fail(EIO, "the machine's status record makes no sense: %s", record);
	return EXIT_MOTE_FAILED;
}

static int exit_status(struct state *s)
{
	if (s->status.len) {
		char *record = s->status.data;

		record[strcspn(record, "\n")] = 0;
		return status_of_record(record, s->relay->program);
	}
	if (s->stop_signal)
		return EXIT_KILLED + s->stop_signal;
	if (s->errors.len)
		fail(EIO, "cannot run %s: %s", s->relay->program, engine_words(s));
	else if (WIFSIGNALED(s->child_status))
		fail(EIO, "the machine of %s was ended by signal %d", s->relay->program,
			WTERMSIG(s->child_status));
	else
		fail(EIO, "the machine of %s ended without saying why: run it with -v",
			s->relay->program);
	return EXIT_MOTE_FAILED;
}

/* ---- Our terminal ---- */

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

/* ---- The loop ---- */

static int wait_ms(const struct state *s)
{
	if (!s->kill_at_ns)
		return -1;
	int64_t left = s->kill_at_ns - now_ns();

	return left > 0 ? (int)(left / 1000000 + 1) : 0;
}

static void step(struct state *s)
{
	enum { CONSOLE, INPUT, SIGNALS, STATUS, ERRORS, CHANNEL, N };
	bool wants_input = !s->input_ended && !s->input_len;
	bool has_input = s->input_len && (s->started || !s->relay->is_framed);
	struct pollfd fds[N] = {
		[CONSOLE] = {s->console_closed ? -1 : s->relay->console,
			(short)(POLLIN | (has_input ? POLLOUT : 0)), 0},
		[INPUT] = {wants_input ? STDIN_FILENO : -1, POLLIN, 0},
		[SIGNALS] = {s->signals, POLLIN, 0},
		[STATUS] = {s->relay->status, POLLIN, 0},
		[ERRORS] = {s->relay->errors, POLLIN, 0},
		[CHANNEL] = {s->relay->channel ? s->relay->channel->fd : -1, POLLIN, 0},
	};

	if (poll(fds, N, wait_ms(s)) < 0)
		return;
	if (s->kill_at_ns && now_ns() >= s->kill_at_ns) {
		kill(s->relay->child, SIGKILL);
		s->kill_at_ns = 0;
	}
	if (fds[CONSOLE].revents & (POLLIN | POLLHUP))
		read_console(s);
	if (fds[CONSOLE].revents & POLLOUT)
		write_input(s);
	if (fds[INPUT].revents)
		read_input(s);
	if (fds[STATUS].revents & POLLIN)
		read_status(s);
	if (fds[ERRORS].revents & POLLIN)
		read_text(s->relay->errors, &s->errors, ERRORS_MAX);
	if (fds[CHANNEL].revents)
		read_channel(s);
	if (fds[SIGNALS].revents)
		read_signals(s);
	/* Closed ends are ready all the time; only the engine's end ends the loop. */
	if (fds[STATUS].revents == POLLHUP && fds[ERRORS].revents == POLLHUP && !s->child_ended)
		s->child_ended = waitpid(s->relay->child, &s->child_status, 0) > 0;
}

int relay_run(const struct relay *r)
{
	struct state s = {.relay = r};
	sigset_t set;

	taken_signals(&set);
	s.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s.signals < 0) {
		kill(r->child, SIGKILL);
		waitpid(r->child, NULL, 0);
		fail(errno, "cannot take signals: %s", strerror(errno));
		return EXIT_MOTE_FAILED;
	}
	fcntl(r->console, F_SETFL, O_NONBLOCK);
	fcntl(r->status, F_SETFL, O_NONBLOCK);
	fcntl(r->errors, F_SETFL, O_NONBLOCK);
	read_signals(&s); /* the engine may have ended before there was a signalfd */
	struct termios before;

	if (r->is_terminal)
		make_raw(&before);
	while (!s.child_ended)
		step(&s);
	drain(&s);
	if (r->is_terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (s.errors.len && report_is_verbose())
		fprintf(stderr, "%s", s.errors.data);
	int status = exit_status(&s);

	close(s.signals);
	close(r->console);
	close(r->status);
	close(r->errors);
	text_free(&s.status);
	text_free(&s.errors);
	return status;
}
