/*
 * How many processors, which I/O APICs: from ACPI's MADT, else from the MP table (MultiProcessor
 * Specification 1.4: Firecracker, SeaBIOS), else from QEMU's fw_cfg and the customary address.
 */
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/string.h"

#define IO_APIC_CUSTOMARY 0xfec00000

struct machine_tables machine;

static void add_io_apic(uint64_t pa, uint32_t first_line)
{
	if (machine.n_io_apics < IO_APIC_MAX)
		machine.io_apics[machine.n_io_apics++] = (struct io_apic_entry){pa, first_line};
}

static void add_override(uint8_t isa, uint32_t line, uint16_t flags)
{
	if (machine.n_overrides < array_size(machine.overrides))
		machine.overrides[machine.n_overrides++] = (struct line_override){isa, line, flags};
}

/* ACPI 6.5 5.2.12: entries of type, length, contents. */
static void madt_entry(const uint8_t *e)
{
	switch (e[0]) {
	case 0: /* local APIC */
		machine.n_cpus += e[4] & 1;
		break;
	case 1: /* I/O APIC */
		add_io_apic(load_le32(e + 4), load_le32(e + 8));
		break;
	case 2: /* interrupt source override */
		add_override(e[3], load_le32(e + 4), load_le16(e + 8));
		break;
	case 5: /* local APIC address */
		apic_pa = load_le64(e + 4);
		break;
	case 9: /* x2APIC */
		machine.n_cpus += e[8] & 1;
		break;
	}
}

static bool read_madt(void)
{
	const struct acpi_header *madt = firmware_table("APIC");
	if (!madt)
		return false;
	const uint8_t *e = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->length;
	apic_pa = load_le32(e);
	for (e += 8; e + 2 <= end && e[1] >= 2 && e + e[1] <= end; e += e[1])
		madt_entry(e);
	return true;
}

static const uint8_t *mp_search(const uint8_t *from, size_t n)
{
	for (size_t i = 0; from && i + 16 <= n; i += 16)
		if (load_le32(from + i) == 0x5f504d5f /* "_MP_" */)
			return from + i;
	return NULL;
}

static const uint8_t *mp_table_find(void)
{
	/* The last KB of base memory (where Firecracker and EBDAs are), then the BIOS. */
	const uint8_t *p = mp_search(mmu_map_device((phys_addr){0x9fc00}, 0x400), 0x400);
	if (!p)
		p = mp_search(mmu_map_device((phys_addr){0xf0000}, 0x10000), 0x10000);
	if (!p)
		return NULL;
	uint64_t pa = load_le32(p + 4);
	const uint8_t *t = pa ? mmu_map_device((phys_addr){pa}, 44) : NULL;
	if (!t || memcmp(t, "PCMP", 4) != 0)
		return NULL;
	return mmu_map_device((phys_addr){pa}, load_le16(t + 4));
}

static bool read_mp_table(void)
{
	const uint8_t *t = mp_table_find();
	if (!t)
		return false;
	const uint8_t *e = t + 44, *end = t + load_le16(t + 4);
	apic_pa = load_le32(t + 36);
	uint8_t isa_bus = 0xff;
	/* By length: qboot leaves the number of entries 0. */
	for (; e + 8 <= end; e += e[0] == 0 ? 20 : 8) {
		if (e[0] == 0)
			machine.n_cpus += e[3] & 1;
		else if (e[0] == 1 && memcmp(e + 2, "ISA", 3) == 0)
			isa_bus = e[1];
		else if (e[0] == 2 && e[3] & 1)
			add_io_apic(load_le32(e + 4), 0);
		else if (e[0] == 3 && e[1] == 0 && e[4] == isa_bus)
			add_override(e[5], e[7], load_le16(e + 2));
	}
	return true;
}

/* QEMU's firmware configuration: the number of CPUs under key 5; 1 on other machines. */
static unsigned fw_cfg_cpus(void)
{
	static const char signature[4] = "QEMU";
	io_out16(0x510, 0);
	for (unsigned i = 0; i < 4; i++)
		if (io_in8(0x511) != (uint8_t)signature[i])
			return 1;
	io_out16(0x510, 5);
	unsigned low = io_in8(0x511);
	return low | (unsigned)io_in8(0x511) << 8;
}

void smp_find_cpus(void)
{
	/* SeaBIOS lists one processor a socket in its MP table. */
	if (!read_madt() &&
		(!read_mp_table() || hypervisor == HYPERVISOR_TCG || hypervisor == HYPERVISOR_KVM))
		machine.n_cpus = max(machine.n_cpus, fw_cfg_cpus());
	if (!machine.n_io_apics)
		add_io_apic(IO_APIC_CUSTOMARY, 0);
	machine.n_cpus = max(1u, min(machine.n_cpus, (unsigned)CPU_MAX));
}
