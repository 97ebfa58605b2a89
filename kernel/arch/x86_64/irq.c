/*
 * Interrupts by vector.  Devices have vectors VECTOR_DEVICE_FIRST.. of the CPU they go to; lines of the
 * I/O APICs go to CPU 0, messages to the CPU the driver names.  The 8259s are masked for good.
 */
#include "kernel/arch/irq.h"

#include "abi/linux/errno.h"
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/lib/log.h"

#define N_SLOTS (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
#define LINES_MAX 256
#define IO_APIC_VERSION 1
#define IO_APIC_ENTRY 0x10
#define ENTRY_LEVEL 0x8000
#define ENTRY_ACTIVE_LOW 0x2000
#define ENTRY_MASKED 0x10000

struct line_user {
	irq_handler handler;
	void *arg;
	struct line_user *next;
};

static struct spinlock lock = SPINLOCK_INIT; /* of all that follows, and of irq_slots to change */
static struct line_user *_Atomic lines[LINES_MAX];

struct io_apic {
	uint8_t *registers;
	uint32_t first_line, n_lines;
};
static struct io_apic io_apics[IO_APIC_MAX];
static unsigned n_io_apics;

void interrupt_handle(struct trap_frame *f); /* entry.S */

void interrupt_handle(struct trap_frame *f)
{
	unsigned vector = (unsigned)f->vector;
	switch (vector) {
	case VECTOR_TIMER:
		apic_end();
		clock_interrupt(f);
		return;
	case VECTOR_KICK:
		apic_end();
		kick_interrupt();
		return;
	case VECTOR_FLUSH:
		apic_end();
		tlb_serve();
		return;
	case VECTOR_SPURIOUS:
		return;
	}
	struct cpu_local *c = cpu_local();
	if (vector <= VECTOR_DEVICE_LAST && c->irq_slots &&
		c->irq_slots[vector - VECTOR_DEVICE_FIRST].handler) {
		struct irq_slot *s = &c->irq_slots[vector - VECTOR_DEVICE_FIRST];
		s->handler(s->arg);
	} else {
		log_warn("interrupt %#x has no handler", vector);
	}
	apic_end();
}

/* Under the lock. A vector of that CPU; -ENOSPC, -ENOMEM, -EINVAL. */
static int vector_take(unsigned cpu, irq_handler handler, void *arg)
{
	struct cpu_local *c = cpu < CPU_MAX ? cpu_locals[cpu] : NULL;
	if (!c)
		return -EINVAL;
	if (!c->irq_slots)
		c->irq_slots = port_alloc(N_SLOTS * sizeof(struct irq_slot));
	if (!c->irq_slots)
		return -ENOMEM;
	for (unsigned i = 0; i < N_SLOTS; i++)
		if (!c->irq_slots[i].handler) {
			c->irq_slots[i].arg = arg;
			c->irq_slots[i].handler = handler;
			return (int)i + VECTOR_DEVICE_FIRST;
		}
	return -ENOSPC;
}

static uint32_t io_apic_read(struct io_apic *a, uint32_t reg)
{
	mmio_write32(a->registers, reg);
	return mmio_read32(a->registers + 0x10);
}

static void io_apic_write(struct io_apic *a, uint32_t reg, uint32_t x)
{
	mmio_write32(a->registers, reg);
	mmio_write32(a->registers + 0x10, x);
}

void irq_init(void)
{
	io_out8(0x21, 0xff);
	io_out8(0xa1, 0xff);
	uint32_t next_line = 0;
	for (unsigned i = 0; i < machine.n_io_apics; i++) {
		struct io_apic *a = &io_apics[n_io_apics];
		a->registers = mmu_map_device((phys_addr){machine.io_apics[i].pa}, 0x20);
		uint32_t version = a->registers ? io_apic_read(a, IO_APIC_VERSION) : UINT32_MAX;
		if (version == UINT32_MAX)
			continue;
		a->n_lines = (version >> 16 & 0xff) + 1;
		/* The MP table does not say where the lines start: they follow each other. */
		a->first_line = max(machine.io_apics[i].first_line, next_line);
		next_line = a->first_line + a->n_lines;
		n_io_apics++;
	}
}

static void line_dispatch(void *arg)
{
	struct line_user *u = atomic_load_explicit(&lines[(uintptr_t)arg], memory_order_acquire);
	for (; u; u = u->next)
		u->handler(u->arg);
}

/* What the firmware says of a line goes before what the driver thinks (MPS 1.4, table 4-10). */
static uint32_t line_mode(unsigned line, unsigned flags)
{
	for (unsigned i = 0; i < machine.n_overrides; i++) {
		const struct line_override *o = &machine.overrides[i];
		if (o->line != line)
			continue;
		if (o->flags & 3)
			flags = (flags & ~IRQ_ACTIVE_LOW) |
				((o->flags & 3) == 3 ? IRQ_ACTIVE_LOW : 0);
		if (o->flags & 12)
			flags = (flags & ~IRQ_LEVEL) | ((o->flags & 12) == 12 ? IRQ_LEVEL : 0);
	}
	return (flags & IRQ_LEVEL ? ENTRY_LEVEL : 0) |
	       (flags & IRQ_ACTIVE_LOW ? ENTRY_ACTIVE_LOW : 0);
}

static int line_open(unsigned line, unsigned flags)
{
	for (unsigned i = 0; i < n_io_apics; i++) {
		struct io_apic *a = &io_apics[i];
		if (line < a->first_line || line >= a->first_line + a->n_lines)
			continue;
		int vector = vector_take(0, line_dispatch, (void *)(uintptr_t)line);
		if (vector < 0)
			return vector;
		uint32_t entry = IO_APIC_ENTRY + 2 * (line - a->first_line);
		io_apic_write(a, entry, ENTRY_MASKED);
		io_apic_write(a, entry + 1, boot_cpu.apic_id << 24);
		io_apic_write(a, entry, line_mode(line, flags) | (uint32_t)vector);
		return 0;
	}
	return -EINVAL;
}

int irq_request_line(unsigned line, unsigned flags, irq_handler handler, void *arg)
{
	if (line >= LINES_MAX)
		return -EINVAL;
	struct line_user *u = port_alloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	irq_state s = spin_lock(&lock);
	struct line_user *others = lines[line];
	*u = (struct line_user){handler, arg, others};
	atomic_store_explicit(&lines[line], u, memory_order_release);
	int err = others ? 0 : line_open(line, flags);
	if (err < 0)
		lines[line] = NULL;
	spin_unlock(&lock, s);
	if (err < 0)
		port_free(u);
	return err;
}

int irq_request_message(unsigned cpu, irq_handler handler, void *arg, struct irq_message *out)
{
	irq_state s = spin_lock(&lock);
	int vector = vector_take(cpu, handler, arg);
	spin_unlock(&lock, s);
	if (vector < 0)
		return vector;
	/* SDM 3A 11.11.  APIC ids above 255 would need interrupt remapping. */
	out->address = 0xfee00000 | (uint64_t)cpu_locals[cpu]->apic_id << 12;
	out->data = (uint32_t)vector;
	return 0;
}
