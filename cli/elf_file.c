/*
 * ELF as the System V gABI and its x86-64 supplement have it, from the program headers only
 * (sections may be stripped or lie).  Everything is checked before it is used: offsets against the
 * file's size, sizes against limits, addresses against overflow, strings against their table.
 */
#include "cli/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

#define MAX_SEGMENTS 512
#define MAX_DYNAMIC 65536        /* entries */
#define MAX_STRINGS (256u << 20) /* bytes of dynamic string table */
#define MAX_ADDRESS (1ULL << 47) /* user addresses of x86-64 and arm64 end here or later */

/* A program header, of either class. */
struct segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, align;
};

struct reader {
	const struct elf_input *in;
	struct elf_file *out;
	const char **why;
	struct segment *segments;
	unsigned n_segments;
};

static int bad(struct reader *r, const char *why)
{
	*r->why = why;
	return -ENOEXEC;
}

static bool is_inside(const struct reader *r, uint64_t offset, uint64_t len)
{
	return offset <= r->in->size && len <= r->in->size - offset;
}

static int get(struct reader *r, uint64_t offset, void *buf, size_t len)
{
	if (!is_inside(r, offset, len))
		return bad(r, "it is truncated");
	return r->in->read(r->in->context, offset, buf, len);
}

static int check_ident(struct reader *r, const unsigned char *ident)
{
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return bad(r, "it is not an ELF file");
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return bad(r, "its ELF class is unknown");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return bad(r, "it is for a big-endian machine");
	if (ident[EI_VERSION] != EV_CURRENT)
		return bad(r, "its ELF version is unknown");
	return 0;
}

/* Where the program headers are, and how many. */
struct table {
	uint64_t offset;
	unsigned n, entry_size;
};

static int read_header(struct reader *r, struct table *table)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr of32;
		Elf64_Ehdr of64;
	} h = {0};
	int err = get(r, 0, h.ident, EI_NIDENT);

	if (err == -ENOEXEC)
		return bad(r, "it is not an ELF file");
	if (err >= 0)
		err = check_ident(r, h.ident);
	if (err < 0)
		return err;
	bool wide = h.ident[EI_CLASS] == ELFCLASS64;

	err = get(r, 0, &h, wide ? sizeof(h.of64) : sizeof(h.of32));
	if (err < 0)
		return err;
	r->out->class = h.ident[EI_CLASS];
	r->out->type = wide ? h.of64.e_type : h.of32.e_type;
	r->out->machine = wide ? h.of64.e_machine : h.of32.e_machine;
	r->out->entry = wide ? h.of64.e_entry : h.of32.e_entry;
	table->offset = wide ? h.of64.e_phoff : h.of32.e_phoff;
	table->n = wide ? h.of64.e_phnum : h.of32.e_phnum;
	table->entry_size = wide ? h.of64.e_phentsize : h.of32.e_phentsize;
	if (r->out->type != ET_EXEC && r->out->type != ET_DYN)
		return bad(r, "it is an object file or a core dump, not a program");
	if (table->entry_size != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return bad(r, "its program headers have a wrong size");
	if (!table->n || table->n > MAX_SEGMENTS)
		return bad(r, "it has no program headers, or too many");
	return 0;
}

static struct segment widen(const Elf32_Phdr *p)
{
	return (struct segment){p->p_type, p->p_flags, p->p_offset, p->p_vaddr, p->p_filesz,
		p->p_memsz, p->p_align};
}

static struct segment copy(const Elf64_Phdr *p)
{
	return (struct segment){p->p_type, p->p_flags, p->p_offset, p->p_vaddr, p->p_filesz,
		p->p_memsz, p->p_align};
}

static int read_segments(struct reader *r)
{
	struct table table = {0};
	int err = read_header(r, &table);

	if (err < 0)
		return err;
	char *raw = memory_new(table.n, table.entry_size);

	err = get(r, table.offset, raw, (size_t)table.n * table.entry_size);
	r->segments = memory_new(table.n, sizeof(r->segments[0]));
	r->n_segments = err < 0 ? 0 : table.n;
	for (unsigned i = 0; i < r->n_segments; i++) {
		Elf32_Phdr of32;
		Elf64_Phdr of64;

		if (r->out->class == ELFCLASS64) {
			memcpy(&of64, raw + i * sizeof(of64), sizeof(of64));
			r->segments[i] = copy(&of64);
		} else {
			memcpy(&of32, raw + i * sizeof(of32), sizeof(of32));
			r->segments[i] = widen(&of32);
		}
	}
	free(raw);
	return err;
}

/* A PT_LOAD segment; *end is where the one before ended (0 for the first). */
static int check_load(struct reader *r, const struct segment *s, uint64_t *end)
{
	if (s->file_size > s->memory_size)
		return bad(r, "a segment is larger in the file than in memory");
	if (!is_inside(r, s->offset, s->file_size))
		return bad(r, "it is truncated: a segment lies beyond its end");
	if (s->address >= MAX_ADDRESS || s->memory_size > MAX_ADDRESS - s->address)
		return bad(r, "a segment lies outside of user memory");
	if (s->align & (s->align - 1))
		return bad(r, "a segment's alignment is not a power of two");
	if (s->align > 1 && (s->address - s->offset) % s->align)
		return bad(r, "a segment's address and file offset disagree");
	if (s->memory_size && s->address < *end)
		return bad(r, "its segments overlap or are out of order");
	*end = s->address + s->memory_size;
	if (s->flags & PF_W)
		r->out->data_bytes += s->file_size;
	return 0;
}

static int read_interpreter(struct reader *r, const struct segment *s)
{
	if (r->out->interpreter)
		return bad(r, "it names two interpreters");
	if (s->file_size < 2 || s->file_size > 4096)
		return bad(r, "its interpreter's name has a bad length");
	char *name = memory_new(s->file_size + 1, 1);
	int err = get(r, s->offset, name, s->file_size);

	if (err >= 0 && (name[0] != '/' || name[s->file_size - 1] != 0))
		err = bad(r, "its interpreter's name is damaged");
	if (err < 0)
		free(name);
	else
		r->out->interpreter = name;
	return err;
}

/* Where the loader would find [address, address + len) in the file. */
static int offset_of(struct reader *r, uint64_t address, uint64_t len, uint64_t *offset)
{
	for (unsigned i = 0; i < r->n_segments; i++) {
		const struct segment *s = &r->segments[i];

		if (s->type != PT_LOAD || address < s->address)
			continue;
		uint64_t into = address - s->address;

		if (into <= s->file_size && len <= s->file_size - into) {
			*offset = s->offset + into;
			return 0;
		}
	}
	return bad(r, "its dynamic section points outside of its segments");
}

struct tag {
	uint64_t name, value;
};

/* Reads the dynamic section into an array that ends at DT_NULL. */
static int read_tags(struct reader *r, const struct segment *s, struct tag **tags, size_t *n)
{
	bool wide = r->out->class == ELFCLASS64;
	size_t size = wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	uint64_t count = s->file_size / size;

	if (count > MAX_DYNAMIC)
		return bad(r, "its dynamic section is too large");
	char *raw = memory_new(count, size);
	int err = get(r, s->offset, raw, count * size);

	*tags = memory_new(count, sizeof(**tags));
	*n = 0;
	for (size_t i = 0; err >= 0 && i < count; i++) {
		Elf32_Dyn of32;
		Elf64_Dyn of64;
		struct tag tag;

		if (wide) {
			memcpy(&of64, raw + i * size, size);
			tag = (struct tag){(uint64_t)of64.d_tag, of64.d_un.d_val};
		} else {
			memcpy(&of32, raw + i * size, size);
			tag = (struct tag){(uint32_t)of32.d_tag, of32.d_un.d_val};
		}
		if (tag.name == DT_NULL)
			break;
		(*tags)[(*n)++] = tag;
	}
	free(raw);
	if (err < 0)
		free(*tags);
	return err;
}

/* The string at an offset of the table, a new string; NULL when it is not inside. */
static char *string_at(const struct elf_file *f, uint64_t offset)
{
	if (offset >= f->strings_len || !memchr(f->strings + offset, 0, f->strings_len - offset))
		return NULL;
	return memory_string(f->strings + offset);
}

static int read_strings(struct reader *r, const struct tag *tags, size_t n)
{
	uint64_t address = 0, len = 0, offset = 0;
	struct elf_file *out = r->out;

	for (size_t i = 0; i < n; i++) {
		if (tags[i].name == DT_STRTAB)
			address = tags[i].value;
		if (tags[i].name == DT_STRSZ)
			len = tags[i].value;
	}
	if (!len)
		return 0;
	if (len > MAX_STRINGS)
		return bad(r, "its string table is too large");
	int err = offset_of(r, address, len, &offset);

	if (err < 0)
		return err;
	out->strings = memory_new(len + 1, 1);
	out->strings_len = len;
	return get(r, offset, out->strings, len);
}

static int keep_string(struct reader *r, char **where, uint64_t offset)
{
	free(*where);
	*where = string_at(r->out, offset);
	return *where ? 0 : bad(r, "its dynamic section points outside of its string table");
}

static int keep_tag(struct reader *r, const struct tag *tag)
{
	struct elf_file *out = r->out;
	char *needed = NULL;
	int err = 0;

	switch (tag->name) {
	case DT_NEEDED:
		err = keep_string(r, &needed, tag->value);
		if (err >= 0)
			list_add_owned(&out->needed, needed);
		break;
	case DT_SONAME:
		err = keep_string(r, &out->soname, tag->value);
		break;
	case DT_RPATH:
		err = keep_string(r, &out->rpath, tag->value);
		break;
	case DT_RUNPATH:
		err = keep_string(r, &out->runpath, tag->value);
		break;
	case DT_FLAGS_1:
		out->is_pie = tag->value & DF_1_PIE;
		out->ignores_default_folders = tag->value & DF_1_NODEFLIB;
		break;
	}
	return err;
}

static int read_dynamic(struct reader *r, const struct segment *s)
{
	struct tag *tags = NULL;
	size_t n = 0;

	if (r->out->is_dynamic)
		return bad(r, "it has two dynamic sections");
	r->out->is_dynamic = true;
	if (!s->file_size) /* a file of debugging symbols only */
		return 0;
	int err = read_tags(r, s, &tags, &n);

	if (err < 0)
		return err;
	err = read_strings(r, tags, n);
	for (size_t i = 0; err >= 0 && i < n; i++)
		err = keep_tag(r, &tags[i]);
	free(tags);
	return err;
}

static int read_all(struct reader *r)
{
	uint64_t end = 0;
	int err = read_segments(r);

	for (unsigned i = 0; err >= 0 && i < r->n_segments; i++)
		if (r->segments[i].type == PT_LOAD)
			err = check_load(r, &r->segments[i], &end);
	if (err >= 0 && !end)
		err = bad(r, "it has nothing to load");
	for (unsigned i = 0; err >= 0 && i < r->n_segments; i++) {
		if (r->segments[i].type == PT_INTERP)
			err = read_interpreter(r, &r->segments[i]);
		else if (r->segments[i].type == PT_DYNAMIC)
			err = read_dynamic(r, &r->segments[i]);
	}
	return err;
}

int elf_file_read(const struct elf_input *in, struct elf_file *out, const char **why)
{
	struct reader r = {.in = in, .out = out, .why = why};

	*out = (struct elf_file){0};
	*why = "it cannot be read";
	int err = read_all(&r);

	free(r.segments);
	if (err < 0)
		elf_file_free(out);
	return err;
}

void elf_file_free(struct elf_file *f)
{
	free(f->interpreter);
	free(f->soname);
	free(f->rpath);
	free(f->runpath);
	free(f->strings);
	list_free(&f->needed);
	*f = (struct elf_file){0};
}

bool elf_file_names_symbol(const struct elf_file *f, const char *symbol)
{
	size_t len = strlen(symbol) + 1;
	const char *at = f->strings, *end = f->strings + f->strings_len;

	while (at && (at = memmem(at, (size_t)(end - at), symbol, len)) != NULL) {
		if (at == f->strings || at[-1] == 0)
			return true;
		at++;
	}
	return false;
}

const char *elf_machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_X86_64, "x86-64"},
		{EM_AARCH64, "AArch64"},
		{EM_386, "i386"},
		{EM_ARM, "ARM"},
		{EM_RISCV, "RISC-V"},
		{EM_PPC64, "POWER"},
		{EM_S390, "s390"},
		{EM_MIPS, "MIPS"},
		{EM_LOONGARCH, "LoongArch"},
		{EM_BPF, "BPF"},
	};
	static char other[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	snprintf(other, sizeof(other), "machine %u", machine);
	return other;
}
