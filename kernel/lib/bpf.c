/* The machine of "The BSD Packet Filter" (McCanne, Jacobson 1993), with Linux's additions: modulo and exclusive or. */
#include "kernel/lib/bpf.h"

#include "kernel/lib/endian.h"
#include "kernel/lib/string.h"

#define CLASS(code) ((code)&7u)
enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };
#define SIZE(code) ((code)&0x18u)
enum { W = 0, H = 0x08, B = 0x10 };
#define MODE(code) ((code)&0xe0u)
enum { IMM = 0, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0 };
#define OPERATION(code) ((code)&0xf0u)
enum { ADD = 0, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70 };
enum { NEG = 0x80, MOD = 0x90, XOR = 0xa0 };
enum { JA = 0, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40 };
#define FROM_X 0x08u
#define RET_A 0x10u
#define TXA 0x80u
#define CELLS 16u

/* --- checking --- */

static bool check_load(const struct linux_sock_filter *i, enum bpf_data kind)
{
	bool index = CLASS(i->code) == LDX;
	switch (MODE(i->code)) {
	case IMM:
	case LEN:
		return SIZE(i->code) == W;
	case MEM:
		return SIZE(i->code) == W && i->k < CELLS;
	case ABS:
		if (kind == BPF_SECCOMP)
			return !index && SIZE(i->code) == W && i->k % 4 == 0 &&
			       i->k < sizeof(struct linux_seccomp_data);
		return !index && SIZE(i->code) <= B;
	case IND:
		return !index && kind == BPF_PACKET && SIZE(i->code) <= B;
	case MSH:
		return index && kind == BPF_PACKET && SIZE(i->code) == B;
	default:
		return false;
	}
}

static bool check_arithmetic(const struct linux_sock_filter *i)
{
	unsigned operation = OPERATION(i->code);
	if (operation == NEG)
		return i->code == (ALU | NEG);
	if (operation > XOR || (i->code & ~0xffu))
		return false;
	if ((operation == DIV || operation == MOD) && !(i->code & FROM_X))
		return i->k != 0;
	if ((operation == LSH || operation == RSH) && !(i->code & FROM_X))
		return i->k < 32;
	return true;
}

static bool check_jump(const struct linux_sock_filter *i, unsigned left)
{
	if (i->code == (JMP | JA))
		return i->k < left;
	return OPERATION(i->code) >= JEQ && OPERATION(i->code) <= JSET && !(i->code & ~0xffu) &&
	       i->jump_true < left && i->jump_false < left;
}

/* left: instructions behind this one. */
static bool check_one(const struct linux_sock_filter *i, unsigned left, enum bpf_data kind)
{
	switch (CLASS(i->code)) {
	case LD:
	case LDX:
		return !(i->code & ~0xffu) && check_load(i, kind);
	case ST:
	case STX:
		return (i->code == ST || i->code == STX) && i->k < CELLS;
	case ALU:
		return check_arithmetic(i);
	case JMP:
		return check_jump(i, left);
	case RET:
		return i->code == RET || i->code == (RET | RET_A);
	default:
		return i->code == MISC || i->code == (MISC | TXA);
	}
}

/* No cell is read before it is written on every way there.  written[i]: cells sure to be written before i. */
static bool check_cells(const struct linux_sock_filter *p, unsigned n, uint16_t *written)
{
	uint16_t now = 0;
	memset(written, 0xff, n * sizeof(*written));
	for (unsigned i = 0; i < n; i++) {
		now &= written[i];
		unsigned class = CLASS(p[i].code);
		if (class == ST || class == STX)
			now |= (uint16_t)(1u << p[i].k);
		else if ((class == LD || class == LDX) && MODE(p[i].code) == MEM &&
			 !(now >> p[i].k & 1))
			return false;
		if (class == JMP) {
			bool always = OPERATION(p[i].code) == JA;
			written[i + 1 + (always ? p[i].k : p[i].jump_true)] &= now;
			if (!always)
				written[i + 1 + p[i].jump_false] &= now;
		}
		if (class == JMP || class == RET)
			now = 0xffff;
	}
	return true;
}

bool bpf_check(const struct linux_sock_filter *p, unsigned n, enum bpf_data kind, uint16_t *scratch)
{
	if (n == 0 || n > BPF_MAXINSNS || CLASS(p[n - 1].code) != RET)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!check_one(&p[i], n - 1 - i, kind))
			return false;
	return check_cells(p, n, scratch);
}

/* --- running --- */

struct machine {
	enum bpf_data kind;
	const uint8_t *data;
	uint32_t size, a, x, cells[CELLS];
};

/* false: beyond the end. */
static bool fetch(const struct machine *m, uint64_t at, unsigned size, uint32_t *out)
{
	unsigned n = size == W ? 4 : size == H ? 2 : 1;
	if (at + n > m->size)
		return false;
	const uint8_t *from = m->data + at;
	if (m->kind == BPF_SECCOMP)
		memcpy(out, from, sizeof(*out));
	else
		*out = n == 4 ? load_be32(from) : n == 2 ? load_be16(from) : *from;
	return true;
}

static bool load(struct machine *m, const struct linux_sock_filter *i, uint32_t *to)
{
	switch (MODE(i->code)) {
	case IMM:
		*to = i->k;
		return true;
	case LEN:
		*to = m->size;
		return true;
	case MEM:
		*to = m->cells[i->k];
		return true;
	case MSH:
		if (!fetch(m, i->k, B, to))
			return false;
		*to = (*to & 15) * 4;
		return true;
	default:
		return fetch(
			m, i->k + (uint64_t)(MODE(i->code) == IND ? m->x : 0), SIZE(i->code), to);
	}
}

/* false: a division by zero. */
static bool compute(struct machine *m, unsigned operation, uint32_t b)
{
	if ((operation == DIV || operation == MOD) && b == 0)
		return false;
	switch (operation) {
	case ADD:
		m->a += b;
		break;
	case SUB:
		m->a -= b;
		break;
	case MUL:
		m->a *= b;
		break;
	case DIV:
		m->a /= b;
		break;
	case MOD:
		m->a %= b;
		break;
	case OR:
		m->a |= b;
		break;
	case AND:
		m->a &= b;
		break;
	case XOR:
		m->a ^= b;
		break;
	case LSH:
		m->a <<= b & 31;
		break;
	case RSH:
		m->a >>= b & 31;
		break;
	default: /* NEG */
		m->a = -m->a;
	}
	return true;
}

static unsigned jump(const struct machine *m, const struct linux_sock_filter *i)
{
	uint32_t b = i->code & FROM_X ? m->x : i->k;
	switch (OPERATION(i->code)) {
	case JA:
		return i->k;
	case JEQ:
		return m->a == b ? i->jump_true : i->jump_false;
	case JGT:
		return m->a > b ? i->jump_true : i->jump_false;
	case JGE:
		return m->a >= b ? i->jump_true : i->jump_false;
	default:
		return m->a & b ? i->jump_true : i->jump_false;
	}
}

uint32_t bpf_run(
	const struct linux_sock_filter *i, enum bpf_data kind, const void *data, uint32_t size)
{
	struct machine m = {.kind = kind, .data = data, .size = size};
	for (;; i++) {
		bool fine = true;
		switch (CLASS(i->code)) {
		case LD:
			fine = load(&m, i, &m.a);
			break;
		case LDX:
			fine = load(&m, i, &m.x);
			break;
		case ST:
			m.cells[i->k] = m.a;
			break;
		case STX:
			m.cells[i->k] = m.x;
			break;
		case ALU:
			fine = compute(&m, OPERATION(i->code), i->code & FROM_X ? m.x : i->k);
			break;
		case JMP:
			i += jump(&m, i);
			break;
		case RET:
			return i->code & RET_A ? m.a : i->k;
		default:
			if (i->code & TXA)
				m.a = m.x;
			else
				m.x = m.a;
		}
		if (!fine)
			return 0;
	}
}
