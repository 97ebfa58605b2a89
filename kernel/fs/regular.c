/*
 * Regular files: read(2), write(2) and kin between the page cache and whoever asks.
 *
 * Readers take no lock: pages and size are enough.  Writers hold the inode's lock, so that O_APPEND finds the end and a
 * write is not torn by another.  Behind the end of the file the last page is zero: whoever makes the file longer sees to that.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/string.h"

#define READ_AHEAD_PAGES 32u
#define READ_AT_ONCE 16u /* pages looked up under one lock */

static void (*unmap_hook)(struct page_cache *c, uint64_t from);

void vfs_set_unmap(void (*unmap)(struct page_cache *c, uint64_t from))
{
	unmap_hook = unmap;
}

void unmap_pages(struct page_cache *c, uint64_t from)
{
	if (unmap_hook && c->n_areas)
		unmap_hook(c, from);
}

static _Atomic uint64_t file_limit = UINT64_MAX;
static void (*limit_exceeded)(void);

void vfs_set_file_limit(uint64_t bytes)
{
	file_limit = bytes;
}

void vfs_set_limit_hook(void (*exceeded)(void))
{
	limit_exceeded = exceeded;
}

/* Something at offset is to be written: -EFBIG, with the signal, when that is not allowed. */
static int check_limit(uint64_t offset, uint64_t limit)
{
	if (likely(offset < limit))
		return 0;
	if (limit_exceeded)
		limit_exceeded();
	return -EFBIG;
}

/* --- read ----------------------------------------------------------------------------------- */

/* A page is not in memory: let the file system fetch what a sequential reader will want next. */
static void read_ahead(struct file *f, uint64_t index)
{
	struct inode *i = f->inode;
	bool sequential = f->read_ahead == index || index == 0;
	if (i->ops->read_ahead && sequential)
		i->ops->read_ahead(i, index, READ_AHEAD_PAGES);
}

/* A page that was not found. */
static int fetch_page(struct file *f, struct page_cache *c, uint64_t index, struct page **out)
{
	read_ahead(f, index);
	return page_cache_get(c, index, out);
}

/* Part of one page, found or NULL, whose reference goes.  Bytes read. */
static long read_page(struct file *f, struct page_cache *c, struct page *page, uint64_t offset,
	struct io_buffer *to, size_t n)
{
	if (unlikely(!page)) {
		if (c->flags & PAGE_CACHE_KEEP) /* no page anywhere: a hole */
			return io_buffer_clear_some(to, n);
		int err = fetch_page(f, c, offset / PAGE_SIZE, &page);
		if (err < 0)
			return err;
	}
	long done = io_buffer_put_some(to, (char *)page_address(page) + offset % PAGE_SIZE, n);
	page_put(page);
	return done;
}

/* The pages of the next n bytes that can be looked up at once: how many. */
static unsigned find_pages(struct page_cache *c, uint64_t offset, uint64_t n, struct page *pages[])
{
	uint64_t first = offset / PAGE_SIZE, end = (offset + n - 1) / PAGE_SIZE + 1;
	uint64_t limit =
		min(first + READ_AT_ONCE, align_up(first + 1, 64)); /* page_cache_find_run() */
	unsigned n_pages = (unsigned)(min(end, limit) - first);
	page_cache_find_run(c, first, n_pages, pages);
	return n_pages;
}

/* Some of the n bytes at offset, which lie within the file.  Bytes read. */
static long read_pages(
	struct file *f, struct page_cache *c, uint64_t offset, struct io_buffer *to, uint64_t n)
{
	struct page *pages[READ_AT_ONCE];
	unsigned n_pages = find_pages(c, offset, n, pages);
	long done = 0, part = 0;
	for (unsigned k = 0; k < n_pages; k++) {
		size_t in_page = min(n - (uint64_t)done, PAGE_SIZE - offset % PAGE_SIZE);
		if (part < 0 && pages[k])
			page_put(pages[k]);
		if (part < 0)
			continue;
		part = read_page(f, c, pages[k], offset, to, in_page);
		done += max(part, 0l);
		offset += (uint64_t)max(part, 0l);
		if (part >= 0 && (size_t)part < in_page)
			part = -EFAULT; /* the program's memory ended */
	}
	return done ? done : part;
}

static long regular_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	struct page_cache *c = f->inode->data;
	long done = 0;
	while (to->left) {
		uint64_t size = c->size;
		if (*offset >= size)
			break;
		uint64_t n = min(size - *offset, (uint64_t)to->left);
		long part = n <= PAGE_SIZE - *offset % PAGE_SIZE
				    ? read_page(f, c, page_cache_find(c, *offset / PAGE_SIZE),
					      *offset, to, n)
				    : read_pages(f, c, *offset, to, n);
		if (part < 0)
			return done ? done : part;
		*offset += (uint64_t)part;
		done += part;
		if ((uint64_t)part < n && !is_aligned(*offset, PAGE_SIZE))
			break;
	}
	f->read_ahead = *offset / PAGE_SIZE;
	if (done && !(f->flags & O_NOATIME))
		inode_accessed(f->inode, *offset == (uint64_t)done);
	return done;
}

static long regular_page(struct file *f, uint64_t offset, struct page **out)
{
	struct page_cache *c = f->inode->data;
	uint64_t size = c->size, index = offset / PAGE_SIZE;
	if (offset >= size)
		return 0;
	struct page *page = page_cache_find(c, index);
	int err = 0;
	if (!page && (c->flags & PAGE_CACHE_KEEP)) { /* a hole */
		page = page_alloc(0, PAGE_ZERO);
		err = page ? 0 : -ENOMEM;
	} else if (!page) {
		err = fetch_page(f, c, index, &page);
	}
	f->read_ahead = index + 1;
	*out = page;
	return err < 0 ? err : (long)min(size - offset, PAGE_SIZE - offset % PAGE_SIZE);
}

/* --- write ---------------------------------------------------------------------------------- */

/* Clear what lies behind the old end in its page: shared mappings may have written there. */
static void clear_tail(struct page_cache *c, uint64_t size)
{
	uint64_t in_page = size % PAGE_SIZE;
	struct page *page = in_page ? page_cache_find(c, size / PAGE_SIZE) : NULL;
	if (!page)
		return;
	memset((char *)page_address(page) + in_page, 0, PAGE_SIZE - in_page);
	page_put(page);
}

/* A whole page that is not in memory: what is beneath need not be read.  Its bytes, or 0: do it the usual way. */
static long write_new_page(struct page_cache *c, uint64_t index, struct io_buffer *from)
{
	struct io_buffer before = *from;
	struct page *page = page_alloc(0, 0);
	if (!page)
		return 0;
	long done = io_buffer_get_some(from, page_address(page), PAGE_SIZE);
	int err = done == (long)PAGE_SIZE ? page_cache_add_dirty(c, index, page) : -EFAULT;
	page_put(page);
	if (err == 0)
		return done;
	*from = before;
	return err == -EEXIST || err == -EFAULT || err == -ENOMEM ? 0 : err;
}

/* Part of one page, from the program.  Bytes written; a file that grew has its page dirty still, or again. */
static long write_page(struct page_cache *c, uint64_t offset, struct io_buffer *from, size_t n)
{
	struct page *page = page_cache_find(c, offset / PAGE_SIZE);
	if (!page && n == PAGE_SIZE && c->ops->dirtied) {
		long done = write_new_page(c, offset / PAGE_SIZE, from);
		if (done)
			return done;
	}
	int err = page ? 0 : page_cache_get(c, offset / PAGE_SIZE, &page);
	if (err < 0)
		return err;
	long done = page_cache_dirty(c, page);
	if (!done)
		done = io_buffer_get_some(from, (char *)page_address(page) + offset % PAGE_SIZE, n);
	page_put(page);
	return done;
}

/* The file has become longer.  What of its last page lies behind the old end may have been written back as zeroes
 * meanwhile, so the page must be dirty after the size is set. */
static int grow(struct page_cache *c, uint64_t size)
{
	c->size = size;
	struct page *page = page_cache_find(c, (size - 1) / PAGE_SIZE);
	int err = page ? page_cache_dirty(c, page) : 0;
	if (page)
		page_put(page);
	return err;
}

static long write_pages(
	struct page_cache *c, struct io_buffer *from, uint64_t *offset, uint64_t end)
{
	long done = 0;
	if (*offset > c->size)
		clear_tail(c, c->size);
	while (*offset < end) {
		size_t n = min(end - *offset, PAGE_SIZE - *offset % PAGE_SIZE);
		long part = write_page(c, *offset, from, n);
		if (part < 0)
			return done ? done : part;
		*offset += (uint64_t)part;
		done += part;
		int err = *offset > c->size ? grow(c, *offset) : 0;
		if (err < 0)
			return err;
	}
	return done;
}

/* Where a write of n bytes may end at most: limits and seals. */
static int write_check(struct inode *i, uint64_t offset, size_t n, uint64_t *end)
{
	uint64_t limit = min(i->super->max_file_size, (uint64_t)INT64_MAX);
	if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if ((i->seals & F_SEAL_GROW) && offset + n > inode_size(i))
		return -EPERM;
	if (offset >= limit)
		return -EFBIG;
	*end = min(offset + n, min(limit, (uint64_t)file_limit));
	return check_limit(offset, file_limit);
}

static long write_locked(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	struct inode *i = f->inode;
	uint64_t end;
	if (f->flags & O_APPEND)
		*offset = inode_size(i);
	int err = write_check(i, *offset, from->left, &end);
	if (err < 0)
		return err;
	inode_drop_set_id(i);
	long n = write_pages(i->data, from, offset, end);
	if (n > 0)
		inode_modified(i);
	return n;
}

static int regular_sync(struct file *f, bool data_only)
{
	struct inode *i = f->inode;
	int err = i->ops->sync ? i->ops->sync(i, data_only) : 0;
	int late = page_cache_error_check(&i->data->error, &f->error_seen);
	return err < 0 ? err : late;
}

static long regular_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	struct inode *i = f->inode;
	if (!from->left)
		return 0;
	mutex_lock(&i->lock);
	long n = write_locked(f, from, offset);
	mutex_unlock(&i->lock);
	write_back_throttle();
	if (n > 0 && (f->flags & O_DSYNC)) {
		int err = regular_sync(f, (f->flags & O_SYNC) != O_SYNC);
		if (err < 0)
			return err;
	}
	return n;
}

/* --- size ----------------------------------------------------------------------------------- */

int regular_set_size(struct inode *i, uint64_t size)
{
	uint64_t old = inode_size(i);
	if (!i->ops->truncate)
		return -EPERM;
	if (((i->seals & F_SEAL_SHRINK) && size < old) || ((i->seals & F_SEAL_GROW) && size > old))
		return -EPERM;
	if (size > i->super->max_file_size)
		return -EFBIG;
	if (size > old && check_limit(size - 1, file_limit) < 0)
		return -EFBIG;
	int err = i->ops->prepare_write ? i->ops->prepare_write(i) : 0;
	if (err < 0)
		return err;
	if (size > old)
		clear_tail(i->data, old);
	err = i->ops->truncate(i, size);
	if (err < 0)
		return err;
	if (size < old) {
		unmap_pages(i->data, size);
		page_cache_truncate(i->data, size);
	}
	inode_drop_set_id(i);
	inode_modified(i);
	return 0;
}

static int regular_truncate(struct file *f, uint64_t size)
{
	struct inode *i = f->inode;
	if (!file_writable(f))
		return -EINVAL;
	mutex_lock(&i->lock);
	int err = regular_set_size(i, size);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(f->dentry, IN_MODIFY);
	return err;
}

static int allocate_locked(struct inode *i, int mode, uint64_t offset, uint64_t len)
{
	uint64_t size = inode_size(i), end = offset + len;
	bool moves = mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE);
	bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && !moves && end > size;
	if (!i->ops->allocate)
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	if (grows && (i->seals & F_SEAL_GROW))
		return -EPERM;
	if (grows && check_limit(end - 1, file_limit) < 0)
		return -EFBIG;
	if (grows)
		clear_tail(i->data, size);
	int err = i->ops->allocate(i, mode, offset, len);
	if (err < 0)
		return err;
	if (grows)
		inode_set_size(i, end);
	inode_modified(i);
	return 0;
}

static int regular_allocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	struct inode *i = f->inode;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
			   FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!file_writable(f))
		return -EBADF;
	if (!len || offset > INT64_MAX || len > INT64_MAX)
		return -EINVAL;
	if (offset + len > i->super->max_file_size)
		return -EFBIG;
	mutex_lock(&i->lock);
	int err = allocate_locked(i, mode, offset, len);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(f->dentry, IN_MODIFY);
	return err;
}

/* --- the rest ------------------------------------------------------------------------------- */

static int64_t seek_data(struct inode *i, uint64_t offset, int whence)
{
	if (offset >= inode_size(i))
		return -ENXIO;
	if (i->ops->seek)
		return i->ops->seek(i, offset, whence);
	return whence == SEEK_DATA ? (int64_t)offset : (int64_t)inode_size(i);
}

static int64_t seek_target(struct file *f, int64_t offset, int whence)
{
	struct inode *i = f->inode;
	int64_t base = 0;
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (int64_t)f->position;
		break;
	case SEEK_END:
		base = (int64_t)inode_size(i);
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		return offset < 0 ? -ENXIO : seek_data(i, (uint64_t)offset, whence);
	default:
		return -EINVAL;
	}
	int64_t target;
	if (__builtin_add_overflow(base, offset, &target) || target < 0)
		return -EINVAL;
	return (uint64_t)target > i->super->max_file_size ? -EINVAL : target;
}

static long regular_seek(struct file *f, int64_t offset, int whence)
{
	mutex_lock(&f->position_lock);
	int64_t target = seek_target(f, offset, whence);
	if (target >= 0)
		f->position = (uint64_t)target;
	mutex_unlock(&f->position_lock);
	return target;
}

static int regular_map(struct file *f, struct page_cache **out, uint64_t *id, uint64_t *device)
{
	*out = f->inode->data;
	*id = f->inode->number;
	*device = f->inode->super->device;
	return 0;
}

void vfs_cache_count(
	struct file *f, uint64_t first, uint64_t last, uint64_t *n_cached, uint64_t *n_dirty)
{
	*n_cached = *n_dirty = 0;
	if (f->ops != &regular_ops)
		return;
	struct page_cache *c = f->inode->data;
	for (uint64_t i = page_cache_next(c, first); i <= last && i != UINT64_MAX;
		i = page_cache_next(c, i + 1)) {
		struct page *p = page_cache_find(c, i);
		if (!p)
			continue;
		++*n_cached;
		*n_dirty += (p->flags & PAGE_DIRTY) && !(c->flags & PAGE_CACHE_KEEP);
		page_put(p);
	}
}

static int regular_flush(struct file *f)
{
	vfs_locks_drop(f, NULL);
	return 0;
}

const struct file_ops regular_ops = {
	.kind = "file",
	.read = regular_read,
	.write = regular_write,
	.page = regular_page,
	.seek = regular_seek,
	.map = regular_map,
	.sync = regular_sync,
	.truncate = regular_truncate,
	.allocate = regular_allocate,
	.flush = regular_flush,
};
