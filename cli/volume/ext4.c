/* The file system of a volume, through libext2fs; what that cannot do e2fsprogs' own tools do. */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/folders.h"
#include "cli/image_write.h"
#include "cli/memory.h"
#include "cli/source.h"
#include "cli/volume/volume.h"

static void uuid_text(const unsigned char uuid[16], char text[37])
{
	for (unsigned i = 0; i < 16; i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;

		text += snprintf(text, 4, "%s%02x", dash ? "-" : "", uuid[i]);
	}
}

static int explain(const char *name, const char *file, errcode_t code)
{
	if (code == EXT2_ET_BAD_MAGIC || code == EXT2_ET_SHORT_READ)
		return fail(EINVAL, "cannot use the volume %s: %s holds no ext4 file system", name,
			file);
	if (code == EXT2_ET_UNSUPP_FEATURE)
		return fail(EINVAL,
			"cannot use the volume %s: its file system has features that are "
			"not known here",
			name);
	if (code < 256)
		return fail((int)code, "cannot open the volume %s: %s", name, strerror((int)code));
	return fail(EIO, "cannot use the volume %s: it is damaged (%s): e2fsck -f %s mends it",
		name, error_message(code), file);
}

static int check_size(
	const char *name, const char *file, const struct volume_facts *f, unsigned long long have)
{
	if (f->size <= have)
		return 0;
	return fail(EIO,
		"cannot use the volume %s: its file system has %llu bytes, its file %s only %llu: "
		"truncate -s %llu %s, then e2fsck -f",
		name, f->size, file, have, f->size, file);
}

int volume_read_facts(const char *name, const char *file, struct volume_facts *f)
{
	ext2_filsys fs = NULL;
	struct stat st;

	initialize_ext2_error_table();
	*f = (struct volume_facts){0};
	errcode_t code = ext2fs_open(
		file, EXT2_FLAG_64BITS | EXT2_FLAG_JOURNAL_DEV_OK, 0, 0, unix_io_manager, &fs);

	if (code || stat(file, &st) < 0)
		return explain(name, file, code ? code : errno);
	struct ext2_super_block *s = fs->super;

	uuid_text(s->s_uuid, f->uuid);
	memcpy(f->label, s->s_volume_name, sizeof(s->s_volume_name));
	f->size = ext2fs_blocks_count(s) * fs->blocksize;
	f->used = f->size - ext2fs_free_blocks_count(s) * fs->blocksize;
	f->on_host = (unsigned long long)st.st_blocks * 512;
	f->needs_recovery = ext2fs_has_feature_journal_needs_recovery(s);
	bool is_damaged = s->s_state & EXT2_ERROR_FS;

	ext2fs_free(fs);
	if (is_damaged)
		return fail(EIO,
			"cannot use the volume %s: its file system was found damaged: e2fsck -f %s "
			"mends it",
			name, file);
	return S_ISREG(st.st_mode) ? check_size(name, file, f, (unsigned long long)st.st_size) : 0;
}

/* A file system of its own: another UUID, without new checksums everywhere (metadata_csum_seed). */
static int set_uuid(ext2_filsys fs)
{
	if (ext2fs_has_feature_metadata_csum(fs->super) &&
		!ext2fs_has_feature_csum_seed(fs->super)) {
		fs->super->s_checksum_seed = fs->csum_seed;
		ext2fs_set_feature_csum_seed(fs->super);
	}
	if (getrandom(fs->super->s_uuid, 16, 0) != 16)
		return -EIO;
	fs->super->s_uuid[6] = (fs->super->s_uuid[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
	fs->super->s_uuid[8] = (fs->super->s_uuid[8] & 0x3f) | 0x80;
	ext2fs_mark_super_dirty(fs);
	return 0;
}

int volume_renew_uuid(const char *file)
{
	ext2_filsys fs = NULL;
	errcode_t code =
		ext2fs_open(file, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
	int err = code ? -EIO : set_uuid(fs);

	if (fs)
		code = ext2fs_close_free(&fs);
	if (!code && err >= 0)
		return 0;
	return fail(EIO, "cannot give %s a UUID of its own: %s", file, error_message(code));
}

/* What a volume has and an image has not: a journal, its name, a UUID of its own. */
static int make_volume_of(const char *file, const char *label)
{
	ext2_filsys fs = NULL;
	errcode_t code =
		ext2fs_open(file, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);

	if (!code)
		code = ext2fs_read_bitmaps(fs);
	if (!code && set_uuid(fs) < 0)
		code = EIO;
	if (!code) {
		memset(fs->super->s_volume_name, 0, sizeof(fs->super->s_volume_name));
		memcpy(fs->super->s_volume_name, label,
			strnlen(label, sizeof(fs->super->s_volume_name)));
		code = ext2fs_add_journal_inode(
			fs, (blk_t)ext2fs_default_journal_size(ext2fs_blocks_count(fs->super)), 0);
	}
	errcode_t end = fs ? ext2fs_close_free(&fs) : 0;

	if (!code && !end)
		return 0;
	return fail(EIO, "cannot make the volume %s: %s", label, error_message(code ? code : end));
}

int volume_make(const char *file, const char *label, unsigned long long size, const char *from)
{
	struct manifest m = {0};
	struct inputs in = {0};
	struct source *source = NULL;
	int err = 0;

	initialize_ext2_error_table();
	if (from) {
		err = source_open_any(from, &in, &source);
		if (err >= 0)
			err = manifest_bring_tree(&m, source, "/", "/", 0);
	} else {
		manifest_add_folder(&m, "/", 0755);
	}
	manifest_add_folder(&m, "/lost+found", 0700);
	manifest_finish(&m);
	if (err >= 0)
		err = image_write(&m, file, label, size);
	if (err >= 0)
		err = make_volume_of(file, label);
	source_free(source);
	manifest_free(&m);
	inputs_free(&in);
	return err;
}

static void run_in_child(const char *path, const char *const words[], bool quiet)
{
	if (quiet) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	execv(path, (char *const *)(uintptr_t)words);
	_exit(127);
}

int volume_run_tool(const char *tool, const char *const words[], bool quiet)
{
	char *path = tool_find(tool);
	int status = 0;

	if (!path) { /* not in everybody's $PATH */
		path = string_format("/sbin/%s", tool);
		if (access(path, X_OK) < 0) {
			free(path);
			return fail(ENOENT, "cannot find %s: install the package e2fsprogs", tool);
		}
	}
	fflush(stdout);
	pid_t child = fork();

	if (child == 0)
		run_in_child(path, words, quiet);
	free(path);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return fail(errno, "cannot run %s: %s", tool, strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
