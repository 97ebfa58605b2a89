/*
 * What a crash left in the journal: its complete transactions are brought to their places, oldest first, but no block older
 * than a later revocation.  Three passes over the log: where it ends, what is revoked, the blocks.
 *
 * The log is as little to be trusted as all else on the disk: every step moves forward, and no more of them are taken than
 * the log has blocks.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define UUID_SIZE 16u
#define CHECKSUM_SIZE 4u

enum pass { PASS_SCAN, PASS_REVOKE, PASS_COPY };

struct revoked {
	struct tree_node node; /* by number */
	uint64_t number;
	uint32_t sequence; /* blocks of this transaction and before do not count */
};

struct replay {
	struct ext4 *fs;
	uint8_t *block, *copy;
	uint32_t at, sequence; /* where we are */
	uint32_t left;         /* blocks of the log not looked at yet */
	uint32_t end_sequence; /* the first one that is not complete */
	struct tree revoked;
	uint64_t n_revoked, n_copied;
};

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct revoked *x = container_of(a, struct revoked, node);
	const struct revoked *y = container_of(b, struct revoked, node);
	return x->number < y->number ? -1 : x->number > y->number;
}

static int compare_key(const void *key, const struct tree_node *node)
{
	uint64_t number = *(const uint64_t *)key;
	const struct revoked *r = container_of(node, struct revoked, node);
	return number < r->number ? -1 : number > r->number;
}

static struct revoked *find_revoked(const struct replay *r, uint64_t number)
{
	struct tree_node *n = tree_find(&r->revoked, &number, compare_key);
	return n ? container_of(n, struct revoked, node) : NULL;
}

static int read_next(struct replay *r, uint8_t *to)
{
	struct ext4 *fs = r->fs;
	struct ext4_journal *j = fs->journal;
	uint64_t place = ext4_log_place(j, r->at);
	r->at = r->at + 1 == j->end ? j->first : r->at + 1;
	r->left--;
	return block_read(fs->device, place << fs->block_shift, to, fs->block_size);
}

/* Pass over n blocks; false: the log has not that many. */
static bool skip(struct replay *r, uint32_t n)
{
	struct ext4_journal *j = r->fs->journal;
	if (n > r->left)
		return false;
	r->left -= n;
	uint32_t size = j->end - j->first;
	r->at = j->first + (r->at - j->first + n) % size;
	return true;
}

/* The checksum in a descriptor's or revocation's last four bytes. */
static bool tail_right(const struct replay *r)
{
	const struct ext4 *fs = r->fs;
	if (!fs->journal->checksums)
		return true;
	unsigned end = fs->block_size - CHECKSUM_SIZE;
	static const uint8_t zero[CHECKSUM_SIZE];
	uint32_t crc = crc32c(fs->journal->checksum_seed, r->block, end);
	return crc32c(crc, zero, sizeof(zero)) == load_be32(r->block + end);
}

static bool commit_right(const struct replay *r)
{
	const struct ext4 *fs = r->fs;
	if (!fs->journal->checksums)
		return true;
	struct ext4_journal_commit *c = (void *)r->block;
	uint32_t stored = be32_to_cpu(c->checksum[0]);
	c->checksum[0] = 0;
	return crc32c(fs->journal->checksum_seed, r->block, fs->block_size) == stored;
}

/* --- tags --- */

struct tag {
	uint64_t number;
	uint32_t flags, checksum;
};

/* The tag at *at in the descriptor, moving *at behind it; false: there is none. */
static bool next_tag(const struct replay *r, unsigned *at, struct tag *out)
{
	const struct ext4 *fs = r->fs;
	const struct ext4_journal *j = fs->journal;
	unsigned size = ext4_tag_size(j), end = fs->block_size;
	if (j->checksums)
		end -= CHECKSUM_SIZE;
	if (*at + size > end)
		return false;
	const uint8_t *p = r->block + *at;
	uint32_t high = 0;
	if (j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V3) {
		out->flags = load_be32(p + 4);
		high = load_be32(p + 8);
		out->checksum = load_be32(p + 12);
	} else {
		out->checksum = (uint32_t)p[4] << 8 | p[5];
		out->flags = (uint32_t)p[6] << 8 | p[7];
		if (j->incompat & EXT4_JOURNAL_INCOMPAT_64BIT)
			high = load_be32(p + 8);
	}
	if (!(j->incompat & EXT4_JOURNAL_INCOMPAT_64BIT))
		high = 0;
	out->number = (uint64_t)high << 32 | load_be32(p);
	*at += size;
	if (!(out->flags & EXT4_TAG_SAME_UUID))
		*at += UUID_SIZE;
	return true;
}

static uint32_t count_tags(const struct replay *r)
{
	unsigned at = sizeof(struct ext4_journal_header);
	uint32_t n = 0;
	struct tag t;
	while (next_tag(r, &at, &t)) {
		n++;
		if (t.flags & EXT4_TAG_LAST)
			break;
	}
	return n;
}

static bool block_right(const struct replay *r, const struct tag *t)
{
	const struct ext4_journal *j = r->fs->journal;
	if (!j->checksums)
		return true;
	uint32_t crc = ext4_log_checksum(r->fs, r->sequence, r->copy);
	return j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V3 ? crc == t->checksum
							   : (uint16_t)crc == t->checksum;
}

/* One block from the log to its place. */
static int copy_block(struct replay *r, const struct tag *t)
{
	struct ext4 *fs = r->fs;
	const struct revoked *revoked = find_revoked(r, t->number);
	int err = read_next(r, r->copy);
	if (err < 0)
		return err;
	if (revoked && (int32_t)(revoked->sequence - r->sequence) >= 0)
		return 0;
	if (t->number >= fs->n_blocks)
		return ext4_corrupt(fs, "the journal: a block beyond the end");
	if (!block_right(r, t))
		return ext4_corrupt(fs, "the journal: block %llu has a wrong checksum",
			(unsigned long long)t->number);
	if (t->flags & EXT4_TAG_ESCAPE)
		store_be32(r->copy, EXT4_JOURNAL_MAGIC);
	r->n_copied++;
	return block_write(fs->device, t->number << fs->block_shift, r->copy, fs->block_size);
}

static int copy_blocks(struct replay *r)
{
	unsigned at = sizeof(struct ext4_journal_header);
	struct tag t;
	while (next_tag(r, &at, &t)) {
		int err = r->left ? copy_block(r, &t)
				  : ext4_corrupt(r->fs, "the journal: it runs into itself");
		if (err < 0 || t.flags & EXT4_TAG_LAST)
			return err;
	}
	return 0;
}

/* --- revocations --- */

static int add_revoked(struct replay *r, uint64_t number)
{
	struct revoked *v = find_revoked(r, number);
	if (v) {
		if ((int32_t)(r->sequence - v->sequence) > 0)
			v->sequence = r->sequence;
		return 0;
	}
	/* A journal of ours never holds so many: a hostile one would fill the memory. */
	if (++r->n_revoked * sizeof(*v) > page_total() / 8 * PAGE_SIZE)
		return -ENOMEM;
	v = heap_alloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->number = number;
	v->sequence = r->sequence;
	tree_insert(&r->revoked, &v->node, compare);
	return 0;
}

static int add_all_revoked(struct replay *r)
{
	const struct ext4_journal_revoke *h = (const void *)r->block;
	uint32_t end = be32_to_cpu(h->n_bytes);
	unsigned size = r->fs->journal->incompat & EXT4_JOURNAL_INCOMPAT_64BIT ? 8 : 4;
	if (end > r->fs->block_size || !tail_right(r))
		return ext4_corrupt(r->fs, "the journal: a bad block of revocations");
	int err = 0;
	for (unsigned at = sizeof(*h); at + size <= end && err == 0; at += size) {
		uint64_t number = load_be32(r->block + at);
		if (size == 8)
			number = number << 32 | load_be32(r->block + at + 4);
		err = add_revoked(r, number);
	}
	return err;
}

static void free_revoked(struct replay *r)
{
	struct tree_node *n;
	while ((n = tree_first(&r->revoked)) != NULL) {
		tree_remove(&r->revoked, n);
		heap_free(container_of(n, struct revoked, node));
	}
}

/* --- the passes --- */

/* One block that stands where a header is expected.  1: the log ends before it. */
static int take_block(struct replay *r, enum pass pass)
{
	const struct ext4_journal_header *h = (const void *)r->block;
	int err = read_next(r, r->block);
	if (err < 0)
		return err;
	if (be32_to_cpu(h->magic) != EXT4_JOURNAL_MAGIC || be32_to_cpu(h->sequence) != r->sequence)
		return 1;
	switch (be32_to_cpu(h->type)) {
	case EXT4_JOURNAL_DESCRIPTOR:
		if (pass == PASS_SCAN && !tail_right(r))
			return 1;
		if (pass == PASS_COPY)
			return copy_blocks(r);
		return skip(r, count_tags(r)) ? 0 : 1;
	case EXT4_JOURNAL_COMMIT:
		if (pass == PASS_SCAN && !commit_right(r))
			return 1;
		r->sequence++;
		return 0;
	case EXT4_JOURNAL_REVOKE:
		return pass == PASS_REVOKE ? add_all_revoked(r) : 0;
	}
	return 1;
}

static int run_pass(struct replay *r, enum pass pass)
{
	const struct ext4_journal *j = r->fs->journal;
	r->at = be32_to_cpu(j->super->s_start);
	r->sequence = be32_to_cpu(j->super->s_sequence);
	r->left = j->end - j->first;
	int err = 0;
	while (err == 0 && r->left > 0 && (pass == PASS_SCAN || r->sequence != r->end_sequence))
		err = take_block(r, pass);
	if (pass == PASS_SCAN)
		r->end_sequence = r->sequence;
	else if (err == 1 || (err == 0 && r->sequence != r->end_sequence))
		err = ext4_corrupt(r->fs, "the journal changed while it was read");
	return min(err, 0);
}

static int run_passes(struct replay *r)
{
	struct ext4 *fs = r->fs;
	int err = run_pass(r, PASS_SCAN);
	if (err == 0)
		err = run_pass(r, PASS_REVOKE);
	if (err == 0)
		err = run_pass(r, PASS_COPY);
	if (err == 0)
		err = block_flush(fs->device);
	if (err == 0)
		err = ext4_log_write_super(fs, r->end_sequence + 1, 0);
	return err;
}

int ext4_replay(struct ext4 *fs)
{
	struct replay r = {.fs = fs};
	if (fs->device->read_only) {
		log_error("%s: ext4: not cleanly unmounted, and its journal holds changes that can "
			  "not be written to a read-only disk: run e2fsck on the image",
			fs->device->name);
		return -EUCLEAN;
	}
	r.block = heap_alloc(fs->block_size);
	r.copy = heap_alloc(fs->block_size);
	int err = r.block && r.copy ? run_passes(&r) : -ENOMEM;
	if (err == 0)
		log_info("%s: ext4: replayed the journal: %llu blocks", fs->device->name,
			(unsigned long long)r.n_copied);
	free_revoked(&r);
	heap_free(r.block);
	heap_free(r.copy);
	return err;
}
