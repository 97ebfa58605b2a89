/*
 * Between the files of kernel/fs/ itself: the dentry cache, the walk along a path, permissions, mounts.
 */
#pragma once

#include "kernel/fs/inode.h"

/* FNV-1a */
#define NAME_HASH_START 0x811c9dc5u
static inline uint32_t name_hash_step(uint32_t hash, uint8_t c)
{
	return (hash ^ c) * 0x01000193u;
}

/* dentry.c */
extern struct spinlock dentry_lock;
void dentry_cache_init(void);
/* The cached child, counted; NULL. */
struct dentry *dentry_find(struct dentry *parent, const struct name *name) must_check;
/* Go down from *at (counted) along cached directories that anybody, or `privileged`, may search; *path moves over the
 * components consumed.  True: only the last one is left, in *last, with *path behind it. */
bool dentry_descend(
	struct dentry **at, const char **path, bool privileged, struct name *last) must_check;
/* A new dentry with reference 1 below parent; takes over the reference on inode (may be NULL) when it
 * succeeds.  flags: DENTRY_HASHED (the lock of parent's inode is held then) or not to be found. */
int dentry_new(struct dentry *parent, const struct name *name, struct inode *inode, unsigned flags,
	struct dentry **out) must_check;
int dentry_new_root(struct inode *inode, struct dentry **out) must_check; /* likewise */
/* Outside of any tree: a name to show, whole as vfs_path() gives it. */
int dentry_new_nameless(
	const struct name *shown, struct inode *inode, struct dentry **out) must_check;
/* Parent's inode is locked, for all three. */
void dentry_fill(
	struct dentry *d, struct inode *inode); /* a negative one becomes that; takes over */
void dentry_forget(struct dentry *d);           /* unlinked: not found any more */
/* The same, and if nobody but the caller uses d, it stays as a negative one. */
void dentry_empty(struct dentry *d);
/* Names below that are only cached go: slow, for when it matters that nothing refers to parent any more. */
void dentry_drop_children(struct dentry *parent);
int dentry_move(struct dentry *d, struct dentry *parent, const struct name *name) must_check;
int dentry_swap(struct dentry *a, struct dentry *b) must_check;
/* Parent, counted. */
struct dentry *dentry_parent(struct dentry *d) must_check;
bool dentry_is_below(struct dentry *d, struct dentry *ancestor); /* or the same */
struct super *dentry_super(struct dentry *d);
/* d, or the root of what is mounted on it: consumes and returns a reference. */
struct dentry *dentry_cross(struct dentry *d) must_check;

/* The component at s, which is no slash: its end.  With name_hash(). */
static inline const char *name_parse(const char *s, struct name *out)
{
	uint32_t hash = NAME_HASH_START;
	const char *end = s;
	for (uint8_t c = (uint8_t)*end; c && c != '/'; c = (uint8_t) * ++end)
		hash = name_hash_step(hash, c);
	*out = (struct name){s, (uint32_t)(end - s), hash};
	return end;
}

static inline const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/* walk.c */
#define LINKS_MAX 40u
enum last_kind { LAST_NORMAL, LAST_DOT, LAST_DOT_DOT, LAST_NONE };
struct walk {
	struct dentry *at; /* counted: where we are */
	const char *rest;  /* still to go */
	char *buffer;      /* of rest, after a symbolic link; 2 * PATH_MAX */
	unsigned n_links;
	enum last_kind last_kind;
	struct name last;   /* the last component, inside rest */
	bool slash;         /* behind it */
	unsigned resolve;   /* RESOLVE_ of openat2(2) */
	struct dentry *top; /* counted, with resolve: where the walk began */
};
/* After walk_start() from a directory: rules for the rest of the walk. */
void walk_restrict(struct walk *w, unsigned resolve);
int walk_start(struct walk *w, struct dentry *base, const char *path, unsigned flags) must_check;
void walk_end(struct walk *w);
/* Go on to the directory of the last component: at, last. */
int walk_to_parent(struct walk *w) must_check;
/* The last component in w->at, counted; may be negative.  No link is followed, mounts are crossed. */
int walk_last(struct walk *w, struct dentry **out) must_check;
/* The same with the lock of w->at's inode held, LAST_NORMAL. */
int walk_last_locked(struct walk *w, struct dentry **out) must_check;
/* d, found as last component, is a symbolic link: go on with its target.  Consumes d in any case. */
int walk_follow(struct walk *w, struct dentry *d) must_check;
void missing_path(const char *path);

/* permission.c */
const struct fs_credentials *fs_credentials(void);
/* mask of R_OK, W_OK, X_OK: -EACCES, -EROFS. */
int inode_permission(struct inode *i, unsigned mask) must_check;
bool inode_is_owner(const struct inode *i);
bool in_own_group(uint32_t gid);
/* A name in dir may be removed (sticky directories): -EPERM, -EACCES, -EROFS. */
int inode_may_remove(struct inode *dir, struct inode *victim) must_check;
int inode_may_create(struct inode *dir) must_check;
/* Ids and mode of something new in dir: umask, set-group-id directories. */
void inode_request_init(struct inode_request *r, const struct inode *dir, uint32_t mode);
/* A write to the file: set-id bits go, unless privileged.  Inode locked. */
void inode_drop_set_id(struct inode *i);

/* mount.c */
extern struct dentry *root_dentry, *working_dentry;              /* under dentry_lock; counted */
int mount_at(struct super *super, struct dentry *at) must_check; /* at NULL: the root of all */
void mount_for_each(void (*visit)(struct super *s, void *context), void *context);

void names_init(void);
void open_init(void);
/* names.c: what request says becomes of d, a negative child of dir, whose inode is locked. */
int create_locked(
	struct dentry *dir, struct dentry *d, const struct inode_request *request) must_check;
/* names.c: a new name, of whatever kind; mode before umask. */
int make_node(struct dentry *base, const char *path, const struct inode_request *what,
	struct dentry **out) must_check;

/* open.c: the file of an inode, unchecked; flags as open(2). */
int open_inode(struct dentry *d, uint32_t flags, struct file **out) must_check;
/* open.c: of a dentry that was found, with all checks of open(2). */
int open_dentry(struct dentry *d, uint32_t flags, struct file **out) must_check;

/* regular.c, directory.c, anonymous.c */
extern const struct file_ops regular_ops, directory_ops, path_ops;
/* Under inode->lock: new size, with pages and mappings. */
int regular_set_size(struct inode *i, uint64_t size) must_check;
void unmap_pages(struct page_cache *c, uint64_t from);

void socket_binding_free(struct inode *i); /* socket_node.c */

/* lock.c */
void locks_free(struct inode *i);
void locks_show(struct text *t);

int device_open(struct inode *i, uint32_t flags, struct file **out) must_check; /* dev/device.c */

/* "/dev/vda", "vda", "LABEL=", "UUID=" (of an ext2, ext3 or ext4), "PARTUUID=" (of a partition); NULL: there is none.
 * Sleeps. */
struct block_device *disk_find(const char *name);
