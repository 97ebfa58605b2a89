/* The text of /proc/net: tcp, tcp6, udp, udp6, unix, route, dev, if_inet6, sockstat. */
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "abi/linux/netlink.h"
#include "kernel/net/address6.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"
#include "kernel/net/udp.h"
#include "kernel/net/unix.h"

void udp_each(void (*each)(void *arg, struct port_user *u, uint16_t number), void *arg);

struct lines {
	struct text *text;
	int family;
	unsigned n;
};

static void show_end(struct lines *l, const struct ip_addr *ip, uint16_t port)
{
	if (l->family == AF_INET6)
		text_add(l->text, "%08X%08X%08X", ip->words[0], ip->words[1], ip->words[2]);
	text_add(l->text, "%08X:%04X ", ip->words[3], port);
}

static void show_line(struct lines *l, const struct flow *f, unsigned state, uint32_t tx,
	uint32_t rx, uint64_t inode)
{
	/* The other end of a socket without one is the wildcard of its family. */
	struct ip_addr remote = f->remote;
	if (ip_is_any(&remote))
		remote.words[2] = 0;
	text_add(l->text, "%4u: ", l->n++);
	show_end(l, &f->local, f->local_port);
	show_end(l, &remote, f->remote_port);
	text_add(l->text,
		"%02X %08X:%08X 00:00000000 00000000     0        0 %llu 1 0000000000000000 100 0 "
		"0 10 0\n",
		state, tx, rx, (unsigned long long)inode);
}

#define SOCKET_INODE(s) ((s)->cookie + 1000)

static void show_listener(void *arg, struct port_user *u, uint16_t number)
{
	(void)number;
	if (!(u->flags & PORT_LISTENING))
		return;
	struct lines *l = arg;
	struct inet_socket *i = container_of(u, struct inet_socket, port);
	if (i->socket.family != l->family)
		return;
	struct tcp_connection *c = tcp_of(&i->socket);
	show_line(arg, &i->flow, TCP_LISTEN, 0, c->listener ? c->listener->n_ready : 0,
		SOCKET_INODE(&i->socket));
}

static void show_conversation(void *arg, struct demux_entry *e)
{
	struct lines *l = arg;
	if (e->kind == DEMUX_CONNECTION) {
		const struct tcp_connection *c = container_of(e, struct tcp_connection, demux);
		if (c->inet.socket.family == l->family)
			show_line(arg, &e->flow, c->state, c->write_seq - c->snd_una,
				tcp_readable(c), c->orphan ? 0 : SOCKET_INODE(&c->inet.socket));
	} else if (l->family == AF_INET) { /* what has no socket does not tell its family */
		show_line(arg, &e->flow,
			e->kind == DEMUX_REQUEST ? TCP_SYN_RECV
						 : tcp_time_wait_state(tcp_time_wait_of(e)),
			0, 0, 0);
	}
}

#define HEADING6                                                                                   \
	"  sl  local_address                         remote_address                        st "    \
	"tx_queue rx_queue tr "                                                                    \
	"tm->when retrnsmt   uid  timeout inode"

static void show_tcp(struct text *t, int family)
{
	struct lines l = {t, family, 0};
	text_add(t, "%s\n",
		family == AF_INET6 ? HEADING6
				   : "  sl  local_address rem_address   st tx_queue rx_queue tr "
				     "tm->when retrnsmt   uid  timeout inode");
	port_each(&tcp_ports, show_listener, &l);
	demux_each(show_conversation, &l);
}

void net_show_tcp(struct text *t)
{
	show_tcp(t, AF_INET);
}

void net_show_tcp6(struct text *t)
{
	show_tcp(t, AF_INET6);
}

static void show_datagram_socket(void *arg, struct port_user *u, uint16_t number)
{
	(void)number;
	struct lines *l = arg;
	struct inet_socket *i = container_of(u, struct inet_socket, port);
	if (i->socket.family != l->family)
		return;
	bool connected = !ip_is_any(&i->flow.remote);
	show_line(arg, &i->flow, connected ? TCP_ESTABLISHED : TCP_CLOSE, 0,
		datagram_of(&i->socket)->charge, SOCKET_INODE(&i->socket));
}

static void show_udp(struct text *t, int family)
{
	struct lines l = {t, family, 0};
	text_add(t, "%s ref pointer drops\n",
		family == AF_INET6 ? HEADING6
				   : "  sl  local_address rem_address   st tx_queue rx_queue "
				     "tr tm->when retrnsmt   uid  timeout inode");
	udp_each(show_datagram_socket, &l);
}

void net_show_udp(struct text *t)
{
	show_udp(t, AF_INET);
}

void net_show_udp6(struct text *t)
{
	show_udp(t, AF_INET6);
}

/* A name as it is in /proc: NULs of an abstract one show as '@'. */
static void show_unix_socket(void *arg, struct unix_socket *u)
{
	static const uint8_t states[] = {1, 2, 3, 1}; /* SS_UNCONNECTED and so on */
	char path[UNIX_PATH_MAX + 2] = "";
	if (u->name) {
		uint32_t len = u->name->path[0] ? u->name->len - 1 : u->name->len;
		path[0] = ' ';
		for (uint32_t i = 0; i < len; i++)
			path[i + 1] = u->name->path[i] ? u->name->path[i] : '@';
	}
	text_add(arg, "0000000000000000: %08X 00000000 %08X %04X %02X %5llu%s\n",
		u->socket.references, u->state == UNIX_LISTENING ? 0x10000 : 0, u->socket.type,
		states[u->state], (unsigned long long)SOCKET_INODE(&u->socket), path);
}

void net_show_unix(struct text *t)
{
	text_add(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	unix_each(show_unix_socket, t);
}

void net_show_route(struct text *t)
{
	struct route_entry r;
	text_add(t, "Iface\tDestination\tGateway "
		    "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
	for (unsigned i = 0; route_at(i, &r); i++)
		text_add(t, "%s\t%08X\t%08X\t%04X\t0\t0\t0\t%08X\t0\t0\t0\n", r.netif->name,
			r.destination, r.gateway, r.gateway ? 3 : 1, r.mask);
}

void net_show_dev(struct text *t)
{
	struct netif *n;
	text_add(t, "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs drop fifo "
		    "colls carrier compressed\n");
	for (unsigned i = 0; (n = netif_at(i)); i++)
		text_add(t,
			"%6s: %7llu %7llu    0 %4llu    0     0          0         0 %8llu %7llu   "
			" 0 %4llu    0     0       0          0\n",
			n->name, (unsigned long long)n->rx_bytes, (unsigned long long)n->rx_packets,
			(unsigned long long)n->rx_dropped, (unsigned long long)n->tx_bytes,
			(unsigned long long)n->tx_packets, (unsigned long long)n->tx_dropped);
}

static void show_words(struct text *t, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < 4; i++)
		text_add(t, "%08x", be32_to_cpu(ip->words[i]));
}

/* Address, index, prefix, scope (ipv6 address types of Linux), flags (IFA_F_), name. */
void net_show_if_inet6(struct text *t)
{
	struct address6 a;
	for (unsigned i = 0; address6_at(i, &a); i++) {
		if (!a.netif)
			continue;
		unsigned scope = ip6_is_loopback(&a.ip)     ? 0x10
				 : ip6_is_link_local(&a.ip) ? 0x20
							    : 0;
		unsigned flags = (a.flags & ADDRESS6_AUTOMATIC ? 0 : IFA_F_PERMANENT) |
				 (a.flags & ADDRESS6_TENTATIVE ? IFA_F_TENTATIVE : 0);
		show_words(t, &a.ip);
		text_add(t, " %02x %02x %02x %02x %8s\n", a.netif->index, a.prefix_len, scope,
			flags, a.netif->name);
	}
}

void net_show_ipv6_route(struct text *t)
{
	struct route6_entry r;
	static const struct ip_addr any;
	for (unsigned i = 0; route6_at(i, &r); i++) {
		if (!r.netif)
			continue;
		bool gateway = !ip6_is_any(&r.gateway);
		show_words(t, &r.destination);
		text_add(t, " %02x ", r.prefix_len);
		show_words(t, &any);
		text_add(t, " 00 ");
		show_words(t, &r.gateway);
		text_add(t, " 00000100 00000001 00000000 %08x %8s\n", gateway ? 3 : 1,
			r.netif->name);
	}
}

static void count_user(void *arg, struct port_user *u, uint16_t number)
{
	(void)u, (void)number;
	++*(unsigned *)arg;
}

void net_show_sockstat(struct text *t)
{
	unsigned counts[3], udp = 0;
	demux_count(counts);
	udp_each(count_user, &udp);
	text_add(t, "sockets: used %u\n", counts[DEMUX_CONNECTION] + udp);
	text_add(t, "TCP: inuse %u orphan 0 tw %u alloc %u mem 0\n", counts[DEMUX_CONNECTION],
		counts[DEMUX_TIME_WAIT], counts[DEMUX_CONNECTION]);
	text_add(t, "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
		udp);
}
