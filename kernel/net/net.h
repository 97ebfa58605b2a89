/*
 * What holds the stack together: batches.  Whoever may have caused packets (the receive interrupt, a
 * system call, a timer) lets the layers queue and transmit, and ends with net_flush(): connections that owe an
 * ACK or may send go once, loopback packets are delivered, each device is notified once.
 */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/lib/list.h"

/* Any context, no locks held.  Runs receive processing of loopback packets with interrupts off. */
void net_flush(void);

/* Transmit on a netif, remembered for net_flush().  Takes p over.  Interrupts may be on. */
int net_transmit(struct netif *n, struct packet *p);

/* Put a TCP connection on this CPU's list of those to run tcp_output() on; interrupts off.  The list holds the
 * reference the caller passes. */
void net_queue_output(struct list *link);

/* A frame or, from loopback, an IP packet. */
void net_receive(struct netif *n, struct packet *p);

/* kernel/net/loopback.c */
void loopback_init(void);
extern struct netif loopback;
/* Hand back what was sent since; interrupts off.  False: nothing was there. */
bool loopback_deliver(void);

/* Bytes of memory the network may hold for its biggest users, from what the machine has. */
struct net_limits {
	uint32_t tcp_buffer_max; /* one connection's, each way */
	uint64_t tcp_memory_max; /* of all together, beyond a small share for each */
	uint32_t time_wait_max;  /* objects */
	uint32_t fragments_max;  /* bytes held for reassembly */
};
extern struct net_limits net_limits;
