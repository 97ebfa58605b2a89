/*
 * A TCG plug-in (QEMU 9 and later, x86-64 guests) that counts guest instructions, and the
 * instructions and accesses that would leave the guest under hardware virtualization.
 *
 *     sock=PATH    unix socket; every connection gets one JSON line of counters
 *     out=PATH     JSON lines: one per event or marker seen, one at exit
 *     match=TEXT   marker in the UART output (port 0x3f8 or 0xe9); repeatable
 *     entry=ADDR   event "entry": the instruction at this address (hex) is about to run
 *     first_user=1 event "first_user": the first instruction in user mode is about to run
 *     quit=1       end QEMU at the last marker, or at first_user
 *     user=LO-HI   virtual addresses (hex) that count as user code, HI excluded;
 *                  default 0-800000000000 (below 2^47)
 *     mmio=1       also count MMIO accesses (slow)
 *     lean=1       count instructions only (fast)
 *
 * Under icount every iteration of a rep instruction counts as one instruction (rep_iters tells how
 * many those are); without it QEMU 10 counts one for all.  The plug-in interface is declared here,
 * so that no QEMU or glib headers are needed.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_scoreboard;
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} plugin_u64;
typedef struct {
	char *data;
	unsigned len;
} g_array;
typedef struct {
	uint8_t *data;
	unsigned len;
} g_bytes;
typedef struct {
	void *handle;
	const char *name;
	const char *feature;
} plugin_register;

extern g_bytes *g_byte_array_new(void);
extern g_bytes *g_byte_array_set_size(g_bytes *, unsigned);
extern g_array *qemu_plugin_get_registers(void);
extern int qemu_plugin_read_register(void *, g_bytes *);
extern struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t);
extern void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *, unsigned);
extern uint64_t qemu_plugin_u64_sum(plugin_u64);
extern void qemu_plugin_register_vcpu_init_cb(plugin_id, void (*)(plugin_id, unsigned));
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, void *));
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(void *);
extern void *qemu_plugin_tb_get_insn(void *, size_t);
extern size_t qemu_plugin_insn_data(void *, void *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(void *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(void *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(void *, int, plugin_u64, uint64_t);
extern void qemu_plugin_register_vcpu_tb_exec_cb(void *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(void *, int, plugin_u64, uint64_t);
extern void qemu_plugin_register_vcpu_mem_cb(
	void *, void (*)(unsigned, uint32_t, uint64_t, void *), int, int, void *);
extern void *qemu_plugin_get_hwaddr(uint32_t, uint64_t);
extern bool qemu_plugin_hwaddr_is_io(void *);
extern uint64_t qemu_plugin_hwaddr_phys_addr(void *);
extern bool qemu_plugin_mem_is_store(uint32_t);

EXPORT int qemu_plugin_version = 3;

enum { CB_READ_REGISTERS = 1, INLINE_ADD = 0, MEM_RW = 3 };
enum {
	INSNS,
	REP,
	USER,
	PIO,
	HLT,
	CPUID,
	MSR,
	SYSCALL,
	CR3W,
	RDTSC,
	MMIO_R,
	MMIO_W,
	APIC,
	COUNTERS
};

static const char *const counter_name[COUNTERS] = {
	"insns",
	"rep_iters",
	"user_insns",
	"pio",
	"hlt",
	"cpuid",
	"msr",
	"syscall",
	"cr3w",
	"rdtsc",
	"mmio_r",
	"mmio_w",
	"apic_mmio",
};

static struct qemu_plugin_scoreboard *scores;
static plugin_u64 counter[COUNTERS];
static struct {
	char text[128];
	size_t len, pos;
	bool seen;
} marker[64];
static int markers;
static const char *sock_path;
static int quit, mmio, lean, first_user;
static uint64_t entry = UINT64_MAX;
static bool entered;
static uint64_t user_lo = 0, user_hi = 1ull << 47;
static FILE *out;
static struct timespec start;
static void *reg_rax, *reg_rdx, *reg_cs;
static uint64_t uart_bytes;

static int snapshot(char *buf, size_t size, const char *at)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	double wall = (t.tv_sec - start.tv_sec) + (t.tv_nsec - start.tv_nsec) / 1e9;
	int last = lean ? INSNS : mmio ? APIC : RDTSC;
	int n = snprintf(buf, size, "{\"at\":\"%s\",\"wall\":%.4f,\"uart_bytes\":%lu", at, wall,
		(unsigned long)uart_bytes);

	for (int i = 0; i <= last; i++)
		n += snprintf(buf + n, size - n, ",\"%s\":%lu", counter_name[i],
			(unsigned long)qemu_plugin_u64_sum(counter[i]));
	return n + snprintf(buf + n, size - n, "}\n");
}

static void emit(const char *at)
{
	char buf[1024];
	if (!out)
		return;
	snapshot(buf, sizeof buf, at);
	fputs(buf, out);
	fflush(out);
}

static void uart(char c)
{
	if (!uart_bytes++)
		emit("first_uart_byte");
	for (int i = 0; i < markers; i++) {
		if (marker[i].seen)
			continue;
		if (c == marker[i].text[marker[i].pos])
			marker[i].pos++;
		else
			marker[i].pos = c == marker[i].text[0];
		if (marker[i].pos < marker[i].len)
			continue;
		marker[i].seen = true;
		char at[128];
		strcpy(at, marker[i].text);
		for (char *p = at; *p; p++)
			if (*p == '"' || *p == '\\' || *p < 32)
				*p = '_';
		emit(at);
		if (quit && i == markers - 1)
			_exit(0);
	}
}

static uint64_t read_register(void *handle)
{
	static g_bytes *bytes;
	uint64_t value = 0;
	if (!bytes)
		bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, 0);
	int n = qemu_plugin_read_register(handle, bytes);
	if (n > 0)
		memcpy(&value, bytes->data, n > 8 ? 8 : n);
	return value;
}

/* DATA: the port of "out imm8, al", or -1 for the port in dx. */
static void on_out(unsigned cpu, void *data)
{
	(void)cpu;
	long port = (long)data;
	if (port < 0)
		port = read_register(reg_rdx) & 0xffff;
	if (port == 0x3f8 || port == 0xe9)
		uart((char)read_register(reg_rax));
}

static void on_entry(unsigned cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!entered)
		emit("entry");
	entered = true;
}

/* A block of code at a user address: is the CPU in ring 3? (The kernel starts at low addresses too.) */
static void on_low_block(unsigned cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!first_user || !entered || (read_register(reg_cs) & 3) != 3)
		return;
	first_user = 0;
	emit("first_user");
	if (quit)
		_exit(0);
}

static void on_access(unsigned cpu, uint32_t info, uint64_t vaddr, void *data)
{
	(void)data;
	void *hw = qemu_plugin_get_hwaddr(info, vaddr);
	if (!hw || !qemu_plugin_hwaddr_is_io(hw))
		return;
	uint64_t *c = qemu_plugin_scoreboard_find(scores, cpu);
	if (qemu_plugin_hwaddr_phys_addr(hw) >> 12 == 0xfee00)
		c[APIC]++;
	else
		c[qemu_plugin_mem_is_store(info) ? MMIO_W : MMIO_R]++;
}

static bool is_prefix(uint8_t b)
{
	return b == 0x66 || b == 0x67 || b == 0xf2 || b == 0xf3 || b == 0x2e || b == 0x3e ||
	       b == 0x26 || b == 0x36 || b == 0x64 || b == 0x65 || b == 0xf0;
}

static void count_insn(void *insn)
{
	uint8_t d[16 + 3] = {0};
	size_t len = qemu_plugin_insn_data(insn, d, 16), k = 0;
	bool rep = false;
	int kind = -1;

	for (; k < len && is_prefix(d[k]); k++)
		rep |= d[k] == 0xf2 || d[k] == 0xf3;
	if (k < len && (d[k] & 0xf0) == 0x40) /* REX */
		k++;
	uint8_t op = d[k], op2 = d[k + 1], op3 = d[k + 2];

	if (op == 0xee || op == 0xef)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_out, CB_READ_REGISTERS, (void *)-1L);
	if (op == 0xe6 || op == 0xe7)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_out, CB_READ_REGISTERS, (void *)(long)op2);
	if (lean)
		return;

	uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
	if (vaddr == entry)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_entry, 0, NULL);
	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD, counter[INSNS], 1);
	if (vaddr >= user_lo && vaddr < user_hi)
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
			insn, INLINE_ADD, counter[USER], 1);

	if ((op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf))
		kind = rep ? REP : -1;
	else if ((op >= 0xe4 && op <= 0xe7) || (op >= 0xec && op <= 0xef) ||
		 (op >= 0x6c && op <= 0x6f))
		kind = PIO;
	else if (op == 0xf4)
		kind = HLT;
	else if (op == 0x0f && op2 == 0xa2)
		kind = CPUID;
	else if (op == 0x0f && (op2 == 0x30 || op2 == 0x32))
		kind = MSR;
	else if (op == 0x0f && op2 == 0x05)
		kind = SYSCALL;
	else if (op == 0x0f && op2 == 0x22 && ((op3 >> 3) & 7) == 3)
		kind = CR3W;
	else if (op == 0x0f && (op2 == 0x31 || (op2 == 0x01 && op3 == 0xf9)))
		kind = RDTSC;
	if (kind >= 0)
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
			insn, INLINE_ADD, counter[kind], 1);
	if (mmio)
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, 0, MEM_RW, NULL);
}

static void on_translate(plugin_id id, void *tb)
{
	(void)id;
	size_t n = qemu_plugin_tb_n_insns(tb);
	if (first_user && n && qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) < user_hi)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_low_block, CB_READ_REGISTERS, NULL);
	if (lean)
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
			tb, INLINE_ADD, counter[INSNS], n);
	if (lean && !markers)
		return;
	for (size_t i = 0; i < n; i++)
		count_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void on_vcpu(plugin_id id, unsigned cpu)
{
	(void)id;
	(void)cpu;
	if (reg_rax)
		return;
	g_array *list = qemu_plugin_get_registers();
	plugin_register *r = (plugin_register *)list->data;
	for (unsigned i = 0; i < list->len; i++) {
		if (!strcmp(r[i].name, "rax"))
			reg_rax = r[i].handle;
		if (!strcmp(r[i].name, "rdx"))
			reg_rdx = r[i].handle;
		if (!strcmp(r[i].name, "cs"))
			reg_cs = r[i].handle;
	}
}

static void on_exit_qemu(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	emit("exit");
	if (sock_path)
		unlink(sock_path);
}

static void *serve(void *data)
{
	(void)data;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(a.sun_path, sock_path, sizeof a.sun_path - 1);
	unlink(sock_path);
	if (bind(s, (void *)&a, sizeof a) || listen(s, 8)) {
		perror("count: socket");
		return 0;
	}
	for (;;) {
		char buf[1024];
		int c = accept(s, 0, 0);
		if (c < 0)
			continue;
		int n = snapshot(buf, sizeof buf, "snap");
		if (write(c, buf, n) < 0)
			perror("count: snapshot");
		close(c);
	}
}

static bool option(const char *arg, const char *name, const char **value)
{
	size_t n = strlen(name);
	if (strncmp(arg, name, n) || arg[n] != '=')
		return false;
	*value = arg + n + 1;
	return true;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	const char *v, *out_path = NULL;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < argc; i++) {
		if (option(argv[i], "sock", &v)) {
			sock_path = strdup(v);
		} else if (option(argv[i], "out", &v)) {
			out_path = strdup(v);
		} else if (option(argv[i], "match", &v) && *v && markers < 64) {
			strncpy(marker[markers].text, v, sizeof marker[0].text - 1);
			marker[markers].len = strlen(marker[markers].text);
			markers++;
		} else if (option(argv[i], "user", &v)) {
			char *end;
			user_lo = strtoull(v, &end, 16);
			if (*end != '-') {
				fprintf(stderr, "count: user=LO-HI, both hexadecimal\n");
				return -1;
			}
			user_hi = strtoull(end + 1, NULL, 16);
		} else if (option(argv[i], "entry", &v)) {
			entry = strtoull(v, NULL, 16);
		} else if (option(argv[i], "first_user", &v)) {
			first_user = atoi(v);
		} else if (option(argv[i], "quit", &v)) {
			quit = atoi(v);
		} else if (option(argv[i], "mmio", &v)) {
			mmio = atoi(v);
		} else if (option(argv[i], "lean", &v)) {
			lean = atoi(v);
		} else {
			fprintf(stderr, "count: unknown option %s\n", argv[i]);
			return -1;
		}
	}
	scores = qemu_plugin_scoreboard_new(COUNTERS * sizeof(uint64_t));
	for (int i = 0; i < COUNTERS; i++)
		counter[i] = (plugin_u64){scores, i * sizeof(uint64_t)};
	out = out_path ? fopen(out_path, "w") : NULL;
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_qemu, NULL);
	if (sock_path) {
		pthread_t thread;
		pthread_create(&thread, 0, serve, 0);
	}
	return 0;
}
