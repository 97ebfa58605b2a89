/*
 * The journal on disk, as jbd2 has it: a superblock, then a ring of blocks.  A transaction there: blocks of revoked numbers,
 * descriptors each followed by the blocks it lists, and, once all that is durable, its commit record.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define INCOMPAT_KNOWN                                                                             \
	(EXT4_JOURNAL_INCOMPAT_REVOKE | EXT4_JOURNAL_INCOMPAT_64BIT |                              \
		EXT4_JOURNAL_INCOMPAT_CSUM_V2 | EXT4_JOURNAL_INCOMPAT_CSUM_V3)
#define BLOCKS_MIN 64u
#define UUID_SIZE 16u
#define CHECKSUM_SIZE 4u

/* --- opening --- */

static int bad_journal(struct ext4 *fs, const char *what)
{
	return ext4_corrupt(fs, "the journal: %s", what);
}

static int find_runs(struct ext4 *fs, uint32_t n_blocks)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_inode *e = ext4_inode_of(j->inode);
	unsigned room = 0;
	for (uint32_t at = 0; at < n_blocks; at += j->runs[j->n_runs++].len) {
		if (j->n_runs == room) {
			room = room * 2 + 8;
			struct ext4_run *more = heap_resize(j->runs, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			j->runs = more;
		}
		struct ext4_run *r = &j->runs[j->n_runs];
		int err = ext4_map(e, at, r);
		if (err < 0)
			return err;
		if (r->physical == 0)
			return bad_journal(fs, "its file has a hole");
	}
	return 0;
}

uint64_t ext4_log_place(const struct ext4_journal *j, uint32_t n)
{
	for (unsigned i = 0; i < j->n_runs; i++)
		if (n - j->runs[i].logical < j->runs[i].len)
			return j->runs[i].physical + (n - j->runs[i].logical);
	return j->runs[0].physical; /* n is below s_maxlen, which find_runs() covered */
}

static uint32_t super_checksum(struct ext4_journal_super *s)
{
	uint32_t stored = s->s_checksum;
	s->s_checksum = 0;
	uint32_t crc = crc32c(~0u, s, sizeof(*s));
	s->s_checksum = stored;
	return cpu_to_be32(crc);
}

static int check_super(struct ext4 *fs, struct ext4_journal_super *s)
{
	struct ext4_journal *j = fs->journal;
	uint32_t type = be32_to_cpu(s->header.type);
	if (be32_to_cpu(s->header.magic) != EXT4_JOURNAL_MAGIC ||
		(type != EXT4_JOURNAL_SUPER_V1 && type != EXT4_JOURNAL_SUPER_V2))
		return bad_journal(fs, "it has no superblock");
	if (type == EXT4_JOURNAL_SUPER_V1) /* everything behind s_errno is something else */
		memset(&s->s_feature_compat, 0,
			sizeof(*s) - offsetof(struct ext4_journal_super, s_feature_compat));
	j->incompat = be32_to_cpu(s->s_feature_incompat);
	uint32_t fast = j->incompat & EXT4_JOURNAL_INCOMPAT_FAST_COMMIT;
	if (fast && s->s_start == 0)
		fast = 0;
	if (j->incompat & ~(INCOMPAT_KNOWN | EXT4_JOURNAL_INCOMPAT_FAST_COMMIT) || fast) {
		log_error("%s: ext4: the journal has features that are not supported (0x%x); "
			  "mount it once on Linux, or run e2fsck",
			fs->device->name, (unsigned)j->incompat);
		return -EOPNOTSUPP;
	}
	j->checksums =
		j->incompat & (EXT4_JOURNAL_INCOMPAT_CSUM_V2 | EXT4_JOURNAL_INCOMPAT_CSUM_V3);
	if (j->checksums && s->s_checksum != super_checksum(s))
		return bad_journal(fs, "its superblock has a wrong checksum");
	return 0;
}

static int read_geometry(struct ext4 *fs, const struct ext4_journal_super *s)
{
	struct ext4_journal *j = fs->journal;
	uint32_t n = be32_to_cpu(s->s_maxlen), n_fast = 0;
	uint64_t size = inode_size(j->inode) >> fs->block_shift;
	j->first = be32_to_cpu(s->s_first);
	if (j->incompat & EXT4_JOURNAL_INCOMPAT_FAST_COMMIT)
		n_fast = s->s_num_fc_blks ? be32_to_cpu(s->s_num_fc_blks) : 256;
	if (be32_to_cpu(s->s_blocksize) != fs->block_size || n > size || n_fast >= n ||
		j->first == 0 || j->first >= n - n_fast || n - n_fast - j->first < BLOCKS_MIN)
		return bad_journal(fs, "nonsense geometry");
	j->end = n - n_fast;
	j->checksum_seed = crc32c(~0u, s->s_uuid, sizeof(s->s_uuid));
	uint32_t start = be32_to_cpu(s->s_start);
	if (start != 0 && (start < j->first || start >= j->end))
		return bad_journal(fs, "it starts outside itself");
	return find_runs(fs, n);
}

int ext4_log_open(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	int err = inode_by_number(fs->super, fs->journal_inode, &j->inode);
	if (err < 0)
		return err;
	struct ext4_run run;
	struct ext4_block b;
	if (!S_ISREG(j->inode->mode))
		return bad_journal(fs, "its inode is no file");
	err = ext4_map(ext4_inode_of(j->inode), 0, &run);
	if (err == 0)
		err = run.physical ? ext4_block_get(fs, run.physical, &b)
				   : bad_journal(fs, "its file has a hole");
	if (err < 0)
		return err;
	j->super = heap_alloc(sizeof(*j->super));
	if (j->super)
		memcpy(j->super, b.data, sizeof(*j->super));
	ext4_block_put(&b);
	if (!j->super)
		return -ENOMEM;
	err = check_super(fs, j->super);
	return err < 0 ? err : read_geometry(fs, j->super);
}

void ext4_log_close(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	heap_free(j->runs);
	heap_free(j->super);
	if (j->inode)
		inode_put(j->inode);
	j->runs = NULL;
	j->n_runs = 0;
	j->super = NULL;
	j->inode = NULL;
}

/* --- writing --- */

/* Features that what we write needs. */
static void choose_features(struct ext4 *fs, struct ext4_journal_super *s)
{
	struct ext4_journal *j = fs->journal;
	if (be32_to_cpu(s->header.type) == EXT4_JOURNAL_SUPER_V1) {
		s->header.type = cpu_to_be32(EXT4_JOURNAL_SUPER_V2);
		s->s_nr_users = cpu_to_be32(1);
	}
	j->incompat |= EXT4_JOURNAL_INCOMPAT_REVOKE;
	j->incompat &= ~EXT4_JOURNAL_INCOMPAT_CSUM_V2;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		j->incompat |= EXT4_JOURNAL_INCOMPAT_64BIT;
	if (ext4_has_checksums(fs)) {
		j->incompat |= EXT4_JOURNAL_INCOMPAT_CSUM_V3;
		s->s_checksum_type = EXT4_JOURNAL_CRC32C;
		s->s_feature_compat &= cpu_to_be32(~EXT4_JOURNAL_COMPAT_CHECKSUM);
	}
	j->checksums = j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V3;
	s->s_feature_incompat = cpu_to_be32(j->incompat);
}

int ext4_log_write_super(struct ext4 *fs, uint32_t sequence, uint32_t start)
{
	struct ext4_journal *j = fs->journal;
	struct ext4_journal_super *s = j->super;
	if (!j->started && start != 0)
		choose_features(fs, s);
	s->s_sequence = cpu_to_be32(sequence);
	s->s_start = cpu_to_be32(start);
	if (j->checksums)
		s->s_checksum = super_checksum(s);
	int err = block_write(fs->device, ext4_log_place(j, 0) << fs->block_shift, s, sizeof(*s));
	return err < 0 ? err : block_flush(fs->device);
}

unsigned ext4_tag_size(const struct ext4_journal *j)
{
	if (j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V3)
		return sizeof(struct ext4_journal_tag3);
	unsigned size = 8;
	if (j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V2)
		size += 2;
	return j->incompat & EXT4_JOURNAL_INCOMPAT_64BIT ? size + 4 : size;
}

static unsigned number_size(const struct ext4_journal *j)
{
	return j->incompat & EXT4_JOURNAL_INCOMPAT_64BIT ? 8 : 4;
}

static unsigned tags_per_block(const struct ext4 *fs)
{
	return (fs->block_size - (unsigned)sizeof(struct ext4_journal_header) - UUID_SIZE -
		       CHECKSUM_SIZE) /
	       ext4_tag_size(fs->journal);
}

static unsigned numbers_per_block(const struct ext4 *fs)
{
	return (fs->block_size - (unsigned)sizeof(struct ext4_journal_revoke) - CHECKSUM_SIZE) /
	       number_size(fs->journal);
}

unsigned ext4_log_size(const struct ext4 *fs, unsigned n_changes, unsigned n_revoked)
{
	if (!fs->journal->inode)
		return 0;
	/* Before the log is started tags may be smaller than they will be: the smallest count per block holds. */
	unsigned per = min(tags_per_block(fs), fs->block_size / 32);
	unsigned per_revoke = min(numbers_per_block(fs), fs->block_size / 16);
	return n_changes + n_changes / per + n_revoked / per_revoke + 4;
}

uint32_t ext4_log_checksum(const struct ext4 *fs, uint32_t sequence, const void *block)
{
	uint32_t big = cpu_to_be32(sequence);
	uint32_t crc = crc32c(fs->journal->checksum_seed, &big, sizeof(big));
	return crc32c(crc, block, fs->block_size);
}

/* One transaction on its way into the log. */
struct writer {
	struct ext4 *fs;
	uint32_t sequence;
	uint32_t at; /* the next block */
	struct block_batch batch;
	uint8_t *block; /* of our own making */
	uint8_t *spare;
};

static void put(struct writer *w, const void *bytes)
{
	struct ext4 *fs = w->fs;
	struct ext4_journal *j = fs->journal;
	block_batch_add(&w->batch, BLOCK_WRITE, ext4_log_place(j, w->at) << fs->block_shift,
		(void *)(uintptr_t)bytes, fs->block_size);
	w->at = w->at + 1 == j->end ? j->first : w->at + 1;
	j->n_used++;
}

/* What was put is written; w->block may be filled again. */
static int wait(struct writer *w)
{
	int err = block_batch_wait(&w->batch);
	block_batch_init(&w->batch, w->fs->device);
	return err;
}

static void start_block(struct writer *w, uint32_t type)
{
	struct ext4_journal_header *h = (void *)w->block;
	memset(w->block, 0, w->fs->block_size);
	*h = (struct ext4_journal_header){
		cpu_to_be32(EXT4_JOURNAL_MAGIC), cpu_to_be32(type), cpu_to_be32(w->sequence)};
}

static void seal_block(struct writer *w)
{
	unsigned end = w->fs->block_size - CHECKSUM_SIZE;
	if (w->fs->journal->checksums)
		store_be32(w->block + end,
			crc32c(w->fs->journal->checksum_seed, w->block, w->fs->block_size));
}

static int write_revoked(struct writer *w, struct list *revoked)
{
	struct ext4_journal *j = w->fs->journal;
	unsigned size = number_size(j), per_block = numbers_per_block(w->fs);
	struct list *at = revoked->next;
	while (at != revoked) {
		struct ext4_journal_revoke *h = (void *)w->block;
		uint8_t *to = w->block + sizeof(*h);
		start_block(w, EXT4_JOURNAL_REVOKE);
		for (unsigned n = 0; n < per_block && at != revoked; n++, at = at->next) {
			uint64_t number = list_entry(at, struct ext4_revoke, link)->number;
			if (size == 8)
				store_be32(to, (uint32_t)(number >> 32));
			store_be32(to + size - 4, (uint32_t)number);
			to += size;
		}
		h->n_bytes = cpu_to_be32((uint32_t)(to - w->block));
		seal_block(w);
		put(w, w->block);
		int err = wait(w);
		if (err < 0)
			return err;
	}
	return 0;
}

static void put_tag(struct writer *w, uint8_t *to, const struct ext4_change *c, const void *bytes,
	uint32_t flags)
{
	struct ext4_journal *j = w->fs->journal;
	if (j->incompat & EXT4_JOURNAL_INCOMPAT_CSUM_V3) {
		struct ext4_journal_tag3 tag = {cpu_to_be32((uint32_t)c->number),
			cpu_to_be32(flags), cpu_to_be32((uint32_t)(c->number >> 32)),
			cpu_to_be32(ext4_log_checksum(w->fs, w->sequence, bytes))};
		memcpy(to, &tag, sizeof(tag));
		return;
	}
	struct ext4_journal_tag tag = {.block = cpu_to_be32((uint32_t)c->number),
		.flags = cpu_to_be16((uint16_t)flags),
		.block_high = cpu_to_be32((uint32_t)(c->number >> 32))};
	memcpy(to, &tag, ext4_tag_size(j));
}

/* What the log shall hold of c: a block that begins like a journal's own is disguised. */
static const uint8_t *log_bytes(struct writer *w, const struct ext4_change *c, uint32_t *flags)
{
	if (load_be32(c->copy) != EXT4_JOURNAL_MAGIC)
		return c->copy;
	*flags |= EXT4_TAG_ESCAPE;
	memcpy(w->spare, c->copy, w->fs->block_size);
	memset(w->spare, 0, 4);
	return w->spare;
}

/* A descriptor and its blocks; how many of the n.  One that is disguised ends it, since there is one spare block. */
static unsigned write_some(struct writer *w, struct ext4_change *const *changes, unsigned n)
{
	uint8_t *to = w->block + sizeof(struct ext4_journal_header);
	const uint8_t *last = NULL;
	n = min(n, tags_per_block(w->fs));
	start_block(w, EXT4_JOURNAL_DESCRIPTOR);
	for (unsigned i = 0; i < n; i++) {
		uint32_t flags = i > 0 ? EXT4_TAG_SAME_UUID : 0;
		last = log_bytes(w, changes[i], &flags);
		if (last == w->spare)
			n = i + 1;
		if (i + 1 == n)
			flags |= EXT4_TAG_LAST;
		put_tag(w, to, changes[i], last, flags);
		to += ext4_tag_size(w->fs->journal);
		if (i == 0) {
			memcpy(to, w->fs->journal->super->s_uuid, UUID_SIZE);
			to += UUID_SIZE;
		}
	}
	seal_block(w);
	put(w, w->block);
	for (unsigned i = 0; i < n; i++)
		put(w, i + 1 == n ? last : changes[i]->copy);
	return n;
}

static int write_commit(struct writer *w)
{
	struct ext4_journal *j = w->fs->journal;
	struct ext4_journal_commit *c = (void *)w->block;
	uint64_t now = clock_realtime_ns();
	start_block(w, EXT4_JOURNAL_COMMIT);
	c->commit_sec_high = cpu_to_be32((uint32_t)(now / NS_PER_S >> 32));
	c->commit_sec = cpu_to_be32((uint32_t)(now / NS_PER_S));
	c->commit_ns = cpu_to_be32((uint32_t)(now % NS_PER_S));
	if (j->checksums)
		c->checksum[0] = cpu_to_be32(crc32c(j->checksum_seed, w->block, w->fs->block_size));
	put(w, w->block);
	int err = wait(w);
	return err < 0 ? err : block_flush(w->fs->device);
}

static int write_blocks(
	struct writer *w, struct ext4_change *const *changes, unsigned n, struct list *revoked)
{
	int err = write_revoked(w, revoked);
	while (n > 0 && err == 0) {
		unsigned done = write_some(w, changes, n);
		err = wait(w);
		changes += done;
		n -= done;
	}
	if (err == 0)
		err = block_flush(w->fs->device);
	return err < 0 ? err : write_commit(w);
}

int ext4_log_write(struct ext4 *fs, uint32_t sequence, struct ext4_change *const *changes,
	unsigned n, struct list *revoked)
{
	struct writer *w = heap_zalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fs = fs;
	w->sequence = sequence;
	w->at = fs->journal->head;
	w->block = heap_alloc(fs->block_size);
	w->spare = heap_alloc(fs->block_size);
	block_batch_init(&w->batch, fs->device);
	int err = -ENOMEM;
	if (w->block && w->spare)
		err = write_blocks(w, changes, n, revoked);
	fs->journal->head = w->at;
	heap_free(w->block);
	heap_free(w->spare);
	heap_free(w);
	return err;
}
