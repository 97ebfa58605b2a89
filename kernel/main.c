/*
 * The boot list: every subsystem in order, one line each; then the program.
 * What the layers need of each other upward is handed down here and nowhere else.
 */
#include "abi/image.h"
#include "abi/linux/errno.h"
#include "abi/linux/mount.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/firmware.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/upcall.h"
#include "kernel/dev/block.h"
#include "kernel/dev/channel.h"
#include "kernel/dev/console.h"
#include "kernel/dev/drivers.h"
#include "kernel/file/fd_table.h"
#include "kernel/devices.h"
#include "kernel/fs/dev/console_file.h"
#include "kernel/fs/vfs.h"
#include "kernel/inspect/inspect.h"
#include "kernel/ipc/mqueue.h"
#include "kernel/ipc/msg.h"
#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"
#include "kernel/net/socket.h"
#include "kernel/options.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/syscall.h"

static struct options options;
static const char *command_line;

/* The machine can not start its program: one sentence for a person, and the exit code that says so. */
static _Noreturn void fail(unsigned status, const char *what, const char *on, int err)
{
	char record[256];
	format(record, sizeof(record), "failed %u %s: %s (error %d)\n", status, what, on, -err);
	log_error("%s: %s (error %d)", what, on, -err);
	machine_end(record, status);
}

/* Random seeds: what the host gave, the processor's own, and the time. */
static void seed_random(void)
{
	uint64_t words[5] = {clock_monotonic_ns(), clock_realtime_ns(), 0, 0, 0};
	for (unsigned i = 2; i < array_size(words); i++)
		if (!cpu_random(&words[i]))
			break;
	random_mix(words, sizeof(words));
	random_mix(options.seed, options.seed_len);
}

static void show_kernel_command_line(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%s\n", command_line);
}

#define NET_FILE(name)                                                                             \
	static void show_##name(struct text *t, int tid)                                           \
	{                                                                                          \
		(void)tid;                                                                         \
		net_show_##name(t);                                                                \
	}
NET_FILE(tcp)
NET_FILE(tcp6)
NET_FILE(udp)
NET_FILE(udp6)
NET_FILE(unix)
NET_FILE(route)
NET_FILE(dev)
NET_FILE(if_inet6)
NET_FILE(ipv6_route)
NET_FILE(sockstat)
NET_FILE(snmp)
NET_FILE(netstat)

static void show_name_servers(struct text *t, int tid)
{
	(void)tid;
	char servers[3][48];
	unsigned n = net_name_servers(servers, array_size(servers));
	for (unsigned i = 0; i < n; i++)
		text_add(t, "nameserver %s\n", servers[i]);
}

#define IPC_FILE(name)                                                                             \
	static void show_##name(struct text *t, int tid)                                           \
	{                                                                                          \
		(void)tid;                                                                         \
		name##_show(t);                                                                    \
	}
IPC_FILE(shm)
IPC_FILE(sem)
IPC_FILE(msg)

static const struct generated_file generated[] = {
	{.path = "/proc/sysvipc/shm", .show = show_shm},
	{.path = "/proc/sysvipc/sem", .show = show_sem},
	{.path = "/proc/sysvipc/msg", .show = show_msg},
	{.path = "/proc/cmdline", .show = show_kernel_command_line},
	{.path = "/proc/net/tcp", .show = show_tcp},
	{.path = "/proc/net/tcp6", .show = show_tcp6},
	{.path = "/proc/net/udp", .show = show_udp},
	{.path = "/proc/net/udp6", .show = show_udp6},
	{.path = "/proc/net/unix", .show = show_unix},
	{.path = "/proc/net/route", .show = show_route},
	{.path = "/proc/net/snmp", .show = show_snmp},
	{.path = "/proc/net/netstat", .show = show_netstat},
	{.path = "/proc/net/dev", .show = show_dev},
	{.path = "/proc/net/if_inet6", .show = show_if_inet6},
	{.path = "/proc/net/ipv6_route", .show = show_ipv6_route},
	{.path = "/proc/net/sockstat", .show = show_sockstat},
	{.path = "/proc/net/resolv.conf", .show = show_name_servers},
};

static void socket_ids(uint32_t ids[3])
{
	ids[0] = PROCESS_ID;
	ids[1] = process.euid;
	ids[2] = process.egid;
}

/* Whoever runs the machine asks for a signal through the console's input. */
static void control_signal(int signal)
{
	if (signal == SIGTERM)
		power_button();
	else
		(void)!signal_send_process(signal, &(struct linux_siginfo){.si_code = SI_KERNEL});
}

/* The program has ended. */
static void finish(void)
{
	syscall_watch_finish();
	net_finish();
	channel_drain();
}

/* mq_notify(2) with SIGEV_SIGNAL. */
static void tell_message(int signal, uint64_t value, const struct ipc_caller *sender)
{
	struct linux_siginfo info = {.si_code = SI_MESGQ};
	info.rt.pid = sender->pid;
	info.rt.uid = sender->uid;
	info.rt.value = value;
	(void)!(signal ? signal_send_process(signal, &info) : 0);
}

/* What lower layers must know of higher ones. */
static void hand_down(void)
{
	static const struct unix_names names = {vfs_bind_socket, vfs_find_socket};
	unix_set_names(&names);
	unix_set_credentials(socket_ids);
	vfs_generated_add(generated, array_size(generated));
	devices_show_init();
	file_set_disk_account(block_totals);
	mq_set_tellers(tell_message, netlink_post);
	process_set_semaphore_undo(sem_undo_share, sem_undo_put);
	process_set_end_hook(finish);
	static const struct console_ops console = {
		console_write_some, console_read, console_has_input, console_readable};
	if (options.terminal)
		console_file_set_terminal(&console);
	else
		console_file_set(&console);
	if (options.missing_files)
		process_list_missing_files();
}

static void mount_root(void)
{
	char device[64] = "(no disk)";
	if (options.root)
		string_copy(device, options.root, sizeof(device));
	else if (block_at(0))
		format(device, sizeof(device), "/dev/%s", block_at(0)->name);
	int err = vfs_mount_root(device, options.in_place);
	if (err < 0)
		fail(125, "can not mount the root image", device, err);
}

/* One value of mote.mount=. */
static int mount_volume(char *text)
{
	char *path = strchr(text, ':');
	while (path && path[1] != '/')
		path = strchr(path + 1, ':');
	if (!path)
		return -EINVAL;
	*path++ = '\0';
	size_t len = strlen(path);
	bool read_only = len > 3 && strcmp(path + len - 3, ":ro") == 0;
	if (read_only)
		path[len - 3] = '\0';
	return vfs_mount_volume(text, path, read_only ? MS_RDONLY : 0);
}

static void mount_volumes(void)
{
	for (unsigned i = 0; i < options.mounts.n; i++) {
		int err = mount_volume(options.mounts.items[i]);
		if (err < 0)
			fail(125, "can not mount the volume", options.mounts.items[i], err);
	}
}

/* The image's own command line, if it has one. */
static void read_image_defaults(void)
{
	struct file *f = NULL;
	if (vfs_open(NULL, IMAGE_DEFAULTS_PATH, O_RDONLY, 0, &f) < 0)
		return;
	size_t size = 65536;
	char *text = heap_alloc(size);
	struct io_buffer to;
	io_buffer_kernel(&to, text, size - 1);
	long n = text ? file_read(f, &to, NULL) : -ENOMEM;
	file_put(f);
	int err = (int)min(n, 0l);
	if (n >= 0) {
		text[n] = '\0';
		err = options_add_defaults(&options, text);
	}
	heap_free(text);
	if (err < 0)
		fail(125, "can not read the image's defaults", IMAGE_DEFAULTS_PATH, err);
}

/* argv[0], then the words after "--". */
static _Noreturn void run_program(void)
{
	if (!options.init)
		fail(127, "no program", "init= is missing on the command line", -ENOENT);
	unsigned n = options.arguments.n + 1;
	const char **arguments = heap_array(n + 1, sizeof(char *));
	if (!arguments)
		fail(125, "out of memory", options.init, -ENOMEM);
	arguments[0] = options.argv0 ? options.argv0 : options.init;
	for (unsigned i = 1; i < n; i++)
		arguments[i] = options.arguments.items[i - 1];
	process_run(&(struct program_request){
		.path = options.init,
		.arguments = arguments,
		.n_arguments = n,
		.environment = (const char *const *)options.environment.items,
		.n_environment = options.environment.n,
		.working_directory = options.working_directory ? options.working_directory : "/",
	});
}

static void send_to_host(
	unsigned kind, const void *head, size_t head_len, const void *rest, size_t rest_len)
{
	const struct channel_piece pieces[] = {
		{head, (uint32_t)head_len}, {rest, (uint32_t)rest_len}};
	channel_send(kind, pieces, array_size(pieces));
}

static void watch_syscalls(void)
{
	syscall_watch_configure(&(struct syscall_watch_options){
		.send = channel_present() ? send_to_host : NULL,
		.trace = options.trace,
		.trace_size = options.trace_size,
		.trace_paths = options.trace_paths,
		.allow = options.allow,
		.allow_or_end = options.allow_or_end,
		.count = options.count_calls,
	});
}

/* The part of the boot that may sleep: a thread of its own. */
static void start_program(void *unused)
{
	(void)unused;
	cpu_start_others();
	mount_root();
	mount_volumes();
	read_image_defaults();
	if (net_configure(options.ip) < 0)
		log_warn("ip=%s: not understood; the network is off", options.ip ? options.ip : "");
	watch_syscalls();
	if (options.debug && channel_present())
		inspect_hold_start();
	run_program();
}

_Noreturn void kernel_main(const struct boot_info *boot)
{
	command_line = boot->command_line;
	log_set_clock(clock_monotonic_ns);
	page_init(boot->memory, boot->n_memory);
	if (options_parse(&options, boot->command_line) < 0)
		fail(125, "out of memory", "reading the command line", -ENOMEM);
	if (options.quiet)
		log_set_console_level(LOG_WARN);
	seed_random();
	sched_init();
	fd_table_init();
	process_init();
	net_init();
	hand_down();
	if (options.channel) {
		channel_on_frame(inspect_frame);
		channel_want();
	}
	drivers_probe(&(struct device_hints){
		.virtio_mmio = (const char *const *)options.virtio_mmio.items,
		.n_virtio_mmio = options.virtio_mmio.n,
	});
	if (options.control)
		console_set_control(control_signal);
	console_init(options.console);
	firmware_watch_power_button();

	struct thread *starter = NULL;
	const struct thread_request request = {
		.size = sizeof(struct thread), .name = "start", .entry = start_program};
	if (thread_create(&request, &starter) < 0)
		fail(125, "out of memory", "starting", -ENOMEM);
	thread_start(starter);
	sched_run_idle();
}

_Noreturn void secondary_main(void)
{
	sched_run_idle();
}
