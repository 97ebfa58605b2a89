/*
 * A tar archive, compressed or not, read once through libarchive: the names stay in memory, the
 * contents go to a file without a name, so that they can be read in any order.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/source.h"

struct node {
	struct source_stat st;
	char *target;             /* of a symbolic link */
	uint64_t at;              /* where the content is kept */
	struct string_list names; /* of a folder */
};

struct tar {
	struct source source;
	struct map nodes; /* path -> struct node */
	FILE *contents;
	uint64_t end;
};

struct tar_file {
	struct source_file file;
	struct node *node;
};

static struct node *get(struct source *s, const char *path)
{
	return map_get(&((struct tar *)s)->nodes, path);
}

static int tar_stat(struct source *s, const char *path, struct source_stat *out)
{
	struct node *node = get(s, path);

	if (!node)
		return -ENOENT;
	*out = node->st;
	return 0;
}

static int tar_read_link(struct source *s, const char *path, char **target)
{
	struct node *node = get(s, path);

	if (!node || !node->target)
		return node ? -EINVAL : -ENOENT;
	*target = memory_string(node->target);
	return 0;
}

static int tar_open(struct source *s, const char *path, struct source_file **out)
{
	struct node *node = get(s, path);

	if (!node || !S_ISREG(node->st.mode))
		return node ? -EINVAL : -ENOENT;
	struct tar_file *file = memory_new(1, sizeof(*file));

	file->file = (struct source_file){.source = s, .size = node->st.size};
	file->node = node;
	*out = &file->file;
	return 0;
}

static ssize_t tar_read(struct source_file *file, uint64_t offset, void *buf, size_t len)
{
	struct node *node = ((struct tar_file *)file)->node;
	int fd = fileno(((struct tar *)file->source)->contents);

	if (offset >= node->st.size)
		return 0;
	if (len > node->st.size - offset)
		len = node->st.size - offset;
	ssize_t n = pread(fd, buf, len, (off_t)(node->at + offset));

	return n < 0 ? -errno : n;
}

static void tar_close(struct source_file *file)
{
	free(file);
}

static int tar_list(struct source *s, const char *path, struct string_list *names)
{
	struct node *node = get(s, path);

	if (!node || !S_ISDIR(node->st.mode))
		return node ? -ENOTDIR : -ENOENT;
	for (size_t i = 0; i < node->names.n; i++)
		list_add(names, node->names.items[i]);
	return 0;
}

static void tar_free(struct source *s)
{
	struct tar *tar = (struct tar *)s;

	for (size_t i = 0; i < tar->nodes.n_slots; i++) {
		struct node *node = tar->nodes.slots[i].value;

		if (!node)
			continue;
		free(node->target);
		list_free(&node->names);
		free(node);
	}
	map_free(&tar->nodes);
	if (tar->contents)
		fclose(tar->contents);
	free(s->name);
	free(s);
}

static const struct source_ops tar_ops = {
	.stat = tar_stat,
	.read_link = tar_read_link,
	.open = tar_open,
	.read = tar_read,
	.close = tar_close,
	.list = tar_list,
	.free = tar_free,
};

/* The node at path, made (with its folders) when it was not there. */
static struct node *make_node(struct tar *tar, const char *path)
{
	struct node *node = get(&tar->source, path);

	if (node)
		return node;
	node = memory_new(1, sizeof(*node));
	node->st.mode = S_IFDIR | 0755;
	map_put(&tar->nodes, path, node);
	if (strcmp(path, "/") != 0) {
		char *folder = path_folder(path);

		list_add(&make_node(tar, folder)->names, path_name(path));
		free(folder);
	}
	return node;
}

static int keep_content(struct tar *tar, struct archive *archive, struct node *node)
{
	char buf[65536];

	node->at = tar->end;
	node->st.size = 0;
	for (;;) {
		ssize_t n = archive_read_data(archive, buf, sizeof(buf));

		if (n < 0)
			return -EIO;
		if (n == 0)
			break;
		if (fwrite(buf, 1, (size_t)n, tar->contents) != (size_t)n)
			return -errno;
		node->st.size += (uint64_t)n;
	}
	tar->end += node->st.size;
	return 0;
}

static void keep_facts(struct node *node, struct archive_entry *entry)
{
	node->st.mode = archive_entry_mode(entry);
	node->st.uid = (uint32_t)archive_entry_uid(entry);
	node->st.gid = (uint32_t)archive_entry_gid(entry);
	node->st.mtime = archive_entry_mtime(entry);
	node->st.mtime_ns = (uint32_t)archive_entry_mtime_nsec(entry);
	node->st.major = (uint32_t)archive_entry_rdevmajor(entry);
	node->st.minor = (uint32_t)archive_entry_rdevminor(entry);
}

static int keep_entry(struct tar *tar, struct archive *archive, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	const char *twin_name = archive_entry_hardlink(entry);

	if (!name)
		return -EINVAL;
	char *path = path_join("/", name);
	struct node *node = make_node(tar, path);
	int err = 0;

	free(path);
	if (twin_name) {
		char *twin_path = path_join("/", twin_name);
		struct node *twin = get(&tar->source, twin_path);

		free(twin_path);
		if (!twin || !S_ISREG(twin->st.mode))
			return -EINVAL;
		node->st = twin->st;
		node->at = twin->at;
		return 0;
	}
	keep_facts(node, entry);
	if (S_ISLNK(node->st.mode)) {
		free(node->target);
		node->target = memory_string(archive_entry_symlink(entry) ?: "");
		node->st.size = strlen(node->target);
	} else if (S_ISREG(node->st.mode)) {
		err = keep_content(tar, archive, node);
	}
	return err;
}

static int read_archive(struct tar *tar, struct archive *archive, const char *path)
{
	int status = archive_read_open_filename(archive, path, 1 << 16);

	while (status == ARCHIVE_OK || status == ARCHIVE_WARN) {
		struct archive_entry *entry = NULL;

		status = archive_read_next_header(archive, &entry);
		if (status == ARCHIVE_EOF)
			return 0;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			break;
		int err = keep_entry(tar, archive, entry);

		if (err < 0)
			return fail(-err, "cannot read the archive %s: at %s: %s", path,
				archive_entry_pathname(entry) ?: "?",
				archive_error_string(archive) ?: strerror(-err));
	}
	return fail(EINVAL, "cannot read %s: neither a folder, an ext4 image nor a tar archive: %s",
		path, archive_error_string(archive) ?: "unknown format");
}

int source_open_tar(const char *path, struct source **out)
{
	struct tar *tar = memory_new(1, sizeof(*tar));
	struct archive *archive = archive_read_new();

	tar->source.ops = &tar_ops;
	tar->source.name = memory_string(path);
	tar->contents = tmpfile();
	make_node(tar, "/");
	int err = 0;

	if (!tar->contents || !archive) {
		err = fail(errno, "cannot make a temporary file: %s", strerror(errno));
	} else {
		archive_read_support_format_tar(archive);
		archive_read_support_filter_all(archive);
		err = read_archive(tar, archive, path);
		if (err >= 0 && fflush(tar->contents) != 0)
			err = fail(errno, "cannot write a temporary file: %s", strerror(errno));
	}
	if (archive)
		archive_read_free(archive);
	if (err < 0)
		tar_free(&tar->source);
	else
		*out = &tar->source;
	return err;
}
