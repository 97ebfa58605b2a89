/* What the firmware's tables say of processors and interrupt controllers. */
#pragma once

#include "kernel/lib/base.h"

#define IO_APIC_MAX 8

struct io_apic_entry {
	uint64_t pa;
	uint32_t first_line;
};

struct line_override { /* ISA interrupt -> line, with flags of MPS INTI */
	uint8_t isa;
	uint32_t line;
	uint16_t flags;
};

struct machine_tables {
	unsigned n_cpus;
	struct io_apic_entry io_apics[IO_APIC_MAX];
	unsigned n_io_apics;
	struct line_override overrides[16];
	unsigned n_overrides;
};
extern struct machine_tables machine;
