/* Names: create, link, unlink, rename.  Each is one operation, so that after a crash it has happened or not. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define LINKS_MAX 65000u
/* Inodes, their bitmaps and descriptors, the superblock. */
#define INODE_BLOCKS 12u
#define ROOM 32u /* free blocks that a new name may need */

static bool counts_links(const struct inode *dir)
{
	return dir->n_links != 1; /* 1: there were too many to count */
}

static void add_link(struct inode *dir)
{
	if (counts_links(dir) && ++dir->n_links > LINKS_MAX)
		dir->n_links = 1;
}

static void drop_link(struct inode *dir)
{
	if (dir->n_links > 2)
		dir->n_links--;
}

static int begin(struct inode *dir, unsigned n)
{
	struct ext4 *fs = ext4_of(dir);
	if (!fs->journal || fs->aborted)
		return -EROFS;
	int err = n > EXT4_ENTRY_BLOCKS ? ext4_check_room(fs, ROOM) : 0;
	return err < 0 ? err : ext4_begin(fs, n + INODE_BLOCKS);
}

/* --- new inodes --- */

static int init_link(struct ext4_inode *e, const char *target)
{
	struct ext4 *fs = ext4_of(&e->inode);
	size_t len = strlen(target);
	struct ext4_block b;
	uint64_t number;
	inode_set_size(&e->inode, len);
	if (len < sizeof(e->block)) {
		memcpy(e->block, target, len);
		return 0;
	}
	e->flags = EXT4_INODE_EXTENTS;
	ext4_extent_init(e);
	uint32_t group = (uint32_t)(e->inode.number - 1) / fs->inodes_per_group;
	int err = ext4_block_allocate(e, ext4_group_start(fs, group), &number);
	if (err == 0)
		err = ext4_block_new(fs, number, EXT4_SEAL_NONE, 0, &b);
	if (err < 0)
		return err;
	memcpy(ext4_bytes(&b), target, len);
	ext4_block_put(&b);
	return ext4_extent_insert(e, &(struct ext4_run){0, 1, number, 0}, false);
}

static int init_inode(struct ext4_inode *e, uint32_t parent, const struct inode_request *r)
{
	int err = ext4_set_kind(e);
	if (err == 0 && S_ISDIR(r->mode))
		err = ext4_directory_init(e, parent);
	if (err == 0 && S_ISDIR(r->mode))
		e->inode.n_links = 2;
	return err;
}

/* The inode, with what it begins with. */
static int make_inode(struct inode *dir, const struct inode_request *r, struct inode **out)
{
	if (S_ISLNK(r->mode) && strlen(r->target) > ext4_of(dir)->block_size - 1)
		return -ENAMETOOLONG;
	int err = ext4_inode_create(dir, r, out);
	if (err < 0)
		return err;
	struct ext4_inode *e = ext4_inode_of(*out);
	if (S_ISLNK(r->mode))
		err = init_link(e, r->target);
	return err < 0 ? err : init_inode(e, (uint32_t)dir->number, r);
}

/* No name for it after all: as if it had had one. */
static int unmake(struct ext4_inode *e)
{
	e->inode.n_links = 0;
	int err = ext4_orphan_add(e);
	if (err == 0)
		err = ext4_store(e);
	e->gone = false;
	return err;
}

static int name_inode(struct inode *dir, const struct name *name, struct inode *i)
{
	struct ext4_inode *d = ext4_inode_of(dir), *e = ext4_inode_of(i);
	int err = ext4_entry_add(d, name, (uint32_t)i->number, (uint8_t)inode_entry_type(i->mode));
	if (err < 0) {
		int undone = unmake(e);
		return undone < 0 ? undone : err;
	}
	e->gone = false;
	if (S_ISDIR(i->mode))
		add_link(dir);
	err = ext4_store(e);
	return err < 0 ? err : ext4_store(d);
}

int ext4_create(struct inode *dir, const struct name *name, const struct inode_request *request,
	struct inode **out)
{
	struct inode *i = NULL;
	int err = begin(dir, EXT4_ENTRY_BLOCKS + EXT4_EXTENT_BLOCKS);
	if (err < 0)
		return err;
	err = make_inode(dir, request, &i);
	if (err == 0)
		err = name_inode(dir, name, i);
	ext4_end(ext4_of(dir));
	if (err < 0) {
		if (i)
			inode_put(i);
		return err;
	}
	inode_publish(i);
	*out = i;
	return 0;
}

int ext4_create_nameless(struct inode *dir, const struct inode_request *request, struct inode **out)
{
	struct inode *i = NULL;
	int err = begin(dir, EXT4_ENTRY_BLOCKS + EXT4_EXTENT_BLOCKS);
	if (err < 0)
		return err;
	err = make_inode(dir, request, &i);
	if (err == 0)
		err = unmake(ext4_inode_of(i));
	ext4_end(ext4_of(dir));
	if (err < 0) {
		if (i)
			inode_put(i);
		return err;
	}
	inode_publish(i);
	*out = i;
	return 0;
}

/* --- names of what is there --- */

int ext4_link(struct inode *dir, const struct name *name, struct inode *inode)
{
	struct ext4_inode *e = ext4_inode_of(inode), *d = ext4_inode_of(dir);
	if (inode->n_links >= LINKS_MAX)
		return -EMLINK;
	int err = begin(dir, EXT4_ENTRY_BLOCKS + 1);
	if (err < 0)
		return err;
	err = ext4_entry_add(
		d, name, (uint32_t)inode->number, (uint8_t)inode_entry_type(inode->mode));
	if (err == 0 && inode->n_links == 0)
		err = ext4_orphan_remove(e);
	if (err == 0) {
		inode->n_links++;
		err = ext4_store(e);
	}
	if (err == 0)
		err = ext4_store(d);
	ext4_end(ext4_of(dir));
	return err;
}

/* A name of it is gone. */
static int lose_name(struct inode *dir, struct inode *inode)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	if (S_ISDIR(inode->mode)) {
		inode->n_links = 0;
		drop_link(dir);
	} else if (inode->n_links > 0) {
		inode->n_links--;
	}
	int err = inode->n_links == 0 ? ext4_orphan_add(e) : 0;
	return err < 0 ? err : ext4_store(e);
}

int ext4_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
	int err = S_ISDIR(inode->mode) ? ext4_directory_check_empty(ext4_inode_of(inode)) : 0;
	if (err == 0)
		err = begin(dir, 4);
	if (err < 0)
		return err;
	err = ext4_entry_remove(ext4_inode_of(dir), name);
	if (err == 0)
		err = lose_name(dir, inode);
	if (err == 0)
		err = ext4_store(ext4_inode_of(dir));
	ext4_end(ext4_of(dir));
	return err;
}

/* --- rename --- */

struct rename {
	struct inode *from, *to, *moved, *victim;
	const struct name *old, *new;
};

static uint8_t type_of(const struct inode *i)
{
	return (uint8_t)inode_entry_type(i->mode);
}

/* A directory that changed its parent knows it, and the parents count it. */
static int change_parent(struct inode *moved, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(moved->mode) || from == to)
		return 0;
	drop_link(from);
	add_link(to);
	return ext4_directory_set_parent(ext4_inode_of(moved), (uint32_t)to->number);
}

static int exchange(const struct rename *r)
{
	int err = ext4_entry_set(
		ext4_inode_of(r->to), r->new, (uint32_t)r->moved->number, type_of(r->moved));
	if (err == 0)
		err = ext4_entry_set(ext4_inode_of(r->from), r->old, (uint32_t)r->victim->number,
			type_of(r->victim));
	if (err == 0)
		err = change_parent(r->moved, r->from, r->to);
	return err < 0 ? err : change_parent(r->victim, r->to, r->from);
}

/* white: what the old name leads to from then on; NULL: it goes. */
static int move(const struct rename *r, struct inode *white)
{
	struct ext4_inode *from = ext4_inode_of(r->from), *to = ext4_inode_of(r->to);
	uint32_t number = (uint32_t)r->moved->number;
	int err = r->victim ? ext4_entry_set(to, r->new, number, type_of(r->moved))
			    : ext4_entry_add(to, r->new, number, type_of(r->moved));
	if (err < 0)
		return err;
	err = white ? ext4_entry_set(from, r->old, (uint32_t)white->number, type_of(white))
		    : ext4_entry_remove(from, r->old);
	if (err == 0 && r->victim)
		err = lose_name(r->to, r->victim);
	return err < 0 ? err : change_parent(r->moved, r->from, r->to);
}

static int store_all(const struct rename *r)
{
	int err = ext4_store(ext4_inode_of(r->moved));
	if (err == 0 && r->victim)
		err = ext4_store(ext4_inode_of(r->victim));
	if (err == 0)
		err = ext4_store(ext4_inode_of(r->from));
	return err < 0 ? err : ext4_store(ext4_inode_of(r->to));
}

static int make_white(struct inode *dir, struct inode **out)
{
	const struct inode_request request = {.mode = S_IFCHR, .uid = dir->uid, .gid = dir->gid};
	int err = make_inode(dir, &request, out);
	if (err < 0)
		return err;
	err = unmake(ext4_inode_of(*out)); /* until it has the name */
	return err;
}

static int name_white(struct inode *white)
{
	white->n_links = 1;
	int err = ext4_orphan_remove(ext4_inode_of(white));
	return err < 0 ? err : ext4_store(ext4_inode_of(white));
}

int ext4_rename(struct inode *from, const struct name *old_name, struct inode *inode,
	struct inode *to, const struct name *new_name, struct inode *victim, unsigned flags)
{
	struct rename r = {from, to, inode, victim, old_name, new_name};
	struct inode *white = NULL;
	bool replaces = victim && !(flags & RENAME_EXCHANGE);
	int err = replaces && S_ISDIR(victim->mode)
			  ? ext4_directory_check_empty(ext4_inode_of(victim))
			  : 0;
	if (err == 0)
		err = begin(from, EXT4_ENTRY_BLOCKS + INODE_BLOCKS);
	if (err < 0)
		return err;
	if (flags & RENAME_WHITEOUT)
		err = make_white(from, &white);
	if (err == 0)
		err = flags & RENAME_EXCHANGE ? exchange(&r) : move(&r, white);
	if (err == 0 && white)
		err = name_white(white);
	if (err == 0)
		err = store_all(&r);
	ext4_end(ext4_of(from));
	if (white)
		inode_put(white);
	return err;
}
