/* Between the host channel and the device below it. */
#pragma once

#include "kernel/lib/base.h"

struct channel_device {
	/* As many bytes as there is room for, perhaps none.  Any context. */
	size_t (*write)(struct channel_device *d, const void *bytes, size_t len);
	/* Bytes the host has not taken yet.  Polls the device; any context. */
	size_t (*pending)(struct channel_device *d);
	/* Bytes from the host, at most size; 0: none now.  Any context. */
	size_t (*read)(struct channel_device *d, void *to, size_t size);
	/* read() will give something. */
	bool (*readable)(struct channel_device *d);
};

bool channel_wanted(void);
/* One device is taken; starts the thread that reads.  -ENOMEM, -EBUSY. */
int channel_register(struct channel_device *d) must_check;
/* write() has room again; read() will give something.  Any context. */
void channel_writable(void);
void channel_readable(void);
