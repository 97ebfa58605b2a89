/* Ping sockets: the program writes echo requests, the kernel owns their identifier, replies come back to it. */
#include "kernel/net/ping.h"

#include "abi/linux/net_if.h"
#include "kernel/lib/string.h"
#include "kernel/net/checksum.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/udp.h"

#define ECHO_REQUEST 8u
#define HEADER 8u
#define PAYLOAD_MAX (65535u - 20u)

/* Identifiers are taken as ports are. */
static struct port_table identifiers = {.listening_shares = true};

static void hold_user(struct port_user *u)
{
	socket_hold(&container_of(u, struct inet_socket, port)->socket);
}

void ping_input(const struct packet *p, const struct ip_info *ip)
{
	const uint8_t *header = p->buffer + p->start;
	struct flow f = {.local = ip->destination,
		.remote = ip->source,
		.local_port = load_be16(header + 4)};
	struct port_user *u = port_find(&identifiers, &f, p->netif->index, 0);
	if (!u)
		return;
	struct socket *s = &container_of(u, struct inet_socket, port)->socket;
	uint32_t header_len = p->start - p->network, len = packet_length(p);
	struct packet *copy = packet_alloc(header_len + len);
	if (copy) {
		memcpy(packet_data(copy), p->buffer + p->network, header_len);
		packet_read(p, 0, packet_data(copy) + header_len, len);
		copy->len = header_len + len;
		copy->netif = p->netif;
		copy->network = copy->start;
		packet_pull(copy, header_len);
		copy->transport = copy->start;
		(void)datagram_deliver(datagram_of(s), copy);
	}
	socket_put(s);
}

static long ping_send(struct socket *s, struct socket_message *m)
{
	struct datagram_socket *d = datagram_of(s);
	size_t len = m->data->left;
	if (len > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (len < HEADER)
		return -EINVAL;
	struct datagram_target t;
	int err = datagram_target(d, m, &t);
	if (err < 0)
		return err;
	struct packet *p = packet_alloc(len);
	err = p ? inet_autobind(&d->inet, &identifiers) : -ENOBUFS;
	if (err == 0)
		err = io_buffer_get(m->data, packet_data(p), len);
	if (err == 0 && (packet_data(p)[0] != ECHO_REQUEST || packet_data(p)[1] != 0))
		err = -EINVAL;
	if (err == 0) {
		p->len = (uint32_t)len;
		uint8_t *h = packet_data(p);
		store_be16(h + 4, d->inet.flow.local_port);
		memset(h + 2, 0, 2);
		uint16_t sum = checksum_final(checksum_packet(p, 0));
		memcpy(h + 2, &sum, 2);
		struct ip_send send = {.from = t.from,
			.to = t.to,
			.protocol = IPPROTO_ICMP,
			.ttl = t.ttl,
			.tos = t.tos};
		err = ip_output(p, &t.route, &send);
	} else if (p) {
		packet_free(p);
	}
	route_release(&t.route);
	return err < 0 ? err : (long)len;
}

static int ping_create(const struct protocol *protocol, int number, struct socket **out)
{
	if (number != IPPROTO_ICMP)
		return -EPROTONOSUPPORT;
	struct socket *s = socket_alloc(protocol, number, sizeof(struct datagram_socket));
	if (!s)
		return -ENOMEM;
	datagram_init(datagram_of(s));
	inet_of(s)->port.hold = hold_user;
	*out = s;
	return 0;
}

static int ping_bind(struct socket *s, const struct socket_address *a)
{
	return inet_bind(inet_of(s), &identifiers, a);
}

static int ping_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	(void)flags, (void)deadline_ns;
	return datagram_connect(datagram_of(s), &identifiers, a);
}

static int ping_set_option(struct socket *s, int level, int name, const void *value, size_t len)
{
	return inet_set_option(inet_of(s), level, name, value, len);
}

static int ping_get_option(struct socket *s, int level, int name, void *value, size_t size)
{
	return inet_get_option(inet_of(s), level, name, value, size);
}

static void ping_close(struct socket *s, bool nonblocking)
{
	(void)nonblocking;
	port_release(&identifiers, &inet_of(s)->port);
}

static void ping_destroy(struct socket *s)
{
	datagram_purge(datagram_of(s));
}

const struct protocol ping_protocol = {
	.family = AF_INET,
	.type = SOCK_DGRAM,
	.number = IPPROTO_ICMP,
	.create = ping_create,
	.bind = ping_bind,
	.connect = ping_connect,
	.name = inet_name,
	.peer = datagram_peer,
	.shutdown = datagram_shutdown,
	.set_option = ping_set_option,
	.get_option = ping_get_option,
	.send = ping_send,
	.receive = datagram_receive,
	.poll = datagram_poll,
	.close = ping_close,
	.destroy = ping_destroy,
};
