/*
 * ext4's write side: what is done through the VFS, e2fsck agrees with, and another mount finds again; on images of many
 * shapes, each in a process of its own.
 */
#include "tests/unit/ext4_image.h"
#include "tests/unit/host_process.h"
#include "tests/unit/vfs_calls.h"

#include "abi/linux/xattr.h"

static char folder[] = "/tmp/mote-ext4-XXXXXX";
static struct image disk;

static int run(const char *command)
{
	return host_exit_code(system(command));
}

static void mount_disk(const char *path)
{
	image_load(&disk, path);
	block_register(&disk.device);
	fd_table_init();
	vfs_set_credentials(get_test_credentials);
	expect(vfs_mount_root("/dev/vda", true), 0);
}

static void fill(unsigned char *to, size_t n, unsigned seed)
{
	uint32_t x = seed * 2654435761u + 1;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (unsigned char)(x >> 24);
	}
}

static unsigned char *pattern(size_t n, unsigned seed)
{
	unsigned char *p = malloc(n + 1);
	fill(p, n, seed);
	return p;
}

static void write_pattern(const char *path, size_t n, unsigned seed)
{
	unsigned char *p = pattern(n, seed);
	struct file *f = opened(path, O_WRONLY | O_CREAT | O_TRUNC);
	expect(put(f, p, n), (long)n);
	file_put(f);
	free(p);
}

static void check_pattern(const char *path, size_t n, unsigned seed)
{
	unsigned char *p = pattern(n, seed), *got = malloc(n + 1);
	struct file *f = opened(path, O_RDONLY);
	expect(stat_of(path).st_size, (long)n);
	expect(take(f, got, n + 1), (long)n);
	if (memcmp(p, got, n))
		panic("%s: other contents", path);
	file_put(f);
	free(p);
	free(got);
}

static int sync_file(const char *path)
{
	struct file *f = opened(path, O_RDONLY);
	int err = f->ops->sync(f, false);
	file_put(f);
	return err;
}

/* --- scenarios: do, then, in another mount, check --- */

static void do_files(void)
{
	char path[100];
	expect(vfs_mkdir(NULL, "/d", 0755), 0);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/d/file-%u", i);
		write_pattern(path, i * 777, i);
	}
	for (unsigned i = 0; i < 60; i += 3) {
		snprintf(path, sizeof(path), "/d/file-%u", i);
		expect(vfs_unlink(NULL, path), 0);
	}
	expect(sync_file("/d/file-1"), 0);
	write_pattern("/big", 3000000, 77);
	expect(sync_file("/big"), 0);
	expect(vfs_symlink("target", NULL, "/short"), 0);
	char target[500];
	memset(target, 'x', sizeof(target));
	target[499] = 0;
	expect(vfs_symlink(target, NULL, "/long"), 0);
	expect(hard_link("/big", "/d/other"), 0);
	expect(vfs_mknod(NULL, "/d/fifo", S_IFIFO | 0600, 0), 0);
	expect(vfs_mknod(NULL, "/d/null", S_IFCHR | 0666, 0x103), 0);
	expect(vfs_mknod(NULL, "/d/far", S_IFBLK | 0666, 0x1234567), 0);
	expect(rename_at("/d/file-1", "/moved", 0), 0);
	expect(rename_at("/d/file-2", "/d/file-4", 0), 0);
	expect(rename_at("/d/file-5", "/d/file-7", RENAME_EXCHANGE), 0);
	expect(vfs_mkdir(NULL, "/d/e", 0700), 0);
	expect(vfs_mkdir(NULL, "/d/e/f", 0700), 0);
	expect(rename_at("/d/e/f", "/f", 0), 0);
	expect(vfs_rmdir(NULL, "/d"), -ENOTEMPTY);
	expect(vfs_rmdir(NULL, "/d/e"), 0);
}

static void check_files(void)
{
	char path[100];
	for (unsigned i = 8; i < 60; i++) {
		snprintf(path, sizeof(path), "/d/file-%u", i);
		if (i % 3 == 0)
			expect(exists(path), -ENOENT);
		else
			check_pattern(path, i * 777, i);
	}
	check_pattern("/moved", 777, 1);
	check_pattern("/d/file-4", 2 * 777, 2);
	check_pattern("/d/file-5", 7 * 777, 7);
	check_pattern("/d/file-7", 5 * 777, 5);
	check_pattern("/big", 3000000, 77);
	check_pattern("/d/other", 3000000, 77);
	expect(stat_of("/big").st_nlink, 2);
	check_text(link_of("/short"), "target");
	expect(strlen(link_of("/long")), 499);
	expect(stat_of("/d/null").st_rdev, 0x103);
	expect(stat_of("/d/far").st_rdev, 0x1234567);
	expect(stat_of("/d").st_nlink, 2);
	expect(stat_of("/").st_nlink, 5);
}

static void do_sizes(void)
{
	unsigned char *p = pattern(200000, 5);
	struct file *f = opened("/holes", O_RDWR | O_CREAT);
	for (unsigned i = 0; i < 400; i++)
		expect(put_at(f, p, 100, i * 10000ul), 100);
	expect(f->ops->sync(f, false), 0);
	for (unsigned i = 0; i < 400; i += 2)
		expect(put_at(f, p, 100, i * 10000ul + 5000), 100);
	expect(f->ops->sync(f, true), 0);
	expect(f->ops->truncate(f, 3000000), 0);
	expect(f->ops->truncate(f, 3500000), 0);
	file_put(f);
	f = opened("/cut", O_RDWR | O_CREAT);
	expect(put(f, p, 200000), 200000);
	expect(f->ops->sync(f, false), 0);
	expect(f->ops->truncate(f, 100001), 0);
	expect(f->ops->sync(f, false), 0);
	expect(f->ops->truncate(f, 150000), 0);
	file_put(f);
	f = opened("/ranges", O_RDWR | O_CREAT);
	expect(put(f, p, 200000), 200000);
	expect(f->ops->sync(f, false), 0);
	int keep = FALLOC_FL_KEEP_SIZE;
	expect(f->ops->allocate(f, FALLOC_FL_PUNCH_HOLE | keep, 10001, 50000), 0);
	expect(f->ops->allocate(f, FALLOC_FL_ZERO_RANGE, 100001, 20000), 0);
	expect(f->ops->allocate(f, FALLOC_FL_COLLAPSE_RANGE, 4096 * 20, 4096 * 2), 0);
	expect(f->ops->allocate(f, FALLOC_FL_INSERT_RANGE, 4096 * 40, 4096 * 3), 0);
	expect(f->ops->allocate(f, 0, 300000, 100000), 0);
	expect(put_at(f, p, 5000, 333333), 5000);
	expect(f->ops->allocate(f, keep, 500000, 100000), 0);
	file_put(f);
	free(p);
}

static void check_sizes(void)
{
	unsigned char *p = pattern(200000, 5), *got = malloc(400000), *want = calloc(1, 400000);
	struct file *f = opened("/holes", O_RDONLY);
	expect(stat_of("/holes").st_size, 3500000);
	for (unsigned i = 0; i < 350; i++) {
		expect(take_at(f, got, 10000, i * 10000ul), 10000);
		memset(want, 0, 10000);
		if (i < 300) {
			memcpy(want, p, 100);
			if (i % 2 == 0)
				memcpy(want + 5000, p, 100);
		}
		expect(memcmp(got, want, 10000), 0);
	}
	file_put(f);
	f = opened("/cut", O_RDONLY);
	memset(want, 0, 400000);
	memcpy(want, p, 100001);
	expect(take_at(f, got, 200000, 0), 150000);
	expect(memcmp(got, want, 150000), 0);
	file_put(f);
	f = opened("/ranges", O_RDONLY);
	memset(want, 0, 400000);
	memcpy(want, p, 200000);
	memset(want + 10001, 0, 50000);
	memset(want + 100001, 0, 20000);
	memmove(want + 4096 * 20, want + 4096 * 22, 200000 - 4096 * 22);
	memset(want + 200000 - 4096 * 2, 0, 4096 * 2);
	memmove(want + 4096 * 43, want + 4096 * 40, 200000 - 4096 * 42);
	memset(want + 4096 * 40, 0, 4096 * 3);
	memcpy(want + 333333, p, 5000);
	expect(take_at(f, got, 400000, 0), 400000);
	for (unsigned i = 0; i < 400000; i++)
		if (got[i] != want[i])
			panic("ranges: byte %u is %u, not %u", i, got[i], want[i]);
	file_put(f);
	free(p);
	free(got);
	free(want);
}

#define MANY 6000

static void do_directory(void)
{
	char path[300];
	expect(vfs_mkdir(NULL, "/many", 0755), 0);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/many/name-%u-%.*s", i, (int)(i % 80),
			"and-some-more-text-to-make-it-longer-and-longer-and-longer-and-longer-and-"
			"lo");
		if (i % 50)
			expect(vfs_mknod(NULL, path, S_IFIFO | 0644, 0), 0);
		else
			expect(vfs_mkdir(NULL, path, 0700), 0);
	}
	for (unsigned i = 0; i < MANY; i += 7) {
		snprintf(path, sizeof(path), "/many/name-%u-%.*s", i, (int)(i % 80),
			"and-some-more-text-to-make-it-longer-and-longer-and-longer-and-longer-and-"
			"lo");
		expect(i % 50 ? vfs_unlink(NULL, path) : vfs_rmdir(NULL, path), 0);
	}
}

static void check_directory(void)
{
	char path[300];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/many/name-%u-%.*s", i, (int)(i % 80),
			"and-some-more-text-to-make-it-longer-and-longer-and-longer-and-longer-and-"
			"lo");
		expect(exists(path), i % 7 ? 0 : -ENOENT);
	}
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/many/name-%u-%.*s", i, (int)(i % 80),
			"and-some-more-text-to-make-it-longer-and-longer-and-longer-and-longer-and-"
			"lo");
		if (i % 7)
			expect(i % 50 ? vfs_unlink(NULL, path) : vfs_rmdir(NULL, path), 0);
	}
	expect(vfs_rmdir(NULL, "/many"), 0);
}

/* More names than fit into the inode, then than fit at all. */
static void do_attributes(void)
{
	char name[40], value[900];
	memset(value, 'v', sizeof(value));
	write_pattern("/f", 100, 1);
	struct dentry *d;
	expect(vfs_lookup(NULL, "/f", 0, &d), 0);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "user.name-%u", i);
		expect(vfs_xattr_set(d, name, value, i * 5, XATTR_CREATE), 0);
	}
	expect(vfs_xattr_set(d, "user.name-3", value, 1, XATTR_CREATE), -EEXIST);
	expect(vfs_xattr_set(d, "user.absent", value, 1, XATTR_REPLACE), -ENODATA);
	int err = 0;
	for (unsigned i = 20; i < 40 && !err; i++) {
		snprintf(name, sizeof(name), "user.name-%u", i);
		err = vfs_xattr_set(d, name, value, sizeof(value), 0);
	}
	expect(err, -ENOSPC);
	expect(vfs_xattr_set(d, "user.name-5", NULL, 0, 0), 0);
	expect(vfs_xattr_set(d, "user.name-7", "other", 5, XATTR_REPLACE), 0);
	dentry_put(d);
	write_pattern("/g", 100, 1);
	expect(vfs_lookup(NULL, "/g", 0, &d), 0);
	expect(vfs_xattr_set(d, "user.name", value, 800, 0), 0);
	dentry_put(d);
	expect(vfs_unlink(NULL, "/g"), 0); /* its block goes with it */
}

static void check_attributes(void)
{
	char name[40], value[900];
	struct dentry *d;
	expect(vfs_lookup(NULL, "/f", 0, &d), 0);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "user.name-%u", i);
		long n = vfs_xattr_get(d, name, value, sizeof(value), 0);
		expect(n, i == 5 ? -ENODATA : i == 7 ? 5 : (long)i * 5);
		if (i == 7)
			expect(memcmp(value, "other", 5), 0);
	}
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "user.name-%u", i);
		int err = vfs_xattr_set(d, name, NULL, 0, 0);
		expect(err == 0 || err == -ENODATA, 1);
	}
	expect(vfs_xattr_list(d, value, sizeof(value), 0), 0);
	dentry_put(d);
}

/* A full disk: what does not fit is refused, what is there stays, and what is removed can be had again. */
static void do_full(void)
{
	char path[40];
	unsigned char *p = pattern(100000, 3);
	unsigned n = 0;
	write_pattern("/first", 50000, 9);
	for (;; n++) {
		snprintf(path, sizeof(path), "/fill-%u", n);
		struct file *f;
		int err = open_at(path, O_WRONLY | O_CREAT, 0644, &f);
		if (err < 0) {
			expect(err, -ENOSPC);
			break;
		}
		long done = put(f, p, 100000);
		int synced = f->ops->sync(f, false);
		file_put(f);
		expect(synced, 0);
		if (done == 100000)
			continue;
		expect(done > 0 || done == -ENOSPC, 1);
		break;
	}
	expect(n > 50, 1);
	struct file *f = opened("/first", O_RDWR);
	expect(f->ops->allocate(f, 0, 0, 30000000), -ENOSPC);
	expect(put_at(f, p, 100, 0), 100); /* has its place already */
	expect(put_at(f, p, 50000, 0), 50000);
	file_put(f);
	/* Room is promised by whole pages: 25 of them do not fit where 98 blocks of 1 KB were given up. */
	write_pattern("/fill-0", 90000, 4);
	for (unsigned i = 1; i < n; i += 2) {
		snprintf(path, sizeof(path), "/fill-%u", i);
		expect(vfs_unlink(NULL, path), 0);
	}
	write_pattern("/again", 500000, 8);
	free(p);
}

static void check_full(void)
{
	check_pattern("/again", 500000, 8);
	check_pattern("/fill-0", 90000, 4);
	check_pattern("/fill-2", 100000, 3);
	expect(exists("/fill-1"), -ENOENT);
}

static void do_nothing(void)
{
}

static const struct scenario {
	const char *name;
	void (*act)(void), (*check)(void);
} scenarios[] = {
	{"files", do_files, check_files},
	{"sizes", do_sizes, check_sizes},
	{"directory", do_directory, check_directory},
	{"attributes", do_attributes, check_attributes},
	{"full", do_full, check_full},
	{"nothing", do_nothing, do_nothing},
};

static const char *const variants[] = {
	"-t ext4 -b 4096",
	"-t ext4 -b 1024",
	"-t ext4 -b 2048 -O ^64bit",
	"-t ext4 -O ^metadata_csum,uninit_bg",
	"-t ext4 -O ^metadata_csum,^uninit_bg,^64bit",
	"-t ext4 -O metadata_csum_seed,orphan_file",
	"-t ext4 -O ^has_journal",
	"-t ext4 -b 1024 -O meta_bg,^resize_inode -g 1024",
	"-t ext4 -b 1024 -g 2048 -O ^flex_bg",
};

/* --- the processes --- */

static char image_path[100];

static void (*body)(void);

static void in_machine(void *arg)
{
	(void)arg;
	mount_disk(image_path);
	body();
	vfs_shut_down();
	image_save(&disk, image_path);
	printf("    %lu requests, %lu writes, %lu flushes\n", disk.n_requests, disk.n_writes,
		disk.n_flushes);
	fflush(stdout);
	_exit(0);
}

static void machine(void (*what)(void))
{
	fflush(stdout);
	int child = fork();
	assert(child >= 0);
	if (child == 0) {
		body = what;
		host_run(in_machine, NULL);
		_exit(1);
	}
	int status;
	assert(waitpid(child, &status, 0) == child);
	if (host_exit_code(status) != 0) {
		printf("failed\n");
		exit(1);
	}
}

static void fsck(const char *when)
{
	char command[300];
	snprintf(command, sizeof(command), "e2fsck -fn %s > %s/log 2>&1", image_path, folder);
	if (run(command) == 0)
		return;
	printf("e2fsck %s:\n", when);
	fflush(stdout);
	snprintf(command, sizeof(command), "head -40 %s/log; cp %s /tmp/ext4-failed.img", folder,
		image_path);
	run(command);
	exit(1);
}

int main(int argc, char **argv)
{
	char command[400];
	setvbuf(stdout, NULL, _IOLBF, 0);
	assert(mkdtemp(folder));
	snprintf(image_path, sizeof(image_path), "%s/image", folder);
	for (unsigned v = 0; v < sizeof(variants) / sizeof(*variants); v++) {
		if (argc > 1 && strtoul(argv[1], NULL, 0) != v)
			continue;
		for (unsigned s = 0; s < sizeof(scenarios) / sizeof(*scenarios); s++) {
			if (argc > 2 && strcmp(argv[2], scenarios[s].name))
				continue;
			printf("mke2fs %s: %s\n", variants[v], scenarios[s].name);
			snprintf(command, sizeof(command),
				"rm -f %s; truncate -s 32M %s; mke2fs -q -F -N 8192 %s %s > %s/log "
				"2>&1",
				image_path, image_path, variants[v], image_path, folder);
			assert(run(command) == 0);
			machine(scenarios[s].act);
			fsck("after it was written");
			machine(scenarios[s].check);
			fsck("after it was checked");
		}
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	run(command);
	return 0;
}
