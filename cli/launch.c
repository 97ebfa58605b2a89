/* What is written down about an instance, and the process that leaves the terminal. */
#include "cli/launch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/private_net.h"
#include "cli/run.h"
#include "cli/supervisor.h"
#include "cli/taken_signals.h"

/* ---- What is written down ---- */

static json_t *strings_json(const struct string_list *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, json_string(l->items[i]) ?: json_string(""));
	return a;
}

static json_t *labels_json(const struct options *o)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < o->labels.n; i++) {
		char *key = memory_string(o->labels.items[i]), *value = strchr(key, '=');

		*value++ = 0;
		json_object_set_new(labels, key, json_string(value));
		free(key);
	}
	return labels;
}

static json_t *ports_json(const struct machine *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->n_publishes; i++) {
		const struct publish *p = &m->publishes[i];

		json_array_append_new(
			a, json_pack("{s:s, s:i, s:i, s:s}", "address", p->address, "host",
				   p->host_port, "guest", p->guest_port, "protocol", p->protocol));
	}
	return a;
}

static json_t *volumes_json(const struct machine *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->n_volumes; i++)
		json_array_append_new(a, json_string(m->volumes[i].file) ?: json_string(""));
	return a;
}

static void add_string(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static json_t *config_json(const struct options *o, const struct machine *m)
{
	char time[TIME_TEXT_MAX], *cwd = getcwd(NULL, 0);
	json_t *c = json_object();

	time_text(clock_wall_ns(), time);
	add_string(c, "created", time);
	add_string(c, "program", machine_program(m));
	json_object_set_new(c, "arguments", strings_json(&m->arguments));
	add_string(c, "image", m->image);
	json_object_set_new(c, "memory", json_integer((json_int_t)m->memory));
	json_object_set_new(c, "cpus", json_integer(m->n_cpus));
	json_object_set_new(c, "ports", ports_json(m));
	json_object_set_new(c, "volumes", volumes_json(m));
	json_object_set_new(c, "labels", labels_json(o));
	add_string(c, "restart", o->restart ? o->restart : "no");
	json_object_set_new(c, "stop_seconds", json_integer(o->stop_seconds));
	add_string(c, "health", o->health);
	add_string(c, "network", o->private_network);
	json_object_set_new(c, "remove", json_boolean(o->remove || !o->detach));
	json_object_set_new(c, "detached", json_boolean(o->detach));
	/* What mote start needs to do all of it again. */
	json_object_set_new(c, "words", strings_json(&o->words));
	json_object_set_new(c, "environment", strings_json(&o->environment));
	add_string(c, "folder", cwd);
	add_string(c, "path", getenv("PATH"));
	free(cwd);
	return c;
}

/* ---- Health ---- */

static bool covers(const struct publish *p, uint16_t port)
{
	return p->guest_port == port && strcmp(p->protocol, "tcp") == 0;
}

static int set_health(const struct options *o, const struct machine *m, struct supervision *job)
{
	struct health_check *c = &job->health;

	if (!o->health)
		return 0;
	int err = health_parse(o->health, c);

	if (err < 0)
		return err;
	c->interval = o->health_interval;
	c->timeout = o->health_timeout;
	c->retries = o->health_retries;
	c->start_period = o->health_start;
	job->health_at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(c->port)};
	for (size_t i = 0; i < m->n_publishes; i++) {
		const struct publish *p = &m->publishes[i];

		if (!covers(p, c->port))
			continue;
		inet_pton(AF_INET, strcmp(p->address, "0.0.0.0") == 0 ? "127.0.0.1" : p->address,
			&job->health_at.sin_addr);
		job->health_at.sin_port = htons(p->host_port);
		return 0;
	}
	char *address = m->address ? memory_bytes(m->address, strcspn(m->address, "/,")) : NULL;
	bool known = m->network != NETWORK_PRIVATE && address &&
		     inet_pton(AF_INET, address, &job->health_at.sin_addr) == 1;

	free(address);
	if (!known)
		return fail(EINVAL,
			"cannot probe port %u: this host does not reach it: publish it with -p, or "
			"give --ip on a tap",
			c->port);
	return 0;
}

/* ---- The background ---- */

/* Descriptors of whoever started us are not ours to keep; our own are close-on-exec. */
static void close_strangers(int keep)
{
	DIR *d = opendir("/proc/self/fd");

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));) {
		int fd = atoi(e->d_name);

		if (fd > STDERR_FILENO && fd != keep && fd != dirfd(d) &&
			!(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			close(fd);
	}
	closedir(d);
}

static _Noreturn void become_supervisor(struct supervision *job)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
	close_strangers(job->ready);
	(void)!chdir("/");
	_exit(supervise(job));
}

static int start_background(struct supervision *job)
{
	int ready[2], status = EXIT_MOTE_FAILED;

	if (pipe2(ready, O_CLOEXEC) < 0) {
		fail(errno, "cannot start in the background: %s", strerror(errno));
		return status;
	}
	job->ready = ready[1];
	pid_t child = fork();

	if (child == 0)
		become_supervisor(job);
	close(ready[1]);
	if (child < 0)
		fail(errno, "cannot start in the background: %s", strerror(errno));
	else if (read(ready[0], &status, sizeof(status)) != sizeof(status))
		fail(EIO, "the supervisor of %s ended without a word", job->instance->name);
	close(ready[0]);
	return status;
}

/* ---- Starting ---- */

static int join_network(const struct options *o, struct machine *m, struct instance *i)
{
	return o->private_network ? private_net_join(o->private_network, m, i) : 0;
}

/* The instance has its lock; closes it. */
static int launch(const struct options *o, struct machine *m, struct instance *i, bool is_new)
{
	struct supervision job = {.options = o,
		.machine = m,
		.instance = i,
		.in_background = o->detach,
		.is_new = is_new,
		.ready = -1};
	int status = EXIT_MOTE_FAILED;
	char name[sizeof(i->name)];

	strcpy(name, i->name);
	if (join_network(o, m, i) < 0 || set_health(o, m, &job) < 0 || signals_take() < 0) {
		if (is_new && i->folder >= 0)
			(void)!instance_remove(i);
	} else if (o->detach) {
		status = start_background(&job);
		if (!status)
			puts(name);
	} else {
		status = supervise(&job);
	}
	health_check_free(&job.health);
	instance_close(i);
	return status;
}

int launch_new(const struct options *o, struct machine *m)
{
	struct instance i = INSTANCE_NONE;
	json_t *config = config_json(o, m);
	int err = instance_create(o->name, machine_program(m), config, &i);

	json_decref(config);
	if (err < 0)
		return EXIT_MOTE_FAILED;
	return launch(o, m, &i, true);
}

/* The words of the run that made it, in the folder and with the variables it had. */
static int recall(const json_t *config, struct options *o)
{
	const json_t *words = json_object_get(config, "words");
	const char *folder = json_string_value(json_object_get(config, "folder"));
	const char *path = json_string_value(json_object_get(config, "path"));
	char **argv = memory_new(json_array_size(words) + 2, sizeof(argv[0]));
	int argc = 1;
	size_t n;
	json_t *word;

	argv[0] = (char *)"run";
	json_array_foreach(words, n, word) argv[argc++] = (char *)(json_string_value(word) ?: "");
	int err = options_parse(o, command_find("run"), argc, argv);

	free(argv);
	if (err < 0)
		return err;
	list_free(&o->environment);
	json_array_foreach(json_object_get(config, "environment"), n, word)
		list_add(&o->environment, json_string_value(word) ?: "");
	if (path)
		setenv("PATH", path, 1);
	if (folder && chdir(folder) < 0)
		warn("cannot enter %s again: %s", folder, strerror(errno));
	return 0;
}

int launch_again(struct instance *i)
{
	json_t *config = instance_config(i);
	struct machine m = MACHINE_NONE;
	struct options o;
	int status = EXIT_MOTE_FAILED;

	if (!config) {
		fail(EIO, "cannot start %s: its config.json is damaged: mote rm %s", i->name,
			i->name);
		instance_close(i);
		return status;
	}
	if (recall(config, &o) >= 0) {
		status = run_prepare(&o, &m);
		if (!status)
			status = launch(&o, &m, i, false);
		options_free(&o);
	}
	machine_free(&m);
	json_decref(config);
	instance_close(i);
	return status;
}
