/*
 * The face of the file systems: names to files.  Paths are kernel strings of at most PATH_MAX; bases are
 * dentries (directories), NULL meaning the working directory.  All functions may sleep.
 *
 * struct inode: an object on a file system (kernel/fs/inode.h for those who write one).
 * struct dentry: a name in the tree, cached, counted; negative ones remember what is not there.
 */
#pragma once

#include "abi/linux/fcntl.h"
#include "abi/linux/stat.h"
#include "kernel/file/file.h"

struct dentry;
struct inode;

#define PATH_MAX 4096
#define NAME_MAX 255

/* Who asks: ids and capabilities for permission checks; handed down by kernel/proc. */
struct fs_credentials {
	uint32_t uid, gid;
	const uint32_t *groups;
	unsigned n_groups;
	bool override; /* CAP_DAC_OVERRIDE and its kin */
	uint32_t umask;
};
void vfs_set_credentials(const struct fs_credentials *(*current)(void));
/* RLIMIT_FSIZE, and what happens (SIGXFSZ) when a write begins or a size lies beyond it: -EFBIG follows. */
void vfs_set_file_limit(uint64_t bytes);
void vfs_set_limit_hook(void (*exceeded)(void));
/* Take the pages of c from byte `from` on out of the program's mappings (truncate): handed down by kernel/proc,
 * which locks its address space for writing and calls address_space_unmap_cache(). */
void vfs_set_unmap(void (*unmap)(struct page_cache *c, uint64_t from));
/* Take write access to pages of c away from the program's mappings: address_space_clean_cache(), likewise. */
void vfs_set_clean(void (*clean)(struct page_cache *c, uint64_t first, uint64_t n));

/* Mount the root: device "/dev/vda", "LABEL=", "UUID=", "PARTUUID=" (a block device with ext4) below a tmpfs overlay unless in_place; or NULL: an empty
 * tmpfs.  Then proc, sys, dev, /dev/shm, /run and /tmp where the tree has such directories.  -Exxx, logged. */
int vfs_mount_root(const char *device, bool in_place) must_check;
/* Pages that hold what was written to tmpfs, the overlay and shared memory. */
uint64_t vfs_memory_pages(void);
/* Mount a disk, named in the same words, at a path whose directories are made if need be; flags: MS_.  Before the program
 * runs.  -Exxx, logged. */
int vfs_mount_volume(const char *disk, const char *path, unsigned flags) must_check;
/* sync(2): write back what is dirty. */
void vfs_sync_all(void);
/* Write back and unmount everything: the machine ends. */
void vfs_shut_down(void);

void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
struct inode *dentry_inode(struct dentry *d); /* not counted; NULL for a negative one */

#define LOOKUP_NO_FOLLOW 1u /* the last component may be a symbolic link */
#define LOOKUP_DIRECTORY 2u /* -ENOTDIR otherwise */
#define LOOKUP_EMPTY 4u     /* an empty path is the base itself */
int vfs_lookup(
	struct dentry *base, const char *path, unsigned flags, struct dentry **out) must_check;
/* open(2): flags and mode as the program gave them. */
int vfs_open(struct dentry *base, const char *path, uint32_t flags, uint32_t mode,
	struct file **out) must_check;
/* openat2(2): with RESOLVE_ rules for the walk. */
int vfs_open_resolve(struct dentry *base, const char *path, uint32_t flags, uint32_t mode,
	unsigned resolve, struct file **out) must_check;
/* The whole path of d as the program would name it; "(unreachable)" or " (deleted)" as Linux says.
 * Length or -ENAMETOOLONG. */
long vfs_path(struct dentry *d, char *buf, size_t size) must_check;

struct dentry *vfs_root(void);                    /* counted */
struct dentry *vfs_working(void);                 /* counted: the working directory */
int vfs_set_working(struct dentry *d) must_check; /* -ENOTDIR, -EACCES */
int vfs_set_root(struct dentry *d) must_check;    /* chroot(2) */

int vfs_stat(struct dentry *d, struct linux_stat *out) must_check;
/* fstat(2), of any file: named, a socket, a pipe, anonymous. */
int vfs_stat_file(struct file *f, struct linux_stat *out) must_check;
/* The name a file was opened by, counted; for files without one a dentry is made up ("pipe:[12]") that stat, readlink
 * of /proc/self/fd and reopening understand. -ENOMEM */
int vfs_file_dentry(struct file *f, struct dentry **out) must_check;
/* Its name is gone: getcwd(2) is -ENOENT then. */
bool vfs_deleted(const struct dentry *d);
/* What /proc/self/fd/N shows: a path, "socket:[12]", "anon_inode:[eventfd]".  Length, as vfs_path(). */
long vfs_file_path(struct file *f, char *buf, size_t size) must_check;
int vfs_statfs(struct dentry *d, struct linux_statfs *out) must_check;
int vfs_access(struct dentry *d, unsigned mode /* R_OK|W_OK|X_OK */) must_check;
long vfs_readlink(struct dentry *d, char *buf, size_t size) must_check; /* not NUL-terminated */

int vfs_mkdir(struct dentry *base, const char *path, uint32_t mode) must_check;
int vfs_mknod(struct dentry *base, const char *path, uint32_t mode, uint64_t device) must_check;
int vfs_symlink(const char *target, struct dentry *base, const char *path) must_check;
int vfs_link(struct dentry *old, struct dentry *base, const char *path) must_check;
int vfs_unlink(struct dentry *base, const char *path) must_check;
int vfs_rmdir(struct dentry *base, const char *path) must_check;
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u
#define RENAME_WHITEOUT 4u
int vfs_rename(struct dentry *old_base, const char *old, struct dentry *new_base, const char *new,
	unsigned flags) must_check;

int vfs_truncate(struct dentry *d, uint64_t size) must_check;
int vfs_chmod(struct dentry *d, uint32_t mode) must_check;
int vfs_chown(struct dentry *d, uint32_t uid, uint32_t gid) must_check; /* (uint32_t)-1: as it is */
/* NULL: now.  UTIME_NOW, UTIME_OMIT in tv_nsec. */
int vfs_utimes(struct dentry *d, const struct linux_timespec times[2]) must_check;

/* xattr(7); name is not empty, value in kernel memory.  get and list: bytes, only told when size is 0 (get), -ERANGE when
 * they do not fit.  set: NULL removes, flags XATTR_CREATE, XATTR_REPLACE and, for all, XATTR_ADMIN. */
#define XATTR_ADMIN 0x100u /* the caller has CAP_SYS_ADMIN */
long vfs_xattr_get(
	struct dentry *d, const char *name, void *value, size_t size, unsigned flags) must_check;
int vfs_xattr_set(struct dentry *d, const char *name, const void *value, size_t len,
	unsigned flags) must_check;
long vfs_xattr_list(struct dentry *d, char *list, size_t size, unsigned flags) must_check;

/* name_to_handle_at(2): what stands for an inode across its names.  -EOPNOTSUPP: not on this file system. */
struct file_handle_key {
	uint64_t number;
	int64_t born_s;
	uint64_t born_ns;
};
int vfs_handle_of(struct dentry *d, struct file_handle_key *out, int *mount_id) must_check;
/* In the file system of `mount`; flags as open(2).  -ESTALE: gone, or a directory. */
int vfs_open_handle(struct dentry *mount, const struct file_handle_key *key, uint32_t flags,
	struct file **out) must_check;

/* mount(2) of something new at a directory; flags: MS_; data: options, NUL-terminated.  -ENODEV: no such file system;
 * -ENOTBLK, -EINVAL, -EBUSY, -ENOSPC: too many. */
int vfs_mount(const char *source, struct dentry *at, const char *type, unsigned flags,
	const char *data) must_check;
/* MS_REMOUNT: flags of what is mounted at root.  -EINVAL: it is no root. */
int vfs_remount(struct dentry *root, unsigned flags) must_check;
/* umount2(2): -EBUSY for whatever is mounted, -EINVAL else. */
int vfs_unmount(struct dentry *root) must_check;
/* ustat(2), by st_dev: the super's root, counted; -EINVAL. */
int vfs_find_device(uint64_t device, struct dentry **root) must_check;
/* sysfs(2): names of file systems by number; NULL behind the last. */
const char *vfs_filesystem_name(unsigned n);
/* cachestat(2): pages from first to last that are cached, and dirty; both 0 without a cache. */
void vfs_cache_count(
	struct file *f, uint64_t first, uint64_t last, uint64_t *n_cached, uint64_t *n_dirty);

/* inotify(7).  add: mask is checked; the watch descriptor, -EEXIST, -EACCES, -ENOSPC.  Both: f is one of its files. */
int inotify_create(uint32_t flags, struct file **out) must_check; /* O_NONBLOCK; -EMFILE */
bool file_is_inotify(const struct file *f);
int inotify_add(struct file *f, struct dentry *d, unsigned mask) must_check;
int inotify_remove(struct file *f, int wd) must_check; /* -EINVAL: no such watch */
enum inotify_limit { INOTIFY_EVENTS, INOTIFY_INSTANCES, INOTIFY_WATCHES };
unsigned inotify_max(enum inotify_limit which);

/* getdents64(2): where directory entries go.  add returns false when the entry does not fit: the lister stops
 * and keeps its position before it. */
struct directory_sink {
	bool (*add)(struct directory_sink *s, const char *name, size_t name_len, uint64_t ino,
		uint8_t type, uint64_t next_position);
};

/* fcntl(2) record locks and flock(2): owner is an opaque identity (the process, or the file). */
int vfs_lock_get(struct file *f, struct linux_flock *lock, void *owner) must_check;
int vfs_lock_set(struct file *f, const struct linux_flock *lock, void *owner, bool wait) must_check;
int vfs_flock(struct file *f, int operation) must_check;
void vfs_locks_drop(struct file *f, void *owner); /* on close */

/* A nameless file in a tmpfs: memfd_create(2), shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS). */
int vfs_memory_file(const char *name, uint64_t size, struct file **out) must_check;
/* memfd_create(2): seals may be added unless MFD_ALLOW_SEALING is missing; fcntl F_ADD_SEALS, F_GET_SEALS: -EINVAL, -EPERM, -EBUSY. */
int vfs_memory_file_sealed(const char *name, unsigned mfd_flags, struct file **out) must_check;
int vfs_add_seals(struct file *f, unsigned seals) must_check;
int vfs_get_seals(struct file *f) must_check;

/* An AF_UNIX address in the tree: bind(2) makes a socket inode that carries object; connect(2) finds it.  get/put
 * count the object. */
int vfs_bind_socket(const char *path, uint32_t mode, void *object, void (*get)(void *),
	void (*put)(void *)) must_check;
int vfs_find_socket(
	const char *path, void **object) must_check; /* counted; -ECONNREFUSED, -ENOENT */

/* Signals of the controlling terminal (^C, SIGWINCH, SIGHUP) to the process: handed down by kernel/proc. */
void terminal_set_signal_hook(void (*send)(int signal));

/* Paths looked for and not found, for mote.missing-files: called once per failed open or stat when set. */
void vfs_set_missing_hook(void (*missing)(const char *path));

/*
 * What /proc, /sys and /dev show of the layers above and beside: handed down by kernel/main.c.  A generated file is
 * text made when it is opened.
 */
struct text;
struct generated_file {
	const char *
		path; /* "/proc/meminfo", "/sys/devices/system/cpu/online"; "*" stands for a tid: "/proc/self/task/" "*" "/comm" */
	/* Append the whole content; text.cut makes the caller come again with a larger buffer.  NULL with link: a
	 * symbolic link. */
	void (*show)(struct text *t, int tid);
	/* write(2) to it; NULL: read only. */
	long (*store)(const char *text, size_t len, int tid);
	/* Target of a symbolic link; a length as readlink(2). */
	long (*link)(char *buf, size_t size, int tid);
	uint32_t mode; /* permissions; 0: 0444, or 0644 with store */
	int number;    /* what the functions get for tid where path has no "*" */
};
/* One table per provider, valid for ever; directories on the way appear by themselves.  Before vfs_mount_root(). */
void vfs_generated_add(const struct generated_file *table, unsigned n);
/* What can wait until somebody looks into /sys: add is called once then, and adds tables.  Before vfs_mount_root(). */
void vfs_generated_later(void (*add)(void));
/* For add: the files FOLDER/INSTANCE/NAME of one thing of a kind, and a link FOLDER/INSTANCE (number > 0). */
struct generated_each {
	const char *name;
	void (*show)(struct text *t, int number);
};
void vfs_generated_each(const char *folder, const char *instance, int number,
	const struct generated_each *each, unsigned n);
void vfs_generated_link(const char *folder, const char *instance, int number,
	long (*link)(char *buf, size_t size, int number));
/* Which tids exist, for /proc/self/task: next tid >= from, or -1. */
void vfs_set_task_lister(int (*next)(int from));
/* Where /proc/self/exe leads: a reference is taken. */
void vfs_set_executable(struct dentry *d);
