/*
 * NETLINK_ROUTE as getifaddrs(3), Go's net package and `ip` ask it: RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE.
 * Answers are built when the question is sent and wait in the socket as datagrams.  Nothing can be changed through it.
 */
#include "kernel/net/netlink.h"

#include "abi/linux/net_if.h"
#include "abi/linux/netlink.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/address6.h"

#define REQUEST_MAX 4096u
#define REPLY_MAX 3584u /* fits the buffers programs read into */
#define REPLIES_MAX 64u
#define MESSAGE_MAX 512u /* an upper bound of one of ours */

struct reply {
	struct list link;
	uint32_t len;
	uint8_t data[REPLY_MAX] aligned_to(8);
};

struct netlink_socket {
	struct socket socket; /* first */
	/* under socket.lock: */
	struct list replies;
	unsigned n_replies;
	uint32_t port, groups;
};

/* What is being answered. */
struct question {
	struct netlink_socket *socket;
	struct linux_nlmsghdr header;
	struct reply *reply;
	bool dump;
};

static struct netlink_socket *netlink_of(struct socket *s)
{
	return (struct netlink_socket *)s;
}

/* --- building --- */

static void queue_reply(struct question *q)
{
	struct netlink_socket *n = q->socket;
	struct reply *r = q->reply;
	q->reply = NULL;
	if (!r)
		return;
	irq_state irq = spin_lock(&n->socket.lock);
	bool room = n->n_replies < REPLIES_MAX && r->len > 0;
	if (room) {
		list_push_back(&n->replies, &r->link);
		n->n_replies++;
	}
	spin_unlock(&n->socket.lock, irq);
	if (!room)
		heap_free(r);
}

/* Begin a message; NULL without memory. */
static struct linux_nlmsghdr *begin(struct question *q, uint16_t type)
{
	if (q->reply && q->reply->len + MESSAGE_MAX > REPLY_MAX)
		queue_reply(q);
	if (!q->reply) {
		q->reply = heap_alloc(sizeof(*q->reply));
		if (!q->reply)
			return NULL;
		list_init(&q->reply->link);
		q->reply->len = 0;
	}
	struct linux_nlmsghdr *h = (struct linux_nlmsghdr *)(q->reply->data + q->reply->len);
	memset(h, 0, MESSAGE_MAX);
	h->nlmsg_len = sizeof(*h);
	h->nlmsg_type = type;
	h->nlmsg_flags = q->dump ? NLM_F_MULTI : 0;
	h->nlmsg_seq = q->header.nlmsg_seq;
	h->nlmsg_pid = q->socket->port;
	return h;
}

static void end(struct question *q, const struct linux_nlmsghdr *h)
{
	assert(h->nlmsg_len <= MESSAGE_MAX);
	q->reply->len += align_up(h->nlmsg_len, 4u);
}

static void *put(struct linux_nlmsghdr *h, const void *data, size_t n)
{
	uint8_t *at = (uint8_t *)h + align_up(h->nlmsg_len, 4u);
	memcpy(at, data, n);
	h->nlmsg_len = (uint32_t)(at - (uint8_t *)h + n);
	return at;
}

/* The message's length counts the padding behind its last attribute, too. */
static void put_attribute(struct linux_nlmsghdr *h, uint16_t type, const void *data, size_t n)
{
	struct linux_rtattr a = {(uint16_t)(sizeof(a) + n), type};
	(void)put(h, &a, sizeof(a));
	(void)put(h, data, n);
	h->nlmsg_len = align_up(h->nlmsg_len, 4u);
}

static void put_u32(struct linux_nlmsghdr *h, uint16_t type, uint32_t x)
{
	put_attribute(h, type, &x, sizeof(x));
}

static void put_u8(struct linux_nlmsghdr *h, uint16_t type, uint8_t x)
{
	put_attribute(h, type, &x, sizeof(x));
}

static void put_error(struct question *q, int err)
{
	struct linux_nlmsghdr *h = begin(q, NLMSG_ERROR);
	if (!h)
		return;
	h->nlmsg_flags = 0;
	int32_t code = err;
	(void)put(h, &code, sizeof(code));
	(void)put(h, &q->header, sizeof(q->header));
	end(q, h);
}

static void put_done(struct question *q)
{
	struct linux_nlmsghdr *h = begin(q, NLMSG_DONE);
	int32_t zero = 0;
	if (!h)
		return;
	(void)put(h, &zero, sizeof(zero));
	end(q, h);
}

/* --- answers --- */

static void put_statistics(struct linux_nlmsghdr *h, const struct netif *n)
{
	struct linux_link_stats64 wide = {
		.rx_packets = n->rx_packets,
		.tx_packets = n->tx_packets,
		.rx_bytes = n->rx_bytes,
		.tx_bytes = n->tx_bytes,
		.rx_dropped = n->rx_dropped,
		.tx_dropped = n->tx_dropped,
	};
	struct linux_link_stats narrow = {
		.rx_packets = (uint32_t)wide.rx_packets,
		.tx_packets = (uint32_t)wide.tx_packets,
		.rx_bytes = (uint32_t)wide.rx_bytes,
		.tx_bytes = (uint32_t)wide.tx_bytes,
		.rx_dropped = (uint32_t)wide.rx_dropped,
		.tx_dropped = (uint32_t)wide.tx_dropped,
	};
	put_attribute(h, IFLA_STATS64, &wide, sizeof(wide));
	put_attribute(h, IFLA_STATS, &narrow, sizeof(narrow));
}

static void put_link(struct question *q, const struct netif *n)
{
	bool local = n->flags & NETIF_LOOPBACK;
	struct linux_ifinfomsg info = {
		.ifi_type = local ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
		.ifi_index = (int32_t)n->index,
		.ifi_flags = IFF_UP | (n->link_up ? IFF_RUNNING | IFF_LOWER_UP : 0) |
			     (local ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST),
	};
	uint8_t broadcast[6];
	memset(broadcast, local ? 0 : 0xff, 6);
	struct linux_nlmsghdr *h = begin(q, RTM_NEWLINK);
	if (!h)
		return;
	(void)put(h, &info, sizeof(info));
	put_attribute(h, IFLA_IFNAME, n->name, strlen(n->name) + 1);
	put_u32(h, IFLA_TXQLEN, 1000);
	put_u8(h, IFLA_OPERSTATE, local ? IF_OPER_UNKNOWN : n->link_up ? IF_OPER_UP : IF_OPER_DOWN);
	put_u32(h, IFLA_MTU, local ? 65536 : n->mtu);
	put_u32(h, IFLA_NUM_TX_QUEUES, 1);
	put_u32(h, IFLA_NUM_RX_QUEUES, 1);
	put_u8(h, IFLA_CARRIER, n->link_up);
	put_attribute(h, IFLA_ADDRESS, n->mac, 6);
	put_attribute(h, IFLA_BROADCAST, broadcast, 6);
	put_statistics(h, n);
	end(q, h);
}

static void put_address(struct question *q, const struct netif *n)
{
	const struct interface *i = netif_interface(n);
	bool local = n->flags & NETIF_LOOPBACK;
	struct linux_ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)mask_length(i->mask),
		.ifa_flags = IFA_F_PERMANENT,
		.ifa_scope = local ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		.ifa_index = n->index,
	};
	struct linux_nlmsghdr *h = i->v4 ? begin(q, RTM_NEWADDR) : NULL;
	if (!h)
		return;
	(void)put(h, &info, sizeof(info));
	put_u32(h, IFA_ADDRESS, i->v4);
	put_u32(h, IFA_LOCAL, i->v4);
	if (i->broadcast && !local)
		put_u32(h, IFA_BROADCAST, i->broadcast);
	put_attribute(h, IFA_LABEL, n->name, strlen(n->name) + 1);
	put_u32(h, IFA_FLAGS, IFA_F_PERMANENT);
	end(q, h);
}

static void put_address6(struct question *q, const struct address6 *a)
{
	bool local = a->netif->flags & NETIF_LOOPBACK;
	uint32_t flags = (a->flags & ADDRESS6_AUTOMATIC ? 0 : IFA_F_PERMANENT) |
			 (a->flags & ADDRESS6_TENTATIVE ? IFA_F_TENTATIVE : 0);
	struct linux_ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = a->prefix_len,
		.ifa_flags = (uint8_t)flags,
		.ifa_scope = local                       ? RT_SCOPE_HOST
			     : ip6_is_link_local(&a->ip) ? RT_SCOPE_LINK
							 : RT_SCOPE_UNIVERSE,
		.ifa_index = a->netif->index,
	};
	struct linux_nlmsghdr *h = begin(q, RTM_NEWADDR);
	if (!h)
		return;
	(void)put(h, &info, sizeof(info));
	put_attribute(h, IFA_ADDRESS, a->ip.bytes, sizeof(a->ip.bytes));
	put_u32(h, IFA_FLAGS, flags);
	end(q, h);
}

static void put_route6(struct question *q, const struct route6_entry *r)
{
	bool gateway = !ip6_is_any(&r->gateway);
	struct linux_rtmsg info = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = r->prefix_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = r->protocol,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct linux_nlmsghdr *h = begin(q, RTM_NEWROUTE);
	if (!h)
		return;
	(void)put(h, &info, sizeof(info));
	put_u32(h, RTA_TABLE, RT_TABLE_MAIN);
	if (r->prefix_len)
		put_attribute(h, RTA_DST, r->destination.bytes, sizeof(r->destination.bytes));
	if (gateway)
		put_attribute(h, RTA_GATEWAY, r->gateway.bytes, sizeof(r->gateway.bytes));
	put_u32(h, RTA_OIF, r->netif->index);
	end(q, h);
}

/* The same of IPv6; n NULL: routes. */
static void dump6(struct question *q, const struct netif *n)
{
	struct address6 a;
	for (unsigned at = 0; n && address6_at(at, &a); at++)
		if (a.netif == n)
			put_address6(q, &a);
	struct route6_entry r;
	for (unsigned at = 0; !n && route6_at(at, &r); at++)
		if (r.netif)
			put_route6(q, &r);
}

static void put_route(struct question *q, const struct route_entry *r)
{
	struct linux_rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = (uint8_t)mask_length(r->mask),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = r->gateway ? RTPROT_BOOT : RTPROT_KERNEL,
		.rtm_scope = r->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	struct linux_nlmsghdr *h = begin(q, RTM_NEWROUTE);
	if (!h)
		return;
	(void)put(h, &info, sizeof(info));
	put_u32(h, RTA_TABLE, RT_TABLE_MAIN);
	if (r->mask)
		put_u32(h, RTA_DST, r->destination);
	if (r->gateway)
		put_u32(h, RTA_GATEWAY, r->gateway);
	else
		put_u32(h, RTA_PREFSRC, netif_interface(r->netif)->v4);
	put_u32(h, RTA_OIF, r->netif->index);
	end(q, h);
}

static void dump(struct question *q, uint8_t family)
{
	struct netif *n;
	bool ipv4 = family == AF_UNSPEC || family == AF_INET;
	bool ipv6 = family == AF_UNSPEC || family == AF_INET6;
	uint16_t type = q->header.nlmsg_type;
	for (unsigned at = 0; type != RTM_GETROUTE && (n = netif_at(at)); at++) {
		if (type == RTM_GETLINK)
			put_link(q, n);
		else if (ipv4)
			put_address(q, n);
	}
	struct route_entry r;
	for (unsigned at = 0; type == RTM_GETROUTE && ipv4 && route_at(at, &r); at++)
		put_route(q, &r);
	for (unsigned at = 0; type == RTM_GETADDR && ipv6 && (n = netif_at(at)); at++)
		dump6(q, n);
	if (type == RTM_GETROUTE && ipv6)
		dump6(q, NULL);
	/* The end comes by itself, as Linux sends it. */
	queue_reply(q);
	put_done(q);
}

/* One interface, by index or by IFLA_IFNAME. */
static int get_link(struct question *q, const uint8_t *body, size_t len)
{
	struct linux_ifinfomsg info;
	char name[IFNAMSIZ] = "";
	if (len < sizeof(info))
		return -EINVAL;
	memcpy(&info, body, sizeof(info));
	for (size_t at = sizeof(info); at + sizeof(struct linux_rtattr) <= len;) {
		struct linux_rtattr a;
		memcpy(&a, body + at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len - at)
			break;
		if (a.rta_type == IFLA_IFNAME)
			memcpy(name, body + at + sizeof(a),
				min((size_t)a.rta_len - sizeof(a), sizeof(name) - 1));
		at += align_up((size_t)a.rta_len, 4);
	}
	struct netif *n;
	for (unsigned at = 0; (n = netif_at(at)); at++) {
		if (info.ifi_index ? (int32_t)n->index == info.ifi_index
				   : strcmp(n->name, name) == 0) {
			put_link(q, n);
			return 0;
		}
	}
	return -ENODEV;
}

static void answer(
	struct netlink_socket *s, const struct linux_nlmsghdr *h, const uint8_t *body, size_t len)
{
	struct question q = {
		.socket = s, .header = *h, .dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP};
	bool known = h->nlmsg_type == RTM_GETLINK || h->nlmsg_type == RTM_GETADDR ||
		     h->nlmsg_type == RTM_GETROUTE;
	int err = 0;
	if (!(h->nlmsg_flags & NLM_F_REQUEST) || h->nlmsg_type < NLMSG_MIN_TYPE)
		return;
	if (known && q.dump)
		dump(&q, len > 0 ? body[0] : AF_UNSPEC);
	else if (h->nlmsg_type == RTM_GETLINK)
		err = get_link(&q, body, len);
	else
		err = -EOPNOTSUPP;
	if (err < 0 || (h->nlmsg_flags & NLM_F_ACK && !q.dump)) {
		q.dump = false;
		put_error(&q, err);
	}
	queue_reply(&q);
}

/* --- the socket --- */

static int netlink_create(const struct protocol *p, int number, struct socket **out)
{
	if (number != NETLINK_ROUTE)
		return -EPROTONOSUPPORT;
	struct socket *s = socket_alloc(p, number, sizeof(struct netlink_socket));
	if (!s)
		return -ENOMEM;
	list_init(&netlink_of(s)->replies);
	*out = s;
	return 0;
}

static void autobind(struct netlink_socket *n)
{
	static atomic_uint taken;
	/* The first socket of a process has its id (which is 1), others something unique. */
	if (n->port == 0) {
		uint32_t others = atomic_fetch_add(&taken, 1);
		n->port = others == 0 ? 1 : UINT32_MAX - 4096 - others;
	}
}

static int netlink_bind(struct socket *s, const struct socket_address *a)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl nl;
	if (a->len < sizeof(nl))
		return -EINVAL;
	memcpy(&nl, a->bytes, sizeof(nl));
	if (nl.nl_family != AF_NETLINK)
		return -EINVAL;
	if (n->port && nl.nl_pid && nl.nl_pid != n->port)
		return -EINVAL;
	if (nl.nl_pid)
		n->port = nl.nl_pid;
	autobind(n);
	n->groups = nl.nl_groups;
	return 0;
}

static int netlink_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	(void)flags, (void)deadline_ns;
	struct linux_sockaddr_nl nl;
	if (a->len < sizeof(nl))
		return -EINVAL;
	memcpy(&nl, a->bytes, sizeof(nl));
	if (nl.nl_family != AF_NETLINK && nl.nl_family != AF_UNSPEC)
		return -EINVAL;
	autobind(netlink_of(s));
	return nl.nl_pid == 0 ? 0 : -ECONNREFUSED;
}

static void format_address(struct socket_address *out, uint32_t port, uint32_t groups)
{
	struct linux_sockaddr_nl nl = {
		.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
	memcpy(out->bytes, &nl, sizeof(nl));
	out->len = sizeof(nl);
}

static int netlink_name(struct socket *s, struct socket_address *out)
{
	format_address(out, netlink_of(s)->port, netlink_of(s)->groups);
	return 0;
}

static int netlink_peer(struct socket *s, struct socket_address *out)
{
	(void)s;
	format_address(out, 0, 0);
	return 0;
}

static long netlink_send(struct socket *s, struct socket_message *m)
{
	struct netlink_socket *n = netlink_of(s);
	size_t len = m->data->left;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len > REQUEST_MAX)
		return -EMSGSIZE;
	autobind(n);
	interfaces_wait();
	uint8_t *request = heap_alloc(max(len, (size_t)1));
	if (!request)
		return -ENOBUFS;
	int err = io_buffer_get(m->data, request, len);
	for (size_t at = 0; err == 0 && at + sizeof(struct linux_nlmsghdr) <= len;) {
		struct linux_nlmsghdr h;
		memcpy(&h, request + at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - at)
			break;
		answer(n, &h, request + at + sizeof(h), h.nlmsg_len - sizeof(h));
		at += align_up((size_t)h.nlmsg_len, 4);
	}
	heap_free(request);
	if (err < 0)
		return err;
	wait_wake(&s->ready, EPOLLIN | EPOLLRDNORM);
	return (long)len;
}

static long copy_reply(struct socket_message *m, const struct reply *r)
{
	uint32_t n = (uint32_t)min((size_t)r->len, m->data->left);
	int err = io_buffer_put(m->data, r->data, n);
	if (err < 0)
		return err;
	if (n < r->len)
		m->out_flags |= MSG_TRUNC;
	if (m->address)
		format_address(m->address, 0, 0);
	return m->flags & MSG_TRUNC ? r->len : n;
}

static long netlink_receive(struct socket *s, struct socket_message *m)
{
	struct netlink_socket *n = netlink_of(s);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	for (;;) {
		irq_state irq = spin_lock(&s->lock);
		struct list *item = list_pop_front(&n->replies);
		n->n_replies -= item != NULL;
		spin_unlock(&s->lock, irq);
		if (item) {
			struct reply *r = list_entry(item, struct reply, link);
			long len = copy_reply(m, r);
			if (!(m->flags & MSG_PEEK)) {
				heap_free(r);
				return len;
			}
			irq = spin_lock(&s->lock);
			list_push_front(&n->replies, &r->link);
			n->n_replies++;
			spin_unlock(&s->lock, irq);
			return len;
		}
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		int err = wait_event_interruptible(
			&s->ready, EPOLLIN, !list_empty(&n->replies), m->deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

static unsigned netlink_poll(struct socket *s)
{
	bool readable = !list_empty(&netlink_of(s)->replies);
	return EPOLLOUT | EPOLLWRNORM | (readable ? EPOLLIN | EPOLLRDNORM : 0);
}

/* Those that only say what a program is prepared for: there is never a broadcast, nor a strict mode to differ. */
static int netlink_set_option(struct socket *s, int level, int name, const void *value, size_t len)
{
	(void)s;
	int x = 0;
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	switch (name) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_EXT_ACK:
		return option_get_int(value, len, &x);
	default:
		return -ENOPROTOOPT;
	}
}

static void netlink_destroy(struct socket *s)
{
	struct list *item;
	while ((item = list_pop_front(&netlink_of(s)->replies)))
		heap_free(list_entry(item, struct reply, link));
}

bool file_is_netlink(const struct file *f)
{
	return file_is_socket(f) && file_socket(f)->family == AF_NETLINK;
}

void netlink_post(struct file *f, const void *data, size_t n)
{
	struct netlink_socket *socket = netlink_of(file_socket(f));
	struct question q = {.socket = socket, .reply = heap_alloc(sizeof(struct reply))};
	if (!q.reply || n > REPLY_MAX) {
		heap_free(q.reply);
		return;
	}
	list_init(&q.reply->link);
	q.reply->len = (uint32_t)n;
	memcpy(q.reply->data, data, n);
	queue_reply(&q);
	wait_wake(&socket->socket.ready, EPOLLIN | EPOLLRDNORM);
}

#define NETLINK_OPS                                                                                \
	.family = AF_NETLINK, .number = -1, .create = netlink_create, .bind = netlink_bind,        \
	.connect = netlink_connect, .name = netlink_name, .peer = netlink_peer,                    \
	.set_option = netlink_set_option, .send = netlink_send, .receive = netlink_receive,        \
	.poll = netlink_poll, .destroy = netlink_destroy

const struct protocol netlink_datagram_protocol = {NETLINK_OPS, .type = SOCK_DGRAM};
const struct protocol netlink_raw_protocol = {NETLINK_OPS, .type = SOCK_RAW};
