/*
 * The machine's end: what the program wrote before it ended still goes out.  On Linux the kernel lives on and sends it;
 * here the machine waits while its peers acknowledge, and no longer.
 */
#include "kernel/arch/timer.h"
#include "kernel/net/socket.h"
#include "kernel/net/tcp.h"
#include "kernel/net/tcp_connection.h"

#define LOOK_NS (2 * NS_PER_MS)
#define NO_PROGRESS_NS NS_PER_S /* a peer that takes nothing, or is gone */
#define PATIENCE_NS (10 * NS_PER_S)

struct unsent {
	unsigned n;
	uint32_t acknowledged; /* changes with every progress */
};

/* Looked at without the connection's lock: a guess that is wrong once is right the next time. */
static void count_unsent(void *arg, struct demux_entry *e)
{
	struct unsent *u = arg;
	if (e->kind != DEMUX_CONNECTION)
		return;
	const struct tcp_connection *c = container_of(e, struct tcp_connection, demux);
	bool fin_out =
		c->state == TCP_FIN_WAIT1 || c->state == TCP_CLOSING || c->state == TCP_LAST_ACK;
	u->n += fin_out || c->write_seq != c->snd_una;
	u->acknowledged += c->snd_una;
}

static struct unsent look(void)
{
	struct unsent u = {0, 0};
	demux_each(count_unsent, &u);
	return u;
}

void net_finish(void)
{
	struct unsent u = look();
	uint64_t now_ns = clock_monotonic_ns(), give_up_ns = now_ns + PATIENCE_NS,
		 stuck_ns = now_ns + NO_PROGRESS_NS;
	while (u.n > 0 && now_ns < min(give_up_ns, stuck_ns)) {
		thread_block(now_ns + LOOK_NS);
		struct unsent next = look();
		now_ns = clock_monotonic_ns();
		if (next.n != u.n || next.acknowledged != u.acknowledged)
			stuck_ns = now_ns + NO_PROGRESS_NS;
		u = next;
	}
}
