/* The drivers of virtio devices; the list that joins them is in drivers.c. */
#pragma once

#include "kernel/dev/virtio.h"

extern const struct virtio_driver virtio_net_driver, virtio_blk_driver, virtio_console_driver,
	virtio_rng_driver;

/* virtio_console.c hands multiport devices on, negotiated. */
int virtio_serial_probe(struct virtio_device *v) must_check;

/* Ends with NULL. */
extern const struct virtio_driver *const virtio_drivers[];
