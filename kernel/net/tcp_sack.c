/*
 * The SACK option we send (RFC 2018): what arrived out of order, the latest first, and once what arrived twice
 * (RFC 2883).
 */
#include "kernel/lib/string.h"
#include "kernel/net/tcp_internal.h"

#define OPTION_HEADER 0x01010500u /* two NOPs, kind 5; the length is added */

static bool touch(const struct tcp_block *a, const struct tcp_block *b)
{
	return !seq_before(a->end, b->start) && !seq_before(b->end, a->start);
}

static void remove(struct tcp_connection *c, unsigned at)
{
	c->n_sacks--;
	memmove(&c->sacks[at], &c->sacks[at + 1], (c->n_sacks - at) * sizeof(c->sacks[0]));
}

void tcp_sack_note(struct tcp_connection *c, uint32_t start, uint32_t end)
{
	struct tcp_block b = {start, end};
	if (!c->sack_ok)
		return;
	for (unsigned i = 0; i < c->n_sacks;) {
		if (!touch(&c->sacks[i], &b)) {
			i++;
			continue;
		}
		b.start = seq_before(c->sacks[i].start, b.start) ? c->sacks[i].start : b.start;
		b.end = seq_after(c->sacks[i].end, b.end) ? c->sacks[i].end : b.end;
		remove(c, i);
		i = 0;
	}
	if (c->n_sacks == TCP_SACK_BLOCKS)
		c->n_sacks--;
	memmove(&c->sacks[1], &c->sacks[0], c->n_sacks * sizeof(c->sacks[0]));
	c->sacks[0] = b;
	c->n_sacks++;
}

void tcp_sack_note_duplicate(struct tcp_connection *c, uint32_t start, uint32_t end)
{
	if (!c->sack_ok || !seq_before(start, end))
		return;
	c->duplicate = (struct tcp_block){start, end};
}

void tcp_sack_advance(struct tcp_connection *c)
{
	for (unsigned i = 0; i < c->n_sacks;) {
		if (seq_after(c->sacks[i].start, c->rcv_nxt))
			i++;
		else
			remove(c, i);
	}
}

void tcp_sack_forget(struct tcp_connection *c)
{
	c->n_sacks = 0;
	c->duplicate = (struct tcp_block){0, 0};
}

static unsigned count(const struct tcp_connection *c)
{
	unsigned n = c->n_sacks + (c->duplicate.start != c->duplicate.end);
	return min(n, c->timestamps_ok ? 3u : 4u);
}

uint32_t tcp_sack_space(const struct tcp_connection *c)
{
	unsigned n = count(c);
	return n ? 4 + 8 * n : 0;
}

static uint8_t *put(uint8_t *option, const struct tcp_block *b)
{
	store_be32(option, b->start);
	store_be32(option + 4, b->end);
	return option + 8;
}

void tcp_sack_write(struct tcp_connection *c, uint8_t *option)
{
	unsigned n = count(c);
	store_be32(option, OPTION_HEADER + 2 + 8 * n);
	option += 4;
	if (c->duplicate.start != c->duplicate.end) {
		option = put(option, &c->duplicate);
		c->duplicate.end = c->duplicate.start;
		n--;
	}
	for (unsigned i = 0; i < n; i++)
		option = put(option, &c->sacks[i]);
}
