/* UDP: RFC 768, RFC 1122 4.1. */
#include "kernel/net/udp.h"

#include "abi/linux/net_if.h"
#include "kernel/lib/string.h"
#include "kernel/net/checksum.h"
#include "kernel/net/dhcp.h"
#include "kernel/net/ip6.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"

#define PAYLOAD_MAX (65535u - 28u)
#define COPIES_MAX 16u /* sockets one broadcast reaches */

struct udp_header {
	uint16_t source, destination, len, checksum;
} packed;

static struct port_table udp_ports = {.listening_shares = true};

static void hold_user(struct port_user *u)
{
	socket_hold(&container_of(u, struct inet_socket, port)->socket);
}

static struct datagram_socket *owner_of(struct port_user *u)
{
	struct inet_socket *i = container_of(u, struct inet_socket, port);
	return datagram_of(&i->socket);
}

/* --- from the network --- */

/* Lengths and checksum; p's data become the payload. */
static bool parse(struct packet *p, const struct ip_info *ip, struct flow *f)
{
	const struct udp_header *h = (const struct udp_header *)packet_data(p);
	uint32_t available = packet_length(p);
	if (p->len < sizeof(*h))
		return false;
	uint32_t len = be16_to_cpu(h->len);
	if (len < sizeof(*h) || len > available)
		return false;
	if (len < available)
		packet_trim_back(p, len);
	/* RFC 8200 8.1: over IPv6 there must be one. */
	if (h->checksum == 0 && !(p->flags & PACKET_CHECKSUM_DONE) && !ip_is_v4(&ip->source))
		return false;
	if (h->checksum != 0 && !(p->flags & PACKET_CHECKSUM_DONE)) {
		uint64_t sum = checksum_pseudo(&ip->source, &ip->destination, IPPROTO_UDP, len);
		if (checksum_final(sum + (uint64_t)checksum_fold(checksum_packet(p, 0))) != 0)
			return false;
	}
	f->local = ip->destination;
	f->remote = ip->source;
	f->local_port = be16_to_cpu(h->destination);
	f->remote_port = be16_to_cpu(h->source);
	packet_pull(p, sizeof(*h));
	return true;
}

/* A copy with its headers, for one more receiver. */
static struct packet *copy_whole(const struct packet *p)
{
	uint32_t header_len = p->start - p->network;
	uint32_t len = packet_length(p);
	struct packet *copy = packet_alloc(header_len + len);
	if (!copy)
		return NULL;
	memcpy(packet_data(copy), p->buffer + p->network, header_len);
	packet_read(p, 0, packet_data(copy) + header_len, len);
	copy->len = header_len + len;
	copy->netif = p->netif;
	copy->network = copy->start;
	copy->transport = copy->start + (p->transport - p->network);
	packet_pull(copy, header_len);
	return copy;
}

static void deliver_to_all(struct packet *p, const struct flow *f)
{
	struct port_user *users[COPIES_MAX];
	unsigned n = port_find_all(&udp_ports, f, p->netif->index, users, COPIES_MAX);
	for (unsigned i = 0; i < n; i++) {
		struct datagram_socket *d = owner_of(users[i]);
		if (!ip_is_multicast(&f->local) || inet_in_group(&d->inet, &f->local)) {
			struct packet *copy = copy_whole(p);
			if (copy)
				(void)datagram_deliver(d, copy);
		}
		socket_put(&d->inet.socket);
	}
	packet_free(p);
}

void udp_input(struct packet *p, const struct ip_info *ip)
{
	struct flow f;
	if (!parse(p, ip, &f)) {
		count_one(udp_errors);
		goto drop;
	}
	if (unlikely(f.local_port == DHCP_CLIENT_PORT && netif_interface(p->netif)->dhcp) &&
		p->n_fragments == 0)
		dhcp_input(p->netif, packet_data(p), p->len);
	if (unlikely(ip->flags & IP_FOR_DHCP))
		goto drop;
	if (unlikely(ip->flags & IP_NOT_UNICAST)) {
		deliver_to_all(p, &f);
		return;
	}
	struct port_user *u = port_find(&udp_ports, &f, p->netif->index, flow_hash(&f));
	if (u) {
		(void)datagram_deliver(owner_of(u), p);
		socket_put(&owner_of(u)->inet.socket);
		return;
	}
	count_one(udp_no_port);
	icmp_send_error(p, ip, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE);
drop:
	packet_free(p);
}

void udp_error(const struct ip_error *e)
{
	struct port_user *u = port_find(&udp_ports, &e->flow, 0, flow_hash(&e->flow));
	if (!u)
		return;
	datagram_report(owner_of(u), e);
	socket_put(&owner_of(u)->inet.socket);
}

/* --- to the network --- */

static void put_header(
	struct packet *p, const struct datagram_target *t, uint16_t source_port, bool no_check)
{
	struct udp_header *h = (struct udp_header *)packet_push(p, sizeof(*h));
	uint32_t len = packet_length(p);
	h->source = cpu_to_be16(source_port);
	h->destination = cpu_to_be16(t->port);
	h->len = cpu_to_be16((uint16_t)len);
	h->checksum = 0;
	if (no_check && ip_is_v4(&t->to))
		return;
	uint64_t sum = checksum_pseudo(&t->from, &t->to, IPPROTO_UDP, len);
	if (t->route.netif->flags & NETIF_CHECKSUM_TX) {
		h->checksum = checksum_fold(sum);
		p->flags |= PACKET_CHECKSUM_PARTIAL;
		p->checksum_start = 0;
		p->checksum_offset = offsetof(struct udp_header, checksum);
		return;
	}
	uint16_t result = checksum_final(sum + (uint64_t)checksum_fold(checksum_packet(p, 0)));
	h->checksum = result ? result : 0xffff; /* 0 says there is none */
}

/* What the receiver of a looped back datagram reads of it.  How long it is. */
static uint32_t push_header(struct packet *p, const struct datagram_target *t)
{
	uint32_t len = p->len;
	if (!ip_is_v4(&t->to)) {
		struct ip_send s = {t->from, t->to, IPPROTO_UDP, t->ttl, t->tos, false};
		ip6_header_write(
			(struct ip6_header *)packet_push(p, sizeof(struct ip6_header)), &s, len);
		return sizeof(struct ip6_header);
	}
	struct ip4_header *h = (struct ip4_header *)packet_push(p, sizeof(*h));
	*h = (struct ip4_header){.version_len = 0x45,
		.tos = t->tos,
		.ttl = t->ttl,
		.protocol = IPPROTO_UDP,
		.total_len = cpu_to_be16((uint16_t)p->len),
		.source = ip_v4(&t->from),
		.destination = ip_v4(&t->to)};
	return sizeof(*h);
}

/* A multicast of ours also comes back to members on this machine (IP_MULTICAST_LOOP). */
static void loop_back(
	struct datagram_socket *d, const struct packet *p, const struct datagram_target *t)
{
	bool wanted = ip_is_v4(&t->to) ? d->inet.ip_options & INET_MULTICAST_LOOP
				       : d->inet.v6.flags & INET6_MULTICAST_LOOP;
	if (t->route.kind != ROUTE_BROADCAST && (t->route.kind != ROUTE_MULTICAST || !wanted))
		return;
	struct packet *copy = packet_copy(p, 0, packet_length(p));
	if (!copy)
		return;
	uint32_t header_len = push_header(copy, t);
	copy->netif = t->route.netif;
	copy->network = copy->start;
	copy->transport = copy->start + header_len;
	packet_pull(copy, header_len + (uint32_t)sizeof(struct udp_header));
	struct flow f = {.local = t->to,
		.remote = t->from,
		.local_port = t->port,
		.remote_port = d->inet.flow.local_port};
	deliver_to_all(copy, &f);
}

static int transmit(struct datagram_socket *d, struct packet *p, const struct datagram_target *t)
{
	struct inet_socket *i = &d->inet;
	put_header(p, t, i->flow.local_port, socket_option(&i->socket, OPTION_NO_CHECK));
	loop_back(d, p, t);
	bool fits = packet_length(p) + sizeof(struct ip4_header) <= t->route.mtu;
	bool v4 = ip_is_v4(&t->to);
	uint8_t discover = v4 ? i->mtu_discover : i->v6.mtu_discover;
	bool never = discover == IP_PMTUDISC_DO || discover == IP_PMTUDISC_PROBE ||
		     (!v4 && i->v6.flags & INET6_DONTFRAG);
	struct ip_send s = {
		.from = t->from,
		.to = t->to,
		.protocol = IPPROTO_UDP,
		.ttl = t->ttl,
		.tos = t->tos,
		.dont_fragment = never || (fits && v4 && discover == IP_PMTUDISC_WANT),
	};
	int err = ip_output(p, &t->route, &s);
	/* What the device dropped is a lost datagram, unless the program wants to know (ip(7)). */
	return err == -ENOBUFS && !(i->ip_options & INET_RECVERR) ? 0 : err;
}

static long udp_send(struct socket *s, struct socket_message *m)
{
	struct datagram_socket *d = datagram_of(s);
	size_t len = m->data->left;
	if (len > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (m->flags & (MSG_OOB | MSG_MORE))
		return -EOPNOTSUPP;
	int err = socket_take_error(s);
	if (err < 0)
		return err;
	if (s->shutdown & SHUTDOWN_SEND)
		return -EPIPE;
	struct datagram_target t;
	err = datagram_target(d, m, &t);
	if (err < 0)
		return err;
	struct packet *p = NULL;
	err = t.port == 0 ? -EINVAL : inet_autobind(&d->inet, &udp_ports);
	if (err == 0)
		err = packet_from_io(m->data, (uint32_t)len, &p);
	if (err == 0)
		err = transmit(d, p, &t);
	route_release(&t.route);
	if (err < 0)
		return err == -ENOMEM ? -ENOBUFS : err;
	return (long)len;
}

/* --- the socket --- */

static int udp_create(const struct protocol *protocol, int number, struct socket **out)
{
	struct socket *s = socket_alloc(protocol, number, sizeof(struct datagram_socket));
	if (!s)
		return -ENOMEM;
	datagram_init(datagram_of(s));
	inet_of(s)->port.hold = hold_user;
	*out = s;
	return 0;
}

static int udp_bind(struct socket *s, const struct socket_address *a)
{
	return inet_bind(inet_of(s), &udp_ports, a);
}

static int udp_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	(void)flags, (void)deadline_ns;
	return datagram_connect(datagram_of(s), &udp_ports, a);
}

static int udp_ioctl(struct socket *s, unsigned request, int *value)
{
	struct datagram_socket *d = datagram_of(s);
	if (request == SIOCOUTQ) {
		*value = 0;
		return 0;
	}
	if (request != FIONREAD)
		return -ENOTTY;
	irq_state irq = spin_lock(&s->lock);
	*value = list_empty(&d->received)
			 ? 0
			 : (int)packet_length(list_first(&d->received, struct packet, link));
	spin_unlock(&s->lock, irq);
	return 0;
}

static int udp_set_option(struct socket *s, int level, int name, const void *value, size_t len)
{
	return inet_set_option(inet_of(s), level, name, value, len);
}

static int udp_get_option(struct socket *s, int level, int name, void *value, size_t size)
{
	return inet_get_option(inet_of(s), level, name, value, size);
}

static void udp_option_changed(struct socket *s, int name)
{
	struct inet_socket *i = inet_of(s);
	if (name == SO_REUSEADDR || name == SO_REUSEPORT)
		port_change(&udp_ports, &i->port, &i->port.ip, i->port.peer, inet_port_flags(s));
}

static void udp_close(struct socket *s, bool nonblocking)
{
	(void)nonblocking;
	port_release(&udp_ports, &inet_of(s)->port);
}

static void udp_destroy(struct socket *s)
{
	datagram_purge(datagram_of(s));
}

/* The same for both families. */
#define UDP_PROTOCOL(of_family)                                                                    \
	{                                                                                          \
		.family = of_family, .type = SOCK_DGRAM, .number = IPPROTO_UDP,                    \
		.create = udp_create, .bind = udp_bind, .connect = udp_connect, .name = inet_name, \
		.peer = datagram_peer, .shutdown = datagram_shutdown,                              \
		.set_option = udp_set_option, .get_option = udp_get_option,                        \
		.option_changed = udp_option_changed, .send = udp_send,                            \
		.receive = datagram_receive, .poll = datagram_poll, .ioctl = udp_ioctl,            \
		.close = udp_close, .destroy = udp_destroy,                                        \
	}

const struct protocol udp_protocol = UDP_PROTOCOL(AF_INET);
const struct protocol udp6_protocol = UDP_PROTOCOL(AF_INET6);

/* For /proc/net/udp. */
void udp_each(void (*each)(void *arg, struct port_user *u, uint16_t number), void *arg)
{
	port_each(&udp_ports, each, arg);
}
