/*
 * ext4's read side against mke2fs: one source tree in images with many combinations of features and
 * block sizes; every name, attribute and byte must come back.
 */
#include "tests/unit/ext4_image.h"

#define BIG_DIRECTORY 2500

/* Shell commands find the folder in $D and the image in $I. */
static char folder[] = "/tmp/mote-ext4-XXXXXX";

static void run(const char *command)
{
	int status = system(command);
	/* e2fsck says 1 for "corrected". */
	if (status != 0 && status != 256) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

static const char *host_path(const char *name)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/tree/%s", folder, name);
	return path;
}

static void write_random(FILE *f, long at, size_t n)
{
	static uint32_t seed = 1;
	assert(fseek(f, at, SEEK_SET) == 0);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		putc((int)(seed >> 24), f);
	}
}

static void make_file(const char *name, size_t size)
{
	FILE *f = fopen(host_path(name), "wx");
	assert(f);
	write_random(f, 0, size);
	fclose(f);
}

/* Many extents: every other block; one far out, for the deep levels of block maps. */
static void make_sparse_file(void)
{
	FILE *f = fopen(host_path("sparse"), "wx");
	assert(f);
	for (long i = 0; i < 700; i++)
		write_random(f, i * 8192 + 100, 300);
	write_random(f, 80l << 20, 5000);
	write_random(f, (90l << 20) + 16, 1);
	fclose(f);
}

static void make_tree(void)
{
	char name[300];
	run("mkdir -p $D/tree/empty $D/tree/big $D/tree/some/deeper/tree/of/directories");
	static const unsigned sizes[] = {0, 1, 59, 60, 61, 100, 160, 1023, 1024, 1025, 4095, 4096,
		4097, 12 * 1024, 13 * 1024, 70000, 300000, 1500000};
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "size-%u", sizes[i]);
		make_file(name, sizes[i]);
	}
	make_sparse_file();
	make_file("some/deeper/tree/of/directories/file", 10);
	for (unsigned i = 0; i < BIG_DIRECTORY; i++) {
		/* High bytes: hashes know signed and unsigned characters. */
		snprintf(name, sizeof(name), "big/name-%c%c-%u-%.*s", 0xc3, 0xa4 + i % 16, i,
			(int)(i % 60),
			"and-some-more-text-to-make-it-longer-and-longer-and-longer--");
		make_file(name, 0);
	}
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	make_file(name, 3);
	run("cd $D/tree && for n in 1 58 59 60 61 500 1000; do "
	    "ln -s $(head -c $n /dev/zero | tr '\\0' x) link-$n; done");
	run("cd $D/tree && mkfifo -m 600 fifo && ln size-100 hard && chmod 4711 size-60");
	run("cd $D/tree && { mknod null c 1 3 && mknod far b 259 70000 && chown 70000:80000 "
	    "size-1; } "
	    "2> /dev/null || true");
	/* What the images are compared with. */
	run("cd $D/tree && find . -mindepth 1 -printf '%y %m %U %G %s %n %Ts %P\\t%l\\n' > "
	    "$D/list");
}

/* --- comparing --- */

/* A line of the list. */
struct expected {
	char kind;
	unsigned mode, uid, gid, n_links;
	unsigned long size;
	long modified;
	char *path, *target;
};

static void compare_contents(const struct expected *x, struct inode *i)
{
	FILE *f = fopen(host_path(x->path), "rb");
	assert(f);
	static unsigned char want[65536], got[65536];
	/* Of the sparse file's end only a part is looked at. */
	for (size_t at = 0; at < x->size; at += at < (6u << 20) ? sizeof(want) : 3 * sizeof(want)) {
		assert(fseek(f, (long)at, SEEK_SET) == 0);
		size_t n = fread(want, 1, sizeof(want), f);
		assert(n > 0);
		int err = page_cache_read(&i->pages, at, got, n);
		if (err < 0)
			fprintf(stderr, "%s at %zu: error %d\n", x->path, at, err);
		assert(err == 0);
		assert(memcmp(want, got, n) == 0);
	}
	fclose(f);
}

static void compare(const struct expected *x, struct inode *i)
{
	if (x->kind == 'f' && (inode_size(i) != x->size || i->n_links != x->n_links))
		fprintf(stderr, "%s: size %lu, %u links\n", x->path, (unsigned long)inode_size(i),
			i->n_links);
	assert((i->mode & 07777) == x->mode && i->uid == x->uid && i->gid == x->gid);
	switch (x->kind) {
	case 'f':
		assert(S_ISREG(i->mode) && inode_size(i) == x->size && i->n_links == x->n_links);
		assert(i->modified.tv_sec == x->modified);
		compare_contents(x, i);
		break;
	case 'd':
		assert(S_ISDIR(i->mode));
		break;
	case 'l': {
		char got[PATH_MAX];
		assert(S_ISLNK(i->mode));
		assert(i->ops->readlink(i, got, sizeof(got)) == (long)strlen(x->target));
		assert(memcmp(x->target, got, strlen(x->target)) == 0);
		assert(i->ops->readlink(i, got, 1) == 1);
		break;
	}
	case 'p':
		assert(S_ISFIFO(i->mode));
		break;
	case 'c':
		assert(S_ISCHR(i->mode) && i->device == 0x103);
		break;
	case 'b': /* as stat(2) has it: 259, 70000 */
		assert(S_ISBLK(i->mode));
		assert(i->device == ((70000 & 0xff) | 259 << 8 | (70000 & ~0xff) << 12));
		break;
	default:
		assert(!"kind");
	}
}

static struct inode *find(struct inode *root, const char *path)
{
	inode_get(root);
	struct inode *at = root;
	while (*path) {
		size_t len = strcspn(path, "/");
		struct name name = make_name(path, len);
		struct inode *next = NULL;
		int err = at->ops->lookup(at, &name, &next);
		inode_put(at);
		if (err < 0) {
			fprintf(stderr, "%s: error %d\n", path, err);
			abort();
		}
		at = next;
		path += len + (path[len] == '/');
	}
	return at;
}

static unsigned compare_list(struct inode *root)
{
	char path[300], line[4096];
	snprintf(path, sizeof(path), "%s/list", folder);
	FILE *f = fopen(path, "r");
	assert(f);
	unsigned n = 0;
	for (; fgets(line, sizeof(line), f); n++) {
		struct expected x;
		int at = 0;
		line[strcspn(line, "\n")] = '\0';
		assert(sscanf(line, "%c %o %u %u %lu %u %ld %n", &x.kind, &x.mode, &x.uid, &x.gid,
			       &x.size, &x.n_links, &x.modified, &at) == 7);
		x.path = line + at;
		x.target = strchr(x.path, '\t');
		*x.target++ = '\0';
		struct inode *i = find(root, x.path);
		compare(&x, i);
		inode_put(i);
	}
	fclose(f);
	return n;
}

static void check_absent(struct inode *dir)
{
	static const char *const names[] = {"absent", "z", "size-", "name-\xc3\xa4-2500-"};
	for (unsigned k = 0; k < sizeof(names) / sizeof(*names); k++) {
		struct name name = make_name(names[k], strlen(names[k]));
		struct inode *child = NULL;
		assert(dir->ops->lookup(dir, &name, &child) == -ENOENT);
	}
}

/* List all, whole and in small steps; each name leads to the inode it says.  How many there are. */
static unsigned check_lists(struct inode *dir)
{
	struct entries all, few;
	assert(entries_read(&all, dir, 100000) == 0);
	assert(entries_read(&few, dir, 7) == 0);
	assert(few.n == all.n);
	check_absent(dir);
	unsigned n = all.n;
	for (unsigned k = 0; k < all.n; k++) {
		assert(strcmp(all.items[k].name, few.items[k].name) == 0);
		struct inode *child = find(dir, all.items[k].name);
		assert(child->number == all.items[k].number);
		assert(all.items[k].type == DT_UNKNOWN ||
			all.items[k].type == inode_entry_type(child->mode));
		if (S_ISDIR(child->mode))
			n += check_lists(child);
		inode_put(child);
	}
	free(all.items);
	free(few.items);
	return n;
}

static void check_seek(struct inode *root)
{
	struct inode *i = find(root, "sparse");
	uint64_t size = inode_size(i);
	int64_t hole = i->ops->seek(i, 0, SEEK_HOLE);
	assert(hole > 0 && hole <= 8192);
	int64_t data = i->ops->seek(i, (uint64_t)hole, SEEK_DATA);
	assert(data > 0 && data <= 8192 + 100 && data > 4096);
	data = i->ops->seek(i, 70ul << 20, SEEK_DATA);
	assert(data == 80l << 20);
	assert(i->ops->seek(i, size - 1, SEEK_DATA) == (int64_t)size - 1);
	assert(i->ops->seek(i, size - 1, SEEK_HOLE) == (int64_t)size);
	inode_put(i);
}

/* --- the images --- */

static const struct variant {
	const char *arguments, *afterwards;
} variants[] = {
	{"-t ext4 -b 4096", NULL},
	{"-t ext4 -b 1024", NULL},
	{"-t ext4 -b 2048 -O ^64bit", NULL},
	{"-t ext2 -b 1024", NULL},
	{"-t ext2 -b 4096 -I 128 -O ^filetype", NULL},
	{"-t ext3 -b 4096", NULL},
	{"-t ext4 -O ^metadata_csum,uninit_bg", NULL},
	{"-t ext4 -O metadata_csum_seed,^has_journal", NULL},
	{"-t ext4 -b 4096 -I 1024 -O inline_data", NULL},
	{"-t ext4 -b 1024 -O inline_data", NULL},
	{"-t ext4 -b 1024 -O meta_bg,^resize_inode -g 1024", NULL},
	{"-t ext4 -O bigalloc -C 16384", NULL},
	/* Indexed directories: e2fsck -D makes them. */
	{"-t ext4 -b 4096", "true"},
	{"-t ext4 -b 1024", "true"},
	{"-t ext4 -b 1024 -O large_dir", "tune2fs -E hash_alg=tea $I"},
	{"-t ext4 -b 2048 -O ^metadata_csum", "tune2fs -E hash_alg=legacy $I"},
	{"-t ext3 -b 1024", "debugfs -w -R 'ssv flags 2' $I"},
	{"-t ext4 -b 1024", "tune2fs -E hash_alg=tea $I; debugfs -w -R 'ssv flags 2' $I"},
	{"-t ext4 -b 1024", "tune2fs -E hash_alg=legacy $I; debugfs -w -R 'ssv flags 2' $I"},
};

static void make_image(const struct variant *v)
{
	char command[512];
	snprintf(command, sizeof(command),
		"rm -f $I; truncate -s 40M $I; mke2fs -q -F -N 4096 %s -d $D/tree $I 2> /dev/null",
		v->arguments);
	run(command);
	if (v->afterwards) {
		snprintf(command, sizeof(command), "{ %s; e2fsck -fyD $I; } > $D/log 2>&1",
			v->afterwards);
		run(command);
	}
}

static void check_variant(void *arg)
{
	const struct variant *v = arg;
	struct image im;
	image_load(&im, getenv("I"));
	struct super *super = NULL;
	im.device.read_only = true;
	assert(ext4_filesystem.mount(&im.device, 0, &super) == -EROFS);
	int err = ext4_filesystem.mount(&im.device, SUPER_READ_ONLY, &super);
	assert(err == 0);
	unsigned long n_mount = im.n_requests;
	unsigned n = compare_list(super->root);
	assert(n > BIG_DIRECTORY);
	assert(check_lists(super->root) == n + 1); /* lost+found */
	check_seek(super->root);
	struct linux_statfs s;
	assert(super->ops->statfs(super, &s) == 0 && s.f_type == 0xef53 && s.f_bfree < s.f_blocks);
	printf("%-50s %s: %u names, %lu requests to mount, %lu in all\n", v->arguments,
		v->afterwards ? "indexed" : "as made", n, n_mount, im.n_requests);
	free(im.bytes);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	assert(mkdtemp(folder));
	char image[sizeof(folder) + 8];
	snprintf(image, sizeof(image), "%s/image", folder);
	setenv("D", folder, 1);
	setenv("I", image, 1);
	make_tree();
	for (unsigned i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		if (argc > 1 && strtoul(argv[1], NULL, 0) != i)
			continue;
		make_image(&variants[i]);
		host_run(check_variant, (void *)(uintptr_t)&variants[i]);
	}
	run("rm -r $D");
	return 0;
}
