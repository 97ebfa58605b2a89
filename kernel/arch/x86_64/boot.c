/*
 * From the loader's hands to kernel_main(): read what PVH's start info or Linux's boot_params say,
 * build the final page tables, bring up this CPU.
 *
 * Loader data may lie anywhere in memory and is copied before anything is written outside the image.
 * Memory the port takes before kernel/mem exists (page tables, the command line) is a bump area
 * right behind the image (paging.c), cut out of the ranges handed on.
 */
#include "abi/boot.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define HVM_START_MAGIC 0x336ec578
#define MEMORY_RAM 1

struct hvm_start_info { /* xen/include/public/arch-x86/hvm/start_info.h */
	uint32_t magic, version, flags, n_modules;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t n_memory_map, reserved;
};

struct hvm_module {
	uint64_t pa, size, command_line, reserved;
};

struct hvm_memory {
	uint64_t pa, size;
	uint32_t type, reserved;
};

/* Offsets in boot_params (Linux: Documentation/arch/x86/zero-page.rst). */
#define BOOT_PARAMS_RSDP 0x070
#define BOOT_PARAMS_INITRD_HIGH 0x0c0
#define BOOT_PARAMS_INITRD_SIZE_HIGH 0x0c4
#define BOOT_PARAMS_COMMAND_LINE_HIGH 0x0c8
#define BOOT_PARAMS_N_E820 0x1e8
#define BOOT_PARAMS_INITRD 0x218
#define BOOT_PARAMS_INITRD_SIZE 0x21c
#define BOOT_PARAMS_COMMAND_LINE 0x228
#define BOOT_PARAMS_E820 0x2d0

struct e820_entry {
	uint64_t pa, size;
	uint32_t type;
} packed;

extern uint8_t boot_stack[]; /* start.S */

const char *boot_command_line = "";
static struct boot_info info;

_Noreturn void boot_start(unsigned how, uint64_t info_pa, uint64_t entry_tsc);

static void add_memory(uint64_t pa, uint64_t size, uint32_t type)
{
	uint64_t start = align_up(pa, PAGE_SIZE), end = align_down(pa + size, PAGE_SIZE);
	if (type != MEMORY_RAM || start >= end || info.n_memory == BOOT_MEMORY_RANGES)
		return;
	unsigned at = info.n_memory++;
	for (; at > 0 && info.memory[at - 1].start > start; at--)
		info.memory[at] = info.memory[at - 1];
	info.memory[at] = (struct memory_range){start, end};
}

/* Take [start, end) out of the usable ranges. */
static void remove_memory(uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < info.n_memory; i++) {
		struct memory_range r = info.memory[i];
		if (r.end <= start || r.start >= end)
			continue;
		for (unsigned j = i; j + 1 < info.n_memory; j++)
			info.memory[j] = info.memory[j + 1];
		info.n_memory--;
		if (r.start < start)
			add_memory(r.start, start - r.start, MEMORY_RAM);
		if (end < r.end)
			add_memory(end, r.end - end, MEMORY_RAM);
		i = UINT32_MAX; /* the array has moved: once more from the start */
	}
}

/* Physical address of the command line. */
static uint64_t read_pvh(uint64_t pa)
{
	const struct hvm_start_info *s = early_view(pa, 0);
	if (s->magic != HVM_START_MAGIC)
		panic("no PVH start info at %#lx", (unsigned long)pa);
	info.rsdp = s->rsdp;
	if (s->n_modules) {
		const struct hvm_module *m = early_view(s->modules, 1);
		info.initrd = (struct memory_range){m->pa, m->pa + m->size};
	}
	if (s->version >= 1) {
		const struct hvm_memory *m = early_view(s->memory_map, 1);
		for (uint32_t i = 0; i < s->n_memory_map; i++)
			add_memory(m[i].pa, m[i].size, m[i].type);
	}
	return s->command_line;
}

static uint64_t load_pair(const uint8_t *p, unsigned low, unsigned high)
{
	return load_le32(p + low) | (uint64_t)load_le32(p + high) << 32;
}

static uint64_t read_boot_params(uint64_t pa)
{
	const uint8_t *p = early_view(pa, 0);
	info.rsdp = load_le64(p + BOOT_PARAMS_RSDP);
	uint64_t initrd = load_pair(p, BOOT_PARAMS_INITRD, BOOT_PARAMS_INITRD_HIGH);
	uint64_t size = load_pair(p, BOOT_PARAMS_INITRD_SIZE, BOOT_PARAMS_INITRD_SIZE_HIGH);
	if (size)
		info.initrd = (struct memory_range){initrd, initrd + size};
	const struct e820_entry *e = (const void *)(p + BOOT_PARAMS_E820);
	for (unsigned i = 0; i < p[BOOT_PARAMS_N_E820]; i++)
		add_memory(e[i].pa, e[i].size, e[i].type);
	return load_pair(p, BOOT_PARAMS_COMMAND_LINE, BOOT_PARAMS_COMMAND_LINE_HIGH);
}

/* The bump area starts behind the image and behind what lies close above it. */
static void place_early_memory(uint64_t command_line_pa, size_t command_line_len)
{
	uint64_t start = align_up(virt_to_phys(image_end).pa, PAGE_SIZE);
	struct memory_range used[] = {
		info.initrd, {command_line_pa, command_line_pa + command_line_len + 1}};
	for (unsigned pass = 0; pass < array_size(used); pass++)
		for (unsigned i = 0; i < array_size(used); i++)
			if (used[i].start < start + EARLY_MEMORY_CLOSE && used[i].end > start)
				start = align_up(used[i].end, PAGE_SIZE);
	for (unsigned i = 0; i < info.n_memory; i++)
		if (info.memory[i].start <= start && start < info.memory[i].end) {
			early_memory_set(start, info.memory[i].end);
			return;
		}
	panic("no memory behind the kernel image");
}

static void copy_command_line(uint64_t pa)
{
	const char *from = pa ? early_view(pa, 0) : "";
	size_t len = strnlen(from, BOOT_COMMAND_LINE_MAX);
	bool cut = len == BOOT_COMMAND_LINE_MAX;
	if (cut)
		len--;
	place_early_memory(pa, len);
	char *to = early_alloc(len + 1);
	memcpy(to, from, len);
	to[len] = '\0';
	info.command_line = boot_command_line = to;
	if (cut)
		log_warn("command line cut to %d bytes", BOOT_COMMAND_LINE_MAX - 1);
}

_Noreturn void boot_start(unsigned how, uint64_t info_pa, uint64_t entry_tsc)
{
	cpu_identify();
	cpu_patch_smap();
	cpu_set_control();
	descriptors_init(&boot_cpu);
	descriptors_set_stack(&boot_cpu, boot_stack + BOOT_STACK_SIZE);
	log_set_sink(serial_write);
	uint64_t command_line = how == BOOT_PVH ? read_pvh(info_pa) : read_boot_params(info_pa);
	copy_command_line(command_line);
	remove_memory(virt_to_phys(image_start).pa, virt_to_phys(image_end).pa);
	paging_init(&info);
	/* It was seen through start.S's tables. */
	info.command_line = boot_command_line =
		phys_to_virt((phys_addr){(uintptr_t)info.command_line - KERNEL_BASE});

	fpu_init();
	power_init();
	acpi_init(info.rsdp, how == BOOT_LINUX);
	smp_find_cpus();
	irq_init(); /* masks the 8259s, before the local APIC stops listening to them */
	apic_init();
	clock_init(entry_tsc);
	remove_memory(early_memory_start(), early_memory_end());
	remove_memory(0, TRAMPOLINE + PAGE_SIZE);
	remove_memory(align_down(info.initrd.start, PAGE_SIZE), info.initrd.end);
	kernel_main(&info);
}
