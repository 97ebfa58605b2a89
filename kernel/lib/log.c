/*
 * The message ring and the way to the console.  No locks, since every context logs: a writer reserves
 * room in the ring by moving its end, copies, and posts a record of it for the console.  Whoever
 * finds the console free prints all posted records in order; others leave theirs to that one.
 */
#include "kernel/lib/log.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define RING_SIZE 65536u /* a power of two */
#define LINE_MAX 512u
#define N_RECORDS 256u /* waiting for the console; a power of two */

static const char prefix[] = "mote: ";

/* Text in the ring that the console shall show. */
struct record {
	_Atomic uint64_t posted; /* its number + 1 once the rest is valid */
	uint64_t start;
	uint32_t len;
	bool prefixed;
};

static char ring[RING_SIZE];
static _Atomic uint64_t ring_end; /* bytes ever reserved */
static struct record records[N_RECORDS];
static _Atomic uint64_t n_reserved; /* records ever */
static _Atomic uint64_t n_printed;  /* moved by who holds the console */
static atomic_bool console_held;
static _Atomic(log_sink) sink;
static atomic_uint console_level = LOG_INFO;
static uint64_t (*_Atomic clock)(void);

static uint64_t ring_put(const char *text, size_t len)
{
	uint64_t start = atomic_fetch_add(&ring_end, len);
	size_t at = start % RING_SIZE, first = min(len, RING_SIZE - at);
	memcpy(ring + at, text, first);
	memcpy(ring, text + first, len - first);
	return start;
}

static void print_record(log_sink to, const struct record *r)
{
	/* Overtaken by more than a ring of newer text: what is there now is somebody else's. */
	if (atomic_load(&ring_end) - r->start > RING_SIZE)
		return;
	if (r->prefixed)
		to(prefix, sizeof(prefix) - 1);
	size_t at = r->start % RING_SIZE, first = min(r->len, RING_SIZE - at);
	to(ring + at, first);
	if (first < r->len)
		to(ring, r->len - first);
}

/* Records that were not printed before their place was needed again are lost to the console. */
static void print_posted(log_sink to)
{
	for (;;) {
		uint64_t number = atomic_load(&n_printed);
		uint64_t reserved = atomic_load(&n_reserved);
		if (reserved - number > N_RECORDS) {
			number = reserved - N_RECORDS;
			atomic_store(&n_printed, number);
		}
		struct record *slot = &records[number % N_RECORDS];
		if (number == reserved || atomic_load(&slot->posted) != number + 1)
			return;
		struct record copy = {
			.start = slot->start, .len = slot->len, .prefixed = slot->prefixed};
		if (atomic_load(&slot->posted) == number + 1)
			print_record(to, &copy);
		atomic_store(&n_printed, number + 1);
	}
}

static bool is_posted(void)
{
	uint64_t number = atomic_load(&n_printed);
	return atomic_load(&records[number % N_RECORDS].posted) == number + 1;
}

static void drain(void)
{
	log_sink to = atomic_load(&sink);
	if (to == NULL)
		return;
	/* Again, when somebody posted after our last look and found the console held. */
	while (is_posted()) {
		if (atomic_exchange(&console_held, true))
			return;
		print_posted(to);
		atomic_store(&console_held, false);
	}
}

static void post(uint64_t start, size_t len, bool prefixed)
{
	uint64_t number = atomic_fetch_add(&n_reserved, 1);
	struct record *r = &records[number % N_RECORDS];
	atomic_store(&r->posted, 0);
	r->start = start;
	r->len = (uint32_t)len;
	r->prefixed = prefixed;
	atomic_store(&r->posted, number + 1);
	drain();
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char buf[LINE_MAX];
	struct text line;
	text_init(&line, buf, sizeof(buf));
	uint64_t (*now)(void) = atomic_load(&clock);
	uint64_t us = now == NULL ? 0 : now() / NS_PER_US;
	text_add(&line, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000));
	va_list args;
	va_start(args, fmt);
	size_t room = sizeof(buf) - line.len;
	size_t len = (size_t)format_v(buf + line.len, room, fmt, args);
	va_end(args);
	len = line.len + min(len, room - 1);
	buf[len++] = '\n'; /* in the place of the NUL */
	uint64_t start = ring_put(buf, len);
	if (level >= atomic_load(&console_level))
		post(start, len, true);
}

void log_text(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = min(len, (size_t)RING_SIZE / 4);
		post(ring_put(text, n), n, false);
		text += n;
		len -= n;
	}
}

void log_break_console(void)
{
	atomic_store(&console_held, false);
	drain();
}

void log_set_sink(log_sink new_sink)
{
	atomic_store(&sink, new_sink);
	drain();
}

void log_set_console_level(enum log_level level)
{
	atomic_store(&console_level, level);
}

void log_set_clock(uint64_t (*now_ns)(void))
{
	atomic_store(&clock, now_ns);
}

size_t log_tail(char *buf, size_t size)
{
	uint64_t end = atomic_load(&ring_end);
	size_t kept = min((size_t)end, (size_t)RING_SIZE);
	size_t n = min(size, kept);
	for (size_t i = 0; i < n; i++)
		buf[i] = ring[(end - n + i) % RING_SIZE];
	return n;
}
