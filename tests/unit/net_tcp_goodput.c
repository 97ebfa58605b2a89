/*
 * TCP's goodput over simulated links, against what the link or the response functions of RFC 5681 and 9438 allow.  Time
 * is the host port's: the same seed is the same run.
 */
#include "net_link.h"

#include "kernel/net/tcp_internal.h"

#define MBIT 125000ull

struct sender {
	struct file *file;
	size_t size;
};

static void send_all_of_it(void *arg)
{
	struct sender *t = arg;
	static uint8_t buf[65536];
	for (size_t sent = 0; sent < t->size; sent += sizeof(buf))
		assert(send_bytes(t->file, buf, sizeof(buf), 0) == sizeof(buf));
	assert(socket_shutdown(t->file, SHUT_WR) == 0);
	thread_exit();
}

static struct linux_tcp_info info_of(struct file *f)
{
	struct linux_tcp_info i;
	memset(&i, 0, sizeof(i));
	assert(socket_get_option(f, SOL_TCP, TCP_INFO, &i, sizeof(i)) == sizeof(i));
	return i;
}

static uint16_t next_port = 1000;

/* Bytes a second. */
static uint64_t goodput(const char *what, const char *algorithm, size_t size, uint64_t at_least)
{
	struct file *l = listen_on(++next_port, 8), *a = new_socket(SOCK_STREAM, 0);
	assert(socket_set_option(a, SOL_TCP, TCP_CONGESTION, algorithm, strlen(algorithm)) == 0);
	assert(connect_to(a, "127.0.0.1", next_port) == 0);
	struct file *b = accept_from(l);
	file_put(l);
	if (script.mark) /* neither end proposes it by itself */
		tcp_of(file_socket(a))->ecn_ok = tcp_of(file_socket(b))->ecn_ok = true;
	uint64_t start = clock_monotonic_ns();
	unsigned lost = script.n_lost;
	struct sender s = {a, size};
	struct thread *t = start_thread(send_all_of_it, &s);
	static uint8_t buf[262144];
	size_t got = 0;
	for (long n; (n = receive_bytes_of(b, buf, sizeof(buf), 0)) > 0;)
		got += (size_t)n;
	join_thread(t);
	uint64_t rate = got * NS_PER_S / (clock_monotonic_ns() - start);
	struct linux_tcp_info i = info_of(a);
	printf("%-34s %-6s %7.3f Mbit/s, at least %7.3f; %u lost, %u retransmitted, %u marked, rtt "
	       "%u us\n",
		what, algorithm, (double)rate / MBIT, (double)at_least / MBIT, script.n_lost - lost,
		i.tcpi_total_retrans, script.n_marked, i.tcpi_rtt);
	if (got < size || rate < at_least)
		panic("%s with %s: too slow", what, algorithm);
	file_put(a);
	file_put(b);
	sleep_ms(200000);
	return rate;
}

/* A path of the given rate and round trip, with a queue of `queue` bytes before the bottleneck. */
static void path(uint64_t rate, uint64_t rtt_ms, uint32_t queue, unsigned seed)
{
	link_start(1500);
	script.rate = rate;
	script.delay_ns = rtt_ms * NS_PER_MS / 2;
	script.queue = queue;
	script.seed = seed;
}

static const char *const algorithms[] = {"cubic", "reno"};

static void check_clean(void)
{
	for (unsigned i = 0; i < 2; i++) {
		path(100 * MBIT, 40, 500000, 1);
		(void)goodput("100 Mbit/s, 40 ms", algorithms[i], 60000000, 85 * MBIT);
		path(100 * MBIT, 40, 125000, 1);
		(void)goodput("the same, queue of a fourth", algorithms[i], 60000000, 55 * MBIT);
		path(10 * MBIT, 100, 0, 1);
		(void)goodput(
			"10 Mbit/s, 100 ms, endless queue", algorithms[i], 10000000, 8 * MBIT);
	}
	path(1000 * MBIT, 20, 2500000, 1);
	(void)goodput("1 Gbit/s, 20 ms", "cubic", 200000000, 700 * MBIT);
}

/* Reno: mss / rtt * 1.22 / sqrt(p) (RFC 3649 4); cubic on short paths does no worse. */
static void check_loss(void)
{
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned seed = 1; seed <= 3; seed++) {
			path(100 * MBIT, 40, 500000, seed);
			script.loss_ppm = 1000; /* 1448 / 0.04 * 1.22 / 0.0316 = 1.4 MB/s */
			(void)goodput(
				"100 Mbit/s, 40 ms, 0.1% lost", algorithms[i], 20000000, 9 * MBIT);
			script.loss_ppm = 10000; /* 440 KB/s */
			(void)goodput(
				"100 Mbit/s, 40 ms, 1% lost", algorithms[i], 6000000, 3 * MBIT);
		}
	}
}

/* Late segments are no lost ones, once that was seen (RFC 8985 6.2, RFC 3522). */
static void check_reordering(void)
{
	path(100 * MBIT, 40, 0, 1);
	script.reorder = 20;
	script.queue = 500000;
	(void)goodput("100 Mbit/s, 40 ms, 2% late", "cubic", 20000000, 30 * MBIT);
	path(100 * MBIT, 40, 500000, 1);
	script.duplicate = 50;
	(void)goodput("100 Mbit/s, 40 ms, 5% doubled", "cubic", 20000000, 70 * MBIT);
}

/* Marks instead of losses: the queue stays short, and nothing has to be sent twice (RFC 3168). */
static void check_marks(void)
{
	path(100 * MBIT, 40, 500000, 1);
	script.mark = 100000;
	(void)goodput("100 Mbit/s, 40 ms, marked", "cubic", 60000000, 70 * MBIT);
	assert(script.n_marked > 0 && script.n_lost == 0);
}

static void everything(void *arg)
{
	(void)arg;
	net_init();
	net_limits.tcp_buffer_max = 16 << 20;
	net_limits.tcp_memory_max = 256 << 20;
	check_clean();
	check_loss();
	check_reordering();
	check_marks();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	host_run(everything, NULL);
}
