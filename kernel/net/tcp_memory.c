/*
 * What all connections together may hold in their queues.  Each has a small share of its own, so that requests and
 * answers never touch the common count; more is reserved in steps.  Under pressure nobody gets beyond the share:
 * however many peers send or stop reading, the program keeps its memory.
 */
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define STEP 32768u

static _Atomic uint64_t reserved;

bool tcp_memory_short(void)
{
	uint64_t limit = net_limits.tcp_memory_max;
	return atomic_load_explicit(&reserved, memory_order_relaxed) > limit - limit / 4;
}

bool tcp_memory_reserve(struct tcp_connection *c, uint32_t extra)
{
	uint32_t need = c->receive_charge + c->send_charge + extra;
	if (likely(need <= TCP_MEMORY_SHARE + c->memory_reserved))
		return true;
	uint32_t n = align_up(need - TCP_MEMORY_SHARE - c->memory_reserved, STEP);
	uint64_t before = atomic_fetch_add_explicit(&reserved, n, memory_order_relaxed);
	if (before + n > net_limits.tcp_memory_max) {
		atomic_fetch_sub_explicit(&reserved, n, memory_order_relaxed);
		return false;
	}
	c->memory_reserved += n;
	return true;
}

void tcp_memory_return(struct tcp_connection *c)
{
	uint32_t need = c->receive_charge + c->send_charge;
	uint32_t keep = need > TCP_MEMORY_SHARE ? align_up(need - TCP_MEMORY_SHARE, STEP) : 0;
	/* A step more stays while it is in use: it would be asked for again at once. */
	if (c->memory_reserved <= keep + (need ? STEP : 0))
		return;
	atomic_fetch_sub_explicit(&reserved, c->memory_reserved - keep, memory_order_relaxed);
	c->memory_reserved = keep;
}
