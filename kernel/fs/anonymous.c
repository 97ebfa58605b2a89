/*
 * Dentries for files that have no name: pipes, sockets, eventfds.  Made up when /proc/self/fd leads to one.
 */
#include "abi/linux/errno.h"
#include "kernel/file/kinds.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

static const struct filesystem anonymous_filesystem = {.name = "anon_inodefs"};
static struct super *_Atomic anonymous_super;

static void anonymous_release(struct inode *i)
{
	if (i->private)
		file_put(i->private);
}

static void anonymous_stat(struct inode *i, struct linux_stat *out)
{
	(void)!vfs_stat_file(i->private, out);
}

static int anonymous_open(struct inode *i, uint32_t flags, struct file **out)
{
	struct file *f = i->private;
	return file_is_pipe(f) ? pipe_reopen(f, flags, out) : -ENXIO;
}

static const struct super_ops anonymous_super_ops = {.inode_release = anonymous_release};
static const struct inode_ops anonymous_ops = {.stat = anonymous_stat, .open = anonymous_open};

static struct super *get_super(void)
{
	struct super *s = anonymous_super, *expected = NULL;
	if (s)
		return s;
	s = super_new(&anonymous_filesystem, &anonymous_super_ops);
	if (!s)
		return NULL;
	if (atomic_compare_exchange_strong(&anonymous_super, &expected, s))
		return s;
	super_free(s);
	return expected;
}

long vfs_file_path(struct file *f, char *buf, size_t size)
{
	if (f->dentry)
		return vfs_path(f->dentry, buf, size);
	struct linux_stat st;
	int err = vfs_stat_file(f, &st);
	if (err < 0)
		return err;
	int len = strchr(f->ops->kind, ':') ? format(buf, size, "%s", f->ops->kind)
		  : f->ops->kind[0] == '['  ? format(buf, size, "anon_inode:%s", f->ops->kind)
					    : format(buf, size, "%s:[%llu]", f->ops->kind,
						      (unsigned long long)st.st_ino);
	return (size_t)len < size ? len : -ENAMETOOLONG;
}

int vfs_file_dentry(struct file *f, struct dentry **out)
{
	if (f->dentry) {
		dentry_get(f->dentry);
		*out = f->dentry;
		return 0;
	}
	char text[64];
	struct linux_stat st;
	struct super *s = get_super();
	struct inode *i = s ? inode_new(s, file_anonymous_number()) : NULL;
	if (!i)
		return -ENOMEM;
	int err = vfs_stat_file(f, &st);
	long len = err < 0 ? err : vfs_file_path(f, text, sizeof(text));
	if (len < 0) {
		inode_put(i);
		return (int)len;
	}
	i->ops = &anonymous_ops;
	i->mode = st.st_mode;
	i->uid = st.st_uid;
	i->gid = st.st_gid;
	file_get(f);
	i->private = f;
	struct name name = {text, (uint32_t)len, 0};
	err = dentry_new_nameless(&name, i, out);
	if (err < 0)
		inode_put(i);
	return err;
}
