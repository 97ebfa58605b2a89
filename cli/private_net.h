/*
 * Private networks: instances of this user that see each other, without root.  A network is a
 * folder under $XDG_DATA_HOME/mote/networks and, while somebody uses it, one process that passes
 * Ethernet frames and answers names (private_switch.h).
 *
 *     NAME/lock         held for a moment by whoever joins, and by a switch that ends
 *     NAME/switch.lock  held by the switch while it lives
 *     NAME/switch       where machines connect: QEMU's stream network, frames with their length
 *     NAME/uplink       where their ways out of this host connect
 *
 * Every machine has an address in 10.0.64.0/18 of 10.0.0.0/16, its own gateway in 10.0.128.0/18
 * and its own forwarder in 10.0.192.0/18, which QEMU's user network of that machine answers for;
 * all share the name server 10.0.2.3, which is where a machine's resolv.conf looks for one, and
 * which is the switch.
 */
#pragma once

#include "cli/instance.h"
#include "cli/machine.h"

#define PRIVATE_NET "10.0.0.0/16"
#define PRIVATE_MASK "255.255.0.0"
#define PRIVATE_SOCKET "switch"
#define PRIVATE_UPLINK "uplink"

/* Gives the machine an address there, writes it into the instance's state, and sees that the switch
 * runs.  The network is made if need be. */
int private_net_join(const char *name, struct machine *, struct instance *) must_check;

/* Starts the switch again if somebody ended it. */
int private_net_keep(int folder, const char *name) must_check;

/* The address of the instance `name` when it is in that network and runs, in network byte order; 0
 * when there is none. */
uint32_t private_net_find(const char *network, const char *name);
