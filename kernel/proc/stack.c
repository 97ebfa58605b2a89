/*
 * The first stack, byte for byte where Linux puts it.  From the top down: eight zero bytes, the file name, the
 * environment's strings, the arguments' strings, a random gap, platform name, 16 random bytes, alignment; then upwards
 * to them argc, argv[], NULL, envp[], NULL, auxv[].
 */
#include "kernel/proc/stack.h"

#include "abi/linux/auxv.h"
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define AUXV_MAX 24
#define RANDOM_GAP 8192u

struct builder {
	uintptr_t sp;
	int err;
	uint64_t *words; /* argc and what follows */
	size_t n_words;
};

static uintptr_t push(struct builder *b, const void *bytes, size_t n)
{
	b->sp -= n;
	if (b->err == 0)
		b->err = copy_out(user_at(b->sp), bytes, n);
	return b->sp;
}

static uintptr_t push_string(struct builder *b, const char *s)
{
	return push(b, s, strlen(s) + 1);
}

/* All strings, the last one topmost; their addresses go to words[at..]. */
static void push_strings(struct builder *b, const struct string_vector *v, size_t at)
{
	for (unsigned i = v->n; i-- > 0;)
		b->words[at + i] = push_string(b, v->items[i]);
}

static void add_aux(struct builder *b, uint64_t key, uint64_t value)
{
	b->words[b->n_words++] = key;
	b->words[b->n_words++] = value;
}

static void add_auxv(struct builder *b, const struct stack_request *r, uintptr_t name,
	uintptr_t platform, uintptr_t random)
{
	if (process.vdso_base)
		add_aux(b, AT_SYSINFO_EHDR, process.vdso_base);
	add_aux(b, AT_MINSIGSTKSZ, SIGNAL_FRAME_MAX);
	add_aux(b, AT_HWCAP, cpu_hwcap());
	add_aux(b, AT_PAGESZ, PAGE_SIZE);
	add_aux(b, AT_CLKTCK, USER_HZ);
	add_aux(b, AT_PHDR, r->headers);
	add_aux(b, AT_PHENT, sizeof(struct elf_program_header));
	add_aux(b, AT_PHNUM, r->n_headers);
	add_aux(b, AT_BASE, r->interpreter_base);
	add_aux(b, AT_FLAGS, 0);
	add_aux(b, AT_ENTRY, r->program_entry);
	add_aux(b, AT_UID, process.uid);
	add_aux(b, AT_EUID, process.euid);
	add_aux(b, AT_GID, process.gid);
	add_aux(b, AT_EGID, process.egid);
	add_aux(b, AT_SECURE, 0);
	add_aux(b, AT_RANDOM, random);
	add_aux(b, AT_HWCAP2, cpu_hwcap2());
	add_aux(b, AT_EXECFN, name);
	add_aux(b, AT_PLATFORM, platform);
	add_aux(b, AT_NULL, 0);
}

static void build(struct builder *b, const struct stack_request *r)
{
	size_t n_arguments = r->arguments->n, n_environment = r->environment->n;
	const uint64_t nothing = 0;
	push(b, &nothing, sizeof(nothing));
	uintptr_t name = push_string(b, r->name);
	process.env_end = b->sp;
	push_strings(b, r->environment, 1 + n_arguments + 1);
	process.env_start = process.arg_end = b->sp;
	push_strings(b, r->arguments, 1);
	process.arg_start = b->sp;
	b->sp = align_down(b->sp - random_u64() % RANDOM_GAP, 16);
	uintptr_t platform = push_string(b, cpu_platform());
	uint8_t bytes[16];
	random_bytes(bytes, sizeof(bytes));
	uintptr_t random = push(b, bytes, sizeof(bytes));

	b->words[0] = n_arguments;
	b->n_words = 1 + n_arguments + 1 + n_environment + 1;
	size_t auxv = b->n_words;
	add_auxv(b, r, name, platform, random);
	b->sp = align_down(b->sp - b->n_words * sizeof(uint64_t), 16);
	if (b->err == 0)
		b->err = copy_out(user_at(b->sp), b->words, b->n_words * sizeof(uint64_t));
	process.auxv_start = b->sp + auxv * sizeof(uint64_t);
	process.auxv_end = b->sp + b->n_words * sizeof(uint64_t);
	process.stack_start = b->sp;
}

int stack_build(const struct stack_request *r, uintptr_t *sp)
{
	size_t n_words = 3 + r->arguments->n + (size_t)r->environment->n + 2 * AUXV_MAX;
	struct builder b = {.sp = r->top, .words = heap_array(n_words, sizeof(uint64_t))};
	if (!b.words)
		return -ENOMEM;
	build(&b, r);
	heap_free(b.words);
	*sp = b.sp;
	return b.err;
}
