/*
 * For those who write a file system: inodes, supers, dentries, and the list of file systems.
 *
 * An inode is one object of a file system, in memory while somebody refers to it.  A super is one mounted
 * file system.  A dentry is one name in the tree: kernel/fs/dentry.c's; file systems see none.
 *
 * Locks, outermost first:
 *     rename lock -> inode.lock (directory before what is in it) -> the address space's -> a file system's own
 * read(2) takes no inode lock.  write(2), truncate and whatever changes a directory do.  page_cache_ops (fill,
 * dirty) are called with the address space locked: they never take inode.lock.
 */
#pragma once

#include "kernel/fs/vfs.h"
#include "kernel/mem/page_cache.h"

struct block_device;
struct pipe;
struct record_locks;
struct socket_binding;
struct super;
struct watch;

struct inode {
	const struct inode_ops *ops;
	struct super *super;
	uint64_t number; /* st_ino, unique in the super */
	atomic_uint references;
	_Atomic uint8_t state; /* inode.c's */
	uint8_t flags;         /* INODE_, set by the file system */
	struct list hash_link; /* inodes found by number: inode.c */
	struct mutex lock;
	/* written under lock, read without: */
	uint32_t mode, uid, gid;   /* mode with S_IFMT, which never changes */
	_Atomic uint32_t n_links;  /* 0: goes with the last reference */
	uint64_t device;           /* st_rdev of device nodes */
	_Atomic uint64_t n_blocks; /* st_blocks: of 512 bytes */
	struct linux_timespec accessed, modified, changed, born;
	/* Contents of regular files; its size is the inode's size, of directories and symbolic links too. */
	struct page_cache pages;
	struct page_cache *data; /* &pages; overlay: the lower file's until somebody writes */
	union {
		struct pipe *pipe; /* of a fifo, once it was open; set once, under lock */
		struct socket_binding *socket; /* of a socket; likewise: socket_node.c */
	};
	struct watch *watches; /* inotify(7): under notify_lock, looked at for NULL without */
	struct record_locks *_Atomic locks; /* fcntl(2) and flock(2); set once: lock.c */
	atomic_uint seals;                  /* F_SEAL_ of memory files */
	atomic_int writers;                 /* files open for writing; -1: being executed */
	struct list dirty_link;             /* has something to write back: write_back.c */
	uint64_t dirty_turn;                /* write_back.c's */
	void *private;                      /* the file system's, beside embedding */
};

#define INODE_LOWER 2u /* shows an inode of the overlay's lower tree, whose access time stays */
#define INODE_UNCACHED                                                                             \
	1u /* a directory whose names come and go by themselves: no dentries are kept */

static inline uint64_t inode_size(const struct inode *i)
{
	return atomic_load_explicit(&i->data->size, memory_order_relaxed);
}
static inline void inode_set_size(struct inode *i, uint64_t size)
{
	atomic_store_explicit(&i->data->size, size, memory_order_relaxed);
}

/* What a new inode shall be. */
struct inode_request {
	uint32_t mode, uid, gid; /* with S_IFMT; umask applied */
	uint64_t device;         /* S_IFCHR, S_IFBLK */
	const char *target;      /* S_IFLNK: NUL-terminated, 1..PATH_MAX-1 bytes */
};

/* Attributes to change, already checked. */
#define CHANGE_MODE 1u
#define CHANGE_OWNER 2u /* uid and gid */
#define CHANGE_ACCESSED 4u
#define CHANGE_MODIFIED 8u
#define CHANGE_CHANGED 16u
struct inode_change {
	unsigned what;
	uint32_t mode, uid, gid; /* mode without S_IFMT */
	struct linux_timespec accessed, modified, changed;
};

/* A component of a path: 1..NAME_MAX bytes, no '/' or NUL among them, never "." or "..".  Not NUL-terminated. */
struct name {
	const char *text;
	uint32_t len, hash; /* hash: name_hash() */
};
uint32_t name_hash(const char *text, size_t len);

/*
 * All may sleep.  "D": the directory's lock is held; "I": the inode's.  Inodes come back with a reference.
 * Permissions, types, read-only supers and existence have been checked.  A NULL entry: see the right.
 */
struct inode_ops {
	/* D.  -ENOENT.                                                         NULL: -ENOTDIR */
	int (*lookup)(struct inode *dir, const struct name *name, struct inode **out);
	/* D.  Entries from *position on, without "." and "..", until sink->add says no; *position then is that
	 * of the entry refused.  Positions are 2 .. 2^62 - 1, the first call starts at 2; they stay valid while the
	 * directory changes.                                                  NULL: -ENOTDIR */
	int (*list)(struct inode *dir, uint64_t *position, struct directory_sink *sink);
	/* D.  Any kind of inode, by request->mode.  The name does not exist.   NULL: -EPERM, as link..rename */
	int (*create)(struct inode *dir, const struct name *name,
		const struct inode_request *request, struct inode **out);
	/* D, I. */
	int (*link)(struct inode *dir, const struct name *name, struct inode *inode);
	/* D, I.  A directory: -ENOTEMPTY.  Adjusts n_links. */
	int (*unlink)(struct inode *dir, const struct name *name, struct inode *inode);
	/* Both D, and I of victim.  victim: what the new name is now, replaced (-ENOTEMPTY for a directory), or with
	 * RENAME_EXCHANGE swapped; NULL: nothing.  Kinds fit, and no directory moves below itself. */
	int (*rename)(struct inode *old_dir, const struct name *old_name, struct inode *inode,
		struct inode *new_dir, const struct name *new_name, struct inode *victim,
		unsigned flags);
	/* D.  An inode without a name: O_TMPFILE.                              NULL: -EOPNOTSUPP */
	int (*create_nameless)(
		struct inode *dir, const struct inode_request *request, struct inode **out);

	/* Target of a symbolic link: bytes copied, no NUL.                     NULL: -EINVAL */
	long (*readlink)(struct inode *inode, char *buf, size_t size);
	/* A link that is no path: the dentry it leads to, counted (/proc/self/fd/1). NULL: follow readlink */
	int (*jump)(struct inode *link, struct dentry **out);

	/* I.  Make the changes in the inode's fields and where it is stored.   NULL: -EPERM */
	int (*change)(struct inode *inode, const struct inode_change *change);
	/* I.  New size, smaller or larger: blocks and inode_set_size().  The pages beyond are unmapped and forgotten by
	 * the caller, afterwards; times too.                                   NULL: -EPERM */
	int (*truncate)(struct inode *inode, uint64_t size);
	/* I.  fallocate(2) modes; vfs sets the size afterwards if it grows.    NULL: -EOPNOTSUPP */
	int (*allocate)(struct inode *inode, int mode, uint64_t offset, uint64_t len);
	/* I.  Before the first write through a file, and before a shared writable mapping: the overlay's copy-up.
	 *                                                                      NULL: 0 */
	int (*prepare_write)(struct inode *inode);
	/* SEEK_DATA, SEEK_HOLE from offset < size: the new offset, -ENXIO.     NULL: all is data */
	int64_t (*seek)(struct inode *inode, uint64_t offset, int whence);
	/* Pages [first, first + n) will be read soon: a hint; need not wait.   NULL: nothing */
	void (*read_ahead)(struct inode *inode, uint64_t first, unsigned n);
	/* I.  Extended attributes by their whole name ("user.a"); names and permissions are checked.  get, list: bytes, just
	 * told when size is 0; -ENODATA, -ERANGE.  set: value NULL removes; XATTR_CREATE, XATTR_REPLACE.  All or none.
	 *                                                                      NULL: -EOPNOTSUPP */
	long (*xattr_get)(struct inode *inode, const char *name, void *value, size_t size);
	int (*xattr_set)(
		struct inode *inode, const char *name, const void *value, size_t len, int flags);
	long (*xattr_list)(struct inode *inode, char *list, size_t size);
	/* Make data durable and what is needed to find it; all metadata unless data_only.  What went wrong with the data
	 * is noted with the pages (page_cache_error_set), not returned.        NULL: 0 */
	int (*sync)(struct inode *inode, bool data_only);
	/* Write dirty pages of bytes [from, to) and what else write_back_add() was called for; wait for it.  Errors: as
	 * sync.  For inodes on the list: not NULL. */
	int (*write_back)(struct inode *inode, uint64_t from, uint64_t to);

	/* The file for open(2), for kinds that are not regular files or directories of the usual sort (devices,
	 * generated files): reference 1, object set; vfs fills inode and dentry.  NULL: vfs chooses by mode */
	int (*open)(struct inode *inode, uint32_t flags, struct file **out);
	/* stat(2), beyond what the fields say: may change *out.                NULL: nothing */
	void (*stat)(struct inode *inode, struct linux_stat *out);
};

struct super_ops {
	/* Fill a new inode whose number is set: ops, mode, owner, times, size, ...  -EIO for nonsense on disk. */
	int (*inode_read)(struct inode *inode);
	/* The last reference is gone: free what the file system hung on it (and with n_links 0, on disk, the
	 * inode); pages have been dropped already if n_links is 0, else must be written back here before.  May
	 * sleep.                                                              NULL: nothing */
	void (*inode_release)(struct inode *inode);
	/* f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree; the rest is set. */
	int (*statfs)(struct super *super, struct linux_statfs *out);
	int (*sync)(struct super *super); /* write everything back; NULL: 0 */
	void (*tick)(struct
		super *super); /* every few seconds, while write_back_soon() is called; NULL: nothing */
	void (*unmount)(struct super *super); /* after sync, the machine ends; NULL: nothing */
};

#define SUPER_READ_ONLY 1u
#define SUPER_NO_EXEC 2u
#define SUPER_NO_DEVICES 4u
#define SUPER_NO_SET_ID 8u
#define SUPER_NO_ACCESS_TIME 16u

/* One mounted file system; supers live as long as the machine. */
struct super {
	const struct super_ops *ops;
	const struct filesystem *type;
	const struct page_cache_ops
		*page_ops;   /* of its regular files; get and put are inode_pages_get, _put */
	unsigned page_flags; /* PAGE_CACHE_KEEP */
	unsigned flags;      /* SUPER_ */
	size_t inode_size; /* of the file system's struct that starts with struct inode; 0: just that */
	uint64_t device;        /* st_dev: set by super_new() */
	unsigned block_size;    /* st_blksize */
	uint64_t max_file_size; /* -EFBIG at and beyond */
	char source[24];        /* as /proc/mounts shows it: "/dev/vda", "tmpfs" */
	struct inode *root;     /* counted; set by mount */
	void *private;
	/* of mount.c: */
	struct list link; /* all mounts, in order */
	struct dentry *root_dentry;
	struct dentry *covers; /* the mount point; NULL: the root of all */
};

/* Cleared, with device and defaults set.  NULL: out of memory. */
struct super *super_new(const struct filesystem *type, const struct super_ops *ops) must_check;
void super_free(struct super *super); /* of a mount that failed; no inode may be left */

/*
 * The file systems: one list, in kernel/fs/fs.c.
 */
struct filesystem {
	const char *name; /* "ext4", as /proc/filesystems says */
	unsigned flags;
	/* Make a super with its root inode.  device: NULL without FILESYSTEM_DEVICE.  flags: SUPER_READ_ONLY.
	 * -EINVAL: not this file system; -EIO, -ENOMEM, -EUCLEAN: it is, but. */
	int (*mount)(struct block_device *device, unsigned flags, struct super **out);
};
#define FILESYSTEM_DEVICE 1u
extern const struct filesystem ext4_filesystem; /* kernel/fs/ext4/super.c */
extern const struct filesystem *const filesystems[];
extern const unsigned n_filesystems;

/* The inode of that number: the one in memory, or a new one filled by inode_read.  One struct per number.
 * -ENOMEM, -EIO. */
int inode_by_number(struct super *super, uint64_t number, struct inode **out) must_check;
/* The one in memory, counted; NULL. */
struct inode *inode_in_memory(struct super *super, uint64_t number) must_check;
/* A new one, reference 1, n_links 1, times now, not to be found by number until inode_publish(). NULL: out of memory. */
struct inode *inode_new(struct super *super, uint64_t number) must_check;
void inode_publish(struct inode *inode);
void inode_publish_once(struct inode *inode); /* unless it is to be found already */
static inline void inode_get(struct inode *inode)
{
	atomic_fetch_add_explicit(&inode->references, 1, memory_order_relaxed);
}
void inode_put(struct inode *inode); /* may sleep */

/* page_cache_ops.get and .put of every file system's regular files. */
void inode_pages_get(struct page_cache *c);
void inode_pages_put(struct page_cache *c);
static inline struct inode *inode_of_pages(struct page_cache *c)
{
	return container_of(c, struct inode, pages);
}

/* The common body of inode_ops.change: store the fields. */
void inode_apply(struct inode *inode, const struct inode_change *change);
/* Modification: mtime and ctime are now (I or D).  inode_changed: ctime only. */
void inode_modified(struct inode *inode);
void inode_changed(struct inode *inode);
/* It was read, from its start or not: the access time follows as with mount -o relatime.  No lock held. */
void inode_accessed(struct inode *inode, bool start);
struct linux_timespec time_now(void);
/* DT_ value of a mode. */
static inline uint8_t inode_entry_type(uint32_t mode)
{
	return (mode & S_IFMT) >> 12;
}

/*
 * Dentries.  The tree of names; children hold a reference on their parent.  Unreferenced ones stay cached, in order
 * of use, up to a limit set by the machine's memory.
 */
struct dentry {
	atomic_uint references;
	unsigned flags;        /* DENTRY_ */
	struct dentry *parent; /* counted; itself for a root.  Under dentry_lock, as all below */
	struct inode *inode;   /* counted; NULL: known not to exist */
	struct super *mounted; /* a file system whose root hides this one */
	struct list hash_link, unused_link;
	uint32_t hash, name_len;
	char *name; /* NUL-terminated; inline_name if it fits */
	char inline_name[32];
};
#define DENTRY_HASHED 1u    /* lookups find it */
#define DENTRY_UNUSED 2u    /* in the list of unused ones */
#define DENTRY_DELETED 4u   /* unlinked */
#define DENTRY_NAMELESS 8u  /* O_TMPFILE, memory files, pipes: the name is only for showing */
#define DENTRY_LINKABLE 16u /* nameless, but linkat(2) may give it a name */

/*
 * Writing back (write_back.c): one thread, a list of inodes with something to write, a limit on dirty memory.
 */
/* The inode has dirty pages, or times to store: within seconds its write_back is called.  No spinlock held. */
void write_back_add(struct inode *inode);
void write_back_remove(struct inode *inode); /* it ends */
/* super_ops.tick is wanted within seconds. */
void write_back_soon(void);
/* All inodes of that super that are on the list now. */
int write_back_super(struct super *super) must_check;
/* Somebody made pages dirty: wait while there are too many.  No lock held that write-back takes. */
void write_back_throttle(void);
void write_back_progress(void); /* pages became clean */
/* inode_get() unless it has ended. */
bool inode_try_get(struct inode *inode) must_check;
/* Take write access to pages [first, first + n) of c away from the program's mappings; waits. */
void clean_mappings(struct page_cache *c, uint64_t first, uint64_t n);
