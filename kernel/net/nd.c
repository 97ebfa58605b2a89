/*
 * Neighbour discovery (RFC 4861) and stateless address configuration (RFC 4862, with the optimistic addresses of
 * RFC 4429).  The neighbour table is ARP's (kernel/net/arp.c).  Interface ids are EUI-64: a machine's hardware address
 * is its own and random unless somebody chose it.  Redirects are not obeyed.
 */
#include "kernel/net/nd.h"

#include "abi/linux/netlink.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/address6.h"
#include "kernel/net/arp.h"
#include "kernel/net/checksum.h"
#include "kernel/net/configure.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/wheel.h"

#define HOPS 255u /* nothing from beyond the link passes for neighbour discovery */
#define DUPLICATE_WAIT_MS 1000u
#define SOLICIT_INTERVAL_MS 4000u /* RFC 4861 10 */
#define SOLICITATIONS 3u
#define ROUTER_WAIT_MS 1000u
#define TWO_HOURS_S 7200u
#define LIFETIME_FOREVER UINT32_MAX

#define OPTION_SOURCE 1u
#define OPTION_TARGET 2u
#define OPTION_PREFIX 3u
#define OPTION_MTU 5u
#define OPTION_DNS 25u
#define PREFIX_ON_LINK 0x80u
#define PREFIX_AUTONOMOUS 0x40u
#define FLAG_SOLICITED 0x40000000u
#define FLAG_OVERRIDE 0x20000000u

/* Solicitation and advertisement. */
struct nd_message {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t flags;
	struct ip_addr target;
} packed;

struct router_message {
	uint8_t type, code;
	uint16_t checksum;
	uint8_t hops, flags;
	uint16_t lifetime_s;
	uint32_t reachable_ms, retransmit_ms;
} packed;

struct nd {
	struct netif *netif;
	struct spinlock lock;
	struct wheel_timer timer;
	/* under lock: */
	unsigned n_solicitations;
	bool answered;
	atomic_bool waiting; /* counted in n_pending */
	uint64_t wait_until_ms;
};

static atomic_uint n_pending;

bool nd_pending(void)
{
	return n_pending > 0;
}

static void settle(struct nd *d)
{
	if (atomic_exchange(&d->waiting, false)) {
		atomic_fetch_sub(&n_pending, 1);
		interfaces_settled();
	}
}

/* --- sending --- */

/* p from its ICMPv6 header on.  mac NULL: to is a group. */
static void send(struct netif *n, struct packet *p, const struct ip_addr *from,
	const struct ip_addr *to, const uint8_t *mac)
{
	struct ip_send s = {.from = *from, .to = *to, .protocol = IPPROTO_ICMPV6, .ttl = HOPS};
	uint8_t group[6] = {0x33, 0x33};
	memcpy(group + 2, to->bytes + 12, 4);
	uint8_t *h = packet_data(p);
	memset(h + 2, 0, 2);
	uint64_t sum = checksum_pseudo(from, to, IPPROTO_ICMPV6, p->len);
	uint16_t checksum = checksum_final(sum + checksum_fold(checksum_packet(p, 0)));
	memcpy(h + 2, &checksum, 2);
	uint32_t len = p->len;
	ip6_header_write((struct ip6_header *)packet_push(p, sizeof(struct ip6_header)), &s, len);
	(void)ethernet_output(n, p, mac ? mac : group, ETHERNET_IPV6);
}

/* A message of n bytes with, behind it, our hardware address as option `type` (0: none); NULL without memory. */
static struct packet *message(struct netif *netif, size_t n, uint8_t type)
{
	struct packet *p = packet_alloc(n + 8);
	if (!p)
		return NULL;
	uint8_t *at = packet_data(p);
	memset(at, 0, n + 8);
	p->len = (uint32_t)n;
	if (type) {
		at[n] = type;
		at[n + 1] = 1;
		memcpy(at + n + 2, netif->mac, 6);
		p->len += 8;
	}
	return p;
}

void nd_solicit(struct netif *n, const struct ip_addr *ip, const uint8_t *mac)
{
	struct ip_addr from, group = ip6_solicited_group(ip);
	if (!address6_choose(n, ip, &from))
		return;
	struct packet *p = message(n, sizeof(struct nd_message), OPTION_SOURCE);
	if (!p)
		return;
	struct nd_message *m = (struct nd_message *)packet_data(p);
	m->type = ND_SOLICITATION;
	m->target = *ip;
	send(n, p, &from, mac ? ip : &group, mac);
}

/* RFC 4862 5.4.2: from nobody, so that who has it answers all. */
static void probe(struct netif *n, const struct ip_addr *ip)
{
	struct ip_addr nobody = {0}, group = ip6_solicited_group(ip);
	struct packet *p = message(n, sizeof(struct nd_message), 0);
	if (!p)
		return;
	struct nd_message *m = (struct nd_message *)packet_data(p);
	m->type = ND_SOLICITATION;
	m->target = *ip;
	send(n, p, &nobody, &group, NULL);
}

static const struct ip_addr all_nodes = {.bytes = {0xff, 2, [15] = 1}};
static const struct ip_addr all_routers = {.bytes = {0xff, 2, [15] = 2}};

static void advertise(struct netif *n, const struct address6 *a, const struct ip_info *asked)
{
	bool anonymous = ip6_is_any(&asked->source);
	struct packet *p = message(n, sizeof(struct nd_message), OPTION_TARGET);
	if (!p)
		return;
	struct nd_message *m = (struct nd_message *)packet_data(p);
	m->type = ND_ADVERTISEMENT;
	m->flags = cpu_to_be32((anonymous ? 0 : FLAG_SOLICITED) |
			       (a->flags & ADDRESS6_TENTATIVE ? 0 : FLAG_OVERRIDE));
	m->target = a->ip;
	if (anonymous) {
		send(n, p, &a->ip, &all_nodes, NULL);
		return;
	}
	struct route r;
	if (route_find(&asked->source, n->index, &r) < 0) {
		packet_free(p);
		return;
	}
	struct ip_send s = {
		.from = a->ip, .to = asked->source, .protocol = IPPROTO_ICMPV6, .ttl = HOPS};
	(void)icmp6_output(p, &r, &s);
	route_release(&r);
}

static void solicit_routers(struct nd *d)
{
	struct ip_addr from;
	if (!address6_link_local(d->netif, &from))
		return;
	struct packet *p = message(d->netif, 8, OPTION_SOURCE);
	if (!p)
		return;
	packet_data(p)[0] = ND_ROUTER_SOLICITATION;
	send(d->netif, p, &from, &all_routers, NULL);
}

/* --- addresses and time --- */

static void restart(struct nd *d, unsigned ms)
{
	(void)wheel_start(&d->timer, now_ms() + ms);
}

/* A second after the last probe, and at the router's intervals. */
static void timer_fired(struct wheel_timer *t)
{
	struct nd *d = container_of(t, struct nd, timer);
	address6_confirm(d->netif);
	irq_state irq = spin_lock(&d->lock);
	bool ask = !d->answered && d->n_solicitations < SOLICITATIONS;
	if (ask) {
		d->n_solicitations++;
		restart(d, SOLICIT_INTERVAL_MS);
	}
	spin_unlock(&d->lock, irq);
	settle(d);
	if (ask)
		solicit_routers(d);
}

int nd_add_address(const struct address6 *wanted)
{
	struct address6 a = *wanted;
	struct nd *d = netif_interface(a.netif)->nd;
	bool fresh = false;
	a.flags |= ADDRESS6_TENTATIVE;
	int err = address6_add(&a, &fresh);
	if (err == 0 && !(a.flags & ADDRESS6_NO_PREFIX)) {
		struct route6_entry r = {.destination = a.ip,
			.netif = a.netif,
			.prefix_len = a.prefix_len,
			.protocol = RTPROT_KERNEL,
			.expires_ms = a.valid_ms};
		memset(r.destination.bytes + 8, 0, a.prefix_len <= 64 ? 8 : 0);
		err = route6_add(&r);
	}
	if (err < 0 || !fresh || !d)
		return err;
	struct ip_addr group = ip6_solicited_group(&a.ip);
	multicast6_report(a.netif, &group);
	probe(a.netif, &a.ip);
	irq_state irq = spin_lock(&d->lock);
	restart(d, DUPLICATE_WAIT_MS);
	spin_unlock(&d->lock, irq);
	return 0;
}

/* RFC 4862 5.4.5. */
static void duplicate(struct netif *n, const struct ip_addr *ip)
{
	char text[IP6_TEXT];
	ip6_text(text, ip);
	log_warn("%s: another machine has the address %s; not used", n->name, text);
	address6_remove(n, ip);
}

static struct ip_addr with_interface_id(struct ip_addr prefix, const struct netif *n)
{
	uint8_t *id = prefix.bytes + 8;
	memcpy(id, n->mac, 3);
	id[0] ^= 2;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, n->mac + 3, 3);
	return prefix;
}

int nd_start(struct netif *n)
{
	struct nd *d = heap_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->netif = n;
	wheel_timer_init(&d->timer, timer_fired);
	netif_interface(n)->nd = d;
	struct address6 own = {.netif = n,
		.prefix_len = 64,
		.preferred_ms = FOREVER_MS,
		.valid_ms = FOREVER_MS,
		.ip = with_interface_id((struct ip_addr){.bytes = {0xfe, 0x80}}, n)};
	d->waiting = true;
	atomic_fetch_add(&n_pending, 1);
	d->n_solicitations = 1;
	int err = nd_add_address(&own);
	solicit_routers(d);
	return err;
}

/* --- what comes in --- */

/* Options [at, len) of a message: are their lengths right? (RFC 4861 6.1.2, 7.1) */
static bool options_valid(const uint8_t *data, size_t at, size_t len)
{
	while (at < len) {
		if (at + 2 > len || data[at + 1] == 0 || at + data[at + 1] * 8u > len)
			return false;
		at += data[at + 1] * 8u;
	}
	return true;
}

static const uint8_t *find_option(const uint8_t *data, size_t at, size_t len, uint8_t type)
{
	for (; at < len; at += data[at + 1] * 8u)
		if (data[at] == type)
			return data + at;
	return NULL;
}

static void solicitation(struct netif *n, const uint8_t *data, size_t len, const struct ip_info *ip)
{
	struct nd_message m;
	struct address6 a;
	memcpy(&m, data, sizeof(m));
	struct ip_addr about = m.target;
	bool anonymous = ip6_is_any(&ip->source);
	const uint8_t *source = find_option(data, sizeof(m), len, OPTION_SOURCE);
	if (anonymous && (source || !ip6_is_multicast(&ip->destination)))
		return;
	if (!address6_get(n, &about, &a))
		return;
	if (anonymous && a.flags & ADDRESS6_TENTATIVE) {
		duplicate(n, &a.ip);
		return;
	}
	if (source && !(source[2] & 1))
		neighbour_learn(n, &ip->source, source + 2, NEIGHBOUR_ADD | NEIGHBOUR_OVERRIDE);
	advertise(n, &a, ip);
}

static void advertisement(
	struct netif *n, const uint8_t *data, size_t len, const struct ip_info *ip)
{
	struct nd_message m;
	struct address6 a;
	memcpy(&m, data, sizeof(m));
	struct ip_addr about = m.target;
	uint32_t flags = be32_to_cpu(m.flags);
	if (ip6_is_multicast(&about) ||
		(ip6_is_multicast(&ip->destination) && flags & FLAG_SOLICITED))
		return;
	if (address6_get(n, &about, &a)) {
		if (a.flags & ADDRESS6_TENTATIVE)
			duplicate(n, &a.ip);
		return;
	}
	const uint8_t *target = find_option(data, sizeof(m), len, OPTION_TARGET);
	if (target && !(target[2] & 1))
		neighbour_learn(
			n, &about, target + 2, flags & FLAG_OVERRIDE ? NEIGHBOUR_OVERRIDE : 0);
}

static uint64_t until(uint32_t lifetime_s)
{
	return lifetime_s == LIFETIME_FOREVER ? FOREVER_MS : now_ms() + lifetime_s * 1000ull;
}

/* RFC 4862 5.5.3. */
static void autonomous_prefix(
	struct netif *n, const struct ip_addr *prefix, uint32_t valid_s, uint32_t preferred_s)
{
	struct address6 old, a = {.netif = n,
				     .ip = with_interface_id(*prefix, n),
				     .prefix_len = 64,
				     .flags = ADDRESS6_AUTOMATIC | ADDRESS6_NO_PREFIX,
				     .preferred_ms = until(preferred_s)};
	bool known = address6_get(n, &a.ip, &old);
	if (!known && valid_s == 0)
		return;
	/* (e): nobody takes an address away with one forged message. */
	if (known && valid_s < TWO_HOURS_S && until(valid_s) < old.valid_ms) {
		uint64_t two_hours = until(TWO_HOURS_S);
		a.valid_ms = old.valid_ms <= two_hours ? old.valid_ms : two_hours;
	} else {
		a.valid_ms = until(valid_s);
	}
	(void)!nd_add_address(&a); /* one that does not fit is none */
}

static void take_prefix(struct netif *n, const uint8_t *option)
{
	struct ip_addr prefix;
	uint8_t len = option[2], flags = option[3];
	uint32_t valid_s = load_be32(option + 4), preferred_s = load_be32(option + 8);
	memcpy(&prefix, option + 16, sizeof(prefix));
	if (option[1] != 4 || len > 128 || ip6_is_link_local(&prefix) ||
		ip6_is_multicast(&prefix) || preferred_s > valid_s)
		return;
	/* What lies behind the prefix is anything. */
	for (unsigned bit = len; bit < 128; bit++)
		prefix.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	if (flags & PREFIX_ON_LINK) {
		struct route6_entry r = {.destination = prefix,
			.netif = n,
			.prefix_len = len,
			.protocol = RTPROT_RA,
			.expires_ms = valid_s ? until(valid_s) : 0};
		(void)route6_add(&r);
	}
	if (flags & PREFIX_AUTONOMOUS && len == 64)
		autonomous_prefix(n, &prefix, valid_s, preferred_s);
}

static void take_options(struct netif *n, const uint8_t *data, size_t at, size_t len)
{
	for (; at < len; at += data[at + 1] * 8u) {
		const uint8_t *o = data + at;
		uint32_t size = o[1] * 8u;
		if (o[0] == OPTION_PREFIX && size == 32) {
			take_prefix(n, o);
		} else if (o[0] == OPTION_MTU && size == 8) {
			uint32_t mtu = load_be32(o + 4);
			if (mtu >= IP6_MTU_MIN && mtu <= n->mtu) {
				netif_interface(n)->mtu6 = (uint16_t)mtu;
				routes_changed();
			}
		} else if (o[0] == OPTION_DNS && size >= 24 && load_be32(o + 4) != 0) {
			configure_name_servers6(o + 8, (size - 8) / 16);
		}
	}
}

static void router(struct netif *n, const uint8_t *data, size_t len, const struct ip_info *ip)
{
	struct router_message m;
	struct nd *d = netif_interface(n)->nd;
	memcpy(&m, data, sizeof(m));
	const uint8_t *source = find_option(data, sizeof(m), len, OPTION_SOURCE);
	if (source && !(source[2] & 1))
		neighbour_learn(n, &ip->source, source + 2, NEIGHBOUR_ADD | NEIGHBOUR_OVERRIDE);
	take_options(n, data, sizeof(m), len);
	uint16_t lifetime_s = be16_to_cpu(m.lifetime_s);
	struct route6_entry r = {.gateway = ip->source,
		.netif = n,
		.protocol = RTPROT_RA,
		.expires_ms = lifetime_s ? until(lifetime_s) : 0};
	(void)route6_add(&r);
	irq_state irq = spin_lock(&d->lock);
	d->answered = true;
	spin_unlock(&d->lock, irq);
	settle(d);
}

void nd_input(struct packet *p, const struct ip_info *ip)
{
	const uint8_t *data = packet_data(p);
	size_t len = p->len;
	struct netif *n = p->netif;
	bool from_router = data[0] == ND_ROUTER_ADVERTISEMENT;
	size_t fixed = from_router ? sizeof(struct router_message) : sizeof(struct nd_message);
	if (ip->ttl != HOPS || data[1] != 0 || len < fixed || p->n_fragments > 0 ||
		!netif_interface(n)->nd || !options_valid(data, fixed, len))
		return;
	if (data[0] == ND_SOLICITATION)
		solicitation(n, data, len, ip);
	else if (data[0] == ND_ADVERTISEMENT)
		advertisement(n, data, len, ip);
	else if (from_router && ip6_is_link_local(&ip->source))
		router(n, data, len, ip);
}
