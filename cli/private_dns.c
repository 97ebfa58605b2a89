/* Packets by hand: Ethernet II, IPv4 without options (RFC 791), UDP (RFC 768), DNS (RFC 1035 4). */
#include "cli/private_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/memory.h"
#include "cli/private_net.h"
#include "cli/text.h"

#define SERVER 0x0a000203u /* 10.0.2.3 */
#define PENDING 128u
#define PENDING_NS (5 * NS_PER_S)
#define ETHERNET 14u
#define IP 20u
#define UDP 8u
#define DNS 12u
#define PAYLOAD_MAX 1472u
#define TTL 5 /* seconds: instances come and go */

const uint8_t private_dns_mac[6] = {0x02, 0x6d, 0x6f, 0xff, 0xff, 0x03};

/* Where an answer goes. */
struct client {
	uint8_t mac[6];
	uint32_t address; /* network byte order, as the port */
	uint16_t port;
};

struct question {
	struct client client;
	uint16_t id; /* the client's */
	int64_t until_ns;
};

struct private_dns {
	char *network;
	void (*send)(void *, const uint8_t *, size_t);
	void *context;
	struct watch upstream; /* fd -1 = this host has no name server */
	struct question pending[PENDING];
	uint16_t next;
};

/* ---- Packets ---- */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint16_t header_checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < IP; i += 2)
		sum += get16(header + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void put_ethernet(uint8_t *frame, const uint8_t *to, unsigned type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, private_dns_mac, 6);
	put16(frame + 12, type);
}

static void send_udp(
	struct private_dns *d, const struct client *to, const uint8_t *data, size_t len)
{
	uint8_t frame[ETHERNET + IP + UDP + PAYLOAD_MAX] = {0};
	uint8_t *ip = frame + ETHERNET, *udp = ip + IP;

	if (len > PAYLOAD_MAX)
		return;
	put_ethernet(frame, to->mac, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(IP + UDP + len));
	ip[8] = 64;
	ip[9] = 17;
	put32(ip + 12, SERVER);
	memcpy(ip + 16, &to->address, 4);
	put16(ip + 10, header_checksum(ip));
	put16(udp, 53);
	memcpy(udp + 2, &to->port, 2);
	put16(udp + 4, (unsigned)(UDP + len)); /* checksum 0: none */
	memcpy(udp + UDP, data, len);
	d->send(d->context, frame, ETHERNET + IP + UDP + len);
}

static void take_arp(struct private_dns *d, const uint8_t *frame, size_t len)
{
	uint8_t reply[60] = {0};
	const uint8_t *arp = frame + ETHERNET;

	if (len < 42 || get16(arp + 6) != 1 || get16(arp + 24) != SERVER >> 16 ||
		get16(arp + 26) != (SERVER & 0xffff))
		return;
	put_ethernet(reply, arp + 8, 0x0806);
	memcpy(reply + 14, arp, 6);
	put16(reply + 20, 2);
	memcpy(reply + 22, private_dns_mac, 6);
	put32(reply + 28, SERVER);
	memcpy(reply + 32, arp + 8, 10);
	d->send(d->context, reply, sizeof(reply));
}

/* ---- Names ---- */

/* The first question's name with dots, lower case; the offset behind it, 0 when it makes no sense. */
static size_t read_name(const uint8_t *message, size_t len, char name[256])
{
	size_t at = DNS, n = 0;

	while (at < len && message[at]) {
		unsigned part = message[at++];

		if (part > 63 || at + part >= len || n + part + 2 > 255)
			return 0;
		for (unsigned i = 0; i < part; i++) {
			char c = (char)message[at++];

			name[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		}
		name[n++] = '.';
	}
	name[n ? n - 1 : 0] = 0;
	return at + 5 <= len ? at + 1 : 0;
}

/* Ours to answer: "x.mote", or a name of one part. */
static bool is_ours(char *name)
{
	if (string_ends(name, ".mote")) {
		name[strlen(name) - strlen(".mote")] = 0;
		return true;
	}
	return name[0] && !strchr(name, '.');
}

/* Instances may have capitals in their names, questions have lost theirs. */
static uint32_t find_address(const struct private_dns *d, const char *name)
{
	struct string_list names = {0};
	uint32_t address = private_net_find(d->network, name);

	if (!address && instance_names(&names) >= 0)
		for (size_t i = 0; i < names.n && !address; i++)
			if (strcasecmp(names.items[i], name) == 0)
				address = private_net_find(d->network, names.items[i]);
	list_free(&names);
	return address;
}

static void answer_name(struct private_dns *d, const struct client *to, const uint8_t *message,
	size_t question_end, const char *name)
{
	uint8_t reply[DNS + 256 + 4 + 16];
	uint32_t address = find_address(d, name);
	bool wants_a = get16(message + question_end) == 1;
	size_t len = question_end + 4;

	if (len + 16 > sizeof(reply))
		return;
	memcpy(reply, message, len);
	/* RFC 1035 4.1.1: a response, authoritative, recursion as it was wanted and available. */
	put16(reply + 2, 0x8480 | (get16(message + 2) & 0x0100) | (address ? 0 : 3));
	put16(reply + 4, 1);
	put16(reply + 6, address && wants_a);
	put32(reply + 8, 0);
	if (address && wants_a) {
		put16(reply + len, 0xc000 | DNS); /* the name is the question's */
		put16(reply + len + 2, 1);
		put16(reply + len + 4, 1);
		put32(reply + len + 6, TTL);
		put16(reply + len + 10, 4);
		memcpy(reply + len + 12, &address, 4);
		len += 16;
	}
	send_udp(d, to, reply, len);
}

/* ---- This host's name server ---- */

static void ask_upstream(
	struct private_dns *d, const struct client *from, const uint8_t *message, size_t len)
{
	uint8_t copy[PAYLOAD_MAX];
	uint16_t id = d->next++;
	struct question *q = &d->pending[id % PENDING];

	if (d->upstream.fd < 0 || len > sizeof(copy))
		return;
	*q = (struct question){*from, get16(message), clock_now_ns() + PENDING_NS};
	memcpy(copy, message, len);
	put16(copy, id);
	(void)!send(d->upstream.fd, copy, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void upstream_ready(void *context, short events)
{
	struct private_dns *d = context;
	uint8_t message[PAYLOAD_MAX];
	ssize_t n = recv(d->upstream.fd, message, sizeof(message), MSG_DONTWAIT);

	(void)events;
	if (n < (ssize_t)DNS)
		return;
	uint16_t id = get16(message);
	struct question *q = &d->pending[id % PENDING];

	if ((uint16_t)(d->next - id - 1) >= PENDING || clock_now_ns() > q->until_ns)
		return;
	q->until_ns = 0;
	put16(message, q->id);
	send_udp(d, &q->client, message, (size_t)n);
}

/* The first "nameserver" of resolv.conf(5); -1 when there is none. */
static int open_upstream(void)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[256], text[64];
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, " nameserver %63s", text) == 1 &&
			inet_pton(AF_INET, text, &at.sin_addr) == 1;
	if (f)
		fclose(f);
	int fd = found ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* ---- Frames ---- */

static void take_question(
	struct private_dns *d, const struct client *from, const uint8_t *message, size_t len)
{
	char name[256] = "";

	if (len < DNS + 5 || message[2] & 0x80 || get16(message + 4) != 1)
		return;
	size_t end = read_name(message, len, name);

	if (!end)
		return;
	if (is_ours(name))
		answer_name(d, from, message, end, name);
	else
		ask_upstream(d, from, message, len);
}

static void take_ip(struct private_dns *d, const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + ETHERNET, *udp = ip + IP;
	struct client from;

	if (len < ETHERNET + IP + UDP || ip[0] != 0x45 || ip[9] != 17 || get16(ip + 6) & 0x3fff ||
		get16(ip + 16) != SERVER >> 16 || get16(ip + 18) != (SERVER & 0xffff) ||
		get16(udp + 2) != 53)
		return;
	size_t udp_len = get16(udp + 4);

	if (udp_len < UDP || udp_len > len - ETHERNET - IP)
		return;
	memcpy(from.mac, frame + 6, 6);
	memcpy(&from.address, ip + 12, 4);
	memcpy(&from.port, udp, 2);
	take_question(d, &from, udp + UDP, udp_len - UDP);
}

void private_dns_frame(struct private_dns *d, const uint8_t *frame, size_t len)
{
	unsigned type = get16(frame + 12);

	if (type == 0x0806)
		take_arp(d, frame, len);
	else if (type == 0x0800)
		take_ip(d, frame, len);
}

struct private_dns *private_dns_open(struct loop *loop, const char *network,
	void (*send_frame)(void *context, const uint8_t *frame, size_t len), void *context)
{
	struct private_dns *d = memory_new(1, sizeof(*d));

	d->network = memory_string(network);
	d->send = send_frame;
	d->context = context;
	d->upstream = (struct watch){
		.fd = open_upstream(), .events = POLLIN, .ready = upstream_ready, .context = d};
	d->upstream.is_off = d->upstream.fd < 0;
	loop_watch(loop, &d->upstream);
	return d;
}
