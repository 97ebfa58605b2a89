/*
 * A bad wire: frames between a TAP of this network namespace and QEMU's datagram network (-netdev dgram over UNIX
 * sockets), lost, doubled, delayed, reordered, damaged, squeezed through a slow line; the same seed does the same to the
 * same frames.  ARP passes unharmed.
 *
 *     relay TAP OUR_SOCKET QEMU_SOCKET [KEY=NUMBER...]
 *
 * Keys: seed; loss, double, late, damage (per million); delay, later (us: always, and on top for late ones); rate
 * (bytes a second, each way), queue (bytes that wait at most).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 65600

static struct {
	const char *name;
	uint64_t value;
} keys[] = {{"seed", 1}, {"loss", 0}, {"double", 0}, {"late", 0}, {"damage", 0}, {"delay", 0},
	{"later", 0}, {"rate", 0}, {"queue", 1u << 30}};
enum { SEED, LOSS, DOUBLE, LATE, DAMAGE, DELAY, LATER, RATE, QUEUE, KEYS };

struct frame {
	struct frame *next;
	uint64_t due_us, order;
	int to;
	uint32_t len;
	uint8_t bytes[];
};

static struct frame *heap[1 << 16];
static unsigned n_waiting;
static uint64_t n_frames, free_us[2];

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool chance(unsigned key)
{
	static uint64_t state;
	if (!state)
		state = keys[SEED].value * 0x9e3779b97f4a7c15u + 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % 1000000 < keys[key].value;
}

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order);
}

static void push(struct frame *f)
{
	unsigned i = n_waiting++;
	for (; i > 0 && before(f, heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = f;
}

static struct frame *pop(void)
{
	struct frame *first = heap[0], *last = heap[--n_waiting];
	unsigned i = 0;
	for (;;) {
		unsigned child = 2 * i + 1;
		if (child >= n_waiting)
			break;
		if (child + 1 < n_waiting && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}

static void launch(const uint8_t *bytes, uint32_t len, int to, uint64_t due_us)
{
	if (n_waiting == sizeof(heap) / sizeof(heap[0]))
		return;
	struct frame *f = malloc(sizeof(*f) + len);
	if (!f)
		return;
	f->due_us = due_us;
	f->order = n_frames++;
	f->to = to;
	f->len = len;
	memcpy(f->bytes, bytes, len);
	push(f);
}

static void impair(uint8_t *bytes, uint32_t len, int to, unsigned direction)
{
	uint64_t now = now_us(), due = now + keys[DELAY].value;
	bool arp = len >= 14 && bytes[12] == 8 && bytes[13] == 6;
	if (arp) {
		launch(bytes, len, to, now);
		return;
	}
	if (chance(LOSS))
		return;
	if (keys[RATE].value) {
		uint64_t *line = &free_us[direction];
		if (*line < now)
			*line = now;
		if ((*line - now) * keys[RATE].value / 1000000 + len > keys[QUEUE].value)
			return;
		*line += len * 1000000ull / keys[RATE].value;
		due += *line - now;
	}
	if (chance(LATE))
		due += keys[LATER].value;
	if (chance(DOUBLE))
		launch(bytes, len, to, due);
	if (chance(DAMAGE) && len > 34)
		bytes[34 + n_frames % (len - 34)] ^= (uint8_t)(1 << n_frames % 8);
	launch(bytes, len, to, due);
}

static int open_tap(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r)) {
		perror("relay: tap");
		exit(1);
	}
	return fd;
}

static int open_socket(const char *path, const char *peer, struct sockaddr_un *to)
{
	struct sockaddr_un ours = {.sun_family = AF_UNIX};
	int size = 4 << 20, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(ours.sun_path, path, sizeof(ours.sun_path) - 1);
	strncpy(to->sun_path, peer, sizeof(to->sun_path) - 1);
	unlink(path);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, (void *)&ours, sizeof(ours))) {
		perror("relay: socket");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	static uint8_t buf[FRAME_MAX];
	struct sockaddr_un qemu;
	for (int i = 4; i < argc; i++)
		for (unsigned k = 0; k < KEYS; k++)
			if (!strncmp(argv[i], keys[k].name, strlen(keys[k].name)) &&
				argv[i][strlen(keys[k].name)] == '=')
				keys[k].value = strtoull(strchr(argv[i], '=') + 1, NULL, 10);
	if (argc < 4)
		return 2;
	int tap = open_tap(argv[1]), sock = open_socket(argv[2], argv[3], &qemu);
	struct pollfd fds[2] = {{.fd = tap, .events = POLLIN}, {.fd = sock, .events = POLLIN}};
	for (;;) {
		uint64_t now = now_us();
		while (n_waiting && heap[0]->due_us <= now) {
			struct frame *f = pop();
			ssize_t n = f->to ? write(tap, f->bytes, f->len)
					  : sendto(sock, f->bytes, f->len, 0, (void *)&qemu,
						    sizeof(qemu));
			(void)n; /* what finds no room is lost, as on any wire */
			free(f);
		}
		struct timespec wait = {1, 0};
		if (n_waiting) {
			uint64_t us = heap[0]->due_us - now;
			wait = (struct timespec){
				(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
		}
		ppoll(fds, 2, &wait, NULL);
		ssize_t n;
		for (int i = 0; i < 64 && (n = read(tap, buf, sizeof(buf))) > 0; i++)
			impair(buf, (uint32_t)n, 0, 0);
		for (int i = 0; i < 64 && (n = recv(sock, buf, sizeof(buf), 0)) > 0; i++)
			impair(buf, (uint32_t)n, 1, 1);
	}
}
