/* One loop over the machine, the log, the probes, the requests and the signals. */
#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/bridge.h"
#include "cli/clock.h"
#include "cli/control.h"
#include "cli/host_process.h"
#include "cli/inside.h"
#include "cli/last_lines.h"
#include "cli/log_write.h"
#include "cli/memory.h"
#include "cli/notify.h"
#include "cli/private_net.h"
#include "cli/restart.h"
#include "cli/session.h"
#include "cli/syslog.h"
#include "cli/taken_signals.h"
#include "cli/terminal.h"

#define SHIP_MS 2000 /* how long the end waits for the syslog server */

enum phase { STARTING, RUNNING, PAUSED, RESTARTING, ENDED };

static const char *const phase_names[] = {"starting", "running", "paused", "restarting", "exited"};

/* A request that is not answered yet. */
struct waiter {
	struct supervisor *supervisor;
	struct control_client *client; /* NULL = it went away */
	enum phase phase;              /* to be in when what was asked for is done */
	struct waiter *next;
};

struct supervisor {
	const struct supervision *job;
	struct loop loop;
	struct session *session;
	struct inside *inside;     /* of the session */
	struct terminal *terminal; /* foreground */
	struct log *log;           /* background */
	struct syslog *syslog;
	struct control *control;
	struct bridge *bridge; /* other commands on the host channel */
	struct health_prober *prober;
	struct watch signals;
	struct timer restart, give_up, network;
	struct restart_policy policy;
	enum phase phase;
	enum health health;
	char health_why[100];
	int64_t created_ns, started_ns, ended_ns; /* wall clock */
	int64_t run_since_ns;
	unsigned n_restarts, failures;
	int stop_signal; /* somebody asked for the end */
	bool is_over;    /* the session has ended: `ending` says how */
	bool is_unwell;  /* it was ended because it was unhealthy */
	bool told_ready;
	struct ending ending;
	struct waiter *waiters;
	struct last_lines last;
};

/* ---- What is told ---- */

static void set_time(json_t *o, const char *key, int64_t wall_ns)
{
	char text[TIME_TEXT_MAX];

	if (!wall_ns)
		return;
	time_text(wall_ns, text);
	json_object_set_new(o, key, json_string(text));
}

static json_t *state_json(const struct supervisor *s)
{
	/* What was found out before the machine started stays: its address. */
	json_t *o = instance_state(s->job->instance);

	if (!o)
		o = json_object();
	json_object_set_new(o, "status", json_string(phase_names[s->phase]));
	json_object_set_new(o, "supervisor", json_integer(getpid()));
	json_object_set_new(
		o, "supervisor_since", json_integer((json_int_t)host_process_start(getpid())));
	json_object_set_new(o, "engine", json_integer(s->session ? session_engine(s->session) : 0));
	set_time(o, "started", s->started_ns);
	set_time(o, "finished", s->ended_ns);
	json_object_set_new(o, "restarts", json_integer(s->n_restarts));
	json_object_set_new(o, "health", json_string(health_names[s->health]));
	json_object_set_new(o, "health_why", json_string(s->health_why));
	json_object_set_new(o, "stopped", json_boolean(s->stop_signal != 0));
	if (s->ended_ns)
		json_object_set_new(o, "ending", ending_json(&s->ending));
	if (s->log && log_error(s->log))
		json_object_set_new(o, "log_error", json_string(strerror(log_error(s->log))));
	else
		json_object_del(o, "log_error");
	return o;
}

static void write_state(const struct supervisor *s)
{
	if (s->job->instance->folder < 0)
		return;
	json_t *o = state_json(s);

	/* A full disk is no reason to stop: the log says it, and the next state is tried again. */
	(void)!instance_write_state(s->job->instance, o);
	json_decref(o);
}

/* Whoever started it in the background may go. */
static void tell_ready(struct supervisor *s, int status)
{
	if (s->told_ready || s->job->ready < 0)
		return;
	s->told_ready = true;
	(void)!write(s->job->ready, &status, sizeof(status));
	close(s->job->ready);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	close(null);
}

static void notify(struct supervisor *s, const char *event, const char *why)
{
	const char *url = s->job->options->notify, *crash = NULL;
	char text[320];

	if (!url)
		return;
	json_t *o = json_object(), *lines = last_lines_json(&s->last, &crash);

	ending_text(&s->ending, text, sizeof(text));
	json_object_set_new(o, "event", json_string(event));
	json_object_set_new(o, "instance", json_string(s->job->instance->name));
	json_object_set_new(o, "program", json_string(machine_program(s->job->machine)));
	set_time(o, "time", clock_wall_ns());
	json_object_set_new(o, "message", json_string(why ? why : text));
	if (!why)
		json_object_set_new(o, "ending", ending_json(&s->ending));
	json_object_set_new(o, "restarts", json_integer(s->n_restarts));
	json_object_set_new(o, "lines", lines);
	json_object_set_new(o, "crash", crash ? json_string(crash) : json_null());
	notify_post(url, o);
}

/* ---- Output ---- */

static void log_line(
	void *context, enum stream stream, int64_t wall_ns, const char *text, size_t len)
{
	struct supervisor *s = context;

	last_lines_keep(&s->last, text, len);
	if (s->syslog)
		syslog_add(s->syslog, stream, wall_ns, text, len);
}

static void log_has_room(void *context)
{
	struct supervisor *s = context;

	write_state(s);
	if (s->session)
		session_release_output(s->session);
}

/* Into the log goes what mote itself says, too. */
static void keep_report(void *context, const char *line, size_t len)
{
	struct supervisor *s = context;

	if (s->log)
		log_add(s->log, STREAM_MOTE, line, len);
}

static void log_output(struct supervisor *s, const char *bytes, size_t len)
{
	int before = log_error(s->log);

	log_add(s->log, STREAM_OUT, bytes, len);
	if (log_error(s->log) != before)
		write_state(s);
	if (log_is_full(s->log) && !s->give_up.at_ns && s->session)
		session_hold_output(s->session);
}

static void output(void *context, const char *bytes, size_t len)
{
	struct supervisor *s = context;

	if (s->terminal)
		terminal_write(s->terminal, bytes, len);
	if (s->log)
		log_output(s, bytes, len);
}

static void input_room(void *context)
{
	struct supervisor *s = context;

	if (s->terminal)
		terminal_input_room(s->terminal);
}

static void output_closed(void *context)
{
	struct supervisor *s = context;

	s->stop_signal = SIGPIPE;
	if (s->session)
		session_kill(s->session, SIGPIPE);
}

/* ---- The host channel ---- */

static void frame(void *context, unsigned kind, const void *content, size_t len)
{
	struct supervisor *s = context;

	if (!s->inside || !inside_frame(s->inside, kind, content, len))
		bridge_frame(s->bridge, kind, content, len);
}

static void request_channel(struct supervisor *s, struct control_client *c)
{
	if (!s->session || !session_has_started(s->session) ||
		!machine_has_channel(s->job->machine)) {
		control_refuse(c, "its program does not run now");
		return;
	}
	static const char yes[] = "{\"ok\": true}\n";
	int fd = control_take_over(c);

	(void)!send(fd, yes, strlen(yes), MSG_NOSIGNAL);
	if (bridge_add(s->bridge, fd, s->session) < 0)
		close(fd);
}

/* ---- The machine ---- */

static void health_changed(void *context, enum health health, const char *why)
{
	struct supervisor *s = context;

	s->health = health;
	snprintf(s->health_why, sizeof(s->health_why), "%s", why);
	write_state(s);
	if (health != HEALTH_UNHEALTHY)
		return;
	fail(EIO, "%s is unhealthy: %s", s->job->instance->name, why);
	notify(s, "unhealthy", why);
	if (s->policy.when == RESTART_ON_UNHEALTHY && s->session) {
		s->is_unwell = true;
		session_stop(s->session, SIGTERM, s->job->options->stop_seconds);
	}
}

static void started(void *context)
{
	struct supervisor *s = context;
	const struct supervision *job = s->job;

	s->phase = RUNNING;
	if (job->health.port) {
		s->health = HEALTH_STARTING;
		s->prober =
			health_start(&s->loop, &job->health, &job->health_at, health_changed, s);
	}
	write_state(s);
	tell_ready(s, 0);
}

static void ended(void *context, const struct ending *e)
{
	struct supervisor *s = context;

	s->ending = *e;
	s->is_over = true; /* the loop below sees to it: the session is still at work here */
}

static void start(struct supervisor *s)
{
	const struct session_events events = {started, output, frame, input_room, ended, s};

	s->phase = STARTING;
	s->started_ns = clock_wall_ns();
	s->run_since_ns = clock_now_ns();
	s->session = session_start(&s->loop, s->job->machine, &events);
	if (!s->session) {
		s->ending = ending_of_host("its engine could not be started");
		s->is_over = true;
		return;
	}
	s->inside = inside_open(s->session);
	if (s->terminal)
		terminal_connect(s->terminal, s->session);
	write_state(s);
}

static void start_again(void *context)
{
	struct supervisor *s = context;

	s->n_restarts++;
	start(s);
}

static struct waiter *add_waiter(struct supervisor *s, struct control_client *c)
{
	struct waiter *w = memory_new(1, sizeof(*w));

	w->supervisor = s;
	w->client = c;
	w->next = s->waiters;
	s->waiters = w;
	return w;
}

static void answer(struct waiter *w, json_t *reply)
{
	struct waiter **at = &w->supervisor->waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (w->client)
		control_answer(w->client, reply);
	else
		json_decref(reply);
	free(w);
}

static void answer_waiters(struct supervisor *s)
{
	while (s->waiters)
		answer(s->waiters,
			json_pack("{s:b, s:o}", "ok", 1, "ending", ending_json(&s->ending)));
}

static void client_gone(void *context, struct control_client *c)
{
	struct supervisor *s = context;

	for (struct waiter *w = s->waiters; w; w = w->next)
		if (w->client == c)
			w->client = NULL;
}

static bool is_failure(const struct supervisor *s)
{
	return s->ending.status != 0 && !s->stop_signal;
}

static void say_end(struct supervisor *s, bool was_started)
{
	if (!was_started)
		return; /* it was said */
	if (s->job->in_background && is_failure(s)) {
		char text[320];

		ending_text(&s->ending, text, sizeof(text));
		fail(EIO, "%s: %s", machine_program(s->job->machine), text);
	} else {
		ending_report(&s->ending, machine_program(s->job->machine));
	}
}

/* The machine is gone: again, or the end. */
static void settle(struct supervisor *s)
{
	bool was_started = s->session != NULL;

	s->is_over = false;
	s->ended_ns = clock_wall_ns();
	health_stop(s->prober);
	s->prober = NULL;
	s->health = HEALTH_NONE;
	if (s->terminal)
		terminal_disconnect(s->terminal);
	bridge_drop_all(s->bridge);
	inside_close(s->inside);
	s->inside = NULL;
	session_free(s->session);
	s->session = NULL;
	say_end(s, was_started);
	if (s->is_unwell && !s->ending.status)
		s->ending = ending_of_kill(SIGTERM); /* it was not its own wish */
	s->is_unwell = false;
	if (is_failure(s))
		notify(s, "failed", NULL);
	bool good = clock_now_ns() - s->run_since_ns > RESTART_GOOD_RUN_NS;

	s->failures = good ? 0 : s->failures + 1;
	/* What never ran at all is not tried again and again: whoever started it is told. */
	if (!s->stop_signal && (s->told_ready || s->n_restarts) &&
		restart_wanted(&s->policy, &s->ending, s->n_restarts)) {
		s->phase = RESTARTING;
		timer_set_ms(&s->restart, restart_delay_ms(s->failures ? s->failures - 1 : 0));
	} else {
		s->phase = ENDED;
	}
}

/* ---- Asked to stop ---- */

static void give_up_log(void *context)
{
	struct supervisor *s = context;

	timer_set_ms(&s->give_up, 3600000); /* from now on the log holds nothing back */
	if (s->session)
		session_release_output(s->session);
}

/* The first signal asks the program, the second ends the machine. */
static void stop(struct supervisor *s, int signal, unsigned seconds)
{
	bool again = s->stop_signal != 0;

	s->stop_signal = signal;
	if (s->phase == RESTARTING) {
		s->restart.at_ns = 0;
		s->phase = ENDED;
		return;
	}
	if (s->log && log_is_full(s->log) && !s->give_up.at_ns)
		timer_set_ms(&s->give_up, (seconds + 1) * 1000LL);
	if (!s->session)
		return;
	if (again || signal == SIGQUIT || s->phase == PAUSED || signal == SIGKILL)
		session_kill(s->session, signal);
	else
		session_stop(s->session, signal, seconds);
}

static void read_signals(void *context, short events)
{
	struct supervisor *s = context;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->signals.fd, &info, sizeof(info)) == sizeof(info))
		stop(s, (int)info.ssi_signo, s->job->options->stop_seconds);
}

/* ---- Requests ---- */

static void request_stop(struct supervisor *s, struct control_client *c, const json_t *o)
{
	json_t *seconds = json_object_get(o, "seconds");
	json_int_t n = json_is_integer(seconds) ? json_integer_value(seconds)
						: s->job->options->stop_seconds;

	add_waiter(s, c);
	stop(s, SIGTERM, (unsigned)(n < 0 ? 0 : n > 86400 ? 86400 : n));
}

static void request_kill(struct supervisor *s, struct control_client *c, const json_t *o)
{
	int signal = (int)json_integer_value(json_object_get(o, "signal"));

	if (signal == SIGKILL) {
		add_waiter(s, c);
		stop(s, SIGKILL, 0);
	} else if (!s->session || !session_has_started(s->session)) {
		control_refuse(c, "its program does not run now");
	} else if (session_signal(s->session, signal) < 0 && inside_signal(s->inside, signal) < 0) {
		control_refuse(c, "the machine does not know this signal");
	} else {
		control_answer(c, json_pack("{s:b}", "ok", 1));
	}
}

static void paused(void *context, const json_t *reply)
{
	struct waiter *w = context;
	struct supervisor *s = w->supervisor;

	if (json_object_get(reply, "return")) {
		s->phase = w->phase;
		write_state(s);
		answer(w, json_pack("{s:b}", "ok", 1));
	} else {
		answer(w, json_pack("{s:s}", "error", "the engine did not do it"));
	}
}

static void request_pause(
	struct supervisor *s, struct control_client *c, enum phase from, enum phase to)
{
	if (s->phase != from || !s->session) {
		control_refuse(c, from == PAUSED ? "it is not paused" : "it does not run");
		return;
	}
	struct waiter *w = add_waiter(s, c);

	w->phase = to;
	qmp_execute(session_qmp(s->session),
		json_pack("{s:s}", "execute", to == PAUSED ? "stop" : "cont"), paused, w);
}

static void qmp_done(void *context, const json_t *reply)
{
	json_t *o = json_pack("{s:b}", "ok", 1);

	if (reply)
		json_object_set_new(o, "reply", json_deep_copy(reply));
	answer(context, o);
}

static void files_read(void *context, json_t *files)
{
	answer(context, json_pack("{s:b, s:o}", "ok", 1, "files", files));
}

static void request(void *context, struct control_client *c, const json_t *o)
{
	struct supervisor *s = context;
	const char *what = json_string_value(json_object_get(o, "request"));
	json_t *command = json_object_get(o, "command");

	if (strcmp(what, "stop") == 0)
		request_stop(s, c, o);
	else if (strcmp(what, "kill") == 0)
		request_kill(s, c, o);
	else if (strcmp(what, "wait") == 0)
		add_waiter(s, c);
	else if (strcmp(what, "pause") == 0)
		request_pause(s, c, RUNNING, PAUSED);
	else if (strcmp(what, "unpause") == 0)
		request_pause(s, c, PAUSED, RUNNING);
	else if (strcmp(what, "state") == 0)
		control_answer(c, json_pack("{s:b, s:o}", "ok", 1, "state", state_json(s)));
	else if (strcmp(what, "channel") == 0)
		request_channel(s, c);
	else if (strcmp(what, "qmp") == 0 && json_is_object(command) && s->session)
		qmp_execute(session_qmp(s->session), json_deep_copy(command), qmp_done,
			add_waiter(s, c));
	else if (strcmp(what, "files") == 0 && s->inside && s->phase == RUNNING)
		inside_read(s->inside, json_object_get(o, "paths"), files_read, add_waiter(s, c));
	else
		control_refuse(c, "its supervisor does not know that");
}

/* ---- The private network ---- */

#define NETWORK_LOOK_MS 2000

static void look_after_network(void *context)
{
	struct supervisor *s = context;

	(void)!private_net_keep(s->job->machine->network_folder, s->job->options->private_network);
	timer_set_ms(&s->network, NETWORK_LOOK_MS);
}

/* ---- From start to end ---- */

static int open_signals(struct supervisor *s)
{
	int fd = signals_open();

	if (fd < 0)
		return fd;
	s->signals = (struct watch){.fd = fd, .events = 1, .ready = read_signals, .context = s};
	loop_watch(&s->loop, &s->signals);
	return 0;
}

static int open_syslog(struct supervisor *s)
{
	struct syslog_target t;

	if (!s->job->options->syslog || syslog_parse(s->job->options->syslog, &t) < 0)
		return 0;
	int err = syslog_open(&s->loop, &t, s->job->instance->name, &s->syslog);

	syslog_target_free(&t);
	return err;
}

static int open_all(struct supervisor *s)
{
	const struct supervision *job = s->job;
	const struct control_events events = {request, client_gone, s};
	const struct log_events log_events = {log_line, log_has_room, s};

	s->restart = (struct timer){.fire = start_again, .context = s};
	s->give_up = (struct timer){.fire = give_up_log, .context = s};
	loop_add_timer(&s->loop, &s->restart);
	loop_add_timer(&s->loop, &s->give_up);
	s->bridge = bridge_new(&s->loop);
	s->network = (struct timer){.fire = look_after_network, .context = s};
	loop_add_timer(&s->loop, &s->network);
	if (job->machine->network == NETWORK_PRIVATE)
		timer_set_ms(&s->network, NETWORK_LOOK_MS);
	(void)!restart_parse(job->options->restart, &s->policy); /* it was checked */
	int err = open_signals(s);

	if (err >= 0 && job->instance->folder >= 0)
		err = control_open(&s->loop, job->instance->folder, &events, &s->control);
	if (err >= 0 && job->in_background) {
		s->log = log_open(&s->loop, job->instance->folder, job->options->log_size,
			job->options->log_files, &log_events);
		report_also_to(keep_report, s);
		err = open_syslog(s);
	} else if (err >= 0) {
		s->terminal = terminal_open(&s->loop, job->machine->is_terminal, output_closed, s);
	}
	return err;
}

static void ship_rest(void *context)
{
	*(bool *)context = true;
}

static void close_all(struct supervisor *s)
{
	bool late = false;
	struct timer limit = {.fire = ship_rest, .context = &late};

	report_also_to(NULL, NULL);
	log_close(s->log);
	loop_add_timer(&s->loop, &limit);
	timer_set_ms(&limit, SHIP_MS);
	while (s->syslog && !syslog_is_empty(s->syslog) && !late)
		loop_turn(&s->loop);
	syslog_close(s->syslog);
	terminal_close(s->terminal);
	bridge_free(s->bridge);
	if (s->signals.fd >= 0)
		close(s->signals.fd);
}

/* Lets go of the instance: whoever waited for the end may do with it what it likes. */
static void leave(struct supervisor *s, bool never_ran)
{
	const struct supervision *job = s->job;

	if (s->control)
		control_stop_listening(s->control);
	if (job->instance->folder >= 0 &&
		(!job->in_background || job->options->remove || (never_ran && job->is_new)))
		(void)!instance_remove(job->instance);
	instance_close(job->instance);
	answer_waiters(s);
	control_close(s->control);
}

int supervise(const struct supervision *job)
{
	struct supervisor *s = memory_new(1, sizeof(*s));
	int status = EXIT_MOTE_FAILED;
	bool never_ran = true;

	s->job = job;
	s->signals.fd = -1;
	if (open_all(s) >= 0) {
		start(s);
		while (s->phase != ENDED) {
			if (s->is_over)
				settle(s);
			else
				loop_turn(&s->loop);
		}
		never_ran = job->in_background && !s->told_ready;
		status = s->ending.status;
		if (s->job->instance->folder >= 0 && job->in_background)
			write_state(s);
	}
	close_all(s);
	leave(s, never_ran);
	tell_ready(s, status ? status : EXIT_MOTE_FAILED);
	free(s);
	return status;
}
