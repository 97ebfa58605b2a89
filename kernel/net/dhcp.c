/*
 * DHCPv4 (RFC 2131, 2132): discover, request, and renewal at half of the lease.  One exchange per interface, driven
 * by a timer and by received packets; until it succeeds it goes on asking, with the intervals of RFC 2131 4.1.
 */
#include "kernel/net/dhcp.h"

#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/arp.h"
#include "kernel/net/checksum.h"
#include "kernel/net/configure.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/net.h"
#include "kernel/net/wheel.h"

#define OPTION_MASK 1u
#define OPTION_ROUTER 3u
#define OPTION_DNS 6u
#define OPTION_HOST_NAME 12u
#define OPTION_MTU 26u
#define OPTION_REQUESTED 50u
#define OPTION_LEASE 51u
#define OPTION_TYPE 53u
#define OPTION_SERVER 54u
#define OPTION_WANTED 55u
#define OPTION_T1 58u
#define OPTION_T2 59u
#define OPTION_CLIENT_ID 61u
#define OPTION_END 255u
#define MAGIC 0x63825363u

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK };

#define FIRST_WAIT_MS 1000u
#define LONGEST_WAIT_MS 64000u
#define GIVE_UP_TRIES 4u /* then programs waiting for an address get their error */
#define RENEW_RETRY_MIN_S 60u

struct dhcp_message {
	uint8_t operation, hardware_type, hardware_len, hops;
	uint32_t id;
	uint16_t seconds, flags;
	uint32_t client, yours, server, relay;
	uint8_t hardware[16];
	uint8_t names[192];
	uint32_t magic;
	uint8_t options[312];
} packed;
#define FIXED_LEN offsetof(struct dhcp_message, options)

enum dhcp_state { SELECTING, REQUESTING, BOUND, RENEWING, REBINDING };

struct dhcp {
	struct interface *interface;
	struct spinlock lock;
	struct wheel_timer timer;
	/* under lock: */
	enum dhcp_state state;
	uint32_t id, offered, server;
	unsigned tries;
	bool settled; /* nobody need wait for it any more */
	uint64_t started_ms, due_ms, renew_ms, rebind_ms, expires_ms;
};

static atomic_uint n_unsettled;

/* What an offer or acknowledgement says; 0: nothing. */
struct dhcp_answer {
	uint8_t type;
	uint32_t address, mask, router, server, lease_s, t1_s, t2_s;
	uint16_t mtu;
	uint32_t dns[NAME_SERVERS_MAX];
	unsigned n_dns;
	char host[64];
};

bool dhcp_pending(void)
{
	return n_unsettled > 0;
}

bool dhcp_wants(const struct interface *i)
{
	return i->dhcp && i->dhcp->state != BOUND;
}

/* --- sending --- */

static uint8_t *put_option(uint8_t *at, uint8_t type, const void *data, uint8_t len)
{
	*at++ = type;
	*at++ = len;
	memcpy(at, data, len);
	return at + len;
}

static uint8_t *put_options(const struct dhcp *d, uint8_t *at)
{
	static const uint8_t wanted[] = {OPTION_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_HOST_NAME,
		OPTION_MTU, OPTION_LEASE, OPTION_T1, OPTION_T2};
	uint8_t type = d->state == SELECTING ? DISCOVER : REQUEST;
	uint8_t client[7] = {1};
	memcpy(client + 1, d->interface->netif->mac, 6);
	at = put_option(at, OPTION_TYPE, &type, 1);
	at = put_option(at, OPTION_CLIENT_ID, client, sizeof(client));
	at = put_option(at, OPTION_WANTED, wanted, sizeof(wanted));
	if (d->state == REQUESTING) {
		at = put_option(at, OPTION_REQUESTED, &d->offered, 4);
		at = put_option(at, OPTION_SERVER, &d->server, 4);
	}
	*at++ = OPTION_END;
	return at;
}

/* IP and UDP headers by hand: there may be no address to route from. */
static void transmit(const struct dhcp *d, struct packet *p, bool unicast)
{
	struct interface *i = d->interface;
	uint32_t from = unicast || d->state == REBINDING ? i->v4 : 0;
	uint32_t to = unicast ? d->server : UINT32_MAX;
	uint8_t *udp = packet_push(p, 8);
	store_be16(udp, DHCP_CLIENT_PORT);
	store_be16(udp + 2, DHCP_SERVER_PORT);
	store_be16(udp + 4, (uint16_t)p->len);
	memset(udp + 6, 0, 2);
	struct ip_addr a = ip_from_v4(from), b = ip_from_v4(to);
	uint64_t sum = checksum_pseudo(&a, &b, IPPROTO_UDP, p->len);
	uint16_t checksum = checksum_final(sum + (uint64_t)checksum_fold(checksum_packet(p, 0)));
	memcpy(udp + 6, &checksum, 2);
	struct ip_send s = {.from = a, .to = b, .protocol = IPPROTO_UDP, .ttl = IP_TTL_DEFAULT};
	struct route r = {.netif = i->netif, .kind = ROUTE_BROADCAST, .mtu = i->netif->mtu};
	if (unicast && route_find(&b, i->netif->index, &r) < 0) {
		packet_free(p);
		return;
	}
	(void)ip_output(p, &r, &s);
	route_release(&r);
}

static void send_message(const struct dhcp *d)
{
	struct packet *p = packet_alloc(sizeof(struct dhcp_message));
	if (!p)
		return;
	struct dhcp_message *m = (struct dhcp_message *)packet_data(p);
	memset(m, 0, sizeof(*m));
	m->operation = 1;
	m->hardware_type = 1;
	m->hardware_len = 6;
	m->id = d->id;
	m->seconds = cpu_to_be16((uint16_t)((now_ms() - d->started_ms) / 1000));
	if (d->state == RENEWING || d->state == REBINDING)
		m->client = d->interface->v4;
	memcpy(m->hardware, d->interface->netif->mac, 6);
	m->magic = cpu_to_be32(MAGIC);
	put_options(d, m->options);
	p->len = 300; /* the least a BOOTP relay takes; all of ours fits */
	transmit(d, p, d->state == RENEWING);
}

static void set_due(struct dhcp *d, uint64_t at_ms)
{
	d->due_ms = at_ms;
	(void)wheel_start(&d->timer, at_ms);
}

/* RFC 2131 4.1: twice as long each time, give or take a second. */
static void ask(struct dhcp *d)
{
	send_message(d);
	uint64_t wait =
		min((uint64_t)FIRST_WAIT_MS << min(d->tries, 6u), (uint64_t)LONGEST_WAIT_MS);
	d->tries++;
	set_due(d, now_ms() + wait + random_u64() % 500);
}

static void settle(struct dhcp *d)
{
	if (d->settled)
		return;
	d->settled = true;
	atomic_fetch_sub(&n_unsettled, 1);
	interfaces_settled();
}

static void start_over(struct dhcp *d)
{
	d->state = SELECTING;
	d->tries = 0;
	d->id = (uint32_t)random_u64();
	d->started_ms = now_ms();
	ask(d);
}

static void lose_address(struct dhcp *d)
{
	log_warn("%s: the lease of its address is over", d->interface->netif->name);
	(void)interface_configure(d->interface, 0, 0);
	start_over(d);
}

/* --- time --- */

static void renew(struct dhcp *d)
{
	uint64_t now = now_ms();
	if (now >= d->expires_ms) {
		lose_address(d);
		return;
	}
	d->state = now >= d->rebind_ms ? REBINDING : RENEWING;
	send_message(d);
	/* RFC 2131 4.4.5: again after half of what is left, but not within a minute. */
	uint64_t next = d->state == RENEWING ? d->rebind_ms : d->expires_ms;
	uint64_t wait = max((next - now) / 2, RENEW_RETRY_MIN_S * 1000ull);
	set_due(d, min(now + wait, d->expires_ms));
}

static void timer_fired(struct wheel_timer *t)
{
	struct dhcp *d = container_of(t, struct dhcp, timer);
	irq_state irq = spin_lock(&d->lock);
	if (d->due_ms > now_ms()) {
		set_due(d, d->due_ms);
	} else if (d->state == SELECTING || d->state == REQUESTING) {
		if (d->tries >= GIVE_UP_TRIES)
			settle(d);
		if (d->state == REQUESTING && d->tries >= GIVE_UP_TRIES)
			start_over(d);
		else
			ask(d);
	} else {
		renew(d);
	}
	spin_unlock(&d->lock, irq);
}

/* --- answers --- */

static void take_option(struct dhcp_answer *a, uint8_t type, const uint8_t *data, uint8_t len)
{
	uint32_t word = 0;
	if (len >= 4)
		memcpy(&word, data, 4);
	switch (type) {
	case OPTION_TYPE:
		a->type = len >= 1 ? data[0] : 0;
		break;
	case OPTION_MASK:
		a->mask = word;
		break;
	case OPTION_ROUTER:
		a->router = word;
		break;
	case OPTION_SERVER:
		a->server = word;
		break;
	case OPTION_LEASE:
		a->lease_s = be32_to_cpu(word);
		break;
	case OPTION_T1:
		a->t1_s = be32_to_cpu(word);
		break;
	case OPTION_T2:
		a->t2_s = be32_to_cpu(word);
		break;
	case OPTION_MTU:
		a->mtu = len >= 2 ? load_be16(data) : 0;
		break;
	case OPTION_DNS:
		for (unsigned at = 0; at + 4 <= len && a->n_dns < NAME_SERVERS_MAX; at += 4)
			memcpy(&a->dns[a->n_dns++], data + at, 4);
		break;
	case OPTION_HOST_NAME:
		memcpy(a->host, data, min((size_t)len, sizeof(a->host) - 1));
		break;
	default:
		break;
	}
}

static bool parse(const struct dhcp *d, const uint8_t *data, size_t len, struct dhcp_answer *a)
{
	const struct dhcp_message *m = (const struct dhcp_message *)data;
	if (len < FIXED_LEN + 1 || m->operation != 2 || m->id != d->id ||
		m->magic != cpu_to_be32(MAGIC) ||
		memcmp(m->hardware, d->interface->netif->mac, 6) != 0)
		return false;
	memset(a, 0, sizeof(*a));
	a->address = m->yours;
	for (size_t at = FIXED_LEN; at < len && data[at] != OPTION_END;) {
		if (data[at] == 0) {
			at++;
			continue;
		}
		if (at + 2 > len || at + 2 + data[at + 1] > len)
			return false;
		take_option(a, data[at], data + at + 2, data[at + 1]);
		at += 2u + data[at + 1];
	}
	return a->type != 0;
}

static uint32_t natural_mask(uint32_t v4)
{
	uint8_t first = (uint8_t)v4;
	return first < 128   ? IP4(255, 0, 0, 0)
	       : first < 192 ? IP4(255, 255, 0, 0)
			     : IP4(255, 255, 255, 0);
}

static void take_lease_times(struct dhcp *d, const struct dhcp_answer *a)
{
	uint64_t now = now_ms();
	if (a->lease_s == 0 || a->lease_s == UINT32_MAX) {
		d->renew_ms = d->rebind_ms = d->expires_ms = UINT64_MAX;
		(void)wheel_cancel(&d->timer);
		return;
	}
	uint64_t lease_ms = a->lease_s * 1000ull;
	uint64_t t1 = a->t1_s && a->t1_s < a->lease_s ? a->t1_s * 1000ull : lease_ms / 2;
	uint64_t t2 = a->t2_s && a->t2_s < a->lease_s ? a->t2_s * 1000ull : lease_ms / 8 * 7;
	d->expires_ms = now + lease_ms;
	d->renew_ms = now + t1;
	d->rebind_ms = now + max(t1, t2);
	set_due(d, d->renew_ms);
}

static void bound(struct dhcp *d, const struct dhcp_answer *a)
{
	struct interface *i = d->interface;
	bool same = i->v4 == a->address;
	d->state = BOUND;
	d->tries = 0;
	if (a->server)
		d->server = a->server;
	take_lease_times(d, a);
	if (same)
		return;
	uint32_t mask = a->mask ? a->mask : natural_mask(a->address);
	if (a->mtu >= 576 && a->mtu < i->netif->mtu)
		i->netif->mtu = a->mtu;
	(void)interface_configure(i, a->address, mask);
	if (a->router)
		(void)route_add(0, 0, a->router, i->netif);
	configure_names(a->dns, a->n_dns, a->host);
	arp_announce(i->netif, a->address);
	char text[V4_TEXT];
	v4_text(text, a->address);
	log_debug("%s: address %s by DHCP", i->netif->name, text);
	settle(d);
}

/* lock held. */
static void answer(struct dhcp *d, const struct dhcp_answer *a)
{
	bool usable = a->address != 0 && a->address != UINT32_MAX && !v4_is_multicast(a->address) &&
		      !v4_is_loopback(a->address);
	if (a->type == OFFER && d->state == SELECTING && usable && a->server != 0) {
		d->offered = a->address;
		d->server = a->server;
		d->state = REQUESTING;
		d->tries = 0;
		ask(d);
	} else if (a->type == ACK && d->state != SELECTING && d->state != BOUND && usable) {
		bound(d, a);
	} else if (a->type == NAK && d->state == REQUESTING) {
		start_over(d);
	} else if (a->type == NAK && (d->state == RENEWING || d->state == REBINDING)) {
		lose_address(d);
	}
}

void dhcp_input(struct netif *n, const uint8_t *data, size_t len)
{
	struct dhcp *d = netif_interface(n)->dhcp;
	struct dhcp_answer a;
	irq_state irq = spin_lock(&d->lock);
	if (parse(d, data, len, &a))
		answer(d, &a);
	spin_unlock(&d->lock, irq);
}

int dhcp_start(struct interface *i)
{
	struct dhcp *d = heap_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->interface = i;
	wheel_timer_init(&d->timer, timer_fired);
	atomic_fetch_add(&n_unsettled, 1);
	i->dhcp = d;
	irq_state irq = spin_lock(&d->lock);
	start_over(d);
	spin_unlock(&d->lock, irq);
	return 0;
}
