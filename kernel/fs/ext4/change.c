/*
 * Operations and the blocks they change.  A block in a transaction keeps its page in memory; who looks for it finds that
 * page, whatever the device still holds.
 */
#include "kernel/fs/ext4/change_files.h"
#include "abi/linux/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

int ext4_changes_init(struct ext4 *fs)
{
	struct ext4_journal *j = heap_zalloc(sizeof(*j));
	fs->changes = heap_array(EXT4_CHANGE_BUCKETS, sizeof(*fs->changes));
	if (!j || !fs->changes) {
		heap_free(j);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < EXT4_CHANGE_BUCKETS; i++)
		list_init(&fs->changes[i]);
	mutex_init(&fs->lock);
	mutex_init(&j->commit_lock);
	list_init(&fs->orphans);
	list_init(&j->saved);
	list_init(&j->freeing);
	list_init(&j->changed);
	list_init(&j->freed);
	list_init(&j->revoked);
	j->running = 1;
	fs->journal = j;
	return 0;
}

static void free_ranges(struct ext4 *fs, struct list *ranges)
{
	struct ext4_range *r, *next;
	list_for_each_safe (r, next, ranges, link)
		ext4_busy_remove(fs, r);
}

static void free_revokes(struct list *revokes)
{
	struct ext4_revoke *r, *next;
	list_for_each_safe (r, next, revokes, link)
		heap_free(r);
}

void ext4_changes_free(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	for (unsigned i = 0; i < EXT4_CHANGE_BUCKETS; i++)
		while (!list_empty(&fs->changes[i]))
			ext4_change_drop(
				fs, list_first(&fs->changes[i], struct ext4_change, hash_link));
	free_ranges(fs, &j->freed);
	free_ranges(fs, &j->freeing);
	free_revokes(&j->revoked);
	ext4_log_close(fs);
	heap_free(fs->changes);
	heap_free(j);
	fs->journal = NULL;
}

int ext4_abort(struct ext4 *fs, const char *what, int err)
{
	if (!atomic_exchange(&fs->aborted, true)) {
		fs->super->flags |= SUPER_READ_ONLY;
		log_error(
			"%s: ext4: %s (error %d): the file system is read-only from here on; what "
			"was not synced may be lost; run e2fsck on the image",
			fs->device->name, what, -err);
	}
	return err;
}

/* --- operations --- */

/* What else a commit adds: the superblock. */
#define COMMIT_ADDS 1u

static unsigned n_blocks(const struct ext4 *fs)
{
	return fs->journal->n_changed + fs->journal->n_revoked / 100 + COMMIT_ADDS;
}

bool ext4_has_room(const struct ext4 *fs, unsigned n)
{
	return n_blocks(fs) + n <= fs->journal->max;
}

int ext4_begin(struct ext4 *fs, unsigned n)
{
	struct ext4_journal *j = fs->journal;
	if (!j)
		return -EROFS;
	for (;;) {
		mutex_lock(&fs->lock);
		if (fs->aborted) {
			mutex_unlock(&fs->lock);
			return -EROFS;
		}
		if (ext4_has_room(fs, n) || n_blocks(fs) == COMMIT_ADDS)
			return 0;
		uint32_t tid = j->running;
		mutex_unlock(&fs->lock);
		int err = ext4_commit(fs, tid);
		if (err < 0)
			return err == -EIO && fs->aborted ? -EROFS : err;
	}
}

void ext4_end(struct ext4 *fs)
{
	bool changed = fs->journal->n_changed > 0;
	mutex_unlock(&fs->lock);
	if (changed)
		write_back_soon();
}

/* --- blocks --- */

static struct list *bucket_of(struct ext4 *fs, uint64_t number)
{
	return &fs->changes[number % EXT4_CHANGE_BUCKETS];
}

struct ext4_change *ext4_change_find(struct ext4 *fs, uint64_t number)
{
	struct ext4_change *c;
	list_for_each (c, bucket_of(fs, number), hash_link)
		if (c->number == number)
			return c;
	return NULL;
}

bool ext4_is_changed(struct ext4 *fs, uint64_t number)
{
	if (!fs->journal)
		return false;
	irq_state state = spin_lock(&fs->changes_lock);
	bool changed = ext4_change_find(fs, number) != NULL;
	spin_unlock(&fs->changes_lock, state);
	return changed;
}

static struct ext4_change *change_new(struct ext4 *fs, const struct ext4_block *b)
{
	struct ext4_change *c = heap_zalloc(sizeof(*c));
	if (!c)
		return NULL;
	c->number = b->number;
	c->page = b->page;
	page_get(c->page);
	page_cache_set_written(&fs->metadata, c->page);
	list_init(&c->run_link);
	list_init(&c->save_link);
	irq_state state = spin_lock(&fs->changes_lock);
	list_push_front(bucket_of(fs, c->number), &c->hash_link);
	spin_unlock(&fs->changes_lock, state);
	return c;
}

void ext4_change_drop(struct ext4 *fs, struct ext4_change *c)
{
	irq_state state = spin_lock(&fs->changes_lock);
	list_remove(&c->hash_link);
	spin_unlock(&fs->changes_lock, state);
	list_remove(&c->run_link);
	list_remove(&c->save_link);
	page_put(c->page);
	heap_free(c->copy);
	heap_free(c);
}

int ext4_change(struct ext4 *fs, struct ext4_block *b, enum ext4_seal seal, uint32_t seed)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change *c = ext4_change_find(fs, b->number);
	if (!c)
		c = change_new(fs, b);
	if (!c)
		return ext4_abort(fs, "no memory for a change", -ENOMEM);
	c->seal = (uint8_t)seal;
	c->seed = seed;
	if (!c->running) {
		c->running = true;
		list_push_back(&j->changed, &c->run_link);
		j->n_changed++;
	}
	return 0;
}

/* A page that is all this block's need not be read. */
static int get_for_new(struct ext4 *fs, uint64_t number, struct ext4_block *out)
{
	if (fs->block_size < PAGE_SIZE || number >= fs->n_blocks)
		return ext4_block_get(fs, number, out);
	int err = page_cache_get_unfilled(&fs->metadata, number, &out->page);
	if (err < 0)
		return err;
	out->data = page_address(out->page);
	out->number = number;
	return 0;
}

int ext4_block_new(struct ext4 *fs, uint64_t number, enum ext4_seal seal, uint32_t seed,
	struct ext4_block *out)
{
	int err = get_for_new(fs, number, out);
	if (err < 0)
		return ext4_abort(fs, "no new block of metadata", err);
	err = ext4_change(fs, out, seal, seed);
	if (err < 0) {
		ext4_block_put(out);
		return err;
	}
	memset(ext4_bytes(out), 0, fs->block_size);
	return 0;
}

int ext4_revoke(struct ext4 *fs, uint64_t number)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change *c = ext4_change_find(fs, number);
	if (!c)
		return 0;
	if (c->running) {
		c->running = false;
		list_remove(&c->run_link);
		j->n_changed--;
	}
	if (!c->copy) {
		ext4_change_drop(fs, c);
		return 0;
	}
	struct ext4_revoke *r = heap_alloc(sizeof(*r));
	if (!r)
		return ext4_abort(fs, "no memory to revoke a block", -ENOMEM);
	r->number = number;
	list_push_back(&j->revoked, &r->link);
	j->n_revoked++;
	return 0;
}
