/* For tests of kernel/fs: the calls as short as in a shell, each checked for the result expected. */
#pragma once

#include "tests/unit/host_headers.h"

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/fs/inode.h"
#include "kernel/lib/assert.h"

#define expect(call, result)                                                                       \
	do {                                                                                       \
		long expect_got_ = (call), expect_want_ = (result);                                \
		if (expect_got_ != expect_want_)                                                   \
			panic("%s:%d: %s: %ld, not %ld", __FILE__, __LINE__, #call, expect_got_,   \
				expect_want_);                                                     \
	} while (0)

static inline int open_at(const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	*out = NULL;
	return vfs_open(NULL, path, flags, mode, out);
}

/* An open that is expected to succeed. */
static inline struct file *opened(const char *path, uint32_t flags)
{
	struct file *f;
	int err = open_at(path, flags, 0644, &f);
	if (err < 0)
		panic("open %s: %d", path, err);
	return f;
}

/* Only the result of an open. */
static inline int try_open(const char *path, uint32_t flags)
{
	struct file *f;
	int err = open_at(path, flags, 0644, &f);
	if (err == 0)
		file_put(f);
	return err;
}

static inline long put(struct file *f, const void *data, size_t n)
{
	struct io_buffer b;
	io_buffer_kernel(&b, (void *)(uintptr_t)data, n);
	return file_write(f, &b, NULL);
}

static inline long put_at(struct file *f, const void *data, size_t n, uint64_t at)
{
	struct io_buffer b;
	io_buffer_kernel(&b, (void *)(uintptr_t)data, n);
	return file_write(f, &b, &at);
}

static inline long take(struct file *f, void *data, size_t n)
{
	struct io_buffer b;
	io_buffer_kernel(&b, data, n);
	return file_read(f, &b, NULL);
}

static inline long take_at(struct file *f, void *data, size_t n, uint64_t at)
{
	struct io_buffer b;
	io_buffer_kernel(&b, data, n);
	return file_read(f, &b, &at);
}

static inline void write_file(const char *path, const char *text)
{
	struct file *f = opened(path, O_WRONLY | O_CREAT | O_TRUNC);
	expect(put(f, text, strlen(text)), (long)strlen(text));
	file_put(f);
}

static inline void check_file(const char *path, const char *text)
{
	char buf[4096];
	struct file *f = opened(path, O_RDONLY);
	long n = take(f, buf, sizeof(buf) - 1);
	if (n < 0)
		panic("read %s: %ld", path, n);
	buf[n] = 0;
	if (strcmp(buf, text))
		panic("%s: '%s', not '%s'", path, buf, text);
	file_put(f);
}

static inline int stat_at(const char *path, struct linux_stat *out)
{
	struct dentry *d;
	int err = vfs_lookup(NULL, path, LOOKUP_NO_FOLLOW, &d);
	if (err < 0)
		return err;
	err = vfs_stat(d, out);
	dentry_put(d);
	return err;
}

static inline struct linux_stat stat_of(const char *path)
{
	struct linux_stat st;
	int err = stat_at(path, &st);
	if (err < 0)
		panic("stat %s: %d", path, err);
	return st;
}

static inline int exists(const char *path)
{
	struct linux_stat st;
	return stat_at(path, &st);
}

static inline const char *link_of(const char *path)
{
	static char buf[PATH_MAX];
	struct dentry *d;
	int err = vfs_lookup(NULL, path, LOOKUP_NO_FOLLOW, &d);
	if (err < 0)
		panic("lookup %s: %d", path, err);
	long n = vfs_readlink(d, buf, sizeof(buf) - 1);
	dentry_put(d);
	if (n < 0)
		panic("readlink %s: %ld", path, n);
	buf[n] = 0;
	return buf;
}

static inline void check_text(const char *got, const char *want)
{
	if (strcmp(got, want))
		panic("'%s', not '%s'", got, want);
}

/* Names in a directory, in order of the alphabet, blanks between; `room` entries per call. */
struct names {
	struct directory_sink sink;
	unsigned room, taken, n;
	char *items[2000];
};

static inline bool names_add(struct directory_sink *s, const char *name, size_t len, uint64_t ino,
	uint8_t type, uint64_t next)
{
	struct names *l = (struct names *)s;
	(void)ino, (void)type, (void)next;
	if (l->taken == l->room)
		return false;
	l->taken++;
	assert(l->n < 2000);
	l->items[l->n++] = strndup(name, len);
	return true;
}

static inline int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline const char *list_of(const char *path, unsigned room)
{
	static char text[65536];
	struct names l = {.sink = {names_add}, .room = room};
	struct file *f = opened(path, O_RDONLY | O_DIRECTORY);
	do {
		l.taken = 0;
		expect(f->ops->list(f, &l.sink), 0);
	} while (l.taken == room);
	file_put(f);
	qsort(l.items, l.n, sizeof(*l.items), compare_items);
	text[0] = 0;
	for (unsigned n = 0; n < l.n; n++) {
		strcat(text, n ? " " : "");
		strcat(text, l.items[n]);
		free(l.items[n]);
	}
	return text;
}

static inline int lookup_then(const char *path, int (*then)(struct dentry *d, void *arg), void *arg)
{
	struct dentry *d;
	int err = vfs_lookup(NULL, path, LOOKUP_NO_FOLLOW, &d);
	if (err < 0)
		return err;
	err = then(d, arg);
	dentry_put(d);
	return err;
}

static inline int link_to(struct dentry *d, void *path)
{
	return vfs_link(d, NULL, path);
}

static inline int hard_link(const char *from, const char *to)
{
	return lookup_then(from, link_to, (void *)(uintptr_t)to);
}

static inline int rename_at(const char *from, const char *to, unsigned flags)
{
	return vfs_rename(NULL, from, NULL, to, flags);
}

static inline struct file *directory(const char *path)
{
	return opened(path, O_RDONLY | O_DIRECTORY);
}

static struct fs_credentials test_credentials = {.override = true, .umask = 022};

static const struct fs_credentials *get_test_credentials(void)
{
	return &test_credentials;
}

/* A machine with an empty root in memory. */
static inline void vfs_start(const char *device)
{
	fd_table_init();
	vfs_set_credentials(get_test_credentials);
	expect(vfs_mount_root(device, false), 0);
}
