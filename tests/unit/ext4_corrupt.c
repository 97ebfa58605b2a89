/*
 * Damaged images: certain damage gets its certain answer, and any damage at all neither crashes nor
 * hangs the reader.
 */
#include "tests/unit/ext4_image.h"
#include "kernel/lib/crc32c.h"

#define FLIPS 400

static char folder[] = "/tmp/mote-ext4-XXXXXX";

static void run(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

static void make_tree(void)
{
	run("mkdir -p $D/tree/dir/sub && cd $D/tree && seq 1 20000 > numbers && echo hello > small "
	    "&& "
	    "ln -s small link && ln -s $(head -c 100 /dev/zero | tr '\\0' x) long && "
	    "for n in $(seq 1 150); do : > dir/a-name-of-some-length-$n; done && "
	    "for n in $(seq 0 300); do printf x | dd of=sparse bs=1 seek=$((n * 8192)) "
	    "conv=notrunc "
	    "status=none; done");
}

/* mke2fs's arguments; the image comes into memory. */
static void make_image(struct image *im, const char *arguments, const char *afterwards)
{
	char command[600];
	snprintf(command, sizeof(command),
		"rm -f $I; truncate -s 4M $I; mke2fs -q -F %s -d $D/tree $I 2> /dev/null%s",
		arguments, afterwards);
	run(command);
	image_load(im, getenv("I"));
}

static struct ext4_disk_super *super_of(struct image *im)
{
	return (struct ext4_disk_super *)(im->bytes + EXT4_SUPER_OFFSET);
}

static void fix_checksum(struct image *im)
{
	struct ext4_disk_super *s = super_of(im);
	s->s_checksum = crc32c(~0u, s, offsetof(struct ext4_disk_super, s_checksum));
}

static int mount(struct image *im, struct super **out)
{
	return ext4_filesystem.mount(&im->device, SUPER_READ_ONLY, out);
}

/* --- certain damage --- */

#define SUPER_CASE(expected, change)                                                               \
	do {                                                                                       \
		struct ext4_disk_super *s = super_of(im), saved = *s;                              \
		struct super *super = NULL;                                                        \
		change;                                                                            \
		fix_checksum(im);                                                                  \
		int err = mount(im, &super);                                                       \
		if (err != (expected))                                                             \
			fprintf(stderr, "%s: %d\n", #change, err);                                 \
		assert(err == (expected));                                                         \
		if (err == 0)                                                                      \
			image_unmount(super);                                                      \
		*s = saved;                                                                        \
	} while (0)

static void check_super(void *arg)
{
	struct image *im = arg;
	struct super *none = NULL;
	super_of(im)->s_mtime ^= 1;
	assert(mount(im, &none) == -EUCLEAN); /* the checksum */
	super_of(im)->s_mtime ^= 1;

	SUPER_CASE(0, (void)s);
	SUPER_CASE(-EINVAL, s->s_magic = 0);
	SUPER_CASE(-EOPNOTSUPP, s->s_feature_incompat |= 0x400);
	SUPER_CASE(-EOPNOTSUPP, s->s_feature_incompat |= 0x80000000u);
	SUPER_CASE(0, s->s_feature_ro_compat |= 0x80000000u);
	SUPER_CASE(-EOPNOTSUPP, s->s_log_block_size = 6);
	SUPER_CASE(-EOPNOTSUPP, s->s_log_block_size = ~0u);
	SUPER_CASE(-EUCLEAN, s->s_blocks_count_lo *= 2);
	SUPER_CASE(-EUCLEAN, s->s_blocks_count_hi = ~0u);
	SUPER_CASE(-EUCLEAN, s->s_blocks_count_lo = 0);
	SUPER_CASE(-EUCLEAN, s->s_blocks_per_group = 0);
	SUPER_CASE(-EUCLEAN, s->s_blocks_per_group = 1);
	SUPER_CASE(-EUCLEAN, s->s_inodes_per_group = 0);
	SUPER_CASE(-EUCLEAN, s->s_inodes_per_group = ~0u);
	SUPER_CASE(-EUCLEAN, s->s_inodes_count = 0);
	SUPER_CASE(-EUCLEAN, s->s_inode_size = 0);
	SUPER_CASE(-EUCLEAN, s->s_inode_size = 200);
	SUPER_CASE(-EUCLEAN, s->s_inode_size = 32768);
	SUPER_CASE(-EUCLEAN, s->s_desc_size = 0);
	SUPER_CASE(-EUCLEAN, s->s_desc_size = 65);
	SUPER_CASE(-EUCLEAN, s->s_first_data_block = 77);
	SUPER_CASE(-EUCLEAN, s->s_checksum_type = 3);
	SUPER_CASE(-EUCLEAN, s->s_uuid[0] ^= 1); /* then no other checksum is right */
	/* The journal is empty: then the flag alone does no harm. */
	SUPER_CASE(0, s->s_feature_incompat |= EXT4_INCOMPAT_RECOVER);
	SUPER_CASE(-EUCLEAN, s->s_feature_incompat |= EXT4_INCOMPAT_RECOVER;
		   s->s_journal_inum = 11);
	SUPER_CASE(-EUCLEAN, s->s_feature_incompat |= EXT4_INCOMPAT_RECOVER; s->s_journal_inum = 0);
}

static void set_journal_start(struct image *im, unsigned char value)
{
	unsigned n = 0;
	for (size_t at = 0; at < im->size; at += 1024)
		if (memcmp(im->bytes + at, "\xc0\x3b\x39\x98\0\0\0\4", 8) == 0) {
			im->bytes[at + offsetof(struct ext4_journal_super, s_start) + 3] = value;
			n++;
		}
	assert(n == 1);
}

static void check_journal(void *arg)
{
	struct image *im = arg;
	struct super *super = NULL;
	super_of(im)->s_feature_incompat |= EXT4_INCOMPAT_RECOVER;
	fix_checksum(im);
	assert(mount(im, &super) == 0);
	image_unmount(super);
	/* Something to replay (nothing, as it turns out), but not on a disk that can not be written. */
	set_journal_start(im, 1);
	im->device.read_only = true;
	assert(mount(im, &super) == -EUCLEAN);
	im->device.read_only = false;
	assert(mount(im, &super) == 0);
	image_unmount(super);
}

static unsigned char *find_bytes(struct image *im, const char *text)
{
	unsigned char *p = memmem(im->bytes, im->size, text, strlen(text));
	assert(p);
	return p;
}

static int look_up(struct inode *dir, const char *text, struct inode **out)
{
	struct name name = make_name(text, strlen(text));
	return dir->ops->lookup(dir, &name, out);
}

/* With checksums a single wrong byte in a directory is noticed; data have none. */
static void check_directory(void *arg)
{
	struct image *im = arg;
	unsigned char *at = find_bytes(im, "numbers");
	at[0] = 'N';
	struct super *super = NULL;
	struct inode *i = NULL;
	struct entries e;
	assert(mount(im, &super) == 0);
	assert(look_up(super->root, "Numbers", &i) == -EUCLEAN);
	assert(entries_read(&e, super->root, 10) == -EUCLEAN);
	image_unmount(super);
	at[0] = 'n';
	assert(mount(im, &super) == 0);
	assert(look_up(super->root, "numbers", &i) == 0);
	inode_put(i);
	image_unmount(super);
}

/* --- any damage --- */

static uint32_t seed = 1;
static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void check_flips(void *arg)
{
	struct image *im = arg;
	unsigned n_mounted = 0, n_inodes = 0;
	for (unsigned k = 0; k < FLIPS; k++) {
		uint32_t at[16];
		unsigned char saved[16];
		unsigned n = 1 + next_random() % 16;
		for (unsigned i = 0; i < n; i++) {
			/* Metadata stand at the beginning. */
			at[i] = next_random() % (i % 2 ? 0x8000u : 0x40000u);
			saved[i] = im->bytes[at[i]];
			uint32_t new = i % 3 ? next_random() : saved[i] ^ 1u << i % 8;
			im->bytes[at[i]] = (unsigned char)new;
		}
		struct super *super = NULL;
		if (mount(im, &super) == 0) {
			n_mounted++;
			n_inodes += image_walk(super->root, 4);
			image_unmount(super);
		}
		while (n-- > 0)
			im->bytes[at[n]] = saved[n];
	}
	printf("  %u of %u mounted, %u inodes reached\n", n_mounted, FLIPS, n_inodes);
}

int main(void)
{
	static const char *const variants[][2] = {
		{"-t ext2 -b 1024", ""},
		{"-t ext4 -b 1024 -O ^metadata_csum,^has_journal,^uninit_bg", ""},
		{"-t ext4 -b 1024 -O ^metadata_csum,^has_journal,^uninit_bg",
			"; e2fsck -fyD $I > /dev/null 2>&1; true"},
		{"-t ext4 -b 4096 -O ^metadata_csum,^has_journal,inline_data", ""},
		{"-t ext4 -b 1024 -O ^has_journal", ""},
	};
	setvbuf(stdout, NULL, _IOLBF, 0);
	assert(mkdtemp(folder));
	char path[sizeof(folder) + 8];
	snprintf(path, sizeof(path), "%s/image", folder);
	setenv("D", folder, 1);
	setenv("I", path, 1);
	make_tree();
	struct image im;
	make_image(&im, "-t ext4 -b 1024 -J size=1", "");
	host_run(check_super, &im);
	host_run(check_journal, &im);
	free(im.bytes);
	make_image(&im, "-t ext4 -b 1024 -O ^has_journal", "");
	host_run(check_directory, &im);
	free(im.bytes);
	for (unsigned i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		puts(variants[i][0]);
		make_image(&im, variants[i][0], variants[i][1]);
		host_run(check_flips, &im);
		free(im.bytes);
	}
	run("rm -r $D");
	return 0;
}
