/* All drivers, in one list: kernel/dev/drivers.c. */
#pragma once

#include "kernel/lib/base.h"

/* Find buses and devices and attach their drivers.  virtio_mmio: the values of virtio_mmio.device=
 * words. */
struct device_hints {
	const char *const *virtio_mmio;
	unsigned n_virtio_mmio;
	bool no_pci; /* mote.pci=off */
};
void drivers_probe(const struct device_hints *hints);
