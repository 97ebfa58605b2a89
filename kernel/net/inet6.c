/*
 * AF_INET6 sockets: addresses and the options of level SOL_IPV6, ipv6(7).  They speak IPv4 as ::ffff:a.b.c.d.
 */
#include "kernel/lib/string.h"
#include "kernel/net/inet.h"

#define HOPS_DEFAULT 64

/* --- addresses --- */

/* Of one link, or of one interface: they mean nothing without it. */
static bool needs_scope(const struct ip_addr *ip)
{
	if (ip6_is_multicast(ip))
		return (ip->bytes[1] & 15) == 1 || (ip->bytes[1] & 15) == 2;
	return ip6_is_link_local(ip);
}

/* Binding or connecting to such an address is binding to its interface: as Linux. */
static int check_scope(
	struct inet_socket *i, const struct socket_address *a, const struct ip_addr *ip)
{
	struct linux_sockaddr_in6 in = {0};
	if (!needs_scope(ip))
		return 0;
	memcpy(&in, a->bytes, min((size_t)a->len, sizeof(in)));
	unsigned bound = i->socket.netif_index;
	unsigned index = in.sin6_scope_id ? in.sin6_scope_id : bound;
	if (index == 0 || (bound && index != bound))
		return -EINVAL;
	if (!netif_by(index, 0))
		return -ENODEV;
	i->socket.netif_index = index;
	return 0;
}

unsigned inet6_scope(const struct socket_address *a, const struct ip_addr *ip)
{
	struct linux_sockaddr_in6 in = {0};
	if (ip_is_v4(ip) || !needs_scope(ip))
		return 0;
	memcpy(&in, a->bytes, min((size_t)a->len, sizeof(in)));
	return in.sin6_scope_id;
}

int inet6_parse_bind(
	struct inet_socket *i, const struct socket_address *a, struct ip_addr *ip, uint16_t *port)
{
	int err = address_parse(a, AF_INET6, ip, port);
	if (err < 0)
		return err;
	if (ip_is_v4(ip))
		return i->v6.flags & INET6_V6ONLY ? -EINVAL : 0;
	if (ip_is_any(ip))
		return 0;
	if (ip6_is_multicast(ip))
		return i->socket.type == SOCK_STREAM ? -EINVAL : check_scope(i, a, ip);
	err = check_scope(i, a, ip);
	if (err == 0 && !(i->ip_options & INET_FREEBIND) && !address_is_local(ip))
		err = -EADDRNOTAVAIL;
	return err;
}

/* UDP takes IPv4's addresses too. */
static int parse_v4_peer(struct inet_socket *i, const struct socket_address *a, bool connecting,
	struct ip_addr *ip, uint16_t *port)
{
	int err = address_parse(a, AF_INET, ip, port);
	if (err == 0 && i->v6.flags & INET6_V6ONLY)
		err = connecting ? -EAFNOSUPPORT : -ENETUNREACH;
	return err;
}

int inet6_parse_peer(struct inet_socket *i, const struct socket_address *a, bool connecting,
	struct ip_addr *ip, uint16_t *port)
{
	const struct linux_sockaddr *generic = (const struct linux_sockaddr *)a->bytes;
	bool stream = i->socket.type == SOCK_STREAM;
	if (!stream && a->len >= sizeof(generic->sa_family) && generic->sa_family == AF_INET)
		return parse_v4_peer(i, a, connecting, ip, port);
	int err = address_parse(a, AF_INET6, ip, port);
	if (err < 0)
		return err == -EAFNOSUPPORT && !connecting ? -EINVAL : err;
	bool v4_only = ip_is_v4(&i->flow.local);
	if (ip_is_v4(ip))
		return i->v6.flags & INET6_V6ONLY ? -ENETUNREACH : 0;
	if (ip_is_any(ip))
		return 0; /* this machine, as far as the socket can reach it */
	if (stream && ip6_is_multicast(ip))
		return -ENETUNREACH;
	err = connecting ? check_scope(i, a, ip) : 0;
	if (err < 0)
		return err;
	/* What could be sent there would have no source address. */
	return v4_only ? -ENETUNREACH : 0;
}

/* --- options --- */

/* Those that are one flag, by its bit.  Most are about packets of IPv6: only kept. */
static const uint8_t flags[] = {
	/* those with an INET6_ name: */
	IPV6_V6ONLY,
	IPV6_RECVPKTINFO,
	IPV6_MULTICAST_LOOP,
	IPV6_MULTICAST_ALL,
	IPV6_AUTOFLOWLABEL,
	IPV6_RECVHOPLIMIT,
	IPV6_RECVTCLASS,
	IPV6_RECVERR,
	IPV6_DONTFRAG,
	/* the others: */
	IPV6_2292PKTINFO,
	IPV6_2292HOPOPTS,
	IPV6_2292DSTOPTS,
	IPV6_2292RTHDR,
	IPV6_2292HOPLIMIT,
	IPV6_FLOWINFO,
	IPV6_RECVERR_RFC4884,
	IPV6_FLOWINFO_SEND,
	IPV6_RECVHOPOPTS,
	IPV6_RECVRTHDR,
	IPV6_RECVDSTOPTS,
	IPV6_RECVPATHMTU,
	IPV6_RECVORIGDSTADDR,
	IPV6_RECVFRAGSIZE,
};
_Static_assert(array_size(flags) <= 32, "struct inet6_options.flags");

static uint32_t flag_of(int name)
{
	for (unsigned at = 0; at < array_size(flags); at++)
		if (flags[at] == name)
			return 1u << at;
	return 0;
}

void inet6_init(struct inet6_options *o)
{
	o->flags = INET6_MULTICAST_LOOP | INET6_MULTICAST_ALL | INET6_AUTOFLOWLABEL;
	o->hops = -1;
	o->multicast_hops = 1;
	o->mtu_discover = IP_PMTUDISC_WANT;
}

/* Which families a socket is for is settled when it has its port. */
static int set_v6only(struct inet_socket *i, bool on)
{
	int err = 0;
	mutex_lock(&i->bind_lock);
	if (i->port.port || i->flow.local_port)
		err = -EINVAL;
	else
		i->v6.flags = on ? i->v6.flags | INET6_V6ONLY : i->v6.flags & ~INET6_V6ONLY;
	mutex_unlock(&i->bind_lock);
	return err;
}

static int set_flag(struct inet_socket *i, uint32_t flag, int name, int x)
{
	if (flag == INET6_V6ONLY)
		return set_v6only(i, x);
	if ((name == IPV6_MULTICAST_LOOP || name == IPV6_RECVERR_RFC4884) && x != 0 && x != 1)
		return -EINVAL;
	i->v6.flags = x ? i->v6.flags | flag : i->v6.flags & ~flag;
	return 0;
}

static int set_multicast_netif(struct inet_socket *i, int index)
{
	if (i->socket.type == SOCK_STREAM)
		return -ENOPROTOOPT;
	if (index && !netif_by((unsigned)index, 0))
		return -ENODEV;
	i->v6.multicast_netif = (unsigned)index;
	return 0;
}

/* x is -1 to 255, or 0 to 255. */
static int set_byte(struct inet_socket *i, int name, int x)
{
	struct inet6_options *o = &i->v6;
	bool stream = i->socket.type == SOCK_STREAM;
	if (name == IPV6_MULTICAST_HOPS && stream)
		return -ENOPROTOOPT;
	if (x < (name == IPV6_MINHOPCOUNT ? 0 : -1) || x > 255)
		return -EINVAL;
	switch (name) {
	case IPV6_UNICAST_HOPS:
		o->hops = (int16_t)x;
		break;
	case IPV6_MULTICAST_HOPS:
		o->multicast_hops = (int16_t)(x == -1 ? 1 : x);
		break;
	case IPV6_MINHOPCOUNT:
		o->min_hops = (uint8_t)x;
		break;
	default: /* IPV6_TCLASS; ECN is TCP's own */
		x = max(x, 0);
		o->tclass = (uint8_t)(stream ? x & ~3 : x);
	}
	return 0;
}

static int set_number(struct inet_socket *i, int name, int x)
{
	switch (name) {
	case IPV6_UNICAST_HOPS:
	case IPV6_MULTICAST_HOPS:
	case IPV6_MINHOPCOUNT:
	case IPV6_TCLASS:
		return set_byte(i, name, x);
	case IPV6_MULTICAST_IF:
		return set_multicast_netif(i, x);
	case IPV6_MTU_DISCOVER:
		if (x < IP_PMTUDISC_DONT || x > IP_PMTUDISC_OMIT)
			return -EINVAL;
		i->v6.mtu_discover = (uint8_t)x;
		return 0;
	case IPV6_MTU: /* a limit for packets of IPv6, of which there are none */
		return x == 0 || x >= IPV6_MTU_MIN ? 0 : -EINVAL;
	case IPV6_FREEBIND: /* the same as IP_FREEBIND */
		i->ip_options = x ? i->ip_options | INET_FREEBIND : i->ip_options & ~INET_FREEBIND;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_number(struct inet_socket *i, int name, int *x)
{
	const struct inet6_options *o = &i->v6;
	switch (name) {
	case IPV6_UNICAST_HOPS:
		*x = o->hops < 0 ? HOPS_DEFAULT : o->hops;
		break;
	case IPV6_MULTICAST_HOPS:
		*x = o->multicast_hops;
		break;
	case IPV6_MULTICAST_IF:
		*x = (int)o->multicast_netif;
		break;
	case IPV6_MINHOPCOUNT:
		*x = o->min_hops;
		break;
	case IPV6_TCLASS:
		*x = o->tclass;
		break;
	case IPV6_MTU_DISCOVER:
		*x = o->mtu_discover;
		break;
	case IPV6_FREEBIND:
		*x = (i->ip_options & INET_FREEBIND) != 0;
		break;
	case IPV6_MTU:
		*x = inet_mtu(i);
		return *x < 0 ? *x : 0;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

static int change_membership(struct inet_socket *i, int name, const void *value, size_t len)
{
	struct linux_ipv6_mreq m;
	struct ip_addr group;
	if (len < sizeof(m))
		return -EINVAL;
	memcpy(&m, value, sizeof(m));
	memcpy(group.bytes, m.ipv6mr_multiaddr, sizeof(group.bytes));
	if (i->socket.type == SOCK_STREAM)
		return -EPROTO;
	if (!ip6_is_multicast(&group))
		return -EINVAL;
	struct route r;
	unsigned index = (unsigned)m.ipv6mr_interface;
	if (index == 0 && route_find_wait(&group, 0, &r) == 0) {
		index = r.netif->index;
		route_release(&r);
	}
	struct netif *n = index ? netif_by(index, 0) : NULL;
	if (!n)
		return name == IPV6_ADD_MEMBERSHIP ? -ENODEV : -EADDRNOTAVAIL;
	return name == IPV6_ADD_MEMBERSHIP ? inet_join_group(i, &group, n)
					   : inet_leave_group(i, &group, n);
}

int inet6_set_option(struct inet_socket *i, int name, const void *value, size_t len)
{
	if (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP)
		return change_membership(i, name, value, len);
	uint32_t flag = flag_of(name);
	int x = 0;
	int err = option_get_int(value, len, &x);
	if (err < 0 && (name == IPV6_DONTFRAG || name == IPV6_AUTOFLOWLABEL))
		err = 0;        /* Linux reads nothing as 0 there */
	if (err < 0 && !flag) { /* that there is no such option comes first */
		int known = get_number(i, name, &x);
		return known == -ENOPROTOOPT ? known : err;
	}
	if (err < 0)
		return err;
	return flag ? set_flag(i, flag, name, x) : set_number(i, name, x);
}

int inet6_get_option(struct inet_socket *i, int name, void *value, size_t size)
{
	uint32_t flag = flag_of(name);
	int x = (i->v6.flags & flag) != 0;
	int err = flag ? 0 : get_number(i, name, &x);
	return err < 0 ? err : option_put_int(value, size, x);
}
