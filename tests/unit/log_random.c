/* The log's ring and its way to the console; the generator against RFC 8439's vector. */
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"

static char console[1 << 20];
static size_t console_len;
static const char *log_inside; /* the sink logs this itself, as an interrupt handler might */

static void sink(const char *text, size_t len)
{
	assert(console_len + len < sizeof(console));
	memcpy(console + console_len, text, len);
	console_len += len;
	if (log_inside != NULL) {
		const char *line = log_inside;
		log_inside = NULL;
		log_info("%s", line);
	}
}

static uint64_t now(void)
{
	return 12 * NS_PER_S + 345678901;
}

static void check_log(void)
{
	log_info("early");
	log_set_clock(now);
	log_set_sink(sink);
	log_debug("hidden");
	log_inside = "nested";
	log_warn("n=%d", 5);
	log_text("raw\n", 4);
	console[console_len] = 0;
	assert(strcmp(console, "mote: [    0.000000] early\n"
			       "mote: [   12.345678] n=5\n"
			       "mote: [   12.345678] nested\n"
			       "raw\n") == 0);
	char tail[64];
	size_t n = log_tail(tail, 30);
	assert(n == 30 && memcmp(tail + 30 - 8, "ted\nraw\n", 8) == 0);
	console_len = 0;
	log_set_console_level(LOG_WARN);
	log_info("quiet");
	assert(console_len == 0);
	/* Long lines are cut; many lines go round the ring. */
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 500; i++)
		log_error("%s", text);
	assert(console_len == 500 * (512 + 6) && console[console_len - 1] == '\n');
	static char all[70000];
	assert(log_tail(all, sizeof(all)) == 65536 && all[65535] == '\n');
	/* A panic with the console held. */
	console_len = 0;
	log_break_console();
	assert(console_len == 0);
}

static void check_chacha20(void)
{
	/* RFC 8439 2.3.2: key 00..1f, nonce 00:00:00:09:00:00:00:4a:00:00:00:00, counter 1. */
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
		0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c, 1,
		0x09000000, 0x4a000000, 0};
	static const uint32_t expected[16] = {0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
		0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214,
		0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
	uint32_t out[16];
	random_chacha20_block(out, in);
	assert(memcmp(out, expected, sizeof(out)) == 0);
}

static void check_random(void)
{
	uint8_t a[200], b[200], zero[200] = {0};
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert(memcmp(a, b, sizeof(a)) != 0 && memcmp(a, zero, sizeof(a)) != 0);
	random_mix("seed", 4);
	assert(random_u64() != random_u64());
	memset(a, 0, sizeof(a));
	random_bytes(a, 3);
	assert(memcmp(a + 3, zero, sizeof(a) - 3) == 0);
	/* Bits are about even. */
	long ones = 0;
	for (int i = 0; i < 1000; i++)
		ones += __builtin_popcountll(random_u64());
	assert(ones > 31000 && ones < 33000);
}

int main(void)
{
	check_log();
	check_chacha20();
	check_random();
	return 0;
}
