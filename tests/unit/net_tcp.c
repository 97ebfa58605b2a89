/* TCP over a bad link: data arrive whole and in order whatever is lost, doubled or reordered; states, timers, ends. */
#include "net_link.h"

#include "kernel/net/tcp_internal.h"

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 2654435761u >> 13);
}

struct transfer {
	struct file *file;
	size_t size, chunk;
	uint64_t sum;
	long result;
};

static void send_pattern(void *arg)
{
	struct transfer *t = arg;
	uint8_t *buf = malloc(t->chunk);
	size_t sent = 0;
	while (sent < t->size) {
		size_t n = min(t->chunk, t->size - sent);
		for (size_t i = 0; i < n; i++)
			buf[i] = pattern(sent + i);
		long done = send_bytes(t->file, buf, n, 0);
		if (done != (long)n)
			panic("sent %ld of %zu", done, n);
		sent += n;
	}
	free(buf);
	assert(socket_shutdown(t->file, SHUT_WR) == 0);
	thread_exit();
}

static void receive_pattern(struct file *f, size_t size, size_t chunk)
{
	uint8_t *buf = malloc(chunk);
	size_t got = 0;
	for (;;) {
		long n = receive_bytes_of(f, buf, chunk, 0);
		if (n < 0)
			panic("receive: %ld after %zu", n, got);
		if (n == 0)
			break;
		for (long i = 0; i < n; i++)
			if (buf[i] != pattern(got + (size_t)i))
				panic("byte %zu is wrong", got + (size_t)i);
		got += (size_t)n;
	}
	free(buf);
	if (got != size)
		panic("%zu bytes of %zu", got, size);
}

static struct linux_tcp_info info_of(struct file *f)
{
	struct linux_tcp_info i;
	memset(&i, 0, sizeof(i));
	assert(socket_get_option(f, SOL_TCP, TCP_INFO, &i, sizeof(i)) == sizeof(i));
	return i;
}

static uint16_t next_port = 1000;

static void connect_pair(struct file **client, struct file **server)
{
	struct file *l = listen_on(++next_port, 8);
	*client = new_socket(SOCK_STREAM, 0);
	int err = connect_to(*client, "127.0.0.1", next_port);
	if (err < 0)
		panic("connect: %d", err);
	*server = accept_from(l);
	file_put(l);
}

/* Both directions at once. */
static void run_transfer(const char *what, size_t size, size_t chunk, unsigned seed)
{
	struct file *a, *b;
	script.seed = seed;
	connect_pair(&a, &b);
	uint64_t start = clock_monotonic_ns();
	unsigned sent = script.n_sent;
	struct transfer up = {.file = a, .size = size, .chunk = chunk};
	struct transfer down = {.file = b, .size = size / 2, .chunk = chunk};
	struct thread *t = start_thread(send_pattern, &up), *u = start_thread(send_pattern, &down);
	receive_pattern(b, size, 5000);
	receive_pattern(a, size / 2, 70000);
	join_thread(t);
	join_thread(u);
	struct linux_tcp_info i = info_of(a);
	printf("%-28s seed %2u: %4llu ms, %5u packets, %3u retransmitted, rtt %u us\n", what, seed,
		(unsigned long long)((clock_monotonic_ns() - start) / NS_PER_MS),
		script.n_sent - sent, i.tcpi_total_retrans, i.tcpi_rtt);
	file_put(a);
	file_put(b);
	sleep_ms(200000); /* TIME_WAIT and orphans end */
}

static void check_transfers(void)
{
	link_start(1500);
	run_transfer("clean", 1000000, 10000, 1);
	run_transfer("clean, one byte at a time", 20000, 1, 1);
	for (unsigned seed = 1; seed <= 6; seed++) {
		link_start(1500);
		script.loss = 20;
		run_transfer("2% lost", 500000, 20000, seed);
		script.loss = 0;
		script.reorder = 100;
		run_transfer("10% reordered", 500000, 20000, seed);
		script.reorder = 0;
		script.duplicate = 200;
		run_transfer("20% doubled", 300000, 3000, seed);
		script.loss = 100;
		script.reorder = 100;
		run_transfer("all of it, 10% lost", 100000, 3000, seed);
	}
	link_start(65535);
	run_transfer("large segments", 3000000, 300000, 1);
	script.loss = 30;
	run_transfer("large segments, 3% lost", 2000000, 300000, 2);
	link_start(576);
	run_transfer("small MTU", 200000, 5000, 1);
}

/* The real loopback: packets shared between sender and receiver, no checksums, no delay. */
static void check_loopback(const struct netif_ops *real)
{
	link_start(65535);
	loopback.ops = real;
	loopback.flags |= NETIF_CHECKSUM_TX;
	run_transfer("loopback", 20000000, 100000, 1);
	run_transfer("loopback, small writes", 300000, 100, 1);
}

static void everything(void *arg)
{
	(void)arg;
	net_init();
	const struct netif_ops *real = loopback.ops;
	check_loopback(real);
	check_transfers();
}

int main(void)
{
	host_run(everything, NULL);
	return 0;
}
