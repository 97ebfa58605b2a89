/*
 * Programs into the address space: file pages through the page cache, bss behind them.  Which bytes mean what is
 * kernel/proc/elf.c's; who is loaded when is kernel/proc/exec.c's.
 */
#include "kernel/proc/load.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static const struct elf_limits limits = {
	.machine = ELF_MACHINE,
	.machine_name = ELF_MACHINE_NAME,
	.lowest = USER_START,
	.end = USER_END,
};

/* n bytes at offset; fewer is -EIO. */
static int read_exactly(struct file *f, uint64_t offset, void *to, size_t n)
{
	struct io_buffer b;
	io_buffer_kernel(&b, to, n);
	while (b.left > 0) {
		long got = file_read(f, &b, &offset);
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		offset += (uint64_t)got;
	}
	return 0;
}

static int check_executable(struct dentry *d, struct program_file *p)
{
	struct linux_stat st;
	int err = vfs_stat(d, &st);
	if (err < 0)
		return err;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	p->size = (uint64_t)st.st_size;
	/* Permission checks let root pass; a file without any x bit is not executable for root either. */
	if (!(st.st_mode & 0111))
		return -EACCES;
	return vfs_access(d, X_OK);
}

static int copy_path(struct dentry *d, char **out)
{
	char *buf = heap_alloc(PATH_MAX);
	if (!buf)
		return -ENOMEM;
	long n = vfs_path(d, buf, PATH_MAX);
	*out = n < 0 ? NULL : heap_string(buf);
	heap_free(buf);
	return n < 0 ? (int)n : *out ? 0 : -ENOMEM;
}

int program_open(struct dentry *base, const char *path, struct program_file *p)
{
	memset(p, 0, sizeof(*p));
	struct dentry *d = NULL;
	int err = vfs_lookup(base, path, 0, &d);
	if (err < 0)
		return err;
	err = check_executable(d, p);
	if (err < 0)
		goto put_dentry;
	err = vfs_open(base, path, O_RDONLY | O_LARGEFILE, 0, &p->file);
	if (err < 0)
		goto put_dentry;
	err = copy_path(d, &p->path);
	if (err < 0)
		goto close;
	p->head_len = (unsigned)min(p->size, (uint64_t)PROGRAM_HEAD);
	err = read_exactly(p->file, 0, p->head, p->head_len);
	if (err < 0)
		goto close;
	dentry_put(d);
	return 0;
close:
	program_close(p);
put_dentry:
	dentry_put(d);
	return err;
}

void program_close(struct program_file *p)
{
	if (p->file)
		file_put(p->file);
	heap_free(p->path);
	heap_free(p->table);
	memset(p, 0, sizeof(*p));
}

int program_read_elf(struct program_file *p, const char **why)
{
	int err = elf_read_header(p->head, p->head_len, &limits, &p->image, why);
	if (err < 0)
		return err;
	size_t size = p->image.n_headers * sizeof(struct elf_program_header);
	*why = "a damaged ELF file: its program headers lie beyond its end (cut short?)";
	if (p->image.table_offset > p->size || size > p->size - p->image.table_offset)
		return -ENOEXEC;
	*why = "out of memory";
	p->table = heap_alloc(size);
	if (!p->table)
		return -ENOMEM;
	*why = "its program headers can not be read";
	if (p->image.table_offset + size <= p->head_len) {
		memcpy(p->table, p->head + p->image.table_offset, size);
	} else {
		err = read_exactly(p->file, p->image.table_offset, p->table, size);
		if (err < 0)
			return err;
	}
	return elf_read_table(p->table, p->size, &limits, &p->image, why);
}

int program_interpreter(struct program_file *p, char buf[PATH_MAX], const char **why)
{
	unsigned n = p->image.interpreter_len;
	*why = "the name of its interpreter (PT_INTERP) can not be read";
	int err = read_exactly(p->file, p->image.interpreter_offset, buf, n);
	if (err < 0)
		return err;
	*why = "a damaged ELF file: the name of its interpreter (PT_INTERP) makes no sense";
	return buf[n - 1] == '\0' && buf[0] != '\0' ? 0 : -ENOEXEC;
}

/* Where span bytes find room, aligned: asked of mmap and given back. */
static int find_room(uint64_t span, uint64_t alignment, uintptr_t *out)
{
	const struct map_request r = {
		.length = span + alignment - PAGE_SIZE,
		.flags = AREA_NO_RESERVE,
	};
	uintptr_t at = 0;
	rw_lock_write(&process.space_lock);
	int err = address_space_map(&process.space, &r, &at);
	if (err == 0)
		err = address_space_unmap(&process.space, at, r.length);
	rw_unlock_write(&process.space_lock);
	*out = align_up(at, alignment);
	return err;
}

static unsigned segment_prot(const struct elf_segment *s)
{
	return (s->read ? MMU_READ : 0) | (s->write ? MMU_WRITE : 0) | (s->execute ? MMU_EXEC : 0);
}

struct mapping {
	struct page_cache *cache;
	uint64_t id, device;
	const char *name;
	uintptr_t base;
};

/* Under space_lock.  Later segments replace what earlier ones mapped in a page they share, as on Linux. */
static int map_pieces(const struct mapping *m, const struct elf_segment *s)
{
	uintptr_t start = align_down(m->base + s->address, PAGE_SIZE);
	uintptr_t file_end = align_up(m->base + s->address + s->file_size, PAGE_SIZE);
	uintptr_t end = align_up(m->base + s->address + s->memory_size, PAGE_SIZE);
	struct map_request r = {
		.address = start,
		.length = file_end - start,
		.how = MAP_AT,
		.prot = segment_prot(s),
		.max_prot = MMU_READ | MMU_WRITE | MMU_EXEC,
		.cache = m->cache,
		.offset = align_down(s->offset, PAGE_SIZE),
		.name = m->name,
		.id = m->id,
		.device = m->device,
	};
	uintptr_t at = 0;
	int err = 0;
	if (s->file_size > 0)
		err = address_space_map(&process.space, &r, &at);
	else
		file_end = start;
	if (err < 0 || end <= file_end)
		return err;
	const struct map_request bss = {
		.address = file_end,
		.length = end - file_end,
		.how = MAP_AT,
		.prot = r.prot,
		.max_prot = r.max_prot,
	};
	return address_space_map(&process.space, &bss, &at);
}

static int map_segment(const struct mapping *m, const struct elf_segment *s)
{
	rw_lock_write(&process.space_lock);
	int err = map_pieces(m, s);
	rw_unlock_write(&process.space_lock);
	if (err < 0 || s->file_size == 0 || s->memory_size == s->file_size || !s->write)
		return err;
	uintptr_t bss = m->base + s->address + s->file_size;
	/* To the page's end, also beyond memory_size: the dynamic loader's first heap is the rest of its last page. */
	return user_clear(user_at(bss), align_up(bss, PAGE_SIZE) - bss);
}

int program_map(struct program_file *p, uintptr_t hint, uintptr_t *base)
{
	const struct elf_image *image = &p->image;
	*base = 0;
	if (image->position_independent) {
		uintptr_t at = align_down(hint, image->alignment);
		int err = at ? 0 : find_room(image->high - image->low, image->alignment, &at);
		if (err < 0)
			return err;
		*base = at - align_down(image->low, image->alignment);
	}
	struct mapping m = {.name = p->path, .base = *base};
	if (!p->file->ops->map)
		return -ENOEXEC;
	int err = p->file->ops->map(p->file, &m.cache, &m.id, &m.device);
	for (unsigned i = 0; err == 0 && i < image->n_headers; i++) {
		struct elf_segment s;
		if (elf_segment_at(p->table, i, &s))
			err = map_segment(&m, &s);
	}
	return err;
}
