/* The table of network interfaces, and the way up to kernel/net. */
#include "kernel/dev/netif.h"
#include "kernel/lib/format.h"

static const struct netif_upper *upper;
struct list netif_list = LIST_INIT(netif_list);
static unsigned last_index, n_ethernet;

void netif_set_upper(const struct netif_upper *u)
{
	upper = u;
}

void netif_register(struct netif *n)
{
	n->index = ++last_index;
	if (n->name[0] == '\0')
		format(n->name, sizeof(n->name), "eth%u", n_ethernet++);
	list_push_back(&netif_list, &n->link);
	if (upper)
		upper->attach(n);
}

struct netif *netif_at(unsigned position)
{
	struct netif *n = NULL;
	list_for_each (n, &netif_list, link)
		if (position-- == 0)
			return n;
	return NULL;
}

void netif_receive(struct netif *n, struct packet *p)
{
	atomic_fetch_add_explicit(&n->rx_packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&n->rx_bytes, packet_length(p), memory_order_relaxed);
	p->netif = n;
	if (upper)
		upper->receive(n, p);
	else
		packet_free(p);
}

void netif_receive_done(struct netif *n)
{
	if (upper)
		upper->receive_done(n);
}
