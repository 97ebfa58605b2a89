/*
 * What of /proc only kernel/fs can make: links that lead to open files and directories, descriptors, and what is mounted.
 */
#include "abi/linux/errno.h"
#include "kernel/file/fd_table.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/proc/generated.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static struct dentry *executable; /* counted */

void vfs_set_executable(struct dentry *d)
{
	if (d)
		dentry_get(d);
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *old = executable;
	executable = d;
	spin_unlock(&dentry_lock, state);
	if (old)
		dentry_put(old);
}

static long copy_text(const char *text, char *buf, size_t size)
{
	size_t len = min(strlen(text), size);
	memcpy(buf, text, len);
	return (long)len;
}

/* readlink(2) of something that leads to d or f; one of them is NULL. */
static long path_text(struct dentry *d, struct file *f, char *buf, size_t size)
{
	char *path = heap_alloc(PATH_MAX);
	if (!path)
		return -ENOMEM;
	long len = d ? vfs_path(d, path, PATH_MAX) : vfs_file_path(f, path, PATH_MAX);
	if (len >= 0)
		len = copy_text(path, buf, size);
	heap_free(path);
	return len;
}

/* --- /proc/self, /proc/thread-self ------------------------------------------------------------- */

static long self_readlink(struct inode *i, char *buf, size_t size)
{
	(void)i;
	return copy_text("1", buf, size);
}

static long thread_self_readlink(struct inode *i, char *buf, size_t size)
{
	(void)i;
	char text[32];
	format(text, sizeof(text), "1/task/%d", thread_current()->tid);
	return copy_text(text, buf, size);
}

static const struct inode_ops self_ops = {.readlink = self_readlink};
static const struct inode_ops thread_self_ops = {.readlink = thread_self_readlink};

/* --- exe, cwd, root --------------------------------------------------------------------------- */

static int jump_to_executable(struct inode *i, struct dentry **out)
{
	(void)i;
	irq_state state = spin_lock(&dentry_lock);
	*out = executable;
	if (executable)
		dentry_get(executable);
	spin_unlock(&dentry_lock, state);
	return *out ? 0 : -ENOENT;
}

static int jump_to_working(struct inode *i, struct dentry **out)
{
	(void)i;
	*out = vfs_working();
	return 0;
}

static int jump_to_root(struct inode *i, struct dentry **out)
{
	(void)i;
	*out = vfs_root();
	return 0;
}

static long jump_readlink(struct inode *i, char *buf, size_t size)
{
	struct dentry *d;
	int err = i->ops->jump(i, &d);
	if (err < 0)
		return err;
	long len = path_text(d, NULL, buf, size);
	dentry_put(d);
	return len;
}

static const struct inode_ops executable_ops = {
	.jump = jump_to_executable, .readlink = jump_readlink};
static const struct inode_ops working_ops = {.jump = jump_to_working, .readlink = jump_readlink};
static const struct inode_ops root_ops = {.jump = jump_to_root, .readlink = jump_readlink};

/* --- fd, fdinfo ------------------------------------------------------------------------------- */

static int jump_to_file(struct inode *i, struct dentry **out)
{
	struct file *f;
	if (fd_get(generated_of(i)->tid, &f) < 0)
		return -ENOENT;
	int err = vfs_file_dentry(f, out);
	file_put(f);
	return err;
}

static long fd_readlink(struct inode *i, char *buf, size_t size)
{
	struct file *f;
	if (fd_get(generated_of(i)->tid, &f) < 0)
		return -ENOENT;
	long len = path_text(NULL, f, buf, size);
	file_put(f);
	return len;
}

static const struct inode_ops fd_link_ops = {.jump = jump_to_file, .readlink = fd_readlink};

static void show_fdinfo(struct text *t, int fd)
{
	struct file *f;
	struct linux_stat st = {0};
	if (fd_get(fd, &f) < 0)
		return;
	int cloexec = fd_flags(fd) == (int)FD_CLOEXEC_FLAG ? O_CLOEXEC : 0;
	if (vfs_stat_file(f, &st) < 0)
		st.st_ino = 0;
	text_add(t, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t1\nino:\t%llu\n",
		(unsigned long long)f->position, f->flags | (unsigned)cloexec,
		(unsigned long long)st.st_ino);
	char *more = f->ops->describe ? heap_alloc(PAGE_SIZE) : NULL;
	if (more && f->ops->describe(f, more, PAGE_SIZE) > 0)
		text_add(t, "%s", more);
	heap_free(more);
	file_put(f);
}

static const struct generated_file fdinfo_file = {.path = "fdinfo", .show = show_fdinfo};

/* The descriptor a name stands for, if it is open; -1. */
static int parse_fd(const struct name *name)
{
	uint64_t fd = 0;
	char text[12];
	const char *s = text;
	if (name->len >= sizeof(text) || (name->text[0] == '0' && name->len > 1))
		return -1;
	memcpy(text, name->text, name->len);
	text[name->len] = 0;
	if (!string_parse_u64(&s, &fd) || *s || fd > INT32_MAX || fd_flags((int)fd) < 0)
		return -1;
	return (int)fd;
}

static int fd_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
	int fd = parse_fd(name);
	struct file *f;
	if (fd < 0 || fd_get(fd, &f) < 0)
		return -ENOENT;
	uint32_t mode =
		S_IFLNK | 0100 | (file_readable(f) ? 0400 : 0) | (file_writable(f) ? 0200 : 0);
	file_put(f);
	*out = generated_new(dir->super, mode, NULL, fd, "fd");
	if (!*out)
		return -ENOMEM;
	(*out)->ops = &fd_link_ops;
	inode_set_size(*out, 64);
	return 0;
}

static int fdinfo_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
	int fd = parse_fd(name);
	if (fd < 0)
		return -ENOENT;
	*out = generated_new(dir->super, S_IFREG | 0444, &fdinfo_file, fd, "fdinfo");
	return *out ? 0 : -ENOMEM;
}

static void list_fds(
	uint64_t *position, struct directory_sink *sink, const char *what, uint8_t type)
{
	int fd = fd_next((int)min(*position - 2, (uint64_t)INT32_MAX));
	for (; fd >= 0; fd = fd_next(fd + 1)) {
		char text[16];
		size_t len = (size_t)format(text, sizeof(text), "%d", fd);
		uint64_t number = name_hash(what, strlen(what)) | (uint64_t)fd << 32;
		*position = (uint64_t)fd + 2;
		if (!sink->add(sink, text, len, number, type, *position + 1))
			return;
		*position = (uint64_t)fd + 3;
	}
}

static int fd_list(struct inode *dir, uint64_t *position, struct directory_sink *sink)
{
	(void)dir;
	list_fds(position, sink, "fd", DT_LNK);
	return 0;
}

static int fdinfo_list(struct inode *dir, uint64_t *position, struct directory_sink *sink)
{
	(void)dir;
	list_fds(position, sink, "fdinfo", DT_REG);
	return 0;
}

static const struct inode_ops fd_ops = {.lookup = fd_lookup, .list = fd_list};
static const struct inode_ops fdinfo_ops = {.lookup = fdinfo_lookup, .list = fdinfo_list};

const struct special specials[] = {
	{"/proc/self", S_IFLNK | 0777, &self_ops, NULL},
	{"/proc/thread-self", S_IFLNK | 0777, &thread_self_ops, NULL},
	{"/proc/1", S_IFDIR | 0555, NULL, "/proc/self"},
	{"/proc/self/exe", S_IFLNK | 0777, &executable_ops, NULL},
	{"/proc/self/cwd", S_IFLNK | 0777, &working_ops, NULL},
	{"/proc/self/root", S_IFLNK | 0777, &root_ops, NULL},
	{"/proc/self/fd", S_IFDIR | 0500, &fd_ops, NULL},
	{"/proc/self/fdinfo", S_IFDIR | 0555, &fdinfo_ops, NULL},
	{"/proc/self/task/*/exe", S_IFLNK | 0777, &executable_ops, NULL},
	{"/proc/self/task/*/cwd", S_IFLNK | 0777, &working_ops, NULL},
	{"/proc/self/task/*/root", S_IFLNK | 0777, &root_ops, NULL},
	{"/proc/self/task/*/fd", S_IFDIR | 0500, &fd_ops, NULL},
	{"/proc/self/task/*/fdinfo", S_IFDIR | 0555, &fdinfo_ops, NULL},
};
const unsigned n_specials = array_size(specials);

/* --- what is mounted -------------------------------------------------------------------------- */

static void mount_options(const struct super *s, char *buf, size_t size)
{
	format(buf, size, "%s%s%s%s,relatime", s->flags & SUPER_READ_ONLY ? "ro" : "rw",
		s->flags & SUPER_NO_SET_ID ? ",nosuid" : "",
		s->flags & SUPER_NO_DEVICES ? ",nodev" : "",
		s->flags & SUPER_NO_EXEC ? ",noexec" : "");
}

static long mount_path(const struct super *s, char *buf, size_t size)
{
	return s->covers ? vfs_path(s->covers, buf, size) : (long)string_copy(buf, "/", size);
}

static void show_mount(struct super *s, void *context)
{
	char path[128], options[64];
	if (mount_path(s, path, sizeof(path)) < 0)
		return;
	mount_options(s, options, sizeof(options));
	text_add(context, "%s %s %s %s 0 0\n", s->source, path, s->type->name, options);
}

static void show_mountinfo_line(struct super *s, void *context)
{
	char path[128], options[64];
	if (mount_path(s, path, sizeof(path)) < 0)
		return;
	mount_options(s, options, sizeof(options));
	text_add(context, "%llu %d 0:%llu / %s %s - %s %s %s\n", (unsigned long long)s->device,
		s->covers ? (int)dentry_super(s->covers)->device : 1, (unsigned long long)s->device,
		path, options, s->type->name, s->source, s->flags & SUPER_READ_ONLY ? "ro" : "rw");
}

static void show_mounts(struct text *t, int tid)
{
	(void)tid;
	mount_for_each(show_mount, t);
}

static void show_mountinfo(struct text *t, int tid)
{
	(void)tid;
	mount_for_each(show_mountinfo_line, t);
}

static void show_filesystems(struct text *t, int tid)
{
	(void)tid;
	for (unsigned n = 0; n < n_filesystems; n++)
		text_add(t, "%s\t%s\n", filesystems[n]->flags & FILESYSTEM_DEVICE ? "" : "nodev",
			filesystems[n]->name);
}

static void show_locks(struct text *t, int tid)
{
	(void)tid;
	locks_show(t);
}

static long mounts_link(char *buf, size_t size, int tid)
{
	(void)tid;
	return copy_text("self/mounts", buf, size);
}

static long net_link(char *buf, size_t size, int tid)
{
	(void)tid;
	return copy_text("/proc/net", buf, size);
}

static const struct generated_file files[] = {
	{.path = "/proc/mounts", .link = mounts_link},
	{.path = "/proc/filesystems", .show = show_filesystems},
	{.path = "/proc/locks", .show = show_locks},
	{.path = "/proc/self/mounts", .show = show_mounts},
	{.path = "/proc/self/mountinfo", .show = show_mountinfo},
	{.path = "/proc/self/net", .link = net_link},
};

void proc_files_init(void)
{
	vfs_generated_add(files, array_size(files));
}
