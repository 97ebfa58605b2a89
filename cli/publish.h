/* Ports of the machine that this host passes on: "-p [IP:]HOST:GUEST[/udp]", as docker writes it. */
#pragma once

#include <stdint.h>

#include "cli/report.h"

struct publish {
	char address[64]; /* of this host, "0.0.0.0" when none was given */
	uint16_t host_port, guest_port;
	const char *protocol; /* "tcp" or "udp" */
};

/* Says what is wrong with spec. */
int publish_parse(const char *spec, struct publish *out) must_check;

/* Tries the port on this host: says who is in the way when it is taken. */
int publish_check(const struct publish *) must_check;
