/* virtio over PCI. */
#pragma once

#include "kernel/dev/pci.h"

extern const struct pci_driver virtio_pci_driver;
