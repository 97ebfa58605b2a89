/* The description is made from the same list as everything else, so that numbers cannot differ. */
#include "cli/debug/registers.h"

#include <stdio.h>
#include <string.h>

#include "cli/text.h"

enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE,
	GS_BASE,
	DS,
	ES,
	FS,
	GS
};

/* Where a register's bytes are. */
enum place {
	GENERAL, /* struct debug_registers */
	FPU,     /* the FPU's area */
	TAG,     /* the full x87 tag word, made of the abridged one */
};

struct reg {
	const char *feature, *name, *type;
	enum place place;
	uint16_t at;    /* index, or byte in the area */
	uint8_t size;   /* gdb's, bytes */
	uint8_t stored; /* in the area; gdb's value is extended with zeros */
};

#define CORE "org.gnu.gdb.i386.core"
#define SSE "org.gnu.gdb.i386.sse"
#define LINUX "org.gnu.gdb.i386.linux"
#define SEGMENTS "org.gnu.gdb.i386.segments"
#define AVX "org.gnu.gdb.i386.avx"
#define G(name, index, size)                                                                       \
	{                                                                                          \
		CORE, name, size == 8 ? "int64" : "int32", GENERAL, index, size, size              \
	}
#define P(name, index, type)                                                                       \
	{                                                                                          \
		CORE, name, type, GENERAL, index, 8, 8                                             \
	}
#define ST(n)                                                                                      \
	{                                                                                          \
		CORE, "st" #n, "i387_ext", FPU, 32 + 16 * n, 10, 10                                \
	}
#define F(name, at, stored)                                                                        \
	{                                                                                          \
		CORE, name, "int", FPU, at, 4, stored                                              \
	}
#define XMM(n)                                                                                     \
	{                                                                                          \
		SSE, "xmm" #n, "vec128", FPU, 160 + 16 * n, 16, 16                                 \
	}
#define YMMH(n)                                                                                    \
	{                                                                                          \
		AVX, "ymm" #n "h", "uint128", FPU, 576 + 16 * n, 16, 16                            \
	}

/* clang-format off */
static const struct reg regs[] = {
	G("rax", RAX, 8), G("rbx", RBX, 8), G("rcx", RCX, 8), G("rdx", RDX, 8), G("rsi", RSI, 8),
	G("rdi", RDI, 8), P("rbp", RBP, "data_ptr"), P("rsp", RSP, "data_ptr"), G("r8", R8, 8),
	G("r9", R9, 8), G("r10", R10, 8), G("r11", R11, 8), G("r12", R12, 8), G("r13", R13, 8),
	G("r14", R14, 8), G("r15", R15, 8), P("rip", RIP, "code_ptr"),
	{CORE, "eflags", "i386_eflags", GENERAL, EFLAGS, 4, 4},
	G("cs", CS, 4), G("ss", SS, 4), G("ds", DS, 4), G("es", ES, 4), G("fs", FS, 4), G("gs", GS, 4),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	F("fctrl", 0, 2), F("fstat", 2, 2), {CORE, "ftag", "int", TAG, 4, 4, 1}, F("fiseg", 12, 2),
	F("fioff", 8, 4), F("foseg", 20, 2), F("fooff", 16, 4), F("fop", 6, 2),
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10),
	XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	{SSE, "mxcsr", "i386_mxcsr", FPU, 24, 4, 4},
	{LINUX, "orig_rax", "int64", GENERAL, ORIG_RAX, 8, 8},
	{SEGMENTS, "fs_base", "int64", GENERAL, FS_BASE, 8, 8},
	{SEGMENTS, "gs_base", "int64", GENERAL, GS_BASE, 8, 8},
	YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6), YMMH(7), YMMH(8), YMMH(9),
	YMMH(10), YMMH(11), YMMH(12), YMMH(13), YMMH(14), YMMH(15),
};
/* clang-format on */

#define N_REGS (sizeof(regs) / sizeof(regs[0]))
#define N_AVX 16

/* Types that the features use and gdb does not know by itself. */
static const char *types_of(const char *feature)
{
	if (strcmp(feature, CORE) == 0)
		return "<flags id=\"i386_eflags\" size=\"4\">"
		       "<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"PF\" start=\"2\" "
		       "end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"ZF\" "
		       "start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/><field "
		       "name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" "
		       "end=\"9\"/><field name=\"DF\" start=\"10\" end=\"10\"/><field "
		       "name=\"OF\" start=\"11\" end=\"11\"/></flags>";
	if (strcmp(feature, SSE) == 0)
		return "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
		       "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
		       "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
		       "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
		       "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
		       "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
		       "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" "
		       "type=\"v16i8\"/><field name=\"v4_int32\" type=\"v4i32\"/><field "
		       "name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" "
		       "type=\"uint128\"/></union>"
		       "<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" "
		       "end=\"0\"/><field name=\"PM\" start=\"12\" end=\"12\"/></flags>";
	return "";
}

unsigned registers_count(bool has_avx)
{
	return N_REGS - (has_avx ? 0 : N_AVX);
}

const char *registers_description(bool has_avx)
{
	static struct text made[2];
	struct text *t = &made[has_avx];
	const char *feature = "";

	if (t->len)
		return t->data;
	text_add(t, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
		    "<target><architecture>i386:x86-64</architecture><osabi>GNU/Linux</osabi>");
	for (unsigned i = 0; i < registers_count(has_avx); i++) {
		if (strcmp(feature, regs[i].feature) != 0) {
			text_format(t, "%s<feature name=\"%s\">%s", *feature ? "</feature>" : "",
				regs[i].feature, types_of(regs[i].feature));
			feature = regs[i].feature;
		}
		text_format(t, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>",
			regs[i].name, regs[i].size * 8u, regs[i].type, i);
	}
	text_add(t, "</feature></target>");
	return t->data;
}

/* The components that XSAVE's header may name: its area is as large as those the machine has. */
bool registers_have_avx(const struct registers *r)
{
	return r->general.fpu_size >= 576 + 256;
}

size_t registers_size(unsigned number)
{
	return number < N_REGS ? regs[number].size : 0;
}

/* Two bits per register instead of one: 3 is empty; what is not empty is told as valid. */
static uint32_t full_tag(uint8_t abridged)
{
	uint32_t full = 0;

	for (unsigned i = 0; i < 8; i++)
		full |= (abridged >> i & 1 ? 0u : 3u) << (2 * i);
	return full;
}

void registers_get(const struct registers *r, unsigned number, uint8_t *to)
{
	const struct reg *g = &regs[number];

	memset(to, 0, g->size);
	if (g->place == GENERAL) {
		memcpy(to, &r->general.r[g->at], g->size);
	} else if (g->at + g->stored <= r->general.fpu_size) {
		uint32_t tag = full_tag(r->fpu[4]);

		memcpy(to, g->place == TAG ? (const void *)&tag : r->fpu + g->at,
			g->place == TAG ? sizeof(tag) : g->stored);
	}
}

void registers_set(struct registers *r, unsigned number, const uint8_t *from)
{
	const struct reg *g = &regs[number];

	if (g->place == GENERAL) {
		r->general.r[g->at] = 0;
		memcpy(&r->general.r[g->at], from, g->size);
	} else if (g->place == TAG) {
		uint32_t full;

		memcpy(&full, from, sizeof(full));
		r->fpu[4] = 0;
		for (unsigned i = 0; i < 8; i++)
			r->fpu[4] |= (uint8_t)(((full >> (2 * i) & 3) != 3) << i);
	} else if (g->at + g->stored <= r->general.fpu_size) {
		memcpy(r->fpu + g->at, from, g->stored);
		if (g->at >= 576) /* XSTATE_BV: the component is not in its first state */
			r->fpu[512] |= 4;
	}
}
