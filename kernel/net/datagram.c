/* What UDP and ping sockets share: a queue of received packets, a peer, errors told by ICMP. */
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/arp.h"
#include "kernel/net/ip6.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/udp.h"

#define ERRORS_MAX 16u

/* One entry of the error queue, ip(7) IP_RECVERR. */
struct datagram_error {
	struct list link;
	struct linux_sock_extended_err error;
	struct ip_addr offender, destination;
	uint16_t port;
};

void datagram_init(struct datagram_socket *d)
{
	inet_init_socket(&d->inet);
	list_init(&d->received);
	list_init(&d->errors);
	d->inet.mtu_discover = IP_PMTUDISC_WANT;
}

void datagram_purge(struct datagram_socket *d)
{
	struct list *item;
	while ((item = list_pop_front(&d->received)))
		packet_free(list_entry(item, struct packet, link));
	while ((item = list_pop_front(&d->errors)))
		heap_free(list_entry(item, struct datagram_error, link));
	route_release(&d->inet.route);
	inet_leave_groups(&d->inet);
}

bool datagram_deliver(struct datagram_socket *d, struct packet *p)
{
	struct socket *s = &d->inet.socket;
	uint32_t charge = packet_charge(p);
	if (socket_option(s, OPTION_TIMESTAMP | OPTION_TIMESTAMP_NS))
		p->owner[0] = clock_realtime_ns();
	irq_state irq = spin_lock(&s->lock);
	bool room = d->charge + charge <= s->receive_limit && !(s->shutdown & SHUTDOWN_RECEIVE);
	if (room) {
		d->charge += charge;
		list_push_back(&d->received, &p->link);
	} else {
		d->dropped++;
	}
	spin_unlock(&s->lock, irq);
	if (room) {
		wait_wake(&s->ready, EPOLLIN | EPOLLRDNORM);
	} else {
		count_one(udp_overflow);
		packet_free(p);
	}
	return room;
}

/* --- receiving --- */

/* What a received packet's IP header says. */
struct header_view {
	struct ip_addr from, to;
	uint8_t ttl, tos, protocol;
};

static void view_header(const struct packet *p, struct header_view *v)
{
	const uint8_t *at = p->buffer + p->network;
	if (at[0] >> 4 == 4) {
		const struct ip4_header *h = (const struct ip4_header *)at;
		*v = (struct header_view){ip_from_v4(h->source), ip_from_v4(h->destination), h->ttl,
			h->tos, h->protocol};
		return;
	}
	const struct ip6_header *h = (const struct ip6_header *)at;
	*v = (struct header_view){
		h->source, h->destination, h->hops, (uint8_t)(be32_to_cpu(h->flow) >> 20), h->next};
}

/* Control messages of level SOL_IPV6; those about addresses for IPv4 too. */
static void add_inet6_control(struct inet_socket *i, struct socket_message *m,
	const struct packet *p, const struct header_view *v)
{
	bool v4 = ip_is_v4(&v->to);
	int ttl = v->ttl, tos = v->tos;
	if (i->v6.flags & INET6_PKTINFO) {
		struct linux_in6_pktinfo info = {.ipi6_ifindex = (int32_t)p->netif->index};
		memcpy(info.ipi6_addr, v->to.bytes, sizeof(info.ipi6_addr));
		message_add_control(m, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (v4)
		return;
	if (i->v6.flags & INET6_RECVHOPLIMIT)
		message_add_control(m, SOL_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (i->v6.flags & INET6_RECVTCLASS)
		message_add_control(m, SOL_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

static void add_inet_control(
	struct inet_socket *i, struct socket_message *m, const struct packet *p)
{
	const struct ip4_header *h = (const struct ip4_header *)(p->buffer + p->network);
	struct header_view v;
	view_header(p, &v);
	if (i->socket.family == AF_INET6)
		add_inet6_control(i, m, p, &v);
	if (!ip_is_v4(&v.to))
		return;
	if (i->ip_options & INET_PKTINFO) {
		struct linux_in_pktinfo info = {
			.ipi_ifindex = (int32_t)p->netif->index,
			.ipi_addr = h->destination,
			.ipi_spec_dst = h->destination,
		};
		if (v4_is_multicast(h->destination) ||
			v4_is_broadcast(netif_interface(p->netif), h->destination))
			info.ipi_spec_dst = netif_interface(p->netif)->v4;
		message_add_control(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (i->ip_options & INET_RECVTTL) {
		int ttl = h->ttl;
		message_add_control(m, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	}
	if (i->ip_options & INET_RECVTOS)
		message_add_control(m, SOL_IP, IP_TOS, &h->tos, sizeof(h->tos));
	if (i->ip_options & INET_ORIGDSTADDR) {
		struct linux_sockaddr_in to = {.sin_family = AF_INET,
			.sin_addr = h->destination,
			.sin_port = cpu_to_be16(i->flow.local_port)};
		message_add_control(m, SOL_IP, IP_RECVORIGDSTADDR, &to, sizeof(to));
	}
}

static long copy_datagram(struct datagram_socket *d, struct socket_message *m, struct packet *p)
{
	struct socket *s = &d->inet.socket;
	uint32_t len = packet_length(p);
	uint32_t n = (uint32_t)min((size_t)len, m->data->left);
	int err = packet_to_io(p, 0, m->data, n);
	if (err < 0)
		return err;
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (m->address) {
		struct header_view v;
		view_header(p, &v);
		bool has_ports = s->number == IPPROTO_UDP || s->number == 0;
		uint16_t port = has_ports ? load_be16(p->buffer + p->transport) : 0;
		address_format(m->address, s->family, &v.from, port);
	}
	message_add_timestamp(s, m, p->owner[0]);
	add_inet_control(&d->inet, m, p);
	if (socket_option(s, OPTION_RX_OVERFLOW))
		message_add_control(m, SOL_SOCKET, SO_RXQ_OVFL, &d->dropped, sizeof(d->dropped));
	return m->flags & MSG_TRUNC ? len : n;
}

/* The first datagram, off the queue or (MSG_PEEK) a copy of it.  NULL: none. */
static struct packet *take_datagram(struct datagram_socket *d, bool peek)
{
	struct packet *p = NULL;
	irq_state irq = spin_lock(&d->inet.socket.lock);
	if (!list_empty(&d->received)) {
		p = list_first(&d->received, struct packet, link);
		if (!peek)
			d->charge -= packet_charge(p);
		list_remove(&p->link);
	}
	spin_unlock(&d->inet.socket.lock, irq);
	return p;
}

/* MSG_PEEK leaves it as the first. */
static void put_back(struct datagram_socket *d, struct packet *p)
{
	irq_state irq = spin_lock(&d->inet.socket.lock);
	list_push_front(&d->received, &p->link);
	spin_unlock(&d->inet.socket.lock, irq);
	wait_wake(&d->inet.socket.ready, EPOLLIN | EPOLLRDNORM);
}

static void add_error_control(
	struct inet_socket *i, struct socket_message *m, const struct datagram_error *e)
{
	struct {
		struct linux_sock_extended_err error;
		uint8_t offender[sizeof(struct linux_sockaddr_in6)];
	} content = {.error = e->error};
	struct socket_address offender;
	address_format(&offender, i->socket.family, &e->offender, 0);
	memcpy(content.offender, offender.bytes, offender.len);
	bool v6 = i->socket.family == AF_INET6;
	message_add_control(m, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &content,
		sizeof(content.error) + offender.len);
}

static long receive_error(struct datagram_socket *d, struct socket_message *m)
{
	irq_state irq = spin_lock(&d->inet.socket.lock);
	struct list *item = list_pop_front(&d->errors);
	d->n_errors -= item != NULL;
	spin_unlock(&d->inet.socket.lock, irq);
	if (!item)
		return -EAGAIN;
	struct datagram_error *e = list_entry(item, struct datagram_error, link);
	add_error_control(&d->inet, m, e);
	if (m->address)
		address_format(m->address, d->inet.socket.family, &e->destination, e->port);
	m->out_flags |= MSG_ERRQUEUE;
	heap_free(e);
	return 0; /* the payload that came back is not kept */
}

static bool receive_ready(struct datagram_socket *d)
{
	return !list_empty(&d->received) || d->inet.socket.error ||
	       d->inet.socket.shutdown & SHUTDOWN_RECEIVE;
}

long datagram_receive(struct socket *s, struct socket_message *m)
{
	struct datagram_socket *d = datagram_of(s);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->address)
		m->address->len = 0;
	if (m->flags & MSG_ERRQUEUE)
		return receive_error(d, m);
	bool peek = m->flags & MSG_PEEK;
	for (;;) {
		int err = socket_take_error(s);
		if (err < 0)
			return err;
		struct packet *p = take_datagram(d, peek);
		if (p) {
			long n = copy_datagram(d, m, p);
			if (peek)
				put_back(d, p);
			else
				packet_free(p);
			return n;
		}
		if (s->shutdown & SHUTDOWN_RECEIVE)
			return 0;
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		err = wait_event_interruptible(
			&s->ready, EPOLLIN | EPOLLERR, receive_ready(d), m->deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

/* --- sending --- */

static int read_pktinfo6(
	const uint8_t *data, size_t len, struct datagram_target *t, unsigned *netif_index)
{
	struct linux_in6_pktinfo info;
	struct ip_addr from;
	if (len < sizeof(info))
		return -EINVAL;
	memcpy(&info, data, sizeof(info));
	memcpy(from.bytes, info.ipi6_addr, sizeof(from.bytes));
	if (info.ipi6_ifindex)
		*netif_index = (unsigned)info.ipi6_ifindex;
	if (ip_is_any(&from))
		return 0;
	if (!address_is_local(&from) && !ip_is_multicast(&from))
		return -EINVAL;
	t->from = from;
	return 0;
}

/* IPV6_HOPLIMIT, IPV6_TCLASS: -1 is what it would be anyway. */
static int read_byte6(int type, const uint8_t *data, size_t len, struct datagram_target *t)
{
	int32_t x = 0;
	if (type != IPV6_HOPLIMIT && type != IPV6_TCLASS)
		return -EINVAL;
	if (len < sizeof(x))
		return -EINVAL;
	memcpy(&x, data, sizeof(x));
	if (x < -1 || x > 255)
		return -EINVAL;
	if (x >= 0 && type == IPV6_HOPLIMIT)
		t->hops = (int16_t)x;
	else if (x >= 0)
		t->tclass = (uint8_t)x;
	return 0;
}

/* IP_PKTINFO, IP_TTL, IP_TOS of one message. */
static int read_control(
	int family, struct socket_message *m, struct datagram_target *t, unsigned *netif_index)
{
	size_t at = 0;
	while (m->control && at + sizeof(struct linux_cmsghdr) <= m->control_len) {
		struct linux_cmsghdr h;
		memcpy(&h, m->control + at, sizeof(h));
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > m->control_len - at)
			return -EINVAL;
		const uint8_t *data = m->control + at + sizeof(h);
		size_t len = h.cmsg_len - sizeof(h);
		if (h.cmsg_level == SOL_IP && h.cmsg_type == IP_PKTINFO) {
			struct linux_in_pktinfo info;
			if (len != sizeof(info))
				return -EINVAL;
			memcpy(&info, data, sizeof(info));
			if (info.ipi_ifindex)
				*netif_index = (unsigned)info.ipi_ifindex;
			if (info.ipi_spec_dst)
				t->from = ip_from_v4(info.ipi_spec_dst);
		} else if (h.cmsg_level == SOL_IP &&
			   (h.cmsg_type == IP_TTL || h.cmsg_type == IP_TOS)) {
			uint8_t x = len > 0 ? data[0] : 0;
			if (h.cmsg_type == IP_TOS)
				t->tos = x;
			else if (x == 0)
				return -EINVAL;
			else
				t->ttl = x;
		} else if (h.cmsg_level == SOL_IP) {
			return -EINVAL;
		} else if (h.cmsg_level == SOL_IPV6 && h.cmsg_type == IPV6_PKTINFO &&
			   family == AF_INET6) {
			int err = read_pktinfo6(data, len, t, netif_index);
			if (err < 0)
				return err;
		} else if (h.cmsg_level == SOL_IPV6 && family == AF_INET6) {
			int err = read_byte6(h.cmsg_type, data, len, t);
			if (err < 0)
				return err;
		}
		at += CMSG_ALIGNED(h.cmsg_len);
	}
	return 0;
}

/* The connected peer with its route; false: the route must be found again. */
static bool use_peer(struct datagram_socket *d, struct datagram_target *t)
{
	struct inet_socket *i = &d->inet;
	irq_state irq = spin_lock(&i->socket.lock);
	t->to = i->flow.remote;
	t->port = i->flow.remote_port;
	bool valid = route_valid(&i->route);
	if (valid) {
		t->route = i->route;
		if (t->route.neighbour)
			neighbour_hold(t->route.neighbour);
	}
	spin_unlock(&i->socket.lock, irq);
	return valid;
}

/* AF_UNSPEC names nobody where AF_INET6 would be: as Linux. */
static bool names_peer(const struct inet_socket *i, const struct socket_message *m)
{
	if (!m->address || m->address->len == 0)
		return false;
	const struct linux_sockaddr *a = (const struct linux_sockaddr *)m->address->bytes;
	return i->socket.family == AF_INET || m->address->len < sizeof(a->sa_family) ||
	       a->sa_family != AF_UNSPEC;
}

/* Of a message over IPv6. */
static void set_hops(const struct inet_socket *i, struct datagram_target *t)
{
	bool group = t->route.kind == ROUTE_MULTICAST;
	int hops = t->hops >= 0 ? t->hops : group ? i->v6.multicast_hops : i->v6.hops;
	t->ttl = (uint8_t)(hops >= 0 ? hops : group ? 1 : (int)IP_TTL_DEFAULT);
	t->tos = t->tclass;
}

int datagram_target(struct datagram_socket *d, struct socket_message *m, struct datagram_target *t)
{
	struct inet_socket *i = &d->inet;
	unsigned netif_index = i->socket.netif_index;
	bool have_route = false;
	*t = (struct datagram_target){.from = i->flow.local,
		.ttl = i->ttl,
		.tos = i->tos,
		.hops = -1,
		.tclass = i->v6.tclass};
	int err = m->control_len > 0 ? read_control(i->socket.family, m, t, &netif_index) : 0;
	if (err < 0)
		return err;
	if (names_peer(i, m)) {
		err = inet_parse_peer(i, m->address, false, &t->to, &t->port);
		if (err < 0)
			return err;
		if (i->socket.family == AF_INET6 && netif_index == 0)
			netif_index = inet6_scope(m->address, &t->to);
	} else if (ip_is_any(&i->flow.remote)) {
		return -EDESTADDRREQ;
	} else {
		have_route = use_peer(d, t) && netif_index == i->socket.netif_index;
	}
	if (!have_route) {
		bool v4 = ip_is_v4(&t->to);
		unsigned chosen = v4 ? i->multicast_netif : i->v6.multicast_netif;
		if (ip_is_multicast(&t->to) && chosen)
			netif_index = chosen;
		err = route_find_wait(&t->to, netif_index, &t->route);
		if (err < 0)
			return err;
	}
	if (!ip_is_v4(&t->to))
		set_hops(i, t);
	else if (t->route.kind == ROUTE_MULTICAST)
		t->ttl = i->multicast_ttl;
	if (t->route.kind == ROUTE_BROADCAST && !socket_option(&i->socket, OPTION_BROADCAST)) {
		route_release(&t->route);
		return -EACCES;
	}
	if (ip_is_any(&t->from) || ip_is_multicast(&t->from) ||
		ip_is_v4(&t->from) != ip_is_v4(&t->to))
		t->from = t->route.source;
	return 0;
}

/* --- the peer --- */

static void set_peer(
	struct datagram_socket *d, struct port_table *t, const struct flow *f, struct route *r)
{
	struct inet_socket *i = &d->inet;
	port_change(t, &i->port, &f->local, NULL, inet_port_flags(&i->socket));
	irq_state irq = spin_lock(&i->socket.lock);
	route_release(&i->route);
	if (r)
		i->route = *r;
	i->flow = *f;
	spin_unlock(&i->socket.lock, irq);
	if (r)
		port_change(t, &i->port, &f->local, &i->flow, inet_port_flags(&i->socket));
}

int datagram_connect(
	struct datagram_socket *d, struct port_table *table, const struct socket_address *a)
{
	struct inet_socket *i = &d->inet;
	struct flow f = i->flow;
	bool own_address = i->ip_options & INET_BOUND_ADDRESS;
	if (((const struct linux_sockaddr *)a->bytes)->sa_family == AF_UNSPEC) {
		f.remote = ip_from_v4(0);
		f.remote_port = 0;
		if (!own_address)
			f.local = inet_any(i);
		set_peer(d, table, &f, NULL);
		return 0;
	}
	int err = inet_autobind(i, table); /* that stays, whatever comes of the rest: as Linux */
	if (err == 0)
		err = inet_parse_peer(i, a, true, &f.remote, &f.remote_port);
	if (err < 0)
		return err;
	struct route route;
	err = route_find_wait(&f.remote, i->socket.netif_index, &route);
	if (err < 0)
		return err;
	if (route.kind == ROUTE_BROADCAST && !socket_option(&i->socket, OPTION_BROADCAST))
		err = -EACCES;
	if (err < 0) {
		route_release(&route);
		return err;
	}
	f.local_port = i->flow.local_port;
	if (!own_address)
		f.local = route.source;
	set_peer(d, table, &f, &route);
	return 0;
}

int datagram_peer(struct socket *s, struct socket_address *out)
{
	struct inet_socket *i = inet_of(s);
	irq_state irq = spin_lock(&s->lock);
	bool connected = !ip_is_any(&i->flow.remote);
	if (connected)
		address_format(out, s->family, &i->flow.remote, i->flow.remote_port);
	spin_unlock(&s->lock, irq);
	return connected ? 0 : -ENOTCONN;
}

int datagram_shutdown(struct socket *s, int how)
{
	s->shutdown |= how == SHUT_RD   ? SHUTDOWN_RECEIVE
		       : how == SHUT_WR ? SHUTDOWN_SEND
					: SHUTDOWN_BOTH;
	wait_wake_all(&s->ready, EVENTS_ALL);
	/* It works without a peer, and is an error all the same: as Linux. */
	return ip_is_any(&inet_of(s)->flow.remote) ? -ENOTCONN : 0;
}

unsigned datagram_poll(struct socket *s)
{
	struct datagram_socket *d = datagram_of(s);
	unsigned events = EPOLLOUT | EPOLLWRNORM;
	uint32_t shut = s->shutdown;
	if (s->error || !list_empty(&d->errors))
		events |= EPOLLERR;
	if (shut & SHUTDOWN_RECEIVE)
		events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (shut == SHUTDOWN_BOTH)
		events |= EPOLLHUP;
	if (!list_empty(&d->received))
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

static void queue_error(struct datagram_socket *d, const struct ip_error *e)
{
	struct datagram_error *entry = heap_zalloc(sizeof(*entry));
	if (!entry)
		return;
	entry->error = (struct linux_sock_extended_err){
		.ee_errno = (uint32_t)e->err,
		.ee_origin = ip_is_v4(&e->flow.remote) ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
		.ee_type = e->type,
		.ee_code = e->code,
		.ee_info = e->mtu,
	};
	entry->offender = e->reporter;
	entry->destination = e->flow.remote;
	entry->port = e->flow.remote_port;
	irq_state irq = spin_lock(&d->inet.socket.lock);
	bool room = d->n_errors < ERRORS_MAX;
	if (room) {
		d->n_errors++;
		list_push_back(&d->errors, &entry->link);
	}
	spin_unlock(&d->inet.socket.lock, irq);
	if (!room)
		heap_free(entry);
}

void datagram_report(struct datagram_socket *d, const struct ip_error *e)
{
	struct inet_socket *i = &d->inet;
	bool v4 = ip_is_v4(&e->flow.remote);
	bool wants_all = v4 ? i->ip_options & INET_RECVERR : i->v6.flags & INET6_RECVERR;
	bool hard = e->hard;
	if (e->err == EMSGSIZE) {
		if (e->mtu)
			route_mtu_reduce(&e->flow.remote, e->mtu);
		if (i->mtu_discover == IP_PMTUDISC_DONT)
			return;
		hard = true;
	}
	if (wants_all)
		queue_error(d, e);
	else if (!hard || ip_is_any(&i->flow.remote))
		return;
	i->socket.error = e->err;
	wait_wake(&i->socket.ready, EPOLLERR);
}
