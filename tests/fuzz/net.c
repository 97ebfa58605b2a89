/*
 * libFuzzer over the whole stack: each input is a little program of frames that arrive, segments forged to hit (or
 * nearly hit) live connections, socket calls, and time that passes.  Nothing may crash, and once every socket is
 * closed and time has gone by no conversation may be left.
 */
#include "../unit/net_link.h"

#include "kernel/net/checksum.h"
#include "kernel/net/demux.h"
#include "kernel/net/dhcp.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/tcp_internal.h"

#define SLOTS 12u

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static struct file *slots[SLOTS];

/* The input, byte by byte; zeroes at its end. */
static const uint8_t *input, *input_end;

static uint8_t byte(void)
{
	return input < input_end ? *input++ : 0;
}

static uint32_t word(void)
{
	uint32_t x = byte();
	x |= (uint32_t)byte() << 8;
	x |= (uint32_t)byte() << 16;
	return x | (uint32_t)byte() << 24;
}

static int drop_frame(struct netif *n, struct packet *p)
{
	(void)n;
	packet_free(p);
	return 0;
}

static const struct netif_ops ops = {.transmit = drop_frame};
static struct netif eth = {.ops = &ops, .mtu = 1500, .link_up = true};

static void arrive_frame(uint16_t type, const void *data, size_t n)
{
	struct packet *p = packet_alloc(14 + n);
	uint8_t *at = packet_data(p);
	memcpy(at, our_mac, 6);
	memcpy(at + 6, peer_mac, 6);
	store_be16(at + 12, type);
	memcpy(at + 14, data, n);
	p->len = (uint32_t)(14 + n);
	if (type == ETHERNET_IPV4)
		p->flags = PACKET_CHECKSUM_DONE;
	netif_receive(&eth, p);
	netif_receive_done(&eth);
}

/* An IPv4 packet with a right header checksum, so that what is inside gets looked at. */
static void arrive_ip(struct ip4_header h, const void *payload, size_t n)
{
	static uint8_t buf[2000];
	h.version_len = 0x45;
	h.total_len = cpu_to_be16((uint16_t)(20 + n));
	h.ttl = 64;
	h.checksum = 0;
	h.checksum = checksum_final(checksum_add(0, &h, 20));
	memcpy(buf, &h, 20);
	memcpy(buf + 20, payload, n);
	arrive_frame(ETHERNET_IPV4, buf, 20 + n);
}

static size_t take(uint8_t *buf, size_t max)
{
	size_t n = min((size_t)byte() * 6, max);
	for (size_t i = 0; i < n; i++)
		buf[i] = byte();
	return n;
}

static void op_frame(void)
{
	uint8_t buf[600];
	static const uint16_t types[] = {ETHERNET_ARP, ETHERNET_IPV4, ETHERNET_IPV6, 0};
	uint16_t type = types[byte() % 4];
	arrive_frame(type, buf, take(buf, sizeof(buf)));
}

/* Us, the peer, all, a group; in network order. */
static const uint32_t hosts[] = {0x0200000a, 0x0900000a, 0xffffffff, 0x010000e0};

static void op_ip(void)
{
	uint8_t buf[600];
	static const uint8_t protocols_[] = {1, 2, 6, 17, 99};
	struct ip4_header h = {.protocol = protocols_[byte() % 5],
		.id = byte() % 4,
		.fragment = cpu_to_be16((uint16_t)(word() & 0x3fff)),
		.source = hosts[1],
		.destination = hosts[byte() % 4]};
	if (byte() & 1)
		h.fragment = 0;
	arrive_ip(h, buf, take(buf, sizeof(buf)));
}

static struct tcp_connection *connection(unsigned slot)
{
	struct file *f = slots[slot % SLOTS];
	if (!f || ((struct socket *)f->object)->protocol != &tcp_protocol)
		return NULL;
	return f->object;
}

/* A segment near what a connection expects; or to a port somebody may listen on. */
static void op_segment(void)
{
	struct {
		struct tcp_header t;
		uint8_t rest[1440];
	} s;
	memset(&s, 0, sizeof(s));
	struct tcp_connection *c = connection(byte());
	uint16_t from = 1000 + byte() % 4, to = 80 + byte() % 2;
	uint32_t seq = (uint32_t)(int8_t)byte(), ack = (uint32_t)(int8_t)byte(), timestamp = byte();
	uint32_t source = hosts[1], destination = hosts[0];
	if (c && c->inet.flow.remote_port) {
		from = c->inet.flow.remote_port;
		to = c->inet.flow.local_port;
		source = ip_v4(&c->inet.flow.remote);
		destination = ip_v4(&c->inet.flow.local);
		seq += c->rcv_nxt;
		ack += byte() & 1 ? c->snd_nxt : c->snd_una;
		timestamp += c->ts_recent;
	}
	uint8_t flags = byte(), shape = byte();
	s.t = (struct tcp_header){.source = cpu_to_be16(from),
		.destination = cpu_to_be16(to),
		.seq = cpu_to_be32(seq),
		.ack = cpu_to_be32(ack),
		.flags = flags,
		.window = cpu_to_be16((uint16_t)(byte() * 257))};
	size_t at = 0;
	if (shape & 1) {
		store_be32(s.rest, 0x0101080a);
		store_be32(s.rest + 4, timestamp);
		at = 12;
	}
	if (shape & 2) {
		store_be32(s.rest + at, 0x02040000u | (word() & 0xffff));
		store_be32(s.rest + at + 4, 0x01030300u | byte());
		at += 8;
	}
	if (shape & 4)
		for (unsigned i = 0; i < 8; i++)
			s.rest[at++] = byte();
	s.t.offset = (uint8_t)((20 + at) / 4 << 4);
	size_t data = shape & 8 ? (size_t)byte() * 5 : 0;
	struct ip4_header h = {.protocol = 6, .source = source, .destination = destination};
	arrive_ip(h, &s, 20 + at + min(data, sizeof(s.rest) - at));
}

/* An ICMP error about a connection. */
static void op_icmp(void)
{
	uint8_t m[36] = {3};
	struct tcp_connection *c = connection(byte());
	if (!c)
		return;
	m[1] = byte() % 16;
	store_be16(m + 6, (uint16_t)word());
	struct ip4_header *h = (struct ip4_header *)(m + 8);
	*h = (struct ip4_header){.version_len = 0x45,
		.protocol = 6,
		.source = ip_v4(&c->inet.flow.local),
		.destination = ip_v4(&c->inet.flow.remote)};
	store_be16(m + 28, c->inet.flow.local_port);
	store_be16(m + 30, c->inet.flow.remote_port);
	store_be32(m + 32, c->snd_una + byte() % 3);
	arrive_ip((struct ip4_header){.protocol = 1, .source = hosts[1], .destination = hosts[0]},
		m, sizeof(m));
}

static void op_dhcp(void)
{
	uint8_t m[560];
	memset(m, 0, sizeof(m));
	m[0] = 2;
	memcpy(m + 28, our_mac, 6);
	store_be32(m + 236, 0x63825363);
	size_t n = 240 + take(m + 240, 300);
	dhcp_input(&eth, m, n);
}

static void op_socket(void)
{
	struct file **f = &slots[byte() % SLOTS];
	static const int types[][3] = {{AF_INET, SOCK_STREAM, 0}, {AF_INET, SOCK_DGRAM, 0},
		{AF_UNIX, SOCK_STREAM, 0}, {AF_UNIX, SOCK_DGRAM, 0}, {AF_UNIX, SOCK_SEQPACKET, 0},
		{AF_NETLINK, SOCK_RAW, 0}, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}};
	const int *t = types[byte() % array_size(types)];
	if (*f) {
		file_put(*f);
		*f = NULL;
	} else if (socket_create(t[0], t[1], t[2], 04000, f) < 0) {
		*f = NULL;
	}
}

static struct socket_address some_address(void)
{
	struct socket_address a;
	memset(&a, 0, sizeof(a));
	unsigned kind = byte() % 4;
	if (kind < 2) {
		struct ip_addr ip = ip_from_v4(kind ? hosts[byte() % 4] : IP4(127, 0, 0, 1));
		address_format(&a, byte() % 2 ? AF_INET : AF_INET6, &ip, 80 + byte() % 2);
	} else if (kind == 2) {
		a.bytes[0] = AF_UNIX;
		a.bytes[3] = 'a' + byte() % 3;
		a.len = 4;
	} else {
		a.len = byte() % 20;
		for (unsigned i = 0; i < a.len; i++)
			a.bytes[i] = byte();
	}
	return a;
}

static void op_call(void)
{
	struct file *f = slots[byte() % SLOTS];
	static uint8_t buf[70000];
	if (!f)
		return;
	struct socket_address a = some_address();
	struct file *child = NULL;
	long ignored = 0;
	switch (byte() % 12) {
	case 0:
		ignored = socket_bind(f, &a);
		break;
	case 1:
		ignored = socket_listen(f, byte() % 4);
		break;
	case 2:
		ignored = socket_connect(f, &a);
		break;
	case 3:
		if (socket_accept(f, 04000, &child, &a) == 0) {
			struct file **slot = &slots[byte() % SLOTS];
			if (*slot)
				file_put(*slot);
			*slot = child;
		}
		break;
	case 4:
		ignored = socket_shutdown(f, byte() % 4);
		break;
	case 5:
		ignored =
			send_bytes(f, buf, (size_t)word() % sizeof(buf), byte() & 1 ? MSG_MORE : 0);
		break;
	case 6:
		ignored = receive_bytes_of(
			f, buf, (size_t)word() % sizeof(buf), (int)(word() & 0x122) | MSG_DONTWAIT);
		break;
	case 7: {
		uint8_t value[32];
		size_t n = byte() % sizeof(value);
		for (size_t i = 0; i < n; i++)
			value[i] = byte();
		int level = byte() % 2 ? SOL_SOCKET : byte() % 2 ? SOL_TCP : SOL_IP;
		ignored = socket_set_option(f, level, byte() % 70, value, n);
		break;
	}
	case 8:
		ignored = socket_get_option(
			f, byte() % 2 ? SOL_SOCKET : SOL_TCP, byte() % 70, buf, byte());
		break;
	case 9:
		ignored = socket_name(f, &a);
		break;
	case 10:
		ignored = socket_peer(f, &a);
		break;
	default:
		ignored = file_poll(f);
		break;
	}
	(void)ignored;
}

static void op_send_to(void)
{
	struct file *f = slots[byte() % SLOTS];
	static uint8_t buf[5000];
	uint8_t control[64];
	if (!f)
		return;
	struct socket_address a = some_address();
	struct io_buffer b;
	size_t n = (size_t)word() % sizeof(buf);
	for (size_t i = 0; i < min(n, (size_t)64); i++)
		buf[i] = byte();
	io_buffer_kernel(&b, buf, n);
	struct socket_message m = {.data = &b,
		.address = &a,
		.control = control,
		.flags = MSG_DONTWAIT,
		.deadline_ns = NO_DEADLINE};
	m.control_len = m.control_size = byte() % 3 ? 0 : take(control, sizeof(control));
	long ignored = socket_send(f, &m);
	(void)ignored;
}

static void set_up(void *arg)
{
	(void)arg;
	log_set_console_level(LOG_ERROR);
	net_init();
	memcpy(eth.mac, our_mac, 6);
	netif_register(&eth);
	if (net_configure("dhcp") < 0 ||
		interface_configure(netif_interface(&eth), hosts[0], IP4(255, 255, 255, 0)) < 0)
		abort();
	/* Until it asks in vain: nothing here may wait for it. */
	host_advance(100 * NS_PER_S);
	if (interface_configure(netif_interface(&eth), hosts[0], IP4(255, 255, 255, 0)) < 0)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	host_run(set_up, NULL);
	return 0;
}

/* The peer's hardware address, so that what we send leaves. */
static void introduce_peer(void)
{
	uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 10, 0, 0, 9, 2, 0, 0, 0, 0, 1,
		10, 0, 0, 2};
	arrive_frame(ETHERNET_ARP, arp, sizeof(arp));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const operations[])(void) = {op_frame, op_ip, op_segment, op_segment,
		op_segment, op_icmp, op_dhcp, op_socket, op_call, op_call, op_send_to};
	input = data;
	input_end = data + size;
	netif_interface(&eth)->v4 = hosts[0]; /* DHCP may have changed it */
	introduce_peer();
	while (input < input_end) {
		uint8_t op = byte();
		if (op >= 240)
			host_advance((uint64_t)NS_PER_MS << (op & 15));
		else
			operations[op % array_size(operations)]();
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		if (slots[i])
			file_put(slots[i]);
		slots[i] = NULL;
	}
	host_advance(2000 * NS_PER_S);
	unsigned counts[3];
	demux_count(counts);
	if (counts[0] + counts[1] + counts[2] > 0)
		panic("left over: %u connections, %u requests, %u in TIME_WAIT", counts[0],
			counts[1], counts[2]);
	return 0;
}
