/* virtio over memory-mapped registers. */
#pragma once

/* The value of a virtio_mmio.device= word. */
void virtio_mmio_attach_hint(const char *hint);
/* Look where QEMU's microvm has its windows; only for machines that have no PC chipset. */
void virtio_mmio_attach_microvm(void);
