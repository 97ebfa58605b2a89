/*
 * PCI: configuration space, the bus scan, capabilities, BARs as the firmware assigned them, MSI-X.
 */
#pragma once

#include "kernel/arch/irq.h"
#include "kernel/arch/mmu.h"
#include "kernel/lib/base.h"

struct pci_device {
	uint8_t bus, slot, function;
	uint16_t vendor, device;
	char name[16];          /* "pci 00:03.0" */
	volatile uint8_t *msix; /* the table; NULL until pci_msix_enable() */
	unsigned n_msix;
};

struct pci_driver {
	bool (*match)(const struct pci_device *d);
	/* d is the callee's to keep; on failure it is freed by the scan. */
	int (*probe)(struct pci_device *d);
};

/* Ends with NULL: drivers.c. */
extern const struct pci_driver *const pci_drivers[];

/* The machine has the PC's configuration ports. */
bool pci_has_ports(void);
/* Look at every function of every bus, and attach drivers. */
void pci_scan(void);

/* offset aligned to the width.  Beyond what the access method reaches: all ones. */
uint8_t pci_read8(const struct pci_device *d, unsigned offset);
uint16_t pci_read16(const struct pci_device *d, unsigned offset);
uint32_t pci_read32(const struct pci_device *d, unsigned offset);
void pci_write16(const struct pci_device *d, unsigned offset, uint16_t value);

/* Offset of the next capability with that id behind `after` (0: from the start); 0: no more. */
unsigned pci_capability(const struct pci_device *d, unsigned id, unsigned after);
#define PCI_CAPABILITY_VENDOR 0x09u
#define PCI_CAPABILITY_MSIX 0x11u

/* Registers [offset, offset + len) of a memory BAR; NULL when it is none, not assigned, or out of
 * memory. */
volatile uint8_t *pci_map_bar(
	const struct pci_device *d, unsigned bar, uint64_t offset, size_t len);
/* Let the device decode its memory BARs and master the bus. */
void pci_enable(const struct pci_device *d);

/* -ENODEV: the device has no MSI-X.  All entries are masked at first. */
int pci_msix_enable(struct pci_device *d) must_check;
/* Entry of the table, below d->n_msix, to handler(arg) on that CPU. */
int pci_msix_route(struct pci_device *d, unsigned entry, unsigned cpu, irq_handler handler,
	void *arg) must_check;
