/*
 * NVM Express, base specification 1.4, over PCI: the admin queue, polled, and one pair of I/O queues with an MSI-X vector.
 * Each of the COMMANDS in flight has a slot with a page for its PRP list (4.3) and a wait queue.  Namespaces with blocks
 * of 512 bytes.  A command that is not answered in TIMEOUT_NS ends the controller: all further ones are -EIO.
 */
#include "kernel/dev/nvme.h"
#include "abi/linux/errno.h"
#include "kernel/arch/io.h"
#include "kernel/arch/timer.h"
#include "kernel/dev/block.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"
#include "kernel/sched/wait.h"

/* Registers, 3.1 */
#define CAP 0x00
#define CC 0x14
#define CSTS 0x1c
#define AQA 0x24
#define ASQ 0x28
#define ACQ 0x30
#define DOORBELLS 0x1000
#define CC_ENABLE 1u
#define CC_ENTRY_SIZES (6u << 16 | 4u << 20) /* 64 and 16 bytes */
#define CSTS_READY 1u
#define CSTS_FATAL 2u

/* Opcodes, 5 and 6 */
#define ADMIN_CREATE_SQ 0x01
#define ADMIN_CREATE_CQ 0x05
#define ADMIN_IDENTIFY 0x06
#define IDENTIFY_CONTROLLER 1u
#define NVM_FLUSH 0x00
#define NVM_WRITE 0x01
#define NVM_READ 0x02

#define QUEUE_SIZE 32u
#define COMMANDS (QUEUE_SIZE - 1)
#define SEGMENTS 32u
#define LIST_MAX (PAGE_SIZE / 8)
#define NAMESPACES_MAX 4u
#define REGISTERS 0x2000u
#define TIMEOUT_NS 30000000000ull
#define WAIT_DONE 1u

struct nvme_command {
	uint32_t head; /* opcode, id << 16 */
	uint32_t namespace;
	uint64_t reserved, metadata, prp1, prp2;
	uint32_t words[6]; /* 10 to 15 */
};
_Static_assert(sizeof(struct nvme_command) == 64, "4.2");

struct nvme_completion {
	uint32_t result, reserved;
	uint16_t sq_head, sq_id, id, status; /* bit 0 of status: the phase */
};

struct queue {
	struct nvme_command *commands;
	volatile struct nvme_completion *completions;
	volatile uint8_t *doorbells; /* the submission queue's, then the completion queue's */
	unsigned stride, tail, head;
	uint16_t phase;
};

struct slot {
	uint64_t *list; /* a page */
	atomic_bool done;
	uint16_t status;
	struct wait_queue waiting;
};

struct controller {
	struct pci_device *pci;
	volatile uint8_t *registers;
	char name[16];
	unsigned ready_ms;     /* CAP.TO */
	uint64_t transfer_max; /* bytes */
	struct queue admin;
	struct wait_queue room;
	struct spinlock lock;
	/* under lock: */
	struct queue io;
	uint32_t busy_slots;
	bool broken;
	struct slot slots[COMMANDS];
};

struct namespace
{
	struct block_device block;
	struct controller *controller;
	uint32_t id;
};

/* --- queues, 4.1 --- */

static int queue_make(struct controller *c, struct queue *q, unsigned number)
{
	unsigned stride = 4u << (mmio_read64(c->registers + CAP) >> 32 & 0xf);
	if (DOORBELLS + (2 * number + 2) * stride > REGISTERS)
		return -ENODEV;
	struct page *commands = page_alloc(0, PAGE_ZERO), *completions = page_alloc(0, PAGE_ZERO);
	if (!commands || !completions)
		return -ENOMEM; /* at boot, once: the disk is not there then */
	*q = (struct queue){.commands = page_address(commands),
		.completions = page_address(completions),
		.doorbells = c->registers + DOORBELLS + 2 * number * stride,
		.stride = stride,
		.phase = 1};
	return 0;
}

static void queue_add(struct queue *q, const struct nvme_command *command)
{
	q->commands[q->tail] = *command;
	q->tail = (q->tail + 1) % QUEUE_SIZE;
	mmio_write32(q->doorbells, q->tail);
}

/* The next completion; false: none. */
static bool queue_take(struct queue *q, uint16_t *id, uint16_t *status)
{
	volatile struct nvme_completion *done = &q->completions[q->head];
	uint16_t word = done->status;
	if ((word & 1) != q->phase)
		return false;
	atomic_thread_fence(memory_order_acquire);
	*id = done->id;
	*status = word >> 1;
	q->head = (q->head + 1) % QUEUE_SIZE;
	if (q->head == 0)
		q->phase ^= 1;
	return true;
}

static void queue_taken(struct queue *q)
{
	mmio_write32(q->doorbells + q->stride, q->head);
}

/* --- the start, 7.6.1: nobody else is there, all is polled --- */

static int wait_ready(struct controller *c, uint32_t ready)
{
	uint64_t end = clock_monotonic_ns() + (c->ready_ms + 1) * 1000000ull;
	while (clock_monotonic_ns() < end) {
		uint32_t status = mmio_read32(c->registers + CSTS);
		if (status == UINT32_MAX || (ready && status & CSTS_FATAL))
			return -EIO;
		if ((status & CSTS_READY) == ready)
			return 0;
		cpu_relax();
	}
	return -ETIMEDOUT;
}

static int admin(struct controller *c, const struct nvme_command *command)
{
	uint64_t end = clock_monotonic_ns() + TIMEOUT_NS;
	uint16_t id, status;
	queue_add(&c->admin, command);
	while (!queue_take(&c->admin, &id, &status)) {
		if (clock_monotonic_ns() >= end)
			return -ETIMEDOUT;
		cpu_relax();
	}
	queue_taken(&c->admin);
	return status & 0x7ff ? -EIO : 0;
}

static int enable(struct controller *c)
{
	c->ready_ms = (unsigned)(mmio_read64(c->registers + CAP) >> 24 & 0xff) * 500;
	mmio_write32(c->registers + CC, 0);
	int err = wait_ready(c, 0);
	if (err == 0)
		err = queue_make(c, &c->admin, 0);
	if (err < 0)
		return err;
	mmio_write32(c->registers + AQA, (QUEUE_SIZE - 1) << 16 | (QUEUE_SIZE - 1));
	mmio_write64(c->registers + ASQ, virt_to_phys(c->admin.commands).pa);
	mmio_write64(c->registers + ACQ, virt_to_phys((void *)(uintptr_t)c->admin.completions).pa);
	mmio_write32(c->registers + CC, CC_ENABLE | CC_ENTRY_SIZES);
	return wait_ready(c, CSTS_READY);
}

static int create_io_queues(struct controller *c)
{
	int err = queue_make(c, &c->io, 1);
	if (err < 0)
		return err;
	struct nvme_command command = {.head = ADMIN_CREATE_CQ,
		.prp1 = virt_to_phys((void *)(uintptr_t)c->io.completions).pa,
		.words = {(QUEUE_SIZE - 1) << 16 | 1, 3 /* contiguous, interrupts by vector 0 */}};
	err = admin(c, &command);
	if (err < 0)
		return err;
	command = (struct nvme_command){.head = ADMIN_CREATE_SQ,
		.prp1 = virt_to_phys(c->io.commands).pa,
		.words = {(QUEUE_SIZE - 1) << 16 | 1, 1u << 16 | 1}};
	return admin(c, &command);
}

static int identify(struct controller *c, uint32_t namespace, uint32_t what, void *page)
{
	struct nvme_command command = {.head = ADMIN_IDENTIFY,
		.namespace = namespace,
		.prp1 = virt_to_phys(page).pa,
		.words = {what}};
	return admin(c, &command);
}

/* --- requests --- */

/* c->lock held. */
static void complete(struct controller *c)
{
	uint16_t id, status;
	bool any = false;
	while (queue_take(&c->io, &id, &status)) {
		any = true;
		/* An id that has no command: the device's mistake. */
		if (id >= COMMANDS || !(c->busy_slots >> id & 1))
			continue;
		c->slots[id].status = status & 0x7ff;
		atomic_store_explicit(&c->slots[id].done, true, memory_order_release);
		wait_wake(&c->slots[id].waiting, WAIT_DONE);
	}
	if (any)
		queue_taken(&c->io);
}

static void poll(struct controller *c)
{
	irq_state state = spin_lock(&c->lock);
	complete(c);
	spin_unlock(&c->lock, state);
}

static void interrupt(void *arg)
{
	poll(arg);
}

/* -EAGAIN: none is free. */
static int slot_take(struct controller *c, struct slot **out)
{
	int err = -EAGAIN;
	irq_state state = spin_lock(&c->lock);
	uint32_t free = ~c->busy_slots & ((1u << COMMANDS) - 1);
	if (c->broken) {
		err = -EIO;
	} else if (free) {
		unsigned n = (unsigned)__builtin_ctz(free);
		c->busy_slots |= 1u << n;
		*out = &c->slots[n];
		err = 0;
	}
	spin_unlock(&c->lock, state);
	return err;
}

static void slot_give(struct controller *c, struct slot *s)
{
	irq_state state = spin_lock(&c->lock);
	c->busy_slots &= ~(1u << (s - c->slots));
	spin_unlock(&c->lock, state);
	wait_wake(&c->room, WAIT_DONE);
}

static void wait_answer(struct controller *c, struct slot *s)
{
	uint64_t end = clock_monotonic_ns() + TIMEOUT_NS;
	if (irq_enabled())
		(void)wait_event_(&s->waiting, WAIT_DONE, s->done, end, 0, thread_block);
	while (!s->done && clock_monotonic_ns() < end) {
		poll(c);
		cpu_relax();
	}
	poll(c);
}

/* One command, answered.  A slot whose command never was stays taken: the device may still write there. */
static int execute(struct controller *c, struct slot *s, struct nvme_command *command)
{
	s->done = false;
	command->head |= (uint32_t)(s - c->slots) << 16;
	irq_state state = spin_lock(&c->lock);
	bool broken = c->broken;
	if (!broken)
		queue_add(&c->io, command);
	spin_unlock(&c->lock, state);
	if (broken)
		return -EIO;
	wait_answer(c, s);
	if (s->done)
		return s->status ? -EIO : 0;
	c->broken = true;
	wait_wake(&c->room, WAIT_DONE);
	log_error("%s: no answer in 30 s: not used any more", c->name);
	return -ETIMEDOUT;
}

/* Of segments from *at on, as much as one PRP list can say: pages but for the first one's start and the last one's
 * end.  Bytes. */
static uint64_t fill_list(struct controller *c, struct slot *s,
	const struct block_segment *segments, unsigned n, unsigned *at, uint32_t *offset,
	struct nvme_command *command)
{
	unsigned n_pages = 0;
	uint64_t len = 0;
	bool ends_page = true;
	while (*at < n && len < c->transfer_max && n_pages < LIST_MAX) {
		uint8_t *address = (uint8_t *)segments[*at].address + *offset;
		uint32_t in_page = (uint32_t)(PAGE_SIZE - ((uintptr_t)address & (PAGE_SIZE - 1)));
		if (n_pages && (!ends_page || in_page != PAGE_SIZE))
			break;
		uint32_t piece = min(in_page, segments[*at].len - *offset);
		piece = (uint32_t)min((uint64_t)piece, c->transfer_max - len);
		uint64_t pa = virt_to_phys(address).pa;
		if (n_pages == 0)
			command->prp1 = pa;
		else
			s->list[n_pages - 1] = pa;
		n_pages++;
		len += piece;
		ends_page = piece == in_page;
		*offset += piece;
		if (*offset == segments[*at].len) {
			*offset = 0;
			++*at;
		}
	}
	command->prp2 = n_pages < 2 ? 0 : n_pages == 2 ? s->list[0] : virt_to_phys(s->list).pa;
	return len;
}

static int transfer(struct namespace *n, struct slot *s, unsigned opcode, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	unsigned at = 0;
	uint32_t offset = 0;
	int err = 0;
	while (err == 0 && at < n_segments) {
		struct nvme_command command = {.head = opcode, .namespace = n->id};
		uint64_t len =
			fill_list(n->controller, s, segments, n_segments, &at, &offset, &command);
		uint32_t n_sectors = (uint32_t)(len / SECTOR_SIZE);
		command.words[0] = (uint32_t)sector;
		command.words[1] = (uint32_t)(sector >> 32);
		command.words[2] = n_sectors - 1;
		err = execute(n->controller, s, &command);
		sector += n_sectors;
	}
	return err;
}

static int submit(struct block_device *block, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	struct namespace *n = block->driver;
	struct controller *c = n->controller;
	struct slot *s = NULL;
	int err = slot_take(c, &s);
	if (err == -EAGAIN && irq_enabled())
		wait_event(&c->room, WAIT_DONE, (err = slot_take(c, &s)) != -EAGAIN);
	if (err < 0)
		return -EIO;
	struct nvme_command flush = {.head = NVM_FLUSH, .namespace = n->id};
	if (operation == BLOCK_FLUSH)
		err = execute(c, s, &flush);
	else
		err = transfer(n, s, operation == BLOCK_READ ? NVM_READ : NVM_WRITE, sector,
			segments, n_segments);
	if (err != -ETIMEDOUT)
		slot_give(c, s);
	if (err < 0)
		log_error("%s: request at sector %llu failed (status 0x%x)", block->name,
			(unsigned long long)sector, s->status);
	return err < 0 ? -EIO : 0;
}

static const struct block_ops nvme_ops = {.submit = submit};

/* --- finding --- */

static unsigned n_controllers;

/* 5.15.2.1: NSZE, FLBAS, LBAF. */
static void attach_namespace(struct controller *c, uint32_t id, const uint8_t *page)
{
	uint64_t size;
	uint32_t format_word;
	memcpy(&size, page, sizeof(size));
	if (size == 0)
		return;
	memcpy(&format_word, page + 128 + 4 * (page[26] & 0xf), sizeof(format_word));
	if ((format_word >> 16 & 0xff) != 9 || (format_word & 0xffff) != 0) {
		log_warn("%sn%u: not used: its blocks are not of 512 bytes", c->name, id);
		return;
	}
	struct namespace *n = heap_zalloc(sizeof(*n));
	if (!n)
		return;
	n->controller = c;
	n->id = id;
	n->block.ops = &nvme_ops;
	n->block.driver = n;
	n->block.n_sectors = min(size, (uint64_t)INT64_MAX / SECTOR_SIZE);
	n->block.max_segments = SEGMENTS;
	format(n->block.name, sizeof(n->block.name), "%sn%u", c->name, id);
	block_register(&n->block);
}

static int find_namespaces(struct controller *c, uint8_t *page)
{
	int err = identify(c, 0, IDENTIFY_CONTROLLER, page);
	if (err < 0)
		return err;
	uint32_t n;
	memcpy(&n, page + 516, sizeof(n));
	/* MDTS: in pages, a power of two; 0: no limit. */
	c->transfer_max = page[77] && page[77] < 7 ? PAGE_SIZE << page[77] : PAGE_SIZE * 128;
	for (uint32_t id = 1; id <= min(n, NAMESPACES_MAX); id++)
		if (identify(c, id, 0, page) == 0)
			attach_namespace(c, id, page);
	return 0;
}

static int start(struct controller *c)
{
	int err = enable(c);
	if (err == 0)
		err = pci_msix_enable(c->pci);
	if (err == 0)
		err = pci_msix_route(c->pci, 0, 0, interrupt, c);
	if (err == 0)
		err = create_io_queues(c);
	for (unsigned i = 0; i < COMMANDS && err == 0; i++) {
		struct page *list = page_alloc(0, 0);
		wait_queue_init(&c->slots[i].waiting);
		c->slots[i].list = list ? page_address(list) : NULL;
		err = list ? 0 : -ENOMEM;
	}
	struct page *page = page_alloc(0, PAGE_ZERO);
	if (err == 0)
		err = page ? find_namespaces(c, page_address(page)) : -ENOMEM;
	if (page)
		page_put(page);
	return err;
}

static bool match(const struct pci_device *d)
{
	return pci_read32(d, 8) >> 8 == 0x010802; /* class code, NVM Express' interface */
}

/* A controller that fails is stopped and left alone; what was allocated for it stays, it may still write there. */
static int probe(struct pci_device *d)
{
	struct controller *c = heap_zalloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->pci = d;
	format(c->name, sizeof(c->name), "nvme%u", n_controllers);
	wait_queue_init(&c->room);
	pci_enable(d);
	c->registers = pci_map_bar(d, 0, 0, REGISTERS);
	int err = c->registers ? start(c) : -ENODEV;
	if (err < 0) {
		log_warn("%s: NVMe controller not used (error %d)", d->name, -err);
		if (c->registers)
			mmio_write32(c->registers + CC, 0);
		return 0; /* d is in use by handlers */
	}
	n_controllers++;
	return 0;
}

const struct pci_driver nvme_driver = {.match = match, .probe = probe};
