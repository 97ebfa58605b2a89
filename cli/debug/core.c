/*
 * Which memory: all that is private and readable, page by page if it is in memory at all; of code
 * only the first page (the ELF header, by which debuggers recognise the file).  Pages of zeros become
 * holes.
 */
#include "cli/debug/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/text.h"

#define PAGE 4096u
#define MAPS_MAX (4u << 20) /* bytes of /proc/self/maps */
#define RUN_MAX (DEBUG_DATA_MAX / PAGE)
#define THREADS_MAX (DEBUG_DATA_MAX / sizeof(struct debug_thread))
#define NT_FILE_LINUX 0x46494c45
#define NT_SIGINFO_LINUX 0x53494749
#define NT_XSTATE 0x202
#define XCR0_IN_SOFTWARE_BYTES 464

struct mapping {
	uint64_t start, end, offset;
	char permissions[5];
	char *path;     /* NULL: anonymous */
	uint64_t saved; /* bytes of it that the file may hold */
};

struct core {
	struct target *target;
	int fd;
	struct mapping *mappings;
	size_t n_mappings;
	struct text notes;
};

/* ---- Mappings ---- */

static int add_mapping(struct core *c, const char *line)
{
	struct mapping m = {0};
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &m.start, &m.end,
		    m.permissions, &m.offset, &path_at) < 4 ||
		m.start >= m.end)
		return fail(
			EPROTO, "cannot write a core: the machine's map of memory makes no sense");
	const char *path = line + path_at;

	if (path_at && *path == '/')
		m.path = memory_string(path);
	bool kernels = strcmp(path, "[vvar]") == 0;
	bool is_private = m.permissions[3] == 'p', readable = m.permissions[0] == 'r';

	m.saved = kernels || !readable                ? 0
		  : m.path && m.permissions[2] == 'x' ? PAGE
		  : is_private || !m.path             ? m.end - m.start
						      : 0;
	c->mappings = memory_resize(c->mappings, c->n_mappings + 1, sizeof(m));
	c->mappings[c->n_mappings++] = m;
	return 0;
}

static int read_mappings(struct core *c)
{
	char *text = memory_new(MAPS_MAX + 1, 1), *save = NULL;
	int n = target_read_file(c->target, "/proc/self/maps", 0, text, MAPS_MAX);
	int err = n < 0 ? fail(-n, "cannot read the machine's map of memory: %s", strerror(-n)) : 0;

	for (char *line = strtok_r(text, "\n", &save); err >= 0 && line;
		line = strtok_r(NULL, "\n", &save))
		err = add_mapping(c, line);
	free(text);
	return err;
}

/* ---- Notes ---- */

static void add_note(struct core *c, const char *owner, unsigned type, const void *data, size_t len)
{
	const Elf64_Nhdr head = {(Elf64_Word)strlen(owner) + 1, (Elf64_Word)len, type};
	static const char zeros[4];

	text_add_bytes(&c->notes, &head, sizeof(head));
	text_add_bytes(&c->notes, owner, head.n_namesz);
	text_add_bytes(&c->notes, zeros, -head.n_namesz & 3);
	text_add_bytes(&c->notes, data, len);
	text_add_bytes(&c->notes, zeros, -len & 3);
}

/* struct elf_prstatus */
struct status {
	int32_t signal, code, error;
	int16_t current_signal, pad;
	uint64_t pending, held;
	int32_t pid, parent, group, session;
	uint64_t times[8];
	uint64_t registers[DEBUG_N_REGISTERS];
	int32_t has_fpu, pad2;
};
_Static_assert(sizeof(struct status) == 336, "Linux's layout");

/* struct elf_prpsinfo */
struct process_info {
	char state, state_name, zombie, nice;
	uint64_t flags;
	uint32_t uid, gid;
	int32_t pid, parent, group, session;
	char name[16], arguments[80];
};
_Static_assert(sizeof(struct process_info) == 136, "Linux's layout");

static void add_fpu(struct core *c, uint8_t *area, uint32_t size)
{
	if (size < 512)
		return;
	add_note(c, "CORE", NT_FPREGSET, area, 512);
	if (size <= 576)
		return;
	/* Which components the area has room for: debuggers look here. */
	uint64_t components = size > 832 ? 0xe7 : 7;

	memcpy(area + XCR0_IN_SOFTWARE_BYTES, &components, sizeof(components));
	add_note(c, "LINUX", NT_XSTATE, area, size);
}

static void add_signal(struct core *c, const struct debug_event *cause)
{
	struct {
		int32_t signal, error, code, pad;
		uint64_t address, rest[13];
	} info = {cause->signal, 0, cause->code, 0, cause->address, {0}};

	_Static_assert(sizeof(info) == 128, "siginfo_t");
	add_note(c, "CORE", NT_SIGINFO_LINUX, &info, sizeof(info));
}

static int add_thread(struct core *c, uint32_t tid, const struct debug_event *cause)
{
	static uint8_t data[sizeof(struct debug_registers) + DEBUG_DATA_MAX];
	struct debug_registers r;
	struct status s = {.pid = (int32_t)tid, .group = 1, .session = 1};
	int err = target_registers(c->target, tid);

	if (err == -ESRCH)
		return 0; /* it runs in the kernel: it has no registers to show */
	if (err < 0 || c->target->data_len < sizeof(r))
		return fail(EPROTO, "cannot read the registers of thread %u", tid);
	memcpy(data, c->target->data, c->target->data_len);
	memcpy(&r, data, sizeof(r));
	memcpy(s.registers, r.r, sizeof(s.registers));
	if (cause)
		s.signal = s.current_signal = (int16_t)cause->signal;
	s.has_fpu = r.fpu_size >= 512;
	add_note(c, "CORE", NT_PRSTATUS, &s, sizeof(s));
	if (cause && cause->tid == tid)
		add_signal(c, cause);
	if (r.fpu_size <= c->target->data_len - sizeof(r))
		add_fpu(c, data + sizeof(r), r.fpu_size);
	return 0;
}

/* The one that caused it first: debuggers show it as the current one. */
static int add_threads(struct core *c, const struct debug_event *cause)
{
	struct debug_thread threads[THREADS_MAX];
	int n = target_threads(c->target);
	uint32_t first = cause ? cause->tid : 1;

	if (n < 0)
		return fail(-n, "cannot list the program's threads: %s", strerror(-n));
	size_t count = c->target->data_len / sizeof(threads[0]);

	memcpy(threads, c->target->data, count * sizeof(threads[0]));
	int err = add_thread(c, first, cause);

	for (size_t i = 0; err >= 0 && i < count; i++)
		if (threads[i].tid != first)
			err = add_thread(c, threads[i].tid, cause);
	return err;
}

static void add_process(struct core *c)
{
	struct process_info p = {.state_name = 'R', .pid = 1, .group = 1, .session = 1};
	int n = target_read_file(
		c->target, "/proc/self/cmdline", 0, p.arguments, sizeof(p.arguments) - 1);

	for (int i = 0; i + 1 < n; i++)
		if (!p.arguments[i])
			p.arguments[i] = ' ';
	n = target_read_file(c->target, "/proc/self/comm", 0, p.name, sizeof(p.name) - 1);
	if (n > 0 && p.name[n - 1] == '\n')
		p.name[n - 1] = 0;
	add_note(c, "CORE", NT_PRPSINFO, &p, sizeof(p));
}

static void add_auxv(struct core *c)
{
	uint8_t auxv[2048];
	int n = target_read_file(c->target, "/proc/self/auxv", 0, auxv, sizeof(auxv));

	if (n > 0)
		add_note(c, "CORE", NT_AUXV, auxv, (size_t)n);
}

/* Which files are mapped where: count, page size, (start, end, page offset)..., names. */
static void add_files(struct core *c)
{
	struct text table = {0}, names = {0};
	uint64_t head[2] = {0, PAGE};

	for (size_t i = 0; i < c->n_mappings; i++) {
		const struct mapping *m = &c->mappings[i];
		uint64_t row[3] = {m->start, m->end, m->offset / PAGE};

		if (!m->path)
			continue;
		head[0]++;
		text_add_bytes(&table, row, sizeof(row));
		text_add_bytes(&names, m->path, strlen(m->path) + 1);
	}
	struct text all = {0};

	text_add_bytes(&all, head, sizeof(head));
	text_add_bytes(&all, table.data, table.len);
	text_add_bytes(&all, names.data, names.len);
	if (head[0])
		add_note(c, "CORE", NT_FILE_LINUX, all.data, all.len);
	text_free(&table);
	text_free(&names);
	text_free(&all);
}

/* ---- The file ---- */

static int write_at(struct core *c, uint64_t at, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	while (len) {
		ssize_t n = pwrite(c->fd, b, len, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			b += n;
			at += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return !bytes[0] && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* n pages that are in memory; what can not be read stays a hole. */
static int write_run(struct core *c, uint64_t address, unsigned n, uint64_t at)
{
	static uint8_t bytes[RUN_MAX * PAGE];
	int got = target_read(c->target, address, bytes, n * PAGE);
	int err = got == -ENOTCONN ? got : 0;

	for (int done = 0; err >= 0 && done < got; done += (int)PAGE)
		if (!is_zero(bytes + done, PAGE))
			err = write_at(c, at + (uint64_t)done, bytes + done, PAGE);
	return err;
}

static int write_mapping(struct core *c, const struct mapping *m, uint64_t at)
{
	static uint8_t resident[DEBUG_DATA_MAX];
	uint64_t n_pages = m->saved / PAGE;
	int err = 0;

	for (uint64_t done = 0; err >= 0 && done < n_pages;) {
		uint32_t n = (uint32_t)(n_pages - done < DEBUG_DATA_MAX ? n_pages - done
									: DEBUG_DATA_MAX);

		err = target_resident(c->target, m->start + done * PAGE, n, resident);
		for (uint32_t i = 0; err >= 0 && i < n;) {
			uint32_t run = 0;

			while (i + run < n && run < RUN_MAX && resident[i + run])
				run++;
			if (run)
				err = write_run(c, m->start + (done + i) * PAGE, run,
					at + (done + i) * PAGE);
			i += run ? run : 1;
		}
		done += n;
	}
	return err;
}

static int write_file(struct core *c)
{
	size_t n_headers = c->n_mappings + 1;
	uint64_t notes_at = sizeof(Elf64_Ehdr) + n_headers * sizeof(Elf64_Phdr);
	uint64_t at = (notes_at + c->notes.len + PAGE - 1) / PAGE * PAGE;
	Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)n_headers};
	Elf64_Phdr *p = memory_new(n_headers, sizeof(*p));
	int err = 0;

	if (n_headers >= PN_XNUM) {
		free(p);
		return fail(E2BIG, "cannot write a core: %zu mappings are too many", c->n_mappings);
	}
	p[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = c->notes.len};
	for (size_t i = 0; err >= 0 && i < c->n_mappings; i++) {
		const struct mapping *m = &c->mappings[i];

		p[i + 1] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = (m->permissions[0] == 'r' ? PF_R : 0u) |
				   (m->permissions[1] == 'w' ? PF_W : 0u) |
				   (m->permissions[2] == 'x' ? PF_X : 0u),
			.p_offset = at,
			.p_vaddr = m->start,
			.p_filesz = m->saved,
			.p_memsz = m->end - m->start,
			.p_align = PAGE,
		};
		err = write_mapping(c, m, at);
		at += m->saved;
	}
	if (err >= 0 && ftruncate(c->fd, (off_t)at) < 0)
		err = -errno;
	if (err >= 0)
		err = write_at(c, 0, &e, sizeof(e));
	if (err >= 0)
		err = write_at(c, sizeof(e), p, n_headers * sizeof(*p));
	if (err >= 0)
		err = write_at(c, notes_at, c->notes.data, c->notes.len);
	free(p);
	return err;
}

static void add_notes_of_process(struct core *c)
{
	add_process(c);
	add_auxv(c);
	add_files(c);
}

int core_write(struct target *t, const char *path, const struct debug_event *cause)
{
	struct core c = {.target = t, .fd = -1};
	char *temporary = string_format("%s.part", path);
	int err = read_mappings(&c);

	if (err >= 0)
		err = add_threads(&c, cause);
	if (err >= 0) {
		add_notes_of_process(&c);
		c.fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		err = c.fd < 0 ? -errno : write_file(&c);
		if (err >= 0 && (close(c.fd) < 0 || rename(temporary, path) < 0))
			err = -errno;
		if (err < 0) {
			unlink(temporary);
			err = fail(-err, "cannot write the core %s: %s", path, strerror(-err));
		}
	}
	for (size_t i = 0; i < c.n_mappings; i++)
		free(c.mappings[i].path);
	free(c.mappings);
	text_free(&c.notes);
	free(temporary);
	return err;
}
