/* The loader's reading of ELF files: what is taken, what is refused, and why. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/proc/elf.h"

static const struct elf_limits limits = {
	.machine = EM_X86_64,
	.machine_name = "x86-64",
	.lowest = 0x10000,
	.end = 0x7ffffffff000,
};

/* A small program: text at 0x400000 from offset 0, data with bss behind it. */
static struct elf_header header;
static struct elf_program_header table[4];
#define FILE_SIZE 0x3000u

static void make_program(void)
{
	header = (struct elf_header){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_entry = 0x400100,
		.e_phoff = 64,
		.e_phentsize = sizeof(struct elf_program_header),
		.e_phnum = 4,
	};
	table[0] = (struct elf_program_header){
		PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x1234, 0x1234, 0x1000};
	table[1] = (struct elf_program_header){
		PT_LOAD, PF_R | PF_W, 0x1ef0, 0x402ef0, 0, 0x200, 0x5000, 0x1000};
	table[2] = (struct elf_program_header){PT_INTERP, PF_R, 0x300, 0x400300, 0, 28, 28, 1};
	table[3] = (struct elf_program_header){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
}

static int read_program(struct elf_image *image)
{
	const char *why = NULL;
	int err = elf_read_header(&header, sizeof(header), &limits, image, &why);
	if (err == 0)
		err = elf_read_table(table, FILE_SIZE, &limits, image, &why);
	assert(err == 0 || (why && *why));
	return err;
}

static void check_good(void)
{
	struct elf_image image;
	struct elf_segment s;
	make_program();
	assert(read_program(&image) == 0);
	assert(!image.position_independent && image.entry == 0x400100);
	assert(image.low == 0x400000 && image.high == 0x408000 && image.alignment == 0x1000);
	assert(image.table_address == 0x400040 && image.interpreter_len == 28 &&
		!image.executable_stack);
	assert(elf_segment_at(table, 0, &s) && s.execute && !s.write && s.memory_size == 0x1234);
	assert(elf_segment_at(table, 1, &s) && s.write && s.offset == 0x1ef0 &&
		s.memory_size == 0x5000);
	assert(!elf_segment_at(table, 2, &s));

	header.e_type = ET_DYN;
	table[0].p_vaddr = 0;
	table[0].p_align = 0x200000;
	header.e_entry = 0x10;
	assert(read_program(&image) == 0);
	assert(image.position_independent && image.low == 0 && image.alignment == 0x200000);

	table[3].p_flags |= PF_X;
	assert(read_program(&image) == 0 && image.executable_stack);
}

/* One damage at a time. */
#define REFUSED(error, damage)                                                                     \
	do {                                                                                       \
		struct elf_image image;                                                            \
		make_program();                                                                    \
		damage;                                                                            \
		assert(read_program(&image) == (error));                                           \
	} while (0)

static void check_refused(void)
{
	REFUSED(-ENOEXEC, header.e_ident[0] = 'x');
	REFUSED(-ENOEXEC, header.e_machine = EM_AARCH64);
	REFUSED(-ENOEXEC, header.e_machine = 3);
	REFUSED(-ENOEXEC, header.e_ident[4] = 1);
	REFUSED(-ENOEXEC, header.e_ident[5] = 2);
	REFUSED(-ENOEXEC, header.e_type = 1);
	REFUSED(-ENOEXEC, header.e_phentsize = 32);
	REFUSED(-ENOEXEC, header.e_phnum = 0);
	REFUSED(-ENOEXEC, header.e_phnum = 1171);
	REFUSED(-ENOEXEC, header.e_entry = 0x100);
	REFUSED(-ENOEXEC, table[0].p_filesz = 0x4000;
		table[0].p_memsz = 0x4000); /* beyond the file */
	REFUSED(-ENOEXEC, table[0].p_offset = UINT64_MAX - 0x100);
	REFUSED(-ENOEXEC, table[1].p_filesz = 0x6000); /* more in the file than in memory */
	REFUSED(-ENOEXEC, table[1].p_vaddr += 8);
	REFUSED(-ENOMEM, table[1].p_memsz = UINT64_MAX);
	REFUSED(-ENOMEM, table[1].p_memsz = limits.end);
	REFUSED(-ENOMEM, table[0].p_vaddr = 0x1000);
	REFUSED(-ENOMEM, table[0].p_align = 1ull << 46);
	REFUSED(-ENOEXEC, table[2].p_filesz = 1);
	REFUSED(-ENOEXEC, table[2].p_offset = FILE_SIZE - 1);
	REFUSED(-ENOEXEC, table[2].p_filesz = 5000);
	REFUSED(-ENOEXEC, table[0].p_type = table[1].p_type = PT_NOTE);
	REFUSED(0, table[0].p_align = 3; table[1].p_memsz = 0x200); /* odd alignments are ignored */
}

static void check_short(void)
{
	struct elf_image image;
	const char *why = NULL;
	make_program();
	for (size_t n = 0; n < sizeof(header); n++)
		assert(elf_read_header(&header, n, &limits, &image, &why) == -ENOEXEC && why);
	assert(elf_read_header("#!/bin/sh\n", 10, &limits, &image, &why) == -ENOEXEC);
	assert(strcmp(why, "not an ELF file") == 0);
}

int main(void)
{
	check_good();
	check_refused();
	check_short();
	return 0;
}
