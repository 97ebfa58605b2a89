/* QEMU's stream network: each frame behind its length, four bytes, the first the highest. */
#include "cli/private_switch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/files.h"
#include "cli/loop.h"
#include "cli/memory.h"
#include "cli/private_dns.h"
#include "cli/private_net.h"
#include "cli/text.h"

#define FRAME_MAX 65550u
#define ETHERNET_HEADER 14u
#define QUEUE_MAX (512u << 10) /* bytes for one port */
#define PORTS_MAX 2048u
#define LEARNED 4096u /* a power of two */
#define IDLE_MS 3000

struct port {
	struct network_switch *owner;
	struct watch watch;
	bool is_uplink;
	struct text in, out;
	struct port *next;
};

struct network_switch {
	struct loop loop;
	int folder;
	struct watch listener[2]; /* machines, uplinks */
	struct timer idle;
	struct port *ports;
	unsigned n_ports;
	bool is_over;
	struct private_dns *dns;
	struct {
		uint8_t mac[6];
		struct port *port;
	} learned[LEARNED];
};

/* ---- Addresses ---- */

static unsigned slot_of(const uint8_t *mac)
{
	uint32_t hash = 2166136261u;

	for (int i = 0; i < 6; i++)
		hash = (hash ^ mac[i]) * 16777619u;
	return hash & (LEARNED - 1);
}

/* The last one with this slot counts: a machine that invents addresses only makes us flood. */
static void learn(struct port *p, const uint8_t *mac)
{
	unsigned slot = slot_of(mac);

	if (mac[0] & 1)
		return;
	memcpy(p->owner->learned[slot].mac, mac, 6);
	p->owner->learned[slot].port = p;
}

static struct port *find(struct network_switch *s, const uint8_t *mac)
{
	unsigned slot = slot_of(mac);

	return memcmp(s->learned[slot].mac, mac, 6) == 0 ? s->learned[slot].port : NULL;
}

/* ---- Ports ---- */

static void close_port(struct port *p)
{
	struct network_switch *s = p->owner;
	struct port **at = &s->ports;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	for (unsigned i = 0; i < LEARNED; i++)
		if (s->learned[i].port == p)
			s->learned[i].port = NULL;
	loop_unwatch(&s->loop, &p->watch);
	close(p->watch.fd);
	text_free(&p->in);
	text_free(&p->out);
	free(p);
	if (--s->n_ports == 0)
		timer_set_ms(&s->idle, IDLE_MS);
}

static void write_out(struct port *p)
{
	ssize_t n = send(p->watch.fd, p->out.data, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0) {
		p->out.len -= (size_t)n;
		memmove(p->out.data, p->out.data + n, p->out.len);
	}
	p->watch.events = (short)(POLLIN | (p->out.len ? POLLOUT : 0));
}

static void send_frame(struct port *p, const uint8_t *frame, size_t len)
{
	uint32_t head = htonl((uint32_t)len);
	bool was_empty = !p->out.len;

	if (p->out.len + len > QUEUE_MAX)
		return;
	text_add_bytes(&p->out, &head, sizeof(head));
	text_add_bytes(&p->out, frame, len);
	if (was_empty)
		write_out(p);
}

/* ---- Frames ---- */

/* To all machines; to the ways out only ARP: they take every other packet for one that wants to
 * leave, and learn from ARP where machines are. */
static void flood(
	struct network_switch *s, const struct port *from, const uint8_t *frame, size_t len)
{
	bool is_arp = frame[12] == 0x08 && frame[13] == 0x06;

	for (struct port *p = s->ports; p; p = p->next)
		if (p != from && (!p->is_uplink || is_arp))
			send_frame(p, frame, len);
}

static void take_frame(struct port *p, const uint8_t *frame, size_t len)
{
	struct network_switch *s = p->owner;

	if (len < ETHERNET_HEADER)
		return;
	learn(p, frame + 6);
	bool is_group = frame[0] & 1;
	struct port *to = is_group ? NULL : find(s, frame);

	if (is_group || memcmp(frame, private_dns_mac, 6) == 0)
		private_dns_frame(s->dns, frame, len);
	if (is_group || (!to && memcmp(frame, private_dns_mac, 6) != 0))
		flood(s, p, frame, len);
	else if (to && to != p)
		send_frame(to, frame, len);
}

static void dns_sends(void *context, const uint8_t *frame, size_t len)
{
	struct network_switch *s = context;
	struct port *to = find(s, frame);

	if (to)
		send_frame(to, frame, len);
}

/* False: what comes makes no sense. */
static bool take_frames(struct port *p)
{
	size_t at = 0;
	uint32_t len;

	while (p->in.len - at >= sizeof(len)) {
		memcpy(&len, p->in.data + at, sizeof(len));
		len = ntohl(len);
		if (len > FRAME_MAX)
			return false;
		if (p->in.len - at - sizeof(len) < len)
			break;
		take_frame(p, (const uint8_t *)p->in.data + at + sizeof(len), len);
		at += sizeof(len) + len;
	}
	memmove(p->in.data, p->in.data + at, p->in.len - at);
	p->in.len -= at;
	return true;
}

static void port_ready(void *context, short events)
{
	static char buf[65536];
	struct port *p = context;

	if (events & POLLOUT)
		write_out(p);
	if (!(events & (POLLIN | POLLHUP | POLLERR)))
		return;
	ssize_t n = recv(p->watch.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		text_add_bytes(&p->in, buf, (size_t)n);
	if (n <= 0 || !take_frames(p))
		close_port(p);
}

/* ---- Connections ---- */

static bool accept_port(struct network_switch *s, bool is_uplink)
{
	int fd = accept4(s->listener[is_uplink].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	if (s->n_ports == PORTS_MAX) {
		close(fd);
		return true;
	}
	struct port *p = memory_new(1, sizeof(*p));

	p->owner = s;
	p->is_uplink = is_uplink;
	p->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = port_ready, .context = p};
	p->next = s->ports;
	s->ports = p;
	s->n_ports++;
	s->idle.at_ns = 0;
	loop_watch(&s->loop, &p->watch);
	return true;
}

static void machine_connects(void *context, short events)
{
	(void)events;
	accept_port(context, false);
}

static void uplink_connects(void *context, short events)
{
	(void)events;
	accept_port(context, true);
}

/* Whoever joins holds the lock until it knows that we live: so nobody comes while we go. */
static void nobody_came(void *context)
{
	struct network_switch *s = context;
	int lock = openat(s->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	bool is_removed = fstat(s->folder, &st) < 0 || !st.st_nlink;

	if (!is_removed && (lock < 0 || file_lock(lock, false) < 0)) {
		if (lock >= 0)
			close(lock);
		timer_set_ms(&s->idle, IDLE_MS);
		return;
	}
	if (accept_port(s, false) || accept_port(s, true)) {
		close(lock);
		return;
	}
	unlinkat(s->folder, PRIVATE_SOCKET, 0);
	unlinkat(s->folder, PRIVATE_UPLINK, 0);
	s->is_over = true; /* both locks end with the process */
}

/* ---- From start to end ---- */

static int listen_at(struct network_switch *s, bool is_uplink)
{
	const char *name = is_uplink ? PRIVATE_UPLINK : PRIVATE_SOCKET;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s", s->folder, name);
	unlinkat(s->folder, name, 0); /* of one that was killed: we hold its lock */
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0)
		return -errno;
	s->listener[is_uplink] = (struct watch){.fd = fd,
		.events = POLLIN,
		.ready = is_uplink ? uplink_connects : machine_connects,
		.context = s};
	loop_watch(&s->loop, &s->listener[is_uplink]);
	return 0;
}

static int open_switch(struct network_switch *s, const char *network)
{
	int lock = openat(s->folder, "switch.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0 || file_lock(lock, false) < 0)
		return -EBUSY;
	int err = listen_at(s, false);

	if (!err)
		err = listen_at(s, true);
	if (err)
		return err;
	s->idle = (struct timer){.fire = nobody_came, .context = s};
	loop_add_timer(&s->loop, &s->idle);
	timer_set_ms(&s->idle, IDLE_MS);
	s->dns = private_dns_open(&s->loop, network, dns_sends, s);
	return 0;
}

/* Keeps of its parent's descriptors only the folder. */
static _Noreturn void become_switch(int folder, const char *network, int ready)
{
	struct network_switch *s = memory_new(1, sizeof(*s));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), err;
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	/* Numbers that stay put below everything else. */
	dup3(folder, 100, O_CLOEXEC);
	dup3(ready, 101, O_CLOEXEC);
	for (int fd = 3; fd < 100; fd++)
		close(fd);
	closefrom(102);
	(void)!chdir("/");
	s->folder = 100;
	err = open_switch(s, network);
	(void)!write(101, &err, sizeof(err));
	close(101);
	while (!err && !s->is_over)
		loop_turn(&s->loop);
	_exit(0);
}

int private_switch_start(int folder, const char *network)
{
	int ready[2], err = EPIPE;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return fail(errno, "cannot start the network %s: %s", network, strerror(errno));
	pid_t child = fork();

	if (child == 0 && fork() == 0)
		become_switch(folder, network, ready[1]);
	if (child == 0)
		_exit(0);
	close(ready[1]);
	if (child < 0 || read(ready[0], &err, sizeof(err)) != sizeof(err))
		err = -EIO;
	close(ready[0]);
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	return err < 0 ? fail(-err, "cannot start the switch of the network %s: %s", network,
				 strerror(-err))
		       : 0;
}
