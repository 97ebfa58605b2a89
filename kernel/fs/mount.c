/*
 * What is mounted where, the root and the working directory, and the way from a dentry back to its path.
 */
#include "abi/linux/errno.h"
#include "abi/linux/mount.h"
#include "kernel/dev/block.h"
#include "kernel/fs/dev/device.h"
#include "kernel/fs/dev/pty.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/proc/generated.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

struct dentry *root_dentry, *working_dentry;

#define MOUNTS_MAX 256u

/* Only ever grows, at its end, under mount_lock: so whoever walks along it takes no lock. */
static struct list mounts = LIST_INIT(mounts);
static unsigned n_mounts;
static struct mutex mount_lock;

int mount_at(struct super *s, struct dentry *at)
{
	int err = dentry_new_root(s->root, &s->root_dentry);
	if (err < 0)
		return err;
	inode_get(s->root);
	list_push_back(&mounts, &s->link);
	irq_state state = spin_lock(&dentry_lock);
	if (at) {
		dentry_get(at);
		s->covers = at;
		at->mounted = s;
	} else {
		root_dentry = working_dentry = s->root_dentry;
		dentry_get(root_dentry);
		dentry_get(root_dentry);
	}
	spin_unlock(&dentry_lock, state);
	return 0;
}

void mount_for_each(void (*visit)(struct super *s, void *context), void *context)
{
	struct super *s;
	list_for_each (s, &mounts, link)
		visit(s, context);
}

/* --- the start of the machine --------------------------------------------------------------- */

static int mount_device(struct block_device *device, unsigned flags, struct super **out)
{
	int err = -EINVAL;
	/* Two on one disk would not know of each other's changes. */
	if (atomic_exchange(&device->mounted, true))
		return -EBUSY;
	for (unsigned n = 0; n < n_filesystems && err == -EINVAL; n++)
		if (filesystems[n]->flags & FILESYSTEM_DEVICE)
			err = filesystems[n]->mount(device, flags, out);
	if (err < 0)
		device->mounted = false;
	if (!err)
		format((*out)->source, sizeof((*out)->source), "/dev/%s", device->name);
	return err;
}

static int mount_root_super(const char *name, bool in_place, struct super **out)
{
	if (!name) {
		int made = tmpfs_filesystem.mount(NULL, 0, out);
		if (!made)
			(*out)->root->mode = S_IFDIR | 0755;
		return made;
	}
	struct block_device *device = disk_find(name);
	if (!device) {
		log_error("root: no block device %s", name);
		return -ENODEV;
	}
	struct super *lower;
	int err = mount_device(device, in_place ? 0 : SUPER_READ_ONLY, &lower);
	if (err < 0) {
		log_error(
			"root: %s holds no file system that can be mounted (error %d)", name, -err);
		return err;
	}
	if (in_place) {
		*out = lower;
		return 0;
	}
	return overlay_make(lower, out);
}

/* The directory `name` in the root.  A tree in memory gets one, without a look at what is beneath. */
static int mount_point(const char *name, struct dentry **out)
{
	struct inode *root = root_dentry->inode, *made;
	if (strchr(name + 1, '/'))
		return vfs_lookup(NULL, name, LOOKUP_DIRECTORY, out);
	if (root->super->type != &tmpfs_filesystem && root->super->type != &overlay_filesystem)
		return vfs_lookup(NULL, name, LOOKUP_DIRECTORY, out);
	struct inode_request request = {.mode = S_IFDIR | 0755};
	int err = tmpfs_plant(root, name + 1, &request, &made);
	if (err < 0)
		return err;
	struct name text = {name + 1, (uint32_t)strlen(name + 1), 0};
	text.hash = name_hash(text.text, text.len);
	err = dentry_new(root_dentry, &text, made, DENTRY_HASHED, out);
	if (err < 0)
		inode_put(made);
	return err;
}

/* A machine without one of these runs, if its program can do without. */
static void mount_system(const char *name, int (*make)(struct super **out))
{
	struct dentry *at;
	struct super *s;
	int err = mount_point(name, &at);
	if (err < 0)
		return;
	err = make(&s);
	if (!err)
		err = mount_at(s, at);
	if (err < 0)
		log_warn("cannot mount %s (error %d)", name, -err);
	dentry_put(at);
}

int vfs_mount_root(const char *device, bool in_place)
{
	struct super *root;
	dentry_cache_init();
	mutex_init(&mount_lock);
	names_init();
	open_init();
	proc_files_init();
	int err = mount_root_super(device, in_place, &root);
	if (!err)
		err = mount_at(root, NULL);
	if (err < 0)
		return err;
	mount_system("/proc", procfs_make);
	mount_system("/sys", sysfs_make);
	mount_system("/sys/fs/cgroup", cgroupfs_make);
	mount_system("/dev", devfs_make);
	mount_system("/dev/pts", devpts_make);
	return 0;
}

/* --- mount(2) ------------------------------------------------------------------------------- */

static unsigned super_flags(unsigned flags)
{
	return (flags & MS_RDONLY ? SUPER_READ_ONLY : 0) |
	       (flags & MS_NOSUID ? SUPER_NO_SET_ID : 0) |
	       (flags & MS_NODEV ? SUPER_NO_DEVICES : 0) | (flags & MS_NOEXEC ? SUPER_NO_EXEC : 0);
}

/* "size=16m,mode=755": of a tmpfs.  Options it does not know are not refused: they ask for less than there is. */
static int tmpfs_with(const char *data, struct super **out)
{
	struct memory_usage usage;
	page_usage(&usage);
	uint64_t size = usage.total * PAGE_SIZE / 2, mode = 01777, n;
	for (const char *s = data; s && *s; s = strchr(s, ','), s += s != NULL) {
		const char *digits = s + 5;
		if (string_starts_with(s, "size=") && string_parse_u64(&digits, &n)) {
			unsigned shift = *digits == 'k'   ? 10
					 : *digits == 'm' ? 20
					 : *digits == 'g' ? 30
							  : 0;
			size = n > UINT64_MAX >> shift ? UINT64_MAX : n << shift;
			size = *digits == '%' ? usage.total * PAGE_SIZE / 100 * min(n, 100ul)
					      : size;
		} else if (string_starts_with(s, "mode=")) {
			for (mode = 0; *digits >= '0' && *digits <= '7'; digits++)
				mode = (mode << 3 | (uint64_t)(*digits - '0')) & 07777;
		}
	}
	int err = tmpfs_make(size ? size : UINT64_MAX, out);
	if (!err)
		(*out)->root->mode = S_IFDIR | (uint32_t)mode;
	return err;
}

static int super_for(
	const char *source, const char *type, unsigned flags, const char *data, struct super **out)
{
	if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs"))
		return tmpfs_with(data, out);
	if (!strcmp(type, "proc"))
		return procfs_make(out);
	if (!strcmp(type, "sysfs"))
		return sysfs_make(out);
	if (!strcmp(type, "devpts"))
		return devpts_make(out);
	if (!strcmp(type, "cgroup2"))
		return cgroupfs_make(out);
	if (!strcmp(type, "devtmpfs"))
		return devfs_make(out);
	for (unsigned n = 0; n < n_filesystems; n++)
		if (!strcmp(filesystems[n]->name, type) &&
			(filesystems[n]->flags & FILESYSTEM_DEVICE)) {
			struct block_device *device = disk_find(source);
			return device ? mount_device(device,
						flags & MS_RDONLY ? SUPER_READ_ONLY : 0, out)
				      : -ENOTBLK;
		}
	return -ENODEV;
}

int vfs_mount(
	const char *source, struct dentry *at, const char *type, unsigned flags, const char *data)
{
	struct super *s;
	if (!S_ISDIR(at->inode->mode))
		return -ENOTDIR;
	mutex_lock(&mount_lock);
	int err = n_mounts >= MOUNTS_MAX ? -ENOSPC : at->flags & DENTRY_DELETED ? -ENOENT : 0;
	if (!err)
		err = super_for(source, type, flags, data, &s);
	if (!err) {
		s->flags |= super_flags(flags);
		if (!(s->type->flags & FILESYSTEM_DEVICE))
			string_copy(s->source, source, sizeof(s->source));
		err = mount_at(s, at);
		n_mounts += !err;
	}
	mutex_unlock(&mount_lock);
	return err;
}

static int make_directories(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof(part))
		return path[0] == '/' ? -ENAMETOOLONG : -EINVAL;
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		int err = vfs_mkdir(NULL, part, 0755);
		/* On a root that is never written to it is there or not: the lookup will tell. */
		if (err < 0 && err != -EEXIST && err != -EROFS)
			return err;
		part[i] = path[i];
	}
	return 0;
}

int vfs_mount_volume(const char *disk, const char *path, unsigned flags)
{
	struct dentry *at;
	int err = make_directories(path);
	if (!err)
		err = vfs_lookup(NULL, path, LOOKUP_DIRECTORY, &at);
	if (err < 0) {
		log_error("%s: no such directory to mount a volume at (error %d)", path, -err);
		return err;
	}
	err = vfs_mount(disk, at, "ext4", flags, NULL);
	dentry_put(at);
	if (err == -ENOTBLK)
		log_error("%s: no disk %s", path, disk);
	else if (err < 0)
		log_error("%s: %s can not be mounted (error %d)", path, disk, -err);
	return err;
}

int vfs_remount(struct dentry *root, unsigned flags)
{
	if (root->parent != root || (root->flags & DENTRY_NAMELESS))
		return -EINVAL;
	struct super *s = dentry_super(root);
	/* What was never to be written to stays so: its disk may be shared. */
	s->flags = (s->flags & SUPER_READ_ONLY) | super_flags(flags);
	return 0;
}

int vfs_unmount(struct dentry *root)
{
	return root->parent == root && !(root->flags & DENTRY_NAMELESS) ? -EBUSY : -EINVAL;
}

int vfs_find_device(uint64_t device, struct dentry **root)
{
	struct super *s;
	list_for_each (s, &mounts, link)
		if (s->device == device) {
			dentry_get(s->root_dentry);
			*root = s->root_dentry;
			return 0;
		}
	return -EINVAL;
}

const char *vfs_filesystem_name(unsigned n)
{
	return n < n_filesystems ? filesystems[n]->name : NULL;
}

void vfs_sync_all(void)
{
	struct super *s;
	list_for_each (s, &mounts, link)
		if (s->ops->sync && s->ops->sync(s) < 0)
			log_error("%s: not everything could be written back", s->source);
}

void vfs_shut_down(void)
{
	vfs_sync_all();
	struct super *s;
	list_for_each (s, &mounts, link)
		if (s->ops->unmount)
			s->ops->unmount(s);
}

/* --- root and working directory ------------------------------------------------------------- */

static int set_directory(struct dentry **where, struct dentry *d)
{
	struct inode *i = d->inode;
	if (!i || !S_ISDIR(i->mode))
		return i ? -ENOTDIR : -ENOENT;
	int err = inode_permission(i, X_OK);
	if (err < 0)
		return err;
	dentry_get(d);
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *old = *where;
	*where = d;
	spin_unlock(&dentry_lock, state);
	dentry_put(old);
	return 0;
}

int vfs_set_working(struct dentry *d)
{
	return set_directory(&working_dentry, d);
}

int vfs_set_root(struct dentry *d)
{
	if (!fs_credentials()->override)
		return -EPERM;
	return set_directory(&root_dentry, d);
}

/* --- paths ---------------------------------------------------------------------------------- */

/* Put text before *at; false: no room. */
static bool prepend(char *buf, size_t *at, const char *text, size_t len)
{
	if (*at < len)
		return false;
	*at -= len;
	memcpy(buf + *at, text, len);
	return true;
}

/* Under dentry_lock: from d up to the process's root; the start of the path in buf, or SIZE_MAX. */
static size_t path_before(struct dentry *d, char *buf, size_t size)
{
	size_t at = size;
	bool fits = !(d->flags & DENTRY_DELETED) || prepend(buf, &at, " (deleted)", 10);
	size_t end = at;
	while (fits && d != root_dentry) {
		struct super *s = d->parent == d ? dentry_super(d) : NULL;
		if (s && !s->covers) { /* another root than ours */
			fits = prepend(buf, &at, "(unreachable)", 13);
			break;
		}
		if (s) {
			d = s->covers;
			continue;
		}
		fits = prepend(buf, &at, d->name, d->name_len) && prepend(buf, &at, "/", 1);
		d = d->parent;
	}
	if (fits && at == end)
		fits = prepend(buf, &at, "/", 1);
	return fits ? at : SIZE_MAX;
}

long vfs_path(struct dentry *d, char *buf, size_t size)
{
	if ((d->flags & DENTRY_NAMELESS) && d->parent == d) {
		string_copy(buf, d->name, size);
		return d->name_len < size ? (long)d->name_len : -ENAMETOOLONG;
	}
	if (!size)
		return -ENAMETOOLONG;
	irq_state state = spin_lock(&dentry_lock);
	size_t start = path_before(d, buf, size - 1);
	spin_unlock(&dentry_lock, state);
	if (start == SIZE_MAX)
		return -ENAMETOOLONG;
	size_t len = size - 1 - start;
	memmove(buf, buf + start, len);
	buf[len] = 0;
	return (long)len;
}

bool vfs_deleted(const struct dentry *d)
{
	return d->flags & DENTRY_DELETED;
}
