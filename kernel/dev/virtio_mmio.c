/*
 * virtio over memory-mapped registers, virtio 1.2 4.2: version 2, and version 1, the legacy
 * interface that QEMU shows unless told otherwise.  Where the windows are: virtio_mmio.device= on
 * the command line; else, on a machine that is no PC, the place QEMU's microvm has them.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/firmware.h"
#include "kernel/arch/irq.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_mmio.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

struct mmio_device {
	struct virtio_device virtio;
	volatile uint8_t *registers;
};

static uint32_t get(struct virtio_device *d, unsigned offset)
{
	return mmio_read32(container_of(d, struct mmio_device, virtio)->registers + offset);
}

static void set(struct virtio_device *d, unsigned offset, uint32_t value)
{
	mmio_write32(container_of(d, struct mmio_device, virtio)->registers + offset, value);
}

static uint32_t get_features(struct virtio_device *d, unsigned word)
{
	set(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
	return get(d, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void set_features(struct virtio_device *d, unsigned word, uint32_t features)
{
	set(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
	set(d, VIRTIO_MMIO_DRIVER_FEATURES, features);
}

static uint8_t get_status(struct virtio_device *d)
{
	return (uint8_t)get(d, VIRTIO_MMIO_STATUS);
}

static void set_status(struct virtio_device *d, uint8_t status)
{
	set(d, VIRTIO_MMIO_STATUS, status);
	/* 4.2.4: before any queue is set up */
	if (d->legacy && status == VIRTIO_STATUS_ACKNOWLEDGE)
		set(d, VIRTIO_MMIO_GUEST_PAGE_SIZE, PAGE_SIZE);
}

static unsigned queue_size_max(struct virtio_device *d, unsigned index)
{
	set(d, VIRTIO_MMIO_QUEUE_SEL, index);
	return get(d, VIRTIO_MMIO_QUEUE_SIZE_MAX);
}

static void set_address(struct virtio_device *d, unsigned low, const void *address)
{
	uint64_t pa = virt_to_phys(address).pa;
	set(d, low, (uint32_t)pa);
	set(d, low + 4, (uint32_t)(pa >> 32));
}

static int queue_enable(struct virtio_device *d, struct virtqueue *q)
{
	set(d, VIRTIO_MMIO_QUEUE_SEL, q->index);
	set(d, VIRTIO_MMIO_QUEUE_SIZE, q->size);
	if (d->legacy) {
		uint64_t pfn = virt_to_phys(q->desc).pa >> PAGE_SHIFT;
		if (pfn > UINT32_MAX)
			return -ENOMEM;
		set(d, VIRTIO_MMIO_QUEUE_ALIGN, PAGE_SIZE);
		set(d, VIRTIO_MMIO_QUEUE_PFN, (uint32_t)pfn);
	} else {
		set_address(d, VIRTIO_MMIO_QUEUE_DESC_LOW, q->desc);
		set_address(d, VIRTIO_MMIO_QUEUE_DRIVER_LOW, q->avail);
		set_address(d, VIRTIO_MMIO_QUEUE_DEVICE_LOW, q->used);
		set(d, VIRTIO_MMIO_QUEUE_READY, 1);
	}
	q->doorbell =
		container_of(d, struct mmio_device, virtio)->registers + VIRTIO_MMIO_QUEUE_NOTIFY;
	return 0;
}

/* 4.2.2.2: the legacy interface wants bytes; words are right for all fields of the other, but bytes
 * serve too. */
static void read_config(struct virtio_device *d, unsigned offset, void *to, unsigned len)
{
	volatile uint8_t *at = container_of(d, struct mmio_device, virtio)->registers +
			       VIRTIO_MMIO_CONFIG + offset;
	for (unsigned i = 0; i < len; i++)
		((uint8_t *)to)[i] = mmio_read8(at + i);
}

static uint32_t config_generation(struct virtio_device *d)
{
	return d->legacy ? 0 : get(d, VIRTIO_MMIO_CONFIG_GENERATION);
}

static const struct virtio_transport mmio_transport = {
	.get_features = get_features,
	.set_features = set_features,
	.get_status = get_status,
	.set_status = set_status,
	.queue_size_max = queue_size_max,
	.queue_enable = queue_enable,
	.read_config = read_config,
	.config_generation = config_generation,
};

/* Acknowledge first: what is used after the look at the rings raises the line anew (edge
 * triggered). */
static void interrupt(void *arg)
{
	struct virtio_device *d = arg;
	/* Which cause it was is not asked: under a hypervisor each access leaves the machine, the rings tell whether
	 * there is news, and nothing here follows changes of the configuration. */
	set(d, VIRTIO_MMIO_INTERRUPT_ACK,
		VIRTIO_MMIO_INTERRUPT_USED | VIRTIO_MMIO_INTERRUPT_CONFIG);
	virtio_interrupt(d);
}

/* A device sits behind these registers: its type, else 0. */
static uint32_t device_behind(volatile uint8_t *registers)
{
	if (mmio_read32(registers + VIRTIO_MMIO_MAGIC) != VIRTIO_MMIO_MAGIC_VALUE)
		return 0;
	uint32_t version = mmio_read32(registers + VIRTIO_MMIO_VERSION);
	return version == 1 || version == 2 ? mmio_read32(registers + VIRTIO_MMIO_DEVICE_ID) : 0;
}

static int attach(uint64_t pa, volatile uint8_t *registers, unsigned line)
{
	uint32_t id = device_behind(registers);
	if (id == 0)
		return 0;
	struct mmio_device *m = heap_zalloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->registers = registers;
	m->virtio.transport = &mmio_transport;
	m->virtio.id = id;
	m->virtio.legacy = mmio_read32(registers + VIRTIO_MMIO_VERSION) == 1;
	format(m->virtio.name, sizeof(m->virtio.name), "virtio-mmio@%llx", (unsigned long long)pa);
	int err = irq_request_line(line, 0, interrupt, &m->virtio);
	if (err < 0) {
		log_error("%s: no interrupt line %u", m->virtio.name, line);
		heap_free(m);
		return err;
	}
	virtio_attach(&m->virtio);
	return 0;
}

/* SIZE@BASE:IRQ[:ID], SIZE and BASE in any base, with K, M, G behind SIZE: as Linux has it. */
static bool parse_hint(const char *s, uint64_t *pa, unsigned *line)
{
	uint64_t size = 0, irq = 0;
	if (!string_parse_u64(&s, &size))
		return false;
	if (*s && strchr("kKmMgG", *s))
		s++;
	if (*s++ != '@' || !string_parse_u64(&s, pa) || *s++ != ':' || !string_parse_u64(&s, &irq))
		return false;
	*line = (unsigned)irq;
	return (*s == '\0' || *s == ':') && irq <= 0xffff && *pa < 1ull << 52;
}

void virtio_mmio_attach_hint(const char *hint)
{
	uint64_t pa = 0;
	unsigned line = 0;
	if (!parse_hint(hint, &pa, &line)) {
		log_warn("virtio_mmio.device=%s: not understood (SIZE@BASE:IRQ)", hint);
		return;
	}
	volatile uint8_t *registers = mmu_map_device((phys_addr){pa}, VIRTIO_MMIO_WINDOW_SIZE);
	if (!registers || attach(pa, registers, line) < 0)
		log_warn("virtio_mmio.device=%s: could not be set up", hint);
}

/*
 * QEMU's microvm: windows of 512 bytes from 0xfeb00000 up.  With the second I/O APIC (the default)
 * there are 24, on its lines, 24 up; without it 8, on lines 16 up, or, without ACPI, 5 up.
 */
#define MICROVM_BASE 0xfeb00000ull
#define MICROVM_WINDOWS 24u
#define MICROVM_SECOND_IOAPIC 0xfec10000ull
#define IOAPIC_VERSION 0x01u

static bool has_second_ioapic(void)
{
	volatile uint8_t *ioapic = mmu_map_device((phys_addr){MICROVM_SECOND_IOAPIC}, PAGE_SIZE);
	if (!ioapic)
		return false;
	mmio_write32(ioapic, IOAPIC_VERSION);
	uint32_t version = mmio_read32(ioapic + 16);
	return version != 0 && version != UINT32_MAX;
}

void virtio_mmio_attach_microvm(void)
{
	size_t size = MICROVM_WINDOWS * VIRTIO_MMIO_WINDOW_SIZE;
	volatile uint8_t *windows = mmu_map_device((phys_addr){MICROVM_BASE}, size);
	if (!windows || mmio_read32(windows) != VIRTIO_MMIO_MAGIC_VALUE)
		return;
	unsigned first_line = firmware_table("APIC") ? 16 : 5;
	unsigned n = 8;
	if (has_second_ioapic()) {
		first_line = 24;
		n = MICROVM_WINDOWS;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned offset = i * VIRTIO_MMIO_WINDOW_SIZE;
		if (attach(MICROVM_BASE + offset, windows + offset, first_line + i) < 0)
			log_warn("virtio-mmio window %u could not be set up", i);
	}
}
