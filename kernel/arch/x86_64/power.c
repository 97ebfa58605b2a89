/*
 * The machine's end: the status record through the ports of the command line (abi/boot.h), and off by
 * whatever the machine has: QEMU's exit port, ACPI's soft-off, a reset.  And the power button.
 *
 * Soft-off needs one value from the DSDT, the package \_S5; it is found by its name, as every
 * kernel without an AML interpreter does.
 */
#include "abi/boot.h"
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/command_line.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define PM1_POWER_BUTTON 0x100
#define PM1_SCI_ENABLE 1
#define PM1_SLEEP_ENABLE 0x2000
#define SLEEP_ENABLE 0x20 /* of the sleep control register */
#define AML_NAME 0x08
#define AML_PACKAGE 0x12
#define AML_BYTE 0x0a

static uint64_t status_port, exit_port;
static atomic_uint ended;

void power_init(void)
{
	if (!command_line_number(boot_command_line, "mote.status_port", &status_port))
		status_port = 0;
	if (!command_line_number(boot_command_line, "mote.exit_port", &exit_port))
		exit_port = 0;
}

static void register_write(const struct acpi_address *a, uint8_t x)
{
	if (a->space == ACPI_SPACE_PORT) {
		io_out8((uint16_t)a->address, x);
	} else if (a->space == ACPI_SPACE_MEMORY && a->address) {
		volatile uint8_t *at = mmu_map_device((phys_addr){a->address}, 1);
		if (at)
			mmio_write8(at, x);
	}
}

/* Name(_S5, Package{a, b, ..}): elements are bytes, or the one-byte opcodes Zero and One. */
static bool find_sleep_types(const struct acpi_fadt *fadt, uint8_t types[2])
{
	bool has_x_dsdt = fadt->header.length >= offsetof(struct acpi_fadt, x_pm1a_event);
	const struct acpi_header *dsdt =
		acpi_map(has_x_dsdt && fadt->x_dsdt ? fadt->x_dsdt : fadt->dsdt);
	if (!dsdt)
		return false;
	const uint8_t *p = (const uint8_t *)(dsdt + 1), *end = (const uint8_t *)dsdt + dsdt->length;
	for (; p + 11 <= end; p++)
		if (load_le32(p) == 0x5f35535f /* "_S5_" */ && p[4] == AML_PACKAGE)
			break;
	if (p + 11 > end)
		return false;
	p += 5;
	p += 1 + (*p >> 6); /* PkgLength */
	p++;                /* NumElements */
	for (unsigned i = 0; i < 2; i++) {
		if (*p == AML_BYTE)
			p++;
		types[i] = *p++;
	}
	return true;
}

static void acpi_off(void)
{
	const struct acpi_fadt *fadt = acpi_fadt();
	uint8_t types[2];
	if (!fadt || !find_sleep_types(fadt, types))
		return;
	if (fadt->flags & FADT_HARDWARE_REDUCED) {
		register_write(&fadt->sleep_control, (uint8_t)(types[0] << 2 | SLEEP_ENABLE));
	} else {
		io_out16((uint16_t)fadt->pm1a_control,
			(uint16_t)(types[0] << 10 | PM1_SLEEP_ENABLE));
		if (fadt->pm1b_control)
			io_out16((uint16_t)fadt->pm1b_control,
				(uint16_t)(types[1] << 10 | PM1_SLEEP_ENABLE));
	}
	clock_spin_ns(NS_PER_S); /* it may take the host a moment */
}

static _Noreturn void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void machine_restart(void)
{
	irq_disable();
	const struct acpi_fadt *fadt = acpi_fadt();
	if (fadt && fadt->header.length > FADT_REVISION_1_LENGTH &&
		fadt->flags & FADT_RESET_SUPPORTED)
		register_write(&fadt->reset, fadt->reset_value);
	io_out8(0x64, 0xfe); /* the keyboard controller's reset line */
	static const struct {
		uint16_t limit;
		uint64_t base;
	} packed no_gates = {0, 0};
	__asm__ volatile("lidt %0; int3" : : "m"(no_gates)); /* triple fault */
	halt();
}

/* What was written to the serial port must have left it: ending the machine ends that, too. */
static void drain_serial_port(void)
{
	for (unsigned i = 0; i < 1000000 && !(io_in8(0x3fd) & 0x40); i++)
		cpu_relax();
}

void machine_tell(const char *record)
{
	if (status_port)
		for (const char *p = record; *p; p++)
			io_out8((uint16_t)status_port, (uint8_t)*p);
}

void machine_end(const char *record, unsigned status)
{
	irq_disable();
	if (atomic_exchange(&ended, 1))
		halt();
	drain_serial_port();
	machine_tell(record);
	if (exit_port)
		io_out32((uint16_t)exit_port, status & 0x7f);
	acpi_off();
	machine_restart();
}

/* Hardware-reduced ACPI says only in AML where its event device is; QEMU's microvm puts it on the
 * page of the sleep control register, with line 9. */
#define GED_LINE 9
#define GED_POWER_DOWN 2
static uint8_t *event_device;

static void ged_interrupt(void *arg)
{
	(void)arg;
	if (mmio_read32(event_device) & GED_POWER_DOWN)
		power_button();
}

static void pm1_interrupt(void *arg)
{
	uint16_t port = (uint16_t)(uintptr_t)arg;
	if (io_in16(port) & PM1_POWER_BUTTON) {
		io_out16(port, PM1_POWER_BUTTON);
		power_button();
	}
}

static int watch_reduced(const struct acpi_fadt *fadt)
{
	if (memcmp(fadt->header.oem, "BOCHS ", 6) != 0 || !fadt->sleep_control.address)
		return -ENODEV;
	uint64_t pa = align_down(fadt->sleep_control.address, PAGE_SIZE);
	event_device = mmu_map_device((phys_addr){pa}, PAGE_SIZE);
	return event_device ? irq_request_line(GED_LINE, 0, ged_interrupt, NULL) : -ENOMEM;
}

static int watch_fixed(const struct acpi_fadt *fadt)
{
	uint16_t event = (uint16_t)fadt->pm1a_event;
	if (!event)
		return -ENODEV;
	int err = irq_request_line(
		fadt->sci_irq, IRQ_LEVEL | IRQ_ACTIVE_LOW, pm1_interrupt, (void *)(uintptr_t)event);
	if (err < 0)
		return err;
	if (fadt->smi_command && !(io_in16((uint16_t)fadt->pm1a_control) & PM1_SCI_ENABLE))
		io_out8((uint16_t)fadt->smi_command, fadt->acpi_enable);
	io_out16(event, PM1_POWER_BUTTON);
	io_out16((uint16_t)(event + fadt->pm1_event_len / 2), PM1_POWER_BUTTON);
	return 0;
}

void firmware_watch_power_button(void)
{
	const struct acpi_fadt *fadt = acpi_fadt();
	if (!fadt)
		return;
	int err = fadt->flags & FADT_HARDWARE_REDUCED ? watch_reduced(fadt) : watch_fixed(fadt);
	if (err < 0)
		log_warn("no power button: error %d", -err);
}
