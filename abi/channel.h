/*
 * The host channel: frames between a running machine and whoever started it, both ways, over one
 * virtio-serial port named CHANNEL_PORT (virtio 1.2 5.3, VIRTIO_CONSOLE_F_MULTIPORT, port
 * CHANNEL_PORT_NUMBER of its device).  The kernel uses it when its command line says
 * CHANNEL_OPTION.  No byte is lost: a full channel makes whoever writes wait.
 *
 * All numbers are little-endian; structs have no holes.
 */
#pragma once

#include <stdint.h>

#define CHANNEL_PORT "mote.host"
#define CHANNEL_PORT_NUMBER 1
#define CHANNEL_OPTION "mote.channel"
#define CHANNEL_FRAME_MAX 65536u /* bytes behind the header */

struct channel_frame {
	uint32_t len;  /* of what follows */
	uint16_t kind; /* CHANNEL_ */
	uint16_t reserved;
};

/* From the machine: */
#define CHANNEL_TRACE 1       /* struct trace_record and its pieces: one system call */
#define CHANNEL_CALLS 2       /* uint64_t[]: how often each system call was made, by number */
#define CHANNEL_DEBUG_REPLY 3 /* abi/debug.h */
#define CHANNEL_DEBUG_EVENT 4
#define CHANNEL_SAMPLES 5 /* abi/profile.h */

/* To the machine: */
#define CHANNEL_DEBUG 64
#define CHANNEL_PROFILE 65 /* abi/profile.h */

/* How a call's result is to be read. */
#define TRACE_RESTART 1u           /* interrupted; begins again if SA_RESTART is set */
#define TRACE_RESTART_NOHANDLER 2u /* interrupted; begins again unless a handler runs */
#define TRACE_ENDS 4u              /* does not return: exit, exit_group, execve that succeeded */
#define TRACE_REFUSED 8u           /* not on the list of mote.allow */

struct trace_record {
	uint64_t start_ns; /* CLOCK_REALTIME when the call was made */
	uint64_t duration_ns;
	int64_t result;
	uint64_t args[6];
	uint32_t tid;
	uint16_t number; /* of the system call, the architecture's */
	uint8_t flags;   /* TRACE_ */
	uint8_t n_pieces;
};

/* What stood in the program's memory: n_pieces of these, each followed by len bytes, padded to 8. */
#define TRACE_BEFORE 0u /* read when the call was made */
#define TRACE_AFTER 1u  /* when it was over */
#define TRACE_PATH 2u   /* no memory: the path of descriptor number `address` */

struct trace_piece {
	uint64_t address;
	uint16_t len;
	uint8_t when; /* TRACE_BEFORE, ... */
	uint8_t cut;  /* a string that goes on behind these bytes */
	uint32_t reserved;
};
