/*
 * The host channel (abi/channel.h): frames to and from whoever runs the machine, over a
 * virtio-serial port.  Absent unless the command line asks for it and the device is there.
 */
#pragma once

#include "abi/channel.h"
#include "kernel/lib/base.h"

/* mote.channel: take a multiport console device as the channel.  Before drivers_probe(). */
void channel_want(void);
bool channel_present(void);

/* A piece of a frame's content. */
struct channel_piece {
	const void *bytes;
	uint32_t len;
};
/* A frame, whole: it never mixes with another thread's.  At most CHANNEL_FRAME_MAX bytes of content.  Sleeps while the
 * host does not read.  Dropped without a channel. */
void channel_send(unsigned kind, const struct channel_piece *pieces, unsigned n_pieces);
/* From now on nobody sleeps: the machine ends.  Polls until all is with the host, two seconds at most. */
void channel_drain(void);
/* What the host sends: called with one whole frame, a NUL behind it, in a thread of the channel's own; may sleep.
 * Before drivers_probe(). */
void channel_on_frame(void (*handler)(unsigned kind, const void *content, uint32_t len));
