/*
 * Private networks: instances of this user that see each other, without root.  A network is a
 * folder under $XDG_DATA_HOME/mote/networks and, while somebody uses it, one process that passes
 * Ethernet frames and answers names (private_switch.c).
 *
 * Every machine has an address in 10.0.64.0/18 of 10.0.0.0/16, its own gateway 10.0.128.0/18 and
 * its own forwarder 10.0.192.0/18, which QEMU's user network of that machine answers for, and all
 * share the name server 10.0.2.3, which is where a machine's resolv.conf looks for one.
 */
#pragma once

#include "cli/instance.h"
#include "cli/machine.h"

#define PRIVATE_NET "10.0.0.0/16"
#define PRIVATE_MASK "255.255.0.0"
#define PRIVATE_SOCKET "switch"

/* Gives the machine an address there, writes it into the instance's state, and sees that the switch
 * runs.  The network is made if need be. */
int private_net_join(const char *name, struct machine *, struct instance *) must_check;
