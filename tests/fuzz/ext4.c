/*
 * The image reader against damage.  An input is a choice of one of some small images that mke2fs
 * made, and a list of patches: three bytes of offset, one of length, the bytes.  The whole tree is
 * then walked.
 */
#include "tests/unit/ext4_image.h"

#define IMAGES 5u
#define PATCH_MAX 16u
#define METADATA 0x30000u /* of each image: what is worth patching */

static struct image images[IMAGES];
static unsigned char *scratch;

static const char *const arguments[IMAGES] = {
	"-t ext2 -b 1024",
	"-t ext4 -b 1024 -O ^metadata_csum,^has_journal,^uninit_bg",
	"-t ext4 -b 1024 -O ^metadata_csum,^has_journal,^uninit_bg,large_dir", /* indexed */
	"-t ext4 -b 4096 -O ^metadata_csum,^has_journal,inline_data",
	"-t ext4 -b 2048 -O ^metadata_csum,^has_journal,meta_bg,^resize_inode -g 256",
};

static void run(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	char folder[] = "/tmp/mote-ext4-XXXXXX", command[600];
	assert(mkdtemp(folder));
	setenv("D", folder, 1);
	run("mkdir -p $D/tree/dir/sub && cd $D/tree && seq 1 5000 > numbers && echo hello > small "
	    "&& "
	    "ln -s small link && ln -s $(head -c 100 /dev/zero | tr '\\0' x) long && mkfifo fifo "
	    "&& "
	    "for n in $(seq 1 60); do : > dir/a-name-of-some-length-$n; done && "
	    "for n in $(seq 0 100); do printf x | dd of=sparse bs=1 seek=$((n * 8192)) "
	    "conv=notrunc "
	    "status=none; done");
	for (unsigned i = 0; i < IMAGES; i++) {
		snprintf(command, sizeof(command),
			"rm -f $D/i; truncate -s 1M $D/i; mke2fs -q -F -N 128 %s -d $D/tree $D/i "
			"2> /dev/null%s",
			arguments[i], i == 2 ? "; e2fsck -fyD $D/i > /dev/null 2>&1; true" : "");
		run(command);
		snprintf(command, sizeof(command), "%s/i", folder);
		image_load(&images[i], command);
	}
	run("rm -r $D");
	scratch = malloc(1 << 20);
	/* Nothing here ever waits, so no thread is needed around it. */
	host_memory_init(64ul << 20);
	sched_init();
	return 0;
}

static void read_image(struct image *im)
{
	struct super *super = NULL;
	if (ext4_filesystem.mount(&im->device, SUPER_READ_ONLY, &super) < 0)
		return;
	image_walk(super->root, 4);
	image_unmount(super);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const struct image *base = &images[data[0] % IMAGES];
	struct image im;
	memcpy(scratch, base->bytes, base->size);
	image_init(&im, scratch, base->size);
	for (size_t at = 1; at + 4 < size;) {
		size_t offset = (data[at] | data[at + 1] << 8 | data[at + 2] << 16) % METADATA;
		size_t n = data[at + 3] % PATCH_MAX + 1;
		at += 4;
		n = n < size - at ? n : size - at;
		memcpy(scratch + offset, data + at, n);
		at += n;
	}
	read_image(&im);
	return 0;
}
