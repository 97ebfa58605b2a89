/*
 * Dirty pages of regular files.  Where they go is decided when they are written (delayed allocation); when they become dirty
 * only room is promised.  A run of pages is mapped piece by piece; the pieces are written, several at once; when all are on
 * the device one operation enters what is new: blocks, extents, the size.  So what metadata lead to has always been written.
 */
#include "abi/linux/errno.h"
#include "abi/linux/stat.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define PAGES_MAX 512u
#define PIECES_MAX 32u

/* --- becoming dirty --- */

static unsigned blocks_per_page(const struct ext4 *fs)
{
	return (unsigned)(PAGE_SIZE >> fs->block_shift);
}

/* 1: some block of the page has no place yet. */
static int has_hole(struct ext4_inode *e, uint64_t index)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t at = index * blocks_per_page(fs), end = at + blocks_per_page(fs);
	while (at < end) {
		struct ext4_run run;
		int err = ext4_map(e, (uint32_t)at, &run);
		if (err < 0)
			return err;
		if (!run.physical && !run.unwritten)
			return 1;
		at += run.len;
	}
	return 0;
}

static int promise(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	long n = blocks_per_page(fs), before = atomic_fetch_add(&fs->n_promised, n);
	uint64_t kept = fs->reserve + (fs_credentials()->override ? 0 : fs->n_root_reserved);
	if ((uint64_t)max(before, 0l) + (uint64_t)n + kept > fs->n_free) {
		atomic_fetch_sub(&fs->n_promised, n);
		return -ENOSPC;
	}
	atomic_fetch_add(&e->n_promised, n);
	return 1;
}

int ext4_dirty(struct page_cache *c, struct page *page)
{
	struct ext4_inode *e = ext4_inode_of(inode_of_pages(c));
	struct ext4 *fs = ext4_of(&e->inode);
	if (!fs->journal || fs->aborted)
		return -EROFS;
	int hole = has_hole(e, page->index);
	if (hole <= 0)
		return hole;
	return e->flags & EXT4_INODE_EXTENTS ? promise(e) : -EOPNOTSUPP;
}

void ext4_dirtied(struct page_cache *c)
{
	write_back_add(inode_of_pages(c));
}

void ext4_unreserve(struct page_cache *c)
{
	struct ext4_inode *e = ext4_inode_of(inode_of_pages(c));
	struct ext4 *fs = ext4_of(&e->inode);
	long n = blocks_per_page(fs);
	atomic_fetch_sub(&fs->n_promised, n);
	atomic_fetch_sub(&e->n_promised, n);
}

void ext4_stat(struct inode *inode, struct linux_stat *out)
{
	struct ext4 *fs = ext4_of(inode);
	long n = atomic_load(&ext4_inode_of(inode)->n_promised);
	out->st_blocks += max(n, 0l) << (fs->block_shift - 9);
}

/* --- a run of pages --- */

struct piece {
	struct ext4_run run;      /* physical: where it is written */
	struct ext4_range *range; /* found for it; NULL: it had a place */
	bool unwritten;           /* in an extent that is not written yet */
};

struct run {
	struct ext4_inode *e;
	uint64_t first;    /* page index */
	unsigned n;        /* pages */
	uint64_t size;     /* the file's, now */
	uint64_t goal;     /* where the next new block should be */
	struct page *tail; /* stands for the last page, behind whose end of file something is */
	unsigned n_pieces;
	struct piece pieces[PIECES_MAX];
	struct block_batch batch;
	struct page *pages[PAGES_MAX];
};

/* Behind the end of the file zeroes are written, whatever a mapping or a write(2) under way has put there. */
static int prepare_tail(struct run *r)
{
	uint64_t in_page = r->size % PAGE_SIZE, last = r->first + r->n - 1;
	if (in_page == 0 || last != r->size / PAGE_SIZE)
		return 0;
	const uint8_t *bytes = page_address(r->pages[r->n - 1]);
	uint64_t at = in_page;
	while (at < PAGE_SIZE && bytes[at] == 0)
		at++;
	if (at == PAGE_SIZE)
		return 0;
	r->tail = page_alloc(0, PAGE_ZERO | PAGE_URGENT);
	if (!r->tail)
		return -ENOMEM;
	memcpy(page_address(r->tail), bytes, in_page);
	return 0;
}

/* Blocks for a hole, from the front; perhaps fewer than it has. */
static int find_place(struct run *r, struct piece *p)
{
	struct ext4 *fs = ext4_of(&r->e->inode);
	if (!(r->e->flags & EXT4_INODE_EXTENTS))
		return -EOPNOTSUPP;
	for (unsigned tries = 0;; tries++) {
		int err = ext4_begin(fs, EXT4_EXTENT_BLOCKS);
		if (err < 0)
			return err;
		err = ext4_blocks_find(fs, r->goal, p->run.len, &p->range);
		ext4_end(fs);
		if (err == 0)
			break;
		/* What was freed lately can be had once it is durably free. */
		if (err != -ENOSPC || tries > 0)
			return err;
		err = ext4_commit_all(fs);
		if (err < 0)
			return err;
	}
	p->run.physical = p->range->start;
	p->run.len = (uint32_t)p->range->len;
	return 0;
}

/* Where blocks from `at` on go, up to `end`. */
static int make_piece(struct run *r, uint64_t at, uint64_t end, struct piece *p)
{
	*p = (struct piece){0};
	int err = ext4_map(r->e, (uint32_t)at, &p->run);
	if (err < 0)
		return err;
	p->run.len = (uint32_t)min((uint64_t)p->run.len, end - at);
	if (p->run.unwritten) {
		p->unwritten = true;
		p->run.physical = p->run.unwritten;
	} else if (p->run.physical == 0) {
		err = find_place(r, p);
	}
	r->goal = p->run.physical + p->run.len;
	return err;
}

static void send_piece(struct run *r, const struct piece *p)
{
	struct ext4 *fs = ext4_of(&r->e->inode);
	uint64_t at = (uint64_t)p->run.logical << fs->block_shift;
	uint64_t end = at + ((uint64_t)p->run.len << fs->block_shift);
	uint64_t to = p->run.physical << fs->block_shift;
	while (at < end) {
		uint64_t i = at / PAGE_SIZE - r->first, in_page = at % PAGE_SIZE;
		uint32_t len = (uint32_t)min(end - at, PAGE_SIZE - in_page);
		struct page *page = r->tail && i == r->n - 1 ? r->tail : r->pages[i];
		block_batch_add(
			&r->batch, BLOCK_WRITE, to, (uint8_t *)page_address(page) + in_page, len);
		at += len;
		to += len;
	}
}

/* In an operation: the piece is on the device. */
static int enter_piece(struct ext4_inode *e, struct piece *p)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = 0;
	rw_lock_write(&e->map_lock);
	if (p->range) {
		err = ext4_blocks_take(fs, p->run.physical, p->run.len);
		if (err == 0)
			err = ext4_extent_insert(e, &p->run, false);
		e->inode.n_blocks += (uint64_t)p->run.len << (fs->block_shift - 9);
	} else if (p->unwritten) {
		err = ext4_extent_convert(e, p->run.logical, p->run.len);
	}
	rw_unlock_write(&e->map_lock);
	return err;
}

static int enter_pieces(struct run *r)
{
	struct ext4 *fs = ext4_of(&r->e->inode);
	uint64_t end = min(r->size, (r->first + r->n) * PAGE_SIZE);
	bool grows = end > r->e->disk_size, any = grows;
	for (unsigned i = 0; i < r->n_pieces; i++)
		any |= r->pieces[i].range || r->pieces[i].unwritten;
	int err = any ? ext4_begin(fs, EXT4_EXTENT_BLOCKS + 1) : 0;
	if (err < 0 || !any)
		return err;
	for (unsigned i = 0; i < r->n_pieces && err == 0; i++) {
		if (!ext4_has_room(fs, EXT4_EXTENT_BLOCKS + 1)) {
			err = ext4_store(r->e);
			ext4_end(fs);
			int again = ext4_begin(fs, EXT4_EXTENT_BLOCKS + 1);
			if (again < 0)
				return again;
		}
		if (err == 0)
			err = enter_piece(r->e, &r->pieces[i]);
	}
	if (err == 0 && grows)
		r->e->disk_size = end;
	if (err == 0)
		err = ext4_store(r->e);
	ext4_end(fs);
	return err;
}

static void drop_ranges(struct run *r)
{
	struct ext4 *fs = ext4_of(&r->e->inode);
	mutex_lock(&fs->lock);
	for (unsigned i = 0; i < r->n_pieces; i++)
		if (r->pieces[i].range)
			ext4_busy_remove(fs, r->pieces[i].range);
	mutex_unlock(&fs->lock);
	r->n_pieces = 0;
}

/* Wait for the pieces; if they are on the device, enter them. */
static int finish_pieces(struct run *r, int err, bool last)
{
	int written = block_batch_wait(&r->batch);
	block_batch_init(&r->batch, ext4_of(&r->e->inode)->device);
	if (err == 0)
		err = written;
	/* The size may grow only when all is there. */
	uint64_t size = r->size;
	if (!last)
		r->size = min(size, r->e->disk_size);
	if (err == 0)
		err = enter_pieces(r);
	r->size = size;
	drop_ranges(r);
	return err;
}

static int write_pages(struct run *r)
{
	struct ext4 *fs = ext4_of(&r->e->inode);
	uint64_t at = r->first * blocks_per_page(fs);
	uint64_t end = min((r->first + r->n) * blocks_per_page(fs),
		div_round_up(r->size, (uint64_t)fs->block_size));
	int err = prepare_tail(r);
	while (at < end && err == 0) {
		if (r->n_pieces == PIECES_MAX)
			err = finish_pieces(r, 0, false);
		if (err < 0)
			break;
		struct piece *p = &r->pieces[r->n_pieces];
		err = make_piece(r, at, end, p);
		if (err < 0)
			break;
		r->n_pieces++;
		send_piece(r, p);
		at += p->run.len;
	}
	err = finish_pieces(r, err, true);
	if (r->tail)
		page_put(r->tail);
	r->tail = NULL;
	return err;
}

/* A good place for the file's next block: behind the one before, or near its inode. */
static uint64_t choose_goal(struct ext4_inode *e, uint64_t index)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_run run;
	uint64_t before = index * blocks_per_page(fs);
	if (before > 0 && ext4_map(e, (uint32_t)(before - 1), &run) == 0 && run.physical)
		return run.physical + 1;
	uint32_t group = (uint32_t)(e->inode.number - 1) / fs->inodes_per_group;
	return ext4_group_start(fs, group);
}

/* Dirty pages from index on, which is dirty. */
static int write_run(struct run *r, uint64_t index, unsigned n_max)
{
	struct inode *i = &r->e->inode;
	r->size = inode_size(i);
	uint64_t n_pages = div_round_up(r->size, PAGE_SIZE);
	if (index >= n_pages)
		return 1; /* not part of the file, or not yet */
	n_max = (unsigned)min((uint64_t)n_max, n_pages - index);
	r->first = index;
	r->n_pieces = 0;
	r->tail = NULL;
	r->goal = choose_goal(r->e, index);
	r->n = page_cache_take_dirty(&i->pages, index, n_max, r->pages);
	if (r->n == 0)
		return 0;
	clean_mappings(&i->pages, index, r->n);
	block_batch_init(&r->batch, ext4_of(i)->device);
	int err = write_pages(r);
	page_cache_written(&i->pages, r->pages, r->n, err);
	write_back_progress();
	return 0;
}

/* The end of the file was dirty once, but is a hole now: the size must get there without it. */
static int store_size(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t size = inode_size(&e->inode);
	if (size <= e->disk_size ||
		page_cache_next_dirty(&e->inode.pages, e->disk_size / PAGE_SIZE) != UINT64_MAX)
		return 0;
	int err = ext4_begin(fs, 1);
	if (err < 0)
		return err;
	e->disk_size = size;
	err = ext4_store(e);
	ext4_end(fs);
	return err;
}

static int write_range(struct ext4_inode *e, uint64_t from, uint64_t to)
{
	struct page_cache *c = &e->inode.pages;
	unsigned error = c->error;
	struct run *r = heap_alloc(sizeof(*r));
	if (!r) {
		page_cache_error_set(&c->error, -ENOMEM);
		return -ENOMEM;
	}
	r->e = e;
	/* Zeroes behind the old end go first, before the file can grow over them. */
	uint64_t index = min(from, e->disk_size) / PAGE_SIZE, end = div_round_up(to, PAGE_SIZE);
	while ((index = page_cache_next_dirty(c, index)) < end) {
		uint64_t left = end - index;
		if (write_run(r, index, (unsigned)min(left, (uint64_t)PAGES_MAX)) > 0)
			break;
		index += max(r->n, 1u);
	}
	heap_free(r);
	return c->error == error ? store_size(e) : 0;
}

int ext4_write_back(struct inode *inode, uint64_t from, uint64_t to)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	int err = 0;
	if (S_ISREG(inode->mode) && (page_cache_next_dirty(&inode->pages, 0) != UINT64_MAX ||
					    inode_size(inode) > e->disk_size)) {
		mutex_lock(&e->write_lock);
		err = write_range(e, from, min(to, (uint64_t)INT64_MAX));
		mutex_unlock(&e->write_lock);
	}
	int stored = ext4_store_now(e);
	return err < 0 ? err : stored;
}

/* --- making it durable --- */

int ext4_sync(struct inode *inode, bool data_only)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	if (!fs->journal)
		return 0;
	if (S_ISREG(inode->mode)) {
		mutex_lock(&e->write_lock); /* waits for what another thread is writing, too */
		int err = write_range(e, 0, (uint64_t)INT64_MAX);
		mutex_unlock(&e->write_lock);
		if (err < 0)
			return err;
	}
	int err = data_only ? 0 : ext4_store_now(e);
	if (err < 0)
		return err == -EROFS ? -EIO : err;
	err = ext4_commit(fs, data_only ? e->data_tid : e->tid);
	if (err == 0)
		err = block_flush(fs->device);
	return min(err, 0);
}
