/* The text of /proc/net/snmp and /proc/net/netstat: a line of names, a line of values; only what is counted here. */
#include "kernel/dev/netif.h"
#include "kernel/lib/format.h"

#include "kernel/net/demux.h"
#include "kernel/net/ip.h"
#include "kernel/net/net.h"

static unsigned long read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void net_show_snmp(struct text *t)
{
	const struct net_statistics *s = &net_statistics;
	unsigned counts[3];
	demux_count(counts);
	text_add(t, "Ip: Forwarding DefaultTTL InHdrErrors\nIp: 2 64 %lu\n", read(&s->ip_bad));
	text_add(t,
		"Tcp: RtoAlgorithm ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab "
		"RetransSegs InErrs OutRsts\nTcp: 1 %lu %lu %lu %lu %u %lu %lu %lu\n",
		read(&s->tcp_active_opens), read(&s->tcp_passive_opens), read(&s->tcp_failed),
		read(&s->tcp_resets), counts[DEMUX_CONNECTION], read(&s->tcp_retransmitted),
		read(&s->tcp_bad), read(&s->tcp_resets_sent));
	text_add(t, "Udp: NoPorts InErrors RcvbufErrors\nUdp: %lu %lu %lu\n", read(&s->udp_no_port),
		read(&s->udp_errors), read(&s->udp_overflow));
}

void net_show_netstat(struct text *t)
{
	const struct net_statistics *s = &net_statistics;
	uint64_t in = 0, out = 0;
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++) {
		in += n->rx_bytes;
		out += n->tx_bytes;
	}
	text_add(t, "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: %lu %lu\n",
		read(&s->tcp_cookies_sent), read(&s->tcp_listen_overflows));
	text_add(t, "IpExt: InOctets OutOctets\nIpExt: %lu %lu\n", (unsigned long)in,
		(unsigned long)out);
}
