/*
 * A thread's registers between the machine's form (struct debug_registers and an XSAVE or FXSAVE
 * area, Intel SDM 1 chapter 13) and gdb's: numbered as target.xml lists them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/debug.h"

struct registers {
	struct debug_registers general;
	uint8_t fpu[8192]; /* general.fpu_size bytes */
};

/* The description gdb asks for as qXfer:features:read:target.xml. */
const char *registers_description(bool has_avx);
bool registers_have_avx(const struct registers *);
unsigned registers_count(bool has_avx);
size_t registers_size(unsigned number); /* bytes */
void registers_get(const struct registers *, unsigned number, uint8_t *to);
void registers_set(struct registers *, unsigned number, const uint8_t *from);
