/* mote volume: its words. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/folders.h"
#include "cli/memory.h"
#include "cli/table.h"
#include "cli/volume/volume.h"

#define SIZE_LEAST (16ull << 20) /* below there is no room for a journal */
#define SIZE_BLOCK 4096u

/* A named volume in somebody's hands. */
struct held {
	char *file;
	int lock;
};

static int hold(const char *name, bool writes, struct held *h)
{
	h->file = volume_find(name);
	h->lock = h->file ? volume_lock(name, h->file, writes) : -1;
	return h->file ? h->lock : -ENOENT;
}

static void let_go(struct held *h)
{
	if (h->lock >= 0)
		close(h->lock);
	free(h->file);
}

/* ---- New files, which get their name when they are complete ---- */

struct new_file {
	char *path, *temporary;
	int fd;
};

static int new_file_open(struct new_file *f, const char *path)
{
	f->path = memory_string(path);
	f->temporary = string_format("%s.%d.new", path, (int)getpid());
	f->fd = open(f->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return f->fd < 0 ? fail(errno, "cannot make %s: %s", path, strerror(errno)) : 0;
}

/* RENAME_NOREPLACE by link(2): what has the name stays. */
static int new_file_close(struct new_file *f, int err, bool replaces)
{
	if (err >= 0 && replaces && rename(f->temporary, f->path) < 0)
		err = fail(errno, "cannot make %s: %s", f->path, strerror(errno));
	if (err >= 0 && !replaces && link(f->temporary, f->path) < 0)
		err = fail(errno, "cannot make %s: %s", f->path, strerror(errno));
	if (f->fd >= 0) {
		close(f->fd);
		unlink(f->temporary);
	}
	free(f->path);
	free(f->temporary);
	return err < 0 ? err : 0;
}

static char *new_volume(const char *name)
{
	char *file = volume_file(name);

	if (!file || access(file, F_OK) < 0)
		return file;
	fail(EEXIST, "the volume %s is there already: mote volume rm %s removes it", name, name);
	free(file);
	return NULL;
}

/* ---- create, resize, rm, check ---- */

static int check_words(const struct options *o, size_t n, const char *usage)
{
	if (o->arguments.n == n + 1)
		return 0;
	return fail(EINVAL, "that takes other words: mote volume %s", usage);
}

static int check_volume_size(uint64_t size)
{
	if (size >= SIZE_LEAST)
		return 0;
	return fail(EINVAL, "a volume needs at least 16M: give -s SIZE, for example -s 2G");
}

static int create(const struct options *o)
{
	int err = check_words(o, 1, "create -s SIZE [--from DIR|TAR] NAME");
	struct new_file f;

	if (err >= 0 && (o->size || !o->from))
		err = check_volume_size(o->size);
	char *file = err < 0 ? NULL : new_volume(o->arguments.items[1]);

	if (!file)
		return -EINVAL;
	err = new_file_open(&f, file);
	if (err >= 0)
		err = volume_make(f.temporary, o->arguments.items[1],
			o->size > SIZE_LEAST ? o->size : SIZE_LEAST, o->from);
	err = new_file_close(&f, err, false);
	free(file);
	return err;
}

static int run_check(const char *file, const char *how)
{
	const char *const words[] = {"e2fsck", "-f", how, file, NULL};
	int status = volume_run_tool("e2fsck", words, how[1] == 'p');

	return status < 0 ? status : status > 2 ? -EIO : 0;
}

static int check(const struct options *o)
{
	struct held h;
	int err = check_words(o, 1, "check NAME");

	if (err < 0)
		return err;
	err = hold(o->arguments.items[1], true, &h);
	if (err >= 0)
		err = run_check(h.file, "-y");
	if (err == -EIO)
		fail(EIO, "e2fsck could not mend the volume %s", o->arguments.items[1]);
	let_go(&h);
	return err < 0 ? err : 0;
}

static int grow_or_shrink(const char *name, const char *file, uint64_t size)
{
	char *blocks = string_format("%llu", (unsigned long long)(size / SIZE_BLOCK));
	const char *const words[] = {"resize2fs", file, blocks, NULL};
	struct stat st;
	int err = run_check(file, "-p");

	if (err < 0)
		err = fail(EIO, "the volume %s is damaged: mote volume check %s", name, name);
	if (err >= 0 && stat(file, &st) < 0)
		err = -errno;
	size = size / SIZE_BLOCK * SIZE_BLOCK;
	if (err >= 0 && (uint64_t)st.st_size < size && truncate(file, (off_t)size) < 0)
		err = fail(errno, "cannot make %s larger: %s", file, strerror(errno));
	if (err >= 0) {
		err = volume_run_tool("resize2fs", words, true);
		if (err > 0)
			err = fail(EIO,
				"cannot resize the volume %s: what is in it needs more room", name);
	}
	if (err >= 0 && truncate(file, (off_t)size) < 0)
		err = -errno;
	free(blocks);
	return err;
}

static int resize(const struct options *o)
{
	struct held h;
	int err = check_words(o, 1, "resize -s SIZE NAME");

	if (err >= 0)
		err = check_volume_size(o->size);
	if (err < 0)
		return err;
	err = hold(o->arguments.items[1], true, &h);
	if (err >= 0)
		err = grow_or_shrink(o->arguments.items[1], h.file, o->size);
	let_go(&h);
	return err;
}

static int remove_volumes(const struct options *o)
{
	int result = 0;

	for (size_t i = 1; i < o->arguments.n; i++) {
		struct held h;
		int err = hold(o->arguments.items[i], true, &h);

		if (err >= 0 && unlink(h.file) < 0)
			err = fail(errno, "cannot remove the volume %s: %s", o->arguments.items[i],
				strerror(errno));
		let_go(&h);
		if (err < 0)
			result = err;
	}
	return result;
}

/* ---- ls, inspect ---- */

static json_t *facts_json(const char *name, const char *file, const struct volume_facts *f)
{
	char use = volume_use(file);

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "name", name, "file",
		file, "uuid", f->uuid, "label", f->label, "size", (json_int_t)f->size, "used",
		(json_int_t)f->used, "on_host", (json_int_t)f->on_host, "needs_recovery",
		f->needs_recovery, "use",
		use == 'w'   ? "writing"
		: use == 'r' ? "reading"
			     : "none");
}

static void volume_names(struct string_list *names)
{
	char *folder = folder_data("volumes");
	DIR *d = folder ? opendir(folder) : NULL;

	for (const struct dirent *e; d && (e = readdir(d));) {
		if (!string_ends(e->d_name, ".img") || e->d_name[0] == '.')
			continue;
		list_add_owned(names, string_format("%.*s", (int)strlen(e->d_name) - 4, e->d_name));
	}
	if (d)
		closedir(d);
	free(folder);
	list_sort(names);
}

static int print_json(json_t *j)
{
	int failed = json_dumpf(j, stdout, JSON_INDENT(2));

	putchar('\n');
	json_decref(j);
	return failed ? -EIO : 0;
}

static char *size_text(unsigned long long n)
{
	return n >> 30 ? string_format("%.1fG", (double)n / (1ull << 30))
		       : string_format("%.1fM", (double)n / (1ull << 20));
}

static void add_size(struct table *t, unsigned long long n)
{
	char *text = size_text(n);

	table_add(t, text);
	free(text);
}

static int list(const struct options *o)
{
	static const char *const titles[] = {"NAME", "SIZE", "USED", "ON HOST", "USE"};
	struct string_list names = {0};
	json_t *all = json_array();
	struct table t;
	int err = 0;

	table_open(&t, titles, sizeof(titles) / sizeof(titles[0]));
	volume_names(&names);
	for (size_t i = 0; i < names.n; i++) {
		struct volume_facts f;
		char *file = volume_file(names.items[i]);

		if (file && volume_read_facts(names.items[i], file, &f) >= 0) {
			json_t *j = facts_json(names.items[i], file, &f);

			table_add(&t, names.items[i]);
			add_size(&t, f.size);
			add_size(&t, f.used);
			add_size(&t, f.on_host);
			table_add(&t, json_string_value(json_object_get(j, "use")));
			json_array_append_new(all, j);
		} else {
			err = -EIO;
		}
		free(file);
	}
	list_free(&names);
	if (o->json) {
		list_free(&t.cells);
		return print_json(all) < 0 ? -EIO : err;
	}
	json_decref(all);
	table_print(&t);
	return err;
}

static int inspect(const struct options *o)
{
	json_t *all = json_array();
	int result = 0;

	for (size_t i = 1; i < o->arguments.n; i++) {
		struct volume_facts f;
		char *file = volume_find(o->arguments.items[i]);
		int err = file ? volume_read_facts(o->arguments.items[i], file, &f) : -ENOENT;

		if (err >= 0)
			json_array_append_new(all, facts_json(o->arguments.items[i], file, &f));
		else
			result = err;
		free(file);
	}
	return print_json(all) < 0 ? -EIO : result;
}

/* ---- snapshot, backup, restore ---- */

/* A copy of what a machine may be writing to: it stands still meanwhile; then its journal is replayed, so that the
 * copy is whole. */
static int copy_at_rest(const char *name, const char *file, struct new_file *to)
{
	struct string_list paused = {0};
	struct volume_facts f;
	int from = open(file, O_RDONLY | O_CLOEXEC);

	if (from < 0)
		return fail(errno, "cannot open the volume %s: %s", name, strerror(errno));
	int err = volume_users_pause(file, &paused);

	if (err >= 0)
		err = copy_sparse(from, to->fd);

	volume_users_resume(&paused);
	close(from);
	if (err >= 0)
		err = volume_read_facts(name, to->temporary, &f);
	if (err >= 0 && f.needs_recovery && run_check(to->temporary, "-p") < 0)
		err = fail(EIO, "the copy of the volume %s is damaged: mote volume check %s", name,
			name);
	return err;
}

static int snapshot(const struct options *o)
{
	int err = check_words(o, 2, "snapshot NAME NEW");
	struct new_file f;

	if (err < 0)
		return err;
	char *file = volume_find(o->arguments.items[1]);
	char *new = file ? new_volume(o->arguments.items[2]) : NULL;

	err = new ? new_file_open(&f, new) : -EINVAL;
	if (new) {
		if (err >= 0)
			err = copy_at_rest(o->arguments.items[1], file, &f);
		if (err >= 0)
			err = volume_renew_uuid(f.temporary);
		err = new_file_close(&f, err, false);
	}
	free(file);
	free(new);
	return err;
}

static int open_base(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(errno, "cannot open the backup %s: %s", path, strerror(errno));
	if (!delta_is(fd))
		return fd;
	close(fd);
	return fail(EINVAL, "%s builds on another backup itself: give that one to --base", path);
}

static int backup_delta(const struct options *o, int base, const char *file)
{
	struct new_file copy, to;
	int err = new_file_open(&copy, o->arguments.items[2]);

	if (err >= 0)
		err = copy_at_rest(o->arguments.items[1], file, &copy);
	if (err >= 0) {
		char *path = string_format("%s.delta", o->arguments.items[2]);

		err = new_file_open(&to, path);
		if (err >= 0)
			err = delta_write(base, copy.fd, to.fd);
		if (err >= 0 && rename(to.temporary, o->arguments.items[2]) < 0)
			err = fail(errno, "cannot make %s: %s", o->arguments.items[2],
				strerror(errno));
		free(path);
		close(to.fd);
		unlink(to.temporary);
		free(to.path);
		free(to.temporary);
	}
	/* Only the delta stays. */
	(void)!new_file_close(&copy, -ECANCELED, false);
	return err < 0 ? err : 0;
}

static int backup(const struct options *o)
{
	int err = check_words(o, 2, "backup [--base FILE] NAME FILE"), base = -1;
	struct new_file f;

	if (err < 0)
		return err;
	char *file = volume_find(o->arguments.items[1]);

	if (!file)
		return -ENOENT;
	if (o->base)
		err = base = open_base(o->base);
	if (err >= 0 && base >= 0) {
		err = backup_delta(o, base, file);
		close(base);
	} else if (err >= 0) {
		err = new_file_open(&f, o->arguments.items[2]);
		if (err >= 0)
			err = copy_at_rest(o->arguments.items[1], file, &f);
		err = new_file_close(&f, err, true);
	}
	free(file);
	return err;
}

static int restore_from(const struct options *o, int from, struct new_file *to)
{
	struct volume_facts f;
	int err = 0;

	if (delta_is(from) && !o->base)
		return fail(EINVAL, "%s builds on an earlier backup: give it with --base",
			o->arguments.items[2]);
	if (delta_is(from)) {
		int base = open_base(o->base);

		err = base < 0 ? base : delta_apply(base, from, to->fd);
		if (base >= 0)
			close(base);
	} else {
		err = copy_sparse(from, to->fd);
	}
	return err < 0 ? err : volume_read_facts(o->arguments.items[2], to->temporary, &f);
}

/* In place of the volume of that name, if nobody uses it. */
static int restore(const struct options *o)
{
	int err = check_words(o, 2, "restore [--base FILE] NAME FILE"), lock = -1;
	struct new_file f;

	if (err < 0)
		return err;
	int from = open(o->arguments.items[2], O_RDONLY | O_CLOEXEC);
	char *file = volume_file(o->arguments.items[1]);

	if (from < 0)
		err = fail(errno, "cannot open the backup %s: %s", o->arguments.items[2],
			strerror(errno));
	if (err >= 0 && !file)
		err = -EINVAL;
	if (err >= 0 && access(file, F_OK) == 0)
		err = lock = volume_lock(o->arguments.items[1], file, true);
	if (err >= 0) {
		err = new_file_open(&f, file);
		if (err >= 0)
			err = restore_from(o, from, &f);
		err = new_file_close(&f, err, true);
	}
	if (lock >= 0)
		close(lock);
	if (from >= 0)
		close(from);
	free(file);
	return err;
}

int command_volume(const struct options *o)
{
	static const struct {
		const char *word;
		int (*run)(const struct options *);
	} words[] = {{"create", create}, {"ls", list}, {"inspect", inspect}, {"resize", resize},
		{"rm", remove_volumes}, {"check", check}, {"snapshot", snapshot},
		{"backup", backup}, {"restore", restore}};
	const char *word = o->arguments.items[0];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].run(o) < 0 ? EXIT_MOTE_FAILED : 0;
	fail(EINVAL, "mote volume cannot %s: see mote volume --help", word);
	return EXIT_MOTE_FAILED;
}
