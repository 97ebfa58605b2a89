/* An ext4 image, read through libext2fs. */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"
#include "cli/source.h"

#define LINK_MAX_BYTES 4096 /* a link's target never exceeds a block */

struct image {
	struct source source;
	ext2_filsys fs;
};

struct image_file {
	struct source_file file;
	ext2_file_t handle;
};

/* libext2fs's error numbers are its own beyond the small ones. */
static int number_of(errcode_t code)
{
	if (code == 0)
		return 0;
	if (code == EXT2_ET_FILE_NOT_FOUND)
		return -ENOENT;
	if (code == EXT2_ET_NO_DIRECTORY)
		return -ENOTDIR;
	return code > 0 && code < 4096 ? -(int)code : -EUCLEAN;
}

static int find(struct source *s, const char *path, ext2_ino_t *ino, struct ext2_inode_large *inode)
{
	ext2_filsys fs = ((struct image *)s)->fs;
	errcode_t code = ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, ino);

	if (!code)
		code = ext2fs_read_inode_full(fs, *ino, (struct ext2_inode *)inode, sizeof(*inode));
	return number_of(code);
}

static int image_stat(struct source *s, const char *path, struct source_stat *out)
{
	struct ext2_inode_large inode = {0};
	ext2_ino_t ino = 0;
	int err = find(s, path, &ino, &inode);

	if (err < 0)
		return err;
	*out = (struct source_stat){
		.mode = inode.i_mode,
		.uid = inode_uid(inode),
		.gid = inode_gid(inode),
		.size = EXT2_I_SIZE(&inode),
		.mtime = (int64_t)(int32_t)inode.i_mtime +
			 ((int64_t)(inode.i_mtime_extra & 3) << 32),
		.mtime_ns = inode.i_mtime_extra >> 2,
	};
	if (S_ISCHR(inode.i_mode) || S_ISBLK(inode.i_mode)) {
		uint32_t old = inode.i_block[0], new = inode.i_block[1];

		out->major = old ? old >> 8 & 0xff : new >> 8 & 0xfff;
		out->minor = old ? old & 0xff : (new & 0xff) | (new >> 12 & 0xfff00);
	}
	return 0;
}

static ssize_t read_at(ext2_file_t handle, uint64_t offset, void *buf, size_t len)
{
	unsigned int got = 0;
	unsigned int want = len > 1u << 30 ? 1u << 30 : (unsigned int)len;
	errcode_t code = ext2fs_file_llseek(handle, offset, EXT2_SEEK_SET, NULL);

	if (!code)
		code = ext2fs_file_read(handle, buf, want, &got);
	return code ? number_of(code) : (ssize_t)got;
}

static int image_read_link(struct source *s, const char *path, char **target)
{
	ext2_filsys fs = ((struct image *)s)->fs;
	struct ext2_inode_large inode = {0};
	ext2_ino_t ino = 0;
	int err = find(s, path, &ino, &inode);

	if (err < 0)
		return err;
	uint64_t len = EXT2_I_SIZE(&inode);

	if (!S_ISLNK(inode.i_mode) || len > LINK_MAX_BYTES)
		return S_ISLNK(inode.i_mode) ? -EUCLEAN : -EINVAL;
	if (ext2fs_is_fast_symlink((struct ext2_inode *)&inode)) {
		*target = memory_bytes(inode.i_block, len);
		return 0;
	}
	ext2_file_t handle = NULL;
	errcode_t code = ext2fs_file_open2(fs, ino, (struct ext2_inode *)&inode, 0, &handle);

	if (code)
		return number_of(code);
	char *buf = memory_new(len + 1, 1);
	ssize_t n = read_at(handle, 0, buf, len);

	ext2fs_file_close(handle);
	if (n != (ssize_t)len) {
		free(buf);
		return n < 0 ? (int)n : -EUCLEAN;
	}
	*target = buf;
	return 0;
}

static int image_open(struct source *s, const char *path, struct source_file **out)
{
	struct ext2_inode_large inode = {0};
	ext2_ino_t ino = 0;
	ext2_file_t handle = NULL;
	int err = find(s, path, &ino, &inode);

	if (err < 0)
		return err;
	if (!S_ISREG(inode.i_mode))
		return S_ISDIR(inode.i_mode) ? -EISDIR : -EINVAL;
	err = number_of(ext2fs_file_open(((struct image *)s)->fs, ino, 0, &handle));
	if (err < 0)
		return err;
	struct image_file *file = memory_new(1, sizeof(*file));

	file->file = (struct source_file){.source = s, .size = EXT2_I_SIZE(&inode)};
	file->handle = handle;
	*out = &file->file;
	return 0;
}

static ssize_t image_read(struct source_file *file, uint64_t offset, void *buf, size_t len)
{
	return read_at(((struct image_file *)file)->handle, offset, buf, len);
}

static void image_close(struct source_file *file)
{
	ext2fs_file_close(((struct image_file *)file)->handle);
	free(file);
}

static int add_name(
	struct ext2_dir_entry *entry, int offset, int block_size, char *buf, void *context)
{
	int len = ext2fs_dirent_name_len(entry);
	char *name = memory_bytes(entry->name, (size_t)len);
	bool usable = len && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		      strlen(name) == (size_t)len && !strchr(name, '/');

	(void)offset, (void)block_size, (void)buf;
	if (usable)
		list_add_owned(context, name);
	else
		free(name);
	return 0;
}

static int image_list(struct source *s, const char *path, struct string_list *names)
{
	struct ext2_inode_large inode = {0};
	ext2_ino_t ino = 0;
	int err = find(s, path, &ino, &inode);

	if (err < 0)
		return err;
	if (!S_ISDIR(inode.i_mode))
		return -ENOTDIR;
	return number_of(
		ext2fs_dir_iterate(((struct image *)s)->fs, ino, 0, NULL, add_name, names));
}

static void image_free(struct source *s)
{
	struct image *image = (struct image *)s;

	if (image->fs)
		ext2fs_free(image->fs);
	free(s->name);
	free(s);
}

static const struct source_ops image_ops = {
	.stat = image_stat,
	.read_link = image_read_link,
	.open = image_open,
	.read = image_read,
	.close = image_close,
	.list = image_list,
	.free = image_free,
};

int source_open_image(const char *path, struct source **out)
{
	struct image *image = memory_new(1, sizeof(*image));

	initialize_ext2_error_table();
	errcode_t code = ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &image->fs);

	if (code) {
		free(image);
		return fail(EUCLEAN,
			"cannot read the image %s: %s: check it with e2fsck -f, or "
			"build it again",
			path, error_message(code));
	}
	image->source.ops = &image_ops;
	image->source.name = memory_string(path);
	*out = &image->source;
	return 0;
}
