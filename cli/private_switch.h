/*
 * The switch of a private network: a process of its own that lives while somebody is connected.
 * It learns where Ethernet addresses are, floods what it does not know, and is the network's name
 * server (private_dns.h).  What a machine sends is never trusted: lengths are checked, queues are
 * bounded, a full one loses frames as a real switch does.
 */
#pragma once

#include "cli/report.h"

/* Starts it in the background; the network's lock is held.  When it returns it listens. */
int private_switch_start(int folder, const char *network) must_check;
