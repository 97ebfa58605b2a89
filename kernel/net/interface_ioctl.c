/* ioctl(2) requests about interfaces, on any socket: netdevice(7).  Nothing can be changed through them. */
#include "abi/linux/net_if.h"
#include "kernel/lib/string.h"
#include "kernel/net/address.h"
#include "kernel/net/protocol.h"
#include "kernel/net/route.h"

static struct netif *find_named(const char *name)
{
	struct netif *n;
	for (unsigned at = 0; (n = netif_at(at)); at++)
		if (strncmp(n->name, name, IFNAMSIZ) == 0)
			return n;
	return NULL;
}

static void put_address(struct linux_ifreq *r, uint32_t v4)
{
	struct linux_sockaddr_in in = {.sin_family = AF_INET, .sin_addr = v4};
	memset(r->bytes, 0, sizeof(r->bytes));
	memcpy(r->bytes, &in, sizeof(in));
}

static void put_hardware(struct linux_ifreq *r, const struct netif *n)
{
	uint16_t type = n->flags & NETIF_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	memset(r->bytes, 0, sizeof(r->bytes));
	memcpy(r->bytes, &type, sizeof(type));
	memcpy(r->bytes + sizeof(type), n->mac, 6);
}

static uint16_t flags_of(const struct netif *n)
{
	uint16_t kind = n->flags & NETIF_LOOPBACK ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST;
	return (uint16_t)(kind | IFF_UP | (n->link_up ? IFF_RUNNING : 0));
}

/* Every interface that has an address: SIOCGIFCONF. */
static long list_interfaces(user_addr argument)
{
	struct linux_ifconf c;
	int err = copy_in(&c, argument, sizeof(c));
	if (err < 0)
		return err;
	int32_t room = c.ifc_buf ? c.ifc_len : INT32_MAX;
	c.ifc_len = 0;
	struct netif *n;
	for (unsigned at = 0; (n = netif_at(at)); at++) {
		struct linux_ifreq r;
		const struct interface *i = netif_interface(n);
		if (i->v4 == 0)
			continue;
		if (room - c.ifc_len < (int32_t)sizeof(r))
			break;
		memset(&r, 0, sizeof(r));
		string_copy(r.ifr_name, n->name, sizeof(r.ifr_name));
		put_address(&r, i->v4);
		if (c.ifc_buf)
			err = copy_out(user_at((uintptr_t)c.ifc_buf + (uintptr_t)c.ifc_len), &r,
				sizeof(r));
		if (err < 0)
			return err;
		c.ifc_len += (int32_t)sizeof(r);
	}
	return copy_out(argument, &c, sizeof(c));
}

/* Fill r about n; -ENOTTY: not a request of ours. */
static int ask(const struct netif *n, unsigned request, struct linux_ifreq *r)
{
	const struct interface *i = netif_interface(n);
	uint32_t v4 = 0;
	switch (request) {
	case SIOCGIFFLAGS:
		r->flags = flags_of(n);
		return 0;
	case SIOCGIFINDEX:
		r->value = (int32_t)n->index;
		return 0;
	case SIOCGIFMETRIC:
		r->value = 0;
		return 0;
	case SIOCGIFTXQLEN:
		r->value = 1000;
		return 0;
	case SIOCGIFMTU:
		r->value = n->flags & NETIF_LOOPBACK ? 65536 : n->mtu;
		return 0;
	case SIOCGIFHWADDR:
		put_hardware(r, n);
		return 0;
	case SIOCGIFADDR:
		v4 = i->v4;
		break;
	case SIOCGIFDSTADDR:
		v4 = i->v4;
		break;
	case SIOCGIFNETMASK:
		v4 = i->mask;
		break;
	case SIOCGIFBRDADDR:
		v4 = i->broadcast;
		break;
	default:
		return -ENOTTY;
	}
	if (i->v4 == 0)
		return -EADDRNOTAVAIL;
	put_address(r, v4);
	return 0;
}

static bool is_interface_request(unsigned request)
{
	return (request >= SIOCGIFNAME && request <= SIOCGIFHWADDR) || request == SIOCGIFINDEX ||
	       request == SIOCGIFTXQLEN;
}

long interface_ioctl(unsigned request, user_addr argument)
{
	if (!is_interface_request(request))
		return -ENOTTY;
	interfaces_wait();
	if (request == SIOCGIFCONF)
		return list_interfaces(argument);
	struct linux_ifreq r;
	int err = copy_in(&r, argument, sizeof(r));
	if (err < 0)
		return err;
	r.ifr_name[IFNAMSIZ - 1] = '\0';
	struct netif *n = NULL;
	if (request == SIOCGIFNAME) {
		for (unsigned at = 0; (n = netif_at(at)); at++)
			if ((int32_t)n->index == r.value)
				break;
		if (n)
			string_copy(r.ifr_name, n->name, sizeof(r.ifr_name));
	} else {
		n = find_named(r.ifr_name);
	}
	if (!n)
		return -ENODEV;
	if (request != SIOCGIFNAME)
		err = ask(n, request, &r);
	return err < 0 ? err : copy_out(argument, &r, sizeof(r));
}
