/*
 * Below TCP: ARP, DHCP, ICMP, fragments, UDP and multicast on an Ethernet whose other end is played by the test, frame
 * by frame.
 */
#include "net_link.h"

#include "abi/linux/net_if.h"
#include "abi/linux/netlink.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/format.h"
#include "kernel/net/checksum.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip.h"
#include "kernel/net/tcp_internal.h"

#define expect(got, wanted)                                                                        \
	do {                                                                                       \
		long got_ = (long)(got), wanted_ = (long)(wanted);                                 \
		if (got_ != wanted_)                                                               \
			panic("%s:%d: %s is %ld, not %ld", __FILE__, __LINE__, #got, got_,         \
				wanted_);                                                          \
	} while (0)

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static struct list frames = LIST_INIT(frames); /* what the stack sent */

static int keep_frame(struct netif *n, struct packet *p)
{
	(void)n;
	struct packet *copy = packet_copy(p, 0, packet_length(p));
	/* IPv6 configures itself meanwhile: tests/net/scripted.py looks at that. */
	if (load_be16(packet_data(copy) + 12) == ETHERNET_IPV6)
		packet_free(copy);
	else
		list_push_back(&frames, &copy->link);
	packet_free(p);
	return 0;
}

static const struct netif_ops ops = {.transmit = keep_frame};
static struct netif eth = {.ops = &ops, .mtu = 1500, .link_up = true};

/* The next frame sent, of that Ethernet type; none: NULL.  The last one is freed by the next call. */
static uint8_t *next_frame(uint16_t type, uint32_t *len)
{
	static struct packet *last;
	if (last)
		packet_free(last);
	last = NULL;
	struct list *item = list_pop_front(&frames);
	if (!item)
		return NULL;
	last = list_entry(item, struct packet, link);
	expect(load_be16(packet_data(last) + 12), type);
	if (len)
		*len = last->len;
	return packet_data(last);
}

static void arrive_frame(const uint8_t *to, uint16_t type, const void *data, size_t n)
{
	struct packet *p = packet_alloc(14 + n);
	uint8_t *at = packet_data(p);
	memcpy(at, to, 6);
	memcpy(at + 6, peer_mac, 6);
	store_be16(at + 12, type);
	memcpy(at + 14, data, n);
	p->len = (uint32_t)(14 + n);
	netif_receive(&eth, p);
	netif_receive_done(&eth);
}

static uint32_t v4(const char *s)
{
	uint32_t x = 0;
	assert(v4_parse(&s, &x));
	return x;
}

/* An IPv4 packet from the peer; fragment: the header's field. */
static void arrive_ip(const char *from, const char *to, uint8_t protocol, uint16_t id,
	uint16_t fragment, const void *payload, size_t n)
{
	static uint8_t buf[2000];
	struct ip4_header *h = (struct ip4_header *)buf;
	*h = (struct ip4_header){.version_len = 0x45,
		.total_len = cpu_to_be16((uint16_t)(20 + n)),
		.id = cpu_to_be16(id),
		.fragment = cpu_to_be16(fragment),
		.ttl = 63,
		.protocol = protocol,
		.source = v4(from),
		.destination = v4(to)};
	h->checksum = checksum_final(checksum_add(0, h, 20));
	memcpy(buf + 20, payload, n);
	bool group = v4_is_multicast(h->destination) || h->destination == UINT32_MAX;
	arrive_frame(group ? ethernet_broadcast : our_mac, ETHERNET_IPV4, buf, 20 + n);
}

/* A UDP datagram in buf; its length. */
static size_t make_udp(uint8_t *buf, const char *from, const char *to, uint16_t source,
	uint16_t destination, const void *data, size_t n)
{
	store_be16(buf, source);
	store_be16(buf + 2, destination);
	store_be16(buf + 4, (uint16_t)(8 + n));
	store_be16(buf + 6, 0);
	memcpy(buf + 8, data, n);
	struct ip_addr a = ip_from_v4(v4(from)), b = ip_from_v4(v4(to));
	uint64_t sum = checksum_pseudo(&a, &b, 17, (uint32_t)(8 + n));
	uint16_t checksum =
		checksum_final(sum + (uint64_t)checksum_fold(checksum_add(0, buf, 8 + n)));
	memcpy(buf + 6, &checksum, 2);
	return 8 + n;
}

static void arrive_udp(const char *from, const char *to, uint16_t source, uint16_t destination,
	const void *data, size_t n)
{
	static uint8_t buf[2000];
	size_t len = make_udp(buf, from, to, source, destination, data, n);
	arrive_ip(from, to, 17, 7, 0, buf, len);
}

struct arp_fields {
	uint16_t hardware, protocol;
	uint8_t hardware_len, protocol_len;
	uint16_t operation;
	uint8_t from_mac[6];
	uint32_t from;
	uint8_t to_mac[6];
	uint32_t to;
} packed;

static void arrive_arp(uint16_t operation, const char *from, const char *to)
{
	struct arp_fields a = {cpu_to_be16(1), cpu_to_be16(0x800), 6, 4, cpu_to_be16(operation),
		{0}, v4(from), {0}, v4(to)};
	memcpy(a.from_mac, peer_mac, 6);
	arrive_frame(operation == 1 ? ethernet_broadcast : our_mac, ETHERNET_ARP, &a, sizeof(a));
}

static struct arp_fields *expect_arp(uint16_t operation, const char *to)
{
	uint8_t *f = next_frame(ETHERNET_ARP, NULL);
	assert(f);
	struct arp_fields *a = (struct arp_fields *)(f + 14);
	expect(be16_to_cpu(a->operation), operation);
	expect(a->to, v4(to));
	return a;
}

/* The IP header of the next frame, whose checksums are right; payload after it. */
static struct ip4_header *expect_ip(uint8_t protocol, const char *to, uint32_t *payload_len)
{
	uint32_t len = 0;
	uint8_t *f = next_frame(ETHERNET_IPV4, &len);
	if (!f)
		panic("no packet to %s was sent", to);
	struct ip4_header *h = (struct ip4_header *)(f + 14);
	expect(checksum_final(checksum_add(0, h, 20)), 0);
	expect(h->protocol, protocol);
	expect(h->destination, v4(to));
	expect(be16_to_cpu(h->total_len), len - 14);
	*payload_len = len - 34;
	return h;
}

static void check_udp_checksum(const struct ip4_header *h, uint32_t len)
{
	struct ip_addr a = ip_from_v4(h->source), b = ip_from_v4(h->destination);
	uint64_t sum = checksum_pseudo(&a, &b, 17, len);
	expect(checksum_final(sum + (uint64_t)checksum_fold(checksum_add(0, h + 1, len))), 0);
}

/* --- DHCP --- */

static uint8_t *put(uint8_t *at, uint8_t type, const void *data, uint8_t n)
{
	*at++ = type;
	*at++ = n;
	memcpy(at, data, n);
	return at + n;
}

static uint8_t option_of(const uint8_t *options, uint8_t type, uint32_t *value)
{
	while (*options != 255 && *options != type)
		options += 2 + options[1];
	if (*options == 255)
		return 0;
	memcpy(value, options + 2, min((unsigned)options[1], 4u));
	return options[1];
}

/* The client's message: its type; id and ciaddr go to *. */
static unsigned expect_dhcp(const char *to, uint32_t *id, uint32_t *client)
{
	uint32_t len = 0, type = 0;
	struct ip4_header *h = expect_ip(17, to, &len);
	check_udp_checksum(h, len);
	const uint8_t *udp = (const uint8_t *)(h + 1), *m = udp + 8;
	expect(load_be16(udp), 68);
	expect(load_be16(udp + 2), 67);
	memcpy(id, m + 4, 4);
	memcpy(client, m + 12, 4);
	expect(memcmp(m + 28, our_mac, 6), 0);
	expect(option_of(m + 240, 53, &type), 1);
	return type;
}

static void answer_dhcp(uint8_t type, uint32_t id, const char *address_given, uint32_t lease_s)
{
	static uint8_t m[400];
	memset(m, 0, sizeof(m));
	uint32_t given = v4(address_given), mask = v4("255.255.255.0"), server = v4("10.1.0.1"),
		 lease = cpu_to_be32(lease_s), dns = v4("10.1.0.3");
	m[0] = 2;
	memcpy(m + 4, &id, 4);
	memcpy(m + 16, &given, 4);
	memcpy(m + 28, our_mac, 6);
	store_be32(m + 236, 0x63825363);
	uint8_t *at = put(m + 240, 53, &type, 1);
	at = put(at, 54, &server, 4);
	at = put(at, 51, &lease, 4);
	at = put(at, 1, &mask, 4);
	at = put(at, 3, &server, 4);
	at = put(at, 6, &dns, 4);
	at = put(at, 12, "host-name", 9);
	*at++ = 255;
	arrive_udp("10.1.0.1", "255.255.255.255", 67, 68, m, (size_t)(at - m));
}

static void connector(void *arg)
{
	struct file *f = new_socket(SOCK_DGRAM, 0);
	*(int *)arg = connect_to(f, "10.1.0.9", 53);
	file_put(f);
	thread_exit();
}

static void check_dhcp(void)
{
	uint32_t id = 0, client = 0, again = 0;
	expect(net_configure(NULL), 0);
	expect(expect_dhcp("255.255.255.255", &id, &client), 1);
	/* A program that connects meanwhile waits. */
	int result = 1;
	struct thread *t = start_thread(connector, &result);
	sleep_ms(100);
	expect(result, 1);
	sleep_ms(2000); /* asked again */
	expect(expect_dhcp("255.255.255.255", &id, &client), 1);
	answer_dhcp(2, id + 1, "10.1.0.5", 3600); /* of another exchange */
	expect(next_frame(0, NULL) == NULL, true);
	answer_dhcp(2, id, "10.1.0.5", 3600);
	expect(expect_dhcp("255.255.255.255", &again, &client), 3);
	expect(again, id);
	answer_dhcp(5, id, "10.1.0.5", 3600);
	join_thread(t);
	expect(result, 0);
	expect_arp(1, "10.1.0.5"); /* announced */
	char servers[3][48];
	expect(net_name_servers(servers, 3), 1);
	expect(strcmp(servers[0], "10.1.0.3"), 0);
	expect(strcmp(net_host_name(), "host-name"), 0);
	while (next_frame(ETHERNET_ARP, NULL))
		;
	/* Half of the lease: renewal by unicast, after ARP for the server. */
	arrive_arp(1, "10.1.0.1", "10.1.0.5");
	expect_arp(2, "10.1.0.1");
	sleep_ms(1801000);
	expect_arp(1, "10.1.0.1"); /* stale by now: used, and probed */
	expect(expect_dhcp("10.1.0.1", &id, &client), 3);
	expect(client, v4("10.1.0.5"));
	arrive_arp(2, "10.1.0.1", "10.1.0.5");
	answer_dhcp(5, id, "10.1.0.5", 3600);
	/* Nobody answers any more: the address is lost in the end. */
	sleep_ms(3700000);
	expect(netif_interface(&eth)->v4, 0);
	while (list_pop_front(&frames))
		;
	/* A fresh one for the rest of the tests, for ever. */
	sleep_ms(70000);
	unsigned type = expect_dhcp("255.255.255.255", &id, &client);
	expect(type, 1);
	while (list_pop_front(&frames))
		;
	answer_dhcp(2, id, "10.1.0.5", 3600);
	expect(expect_dhcp("255.255.255.255", &id, &client), 3);
	answer_dhcp(5, id, "10.1.0.5", UINT32_MAX);
	expect(netif_interface(&eth)->v4, v4("10.1.0.5"));
	expect_arp(1, "10.1.0.5");
}

/* --- ARP --- */

static long send_udp(struct file *f, const char *to, uint16_t port, const void *data, size_t n)
{
	struct io_buffer b;
	struct socket_address a = address(to, port);
	io_buffer_kernel(&b, (void *)(uintptr_t)data, n);
	struct socket_message m = {
		.data = &b, .address = &a, .deadline_ns = NO_DEADLINE, .flags = MSG_DONTWAIT};
	return socket_send(f, &m);
}

static void check_arp(void)
{
	struct file *f = new_socket(SOCK_DGRAM, 0);
	uint32_t len = 0;
	expect(send_udp(f, "10.1.0.77", 9, "one", 3), 3);
	expect(send_udp(f, "10.1.0.77", 9, "two", 3), 3);
	expect_arp(1, "10.1.0.77");
	expect(next_frame(0, NULL) == NULL, true);
	sleep_ms(1100);
	expect_arp(1, "10.1.0.77");
	arrive_arp(2, "10.1.0.77", "10.1.0.5");
	struct ip4_header *h = expect_ip(17, "10.1.0.77", &len);
	check_udp_checksum(h, len);
	expect(memcmp((uint8_t *)(h + 1) + 8, "one", 3), 0);
	h = expect_ip(17, "10.1.0.77", &len);
	expect(memcmp((uint8_t *)(h + 1) + 8, "two", 3), 0);
	/* Off the link: through the gateway. */
	expect(send_udp(f, "8.8.8.8", 53, "far", 3), 3);
	expect_arp(1, "10.1.0.1");
	arrive_arp(2, "10.1.0.1", "10.1.0.5");
	(void)expect_ip(17, "8.8.8.8", &len);
	/* We answer for ourselves only. */
	arrive_arp(1, "10.1.0.77", "10.1.0.5");
	expect_arp(2, "10.1.0.77");
	arrive_arp(1, "10.1.0.77", "10.1.0.6");
	expect(next_frame(0, NULL) == NULL, true);
	/* Nobody there: three questions, then EHOSTUNREACH for a connected socket. */
	struct file *t = new_socket(SOCK_STREAM, 0);
	uint64_t start = clock_monotonic_ns();
	expect(connect_to(t, "10.1.0.99", 80), -EHOSTUNREACH);
	expect((clock_monotonic_ns() - start) / NS_PER_S, 3);
	for (int i = 0; i < 3; i++)
		expect_arp(1, "10.1.0.99");
	file_put(t);
	/* Unused for long, the entry is stale; the next use goes out at once and asks as well. */
	sleep_ms(100000);
	expect(send_udp(f, "10.1.0.77", 9, "old", 3), 3);
	expect_arp(1, "10.1.0.77");
	(void)expect_ip(17, "10.1.0.77", &len);
	sleep_ms(5000);
	expect_arp(1, "10.1.0.77");
	expect_arp(1, "10.1.0.77");
	expect(send_udp(f, "10.1.0.77", 9, "gone", 4), 4);
	expect_arp(1, "10.1.0.77"); /* incomplete again */
	expect(next_frame(0, NULL) == NULL, true);
	file_put(f);
	sleep_ms(10000);
	while (list_pop_front(&frames))
		;
	arrive_arp(2, "10.1.0.77", "10.1.0.5");
}

/* --- UDP, ICMP --- */

static long receive_from(struct file *f, void *data, size_t n, int flags,
	struct socket_address *from, int *out_flags)
{
	struct io_buffer b;
	io_buffer_kernel(&b, data, n);
	struct socket_message m = {.data = &b,
		.address = from,
		.deadline_ns = NO_DEADLINE,
		.flags = flags | MSG_DONTWAIT};
	long got = socket_receive(f, &m);
	if (out_flags)
		*out_flags = m.out_flags;
	return got;
}

static void check_udp(void)
{
	struct file *f = new_socket(SOCK_DGRAM, 0);
	struct socket_address from;
	char buf[100];
	int flags = 0, one = 1;
	uint32_t len = 0;
	expect(bind_to(f, "0.0.0.0", 5353), 0);
	expect(file_poll(f), EPOLLOUT | EPOLLWRNORM);
	arrive_udp("10.1.0.77", "10.1.0.5", 1234, 5353, "hello", 5);
	expect(file_poll(f), EPOLLOUT | EPOLLWRNORM | EPOLLIN | EPOLLRDNORM);
	expect(receive_from(f, buf, 3, MSG_PEEK, &from, &flags), 3);
	expect(flags, MSG_TRUNC);
	expect(receive_from(f, buf, 3, MSG_TRUNC, &from, &flags), 5);
	expect(port_of(&from), 1234);
	expect(receive_from(f, buf, 3, 0, &from, &flags), -EAGAIN);
	arrive_udp("10.1.0.77", "10.1.0.5", 1234, 5353, "", 0);
	expect(receive_from(f, buf, 3, 0, &from, &flags), 0);
	arrive_udp("10.1.0.77", "10.1.0.255", 1234, 5353, "all", 3);
	expect(receive_from(f, buf, 100, 0, &from, &flags), 3);
	/* A wrong checksum, a wrong length, somebody else's address. */
	uint8_t udp[100];
	size_t n = make_udp(udp, "10.1.0.77", "10.1.0.5", 1, 5353, "bad", 3);
	udp[8]++;
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 1, 0, udp, n);
	udp[8]--;
	store_be16(udp + 4, 200);
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 1, 0, udp, n);
	store_be16(udp + 4, 4);
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 1, 0, udp, n);
	arrive_udp("10.1.0.77", "10.1.0.6", 1, 5353, "other", 5);
	expect(receive_from(f, buf, 100, 0, &from, &flags), -EAGAIN);
	/* Nobody bound: port unreachable, with the packet quoted. */
	arrive_udp("10.1.0.77", "10.1.0.5", 1234, 99, "nobody", 6);
	struct ip4_header *h = expect_ip(1, "10.1.0.77", &len);
	const uint8_t *icmp = (const uint8_t *)(h + 1);
	expect(icmp[0], 3);
	expect(icmp[1], 3);
	expect(checksum_final(checksum_add(0, icmp, len)), 0);
	expect(len, 8 + 28 + 6);
	/* Broadcast wants an option. */
	expect(send_udp(f, "255.255.255.255", 9, "x", 1), -EACCES);
	expect(socket_set_option(f, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	expect(send_udp(f, "255.255.255.255", 9, "x", 1), 1);
	h = expect_ip(17, "255.255.255.255", &len);
	expect(h->source, v4("10.1.0.5"));
	expect(send_udp(f, "10.1.0.77", 0, "x", 1), -EINVAL);
	expect(send_bytes(f, "x", 1, 0), -EDESTADDRREQ);
	static char huge[65508];
	expect(send_udp(f, "10.1.0.77", 9, huge, sizeof(huge)), -EMSGSIZE);
	/* Connected: only the peer is heard, and its errors count. */
	expect(connect_to(f, "10.1.0.77", 1234), 0);
	arrive_udp("10.1.0.78", "10.1.0.5", 1234, 5353, "other", 5);
	while (next_frame(ETHERNET_ARP, NULL)) /* we know nobody called .78 */
		;
	expect(receive_from(f, buf, 100, 0, &from, &flags), -EAGAIN);
	expect(send_bytes(f, "to you", 6, 0), 6);
	h = expect_ip(17, "10.1.0.77", &len);
	uint8_t error[100] = {3, 3};
	memcpy(error + 8, h, 28);
	uint16_t sum = checksum_final(checksum_add(0, error, 36));
	memcpy(error + 2, &sum, 2);
	arrive_ip("10.1.0.77", "10.1.0.5", 1, 1, 0, error, 36);
	expect(file_poll(f), EPOLLOUT | EPOLLWRNORM | EPOLLERR);
	expect(send_bytes(f, "to you", 6, 0), -ECONNREFUSED);
	expect(send_bytes(f, "to you", 6, 0), 6);
	(void)expect_ip(17, "10.1.0.77", &len);
	file_put(f);
}

static void check_ping(void)
{
	uint32_t len = 0;
	uint8_t echo[64] = {8, 0, 0, 0, 0, 7, 0, 1, 'd', 'a', 't', 'a'};
	uint16_t sum = checksum_final(checksum_add(0, echo, sizeof(echo)));
	memcpy(echo + 2, &sum, 2);
	arrive_ip("10.1.0.77", "10.1.0.5", 1, 1, 0, echo, sizeof(echo));
	struct ip4_header *h = expect_ip(1, "10.1.0.77", &len);
	const uint8_t *reply = (const uint8_t *)(h + 1);
	expect(h->source, v4("10.1.0.5"));
	expect(reply[0], 0);
	expect(memcmp(reply + 4, echo + 4, 60), 0);
	expect(checksum_final(checksum_add(0, reply, len)), 0);
	arrive_ip("10.1.0.77", "10.1.0.255", 1, 1, 0, echo, sizeof(echo));
	expect(next_frame(0, NULL) == NULL, true);
	/* And ours. */
	struct file *f = NULL;
	expect(socket_create(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0, &f), 0);
	uint8_t ours[16] = {8, 0, 0, 0, 0, 0, 0, 5, 'x'};
	expect(send_udp(f, "10.1.0.77", 0, ours, sizeof(ours)), 16);
	h = expect_ip(1, "10.1.0.77", &len);
	uint8_t back[16];
	memcpy(back, h + 1, 16);
	back[0] = 0;
	memset(back + 2, 0, 2);
	sum = checksum_final(checksum_add(0, back, 16));
	memcpy(back + 2, &sum, 2);
	arrive_ip("10.1.0.77", "10.1.0.5", 1, 1, 0, back, 16);
	struct socket_address from;
	expect(receive_from(f, ours, sizeof(ours), 0, &from, NULL), 16);
	expect(ours[7], 5);
	file_put(f);
}

/* --- fragments --- */

static void check_fragments(void)
{
	static uint8_t data[5000], udp[5008], got[5000];
	struct file *f = new_socket(SOCK_DGRAM, 0);
	struct socket_address from;
	expect(bind_to(f, "10.1.0.5", 5400), 0);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 >> 3);
	size_t n = make_udp(udp, "10.1.0.77", "10.1.0.5", 9, 5400, data, sizeof(data));
	static const unsigned orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 2, 0, 1}};
	for (unsigned o = 0; o < 4; o++) {
		for (unsigned i = 0; i < 4; i++) {
			unsigned k = orders[o][i];
			size_t start = k * 1480, len = min(n - start, (size_t)1480);
			arrive_ip("10.1.0.77", "10.1.0.5", 17, (uint16_t)(100 + o),
				(uint16_t)(start / 8 | (k < 3 ? 0x2000 : 0)), udp + start, len);
		}
		if (o == 3) /* one is doubled, another missing */
			expect(receive_from(f, got, sizeof(got), 0, &from, NULL), -EAGAIN);
		else
			expect(receive_from(f, got, sizeof(got), 0, &from, NULL), sizeof(data));
		expect(memcmp(got, data, sizeof(data)), 0);
	}
	/* Overlaps make a datagram void; after 30 s parts are forgotten; floods are bounded. */
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 200, 0x2000, udp, 1480);
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 200, 0x2000 | 184, udp, 1480);
	arrive_ip("10.1.0.77", "10.1.0.5", 17, 200, 185 | 0, udp + 1480,
		n - 1480 > 1480 ? 1480 : n - 1480);
	expect(receive_from(f, got, sizeof(got), 0, &from, NULL), -EAGAIN);
	for (unsigned i = 0; i < 5000; i++)
		arrive_ip("10.1.0.77", "10.1.0.5", 17, (uint16_t)i, 0x2000 | 3, udp, 1480);
	sleep_ms(40000);
	/* Ours: a datagram above the MTU goes out in pieces that make the whole. */
	int how = IP_PMTUDISC_DO;
	expect(send_udp(f, "10.1.0.77", 9, data, sizeof(data)), sizeof(data));
	while (!list_empty(&frames) &&
		load_be16(packet_data(list_first(&frames, struct packet, link)) + 12) ==
			ETHERNET_ARP)
		(void)next_frame(ETHERNET_ARP, NULL);
	static uint8_t whole[6000];
	uint32_t seen = 0, len = 0;
	for (unsigned i = 0; i < 4; i++) {
		struct ip4_header *h = expect_ip(17, "10.1.0.77", &len);
		uint32_t offset = (be16_to_cpu(h->fragment) & 0x1fff) * 8u;
		expect(!(be16_to_cpu(h->fragment) & 0x2000), i == 3);
		memcpy(whole + offset, h + 1, len);
		seen += len;
	}
	expect(seen, 5008);
	expect(memcmp(whole + 8, data, sizeof(data)), 0);
	expect(socket_set_option(f, SOL_IP, IP_MTU_DISCOVER, &how, sizeof(how)), 0);
	expect(send_udp(f, "10.1.0.77", 9, data, sizeof(data)), -EMSGSIZE);
	file_put(f);
}

static void check_multicast(void)
{
	struct file *f = new_socket(SOCK_DGRAM, 0);
	struct socket_address from;
	char buf[10];
	uint32_t len = 0;
	expect(bind_to(f, "0.0.0.0", 5355), 0);
	arrive_udp("10.1.0.77", "224.0.0.252", 1, 5355, "m", 1);
	expect(receive_from(f, buf, 10, 0, &from, NULL), -EAGAIN);
	struct linux_ip_mreqn m = {.imr_multiaddr = v4("224.0.0.252")};
	expect(socket_set_option(f, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	struct ip4_header *h = expect_ip(2, "224.0.0.252", &len);
	expect(((uint8_t *)(h + 1))[0], 0x16);
	expect(h->ttl, 1);
	expect(socket_set_option(f, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), -EADDRINUSE);
	arrive_udp("10.1.0.77", "224.0.0.252", 1, 5355, "m", 1);
	expect(receive_from(f, buf, 10, 0, &from, NULL), 1);
	file_put(f);
	(void)expect_ip(2, "224.0.0.2", &len); /* leave */
	arrive_udp("10.1.0.77", "224.0.0.252", 1, 5355, "m", 1);
}

/* --- what must do nothing --- */

static void check_nonsense(void)
{
	static uint8_t junk[1600];
	uint32_t seed = 1;
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned k = 0; k < 100; k++)
			junk[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		size_t n = seed % 100;
		if (i % 4 == 0) {
			arrive_frame(our_mac, ETHERNET_ARP, junk, n);
		} else if (i % 4 == 1) {
			junk[0] = 0x45;
			arrive_frame(our_mac, ETHERNET_IPV4, junk, n);
		} else {
			static const uint8_t numbers[] = {1, 2, 6, 17, 200};
			arrive_ip("10.1.0.77", "10.1.0.5", numbers[i % 5], 1, i % 3 ? 0 : 0x2000,
				junk, n);
		}
	}
	struct list *item;
	while ((item = list_pop_front(&frames)))
		packet_free(list_entry(item, struct packet, link));
	sleep_ms(100000);
	while ((item = list_pop_front(&frames)))
		packet_free(list_entry(item, struct packet, link));
}

/* --- netlink, ioctl, /proc --- */

static void check_netlink(void)
{
	struct file *f = NULL;
	static uint8_t reply[8192] aligned_to(8);
	expect(socket_create(AF_NETLINK, SOCK_RAW, 0, 0, &f), 0);
	static const struct {
		uint16_t type;
		unsigned n;
	} questions[] = {
		{RTM_GETLINK, 2}, {RTM_GETADDR, 4}, {RTM_GETROUTE, 3}}; /* of both families */
	for (unsigned q = 0; q < 3; q++) {
		struct {
			struct linux_nlmsghdr h;
			uint8_t family, pad[3];
		} request = {
			{sizeof(request), questions[q].type, NLM_F_REQUEST | NLM_F_DUMP, 42, 0},
			AF_UNSPEC, {0}};
		expect(send_bytes(f, &request, sizeof(request), 0), sizeof(request));
		unsigned n = 0;
		bool done = false;
		while (!done) {
			long len = receive_bytes_of(f, reply, sizeof(reply), 0);
			assert(len > 0);
			for (long at = 0; at < len;) {
				struct linux_nlmsghdr *h = (struct linux_nlmsghdr *)(reply + at);
				expect(h->nlmsg_seq, 42);
				done = h->nlmsg_type == NLMSG_DONE;
				n += !done;
				if (!done)
					expect(h->nlmsg_type, questions[q].type - 2);
				at += align_up(h->nlmsg_len, 4u);
			}
		}
		expect(n, questions[q].n);
	}
	struct linux_ifreq r = {.ifr_name = "eth0"};
	expect(f->ops->ioctl(f, SIOCGIFADDR, (unsigned long)&r), 0);
	uint32_t ours = 0;
	memcpy(&ours, r.bytes + 4, 4);
	expect(ours, v4("10.1.0.5"));
	expect(f->ops->ioctl(f, SIOCGIFINDEX, (unsigned long)&r), 0);
	expect(r.value, 2);
	file_put(f);
	static char text[4096];
	struct text t;
	text_init(&t, text, sizeof(text));
	net_show_route(&t);
	net_show_dev(&t);
	net_show_tcp(&t);
	net_show_udp(&t);
	net_show_sockstat(&t);
	assert(!t.cut);
	assert(strstr(text, "eth0\t00000000\t0100010A\t0003"));
}

static void check_static(void)
{
	/* Linux's nfsroot.txt. */
	interface_configure(netif_interface(&eth), 0, 0);
	expect(net_configure("10.5.0.2::10.5.0.1:255.255.0.0:named:eth0:off:10.5.0.3:10.5.0.4"), 0);
	char servers[3][48];
	expect(netif_interface(&eth)->v4, v4("10.5.0.2"));
	expect(netif_interface(&eth)->broadcast, v4("10.5.255.255"));
	expect(net_name_servers(servers, 3), 2);
	expect(strcmp(net_host_name(), "named"), 0);
	struct route r;
	struct ip_addr far = ip_from_v4(v4("1.1.1.1"));
	expect(route_find(&far, 0, &r), 0);
	route_release(&r);
	expect(net_configure("10.5.0.2::10.5.0.1:255.255.0.0::eth7:off"), -ENODEV);
	expect(net_configure("10.5.0.256::"), -EINVAL);
	expect(net_configure("what"), -EINVAL);
	expect(net_configure("1:2:3:4:5:6:7:8:9:10:11:12"), -EINVAL);
	expect(net_configure("off"), 0);
}

static void everything(void *arg)
{
	(void)arg;
	net_init();
	memcpy(eth.mac, our_mac, 6);
	netif_register(&eth);
	check_dhcp();
	check_arp();
	check_udp();
	check_ping();
	check_fragments();
	check_multicast();
	check_netlink();
	check_nonsense();
	check_static();
	printf("ok\n");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	host_run(everything, NULL);
	return 0;
}
