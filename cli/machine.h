/*
 * A machine to be run: what every engine needs to know.  Engines turn it into their own terms
 * (engine_qemu.c for QEMU).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/publish.h"
#include "cli/text.h"

enum engine {
	ENGINE_AUTO, /* the best that works here */
	ENGINE_MOTE, /* the project's own monitor */
	ENGINE_QEMU, /* QEMU with KVM */
	ENGINE_TCG,  /* QEMU, translating */
};

enum network {
	NETWORK_USER, /* QEMU's: outgoing connections, published ports */
	NETWORK_TAP,
	NETWORK_NONE,
};

struct machine {
	char *name; /* its host name */
	char *kernel;
	char *image;
	bool writes_image; /* else writes stay in the machine's memory */
	uint64_t memory;   /* bytes */
	unsigned n_cpus;
	enum network network;
	char *tap;     /* the interface of NETWORK_TAP */
	char *address; /* --ip ADDR/PREFIX[,GATEWAY[,DNS]] of NETWORK_TAP; NULL = DHCP */
	struct publish *publishes;
	size_t n_publishes;
	enum engine engine;
	unsigned stop_seconds; /* from a request to stop until the machine is ended */

	/* The kernel's command line is made of these, and of what the engine adds. */
	char *init, *argv0, *cwd;       /* init NULL = the image's own defaults */
	struct string_list environment; /* KEY=VALUE */
	struct string_list arguments;
	char *trace; /* mote.trace=; NULL = off */
	bool lists_missing_files, says_all;
	bool is_terminal; /* the program's console is a terminal: ours */
};

void machine_free(struct machine *);
