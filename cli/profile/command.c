/*
 * mote profile: samples of a running machine, folded and drawn.  Frames are queued as they come and
 * looked at later: naming an address asks the machine.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/channel.h"
#include "abi/profile.h"
#include "cli/commands.h"
#include "cli/debug/attach.h"
#include "cli/debug/background.h"
#include "cli/map.h"
#include "cli/memory.h"
#include "cli/profile/flame.h"
#include "cli/profile/objects.h"

#define LIMIT_MS 5000 /* the machine stops by itself when we say nothing for so long */
#define RENEW_MS 1000
#define REFRESH_MS 200
#define LAST_MS 3000
#define QUEUE_MAX (64u << 20)

struct profile {
	const struct options *options;
	const char *name; /* of the instance */
	bool is_ours;
	struct target target;
	struct objects *objects;
	struct text queue; /* batches, each behind its length (uint32_t) */
	struct map stacks; /* folded stack: uint64_t * */
	uint64_t n_samples, n_lost;
	bool is_ending; /* switched off */
	bool gone;      /* the machine is */
	bool over;      /* the last batch has come, or the machine is gone */
	int64_t refreshed_ms;
	int ended, interrupted; /* descriptors; -1 */
	int status;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- Samples ---- */

static void queue_batch(void *owner, unsigned kind, const void *content, size_t len)
{
	struct profile *p = owner;
	uint32_t size = (uint32_t)len;

	if (kind != CHANNEL_SAMPLES || len < sizeof(struct profile_batch) ||
		p->queue.len > QUEUE_MAX)
		return;
	text_add_bytes(&p->queue, &size, sizeof(size));
	text_add_bytes(&p->queue, content, len);
}

/* Mappings come and go: the machine is asked when one is not known, but not all the time. */
static void look_for(struct profile *p, const uint64_t *addresses, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (objects_lack(p->objects, addresses[i]) &&
			now_ms() - p->refreshed_ms >= REFRESH_MS) {
			objects_refresh(p->objects);
			p->refreshed_ms = now_ms();
		}
}

static void take_sample(
	struct profile *p, const struct profile_sample *s, const uint64_t *addresses)
{
	struct text t = {0};
	const uint64_t *user = addresses + s->n_kernel;

	look_for(p, user, s->n_user);
	text_format(&t, "%.16s", s->name);
	for (char *c = t.data; c && *c; c++)
		if (*c == ';' || *c == '\n')
			*c = ':';
	for (unsigned i = s->n_user; i-- > 0;) {
		text_add(&t, ";");
		objects_name(p->objects, user[i] - (i > 0), &t);
	}
	for (unsigned i = s->n_kernel; i-- > 0;) {
		text_add(&t, ";");
		objects_name_kernel(p->objects, addresses[i] - (i > 0), &t);
	}
	uint64_t *count = map_get(&p->stacks, t.data);

	if (!count) {
		count = memory_new(1, sizeof(*count));
		map_put(&p->stacks, t.data, count);
	}
	(*count)++;
	p->n_samples++;
	text_free(&t);
}

static void take_batch(struct profile *p, const uint8_t *at, size_t len)
{
	struct profile_batch head;
	struct profile_sample s;
	uint64_t addresses[2 * PROFILE_DEPTH_MAX];

	memcpy(&head, at, sizeof(head));
	p->n_lost += head.lost;
	p->over |= head.last != 0 && p->is_ending;
	at += sizeof(head);
	len -= sizeof(head);
	while (len >= sizeof(s)) {
		memcpy(&s, at, sizeof(s));
		size_t bytes = ((size_t)s.n_kernel + s.n_user) * sizeof(uint64_t);

		if (bytes > len - sizeof(s) || bytes > sizeof(addresses))
			return;
		memcpy(addresses, at + sizeof(s), bytes);
		take_sample(p, &s, addresses);
		at += sizeof(s) + bytes;
		len -= sizeof(s) + bytes;
	}
}

/* More may come while addresses are being named. */
static void take_queue(struct profile *p)
{
	while (p->queue.len) {
		struct text t = p->queue;

		p->queue = (struct text){0};
		for (size_t at = 0; at < t.len;) {
			uint32_t len;

			memcpy(&len, t.data + at, sizeof(len));
			take_batch(p, (const uint8_t *)t.data + at + sizeof(len), len);
			at += sizeof(len) + len;
		}
		text_free(&t);
	}
}

/* ---- The machine ---- */

static int ask(struct profile *p, unsigned hz)
{
	const struct profile_request r = {.hz = hz, .limit_ms = LIMIT_MS};

	return channel_send(p->target.channel, CHANNEL_PROFILE, &r, sizeof(r));
}

/* Until then, or until somebody ends it. */
static void wait_until(struct profile *p, int64_t until_ms)
{
	while (!p->over && now_ms() < until_ms) {
		struct pollfd fds[] = {{p->target.channel->fd, POLLIN, 0}, {p->ended, POLLIN, 0},
			{p->interrupted, POLLIN, 0}};

		poll(fds, 3, (int)(until_ms - now_ms()));
		if (fds[0].revents && channel_read(p->target.channel) < 0)
			p->gone = true;
		take_queue(p);
		p->gone |= fds[1].revents != 0;
		p->over |= p->gone;
		if (fds[2].revents)
			return;
	}
}

static bool is_interrupted(const struct profile *p)
{
	return poll(&(struct pollfd){p->interrupted, POLLIN, 0}, 1, 0) > 0;
}

static void sample(struct profile *p)
{
	unsigned hz = p->options->frequency ? p->options->frequency : 99;
	int64_t seconds = p->options->seconds ? p->options->seconds : p->is_ours ? 0 : 10;
	bool held = p->is_ours; /* before its first instruction */
	int64_t end_ms = seconds ? now_ms() + 1000 * seconds : INT64_MAX;

	while (!p->over && !is_interrupted(p) && now_ms() < end_ms) {
		int64_t next_ms = now_ms() + RENEW_MS;

		if (ask(p, hz) < 0)
			return;
		if (held) {
			held = false;
			objects_refresh(p->objects);
			if (target_detach(&p->target) < 0) /* now it starts */
				return;
		}
		wait_until(p, next_ms < end_ms ? next_ms : end_ms);
	}
	close(p->interrupted);
	p->interrupted = -1;
	p->is_ending = true;
	if (!p->over && ask(p, 0) == 0)
		wait_until(p, now_ms() + LAST_MS);
}

/* ---- What comes out ---- */

static int by_stack(const void *a, const void *b)
{
	return strcmp(((const struct folded *)a)->stack, ((const struct folded *)b)->stack);
}

static struct folded *sorted(const struct profile *p)
{
	struct folded *s = memory_new(p->stacks.n + 1, sizeof(*s));
	size_t n = 0;

	for (size_t i = 0; i < p->stacks.n_slots; i++)
		if (p->stacks.slots[i].key)
			s[n++] = (struct folded){
				p->stacks.slots[i].key, *(uint64_t *)p->stacks.slots[i].value};
	if (n)
		qsort(s, n, sizeof(*s), by_stack);
	return s;
}

static int write_file(const struct profile *p, const char *path, const struct folded *s)
{
	FILE *f = fopen(path, "we");

	if (f && string_ends(path, ".svg"))
		flame_write(f, p->options->program, s, p->stacks.n);
	else if (f)
		for (size_t i = 0; i < p->stacks.n; i++)
			fprintf(f, "%s %lu\n", s[i].stack, (unsigned long)s[i].count);
	if (!f || fclose(f) != 0)
		return fail(errno, "cannot write %s: %s", path, strerror(errno));
	printf("%s: %lu samples\n", path, (unsigned long)p->n_samples);
	return 0;
}

static int write_profile(const struct profile *p)
{
	char *own = string_format("%s.svg", path_name(p->options->program));
	const char *path = p->options->output ? p->options->output : own;
	struct folded *s = sorted(p);
	int err = p->n_samples ? write_file(p, path, s)
			       : fail(ENODATA, "there is nothing to draw: no CPU of %s was busy",
					 p->options->program);

	if (p->n_lost)
		warn("%lu samples are lost: this host did not take them in time",
			(unsigned long)p->n_lost);
	for (size_t i = 0; i < p->stacks.n_slots; i++)
		if (p->stacks.slots[i].key)
			free(p->stacks.slots[i].value);
	free(s);
	free(own);
	return err;
}

static int catch_interrupt(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* mote's exit status: the program's when it is ours and ended. */
static int profile_instance(struct profile *p)
{
	p->interrupted = catch_interrupt();
	if (attach_open(p->name, &p->target, queue_batch, p) < 0)
		return EXIT_MOTE_FAILED;
	p->ended = background_ask_end(p->name);
	p->objects = objects_new(&p->target, p->is_ours && !p->options->root);
	int err = p->is_ours ? target_attach(&p->target, 0) : 0;

	if (err < 0)
		fail(-err, "cannot profile %s: its machine does not answer", p->name);
	else
		sample(p);
	take_queue(p);
	if (err >= 0)
		err = write_profile(p);
	if (p->gone && p->is_ours && poll(&(struct pollfd){p->ended, POLLIN, 0}, 1, LAST_MS) > 0) {
		p->status = background_take_end(p->ended).status;
		p->ended = -1;
	}
	if (p->ended >= 0)
		close(p->ended);
	attach_close(&p->target);
	objects_free(p->objects);
	map_free(&p->stacks);
	text_free(&p->queue);
	return err < 0 ? EXIT_MOTE_FAILED : p->is_ours ? p->status : 0;
}

int command_profile(const struct options *o)
{
	struct profile p = {.options = o, .ended = -1, .interrupted = -1};
	char *made = NULL;
	pid_t logs = 0;
	int status = 0;

	if (!o->program) {
		fail(EINVAL, "no program given: mote profile PROGRAM, see mote profile --help");
		return EXIT_MOTE_FAILED;
	}
	p.is_ours = !background_is_instance(o->program);
	p.name = o->program;
	if (p.is_ours) {
		status = background_start(o, "profile", &made);
		p.name = made;
	}
	if (status == 0 && p.is_ours)
		logs = background_logs(p.name);
	if (status == 0)
		status = profile_instance(&p);
	if (p.is_ours)
		background_stop(p.name);
	if (logs > 0)
		waitpid(logs, NULL, 0);
	free(made);
	return status;
}
