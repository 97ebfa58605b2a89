/*
 * ip= of the command line, as Linux's nfsroot.txt has it:
 *     ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1:NTP
 * or ip=dhcp|on|any|off|none.  An empty CLIENT with AUTOCONF dhcp asks by DHCP.
 */
#include "kernel/net/configure.h"

#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/net/arp.h"
#include "kernel/net/dhcp.h"
#include "kernel/net/ip.h"
#include "kernel/net/nd.h"
#include "kernel/net/net.h"

#define FIELDS 10u
#define FIELD_MAX 64u

enum { CLIENT, SERVER, GATEWAY, NETMASK, HOST, DEVICE, AUTOCONF, DNS0, DNS1, NTP };

static struct spinlock lock;
/* under lock: */
static uint32_t name_servers[NAME_SERVERS_MAX];
static unsigned n_name_servers;
static struct ip_addr name_servers6[2];
static unsigned n_name_servers6;
static char host_name[FIELD_MAX];

void configure_names(const uint32_t *servers, unsigned n, const char *host)
{
	irq_state irq = spin_lock(&lock);
	if (n > 0) {
		n_name_servers = min(n, NAME_SERVERS_MAX);
		memcpy(name_servers, servers, n_name_servers * sizeof(*servers));
	}
	if (host[0] != '\0')
		string_copy(host_name, host, sizeof(host_name));
	spin_unlock(&lock, irq);
}

void configure_name_servers6(const uint8_t *addresses, size_t n)
{
	irq_state irq = spin_lock(&lock);
	n_name_servers6 = (unsigned)min(n, array_size(name_servers6));
	memcpy(name_servers6, addresses, n_name_servers6 * sizeof(*name_servers6));
	spin_unlock(&lock, irq);
}

unsigned net_name_servers(char servers[][48], unsigned n)
{
	interfaces_wait();
	irq_state irq = spin_lock(&lock);
	unsigned n_v4 = min(n, n_name_servers), n_v6 = min(n - n_v4, n_name_servers6);
	for (unsigned i = 0; i < n_v4; i++)
		v4_text(servers[i], name_servers[i]);
	for (unsigned i = 0; i < n_v6; i++)
		ip6_text(servers[n_v4 + i], &name_servers6[i]);
	spin_unlock(&lock, irq);
	return n_v4 + n_v6;
}

const char *net_host_name(void)
{
	return host_name[0] != '\0' ? host_name : NULL;
}

/* Cut at colons.  -EINVAL: too many fields, or one too long. */
static int split(const char *option, char fields[FIELDS][FIELD_MAX])
{
	unsigned n = 0;
	for (const char *at = option;; at++) {
		size_t len = 0;
		while (at[len] != '\0' && at[len] != ':')
			len++;
		if (n == FIELDS || len >= FIELD_MAX)
			return -EINVAL;
		memcpy(fields[n], at, len);
		fields[n++][len] = '\0';
		at += len;
		if (*at == '\0')
			return 0;
	}
}

/* An address, or 0 when the field is empty. */
static int parse_address(const char *field, uint32_t *out)
{
	*out = 0;
	if (field[0] == '\0')
		return 0;
	return v4_parse(&field, out) && *field == '\0' ? 0 : -EINVAL;
}

static bool is_one_of(const char *s, const char *a, const char *b, const char *c)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0 || strcmp(s, c) == 0;
}

static struct netif *find_netif(const char *name)
{
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++)
		if (name[0] != '\0' ? strcmp(n->name, name) == 0 : !(n->flags & NETIF_LOOPBACK))
			return n;
	return NULL;
}

static uint32_t natural_mask(uint32_t v4)
{
	uint8_t first = (uint8_t)v4;
	return first < 128   ? IP4(255, 0, 0, 0)
	       : first < 192 ? IP4(255, 255, 0, 0)
			     : IP4(255, 255, 255, 0);
}

static int configure_static(struct netif *n, uint32_t client, char fields[FIELDS][FIELD_MAX])
{
	uint32_t mask = 0, gateway = 0, dns[2] = {0, 0};
	if (parse_address(fields[NETMASK], &mask) < 0 ||
		parse_address(fields[GATEWAY], &gateway) < 0 ||
		parse_address(fields[DNS0], &dns[0]) < 0 ||
		parse_address(fields[DNS1], &dns[1]) < 0)
		return -EINVAL;
	int err =
		interface_configure(netif_interface(n), client, mask ? mask : natural_mask(client));
	if (err == 0 && gateway)
		err = route_add(0, 0, gateway, n);
	configure_names(dns, dns[0] ? (dns[1] ? 2 : 1) : 0, fields[HOST]);
	/* Who has asked for us while we booted would ask again only after seconds (QEMU's user network: 5). */
	if (err == 0)
		arp_announce(n, client);
	return err;
}

/* Addresses of IPv6 come by themselves on every link. */
static void start_ipv6(void)
{
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++)
		if (!(n->flags & NETIF_LOOPBACK) && !netif_interface(n)->nd && nd_start(n) < 0)
			log_warn("%s: no memory for IPv6", n->name);
}

int net_configure(const char *ip_option)
{
	char fields[FIELDS][FIELD_MAX];
	memset(fields, 0, sizeof(fields));
	/* A single word without colons is the method. */
	bool only_method = !ip_option || !strchr(ip_option, ':');
	const char *method = ip_option ? ip_option : "dhcp";
	uint32_t client = 0;
	if (!only_method) {
		if (split(ip_option, fields) < 0 || parse_address(fields[CLIENT], &client) < 0)
			goto malformed;
		method = fields[AUTOCONF];
	} else if (v4_parse(&method, &client)) {
		method = "";
	}
	struct netif *n = find_netif(fields[DEVICE]);
	int err = 0;
	if (client != 0)
		err = n ? configure_static(n, client, fields) : -ENODEV;
	else if (is_one_of(method, "off", "none", "static"))
		return 0;
	else if (!is_one_of(method, "dhcp", "on", "any") && !is_one_of(method, "both", "", ""))
		goto malformed;
	else if (n)
		err = dhcp_start(netif_interface(n));
	else if (ip_option)
		err = -ENODEV;
	start_ipv6();
	net_flush();
	if (err != -EINVAL)
		return err;
malformed:
	log_warn("ip=%s is not of the form "
		 "CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1, "
		 "nor dhcp or off",
		ip_option);
	return -EINVAL;
}
