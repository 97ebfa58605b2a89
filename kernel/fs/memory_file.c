/*
 * Files in memory without a name: memfd_create(2) and shared anonymous memory.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/format.h"

#define MEMORY_NAME_MAX 249u
#define SEALS_KNOWN (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static struct super *_Atomic memory_super;

/* Of its own, not mounted, without a limit of its own: what the machine has. */
static struct super *get_super(void)
{
	struct super *s = memory_super, *expected = NULL;
	if (s)
		return s;
	if (tmpfs_make(UINT64_MAX, &s) < 0)
		return NULL;
	if (!atomic_compare_exchange_strong(&memory_super, &expected, s))
		return expected; /* another thread was quicker; a few hundred bytes are lost, once */
	return s;
}

static int memory_dentry(const char *name, uint32_t mode, struct dentry **out)
{
	struct super *s = get_super();
	struct inode *i;
	const struct fs_credentials *c = fs_credentials();
	struct inode_request request = {.mode = S_IFREG | mode, .uid = c->uid, .gid = c->gid};
	if (!s)
		return -ENOMEM;
	int err = tmpfs_nameless(s, &request, &i);
	if (err < 0)
		return err;
	char text[NAME_MAX + 32];
	struct name shown = {text, 0, 0};
	shown.len = (uint32_t)format(text, sizeof(text), "/%s (deleted)", name);
	if (shown.len >= sizeof(text))
		err = -EINVAL;
	if (!err)
		err = dentry_new_nameless(&shown, i, out);
	if (err < 0)
		inode_put(i);
	return err;
}

static int memory_open(
	const char *name, uint32_t mode, uint64_t size, unsigned seals, struct file **out)
{
	struct dentry *d;
	int err = memory_dentry(name, mode, &d);
	if (err < 0)
		return err;
	struct inode *i = d->inode;
	mutex_lock(&i->lock);
	err = size ? regular_set_size(i, size) : 0;
	mutex_unlock(&i->lock);
	i->seals = seals;
	if (!err)
		err = open_inode(d, O_RDWR | O_LARGEFILE, out);
	dentry_put(d);
	return err;
}

int vfs_memory_file(const char *name, uint64_t size, struct file **out)
{
	return memory_open(name, 0777, size, F_SEAL_SEAL, out);
}

int vfs_memory_file_sealed(const char *name, unsigned mfd_flags, struct file **out)
{
	char text[MEMORY_NAME_MAX + 8];
	if (mfd_flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	int len = format(text, sizeof(text), "memfd:%s", name);
	if (len >= (int)(MEMORY_NAME_MAX + 7))
		return -EINVAL;
	return memory_open(text, 0777, 0, mfd_flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL, out);
}

static bool is_memory_file(const struct file *f)
{
	return f->inode && memory_super && f->inode->super == memory_super && !(f->flags & O_PATH);
}

int vfs_add_seals(struct file *f, unsigned seals)
{
	if (!is_memory_file(f) || (seals & ~SEALS_KNOWN))
		return -EINVAL;
	if (!file_writable(f))
		return -EPERM;
	struct inode *i = f->inode;
	int err = 0;
	mutex_lock(&i->lock);
	if (i->seals & F_SEAL_SEAL)
		err = -EPERM;
	else if ((seals & F_SEAL_WRITE) &&
		 i->pages.n_areas) /* mapped; Linux looks for writable ones */
		err = -EBUSY;
	else
		i->seals |= seals;
	mutex_unlock(&i->lock);
	return err;
}

int vfs_get_seals(struct file *f)
{
	return is_memory_file(f) ? (int)f->inode->seals : -EINVAL;
}
