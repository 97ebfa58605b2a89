/*
 * A machine to be run: what every engine needs to know.  Engines turn it into their own terms
 * (engine_qemu.c for QEMU).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/publish.h"
#include "cli/text.h"
#include "cli/trace/view.h"
#include "cli/volume/volume.h"

enum engine {
	ENGINE_AUTO, /* the best that works here */
	ENGINE_MOTE, /* the project's own monitor */
	ENGINE_QEMU, /* QEMU with KVM */
	ENGINE_TCG,  /* QEMU, translating */
};

enum network {
	NETWORK_USER, /* QEMU's: outgoing connections, published ports */
	NETWORK_TAP,
	NETWORK_BRIDGE,  /* by QEMU's helper, which may need to be allowed to */
	NETWORK_PRIVATE, /* NETWORK_USER, and a switch shared with others (private_net.h) */
	NETWORK_NONE,
};

/* What is asked about system calls; zeroed: nothing. */
struct trace_request {
	char *calls; /* mote.trace=; NULL = off */
	struct trace_options options;
};

struct machine {
	char *name; /* its host name */
	char *kernel;
	char *image;
	int image_hold;    /* keeps the image in the cache while it is open; -1 = it is not there */
	bool writes_image; /* else writes stay in the machine's memory */
	uint64_t memory;   /* bytes */
	unsigned n_cpus;
	enum network network;
	char *interface; /* of NETWORK_TAP and NETWORK_BRIDGE */
	char *address;   /* --ip ADDR/PREFIX[,GATEWAY[,DNS]] of those; NULL = DHCP.  Of
			  * NETWORK_PRIVATE: ADDR */
	char *pcap;      /* where the card's frames are recorded; NULL: nowhere */
	char *private_gateway, *private_dns; /* NETWORK_PRIVATE: the machine's own way out */
	int network_folder;     /* NETWORK_PRIVATE: where the switch listens; else -1 */
	char mac[18];           /* "" = the engine's choice */
	int image_lock;         /* -1, or keeps others from writing to the image */
	struct volume *volumes; /* -v (volume/volume.h) */
	size_t n_volumes;
	struct publish *publishes;
	size_t n_publishes;
	enum engine engine;
	unsigned stop_seconds; /* from a request to stop until the machine is ended */

	/* The kernel's command line is made of these, and of what the engine adds. */
	char *init, *argv0, *cwd;       /* init NULL = the image's own defaults */
	struct string_list environment; /* KEY=VALUE */
	struct string_list arguments;
	struct trace_request trace;
	char *allow;       /* mote.allow=: the only system calls there are; NULL = all */
	bool allow_or_end; /* another one ends the program */
	char *core; /* where a core file goes when the program crashes; NULL = none is written */
	bool holds_start; /* the program waits for a debugger */
	bool lists_missing_files, says_all;
	bool wants_counters; /* over the host channel */
	bool is_terminal;    /* the program's console is a terminal: ours */
};

#define MACHINE_NONE ((struct machine){.image_hold = -1, .image_lock = -1, .network_folder = -1})

/* The machine and mote talk over a host channel (abi/channel.h). */
static inline bool machine_has_channel(const struct machine *m)
{
	return m->trace.calls || m->trace.options.profile || m->core || m->wants_counters;
}

void machine_free(struct machine *);

/* What it is called in messages. */
const char *machine_program(const struct machine *);
