/* The channels of one engine process, watched. */
#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/boot.h"
#include "cli/channel.h"
#include "cli/clock.h"
#include "cli/debug/crash.h"
#include "cli/engine_qemu.h"
#include "cli/memory.h"

#define INPUT_MAX 8192
#define OUTPUT_CHUNK 65536
#define ERRORS_MAX 4096

struct session {
	struct loop *loop;
	struct machine *machine;
	struct session_events events;
	struct engine_process engine;
	struct watch console, status, errors, ended, frames;
	struct channel channel; /* fd -1 = none */
	struct trace_view *trace;
	struct crash_watch *crash;
	struct timer kill;
	struct qmp *qmp;
	bool is_framed; /* the kernel understands controls in its input */
	bool started, input_ended, is_held, is_over, console_closed;
	char input[2 * INPUT_MAX]; /* for the machine, framed */
	size_t input_at, input_len;
	int stop_signal; /* what its end is put down to; 0 = nobody asked for it */
	struct text record, said;
};

/* ---- Towards the machine ---- */

static void watch_console(struct session *s)
{
	bool has_input = s->input_len && (s->started || !s->is_framed);

	s->console.events = (short)((s->is_held ? 0 : POLLIN) | (has_input ? POLLOUT : 0));
	s->console.is_off = s->console_closed || !s->console.events;
}

static size_t input_room(const struct session *s)
{
	return s->input_ended || s->input_len > INPUT_MAX ? 0 : INPUT_MAX - s->input_len / 2;
}

size_t session_input(struct session *s, const char *bytes, size_t len)
{
	size_t n = 0;

	for (; n < len && s->input_len + 2 <= sizeof(s->input) - 16 && !s->input_ended; n++) {
		if (s->is_framed && bytes[n] == BOOT_CONTROL)
			s->input[s->input_len++] = BOOT_CONTROL;
		s->input[s->input_len++] = bytes[n];
	}
	watch_console(s);
	return n;
}

/* 16 bytes are kept free for these; one that finds no room waits behind a machine that reads
 * nothing, and would be of no use. */
static void add_control(struct session *s, char control)
{
	if (s->input_len + 2 > sizeof(s->input))
		return;
	s->input[s->input_len++] = BOOT_CONTROL;
	s->input[s->input_len++] = control;
	watch_console(s);
}

void session_end_input(struct session *s)
{
	if (s->input_ended)
		return;
	s->input_ended = true;
	if (s->is_framed)
		add_control(s, BOOT_CONTROL_END);
}

static void write_input(struct session *s)
{
	ssize_t n = write(
		s->engine.fd[CHANNEL_CONSOLE], s->input + s->input_at, s->input_len - s->input_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		s->input_at += (size_t)n;
	if (n < 0 || s->input_at == s->input_len)
		s->input_at = s->input_len = 0;
	memmove(s->input, s->input + s->input_at, s->input_len - s->input_at);
	s->input_len -= s->input_at;
	s->input_at = 0;
	watch_console(s);
	if (input_room(s) && s->events.input_room)
		s->events.input_room(s->events.context);
}

static char control_of(int signal)
{
	return signal == SIGTERM  ? BOOT_CONTROL_TERMINATE
	       : signal == SIGINT ? BOOT_CONTROL_INTERRUPT
	       : signal == SIGHUP ? BOOT_CONTROL_HANGUP
				  : 0;
}

int session_signal(struct session *s, int signal)
{
	char control = control_of(signal);

	if (!control || !s->is_framed)
		return -EOPNOTSUPP;
	add_control(s, control);
	return 0;
}

void session_kill(struct session *s, int signal)
{
	s->stop_signal = signal;
	if (s->engine.pid > 0)
		kill(s->engine.pid, SIGKILL);
}

void session_stop(struct session *s, int signal, unsigned seconds)
{
	s->stop_signal = signal;
	if (session_signal(s, signal) < 0)
		session_kill(s, signal);
	else
		timer_set_ms(&s->kill, seconds * 1000LL);
}

static void stopped_too_slowly(void *context)
{
	struct session *s = context;

	session_kill(s, s->stop_signal);
}

/* ---- From the machine ---- */

void session_hold_output(struct session *s)
{
	s->is_held = true;
	watch_console(s);
}

static void finish(struct session *s);

void session_release_output(struct session *s)
{
	if (!s->is_held)
		return;
	s->is_held = false;
	watch_console(s);
	if (s->is_over) /* in a turn of its own: the caller is in the middle of something */
		s->ended.is_off = false;
}

static bool read_console(struct session *s)
{
	char buf[OUTPUT_CHUNK];
	ssize_t n = read(s->engine.fd[CHANNEL_CONSOLE], buf, sizeof(buf));

	if (n > 0)
		s->events.output(s->events.context, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->console_closed = true;
	watch_console(s);
	return n > 0;
}

static void console_ready(void *context, short events)
{
	struct session *s = context;

	if (events & (POLLIN | POLLHUP | POLLERR) && !s->is_held)
		read_console(s);
	if (events & POLLOUT)
		write_input(s);
}

static bool read_text(struct watch *w, struct text *to, size_t max)
{
	char buf[512];
	ssize_t n = read(w->fd, buf, sizeof(buf));

	if (n == 0)
		w->is_off = true; /* a closed end is ready all the time */
	if (n > 0 && to->len < max)
		text_add_bytes(to, buf, (size_t)n);
	return n > 0;
}

/* The first line tells when the kernel listens; the rest is how the machine ended. */
static bool read_status(struct session *s)
{
	static const char line[] = "started\n";
	bool more = read_text(&s->status, &s->record, BOOT_STATUS_MAX);

	if (s->started || !s->record.len || !string_starts(s->record.data, line))
		return more;
	s->started = true;
	if (s->machine->n_publishes)
		publish_widen(s->engine.pid);
	s->record.len -= strlen(line);
	memmove(s->record.data, s->record.data + strlen(line), s->record.len + 1);
	watch_console(s);
	if (s->crash)
		crash_watch_start(s->crash);
	if (s->events.started)
		s->events.started(s->events.context);
	return more;
}

static void status_ready(void *context, short events)
{
	(void)events;
	read_status(context);
}

static void errors_ready(void *context, short events)
{
	struct session *s = context;

	(void)events;
	read_text(&s->errors, &s->said, ERRORS_MAX);
}

/* ---- The host channel ---- */

static void take_frame(void *owner, unsigned kind, const void *content, size_t len)
{
	struct session *s = owner;

	if (s->trace)
		trace_view_frame(s->trace, kind, content, len);
	if (s->crash && crash_watch_frame(s->crash, kind, content, len))
		return;
	if (s->events.frame)
		s->events.frame(s->events.context, kind, content, len);
}

/* True: there may be more. */
static bool read_frames(struct session *s)
{
	size_t before = s->channel.n_read;

	if (s->channel.fd < 0 || s->frames.is_off)
		return false;
	if (channel_read(&s->channel) < 0)
		s->frames.is_off = true;
	else if (s->crash)
		crash_watch_look(s->crash);
	return s->channel.n_read > before;
}

static void frames_ready(void *context, short events)
{
	(void)events;
	read_frames(context);
}

int session_send(struct session *s, unsigned kind, const void *content, size_t len)
{
	return s->channel.fd < 0 || !s->started ? -ENOTCONN
						: channel_send(&s->channel, kind, content, len);
}

/* False: the trace has nowhere to go. */
static bool open_channel(struct session *s)
{
	const struct trace_request *t = &s->machine->trace;

	s->channel.fd = -1;
	if (!machine_has_channel(s->machine))
		return true;
	if ((t->calls || t->options.profile) && trace_view_open(&t->options, &s->trace) < 0)
		return false;
	channel_init(&s->channel, s->engine.fd[CHANNEL_HOST], take_frame, s);
	if (s->machine->core)
		s->crash = crash_watch_new(&s->channel, s->machine->core);
	s->engine.fd[CHANNEL_HOST] = -1; /* the channel closes it */
	return true;
}

static void close_channel(struct session *s)
{
	if (s->channel.fd >= 0)
		channel_free(&s->channel);
	if (s->trace)
		trace_view_close(s->trace);
	crash_watch_free(s->crash);
	s->trace = NULL;
	s->crash = NULL;
}

/* ---- The end ---- */

static struct ending ending_of(struct session *s, int child_status)
{
	if (s->record.len) {
		s->record.data[strcspn(s->record.data, "\n")] = 0;
		return ending_of_record(s->record.data);
	}
	if (s->stop_signal)
		return ending_of_kill(s->stop_signal);
	if (s->said.len) {
		s->said.data[strcspn(s->said.data, "\n")] = 0;
		return ending_of_host("%s", s->said.data);
	}
	if (WIFSIGNALED(child_status))
		return ending_of_host("the machine was ended by signal %d", WTERMSIG(child_status));
	return ending_of_host("the machine ended without saying why: run it with --verbose");
}

/* What is still on the way when the engine has ended; again when the output was held. */
static void finish(struct session *s)
{
	int status = 0;

	while (!s->console_closed && !s->is_held && read_console(s))
		;
	if (s->is_held) {
		s->ended.is_off = true;
		return;
	}
	while (read_frames(s))
		;
	while (read_status(s))
		;
	while (read_text(&s->errors, &s->said, ERRORS_MAX))
		;
	waitpid(s->engine.pid, &status, 0);
	s->engine.pid = -1;
	loop_unwatch(s->loop, &s->ended);
	if (s->said.len && report_is_verbose())
		fprintf(stderr, "%s", s->said.data);
	struct ending e = ending_of(s, status);

	if (s->trace && e.end == END_EXITED)
		trace_view_exited(s->trace, e.number);
	if (s->trace && e.end == END_SIGNAL)
		trace_view_killed(s->trace, e.number);
	s->events.ended(s->events.context, &e);
}

static void engine_ended(void *context, short events)
{
	struct session *s = context;

	(void)events;
	s->is_over = true;
	s->kill.at_ns = 0;
	finish(s);
}

/* ---- From start to end ---- */

static void watch(
	struct session *s, struct watch *w, int fd, short events, void (*ready)(void *, short))
{
	*w = (struct watch){.fd = fd, .events = events, .ready = ready, .context = s};
	loop_watch(s->loop, w);
}

struct session *session_start(
	struct loop *loop, struct machine *m, const struct session_events *events)
{
	struct session *s = memory_new(1, sizeof(*s));

	s->loop = loop;
	s->machine = m;
	s->events = *events;
	s->is_framed = engine_qemu_takes_controls(m);
	if (engine_start(m, &s->engine) < 0) {
		free(s);
		return NULL;
	}
	if (!open_channel(s)) {
		engine_process_close(&s->engine);
		free(s);
		return NULL;
	}
	watch(s, &s->console, s->engine.fd[CHANNEL_CONSOLE], POLLIN, console_ready);
	watch(s, &s->status, s->engine.fd[CHANNEL_STATUS], POLLIN, status_ready);
	watch(s, &s->errors, s->engine.fd[CHANNEL_ERRORS], POLLIN, errors_ready);
	watch(s, &s->frames, s->channel.fd, POLLIN, frames_ready);
	s->frames.is_off = s->channel.fd < 0;
	watch(s, &s->ended, s->engine.ended, POLLIN, engine_ended);
	s->kill = (struct timer){.fire = stopped_too_slowly, .context = s};
	loop_add_timer(loop, &s->kill);
	s->qmp = qmp_open(loop, s->engine.fd[CHANNEL_QMP]);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	loop_unwatch(s->loop, &s->console);
	loop_unwatch(s->loop, &s->status);
	loop_unwatch(s->loop, &s->errors);
	loop_unwatch(s->loop, &s->ended);
	loop_unwatch(s->loop, &s->frames);
	close_channel(s);
	loop_remove_timer(s->loop, &s->kill);
	qmp_close(s->qmp);
	engine_process_close(&s->engine);
	text_free(&s->record);
	text_free(&s->said);
	free(s);
}

pid_t session_engine(const struct session *s)
{
	return s->engine.pid;
}

bool session_has_started(const struct session *s)
{
	return s->started;
}

struct qmp *session_qmp(struct session *s)
{
	return s->qmp;
}
