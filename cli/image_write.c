/*
 * The ext4 writer.  libext2fs keeps the books (superblock, groups, bitmaps, extent trees,
 * checksums); which inode and block goes where is decided here, in the manifest's order, so that
 * nothing depends on chance:
 *     inodes    2 is the root, the others follow from 11 in the manifest's order
 *     blocks    one after the other; a file is one run where the groups' own tables allow
 *     holes     every block of zeros in a file is a hole, whatever the source had
 *     random    UUID, hash seed and times derive from the manifest
 * Hard links become copies.  Folders are linear, not hashed: any ext4 reads that.
 */
#include "cli/image_write.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/image.h"
#include "cli/memory.h"
#include "cli/progress.h"

#define BLOCK 4096u
#define CHUNK_BLOCKS 256u /* read and written at a time */
#define INODE_SIZE 256u
#define FIRST_INODE 11u
#define EXTENT_MAX 32768u      /* blocks in one extent */
#define FAST_LINK_MAX 60u      /* a shorter target lies in the inode */
#define BYTES_PER_INODE 16384u /* of the free space of a larger image */
#define DIRENT_TAIL 12u        /* the checksum at a folder block's end */

/* An entry of the manifest in the file system. */
struct object {
	const struct entry *entry;
	ext2_ino_t ino, parent;
	uint32_t n_folders; /* inside a folder */
	size_t first, n;    /* a folder's entries, in struct writer's children */
};

struct writer {
	const struct manifest *manifest;
	const char *path, *name; /* where it is written, and for messages */
	ext2_filsys fs;
	struct object *objects; /* in the manifest's order; 0 is the root */
	size_t n_objects;
	struct object **children; /* grouped by folder */
	blk64_t goal;             /* where the next block is looked for */
};

/* A file that is being written. */
struct stream {
	struct writer *writer;
	ext2_extent_handle_t handle;
	struct ext2fs_extent pending; /* not inserted yet; e_len 0 = none */
	blk64_t n_blocks;
};

static int failed(const struct writer *w, errcode_t code, const char *what)
{
	return fail(EIO, "cannot write the image %s: %s: %s", w->name, what, error_message(code));
}

/* ---- The plan ---- */

static struct object *object_at(struct writer *w, struct map *by_path, const char *path)
{
	(void)w;
	return map_get(by_path, path);
}

static void plan_inodes(struct writer *w, struct map *by_path)
{
	ext2_ino_t next = FIRST_INODE;

	for (size_t i = 0; i < w->n_objects; i++) {
		struct object *o = &w->objects[i];

		o->entry = w->manifest->entries[i];
		o->ino = i == 0 ? EXT2_ROOT_INO : next++;
		o->parent = EXT2_ROOT_INO;
		map_put(by_path, o->entry->path, o);
		if (i == 0)
			continue;
		char *folder = path_folder(o->entry->path);
		struct object *parent = object_at(w, by_path, folder);

		free(folder);
		o->parent = parent->ino;
		parent->n++;
		parent->n_folders += S_ISDIR(o->entry->st.mode);
	}
}

/* Groups the objects by folder; inside a folder the manifest's order stays. */
static void plan_folders(struct writer *w, struct map *by_path)
{
	size_t at = 0;

	w->children = memory_new(w->n_objects, sizeof(w->children[0]));
	for (size_t i = 0; i < w->n_objects; i++) {
		w->objects[i].first = at;
		at += w->objects[i].n;
		w->objects[i].n = 0;
	}
	for (size_t i = 1; i < w->n_objects; i++) {
		char *folder = path_folder(w->objects[i].entry->path);
		struct object *parent = object_at(w, by_path, folder);

		free(folder);
		w->children[parent->first + parent->n++] = &w->objects[i];
	}
}

static void plan(struct writer *w)
{
	struct map by_path = {0};

	w->n_objects = w->manifest->n_entries;
	w->objects = memory_new(w->n_objects, sizeof(w->objects[0]));
	plan_inodes(w, &by_path);
	plan_folders(w, &by_path);
	map_free(&by_path);
}

static unsigned dirent_size(const char *name)
{
	return (8 + (unsigned)strlen(name) + 3) & ~3u;
}

static blk64_t folder_blocks(const struct writer *w, const struct object *o)
{
	unsigned used = 12 + 12; /* "." and ".." */
	blk64_t n = 1;

	for (size_t i = 0; i < o->n; i++) {
		unsigned size = dirent_size(path_name(w->children[o->first + i]->entry->path));

		if (used + size > BLOCK - DIRENT_TAIL) {
			n++;
			used = 0;
		}
		used += size;
	}
	return n;
}

/*
 * The blocks an object needs at most.  Blocks of the extent tree are needed beyond four extents;
 * holes, which make extents, save more blocks than that; only very large files need more.
 */
static blk64_t object_blocks(const struct writer *w, const struct object *o)
{
	const struct source_stat *st = &o->entry->st;

	if (S_ISDIR(st->mode))
		return folder_blocks(w, o);
	if (S_ISLNK(st->mode))
		return st->size >= FAST_LINK_MAX;
	if (!S_ISREG(st->mode))
		return 0;
	blk64_t n = st->size / BLOCK + (st->size % BLOCK != 0);

	return n + (n > 4 * 30000 ? n / (30000 * 300) + 2 : 0);
}

/* ---- The empty file system ---- */

/* UUID and hash seed: bytes that depend on everything in the manifest but the contents. */
static void make_identity(const struct writer *w, unsigned char identity[EXT2FS_SHA512_LENGTH])
{
	struct text all = {0};

	for (size_t i = 0; i < w->n_objects; i++) {
		const struct entry *e = w->objects[i].entry;

		text_format(&all, "%s %o %u %u %" PRIu64 " %" PRId64 " %s\n", e->path, e->st.mode,
			e->st.uid, e->st.gid, S_ISDIR(e->st.mode) ? 0 : e->st.size, e->st.mtime,
			e->target ? e->target : "");
	}
	ext2fs_sha512((unsigned char *)all.data, all.len, identity);
	text_free(&all);
}

static void set_parameters(struct ext2_super_block *super, blk64_t n_blocks, uint32_t n_inodes)
{
	super->s_rev_level = EXT2_DYNAMIC_REV;
	super->s_log_block_size = 2;
	super->s_log_cluster_size = 2;
	super->s_inode_size = INODE_SIZE;
	super->s_inodes_count = n_inodes;
	super->s_desc_size = EXT2_MIN_DESC_SIZE_64BIT;
	super->s_log_groups_per_flex = 4;
	super->s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_DIR_INDEX;
	super->s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
				    EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
	super->s_feature_ro_compat =
		EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
		EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
		EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
	ext2fs_blocks_count_set(super, n_blocks);
}

static void set_identity(const struct writer *w)
{
	struct ext2_super_block *super = w->fs->super;
	unsigned char identity[EXT2FS_SHA512_LENGTH];
	uint32_t now = (uint32_t)w->manifest->newest_mtime;

	make_identity(w, identity);
	identity[6] = (identity[6] & 0x0f) | 0x80; /* RFC 9562: version 8, custom */
	identity[8] = (identity[8] & 0x3f) | 0x80;
	memcpy(super->s_uuid, identity, 16);
	memcpy(super->s_hash_seed, identity + 16, 16);
	memcpy(super->s_volume_name, IMAGE_LABEL, sizeof(IMAGE_LABEL) - 1);
	super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	super->s_flags = EXT2_FLAGS_SIGNED_HASH;
	super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_max_mnt_count = -1;
	super->s_min_extra_isize = super->s_want_extra_isize = 32;
	super->s_mkfs_time = super->s_lastcheck = super->s_wtime = now;
	w->fs->now = now ? now : 1; /* 0 would mean the time of day */
}

static errcode_t make_empty(struct writer *w, blk64_t n_blocks, uint32_t n_inodes)
{
	struct ext2_super_block parameters = {0};

	set_parameters(&parameters, n_blocks, n_inodes);
	errcode_t code =
		ext2fs_initialize(w->path, EXT2_FLAG_64BITS, &parameters, unix_io_manager, &w->fs);

	if (code)
		return code;
	set_identity(w);
	ext2fs_init_csum_seed(w->fs);
	code = ext2fs_allocate_tables(w->fs);
	for (dgrp_t i = 0; !code && i < w->fs->group_desc_count; i++) {
		ext2fs_bg_flags_set(w->fs, i, EXT2_BG_INODE_ZEROED);
		ext2fs_group_desc_csum_set(w->fs, i);
	}
	return code;
}

/* Makes the smallest file system that has n_free blocks and n_inodes, at least min_blocks large. */
static int make_file_system(struct writer *w, blk64_t n_free, uint32_t n_inodes, blk64_t min_blocks)
{
	blk64_t n_blocks = n_free + n_inodes / (BLOCK / INODE_SIZE) + 8;

	if (n_blocks < min_blocks) {
		n_inodes += (uint32_t)((min_blocks - n_blocks) / (BYTES_PER_INODE / BLOCK));
		n_blocks = min_blocks;
	}
	for (;;) {
		errcode_t code = make_empty(w, n_blocks, n_inodes);

		if (!code) {
			blk64_t have = ext2fs_free_blocks_count(w->fs->super);

			if (have >= n_free)
				return truncate(w->path, (off_t)(n_blocks * BLOCK)) < 0
					       ? failed(w, errno, "growing")
					       : 0;
			n_blocks += n_free - have;
		} else if (code != EXT2_ET_BLOCK_ALLOC_FAIL && code != EXT2_ET_TOOSMALL) {
			return failed(w, code, "making the file system");
		} else {
			n_blocks += n_blocks / 16 + 64;
		}
		if (w->fs)
			ext2fs_free(w->fs);
		w->fs = NULL;
	}
}

static void reserve_inodes(struct writer *w)
{
	for (ext2_ino_t ino = 1; ino < FIRST_INODE; ino++)
		ext2fs_inode_alloc_stats2(w->fs, ino, +1, ino == EXT2_ROOT_INO);
}

/* ---- Inodes ---- */

static uint32_t extra_time(int64_t seconds, uint32_t ns)
{
	return (uint32_t)(((seconds - (int32_t)seconds) >> 32) & 3) | ns << 2;
}

static void fill_inode(const struct object *o, struct ext2_inode_large *inode)
{
	const struct source_stat *st = &o->entry->st;
	uint32_t seconds = (uint32_t)st->mtime, extra = extra_time(st->mtime, st->mtime_ns);

	inode->i_mode = (uint16_t)st->mode;
	inode->i_uid = (uint16_t)st->uid;
	inode->i_gid = (uint16_t)st->gid;
	ext2fs_set_i_uid_high(*inode, st->uid >> 16);
	ext2fs_set_i_gid_high(*inode, st->gid >> 16);
	inode->i_links_count = 1;
	inode->i_extra_isize = 32;
	inode->i_atime = inode->i_mtime = inode->i_ctime = inode->i_crtime = seconds;
	inode->i_atime_extra = inode->i_mtime_extra = inode->i_ctime_extra = extra;
	inode->i_crtime_extra = extra;
	if (S_ISDIR(st->mode))
		inode->i_links_count = o->n_folders + 2 > 65000 ? 1 : (uint16_t)(o->n_folders + 2);
	if (S_ISCHR(st->mode) || S_ISBLK(st->mode)) {
		if (st->major < 256 && st->minor < 256)
			inode->i_block[0] = st->major << 8 | st->minor;
		else
			inode->i_block[1] =
				(st->minor & 0xff) | st->major << 8 | (st->minor & ~0xffu) << 12;
	}
}

static errcode_t write_inode(
	struct writer *w, const struct object *o, struct ext2_inode_large *inode)
{
	return ext2fs_write_inode_full(w->fs, o->ino, (struct ext2_inode *)inode, sizeof(*inode));
}

/* ---- Blocks ---- */

static errcode_t flush_extent(struct stream *s)
{
	errcode_t code = 0;

	if (s->pending.e_len) {
		code = ext2fs_extent_insert(s->handle, EXT2_EXTENT_INSERT_AFTER, &s->pending);
		if (!code)
			code = ext2fs_extent_fix_parents(s->handle);
	}
	s->pending.e_len = 0;
	return code;
}

/* Adds n blocks of data at the file's block number at. */
static errcode_t stream_blocks(struct stream *s, blk64_t at, const char *data, unsigned n)
{
	ext2_filsys fs = s->writer->fs;

	while (n) {
		struct ext2fs_extent *p = &s->pending;
		blk64_t found = 0, got = 0;
		errcode_t code = ext2fs_new_range(fs, 0, s->writer->goal, n, NULL, &found, &got);

		if (code)
			return code;
		unsigned len = got < n ? (unsigned)got : n;

		ext2fs_block_alloc_stats_range(fs, found, len, +1);
		s->writer->goal = found + len;
		code = io_channel_write_blk64(fs->io, found, (int)len, data);
		bool joins = p->e_len && p->e_pblk + p->e_len == found &&
			     p->e_lblk + p->e_len == at && p->e_len + len <= EXTENT_MAX;

		if (!code && !joins)
			code = flush_extent(s);
		if (code)
			return code;
		if (!joins)
			*p = (struct ext2fs_extent){.e_pblk = found, .e_lblk = at};
		p->e_len += len;
		s->n_blocks += len;
		at += len;
		data += (size_t)len * BLOCK;
		n -= len;
	}
	return 0;
}

static errcode_t stream_begin(
	struct writer *w, const struct object *o, struct ext2_inode_large *inode, struct stream *s)
{
	*s = (struct stream){.writer = w};
	inode->i_flags |= EXT4_EXTENTS_FL;
	errcode_t code = write_inode(w, o, inode);

	if (!code)
		code = ext2fs_extent_open2(w->fs, o->ino, (struct ext2_inode *)inode, &s->handle);
	return code;
}

/* The last extent, the count of blocks and the size; the inode is complete then. */
static errcode_t stream_end(
	struct stream *s, const struct object *o, struct ext2_inode_large *inode, uint64_t size)
{
	ext2_filsys fs = s->writer->fs;
	errcode_t code = flush_extent(s);

	ext2fs_extent_free(s->handle);
	if (!code)
		code = ext2fs_iblk_add_blocks(fs, (struct ext2_inode *)inode, s->n_blocks);
	if (!code)
		code = ext2fs_inode_size_set(fs, (struct ext2_inode *)inode, size);
	return code ? code : write_inode(s->writer, o, inode);
}

static bool is_zero(const char *block)
{
	return block[0] == 0 && memcmp(block, block + 1, BLOCK - 1) == 0;
}

/* Adds the blocks of a chunk that are not all zeros. */
static errcode_t stream_chunk(struct stream *s, blk64_t at, const char *data, unsigned n)
{
	errcode_t code = 0;

	for (unsigned i = 0, start; !code && i < n; i++) {
		if (is_zero(data + (size_t)i * BLOCK))
			continue;
		for (start = i; i < n && !is_zero(data + (size_t)i * BLOCK); i++)
			;
		code = stream_blocks(s, at + start, data + (size_t)start * BLOCK, i - start);
	}
	return code;
}

static errcode_t copy_content(
	struct stream *s, const struct entry *e, struct source_file *file, int *read_err)
{
	static char buf[CHUNK_BLOCKS * BLOCK];
	errcode_t code = 0;

	for (uint64_t at = 0; !code && *read_err >= 0 && at < e->st.size; at += sizeof(buf)) {
		uint64_t left = e->st.size - at;
		unsigned len = left < sizeof(buf) ? (unsigned)left : (unsigned)sizeof(buf);

		if (file)
			*read_err = source_read(file, at, buf, len);
		else
			memcpy(buf, e->data + at, len);
		memset(buf + len, 0, -len % BLOCK);
		if (*read_err >= 0)
			code = stream_chunk(s, at / BLOCK, buf, (len + BLOCK - 1) / BLOCK);
		progress_advance(len);
	}
	return code;
}

static int write_file(struct writer *w, const struct object *o, struct ext2_inode_large *inode)
{
	const struct entry *e = o->entry;
	struct source_file *file = NULL;
	struct stream s;
	int err = 0;

	if (e->source)
		err = source_open(e->source, e->source_path, &file);
	if (err >= 0 && file && file->size != e->st.size)
		err = -EIO;
	if (err >= 0) {
		errcode_t code = stream_begin(w, o, inode, &s);

		if (!code) {
			code = copy_content(&s, e, file, &err);
			errcode_t end = stream_end(&s, o, inode, e->st.size);

			code = code ? code : end;
		}
		if (code)
			err = failed(w, code, "writing a file");
		else if (err >= 0)
			goto out;
	}
	if (err < 0 && err != -EIO)
		fail(-err, "cannot read %s: %s", e->source_path, strerror(-err));
	else if (err < 0 && e->source)
		fail(EIO, "cannot read %s: it changed while it was read: try again",
			e->source_path);
out:
	source_close(file);
	return err;
}

/* ---- Folders and links ---- */

static unsigned char dirent_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return EXT2_FT_DIR;
	case S_IFLNK:
		return EXT2_FT_SYMLINK;
	case S_IFCHR:
		return EXT2_FT_CHRDEV;
	case S_IFBLK:
		return EXT2_FT_BLKDEV;
	default:
		return EXT2_FT_REG_FILE;
	}
}

/* One block of a folder that is being filled; the last entry always reaches the tail. */
struct folder_block {
	char data[BLOCK];
	unsigned used, last;
};

static void add_dirent(struct folder_block *b, const char *name, ext2_ino_t ino, unsigned char type)
{
	struct ext2_dir_entry_2 *entry = (void *)(b->data + b->used);
	struct ext2_dir_entry_2 *before = (void *)(b->data + b->last);

	if (b->used)
		before->rec_len = (uint16_t)(b->used - b->last);
	b->last = b->used;
	entry->inode = ino;
	entry->name_len = (uint8_t)strlen(name);
	entry->file_type = type;
	entry->rec_len = (uint16_t)(BLOCK - DIRENT_TAIL - b->used);
	memcpy(entry->name, name, strlen(name));
	b->used += dirent_size(name);
}

/* Writes the block as the folder's number at and empties it. */
static errcode_t end_folder_block(
	struct stream *s, const struct object *o, blk64_t at, struct folder_block *b)
{
	ext2_filsys fs = s->writer->fs;

	ext2fs_initialize_dirent_tail(fs, EXT2_DIRENT_TAIL(b->data, BLOCK));
	errcode_t code = stream_blocks(s, at, b->data, 1);

	if (!code)
		code = ext2fs_write_dir_block4(
			fs, s->pending.e_pblk + s->pending.e_len - 1, b->data, 0, o->ino);
	memset(b, 0, sizeof(*b));
	return code;
}

static errcode_t write_folder(
	struct writer *w, const struct object *o, struct ext2_inode_large *inode)
{
	struct folder_block b = {0};
	struct stream s;
	blk64_t at = 0;
	errcode_t code = stream_begin(w, o, inode, &s);

	if (code)
		return code;
	add_dirent(&b, ".", o->ino, EXT2_FT_DIR);
	add_dirent(&b, "..", o->parent, EXT2_FT_DIR);
	for (size_t i = 0; !code && i < o->n; i++) {
		const struct object *child = w->children[o->first + i];
		const char *name = path_name(child->entry->path);

		if (b.used + dirent_size(name) > BLOCK - DIRENT_TAIL)
			code = end_folder_block(&s, o, at++, &b);
		add_dirent(&b, name, child->ino, dirent_type(child->entry->st.mode));
	}
	if (!code)
		code = end_folder_block(&s, o, at++, &b);
	errcode_t end = stream_end(&s, o, inode, at * BLOCK);

	return code ? code : end;
}

static errcode_t write_link(
	struct writer *w, const struct object *o, struct ext2_inode_large *inode)
{
	const struct entry *e = o->entry;
	char block[BLOCK] = {0};
	struct stream s;

	if (e->st.size >= BLOCK)
		return ENAMETOOLONG;
	if (e->st.size < FAST_LINK_MAX) {
		memcpy(inode->i_block, e->target, e->st.size);
		inode->i_size = (uint32_t)e->st.size;
		return write_inode(w, o, inode);
	}
	memcpy(block, e->target, e->st.size);
	errcode_t code = stream_begin(w, o, inode, &s);

	if (!code) {
		code = stream_blocks(&s, 0, block, 1);
		errcode_t end = stream_end(&s, o, inode, e->st.size);

		code = code ? code : end;
	}
	return code;
}

/* ---- All together ---- */

static int write_object(struct writer *w, const struct object *o)
{
	struct ext2_inode_large inode = {0};
	const struct entry *e = o->entry;
	errcode_t code;

	if (strlen(path_name(e->path)) > EXT2_NAME_LEN)
		return fail(
			ENAMETOOLONG, "cannot write the image: the name %s is too long", e->path);
	if (o->ino != EXT2_ROOT_INO)
		ext2fs_inode_alloc_stats2(w->fs, o->ino, +1, S_ISDIR(e->st.mode));
	fill_inode(o, &inode);
	if (S_ISREG(e->st.mode))
		return write_file(w, o, &inode);
	if (S_ISDIR(e->st.mode))
		code = write_folder(w, o, &inode);
	else if (S_ISLNK(e->st.mode))
		code = write_link(w, o, &inode);
	else
		code = write_inode(w, o, &inode);
	return code ? failed(w, code, e->path) : 0;
}

static int write_objects(struct writer *w)
{
	int err = 0;

	for (size_t i = 0; err >= 0 && i < w->n_objects; i++)
		err = write_object(w, &w->objects[i]);
	return err;
}

int image_write(const struct manifest *m, const char *path, const char *name, uint64_t min_bytes)
{
	struct writer w = {.manifest = m, .path = path, .name = name};
	uint64_t total = 0;
	blk64_t n_free = 0;

	initialize_ext2_error_table();
	plan(&w);
	for (size_t i = 0; i < w.n_objects; i++) {
		n_free += object_blocks(&w, &w.objects[i]);
		total += S_ISREG(w.objects[i].entry->st.mode) ? w.objects[i].entry->st.size : 0;
	}
	int err = make_file_system(
		&w, n_free, (uint32_t)w.n_objects + FIRST_INODE, min_bytes / BLOCK);

	if (err < 0)
		goto free_file_system;
	progress_start("building the image", total);
	reserve_inodes(&w);
	err = write_objects(&w);
	progress_end();
	if (err < 0)
		goto free_file_system;
	errcode_t code = ext2fs_close_free(&w.fs);

	if (code)
		err = failed(&w, code, "closing");
free_file_system:
	if (w.fs)
		ext2fs_free(w.fs);
	free(w.objects);
	free(w.children);
	return err;
}
