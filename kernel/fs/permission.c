/*
 * Who may do what: the classic mode bits, and one capability that overrides them.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"

static const struct fs_credentials root_credentials = {.override = true, .umask = 022};

static const struct fs_credentials *as_root(void)
{
	return &root_credentials;
}

static const struct fs_credentials *(*current_credentials)(void) = as_root;

void vfs_set_credentials(const struct fs_credentials *(*current)(void))
{
	current_credentials = current;
}

const struct fs_credentials *fs_credentials(void)
{
	return current_credentials();
}

static bool in_group(const struct fs_credentials *c, uint32_t gid)
{
	if (c->gid == gid)
		return true;
	for (unsigned n = 0; n < c->n_groups; n++)
		if (c->groups[n] == gid)
			return true;
	return false;
}

bool in_own_group(uint32_t gid)
{
	return in_group(fs_credentials(), gid);
}

/* The three bits that count for the caller. */
static unsigned granted(const struct inode *i, const struct fs_credentials *c)
{
	if (i->uid == c->uid)
		return i->mode >> 6 & 7;
	if (in_group(c, i->gid))
		return i->mode >> 3 & 7;
	return i->mode & 7;
}

int inode_permission(struct inode *i, unsigned mask)
{
	bool stored = S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode);
	if ((mask & W_OK) && stored && (i->super->flags & SUPER_READ_ONLY))
		return -EROFS;
	const struct fs_credentials *c = fs_credentials();
	if (c->override && (!(mask & X_OK) || S_ISDIR(i->mode) || (i->mode & 0111)))
		return 0;
	return mask & ~granted(i, c) & 7 ? -EACCES : 0;
}

bool inode_is_owner(const struct inode *i)
{
	const struct fs_credentials *c = fs_credentials();
	return c->override || c->uid == i->uid;
}

int inode_may_create(struct inode *dir)
{
	return inode_permission(dir, W_OK | X_OK);
}

int inode_may_remove(struct inode *dir, struct inode *victim)
{
	int err = inode_permission(dir, W_OK | X_OK);
	if (err < 0)
		return err;
	if ((dir->mode & S_ISVTX) && !inode_is_owner(victim) && !inode_is_owner(dir))
		return -EPERM;
	return 0;
}

void inode_request_init(struct inode_request *r, const struct inode *dir, uint32_t mode)
{
	const struct fs_credentials *c = fs_credentials();
	*r = (struct inode_request){.mode = mode & ~c->umask, .uid = c->uid, .gid = c->gid};
	if (S_ISLNK(mode))
		r->mode = S_IFLNK | 0777;
	if (dir->mode & S_ISGID) {
		r->gid = dir->gid;
		if (S_ISDIR(mode))
			r->mode |= S_ISGID;
		else if (!c->override && !in_group(c, dir->gid))
			r->mode &= ~(uint32_t)S_ISGID;
	}
}

void inode_drop_set_id(struct inode *i)
{
	uint32_t drop = i->mode & S_ISUID;
	if ((i->mode & (S_ISGID | 010)) == (S_ISGID | 010))
		drop |= S_ISGID;
	if (!drop || fs_credentials()->override)
		return;
	struct inode_change c = {.what = CHANGE_MODE, .mode = i->mode & ~drop};
	if (i->ops->change && i->ops->change(i, &c) == 0)
		return;
	inode_apply(i, &c);
}
