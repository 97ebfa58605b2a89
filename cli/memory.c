/* Allocation that ends the command when the host has no memory: there is nothing better to do. */
#include "cli/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"

static void out_of_memory(void)
{
	fail(12, "this host has no memory left: end other programs and try again");
	exit(EXIT_MOTE_FAILED);
}

void *memory_new(size_t n_items, size_t item_size)
{
	void *new = calloc(n_items ? n_items : 1, item_size ? item_size : 1);

	if (!new)
		out_of_memory();
	return new;
}

void *memory_resize(void *old, size_t n_items, size_t item_size)
{
	if (item_size && n_items > SIZE_MAX / item_size)
		out_of_memory();
	size_t size = n_items * item_size;
	void *new = realloc(old, size ? size : 1);

	if (!new)
		out_of_memory();
	return new;
}

char *memory_string(const char *text)
{
	return memory_bytes(text, strlen(text));
}

char *memory_bytes(const void *bytes, size_t len)
{
	char *copy = memory_new(len + 1, 1);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}
