/*
 * Transfers of random sizes, both directions of a connection at once; every byte is checked.
 *
 *     transfer serve PORT                                the guest
 *     transfer ADDRESS PORT COUNT AT_ONCE SEED MAX_SIZE  Linux: COUNT transfers; says what went wrong
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 180

struct request {
	uint64_t seed, up, down;
};

struct stream {
	int fd;
	uint64_t seed, size;
	uint64_t good; /* bytes that were right */
	int error;
};

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void *send_stream(void *arg)
{
	struct stream *s = arg;
	uint64_t state = s->seed | 1, words[512];
	uint64_t sizes = s->seed * 31 | 1;
	for (uint64_t done = 0; done < s->size;) {
		uint64_t len = sizeof(words);
		if (len > s->size - done)
			len = s->size - done;
		for (unsigned i = 0; i < 512; i++)
			words[i] = next(&state);
		for (uint64_t at = 0; at < len;) {
			/* Writes of all sizes. */
			uint64_t part = next(&sizes) % 4 ? len - at : 1 + next(&sizes) % (len - at);
			ssize_t n = send(s->fd, (char *)words + at, part, MSG_NOSIGNAL);
			if (n <= 0) {
				s->error = n < 0 ? errno : EPIPE;
				return NULL;
			}
			at += (uint64_t)n;
		}
		done += len;
	}
	return NULL;
}

static void receive_stream(struct stream *s)
{
	uint64_t state = s->seed | 1, word = 0;
	uint8_t buf[16384];
	while (s->good < s->size) {
		uint64_t want = s->size - s->good < sizeof(buf) ? s->size - s->good : sizeof(buf);
		ssize_t n = recv(s->fd, buf, want, 0);
		if (n <= 0) {
			s->error = n < 0 ? errno : EPIPE;
			return;
		}
		for (ssize_t i = 0; i < n; i++, s->good++) {
			if (s->good % 8 == 0)
				word = next(&state);
			if (buf[i] != (uint8_t)(word >> s->good % 8 * 8)) {
				s->error = EILSEQ;
				return;
			}
		}
	}
}

/* Both directions; the first error. */
static int exchange(
	int fd, uint64_t send_seed, uint64_t n_send, uint64_t receive_seed, uint64_t n_receive)
{
	struct stream out = {fd, send_seed, n_send, 0, 0}, in = {fd, receive_seed, n_receive, 0, 0};
	pthread_t t;
	if (pthread_create(&t, NULL, send_stream, &out))
		return EAGAIN;
	receive_stream(&in);
	if (in.error)
		shutdown(fd, SHUT_RDWR);
	pthread_join(t, NULL);
	return in.error ? in.error : out.error;
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct request r;
	char byte;
	if (recv(fd, &r, sizeof(r), MSG_WAITALL) == sizeof(r)) {
		int error = exchange(fd, ~r.seed, r.down, r.seed, r.up);
		if (!error && send(fd, "k", 1, MSG_NOSIGNAL) == 1) {
			shutdown(fd, SHUT_WR);
			(void)!recv(fd, &byte, 1, 0);
		}
		if (error)
			printf("transfer of %lu and %lu: %s\n", (unsigned long)r.up,
				(unsigned long)r.down, strerror(error));
	}
	close(fd);
	return NULL;
}

static int serve(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (void *)&a, sizeof(a)) || listen(l, 128))
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		pthread_t t;
		pthread_attr_t attributes;
		int fd = accept(l, NULL, NULL);
		pthread_attr_init(&attributes);
		pthread_attr_setstacksize(&attributes, 128 << 10);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		if (fd >= 0 && pthread_create(&t, &attributes, serve_one, (void *)(intptr_t)fd))
			close(fd);
	}
}

/* --- Linux's side --- */

static struct sockaddr_in server;
static uint64_t seed, size_max;
static int count;
static atomic_int started, failed;

/* Mostly small, some large. */
static uint64_t random_size(uint64_t *x)
{
	uint64_t n = next(x) % size_max;
	return n >> next(x) % 16;
}

static const char *transfer(uint64_t id)
{
	uint64_t x = (seed << 32 | id) * 0x9e3779b97f4a7c15u | 1;
	struct request r = {next(&x), random_size(&x), random_size(&x)};
	struct timeval patience = {PATIENCE_S, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	const char *trouble = NULL;
	char verdict = 0, more;
	int error = 0;
	if (connect(fd, (void *)&server, sizeof(server)))
		trouble = "connect";
	else if (send(fd, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
		trouble = "request";
	else if ((error = exchange(fd, r.seed, r.up, ~r.seed, r.down)))
		trouble = error == EILSEQ   ? "wrong bytes"
			  : error == EAGAIN ? "hangs"
					    : strerror(error);
	else if (recv(fd, &verdict, 1, 0) != 1 || verdict != 'k')
		trouble = "no verdict";
	else if (recv(fd, &more, 1, 0) != 0)
		trouble = "no end";
	close(fd);
	if (trouble)
		printf("transfer %lu (%lu up, %lu down): %s\n", (unsigned long)id,
			(unsigned long)r.up, (unsigned long)r.down, trouble);
	return trouble;
}

static void *client(void *arg)
{
	int id;
	(void)arg;
	while ((id = atomic_fetch_add(&started, 1)) < count)
		if (transfer((uint64_t)id))
			atomic_fetch_add(&failed, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve((uint16_t)atoi(argv[2]));
	if (argc != 7)
		return 2;
	server = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[2])),
		.sin_addr.s_addr = inet_addr(argv[1])};
	count = atoi(argv[3]);
	seed = strtoull(argv[5], NULL, 10);
	size_max = strtoull(argv[6], NULL, 10);
	pthread_t threads[64];
	int n = atoi(argv[4]);
	for (int i = 0; i < n && i < 64; i++)
		pthread_create(&threads[i], NULL, client, NULL);
	for (int i = 0; i < n && i < 64; i++)
		pthread_join(threads[i], NULL);
	printf("%d transfers, %d failed\n", count, failed);
	return failed > 0;
}
