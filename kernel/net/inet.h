/* What TCP, UDP and ping sockets share: addresses, binding, options of level SOL_IP. */
#pragma once

#include "kernel/net/address.h"
#include "kernel/net/port.h"
#include "kernel/net/protocol.h"
#include "kernel/net/route.h"

/* struct inet_socket.ip_options */
#define INET_PKTINFO (1u << 0)
#define INET_RECVTTL (1u << 1)
#define INET_RECVTOS (1u << 2)
#define INET_RECVERR (1u << 3)
#define INET_FREEBIND (1u << 4)
#define INET_MULTICAST_LOOP (1u << 5)
#define INET_MULTICAST_ALL (1u << 6)
#define INET_BIND_NO_PORT (1u << 7)
#define INET_ORIGDSTADDR (1u << 8)
#define INET_BOUND_ADDRESS (1u << 16) /* bind(2) gave a specific address */
#define INET_BOUND_PORT (1u << 17)    /* bind(2) gave a port */

#define INET_GROUPS_MAX 20u /* net.ipv4.igmp_max_memberships */

struct inet_socket {
	struct socket socket; /* first */
	struct mutex bind_lock; /* one thread at a time gives it a port */
	/* under socket.lock: */
	struct flow flow;     /* local address: any until bound or connected */
	struct route route;   /* of the connected peer; check route_valid() */
	struct port_user port;
	/* options, single words: */
	uint32_t ip_options;
	uint8_t tos, ttl, mtu_discover, multicast_ttl;
	unsigned multicast_netif;
	struct inet_groups {
		unsigned n;
		struct {
			uint32_t group;
			struct interface *interface;
		} joined[INET_GROUPS_MAX];
	} *groups; /* under socket.lock */
};

static inline struct inet_socket *inet_of(struct socket *s)
{
	return (struct inet_socket *)s;
}

void inet_init_socket(struct inet_socket *i);
/* Port flags from the generic options. */
unsigned inet_port_flags(const struct socket *s);
/* bind(2): checks the address and takes the port.  One bind per socket: -EINVAL. */
int inet_bind(struct inet_socket *i, struct port_table *t, const struct socket_address *a) must_check;
/* A port of its own if it has none. */
int inet_autobind(struct inet_socket *i, struct port_table *t) must_check;
int inet_name(struct socket *s, struct socket_address *out) must_check;
int inet_set_ip_option(struct inet_socket *i, int name, const void *value, size_t len) must_check;
/* Options that are not the protocol's own; for a level nobody knows getsockopt(2) has another error than setsockopt(2). */
int inet_get_option(struct inet_socket *i, int level, int name, void *value, size_t size) must_check;
void inet_leave_groups(struct inet_socket *i);
bool inet_in_group(struct inet_socket *i, uint32_t group);
/* The interface an option or control message names: by index, else by address; NULL. */
struct netif *netif_by(unsigned index, uint32_t v4);
