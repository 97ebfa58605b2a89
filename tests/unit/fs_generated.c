/* /proc, /sys and /dev: generated text, links that lead to files, devices, and sockets with names. */
#include "abi/linux/ioctl.h"
#include "kernel/fs/dev/console_file.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "tests/unit/vfs_calls.h"

static char stored[64];
static char long_text[9000];

static void show_number(struct text *t, int tid)
{
	text_add(t, "number %d\n", tid);
}

static void show_long(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%s", long_text);
}

static void show_stored(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%s", stored);
}

static long store(const char *text, size_t len, int tid)
{
	(void)tid;
	if (len >= sizeof(stored))
		return -EINVAL;
	memcpy(stored, text, len + 1);
	return (long)len;
}

static long link_target(char *buf, size_t size, int tid)
{
	return format(buf, size, "target%d", tid);
}

static const struct generated_file files[] = {
	{.path = "/proc/plain", .show = show_number, .number = 7},
	{.path = "/proc/long", .show = show_long},
	{.path = "/proc/sys/a/b", .show = show_stored, .store = store},
	{.path = "/proc/sys/a/c", .show = show_number},
	{.path = "/proc/sys/link", .link = link_target},
	{.path = "/proc/self/stat", .show = show_number},
	{.path = "/proc/self/task/*/comm", .show = show_number},
	{.path = "/sys/devices/x", .show = show_number, .mode = 0400},
};

static int next_task_of_three(int from)
{
	return from <= 1 ? 1 : from <= 12 ? 12 : from <= 300 ? 300 : -1;
}

static void texts(void)
{
	char buf[10000];
	check_file("/proc/plain", "number 7\n");
	check_file("/proc/self/stat", "number 0\n");
	check_file("/proc/1/stat", "number 0\n");
	check_file("/proc/self/task/12/comm", "number 12\n");
	check_file("/proc/1/task/300/comm", "number 300\n");
	expect(try_open("/proc/1/task/13/comm", O_RDONLY), -ENOENT);
	expect(try_open("/proc/1/task/*/comm", O_RDONLY), -ENOENT);
	expect(try_open("/proc/2/stat", O_RDONLY), -ENOENT);
	expect(try_open("/proc/none", O_RDONLY), -ENOENT);
	expect(try_open("/proc/plain/x", O_RDONLY), -ENOTDIR);
	expect(try_open("/proc/plain", O_RDWR), -EACCES);
	expect(try_open("/proc/new", O_RDWR | O_CREAT), -ENOENT);
	expect(vfs_unlink(NULL, "/proc/plain"), -EPERM);
	check_text(list_of("/proc/self/task", 1), ". .. 1 12 300");
	check_text(list_of("/proc/sys", 100), ". .. a link");
	check_text(list_of("/proc/sys/a", 1), ". .. b c");
	check_text(list_of("/proc", 2),
		". .. 1 filesystems locks long mounts plain self sys thread-self");
	check_text(link_of("/proc/self"), "1");
	check_text(link_of("/proc/sys/link"), "target0");
	memset(long_text, 'z', sizeof(long_text) - 1);
	struct file *f = opened("/proc/long", O_RDONLY);
	expect(take(f, buf, sizeof(buf)), sizeof(long_text) - 1);
	expect(take(f, buf, sizeof(buf)), 0);
	expect(take_at(f, buf, 10, 8995), 4);
	file_put(f);
	write_file("/proc/sys/a/b", "value\n");
	check_file("/proc/sys/a/b", "value\n");
	f = opened("/proc/sys/a/b", O_RDWR);
	expect(put(f, buf, 100), -EINVAL);
	file_put(f);
	expect(stat_of("/proc/sys/a/b").st_mode, S_IFREG | 0644);
	expect(stat_of("/sys/devices/x").st_mode, S_IFREG | 0400);
	expect(stat_of("/sys/devices/x").st_size, 4096);
}

static void links_to_files(void)
{
	struct file *f, *r, *w, *g;
	char buf[64], name[64];
	write_file("/data", "contents");
	f = opened("/data", O_RDWR);
	expect(fd_install(f, 0, 0), 0);
	expect(pipe_create(O_NONBLOCK, &r, &w), 0);
	expect(fd_install(r, 0, 0), 1);
	expect(fd_install(w, 0, FD_CLOEXEC_FLAG), 2);
	expect(eventfd_create(5, 0, &g), 0);
	expect(fd_install(g, 10, 0), 10);
	check_text(list_of("/proc/self/fd", 2), ". .. 0 1 10 2");
	check_text(link_of("/proc/self/fd/0"), "/data");
	assert(string_starts_with(link_of("/dev/fd/1"), "pipe:["));
	check_text(link_of("/proc/self/fd/10"), "anon_inode:[eventfd]");
	expect(exists("/proc/self/fd/3"), -ENOENT);
	expect(exists("/proc/self/fd/00"), -ENOENT);
	expect(stat_of("/proc/self/fd/2").st_mode, S_IFLNK | 0300);
	/* The file itself, though its name is gone. */
	expect(vfs_unlink(NULL, "/data"), 0);
	check_text(link_of("/proc/self/fd/0"), "/data (deleted)");
	check_file("/proc/self/fd/0", "contents");
	check_file("/dev/stdin", "contents");
	/* A pipe opens again, by either end. */
	struct file *again = opened("/dev/fd/1", O_WRONLY);
	expect(put(again, "via", 3), 3);
	file_put(again);
	expect(take(r, buf, 10), 3);
	expect(try_open("/proc/self/fd/10", O_RDONLY), -ENXIO);
	struct dentry *d;
	struct linux_stat st;
	expect(vfs_lookup(NULL, "/proc/self/fd/1", 0, &d), 0);
	expect(vfs_stat(d, &st), 0);
	expect(st.st_mode, S_IFIFO | 0600);
	dentry_put(d);
	struct file *info = opened("/proc/self/fdinfo/10", O_RDONLY);
	long n = take(info, name, sizeof(name) - 1);
	assert(n > 0);
	name[n] = 0;
	assert(string_starts_with(name, "pos:\t0\nflags:\t02\n"));
	file_put(info);
	check_text(link_of("/proc/self/cwd"), "/");
	expect(exists("/proc/self/exe"), 0);
	expect(try_open("/proc/self/exe", O_RDONLY), -ENOENT);
	write_file("/program", "ELF");
	expect(vfs_lookup(NULL, "/program", 0, &d), 0);
	vfs_set_executable(d);
	dentry_put(d);
	check_text(link_of("/proc/self/exe"), "/program");
	check_file("/proc/self/exe", "ELF");
	fd_close_all();
	check_text(list_of("/proc/self/fd", 2), ". ..");
}

static void devices(void)
{
	char buf[64];
	struct file *f = opened("/dev/null", O_RDWR);
	expect(put(f, buf, 64), 64);
	expect(take(f, buf, 64), 0);
	file_put(f);
	f = opened("/dev/zero", O_RDWR);
	memset(buf, 1, sizeof(buf));
	expect(take(f, buf, 64), 64);
	expect(buf[0] | buf[63], 0);
	file_put(f);
	f = opened("/dev/full", O_RDWR);
	expect(put(f, buf, 1), -ENOSPC);
	file_put(f);
	f = opened("/dev/urandom", O_RDONLY);
	expect(take(f, buf, 64), 64);
	uint64_t sum = 0;
	for (int n = 0; n < 64; n++)
		sum += (uint8_t)buf[n];
	assert(sum);
	file_put(f);
	expect(stat_of("/dev/null").st_rdev, 0x103);
	write_file("/dev/shm/x", "shared");
	check_file("/dev/shm/x", "shared");
	expect(stat_of("/dev/shm").st_mode, S_IFDIR | 01777);
}

static char printed[256];
static size_t n_printed;
static const char *typed = "";
static struct wait_queue typed_queue;

static size_t console_print(const char *text, size_t len)
{
	memcpy(printed + n_printed, text, len);
	n_printed += len;
	printed[n_printed] = 0;
	return len;
}

static long console_get(char *to, size_t size)
{
	size_t n = strlen(typed);
	if (!n)
		return -EAGAIN;
	n = n < size ? n : size;
	memcpy(to, typed, n);
	typed += n;
	return (long)n;
}

static bool console_typed(void)
{
	return *typed;
}

static struct wait_queue *console_queue(void)
{
	return &typed_queue;
}

static void check_printed(const char *want)
{
	check_text(printed, want);
	n_printed = 0;
	printed[0] = 0;
}

static const struct console_ops console = {
	console_print, console_get, console_typed, console_queue};

static void consoles(void)
{
	char buf[64];
	expect(try_open("/dev/console", O_RDWR), -ENXIO);
	wait_queue_init(&typed_queue);
	console_file_set(&console);
	struct file *f = opened("/dev/console", O_RDWR | O_NONBLOCK);
	expect(S_ISCHR(stat_of("/dev/console").st_mode), 1);
	expect(f->ops->ioctl(f, TCGETS, 0), -ENOTTY);
	expect(put(f, "a line\n", 7), 7);
	check_printed("a line\n");
	expect(take(f, buf, 10), -EAGAIN);
	typed = "raw\r\x04";
	expect(take(f, buf, 10), 5);
	expect(take_at(f, buf, 1, 0), -ESPIPE);
	file_put(f);
	console_file_set_terminal(&console);
	f = opened("/dev/tty", O_RDWR | O_NONBLOCK);
	struct linux_termios t;
	expect(f->ops->ioctl(f, TCGETS, (unsigned long)(uintptr_t)&t), 0);
	expect(t.c_lflag & ICANON, ICANON);
	expect(put(f, "a\nb", 3), 3);
	check_printed("a\r\nb");
	typed = "helx\x7flo";
	expect(take(f, buf, 10), -EAGAIN);
	check_printed("helx\b \blo");
	typed = "\rnext\n\x04";
	expect(take(f, buf, 3), 3);
	expect(take(f, buf + 3, 60), 3);
	expect(memcmp(buf, "hello\n", 6), 0);
	expect(take(f, buf, 60), 5);
	expect(take(f, buf, 60), 0);
	expect(take(f, buf, 60), -EAGAIN);
	file_put(f);
}

static int n_gets;

static void socket_get(void *object)
{
	(void)object;
	n_gets++;
}

static void socket_put(void *object)
{
	(void)object;
	n_gets--;
}

static void sockets(void)
{
	void *found;
	expect(vfs_bind_socket("/sock", 0777, &n_gets, socket_get, socket_put), 0);
	expect(vfs_bind_socket("/sock", 0777, &n_gets, socket_get, socket_put), -EADDRINUSE);
	expect(stat_of("/sock").st_mode, S_IFSOCK | 0755);
	expect(vfs_find_socket("/sock", &found), 0);
	expect(found == &n_gets, 1);
	expect(n_gets, 2);
	expect(vfs_find_socket("/none", &found), -ENOENT);
	expect(vfs_find_socket("/program", &found), -ECONNREFUSED);
	expect(try_open("/sock", O_RDWR), -ENXIO);
	expect(vfs_unlink(NULL, "/sock"), 0);
	expect(n_gets, 1);
	expect(vfs_find_socket("/sock", &found), -ENOENT);
}

static const char *missed;

static void missing(const char *path)
{
	missed = path;
}

static void run(void *arg)
{
	(void)arg;
	vfs_generated_add(files, array_size(files));
	vfs_set_task_lister(next_task_of_three);
	vfs_start(NULL);
	texts();
	links_to_files();
	devices();
	consoles();
	sockets();
	vfs_set_missing_hook(missing);
	expect(try_open("/not/there", O_RDONLY), -ENOENT);
	check_text(missed, "/not/there");
}

int main(void)
{
	host_run(run, NULL);
	puts("ok");
	return 0;
}
