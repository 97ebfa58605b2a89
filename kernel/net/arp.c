/*
 * The neighbour table of both families, and ARP.  States as in RFC 4861, which Linux uses for IPv4 too:
 *     incomplete  asked for by broadcast, packets wait; three unanswered: they fail with EHOSTUNREACH
 *     valid       in use; every 30 s someone must have confirmed it, else it is
 *     stale       still used, but the next use makes it
 *     probing     still used while asked by unicast; three unanswered: incomplete
 */
#include "kernel/net/arp.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip.h"
#include "kernel/net/nd.h"
#include "kernel/net/wheel.h"

#define BUCKETS 64u
#define NEIGHBOURS_MAX 1024u
#define WAITING_MAX 64u
#define TRIES 3u
#define RETRY_MS 1000u
#define REACHABLE_MS 30000u

#define HARDWARE_VALID (1ull << 48)
#define HARDWARE_STALE (1ull << 49)

struct neighbour {
	atomic_uint references;
	struct netif *netif;
	struct ip_addr ip;
	_Atomic uint64_t
		hardware; /* the address in the low 48 bits, and bits above; written under lock */
	atomic_bool confirmed; /* since the timer last looked */
	/* under lock: */
	struct neighbour *next;
	struct list waiting;
	unsigned n_waiting, tries;
	bool probing, in_table;
	struct wheel_timer timer; /* armed: holds a reference */
};

struct arp_packet {
	uint16_t hardware, protocol;
	uint8_t hardware_len, protocol_len;
	uint16_t operation;
	uint8_t from_mac[6];
	uint32_t from;
	uint8_t to_mac[6];
	uint32_t to;
} packed;
#define ARP_REQUEST 1u
#define ARP_REPLY 2u

static struct spinlock lock;
/* under lock: */
static struct neighbour *table[BUCKETS];
static unsigned n_neighbours;

static int arp_send(struct netif *n, unsigned operation, uint32_t from, uint32_t to,
	const uint8_t to_mac[6], const uint8_t frame_to[6])
{
	struct packet *p = packet_alloc(sizeof(struct arp_packet));
	if (!p)
		return -ENOMEM;
	p->len = sizeof(struct arp_packet);
	struct arp_packet *a = (struct arp_packet *)packet_data(p);
	a->hardware = cpu_to_be16(1);
	a->protocol = cpu_to_be16(ETHERNET_IPV4);
	a->hardware_len = 6;
	a->protocol_len = 4;
	a->operation = cpu_to_be16((uint16_t)operation);
	memcpy(a->from_mac, n->mac, 6);
	a->from = from;
	memcpy(a->to_mac, to_mac, 6);
	a->to = to;
	return ethernet_output(n, p, frame_to, ETHERNET_ARP);
}

static uint64_t mac_pack(const uint8_t mac[6])
{
	uint64_t x = 0;
	memcpy(&x, mac, 6);
	return x;
}

static void ask(struct neighbour *n, uint64_t hardware)
{
	static const uint8_t nobody[6];
	uint8_t mac[8];
	memcpy(mac, &hardware, 8);
	const uint8_t *frame_to = hardware & HARDWARE_VALID ? mac : ethernet_broadcast;
	if (!ip_is_v4(&n->ip)) {
		nd_solicit(n->netif, &n->ip, hardware & HARDWARE_VALID ? mac : NULL);
		return;
	}
	uint32_t from = netif_interface(n->netif)->v4;
	(void)arp_send(n->netif, ARP_REQUEST, from, ip_v4(&n->ip), nobody, frame_to);
}

static struct neighbour **bucket_of(const struct netif *n, const struct ip_addr *ip)
{
	uint32_t h = (ip->words[3] ^ ip->words[1] ^ n->index) * 0x9e3779b1u;
	return &table[h >> 26];
}

static struct neighbour *find(const struct netif *n, const struct ip_addr *ip)
{
	struct neighbour *e = *bucket_of(n, ip);
	while (e && (!ip_equal(&e->ip, ip) || e->netif != n))
		e = e->next;
	return e;
}

static void unlink(struct neighbour *n)
{
	struct neighbour **at = bucket_of(n->netif, &n->ip);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->in_table = false;
	n_neighbours--;
}

void neighbour_hold(struct neighbour *n)
{
	atomic_fetch_add_explicit(&n->references, 1, memory_order_relaxed);
}

void neighbour_put(struct neighbour *n)
{
	if (atomic_fetch_sub_explicit(&n->references, 1, memory_order_acq_rel) == 1)
		heap_free(n); /* nothing waits: its timer would hold a reference */
}

/* Make room in a full table: an entry that only the table holds goes. lock held. */
static bool evict_one(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (struct neighbour *n = table[i]; n; n = n->next) {
			unsigned others = n->references - 1 - wheel_armed(&n->timer);
			if (others > 0 || n->n_waiting > 0)
				continue;
			unlink(n);
			if (wheel_cancel(&n->timer))
				neighbour_put(n);
			neighbour_put(n);
			return true;
		}
	}
	return false;
}

static void timer_fired(struct wheel_timer *t);

/* lock held. */
static struct neighbour *create(struct netif *netif, const struct ip_addr *ip)
{
	if (n_neighbours >= NEIGHBOURS_MAX && !evict_one())
		return NULL;
	struct neighbour *n = heap_zalloc(sizeof(*n));
	if (!n)
		return NULL;
	n->references = 1;
	n->netif = netif;
	n->ip = *ip;
	n->in_table = true;
	list_init(&n->waiting);
	wheel_timer_init(&n->timer, timer_fired);
	struct neighbour **bucket = bucket_of(netif, ip);
	n->next = *bucket;
	*bucket = n;
	n_neighbours++;
	return n;
}

struct neighbour *neighbour_get(struct netif *netif, const struct ip_addr *ip)
{
	irq_state irq = spin_lock(&lock);
	struct neighbour *n = find(netif, ip);
	if (!n)
		n = create(netif, ip);
	if (n)
		neighbour_hold(n);
	spin_unlock(&lock, irq);
	return n;
}

/* lock held. */
static void start_timer(struct neighbour *n, unsigned ms)
{
	if (!wheel_start(&n->timer, now_ms() + ms))
		neighbour_hold(n);
}

/* The packets that waited, to be sent or failed once the lock is gone. */
static void take_waiting(struct neighbour *n, struct list *out)
{
	struct list *item;
	while ((item = list_pop_front(&n->waiting)))
		list_push_back(out, item);
	n->n_waiting = 0;
}

static void set_hardware(struct neighbour *n, const uint8_t mac[6], struct list *out)
{
	n->hardware = mac_pack(mac) | HARDWARE_VALID;
	n->probing = false;
	n->tries = 0;
	take_waiting(n, out);
	start_timer(n, REACHABLE_MS);
}

/* What follows a second without an answer, or 30 of peace.  True: send a question. lock held. */
static bool timer_step(struct neighbour *n, struct list *failed)
{
	bool valid = n->hardware & HARDWARE_VALID;
	if (valid && !n->probing) {
		if (atomic_exchange_explicit(&n->confirmed, false, memory_order_relaxed))
			start_timer(n, REACHABLE_MS);
		else
			n->hardware |= HARDWARE_STALE;
		return false;
	}
	if (n->probing && atomic_exchange_explicit(&n->confirmed, false, memory_order_relaxed)) {
		n->probing = false;
		start_timer(n, REACHABLE_MS);
		return false;
	}
	if (n->tries >= TRIES) {
		n->hardware = 0;
		n->probing = false;
		n->tries = 0;
		take_waiting(n, failed);
		return false;
	}
	n->tries++;
	start_timer(n, RETRY_MS);
	return true;
}

static void timer_fired(struct wheel_timer *t)
{
	struct neighbour *n = container_of(t, struct neighbour, timer);
	struct list failed = LIST_INIT(failed);
	irq_state irq = spin_lock(&lock);
	bool question = timer_step(n, &failed);
	uint64_t hardware = n->hardware;
	spin_unlock(&lock, irq);
	if (question)
		ask(n, hardware);
	struct list *item;
	while ((item = list_pop_front(&failed)))
		ip_undeliverable(list_entry(item, struct packet, link), EHOSTUNREACH);
	neighbour_put(n);
}

static int send_to(struct neighbour *n, struct packet *p, uint64_t hardware)
{
	uint8_t mac[8];
	__builtin_memcpy(mac, &hardware, 8);
	return ethernet_output(n->netif, p, mac, ip_is_v4(&n->ip) ? ETHERNET_IPV4 : ETHERNET_IPV6);
}

/* No address yet, or an old one. */
static int send_slow(struct neighbour *n, struct packet *p)
{
	struct packet *refused = NULL;
	irq_state irq = spin_lock(&lock);
	uint64_t hardware = n->hardware;
	bool question = false;
	if (hardware & HARDWARE_VALID) {
		question = hardware & HARDWARE_STALE;
		n->hardware = hardware & ~HARDWARE_STALE;
		n->probing = n->probing || question;
	} else {
		question = n->n_waiting == 0 && n->tries == 0;
		if (n->n_waiting < WAITING_MAX) {
			list_push_back(&n->waiting, &p->link);
			n->n_waiting++;
		} else {
			refused = p;
		}
	}
	if (question) {
		n->tries = 1;
		start_timer(n, RETRY_MS);
	}
	spin_unlock(&lock, irq);
	if (question)
		ask(n, hardware);
	if (refused) {
		packet_free(refused);
		return -ENOBUFS;
	}
	return hardware & HARDWARE_VALID ? send_to(n, p, hardware) : 0;
}

int neighbour_send(struct neighbour *n, struct packet *p)
{
	uint64_t hardware = n->hardware;
	if (likely((hardware & (HARDWARE_VALID | HARDWARE_STALE)) == HARDWARE_VALID))
		return send_to(n, p, hardware);
	return send_slow(n, p);
}

void neighbour_confirm(struct neighbour *n)
{
	if (!atomic_load_explicit(&n->confirmed, memory_order_relaxed))
		atomic_store_explicit(&n->confirmed, true, memory_order_relaxed);
}

void neighbour_learn(
	struct netif *netif, const struct ip_addr *ip, const uint8_t mac[6], unsigned flags)
{
	struct list ready = LIST_INIT(ready);
	irq_state irq = spin_lock(&lock);
	struct neighbour *n = find(netif, ip);
	if (!n && flags & NEIGHBOUR_ADD)
		n = create(netif, ip);
	if (n) {
		bool other =
			n->hardware & HARDWARE_VALID && (n->hardware ^ mac_pack(mac)) << 16 != 0;
		if (!other || flags & NEIGHBOUR_OVERRIDE)
			set_hardware(n, mac, &ready);
		neighbour_hold(n);
	}
	spin_unlock(&lock, irq);
	struct list *item;
	while ((item = list_pop_front(&ready)))
		(void)neighbour_send(n, list_entry(item, struct packet, link));
	if (n)
		neighbour_put(n);
}

void arp_input(struct netif *netif, struct packet *p)
{
	const struct arp_packet *a = (const struct arp_packet *)packet_data(p);
	if (p->len < sizeof(*a) || a->hardware != cpu_to_be16(1) ||
		a->protocol != cpu_to_be16(ETHERNET_IPV4) || a->hardware_len != 6 ||
		a->protocol_len != 4)
		goto done;
	uint32_t ours = netif_interface(netif)->v4;
	bool sane = a->from != 0 && !v4_is_multicast(a->from) && a->from != UINT32_MAX &&
		    a->from != ours && !(a->from_mac[0] & 1);
	bool for_us = ours != 0 && a->to == ours;
	struct ip_addr from = ip_from_v4(a->from);
	/* Only one addressed to us may add an entry. */
	if (sane)
		neighbour_learn(netif, &from, a->from_mac,
			NEIGHBOUR_OVERRIDE | (for_us ? NEIGHBOUR_ADD : 0));
	/* from 0: someone checks whether the address is taken (RFC 5227); it is. */
	if (for_us && a->operation == cpu_to_be16(ARP_REQUEST) && !(a->from_mac[0] & 1))
		(void)arp_send(netif, ARP_REPLY, ours, a->from, a->from_mac, a->from_mac);
done:
	packet_free(p);
}

void arp_announce(struct netif *n, uint32_t v4)
{
	static const uint8_t nobody[6];
	(void)arp_send(n, ARP_REQUEST, v4, v4, nobody, ethernet_broadcast);
}

void neighbour_each(void (*show)(void *arg, struct netif *n, const struct ip_addr *ip,
			    const uint8_t *mac, bool valid),
	void *arg)
{
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (struct neighbour *n = table[i]; n; n = n->next) {
			uint64_t hardware = n->hardware;
			show(arg, n->netif, &n->ip, (const uint8_t *)&hardware,
				hardware & HARDWARE_VALID);
		}
	}
	spin_unlock(&lock, irq);
}
