/*
 * Extended attributes, xattr(7): who may, and which names there are.  Where they are kept is the file system's.
 *
 * "user." is for regular files and directories, "trusted." for administrators, "security." is kept for whoever sets it.
 * "system." (POSIX ACLs) is not to be had: -EOPNOTSUPP, as a file system mounted with noacl says.
 */
#include "abi/linux/errno.h"
#include "abi/linux/xattr.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/string.h"

static bool has_prefix(const char *name, const char *prefix)
{
	return string_starts_with(name, prefix);
}

/* User attributes: only of what holds data, and in sticky directories only the owner's. */
static int check_user(struct inode *i, unsigned mask)
{
	if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
		return mask & W_OK ? -EPERM : -ENODATA;
	if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) && (mask & W_OK) && !inode_is_owner(i))
		return -EPERM;
	return inode_permission(i, mask);
}

static int check_access(struct inode *i, const char *name, unsigned mask, unsigned flags)
{
	if ((mask & W_OK) && (i->super->flags & SUPER_READ_ONLY))
		return -EROFS;
	if (has_prefix(name, "trusted.") && !(flags & XATTR_ADMIN))
		return mask & W_OK ? -EPERM : -ENODATA;
	if (has_prefix(name, "security."))
		return (mask & W_OK) && !(flags & XATTR_ADMIN) ? -EPERM : 0;
	return has_prefix(name, "user.") ? check_user(i, mask) : inode_permission(i, mask);
}

/* A name of a kind that is kept, with something behind the dot. */
static int check_name(const char *name)
{
	static const char *const prefixes[] = {"user.", "trusted.", "security."};
	for (size_t n = 0; n < array_size(prefixes); n++)
		if (has_prefix(name, prefixes[n]))
			return name[strlen(prefixes[n])] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

static int check(struct inode *i, const char *name, unsigned mask, unsigned flags)
{
	int err = i ? check_access(i, name, mask, flags) : -ENOENT;
	if (!err && !i->ops->xattr_set)
		err = -EOPNOTSUPP;
	return err ? err : check_name(name);
}

long vfs_xattr_get(struct dentry *d, const char *name, void *value, size_t size, unsigned flags)
{
	struct inode *i = d->inode;
	int err = check(i, name, R_OK, flags);
	if (err < 0)
		return err;
	mutex_lock(&i->lock);
	long n = i->ops->xattr_get(i, name, value, size);
	mutex_unlock(&i->lock);
	return n;
}

int vfs_xattr_set(struct dentry *d, const char *name, const void *value, size_t len, unsigned flags)
{
	struct inode *i = d->inode;
	int err = check(i, name, W_OK, flags);
	if (err < 0)
		return err;
	mutex_lock(&i->lock);
	err = i->ops->xattr_set(i, name, value, len, (int)(flags & ~XATTR_ADMIN));
	if (!err)
		inode_changed(i);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(d, IN_ATTRIB);
	return err;
}

/* Take the names out that only administrators see; the length that stays. */
static size_t without_trusted(char *list, size_t len)
{
	size_t kept = 0;
	for (size_t at = 0; at < len;) {
		size_t n = strlen(list + at) + 1;
		if (!has_prefix(list + at, "trusted.")) {
			memmove(list + kept, list + at, n);
			kept += n;
		}
		at += n;
	}
	return kept;
}

long vfs_xattr_list(struct dentry *d, char *list, size_t size, unsigned flags)
{
	struct inode *i = d->inode;
	if (!i)
		return -ENOENT;
	if (!i->ops->xattr_list)
		return 0;
	mutex_lock(&i->lock);
	long n = i->ops->xattr_list(i, list, size);
	mutex_unlock(&i->lock);
	return n > 0 && !(flags & XATTR_ADMIN) ? (long)without_trusted(list, (size_t)n) : n;
}
