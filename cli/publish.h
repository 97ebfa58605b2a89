/* Ports of the machine that this host passes on: "-p [IP:]HOST:GUEST[/udp]", as docker writes it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cli/report.h"

struct publish {
	char address[64]; /* of this host, "0.0.0.0" when none was given */
	uint16_t host_port, guest_port;
	const char *protocol; /* "tcp" or "udp" */
};

/* Says what is wrong with spec. */
int publish_parse(const char *spec, struct publish *out) must_check;

/* A port of this host that is free now, on the loopback only. */
int publish_anywhere(uint16_t guest_port, struct publish *out) must_check;

/* Tries the port on this host: says who is in the way when it is taken. */
int publish_check(const struct publish *) must_check;

/*
 * QEMU's user network listens with a backlog of 1: of a few clients that connect at the same moment
 * Linux lets some wait forever.  Gives the engine's listening sockets a proper one; where the host
 * forbids that (pidfd_getfd(2): Linux 5.6, ptrace allowed) they stay as they are.
 */
void publish_widen(pid_t engine);
