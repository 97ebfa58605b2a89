/*
 * The loader's ELF parser over arbitrary bytes, as a whole file: it answers without reading outside of them, and what it
 * accepts lies inside the file and inside the address space.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/proc/elf.h"

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static const struct elf_limits limits = {
	.machine = EM_X86_64,
	.machine_name = "x86-64",
	.lowest = 0x10000,
	.end = 0x7ffffffff000,
};

static void check_segment(const struct elf_segment *s, const struct elf_image *image, size_t size)
{
	CHECK(s->memory_size > 0 && s->file_size <= s->memory_size);
	CHECK(s->file_size == 0 || (s->offset <= size && s->file_size <= size - s->offset));
	CHECK(s->address >= image->low && s->address + s->memory_size <= image->high);
	CHECK(image->high <= limits.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image;
	const char *why = NULL;
	if (elf_read_header(data, size, &limits, &image, &why) < 0) {
		CHECK(why);
		return 0;
	}
	size_t bytes = image.n_headers * sizeof(struct elf_program_header);
	CHECK(bytes <= ELF_TABLE_MAX);
	if (image.table_offset > size || bytes > size - image.table_offset)
		return 0;
	/* A copy of exactly its size: a read beyond it is seen. */
	void *table = malloc(bytes);
	CHECK(table);
	memcpy(table, data + image.table_offset, bytes);
	if (elf_read_table(table, size, &limits, &image, &why) == 0) {
		struct elf_segment s;
		for (unsigned i = 0; i < image.n_headers; i++)
			if (elf_segment_at(table, i, &s))
				check_segment(&s, &image, size);
		CHECK(image.entry >= image.low && image.entry < image.high);
		CHECK((image.alignment & (image.alignment - 1)) == 0);
	}
	free(table);
	return 0;
}
