/*
 * ELF program headers (gABI, chapter 5), read as Linux's binfmt_elf reads them.  Refused beyond Linux: segments whose
 * bytes lie behind the end of the file, which Linux maps and lets the program die of.
 */
#include "kernel/proc/elf.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"

#define ALIGNMENT_MAX (1ul << 30)

static const char *wrong_machine(unsigned machine)
{
	switch (machine) {
	case EM_X86_64:
		return "an ELF file for x86-64, which this machine is not";
	case EM_AARCH64:
		return "an ELF file for arm64, which this machine is not";
	case EM_386:
		return "a 32-bit x86 ELF file; only 64-bit ones run here";
	case EM_ARM:
		return "an ELF file for 32-bit ARM, which this machine is not";
	case EM_RISCV:
		return "an ELF file for RISC-V, which this machine is not";
	default:
		return "an ELF file for another kind of machine";
	}
}

/* NULL: fine. */
static const char *header_fault(const struct elf_header *h, const struct elf_limits *limits)
{
	if (memcmp(h->e_ident, ELF_MAGIC, 4) != 0)
		return "not an ELF file";
	if (h->e_machine != limits->machine)
		return wrong_machine(h->e_machine);
	if (h->e_ident[4] != ELFCLASS64 || h->e_ident[5] != ELFDATA2LSB)
		return "not a 64-bit little-endian ELF file";
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return "an ELF file, but not a program (an object file or a core?)";
	if (h->e_phentsize != sizeof(struct elf_program_header))
		return "a damaged ELF file: wrong size of program headers";
	if (h->e_phnum == 0 || h->e_phnum * sizeof(struct elf_program_header) > ELF_TABLE_MAX)
		return "a damaged ELF file: wrong number of program headers";
	return NULL;
}

int elf_read_header(const void *bytes, size_t n, const struct elf_limits *limits,
	struct elf_image *out, const char **why)
{
	struct elf_header h;
	*why = n < 4 ? "not an ELF file" : "an ELF file cut short";
	if (n < sizeof(h)) {
		if (n >= 4 && memcmp(bytes, ELF_MAGIC, 4) != 0)
			*why = "not an ELF file";
		return -ENOEXEC;
	}
	memcpy(&h, bytes, sizeof(h));
	*why = header_fault(&h, limits);
	if (*why)
		return -ENOEXEC;
	*out = (struct elf_image){
		.position_independent = h.e_type == ET_DYN,
		.entry = h.e_entry,
		.table_offset = h.e_phoff,
		.n_headers = h.e_phnum,
		.low = UINT64_MAX,
		.alignment = PAGE_SIZE,
	};
	return 0;
}

static struct elf_program_header header_at(const void *table, unsigned index)
{
	struct elf_program_header h;
	memcpy(&h, (const char *)table + index * sizeof(h), sizeof(h));
	return h;
}

bool elf_segment_at(const void *table, unsigned index, struct elf_segment *out)
{
	struct elf_program_header h = header_at(table, index);
	if (h.p_type != PT_LOAD || h.p_memsz == 0)
		return false;
	*out = (struct elf_segment){
		.address = h.p_vaddr,
		.memory_size = h.p_memsz,
		.offset = h.p_offset,
		.file_size = h.p_filesz,
		.read = h.p_flags & PF_R,
		.write = h.p_flags & PF_W,
		.execute = h.p_flags & PF_X,
	};
	return true;
}

static bool in_file(uint64_t offset, uint64_t n, uint64_t file_size)
{
	return offset <= file_size && n <= file_size - offset;
}

static int check_segment(const struct elf_program_header *h, uint64_t file_size,
	const struct elf_limits *limits, const struct elf_image *image, const char **why)
{
	*why = "a damaged ELF file: a segment has more bytes in the file than in memory";
	if (h->p_filesz > h->p_memsz)
		return -ENOEXEC;
	*why = "a damaged ELF file: a segment reaches beyond the end of the file (cut short?)";
	if (h->p_filesz != 0 && !in_file(h->p_offset, h->p_filesz, file_size))
		return -ENOEXEC;
	*why = "a damaged ELF file: a segment's address and offset do not agree";
	if (h->p_filesz != 0 && (h->p_vaddr - h->p_offset) % PAGE_SIZE != 0)
		return -ENOEXEC;
	*why = "its segments do not fit into the address space";
	if (h->p_memsz > limits->end || h->p_vaddr > limits->end - h->p_memsz)
		return -ENOMEM;
	if (!image->position_independent && h->p_vaddr < limits->lowest)
		return -ENOMEM;
	*why = "its segments ask for an alignment that can not be given";
	if (h->p_align > ALIGNMENT_MAX && (h->p_align & (h->p_align - 1)) == 0)
		return -ENOMEM;
	return 0;
}

static void add_segment(struct elf_image *image, const struct elf_program_header *h)
{
	uint64_t end = align_up(h->p_vaddr + h->p_memsz, PAGE_SIZE);
	image->low = min(image->low, align_down(h->p_vaddr, PAGE_SIZE));
	image->high = max(image->high, end);
	if ((h->p_align & (h->p_align - 1)) == 0)
		image->alignment = max(image->alignment, h->p_align);
	if (h->p_offset <= image->table_offset && image->table_offset - h->p_offset < h->p_filesz)
		image->table_address = h->p_vaddr + (image->table_offset - h->p_offset);
}

static int add_interpreter(struct elf_image *image, const struct elf_program_header *h,
	uint64_t file_size, const char **why)
{
	*why = "a damaged ELF file: the name of its interpreter (PT_INTERP) makes no sense";
	if (h->p_filesz < 2 || h->p_filesz > 4096 || !in_file(h->p_offset, h->p_filesz, file_size))
		return -ENOEXEC;
	image->interpreter_offset = h->p_offset;
	image->interpreter_len = (unsigned)h->p_filesz;
	return 0;
}

static int add_header(struct elf_image *image, const struct elf_program_header *h,
	uint64_t file_size, const struct elf_limits *limits, const char **why)
{
	if (h->p_type == PT_LOAD && h->p_memsz != 0) {
		int err = check_segment(h, file_size, limits, image, why);
		if (err < 0)
			return err;
		add_segment(image, h);
	} else if (h->p_type == PT_INTERP && image->interpreter_len == 0) {
		return add_interpreter(image, h, file_size, why);
	} else if (h->p_type == PT_GNU_STACK) {
		image->executable_stack = h->p_flags & PF_X;
	}
	return 0;
}

int elf_read_table(const void *table, uint64_t file_size, const struct elf_limits *limits,
	struct elf_image *image, const char **why)
{
	for (unsigned i = 0; i < image->n_headers; i++) {
		struct elf_program_header h = header_at(table, i);
		int err = add_header(image, &h, file_size, limits, why);
		if (err < 0)
			return err;
	}
	*why = "a damaged ELF file: nothing in it is to be loaded";
	if (image->high == 0)
		return -ENOEXEC;
	*why = "its segments do not fit into the address space";
	if (image->high - image->low + image->alignment > limits->end)
		return -ENOMEM;
	*why = "a damaged ELF file: it starts outside of its own segments";
	if (image->entry < image->low || image->entry >= image->high)
		return -ENOEXEC;
	return 0;
}
