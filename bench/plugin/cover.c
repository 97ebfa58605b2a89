/*
 * A TCG plug-in that notes which instructions of the kernel were about to run: a byte per address, written at the end.
 *
 *     out=PREFIX       the file is PREFIX.PID; base=ADDR, size=N: the kernel's text (hex, decimal)
 *
 * Noted when a block is translated, that is right before it runs for the first time: what stands behind an instruction
 * that faults in the same block counts as run, too.  The plug-in interface is declared here, as in count.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, void *));
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(void *);
extern void *qemu_plugin_tb_get_insn(void *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(void *);

EXPORT int qemu_plugin_version = 3;

static uint64_t base, size;
static uint8_t *seen;
static char *prefix;

static void on_translate(plugin_id id, void *block)
{
	(void)id;
	size_t n = qemu_plugin_tb_n_insns(block);
	for (size_t i = 0; i < n; i++) {
		uint64_t at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, i)) - base;
		if (at < size)
			seen[at] = 1;
	}
}

static void at_exit(plugin_id id, void *unused)
{
	(void)id, (void)unused;
	char path[4096];
	snprintf(path, sizeof(path), "%s.%d", prefix, (int)getpid());
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(seen, 1, size, f) != size || fclose(f))
		perror(path);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			prefix = strdup(argv[i] + 4);
		else if (!strncmp(argv[i], "base=", 5))
			base = strtoull(argv[i] + 5, NULL, 16);
		else if (!strncmp(argv[i], "size=", 5))
			size = strtoull(argv[i] + 5, NULL, 0);
	}
	seen = prefix && base && size ? calloc(1, size) : NULL;
	if (!seen)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
