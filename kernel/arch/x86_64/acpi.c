/*
 * Finding ACPI tables: RSDP -> XSDT or RSDT -> table by signature.  Tables lie in reserved memory,
 * outside the direct map, and are read through device windows.  No AML is run: what needs a value
 * from the DSDT scans for it (power.c).
 */
#include "kernel/arch/x86_64/acpi.h"

#include "kernel/arch/mmu.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define BIOS_START 0xe0000ul
#define BIOS_END 0x100000ul

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} packed;

static const struct acpi_header *root; /* XSDT or RSDT; NULL: no ACPI */

static bool sum_is_zero(const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint8_t sum = 0;
	while (n--)
		sum += *bytes++;
	return sum == 0;
}

const struct acpi_header *acpi_map(uint64_t pa)
{
	const struct acpi_header *h = mmu_map_device((phys_addr){pa}, sizeof(*h));
	if (!h || h->length < sizeof(*h))
		return NULL;
	h = mmu_map_device((phys_addr){pa}, h->length);
	return h && sum_is_zero(h, h->length) ? h : NULL;
}

static const struct rsdp *rsdp_search(void)
{
	const uint8_t *bios = mmu_map_device((phys_addr){BIOS_START}, BIOS_END - BIOS_START);
	for (size_t i = 0; bios && i < BIOS_END - BIOS_START; i += 16)
		if (load_le64(bios + i) == 0x2052545020445352ull /* "RSD PTR " */)
			return (const struct rsdp *)(bios + i);
	return NULL;
}

void acpi_init(uint64_t rsdp, bool search)
{
	const struct rsdp *r = NULL;
	if (rsdp)
		r = mmu_map_device((phys_addr){rsdp}, sizeof(*r));
	else if (search)
		r = rsdp_search();
	if (!r || memcmp(r->signature, "RSD PTR ", 8) != 0 || !sum_is_zero(r, 20))
		return;
	root = acpi_map(r->revision >= 2 && r->xsdt ? r->xsdt : r->rsdt);
	if (!root)
		log_warn("ACPI: the root table is damaged");
}

const void *firmware_table(const char signature[4])
{
	if (!root)
		return NULL;
	size_t width = root->signature[0] == 'X' ? 8 : 4;
	const uint8_t *entries = (const uint8_t *)(root + 1);
	size_t n = (root->length - sizeof(*root)) / width;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *e = entries + i * width;
		uint64_t pa = width == 8 ? load_le64(e) : load_le32(e);
		const struct acpi_header *h = mmu_map_device((phys_addr){pa}, sizeof(*h));
		if (h && memcmp(h->signature, signature, 4) == 0)
			return acpi_map(pa);
	}
	return NULL;
}

const struct acpi_fadt *acpi_fadt(void)
{
	static const struct acpi_fadt *fadt;
	static bool looked;
	if (!looked)
		fadt = firmware_table("FACP");
	looked = true;
	return fadt;
}

bool firmware_pci_window(struct pci_window *out)
{
	struct mcfg {
		struct acpi_header header;
		uint64_t reserved;
		struct {
			uint64_t pa;
			uint16_t segment;
			uint8_t first_bus, last_bus;
			uint32_t reserved;
		} packed windows[];
	} packed;
	const struct mcfg *m = firmware_table("MCFG");
	if (!m)
		return false;
	size_t n = (m->header.length - sizeof(*m)) / sizeof(m->windows[0]);
	for (size_t i = 0; i < n; i++)
		if (m->windows[i].segment == 0) {
			*out = (struct pci_window){
				m->windows[i].pa, m->windows[i].first_bus, m->windows[i].last_bus};
			return true;
		}
	return false;
}
