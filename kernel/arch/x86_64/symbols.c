/* Names for addresses in the kernel's code, from the table tools/symbols makes for the second link. */
#include "kernel/arch/report.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/string.h"

extern const uint32_t symbol_count, symbol_offsets[]; /* from KERNEL_BASE, ascending */
extern const char symbol_names[];                     /* in the same order, each with its NUL */

const char *symbol_find(uintptr_t address, size_t *offset)
{
	if (address < (uintptr_t)image_start || address >= (uintptr_t)text_end)
		return NULL;
	const char *name = NULL, *next = symbol_names;
	for (uint32_t i = 0; i < symbol_count && KERNEL_BASE + symbol_offsets[i] <= address; i++) {
		*offset = address - (KERNEL_BASE + symbol_offsets[i]);
		name = next;
		next += strlen(next) + 1;
	}
	return name;
}
