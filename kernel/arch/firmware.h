/*
 * Port contract, for kernel/dev: what the firmware says of the machine (ACPI; a device tree on
 * other ports).
 */
#pragma once

#include "kernel/lib/base.h"

/* The ACPI table with that signature ("MCFG"), header included, checksum good; NULL: none. */
const void *firmware_table(const char signature[4]);

/* The PCI configuration window (ECAM) of segment 0; false when there is none. */
struct pci_window {
	uint64_t pa; /* of bus first_bus */
	unsigned first_bus, last_bus;
};
bool firmware_pci_window(struct pci_window *out) must_check;

/* From now on the host's wish that the machine stop arrives in power_button() (upcall.h). */
void firmware_watch_power_button(void);
