/*
 * All drivers.  To add one: its line in the list of its bus.  What the machine does not have costs
 * one look, never a wait.
 */
#include "kernel/dev/drivers.h"
#include "kernel/dev/nvme.h"
#include "kernel/dev/pci.h"
#include "kernel/dev/uart16550.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/dev/virtio_mmio.h"
#include "kernel/dev/virtio_pci.h"

const struct pci_driver *const pci_drivers[] = {
	&virtio_pci_driver,
	&nvme_driver,
	NULL,
};

const struct virtio_driver *const virtio_drivers[] = {
	&virtio_blk_driver,
	&virtio_net_driver,
	&virtio_console_driver,
	&virtio_rng_driver,
	NULL,
};

void drivers_probe(const struct device_hints *hints)
{
	uart16550_probe();
	for (unsigned i = 0; i < hints->n_virtio_mmio; i++)
		virtio_mmio_attach_hint(hints->virtio_mmio[i]);
	/* No PC has anything at microvm's place; on a PC it may be some device's registers. */
	if (hints->n_virtio_mmio == 0 && !pci_has_ports())
		virtio_mmio_attach_microvm();
	if (!hints->no_pci)
		pci_scan();
}
