/*
 * PCI.  Configuration space through the PC's ports where they are, since they need no mapping; else
 * through the window the firmware tells of (ECAM), of which only the pages of functions looked at
 * get mapped.
 */
#include "kernel/dev/pci.h"
#include "abi/linux/errno.h"
#include "kernel/arch/firmware.h"
#include "kernel/arch/io.h"
#include "kernel/arch/cpu.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mem/heap.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u

#define VENDOR_ID 0x00
#define DEVICE_ID 0x02
#define COMMAND 0x04
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u
#define COMMAND_NO_INTX 0x400u
#define STATUS 0x06
#define STATUS_CAPABILITIES 0x10u
#define HEADER_TYPE 0x0e
#define HEADER_BRIDGE 1u
#define HEADER_MULTIFUNCTION 0x80u
#define BAR0 0x10
#define SECONDARY_BUS 0x19
#define CAPABILITIES 0x34

#define BUSES_MAX 256u

static bool use_ports;
static struct pci_window window;
/* The ECAM page mapped last: configuration space is read function by function. */
static volatile uint8_t *ecam_page;
static unsigned ecam_function = ~0u;
static struct spinlock config_lock = SPINLOCK_INIT;

bool pci_has_ports(void)
{
	if (!IO_HAS_PORTS)
		return false;
	io_out32(CONFIG_ADDRESS, CONFIG_ENABLE);
	return io_in32(CONFIG_ADDRESS) == CONFIG_ENABLE;
}

static unsigned function_number(const struct pci_device *d)
{
	return (unsigned)d->bus << 8 | (unsigned)d->slot << 3 | d->function;
}

/* config_lock.  The function's page in the window; NULL: not reachable. */
static volatile uint8_t *ecam(const struct pci_device *d)
{
	unsigned number = function_number(d);
	if (number == ecam_function)
		return ecam_page;
	if (d->bus < window.first_bus || d->bus > window.last_bus)
		return NULL;
	uint64_t offset = (uint64_t)(number - (window.first_bus << 8)) * PAGE_SIZE;
	ecam_page = mmu_map_device((phys_addr){window.pa + offset}, PAGE_SIZE);
	ecam_function = number;
	return ecam_page;
}

uint32_t pci_read32(const struct pci_device *d, unsigned offset)
{
	uint32_t value = UINT32_MAX;
	irq_state state = spin_lock(&config_lock);
	if (use_ports && offset < 256) {
		io_out32(CONFIG_ADDRESS, CONFIG_ENABLE | function_number(d) << 8 | offset);
		value = io_in32(CONFIG_DATA);
	} else if (!use_ports && offset < PAGE_SIZE && ecam(d)) {
		value = mmio_read32(ecam(d) + offset);
	}
	spin_unlock(&config_lock, state);
	return value;
}

uint16_t pci_read16(const struct pci_device *d, unsigned offset)
{
	return (uint16_t)(pci_read32(d, offset & ~3u) >> 8 * (offset & 2));
}

uint8_t pci_read8(const struct pci_device *d, unsigned offset)
{
	return (uint8_t)(pci_read32(d, offset & ~3u) >> 8 * (offset & 3));
}

void pci_write16(const struct pci_device *d, unsigned offset, uint16_t value)
{
	irq_state state = spin_lock(&config_lock);
	if (use_ports && offset < 256) {
		uint32_t address = function_number(d) << 8 | (offset & ~3u);
		io_out32(CONFIG_ADDRESS, CONFIG_ENABLE | address);
		io_out16((uint16_t)(CONFIG_DATA + (offset & 2)), value);
	} else if (!use_ports && offset < PAGE_SIZE && ecam(d)) {
		mmio_write16(ecam(d) + offset, value);
	}
	spin_unlock(&config_lock, state);
}

unsigned pci_capability(const struct pci_device *d, unsigned id, unsigned after)
{
	if (!(pci_read16(d, STATUS) & STATUS_CAPABILITIES))
		return 0;
	unsigned at = pci_read8(d, after ? after + 1 : CAPABILITIES) & ~3u;
	/* At most 48 fit: a list that goes in a circle ends, too. */
	for (unsigned n = 0; at >= 0x40 && n < 48; n++) {
		if (pci_read8(d, at) == id)
			return at;
		at = pci_read8(d, at + 1) & ~3u;
	}
	return 0;
}

volatile uint8_t *pci_map_bar(const struct pci_device *d, unsigned bar, uint64_t offset, size_t len)
{
	if (bar > 5)
		return NULL;
	uint32_t low = pci_read32(d, BAR0 + 4 * bar);
	uint64_t pa = low & ~0xfu;
	if (low & 1) /* I/O */
		return NULL;
	if ((low >> 1 & 3) == 2) {
		if (bar == 5)
			return NULL;
		pa |= (uint64_t)pci_read32(d, BAR0 + 4 * (bar + 1)) << 32;
	}
	if (pa == 0 || pa + offset < pa || pa + offset + len > 1ull << 52)
		return NULL;
	return mmu_map_device((phys_addr){pa + offset}, len);
}

void pci_enable(const struct pci_device *d)
{
	uint16_t command = pci_read16(d, COMMAND);
	pci_write16(d, COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
}

/* --- MSI-X, PCI 3.0 6.8.2 --- */

#define MSIX_CONTROL 2
#define MSIX_CONTROL_ENABLE 0x8000u
#define MSIX_CONTROL_MASK_ALL 0x4000u
#define MSIX_TABLE 4
#define MSIX_ENTRY_SIZE 16u

int pci_msix_enable(struct pci_device *d)
{
	unsigned at = pci_capability(d, PCI_CAPABILITY_MSIX, 0);
	if (at == 0)
		return -ENODEV;
	uint16_t control = pci_read16(d, at + MSIX_CONTROL);
	uint32_t table = pci_read32(d, at + MSIX_TABLE);
	unsigned n = (control & 0x7ffu) + 1;
	d->msix = pci_map_bar(d, table & 7, table & ~7u, n * MSIX_ENTRY_SIZE);
	if (!d->msix)
		return -ENODEV;
	d->n_msix = n;
	/* Entries come out of reset masked (6.8.2.9). */
	pci_write16(d, at + MSIX_CONTROL,
		(uint16_t)((control | MSIX_CONTROL_ENABLE) & ~MSIX_CONTROL_MASK_ALL));
	return 0;
}

int pci_msix_route(
	struct pci_device *d, unsigned entry, unsigned cpu, irq_handler handler, void *arg)
{
	assert(entry < d->n_msix);
	struct irq_message message;
	int err = irq_request_message(cpu, handler, arg, &message);
	if (err < 0)
		return err;
	volatile uint8_t *e = d->msix + entry * MSIX_ENTRY_SIZE;
	mmio_write32(e, (uint32_t)message.address);
	mmio_write32(e + 4, (uint32_t)(message.address >> 32));
	mmio_write32(e + 8, message.data);
	mmio_write32(e + 12, 0); /* unmasked */
	return 0;
}

/* --- the scan --- */

static void attach(const struct pci_device *found)
{
	for (unsigned i = 0; pci_drivers[i]; i++) {
		if (!pci_drivers[i]->match(found))
			continue;
		struct pci_device *d = heap_alloc(sizeof(*d));
		if (!d)
			return;
		*d = *found;
		format(d->name, sizeof(d->name), "pci %02x:%02x.%x", d->bus, d->slot, d->function);
		if (pci_drivers[i]->probe(d) < 0)
			heap_free(d);
		return;
	}
}

/* Buses still to be looked at: bridges add theirs (numbers as the firmware gave them). */
struct scan {
	uint8_t queue[BUSES_MAX];
	unsigned n, done;
	uint64_t seen[BUSES_MAX / 64];
};

static void add_bus(struct scan *s, uint8_t bus)
{
	if (s->seen[bus / 64] >> (bus % 64) & 1)
		return;
	s->seen[bus / 64] |= 1ull << (bus % 64);
	s->queue[s->n++] = bus;
}

/* False: no such function; for function 0 then no other of the slot either. */
static bool scan_function(
	struct scan *s, uint8_t bus, uint8_t slot, uint8_t function, bool *several)
{
	struct pci_device d = {.bus = bus, .slot = slot, .function = function};
	uint32_t ids = pci_read32(&d, VENDOR_ID);
	if ((uint16_t)ids == 0xffff || ids == 0)
		return false;
	d.vendor = (uint16_t)ids;
	d.device = (uint16_t)(ids >> 16);
	uint8_t type = pci_read8(&d, HEADER_TYPE);
	*several = type & HEADER_MULTIFUNCTION;
	if ((type & 0x7f) == HEADER_BRIDGE) {
		uint8_t behind = pci_read8(&d, SECONDARY_BUS);
		if (behind != 0)
			add_bus(s, behind);
	} else {
		attach(&d);
	}
	return true;
}

void pci_scan(void)
{
	use_ports = pci_has_ports();
	if (!use_ports && !firmware_pci_window(&window))
		return;
	struct scan *s = heap_zalloc(sizeof(*s));
	if (!s)
		return;
	add_bus(s, use_ports ? 0 : (uint8_t)window.first_bus);
	for (; s->done < s->n; s->done++) {
		uint8_t bus = s->queue[s->done];
		for (uint8_t slot = 0; slot < 32; slot++) {
			bool several = false, other = false;
			if (!scan_function(s, bus, slot, 0, &several))
				continue;
			for (uint8_t function = 1; several && function < 8; function++)
				scan_function(s, bus, slot, function, &other);
		}
	}
	heap_free(s);
}
