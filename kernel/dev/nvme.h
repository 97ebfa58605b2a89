/* NVM Express disks. */
#pragma once

#include "kernel/dev/pci.h"

extern const struct pci_driver nvme_driver;
