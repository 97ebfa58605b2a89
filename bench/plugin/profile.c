/*
 * A TCG plug-in (QEMU 9 and later) that counts how often each instruction of an address range runs: an exact
 * profile of the guest's kernel.  bench/profile turns it into functions.
 *
 *     sock=PATH    unix socket; every connection gets one 8-byte count per byte address of the range
 *     base=ADDR    first address (hex)
 *     size=N       bytes of the range
 *
 * The plug-in interface is declared here, so that no QEMU or glib headers are needed.
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
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_scoreboard;
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} plugin_u64;

extern struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t);
extern uint64_t qemu_plugin_u64_sum(plugin_u64);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, void *));
extern size_t qemu_plugin_tb_n_insns(void *);
extern void *qemu_plugin_tb_get_insn(void *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(void *, int, plugin_u64, uint64_t);

EXPORT int qemu_plugin_version = 3;

static struct qemu_plugin_scoreboard *scores;
static uint64_t base, size;
static const char *sock_path;

static void on_translate(plugin_id id, void *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		void *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t at = qemu_plugin_insn_vaddr(insn) - base;
		if (at < size)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, 0, (plugin_u64){scores, at * 8}, 1);
	}
}

static void send_counts(int to)
{
	uint64_t counts[4096];
	for (uint64_t at = 0; at < size; at += 4096) {
		for (unsigned i = 0; i < 4096; i++)
			counts[i] = at + i < size ? qemu_plugin_u64_sum(
							    (plugin_u64){scores, (at + i) * 8})
						  : 0;
		for (size_t sent = 0; sent < sizeof(counts);) {
			ssize_t n = write(to, (char *)counts + sent, sizeof(counts) - sent);
			if (n <= 0)
				return;
			sent += (size_t)n;
		}
	}
}

static void *serve(void *data)
{
	(void)data;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(a.sun_path, sock_path, sizeof(a.sun_path) - 1);
	unlink(sock_path);
	if (bind(s, (void *)&a, sizeof(a)) || listen(s, 8)) {
		perror("profile: socket");
		return NULL;
	}
	for (;;) {
		int c = accept(s, NULL, NULL);
		if (c < 0)
			continue;
		send_counts(c);
		close(c);
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "sock=", 5))
			sock_path = strdup(argv[i] + 5);
		else if (!strncmp(argv[i], "base=", 5))
			base = strtoull(argv[i] + 5, NULL, 16);
		else if (!strncmp(argv[i], "size=", 5))
			size = strtoull(argv[i] + 5, NULL, 0);
	}
	if (!sock_path || !base || !size) {
		fprintf(stderr, "profile: sock=, base= and size= are needed\n");
		return -1;
	}
	scores = qemu_plugin_scoreboard_new(size * 8);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	pthread_t thread;
	return pthread_create(&thread, NULL, serve, NULL) ? -1 : 0;
}
