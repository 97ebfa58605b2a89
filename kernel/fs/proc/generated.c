/*
 * Trees of generated files: lookup and listing straight from the tables, text made at the first read from the start.
 */
#include "kernel/fs/proc/generated.h"

#include "abi/linux/errno.h"
#include "abi/linux/statfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define TABLES_MAX 256u
#define PATTERN_MAX 256u
#define TEXT_FIRST 1024u
#define TEXT_MAX (8u << 20)
#define STORE_MAX 4096u
#define FIRST_POSITION 2u
#define TASK_POSITIONS (1ull << 32) /* above those of table entries */

static struct {
	const struct generated_file *files;
	unsigned n;
} tables[TABLES_MAX];
static unsigned n_tables, n_files;
static int (*task_lister)(int from);

void vfs_generated_add(const struct generated_file *table, unsigned n)
{
	assert(n_tables < TABLES_MAX);
	tables[n_tables].files = table;
	tables[n_tables++].n = n;
	n_files += n;
}

void vfs_set_task_lister(int (*next)(int from))
{
	task_lister = next;
}

/* --- tables made when /sys is first looked into ------------------------------------------------ */

#define LATER_MAX 4u
static void (*later[LATER_MAX])(void);
static unsigned n_later;
static struct mutex later_lock;
static atomic_bool later_done;

void vfs_generated_later(void (*add)(void))
{
	assert(n_later < LATER_MAX);
	later[n_later++] = add;
}

static void run_later(const char *pattern)
{
	if (likely(later_done) || !string_starts_with(pattern, "/sys"))
		return;
	mutex_lock(&later_lock);
	if (!later_done)
		for (unsigned n = 0; n < n_later; n++)
			later[n]();
	later_done = true;
	mutex_unlock(&later_lock);
}

void vfs_generated_each(const char *folder, const char *instance, int number,
	const struct generated_each *each, unsigned n)
{
	struct generated_file *table = heap_array(n, sizeof(*table));
	unsigned used = 0;
	for (unsigned i = 0; table && i < n; i++) {
		char path[PATTERN_MAX];
		format(path, sizeof(path), "%s/%s/%s", folder, instance, each[i].name);
		table[used].path = heap_string(path);
		table[used].show = each[i].show;
		table[used].number = number;
		used += table[used].path != NULL;
	}
	if (used && n_tables < TABLES_MAX)
		vfs_generated_add(table, used);
}

void vfs_generated_link(const char *folder, const char *instance, int number,
	long (*link)(char *buf, size_t size, int number))
{
	struct generated_file *f = heap_zalloc(sizeof(*f));
	char path[PATTERN_MAX];
	format(path, sizeof(path), "%s/%s", folder, instance);
	if (!f || !(f->path = heap_string(path)) || n_tables >= TABLES_MAX)
		return;
	f->link = link;
	f->number = number;
	vfs_generated_add(f, 1);
}

int next_task(int from)
{
	return task_lister ? task_lister(from) : from <= 1 ? 1 : -1;
}

/* --- the names there are: special ones first, then all tables in one row ----------------------- */

struct item {
	const char *path;
	const struct special *special;
	const struct generated_file *file;
};

/* For going through all of them: a look-up looks at hundreds. */
struct cursor {
	unsigned table, n; /* table 0: the special ones */
};

static inline bool next_item(struct cursor *c, struct item *out)
{
	while (c->table <= n_tables) {
		unsigned size = c->table ? tables[c->table - 1].n : n_specials;
		if (c->n < size) {
			out->special = c->table ? NULL : &specials[c->n];
			out->file = c->table ? &tables[c->table - 1].files[c->n] : NULL;
			out->path = c->table ? out->file->path : out->special->path;
			c->n++;
			return true;
		}
		c->table++;
		c->n = 0;
	}
	return false;
}

static bool item_at(unsigned n, struct item *out)
{
	*out = (struct item){0};
	if (n < n_specials) {
		out->special = &specials[n];
		out->path = specials[n].path;
		return true;
	}
	n -= n_specials;
	for (unsigned i = 0; i < n_tables; i++) {
		if (n < tables[i].n) {
			out->file = &tables[i].files[n];
			out->path = out->file->path;
			return true;
		}
		n -= tables[i].n;
	}
	return false;
}

/* What of path lies below the directory; NULL: it is not below it. */
static inline const char *below(const char *path, const char *pattern, size_t len)
{
	/* Most differ within "/proc" and "/sys": no call for those. */
	if (len >= 2 && path[1] != pattern[1])
		return NULL;
	return !strncmp(path, pattern, len) && path[len] == '/' ? path + len + 1 : NULL;
}

static size_t component_len(const char *s)
{
	const char *slash = strchr(s, '/');
	return slash ? (size_t)(slash - s) : strlen(s);
}

static uint32_t item_mode(const struct item *item)
{
	if (item->special)
		return item->special->mode;
	const struct generated_file *f = item->file;
	if (f->link)
		return S_IFLNK | 0777;
	return S_IFREG | (f->mode ? f->mode : f->store ? 0644u : 0444u);
}

/* Does the directory hold tasks?  Their names come and go. */
static bool holds_tasks(const char *pattern)
{
	struct item item;
	size_t len = strlen(pattern);
	struct cursor at = {0};
	while (next_item(&at, &item)) {
		const char *rest = below(item.path, pattern, len);
		if (rest && rest[0] == '*')
			return true;
	}
	return false;
}

/* --- inodes ---------------------------------------------------------------------------------- */

static const struct inode_ops directory_inode_ops, text_inode_ops, link_inode_ops;

struct inode *generated_new(struct super *s, uint32_t mode, const struct generated_file *file,
	int tid, const char *name)
{
	uint64_t number = name_hash(name, strlen(name)) | (uint64_t)(uint32_t)tid << 32;
	struct inode *i = inode_new(s, number ? number : 1);
	if (!i)
		return NULL;
	struct generated *g = generated_of(i);
	i->mode = mode;
	i->n_links = S_ISDIR(mode) ? 2 : 1;
	i->ops = file && file->link ? &link_inode_ops : &text_inode_ops;
	g->file = file;
	g->tid = tid;
	if (s->type == &sysfs_filesystem && S_ISREG(mode))
		inode_set_size(i, PAGE_SIZE);
	return i;
}

static int directory_new(struct super *s, const char *pattern, int tid, struct inode **out)
{
	struct inode *i = generated_new(s, S_IFDIR | 0555, NULL, tid, pattern);
	if (!i)
		return -ENOMEM;
	i->ops = &directory_inode_ops;
	if (holds_tasks(pattern))
		i->flags |= INODE_UNCACHED;
	generated_of(i)->pattern = heap_string(pattern);
	if (!generated_of(i)->pattern) {
		inode_put(i);
		return -ENOMEM;
	}
	*out = i;
	return 0;
}

static int item_inode(struct super *s, const struct item *item, int tid, struct inode **out)
{
	const struct special *special = item->special;
	if (special && special->pattern)
		return directory_new(s, special->pattern, 0, out);
	struct inode *i = generated_new(s, item_mode(item), item->file, tid, item->path);
	if (!i)
		return -ENOMEM;
	if (special) {
		i->ops = special->ops;
		if (S_ISDIR(i->mode))
			i->flags |= INODE_UNCACHED;
	}
	*out = i;
	return 0;
}

/* A tid as a name: no sign, no leading zero; -1. */
static int parse_tid(const char *text, size_t len)
{
	int tid = 0;
	if (!len || len > 9 || text[0] == '0')
		return -1;
	for (size_t n = 0; n < len; n++) {
		if (text[n] < '0' || text[n] > '9')
			return -1;
		tid = tid * 10 + (text[n] - '0');
	}
	return tid;
}

static int lookup_pattern(struct super *s, const char *pattern, int tid, struct inode **out)
{
	struct item item;
	size_t len = strlen(pattern);
	bool directory = false;
	struct cursor at = {0};
	while (next_item(&at, &item)) {
		if (item.path[1] != pattern[1] || strncmp(item.path, pattern, len) != 0)
			continue;
		if (item.path[len] == '\0')
			return item_inode(s, &item, tid, out);
		directory |= item.path[len] == '/';
	}
	return directory ? directory_new(s, pattern, tid, out) : -ENOENT;
}

static int generated_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
	struct generated *g = generated_of(dir);
	char pattern[PATTERN_MAX];
	if (name->text[0] == '*')
		return -ENOENT;
	run_later(g->pattern);
	int len =
		format(pattern, sizeof(pattern), "%s/%.*s", g->pattern, (int)name->len, name->text);
	if (len >= (int)sizeof(pattern))
		return -ENOENT;
	int err = lookup_pattern(dir->super, pattern, g->tid, out);
	int tid = err == -ENOENT && (dir->flags & INODE_UNCACHED) ? parse_tid(name->text, name->len)
								  : -1;
	if (tid < 0 || next_task(tid) != tid)
		return err;
	format(pattern, sizeof(pattern), "%s/*", g->pattern);
	return lookup_pattern(dir->super, pattern, tid, out);
}

/* Is the n-th item the first with this child of the directory? */
static bool is_first(
	unsigned n, const char *pattern, size_t len, const char *child, size_t child_len)
{
	struct item item;
	for (unsigned k = 0; k < n && item_at(k, &item); k++) {
		const char *rest = below(item.path, pattern, len);
		if (rest && component_len(rest) == child_len && !strncmp(rest, child, child_len))
			return false;
	}
	return true;
}

static uint64_t path_number(const char *path, size_t len)
{
	return name_hash(path, len);
}

/* One child of the directory; false: the sink is full. */
static bool list_item(
	const struct generated *g, unsigned n, const struct item *item, struct directory_sink *sink)
{
	size_t len = strlen(g->pattern);
	const char *child = below(item->path, g->pattern, len);
	if (!child || child[0] == '*')
		return true;
	size_t child_len = component_len(child);
	if (!is_first(n, g->pattern, len, child, child_len))
		return true;
	uint32_t mode = child[child_len] ? S_IFDIR : item_mode(item);
	uint64_t number = path_number(item->path, (size_t)(child - item->path) + child_len);
	return sink->add(sink, child, child_len, number | (uint64_t)(uint32_t)g->tid << 32,
		inode_entry_type(mode), n + 1 + FIRST_POSITION);
}

static void list_tasks(uint64_t *position, struct directory_sink *sink)
{
	int tid = next_task((int)(*position - TASK_POSITIONS));
	for (; tid > 0; tid = next_task(tid + 1)) {
		char text[16];
		size_t len = (size_t)format(text, sizeof(text), "%d", tid);
		*position = TASK_POSITIONS + (uint64_t)tid;
		if (!sink->add(sink, text, len, (uint64_t)tid << 32 | 1, DT_DIR, *position + 1))
			return;
		*position = TASK_POSITIONS + (uint64_t)tid + 1;
	}
}

static int generated_list(struct inode *dir, uint64_t *position, struct directory_sink *sink)
{
	struct generated *g = generated_of(dir);
	struct item item;
	run_later(g->pattern);
	while (*position < TASK_POSITIONS) {
		unsigned n = (unsigned)(*position - FIRST_POSITION);
		if (!item_at(n, &item)) {
			*position = TASK_POSITIONS;
			break;
		}
		if (!list_item(g, n, &item, sink))
			return 0;
		(*position)++;
	}
	if ((dir->flags & INODE_UNCACHED) && *position < TASK_POSITIONS * 2)
		list_tasks(position, sink);
	return 0;
}

/* What Linux's proc says when a name is to be made. */
static int generated_create(struct inode *dir, const struct name *name,
	const struct inode_request *request, struct inode **out)
{
	(void)dir, (void)name, (void)request, (void)out;
	return -ENOENT;
}

static const struct inode_ops directory_inode_ops = {
	.create = generated_create, .lookup = generated_lookup, .list = generated_list};

/* --- links and text -------------------------------------------------------------------------- */

static int number_for(const struct generated *g)
{
	return g->file->number ? g->file->number : g->tid;
}

static long generated_readlink(struct inode *i, char *buf, size_t size)
{
	struct generated *g = generated_of(i);
	return g->file->link(buf, size, number_for(g));
}

static const struct inode_ops link_inode_ops = {.readlink = generated_readlink};

/* What an open generated file shows. */
struct shown {
	const struct generated_file *file;
	int number;
	char *text; /* made at the first read, and whenever one starts over */
	size_t len;
};

static int shown_make(struct shown *s)
{
	for (size_t size = TEXT_FIRST; size <= TEXT_MAX; size *= 4) {
		char *buf = heap_alloc(size);
		if (!buf)
			return -ENOMEM;
		struct text t;
		text_init(&t, buf, size);
		s->file->show(&t, s->number);
		if (!t.cut) {
			heap_free(s->text);
			s->text = buf;
			s->len = t.len;
			return 0;
		}
		heap_free(buf);
	}
	return -ENOMEM;
}

/* pread(2) by two threads at once: the text must stay while it is copied. */
static struct mutex shown_lock;

static long shown_copy(struct shown *s, struct io_buffer *to, uint64_t *offset)
{
	int err = *offset == 0 || !s->text ? shown_make(s) : 0;
	if (err < 0 || *offset >= s->len)
		return err;
	size_t n = min(s->len - *offset, (uint64_t)to->left);
	err = io_buffer_put(to, s->text + *offset, n);
	if (err < 0)
		return err;
	*offset += n;
	return (long)n;
}

static long shown_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	struct shown *s = f->object;
	if (!s->file->show)
		return -EINVAL;
	mutex_lock(&shown_lock);
	long n = shown_copy(s, to, offset);
	mutex_unlock(&shown_lock);
	return n;
}

static long shown_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	struct shown *s = f->object;
	if (!s->file->store)
		return -EACCES;
	size_t len = from->left;
	if (len > STORE_MAX)
		return -EINVAL;
	char *text = heap_alloc(len + 1);
	if (!text)
		return -ENOMEM;
	long n = io_buffer_get(from, text, len);
	if (!n) {
		text[len] = 0;
		n = s->file->store(text, len, s->number);
	}
	heap_free(text);
	if (n > 0)
		*offset += (uint64_t)n;
	return n;
}

static long shown_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (int64_t)f->position;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->position = (uint64_t)offset;
	return offset;
}

static void shown_release(struct file *f)
{
	struct shown *s = f->object;
	heap_free(s->text);
	heap_free(s);
}

static const struct file_ops shown_ops = {
	.kind = "file",
	.read = shown_read,
	.write = shown_write,
	.seek = shown_seek,
	.release = shown_release,
};

static int generated_open(struct inode *i, uint32_t flags, struct file **out)
{
	struct generated *g = generated_of(i);
	if ((flags & O_ACCMODE) != O_RDONLY && !g->file->store)
		return -EACCES;
	struct shown *s = heap_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->file = g->file;
	s->number = number_for(g);
	int err = file_new(&shown_ops, s, flags, out);
	if (err < 0)
		heap_free(s);
	return err;
}

static const struct inode_ops text_inode_ops = {.open = generated_open};

/* --- the file systems ------------------------------------------------------------------------ */

static void generated_release(struct inode *i)
{
	heap_free(generated_of(i)->pattern);
}

static int generated_statfs(struct super *s, struct linux_statfs *out)
{
	out->f_type = s->type == &procfs_filesystem     ? PROC_SUPER_MAGIC
		      : s->type == &cgroupfs_filesystem ? CGROUP2_SUPER_MAGIC
							: SYSFS_MAGIC;
	return 0;
}

static const struct super_ops generated_super_ops = {
	.inode_release = generated_release,
	.statfs = generated_statfs,
};

static int tree_make(const struct filesystem *type, const char *pattern, struct super **out)
{
	struct super *s = super_new(type, &generated_super_ops);
	if (!s)
		return -ENOMEM;
	mutex_init(&shown_lock);
	mutex_init(&later_lock);
	s->flags = SUPER_NO_EXEC | SUPER_NO_DEVICES | SUPER_NO_SET_ID;
	s->inode_size = sizeof(struct generated);
	string_copy(s->source, type->name, sizeof(s->source));
	int err = directory_new(s, pattern, 0, &s->root);
	if (err < 0)
		super_free(s);
	else
		*out = s;
	return err;
}

int procfs_make(struct super **out)
{
	return tree_make(&procfs_filesystem, "/proc", out);
}

int sysfs_make(struct super **out)
{
	return tree_make(&sysfs_filesystem, "/sys", out);
}

int cgroupfs_make(struct super **out)
{
	return tree_make(&cgroupfs_filesystem, "/sys/fs/cgroup", out);
}

const struct filesystem cgroupfs_filesystem = {.name = "cgroup2"};
const struct filesystem procfs_filesystem = {.name = "proc"};
const struct filesystem sysfs_filesystem = {.name = "sysfs"};
