/* ACPI's tables, as far as the port needs them; kernel/arch/firmware.h is the rest's view. */
#pragma once

#include "kernel/arch/firmware.h"

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} packed;

/* rsdp: physical, 0 unknown; then the BIOS area is searched if asked to. */
void acpi_init(uint64_t rsdp, bool search);

/* Fixed description table, or NULL. */
struct acpi_address { /* generic address structure */
	uint8_t space, bits, offset, access;
	uint64_t address;
} packed;
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_PORT 1

struct acpi_fadt { /* ACPI 6.5 5.2.9 */
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci_irq;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0,
		gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe_lens[3], cst;
	uint16_t latencies[2], flush[2];
	uint8_t duty[2], alarms[3];
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint8_t arm_flags[2], minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control,
		x_pm2_control, x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
} packed;
#define FADT_RESET_SUPPORTED (1u << 10)
#define FADT_HARDWARE_REDUCED (1u << 20)
#define FADT_REVISION_1_LENGTH offsetof(struct acpi_fadt, reset)

const struct acpi_fadt *acpi_fadt(void);
/* Table at that physical address, mapped whole; NULL when its checksum is wrong. */
const struct acpi_header *acpi_map(uint64_t pa);
