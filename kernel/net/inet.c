/* Binding and the options of level SOL_IP, common to the Internet's sockets: ip(7). */
#include "kernel/net/inet.h"

#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/ip.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"

void inet_init_socket(struct inet_socket *i)
{
	i->flow.local = inet_any(i);
	i->flow.remote = ip_from_v4(0);
	i->port.ip = i->flow.local;
	i->ttl = IP_TTL_DEFAULT;
	i->multicast_ttl = 1;
	i->ip_options = INET_MULTICAST_LOOP | INET_MULTICAST_ALL;
	inet6_init(&i->v6);
	list_init(&i->port.link);
	mutex_init(&i->bind_lock);
}

unsigned inet_port_flags(const struct socket *s)
{
	const struct inet_socket *i = (const struct inet_socket *)s;
	return (i->v6.flags & INET6_V6ONLY ? PORT_V6ONLY : 0) |
	       (socket_option(s, OPTION_REUSE_ADDR) ? PORT_REUSE_ADDR : 0) |
	       (socket_option(s, OPTION_REUSE_PORT) ? PORT_REUSE_PORT : 0);
}

/* Binding to what may become ours: while DHCP asks, wait for its answer. */
static int check_local(struct inet_socket *i, const struct ip_addr *ip)
{
	uint32_t v4 = ip_v4(ip);
	if (ip_is_any(ip) || i->ip_options & INET_FREEBIND || address_is_local(ip))
		return 0;
	if (i->socket.type != SOCK_STREAM && (v4_is_multicast(v4) || v4 == UINT32_MAX))
		return 0;
	interfaces_wait();
	if (address_is_local(ip))
		return 0;
	struct netif *n;
	for (unsigned at = 0; i->socket.type != SOCK_STREAM && (n = netif_at(at)); at++)
		if (netif_interface(n)->broadcast == v4)
			return 0;
	return -EADDRNOTAVAIL;
}

static int parse_bind(
	struct inet_socket *i, const struct socket_address *a, struct ip_addr *ip, uint16_t *port)
{
	if (i->socket.family == AF_INET6)
		return inet6_parse_bind(i, a, ip, port);
	struct linux_sockaddr_in in;
	if (a->len < sizeof(in))
		return -EINVAL;
	memcpy(&in, a->bytes, sizeof(in));
	/* Compatibility of Linux: AF_UNSPEC with the wildcard is taken as AF_INET. */
	if (in.sin_family != AF_UNSPEC || in.sin_addr != 0)
		return address_parse(a, AF_INET, ip, port);
	*ip = ip_from_v4(0);
	*port = be16_to_cpu(in.sin_port);
	return 0;
}

/* bind_lock held. */
static int take_port(
	struct inet_socket *i, struct port_table *t, const struct ip_addr *ip, uint16_t *port)
{
	i->port.ip = *ip;
	i->port.netif_index = i->socket.netif_index;
	i->port.flags =
		inet_port_flags(&i->socket) | (i->socket.type == SOCK_STREAM ? 0 : PORT_LISTENING);
	return port_bind(t, &i->port, port);
}

int inet_bind(struct inet_socket *i, struct port_table *t, const struct socket_address *a)
{
	struct ip_addr ip;
	uint16_t port = 0;
	int err = parse_bind(i, a, &ip, &port);
	if (err == 0 && ip_is_v4(&ip))
		err = check_local(i, &ip);
	if (err < 0)
		return err;
	mutex_lock(&i->bind_lock);
	bool later = port == 0 && i->ip_options & INET_BIND_NO_PORT;
	if (i->port.port || i->flow.local_port)
		err = -EINVAL;
	else if (!later)
		err = take_port(i, t, &ip, &port);
	if (err == 0) {
		irq_state irq = spin_lock(&i->socket.lock);
		i->flow.local = ip;
		i->flow.local_port = port;
		i->ip_options |=
			(later ? 0 : INET_BOUND_PORT) | (ip_is_any(&ip) ? 0 : INET_BOUND_ADDRESS);
		spin_unlock(&i->socket.lock, irq);
	}
	mutex_unlock(&i->bind_lock);
	return err;
}

int inet_autobind(struct inet_socket *i, struct port_table *t)
{
	if (i->port.port)
		return 0;
	int err = 0;
	mutex_lock(&i->bind_lock);
	if (!i->port.port) {
		uint16_t port = 0;
		struct ip_addr ip = i->flow.local;
		err = take_port(i, t, &ip, &port);
		if (err == 0)
			i->flow.local_port = port;
	}
	mutex_unlock(&i->bind_lock);
	return err == -EADDRINUSE ? -EAGAIN : err;
}

int inet_parse_peer(struct inet_socket *i, const struct socket_address *a, bool connecting,
	struct ip_addr *ip, uint16_t *port)
{
	int err = i->socket.family == AF_INET6 ? inet6_parse_peer(i, a, connecting, ip, port)
					       : address_parse(a, AF_INET, ip, port);
	if (err < 0 || !ip_is_any(ip))
		return err;
	/* Linux: "any" is this machine. */
	bool v4 = ip_is_v4(ip) || ip_is_v4(&i->flow.local);
	*ip = v4 ? ip_from_v4(IP4(127, 0, 0, 1)) : (struct ip_addr){.bytes = {[15] = 1}};
	return err;
}

int inet_name(struct socket *s, struct socket_address *out)
{
	struct inet_socket *i = inet_of(s);
	irq_state irq = spin_lock(&s->lock);
	address_format(out, s->family, &i->flow.local, i->flow.local_port);
	spin_unlock(&s->lock, irq);
	return 0;
}

struct netif *netif_by(unsigned index, uint32_t v4)
{
	struct netif *n;
	for (unsigned at = 0; (n = netif_at(at)); at++)
		if (index ? n->index == index : netif_interface(n)->v4 == v4)
			return n;
	return NULL;
}

/* --- multicast membership --- */

/* struct ip_mreq (8 bytes) or ip_mreqn. */
static int parse_membership(const void *value, size_t len, struct linux_ip_mreqn *m)
{
	if (len < 8)
		return -EINVAL;
	*m = (struct linux_ip_mreqn){0};
	memcpy(m, value, len >= sizeof(*m) ? sizeof(*m) : 8);
	return 0;
}

static struct netif *membership_netif(const struct linux_ip_mreqn *m)
{
	if (m->imr_ifindex || m->imr_address)
		return netif_by((unsigned)m->imr_ifindex, m->imr_address);
	struct route route;
	struct ip_addr group = ip_from_v4(m->imr_multiaddr);
	if (route_find(&group, 0, &route) < 0)
		return NULL;
	struct netif *n = route.netif;
	route_release(&route);
	return n;
}

static int join(struct interface *i, const struct ip_addr *group)
{
	return ip_is_v4(group) ? multicast_join(i, ip_v4(group)) : multicast6_join(i->netif, group);
}

static int leave(struct interface *i, const struct ip_addr *group)
{
	return ip_is_v4(group) ? multicast_leave(i, ip_v4(group))
			       : multicast6_leave(i->netif, group);
}

/* socket.lock held, as by leave_group(). */
static int join_group(
	struct inet_socket *i, const struct ip_addr *group, struct interface *interface)
{
	if (!i->groups) {
		struct inet_groups *fresh = heap_zalloc(sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		i->groups = fresh;
	}
	struct inet_groups *g = i->groups;
	for (unsigned at = 0; at < g->n; at++)
		if (ip_equal(&g->joined[at].group, group) && g->joined[at].interface == interface)
			return -EADDRINUSE;
	if (g->n == INET_GROUPS_MAX)
		return -ENOBUFS;
	int err = join(interface, group);
	if (err < 0)
		return err;
	g->joined[g->n].group = *group;
	g->joined[g->n].interface = interface;
	g->n++;
	return 0;
}

static int leave_group(
	struct inet_socket *i, const struct ip_addr *group, struct interface *interface)
{
	struct inet_groups *g = i->groups;
	for (unsigned at = 0; g && at < g->n; at++) {
		if (!ip_equal(&g->joined[at].group, group) || g->joined[at].interface != interface)
			continue;
		g->joined[at] = g->joined[--g->n];
		return leave(interface, group);
	}
	return -EADDRNOTAVAIL;
}

int inet_join_group(struct inet_socket *i, const struct ip_addr *group, struct netif *n)
{
	irq_state irq = spin_lock(&i->socket.lock);
	int err = join_group(i, group, netif_interface(n));
	spin_unlock(&i->socket.lock, irq);
	return err;
}

int inet_leave_group(struct inet_socket *i, const struct ip_addr *group, struct netif *n)
{
	irq_state irq = spin_lock(&i->socket.lock);
	int err = leave_group(i, group, netif_interface(n));
	spin_unlock(&i->socket.lock, irq);
	return err;
}

static int change_membership(struct inet_socket *i, int name, const void *value, size_t len)
{
	struct linux_ip_mreqn m;
	int err = parse_membership(value, len, &m);
	if (err < 0)
		return err;
	if (i->socket.type == SOCK_STREAM)
		return -EPROTO;
	if (!v4_is_multicast(m.imr_multiaddr))
		return name == IP_ADD_MEMBERSHIP ? -EINVAL : -EADDRNOTAVAIL;
	struct netif *n = membership_netif(&m);
	if (!n)
		return -ENODEV;
	struct ip_addr group = ip_from_v4(m.imr_multiaddr);
	return name == IP_ADD_MEMBERSHIP ? inet_join_group(i, &group, n)
					 : inet_leave_group(i, &group, n);
}

void inet_leave_groups(struct inet_socket *i)
{
	struct inet_groups *g = i->groups;
	for (unsigned at = 0; g && at < g->n; at++)
		(void)leave(g->joined[at].interface, &g->joined[at].group);
	i->groups = NULL;
	heap_free(g);
}

bool inet_in_group(struct inet_socket *i, const struct ip_addr *group)
{
	bool joined = false;
	irq_state irq = spin_lock(&i->socket.lock);
	for (unsigned at = 0; i->groups && at < i->groups->n; at++)
		joined = joined || ip_equal(&i->groups->joined[at].group, group);
	spin_unlock(&i->socket.lock, irq);
	return joined || (ip_is_v4(group) ? i->ip_options & INET_MULTICAST_ALL
					  : i->v6.flags & INET6_MULTICAST_ALL);
}

static int set_multicast_netif(struct inet_socket *i, const void *value, size_t len)
{
	struct linux_ip_mreqn m = {0};
	if (len < 4)
		return -EINVAL;
	if (len >= sizeof(m))
		memcpy(&m, value, sizeof(m));
	else if (len >= 8)
		memcpy(&m, value, 8);
	else
		memcpy(&m.imr_address, value, 4);
	if (!m.imr_ifindex && !m.imr_address) {
		i->multicast_netif = 0;
		return 0;
	}
	struct netif *n = netif_by((unsigned)m.imr_ifindex, m.imr_address);
	if (!n)
		return -EADDRNOTAVAIL;
	i->multicast_netif = n->index;
	return 0;
}

/* --- the options --- */

static const struct {
	uint8_t name;
	uint32_t flag;
} flags[] = {
	{IP_PKTINFO, INET_PKTINFO},
	{IP_RECVTTL, INET_RECVTTL},
	{IP_RECVTOS, INET_RECVTOS},
	{IP_RECVERR, INET_RECVERR},
	{IP_FREEBIND, INET_FREEBIND},
	{IP_MULTICAST_LOOP, INET_MULTICAST_LOOP},
	{IP_MULTICAST_ALL, INET_MULTICAST_ALL},
	{IP_BIND_ADDRESS_NO_PORT, INET_BIND_NO_PORT},
	{IP_RECVORIGDSTADDR, INET_ORIGDSTADDR},
};

static uint32_t flag_of(int name)
{
	for (unsigned at = 0; at < array_size(flags); at++)
		if (flags[at].name == name)
			return flags[at].flag;
	return 0;
}

/* SOL_IP options take a byte too (ip(7)). */
static int get_value(const void *value, size_t len, int *x)
{
	*x = 0;
	if (len >= sizeof(int))
		memcpy(x, value, sizeof(int));
	else if (len >= 1)
		*x = *(const uint8_t *)value;
	return 0;
}

static int set_number(struct inet_socket *i, int name, int x)
{
	switch (name) {
	case IP_TOS:
		i->tos = (uint8_t)(i->socket.type == SOCK_STREAM ? x & ~3
								 : x); /* ECN is TCP's own */
		return 0;
	case IP_TTL:
		if (x != -1 && (x < 1 || x > 255))
			return -EINVAL;
		i->ttl = x == -1 ? IP_TTL_DEFAULT : (uint8_t)x;
		return 0;
	case IP_MTU_DISCOVER:
		if (x < IP_PMTUDISC_DONT || x > IP_PMTUDISC_OMIT)
			return -EINVAL;
		i->mtu_discover = (uint8_t)x;
		return 0;
	case IP_MULTICAST_TTL:
		if (i->socket.type == SOCK_STREAM || x < -1 || x > 255)
			return -EINVAL;
		i->multicast_ttl = x == -1 ? 1 : (uint8_t)x;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_ip_option(struct inet_socket *i, int name, const void *value, size_t len)
{
	if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)
		return change_membership(i, name, value, len);
	if (name == IP_MULTICAST_IF)
		return set_multicast_netif(i, value, len);
	int x = 0;
	int err = get_value(value, len, &x);
	if (err < 0)
		return err;
	uint32_t flag = flag_of(name);
	if (!flag)
		return set_number(i, name, x);
	i->ip_options = x ? i->ip_options | flag : i->ip_options & ~flag;
	return 0;
}

int inet_set_option(struct inet_socket *i, int level, int name, const void *value, size_t len)
{
	if (level == SOL_IP)
		return set_ip_option(i, name, value, len);
	return level == SOL_IPV6 && i->socket.family == AF_INET6
		       ? inet6_set_option(i, name, value, len)
		       : -ENOPROTOOPT;
}

int inet_mtu(struct inet_socket *i)
{
	irq_state irq = spin_lock(&i->socket.lock);
	int mtu = i->route.netif ? i->route.mtu : -ENOTCONN;
	spin_unlock(&i->socket.lock, irq);
	return mtu;
}

static int get_ip_option(struct inet_socket *i, int name, void *value, size_t size)
{
	uint32_t flag = flag_of(name);
	int x = 0;
	if (flag) {
		x = (i->ip_options & flag) != 0;
	} else {
		switch (name) {
		case IP_TOS:
			x = i->tos;
			break;
		case IP_TTL:
			x = i->ttl;
			break;
		case IP_MTU_DISCOVER:
			x = i->mtu_discover;
			break;
		case IP_MULTICAST_TTL:
			x = i->multicast_ttl;
			break;
		case IP_OPTIONS:
			return 0; /* there are none */
		case IP_MTU:
			x = inet_mtu(i);
			if (x < 0)
				return x;
			break;
		case IP_MULTICAST_IF: {
			struct netif *n =
				i->multicast_netif ? netif_by(i->multicast_netif, 0) : NULL;
			x = n ? (int)netif_interface(n)->v4 : 0;
			break;
		}
		default:
			return -ENOPROTOOPT;
		}
	}
	/* A short buffer gets the byte, if it fits one. */
	if (size < sizeof(int) && size > 0 && x >= 0 && x <= 255) {
		*(uint8_t *)value = (uint8_t)x;
		return 1;
	}
	return option_put_int(value, size, x);
}

int inet_get_option(struct inet_socket *i, int level, int name, void *value, size_t size)
{
	if (level == SOL_IP)
		return get_ip_option(i, name, value, size);
	if (i->socket.family == AF_INET6)
		return level == SOL_IPV6 ? inet6_get_option(i, name, value, size) : -ENOPROTOOPT;
	return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}
