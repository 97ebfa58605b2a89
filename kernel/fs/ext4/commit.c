/*
 * Commit: the running transaction's blocks are sealed and copied in memory, then new operations may go on while the copies
 * are written to the journal.  Many who wait for the same transaction find it done by the first.
 *
 * Checkpoint: all copies go to their places, then the journal is empty.  It happens when the log is short of room or the
 * copies have become many, always between two commits.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

/* --- checkpoint, under commit_lock --- */

static void sift_down(struct ext4_change **a, unsigned at, unsigned n)
{
	for (;;) {
		unsigned child = 2 * at + 1;
		if (child >= n)
			return;
		if (child + 1 < n && a[child + 1]->number > a[child]->number)
			child++;
		if (a[at]->number >= a[child]->number)
			return;
		struct ext4_change *larger = a[child];
		a[child] = a[at];
		a[at] = larger;
		at = child;
	}
}

/* By number, so that neighbours are written together. */
static void sort(struct ext4_change **a, unsigned n)
{
	for (unsigned i = n / 2; i-- > 0;)
		sift_down(a, i, n);
	for (unsigned end = n; end-- > 1;) {
		struct ext4_change *largest = a[0];
		a[0] = a[end];
		a[end] = largest;
		sift_down(a, 0, end);
	}
}

static int write_places(struct ext4 *fs, struct ext4_change **a, unsigned n)
{
	struct block_batch batch;
	block_batch_init(&batch, fs->device);
	for (unsigned i = 0; i < n; i++)
		block_batch_add(&batch, BLOCK_WRITE, a[i]->number << fs->block_shift, a[i]->copy,
			fs->block_size);
	return block_batch_wait(&batch);
}

/* Copies that are at their places are no longer needed. */
static void drop_copies(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change *c, *next;
	mutex_lock(&fs->lock);
	list_for_each_safe (c, next, &j->saved, save_link) {
		list_remove(&c->save_link);
		heap_free(c->copy);
		c->copy = NULL;
		if (!c->running)
			ext4_change_drop(fs, c);
	}
	j->n_saved = 0;
	mutex_unlock(&fs->lock);
}

static int checkpoint(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change **a = heap_array(j->n_saved + 1, sizeof(*a)), *c;
	if (!a)
		return -ENOMEM;
	unsigned n = 0;
	list_for_each (c, &j->saved, save_link)
		a[n++] = c;
	sort(a, n);
	int err = write_places(fs, a, n);
	heap_free(a);
	if (err == 0)
		err = block_flush(fs->device);
	if (err == 0 && j->inode && j->started)
		err = ext4_log_write_super(fs, j->committed + 1, j->head);
	if (err < 0)
		return ext4_abort(fs, "metadata can not be written to their places", err);
	j->n_used = 0;
	drop_copies(fs);
	return 0;
}

/* --- the first transaction --- */

/* A superblock straight to its place, durable. */
static int write_super(struct ext4 *fs, struct ext4_disk_super *s)
{
	ext4_super_seal(fs, s);
	int err = block_write(fs->device, EXT4_SUPER_OFFSET, s, sizeof(*s));
	return err < 0 ? err : block_flush(fs->device);
}

static void set_mounted(const struct ext4_journal *j, struct ext4_disk_super *s)
{
	if (j->inode)
		s->s_feature_incompat |= EXT4_INCOMPAT_RECOVER;
	else
		s->s_state &= (uint16_t)~EXT4_STATE_VALID;
}

/* Say on the disk that it is mounted, and where the log starts.  Of the superblock nothing else: what changed in it
 * belongs to the transaction that follows. */
static int start(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	mutex_lock(&fs->lock);
	set_mounted(j, fs->disk);
	mutex_unlock(&fs->lock);
	set_mounted(j, fs->mounted);
	int err = write_super(fs, fs->mounted);
	if (err == 0 && j->inode)
		err = ext4_log_write_super(fs, j->committed + 1, j->head);
	if (err == 0)
		j->started = true;
	return err;
}

/* --- commit --- */

/* Every changed block gets room for its copy; then nothing can go wrong for want of memory. */
static int make_copies(struct ext4 *fs, struct ext4_change **a)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change *c;
	unsigned n = 0;
	list_for_each (c, &j->changed, run_link) {
		a[n++] = c;
		if (c->copy)
			continue;
		c->copy = heap_alloc(fs->block_size);
		if (!c->copy)
			return -ENOMEM;
		/* What is not committed must not be checkpointed: that is locked out until it is. */
		list_push_back(&j->saved, &c->save_link);
		j->n_saved++;
	}
	return 0;
}

static const uint8_t *bytes_of(const struct ext4 *fs, const struct ext4_change *c)
{
	return (const uint8_t *)page_address(c->page) + (c->number << fs->block_shift) % PAGE_SIZE;
}

static int seal_all(struct ext4 *fs, struct ext4_change **a, unsigned n)
{
	int err = 0;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n && err == 0; i++)
			err = ext4_seal(fs, a[i], pass);
	return err;
}

/* Under fs->lock: the changes in *out, nothing running any more.  *n 0: nothing to do. */
static int freeze(struct ext4 *fs, struct ext4_change ***out, unsigned *n, struct list *revoked)
{
	struct ext4_journal *j = fs->journal;
	int err = 0;
	if (fs->changes_super && j->n_changed > 0)
		err = ext4_change(fs, &fs->super_block, EXT4_SEAL_SUPER, 0);
	*n = j->n_changed;
	*out = heap_array(*n + 1, sizeof(**out));
	if (err == 0)
		err = *out ? make_copies(fs, *out) : -ENOMEM;
	if (err == 0)
		err = seal_all(fs, *out, *n);
	if (err < 0)
		return ext4_abort(fs, "a transaction can not be finished", err);
	for (unsigned i = 0; i < *n; i++) {
		struct ext4_change *c = (*out)[i];
		memcpy(c->copy, bytes_of(fs, c), fs->block_size);
		c->running = false;
		list_remove(&c->run_link);
	}
	j->n_changed = j->n_revoked = 0;
	fs->changes_super = false;
	while (!list_empty(&j->revoked))
		list_push_back(revoked, list_pop_front(&j->revoked));
	while (!list_empty(&j->freed))
		list_push_back(&j->freeing, list_pop_front(&j->freed));
	return 0;
}

/* It is durable: blocks it freed may be taken. */
static void settle(struct ext4 *fs, struct list *revoked)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_range *range, *next_range;
	struct ext4_revoke *r, *next;
	mutex_lock(&fs->lock);
	list_for_each_safe (r, next, revoked, link) {
		struct ext4_change *c = ext4_change_find(fs, r->number);
		if (c && !c->running) {
			j->n_saved -= c->copy != NULL;
			ext4_change_drop(fs, c);
		}
		heap_free(r);
	}
	list_init(revoked);
	list_for_each_safe (range, next_range, &j->freeing, link)
		ext4_busy_remove(fs, range);
	mutex_unlock(&fs->lock);
}

/* Room in the log, and not too many copies in memory. */
static int make_room(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	mutex_lock(&fs->lock);
	unsigned n = ext4_log_size(fs, j->n_changed + 1, j->n_revoked);
	mutex_unlock(&fs->lock);
	bool many = j->n_saved > 4 * j->max;
	if (!many && (!j->inode || j->n_used + n < j->end - j->first))
		return 0;
	return checkpoint(fs);
}

static int write_frozen(struct ext4 *fs, uint32_t sequence, struct ext4_change **a, unsigned n,
	struct list *revoked)
{
	if (fs->journal->inode)
		return ext4_log_write(fs, sequence, a, n, revoked);
	sort(a, n);
	int err = write_places(fs, a, n);
	return err < 0 ? err : block_flush(fs->device);
}

/* Under commit_lock. */
static int commit_running(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_change **a = NULL;
	struct list revoked;
	unsigned n = 0;
	list_init(&revoked);
	j->n_begun++;
	int err = make_room(fs);
	if (err == 0 && !j->started)
		err = start(fs);
	if (err < 0)
		return ext4_abort(fs, "the journal can not be written", err);
	mutex_lock(&fs->lock);
	uint32_t sequence = j->running;
	err = freeze(fs, &a, &n, &revoked);
	if (err == 0)
		j->running = sequence + 1;
	mutex_unlock(&fs->lock);
	if (err == 0 && n > 0)
		err = write_frozen(fs, sequence, a, n, &revoked);
	heap_free(a);
	if (err < 0)
		return ext4_abort(fs, "a transaction can not be written", err);
	j->committed = sequence;
	settle(fs, &revoked);
	if (!j->inode)
		drop_copies(fs);
	return 0;
}

/* Is there anything in the running transaction? */
static bool is_empty(const struct ext4_journal *j)
{
	return j->n_changed == 0 && list_empty(&j->freed) && list_empty(&j->revoked);
}

int ext4_commit(struct ext4 *fs, uint32_t tid)
{
	struct ext4_journal *j = fs->journal;
	unsigned n_begun = j->n_begun;
	if (ext4_is_committed(j, tid))
		return 0;
	mutex_lock(&j->commit_lock);
	int err = fs->aborted ? -EIO : 0;
	if (err == 0 && !ext4_is_committed(j, tid) && !is_empty(j))
		err = commit_running(fs);
	bool flushed = j->n_begun != n_begun;
	mutex_unlock(&j->commit_lock);
	return err < 0 ? err : flushed;
}

int ext4_commit_all(struct ext4 *fs)
{
	return min(ext4_commit(fs, fs->journal->running), 0);
}

int ext4_finish(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	int err = ext4_commit_all(fs);
	if (err < 0 || !j->started)
		return err;
	mutex_lock(&j->commit_lock);
	err = checkpoint(fs);
	if (err == 0 && j->inode)
		err = ext4_log_write_super(fs, j->committed + 1, 0);
	if (err == 0) {
		fs->disk->s_feature_incompat &= ~EXT4_INCOMPAT_RECOVER;
		if (!j->inode)
			fs->disk->s_state |= EXT4_STATE_VALID;
		err = write_super(fs, fs->disk);
		memcpy(fs->mounted, fs->disk, sizeof(*fs->mounted));
		j->started = false;
	}
	mutex_unlock(&j->commit_lock);
	return err;
}
