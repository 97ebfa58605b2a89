/*
 * Starting a program: the file, the interpreter it names (PT_INTERP, or "#!" on its first line), the new address
 * space's layout, and the jump.  Layout and randomness are Linux's for x86-64 (Documentation/admin-guide/sysctl,
 * randomize_va_space=2).
 */
#include "kernel/proc/exec.h"

#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/credentials.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/stack.h"

#define SCRIPT_DEPTH_MAX 5
#define STACK_RANDOM_BITS 22 /* pages */
#define BREAK_RANDOM_BITS 13 /* pages: 32 MB */
#define STACK_FIRST_SIZE (33 * PAGE_SIZE)
#define STACK_GAP_MIN (128ul << 20) /* kept free for the stack whatever its limit */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

int string_vector_add(struct string_vector *v, char *string)
{
	if (!string)
		return -ENOMEM;
	if (v->n == v->size) {
		unsigned size = v->size ? v->size * 2 : 32;
		char **items = heap_resize(v->items, size * sizeof(char *));
		if (!items) {
			heap_free(string);
			return -ENOMEM;
		}
		v->items = items;
		v->size = size;
	}
	v->items[v->n++] = string;
	v->bytes += strlen(string) + 1;
	return 0;
}

void string_vector_free(struct string_vector *v)
{
	for (unsigned i = 0; i < v->n; i++)
		heap_free(v->items[i]);
	heap_free(v->items);
	*v = (struct string_vector){0};
}

size_t exec_size_limit(void)
{
	/* A quarter of the stack, at least 128 KB, at most three quarters of 8 MB: Linux's rule. */
	uint64_t quarter = process_limit(RLIMIT_STACK) / 4;
	return (size_t)min(max(quarter, (uint64_t)EXEC_STRING_MAX), (uint64_t)6 << 20);
}

void exec_plan_free(struct exec_plan *p)
{
	string_vector_free(&p->arguments);
	string_vector_free(&p->environment);
	program_close(&p->program);
	program_close(&p->interpreter);
	heap_free(p->name);
	p->name = NULL;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOENT:
		return "not found";
	case -ENOTDIR:
		return "not found (a part of its path is not a directory)";
	case -EACCES:
		return "permission denied: not an executable regular file";
	case -ELOOP:
		return "too many levels of symbolic links or scripts";
	case -ENOMEM:
		return "not enough memory";
	case -E2BIG:
		return "arguments and environment are too long";
	case -EIO:
		return "can not be read";
	default:
		return "can not be run";
	}
}

static int refuse(struct exec_plan *p, const char *path, const char *why, int err)
{
	format(p->why, sizeof(p->why), "%s: %s", path, why ? why : reason(err));
	return err;
}

/* The next word at *at, ended by blanks; NULL: none. */
static char *next_word(char **at)
{
	char *s = *at;
	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\0')
		return NULL;
	char *end = s;
	while (*end != '\0' && *end != ' ' && *end != '\t')
		end++;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return s;
}

/* Split "#! interpreter [one argument]".  -ENOEXEC. */
static int parse_script(
	const struct program_file *f, char line[PROGRAM_HEAD], char **interpreter, char **argument)
{
	memcpy(line, f->head, f->head_len);
	unsigned len = min(f->head_len, PROGRAM_HEAD - 1);
	line[len] = '\0';
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	char *at = line + 2;
	*interpreter = next_word(&at);
	/* A name that the window cuts off would be another name. */
	if (!*interpreter || (!end && f->size > len && *at == '\0'))
		return -ENOEXEC;
	while (*at == ' ' || *at == '\t')
		at++;
	for (size_t n = strlen(at); n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'); n--)
		at[n - 1] = '\0';
	*argument = *at ? at : NULL;
	return 0;
}

/* argv becomes: interpreter, argument, script, the old argv without its first. */
static int script_arguments(
	struct exec_plan *p, const char *interpreter, const char *argument, const char *script)
{
	struct string_vector old = p->arguments, new = {0};
	int err = string_vector_add(&new, heap_string(interpreter));
	if (err == 0 && argument)
		err = string_vector_add(&new, heap_string(argument));
	if (err == 0)
		err = string_vector_add(&new, heap_string(script));
	for (unsigned i = 1; err == 0 && i < old.n; i++) {
		err = string_vector_add(&new, old.items[i]);
		old.items[i] = NULL;
	}
	p->arguments = new;
	string_vector_free(&old);
	return err;
}

static bool is_script(const struct program_file *f)
{
	return f->head_len >= 2 && f->head[0] == '#' && f->head[1] == '!';
}

/* Replace the script in p->program by its interpreter.  *script: the name it goes by. */
static int follow_script(struct exec_plan *p, char **script)
{
	char line[PROGRAM_HEAD], *interpreter = NULL, *argument = NULL;
	int err = parse_script(&p->program, line, &interpreter, &argument);
	if (err < 0)
		return refuse(p, *script, "its first line (\"#!\") names no interpreter", err);
	err = script_arguments(p, interpreter, argument, *script);
	if (err < 0)
		return refuse(p, *script, NULL, err);
	program_close(&p->program);
	err = program_open(NULL, interpreter, &p->program);
	if (err < 0) {
		format(p->why, sizeof(p->why), "%s: its interpreter %s: %s", *script, interpreter,
			reason(err));
		return err;
	}
	heap_free(*script);
	*script = heap_string(interpreter);
	return *script ? 0 : refuse(p, p->name, NULL, -ENOMEM);
}

static int follow_scripts(struct exec_plan *p)
{
	char *script = heap_string(p->name);
	int err = script ? 0 : refuse(p, p->name, NULL, -ENOMEM);
	for (unsigned depth = 0; err == 0 && is_script(&p->program); depth++)
		err = depth < SCRIPT_DEPTH_MAX ? follow_script(p, &script)
					       : refuse(p, p->name, NULL, -ELOOP);
	heap_free(script);
	return err;
}

static int open_interpreter(struct exec_plan *p, const char *name)
{
	int err = program_open(NULL, name, &p->interpreter);
	const char *why = err < 0 ? reason(err) : NULL;
	if (err == 0)
		err = program_read_elf(&p->interpreter, &why);
	if (err < 0)
		format(p->why, sizeof(p->why), "%s: its dynamic linker %s: %s", p->name, name, why);
	/* A linker that is no ELF file is a broken library to Linux. */
	return err == -ENOEXEC ? -ELIBBAD : err;
}

static int read_program(struct exec_plan *p)
{
	const char *why = NULL;
	int err = program_read_elf(&p->program, &why);
	if (err < 0)
		return refuse(p, p->name, why, err);
	if (!p->program.image.interpreter_len)
		return 0;
	char *name = heap_alloc(PATH_MAX);
	if (!name)
		return refuse(p, p->name, NULL, -ENOMEM);
	err = program_interpreter(&p->program, name, &why);
	err = err < 0 ? refuse(p, p->name, why, err) : open_interpreter(p, name);
	heap_free(name);
	return err;
}

int exec_prepare(struct exec_plan *p, struct dentry *base, const char *path)
{
	p->name = heap_string(path);
	if (!p->name)
		return refuse(p, path, NULL, -ENOMEM);
	int err = program_open(base, path, &p->program);
	if (err < 0)
		return refuse(p, path, NULL, err);
	err = follow_scripts(p);
	if (err < 0)
		return err;
	if (p->arguments.n == 0) { /* as Linux since 5.18: never without an argv[0] */
		err = string_vector_add(&p->arguments, heap_string(""));
		if (err < 0)
			return refuse(p, path, NULL, err);
	}
	size_t pointers = (p->arguments.n + (size_t)p->environment.n) * sizeof(uint64_t);
	if (p->arguments.bytes + p->environment.bytes + pointers > exec_size_limit())
		return refuse(p, path, NULL, -E2BIG);
	return read_program(p);
}

/* --- behind the point of no return --- */

static _Noreturn void fail_commit(struct exec_plan *p, const char *what, int err)
{
	char record[300];
	if (p->first) {
		format(record, sizeof(record), "failed 126 %s: %s: %s\n", p->name, what,
			reason(err));
		log_error("%s: %s: %s", p->name, what, reason(err));
		process_end(record, 126);
	}
	log_error("execve of %s: %s: %s", p->name, what, reason(err));
	process_end("killed 9\n", 128 + SIGKILL);
}

static uint64_t random_pages(unsigned bits)
{
	return (random_u64() & ((1ul << bits) - 1)) * PAGE_SIZE;
}

/* The empty address space: where the stack ends and mappings start.  The stack's top. */
static uintptr_t lay_out(struct exec_plan *p)
{
	uintptr_t stack_top = USER_STACK_TOP - random_pages(STACK_RANDOM_BITS);
	uint64_t stack_size = min(process_limit(RLIMIT_STACK), (uint64_t)USER_END / 6 * 5);
	uintptr_t mmap_top =
		align_down(
			stack_top - max(stack_size, STACK_GAP_MIN) - STACK_GUARD_GAP, PAGE_SIZE) -
		random_pages(USER_MMAP_RANDOM_BITS);
	rw_lock_write(&process.space_lock);
	struct address_space *s = &process.space;
	int err = 0;
	if (p->first)
		err = address_space_init(s, mmap_top);
	else
		address_space_clear(s);
	s->mmap_top = mmap_top;
	s->brk_start = s->brk = 0;
	s->limit_bytes = process_limit(RLIMIT_AS);
	s->data_limit_bytes = process_limit(RLIMIT_DATA);
	s->stack_limit_bytes = process_limit(RLIMIT_STACK);
	rw_unlock_write(&process.space_lock);
	if (err < 0)
		fail_commit(p, "making its address space", err);
	return stack_top;
}

static int map_stack(uintptr_t top, bool executable)
{
	const struct map_request r = {
		.address = top - STACK_FIRST_SIZE,
		.length = STACK_FIRST_SIZE,
		.how = MAP_AT_NEW,
		.prot = MMU_READ | MMU_WRITE | (executable ? MMU_EXEC : 0),
		.max_prot = MMU_READ | MMU_WRITE | MMU_EXEC,
		.flags = AREA_STACK,
		.name = "[stack]",
	};
	uintptr_t at = 0;
	rw_lock_write(&process.space_lock);
	int err = address_space_map(&process.space, &r, &at);
	rw_unlock_write(&process.space_lock);
	return err;
}

/* The vDSO's data page and behind it the vDSO. */
static int map_vdso(void)
{
	static const void *pages[9];
	const struct vdso_image *v = clock_vdso();
	process.vdso_base = 0;
	if (!v || v->elf_size > (array_size(pages) - 1) * PAGE_SIZE)
		return 0;
	pages[0] = v->data;
	for (size_t i = 0; i < v->elf_size / PAGE_SIZE; i++)
		pages[i + 1] = (const char *)v->elf + i * PAGE_SIZE;
	const struct map_request room = {.length = PAGE_SIZE + v->elf_size};
	uintptr_t at = 0;
	rw_lock_write(&process.space_lock);
	int err = address_space_map(&process.space, &room, &at);
	struct map_request r = {
		.address = at,
		.length = PAGE_SIZE,
		.how = MAP_AT,
		.prot = MMU_READ,
		.max_prot = MMU_READ,
		.flags = AREA_SPECIAL,
		.pages = pages,
		.name = "[vvar]",
	};
	if (err == 0)
		err = address_space_map(&process.space, &r, &at);
	r.address += PAGE_SIZE;
	r.length = v->elf_size;
	r.prot = r.max_prot = MMU_READ | MMU_EXEC;
	r.pages = pages + 1;
	r.name = "[vdso]";
	if (err == 0)
		err = address_space_map(&process.space, &r, &at);
	rw_unlock_write(&process.space_lock);
	if (err == 0)
		process.vdso_base = r.address;
	return err;
}

static void note_ranges(const struct program_file *f, uintptr_t base)
{
	process.code_start = process.data_start = UINT64_MAX;
	process.code_end = process.data_end = 0;
	for (unsigned i = 0; i < f->image.n_headers; i++) {
		struct elf_segment s;
		if (!elf_segment_at(f->table, i, &s))
			continue;
		uintptr_t start = base + s.address, end = start + s.file_size;
		if (s.execute) {
			process.code_start = min(process.code_start, start);
			process.code_end = max(process.code_end, end);
		} else if (s.write) {
			process.data_start = min(process.data_start, start);
			process.data_end = max(process.data_end, end);
		}
	}
	if (process.data_end == 0)
		process.data_start = 0;
}

static void start_break(uintptr_t end_of_program)
{
	rw_lock_write(&process.space_lock);
	process.space.brk_start = process.space.brk =
		align_up(end_of_program, PAGE_SIZE) + random_pages(BREAK_RANDOM_BITS);
	rw_unlock_write(&process.space_lock);
}

static void name_program(struct exec_plan *p)
{
	const char *slash = strrchr(p->name, '/');
	struct task *t = task_current();
	string_copy(t->thread.name, slash ? slash + 1 : p->name, sizeof(t->thread.name));
	heap_free(process.executable);
	process.executable = p->program.path;
	p->program.path = NULL;
	vfs_set_executable(p->program.file->dentry);
}

/* Map everything; ip and sp to start at. */
static void map_program(struct exec_plan *p, uintptr_t stack_top, struct stack_request *s)
{
	bool linked = p->interpreter.file;
	uintptr_t hint = linked ? USER_PIE_BASE + random_pages(USER_MMAP_RANDOM_BITS) : 0;
	uintptr_t base = 0;
	int err = program_map(&p->program, hint, &base);
	if (err < 0)
		fail_commit(p, "mapping it", err);
	s->program_entry = s->entry = base + p->program.image.entry;
	if (linked) {
		err = program_map(&p->interpreter, 0, &s->interpreter_base);
		if (err < 0)
			fail_commit(p, "mapping its dynamic linker", err);
		s->entry = s->interpreter_base + p->interpreter.image.entry;
	}
	if (p->program.image.table_address)
		s->headers = base + p->program.image.table_address;
	s->n_headers = p->program.image.n_headers;
	start_break(base + p->program.image.high);
	note_ranges(&p->program, base);
	err = map_vdso();
	if (err == 0)
		err = map_stack(stack_top, p->program.image.executable_stack);
	if (err < 0)
		fail_commit(p, "mapping its stack", err);
}

/* What execve(2) takes from the old program: signals, timers, descriptors marked so, the thread's odds and ends. */
static void shed_old_program(void)
{
	struct task *t = task_current();
	task_release_user(t);
	program_release_user();
	process_timers_clear();
	signal_reset_for_exec();
	credentials_follow_exec();
	fd_close_on_exec();
	task_become_leader(t);
	thread_set_tls(0);
	t->robust_list = user_at(0);
	t->altstack = (struct linux_stack){.flags = SS_DISABLE};
}

_Noreturn void exec_commit(struct exec_plan *p)
{
	if (!p->first)
		shed_old_program();
	uintptr_t stack_top = lay_out(p);
	struct stack_request s = {
		.top = stack_top,
		.name = p->name,
		.arguments = &p->arguments,
		.environment = &p->environment,
	};
	map_program(p, stack_top, &s);
	uintptr_t sp = 0;
	int err = stack_build(&s, &sp);
	if (err < 0)
		fail_commit(p, "filling its stack", err);
	process.entry = s.entry;
	name_program(p);
	uintptr_t entry = s.entry;
	if (p->first)
		machine_tell("started\n");
	exec_plan_free(p);
	heap_free(p);
	thread_enter_user(entry, sp);
}
