/* A file is read when the first of its addresses is asked for: on this host if it is the same file, else from the machine. */
#include "cli/profile/objects.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/folders.h"
#include "cli/map.h"
#include "cli/memory.h"
#include "cli/profile/symbols.h"

#define MAPS_MAX (4u << 20)
#define FILE_MAX_BYTES (256u << 20) /* read from the machine */
#define HEAD 4096u
#define MAPPINGS_MAX 100000u

struct mapping {
	uint64_t start, end, offset;
	char *path; /* or "[vdso]", "" */
};

struct object {
	struct symbols *symbols; /* NULL: nothing is known */
};

struct objects {
	struct target *target;
	bool files_are_here;
	struct mapping *mappings; /* the newest last */
	size_t n;
	struct map files; /* path: struct object */
	struct symbols *kernel;
};

/* The delivered kernel has no names: they are in a file of their own. */
static struct symbols *read_kernel(void)
{
	static const char *const names[] = {
		"x86_64/kernel-unnamed.elf", "kernel-x86_64.debug.elf", "kernel-x86_64.elf"};
	char *kernel = kernel_find(), *folder = kernel ? path_folder(kernel) : NULL;
	struct symbols *s = NULL;

	for (size_t i = 0; folder && !s && i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_join(folder, names[i]);

		s = symbols_read_file(path);
		free(path);
	}
	free(kernel);
	free(folder);
	return s;
}

struct objects *objects_new(struct target *t, bool files_are_here)
{
	struct objects *o = memory_new(1, sizeof(*o));

	o->target = t;
	o->files_are_here = files_are_here;
	o->kernel = read_kernel();
	return o;
}

void objects_free(struct objects *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->mappings[i].path);
	for (size_t i = 0; i < o->files.n_slots; i++) {
		struct object *object = o->files.slots[i].key ? o->files.slots[i].value : NULL;

		if (object)
			symbols_free(object->symbols);
		free(object);
	}
	map_free(&o->files);
	free(o->mappings);
	symbols_free(o->kernel);
	free(o);
}

/* ---- Mappings ---- */

static const struct mapping *find(const struct objects *o, uint64_t address)
{
	for (size_t i = o->n; i-- > 0;)
		if (address >= o->mappings[i].start && address < o->mappings[i].end)
			return &o->mappings[i];
	return NULL;
}

bool objects_lack(const struct objects *o, uint64_t address)
{
	return !find(o, address);
}

static void add_mapping(struct objects *o, const char *line)
{
	struct mapping m = {0};
	char permissions[5] = "";
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &m.start, &m.end,
		    permissions, &m.offset, &path_at) < 4 ||
		permissions[2] != 'x' || o->n >= MAPPINGS_MAX)
		return;
	const char *path = path_at ? line + path_at : "";
	const struct mapping *known = find(o, m.start);

	if (known && known->start == m.start && known->end == m.end && known->offset == m.offset &&
		strcmp(known->path, path) == 0)
		return;
	m.path = memory_string(path);
	o->mappings = memory_resize(o->mappings, o->n + 1, sizeof(m));
	o->mappings[o->n++] = m;
}

void objects_refresh(struct objects *o)
{
	char *text = memory_new(MAPS_MAX + 1, 1), *save = NULL;

	if (target_read_file(o->target, "/proc/self/maps", 0, text, MAPS_MAX) > 0)
		for (char *line = strtok_r(text, "\n", &save); line;
			line = strtok_r(NULL, "\n", &save))
			add_mapping(o, line);
	free(text);
}

/* ---- Files ---- */

/* Its first page is as the machine's; without a machine its word is taken. */
static bool is_same_file(struct objects *o, const char *path)
{
	uint8_t here[HEAD], there[HEAD];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, here, sizeof(here)) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	int m = target_read_file(o->target, path, 0, there, sizeof(there));

	return m < 0 ? o->files_are_here : m == n && memcmp(here, there, (size_t)n) == 0;
}

static struct symbols *read_from_machine(struct objects *o, const char *path)
{
	static const size_t piece = 1u << 20;
	struct text file = {0};
	uint8_t *bytes = memory_new(piece, 1);
	int n = 1;

	while (n > 0 && file.len < FILE_MAX_BYTES) {
		n = target_read_file(o->target, path, file.len, bytes, piece);
		if (n > 0)
			text_add_bytes(&file, bytes, (size_t)n);
	}
	struct symbols *s = file.len ? symbols_read((const uint8_t *)file.data, file.len) : NULL;

	free(bytes);
	text_free(&file);
	return s;
}

static const struct symbols *symbols_of(struct objects *o, const char *path)
{
	struct object *object = map_get(&o->files, path);

	if (object)
		return object->symbols;
	object = memory_new(1, sizeof(*object));
	if (*path == '/')
		object->symbols = is_same_file(o, path) ? symbols_read_file(path)
							: read_from_machine(o, path);
	map_put(&o->files, path, object);
	return object->symbols;
}

/* ---- Names ---- */

/* In folded stacks ';' parts frames. */
static void add_name(struct text *out, const char *name)
{
	for (; *name; name++) {
		char c = *name == ';' || *name == '\n' ? ':' : *name;

		text_add_bytes(out, &c, 1);
	}
}

void objects_name(struct objects *o, uint64_t address, struct text *out)
{
	const struct mapping *m = find(o, address);

	if (!m || *m->path != '/') {
		add_name(out, m && *m->path ? m->path : m ? "[anonymous]" : "[unknown]");
		return;
	}
	char *path = memory_string(m->path);
	const struct symbols *s = symbols_of(o, path);
	const char *name = s ? symbols_at_offset(s, address - m->start + m->offset) : NULL;

	if (name) {
		add_name(out, name);
	} else {
		text_add(out, "[");
		add_name(out, path_name(path));
		text_add(out, "]");
	}
	free(path);
}

void objects_name_kernel(struct objects *o, uint64_t address, struct text *out)
{
	const char *name = o->kernel ? symbols_at_address(o->kernel, address) : NULL;

	add_name(out, name ? name : "[kernel]");
	if (name)
		text_add(out, "_[k]");
}
