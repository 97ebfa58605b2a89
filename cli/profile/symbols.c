/* A sorted array; a function without a size reaches to the next one. */
#include "cli/profile/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/text.h"

struct symbol {
	uint64_t start, size;
	char *name;
};

struct symbols {
	struct symbol *items;
	size_t n, room;
	Elf64_Phdr *segments;
	size_t n_segments;
};

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* n items of size bytes at offset; NULL: not all inside the file. */
static const void *part(const struct bytes *b, uint64_t offset, uint64_t n, size_t size)
{
	return offset <= b->len && n <= (b->len - offset) / size ? b->at + offset : NULL;
}

static void add_symbol(struct symbols *s, const Elf64_Sym *sym, const char *name)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	if ((type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC) ||
		sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || !*name || *name == '.')
		return;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 256;
		s->items = memory_resize(s->items, s->room, sizeof(s->items[0]));
	}
	s->items[s->n++] = (struct symbol){sym->st_value, sym->st_size, memory_string(name)};
}

static void add_table(
	struct symbols *s, const struct bytes *b, const Elf64_Shdr *table, const Elf64_Shdr *names)
{
	const uint8_t *symbols = part(b, table->sh_offset, table->sh_size, 1);
	const char *text = part(b, names->sh_offset, names->sh_size, 1);

	if (!symbols || !text || !names->sh_size || text[names->sh_size - 1])
		return;
	for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
		Elf64_Sym sym;

		memcpy(&sym, symbols + i * sizeof(sym), sizeof(sym));
		if (sym.st_name < names->sh_size)
			add_symbol(s, &sym, text + sym.st_name);
	}
}

/* .symtab has all that .dynsym has. */
static bool add_tables(struct symbols *s, const struct bytes *b, const Elf64_Ehdr *h, uint32_t type)
{
	const uint8_t *at = part(b, h->e_shoff, h->e_shnum, sizeof(Elf64_Shdr));
	bool found = false;

	for (unsigned i = 0; at && i < h->e_shnum; i++) {
		Elf64_Shdr table, names;

		memcpy(&table, at + i * sizeof(table), sizeof(table));
		if (table.sh_type != type || table.sh_link >= h->e_shnum)
			continue;
		memcpy(&names, at + table.sh_link * sizeof(names), sizeof(names));
		add_table(s, b, &table, &names);
		found = true;
	}
	return found;
}

/* "/usr/lib/debug/.build-id/ab/cdef.debug", NULL: it has no build id. */
static char *debug_file(const struct symbols *s, const struct bytes *b)
{
	for (size_t i = 0; i < s->n_segments; i++) {
		const Elf64_Phdr *p = &s->segments[i];
		uint64_t end = p->p_offset + p->p_filesz;

		if (p->p_type != PT_NOTE || !part(b, p->p_offset, p->p_filesz, 1))
			continue;
		for (uint64_t at = p->p_offset; at + 16 + 20 <= end;) {
			Elf64_Nhdr note;

			memcpy(&note, b->at + at, sizeof(note));
			const uint8_t *name = b->at + at + sizeof(note);

			if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
				memcmp(name, "GNU", 4) == 0 && note.n_descsz == 20) {
				struct text t = {0};

				text_format(&t, "/usr/lib/debug/.build-id/%02x/", name[4]);
				for (int k = 1; k < 20; k++)
					text_format(&t, "%02x", name[4 + k]);
				text_add(&t, ".debug");
				return text_take(&t);
			}
			at += sizeof(note) + ((note.n_namesz + 3ull) & ~3ull) +
			      ((note.n_descsz + 3ull) & ~3ull);
		}
	}
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* Of two at one place the last one counts: the sized one, else the shorter name. */
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(y->name, x->name);
}

static bool read_header(const struct bytes *b, Elf64_Ehdr *h)
{
	if (b->len < sizeof(*h))
		return false;
	memcpy(h, b->at, sizeof(*h));
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (h->e_shnum == 0 || h->e_shentsize == sizeof(Elf64_Shdr));
}

static const uint8_t *map_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *at = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		*len = (size_t)st.st_size;
		at = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* Its addresses are those of the file it belongs to. */
static bool add_debug_file(struct symbols *s, const struct bytes *of)
{
	char *path = debug_file(s, of);
	struct bytes b = {0};
	Elf64_Ehdr h;
	bool found = false;

	if (path && (b.at = map_file(path, &b.len))) {
		found = read_header(&b, &h) && add_tables(s, &b, &h, SHT_SYMTAB);
		munmap((void *)b.at, b.len);
	}
	free(path);
	return found;
}

struct symbols *symbols_read(const uint8_t *file, size_t len)
{
	const struct bytes b = {file, len};
	struct symbols *s = memory_new(1, sizeof(*s));
	Elf64_Ehdr h;

	if (!read_header(&b, &h)) {
		symbols_free(s);
		return NULL;
	}
	const void *segments = part(&b, h.e_phoff, h.e_phnum, sizeof(Elf64_Phdr));

	if (segments && h.e_phentsize == sizeof(Elf64_Phdr) && h.e_phnum) {
		s->n_segments = h.e_phnum;
		s->segments = memory_new(h.e_phnum, sizeof(Elf64_Phdr));
		memcpy(s->segments, segments, h.e_phnum * sizeof(Elf64_Phdr));
	}
	if (!add_tables(s, &b, &h, SHT_SYMTAB) && !add_debug_file(s, &b))
		add_tables(s, &b, &h, SHT_DYNSYM);
	if (s->n)
		qsort(s->items, s->n, sizeof(s->items[0]), by_start);
	return s;
}

struct symbols *symbols_read_file(const char *path)
{
	size_t len = 0;
	const uint8_t *at = map_file(path, &len);
	struct symbols *s = at ? symbols_read(at, len) : NULL;

	if (at)
		munmap((void *)at, len);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].name);
	free(s->items);
	free(s->segments);
	free(s);
}

const char *symbols_at_address(const struct symbols *s, uint64_t address)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const struct symbol *found = &s->items[low - 1];
	bool inside = !found->size || address - found->start < found->size;

	return inside ? found->name : NULL;
}

const char *symbols_at_offset(const struct symbols *s, uint64_t offset)
{
	for (size_t i = 0; i < s->n_segments; i++) {
		const Elf64_Phdr *p = &s->segments[i];

		if (p->p_type == PT_LOAD && offset >= p->p_offset &&
			offset - p->p_offset < p->p_filesz)
			return symbols_at_address(s, offset - p->p_offset + p->p_vaddr);
	}
	return NULL;
}
