/*
 * The host channel from the host's side (abi/channel.h): bytes of a socket put together to frames.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/report.h"

struct channel {
	int fd;
	uint8_t *buffer; /* of what has come; owned */
	size_t len;
	size_t n_read; /* bytes, ever */
	/* One whole frame; content is 8-byte aligned. */
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len);
	void *owner;
};

void channel_init(struct channel *, int fd,
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len), void *owner);
void channel_free(struct channel *); /* closes the socket */
/* What there is to read now; 0: more may come; -ENOTCONN: it is closed; -EPROTO: no frame makes
 * sense any more, reported. */
int channel_read(struct channel *) must_check;
/* One frame, whole.  Negative when the other end is gone, or has not read for ten seconds. */
int channel_send(const struct channel *, unsigned kind, const void *content, size_t len) must_check;
