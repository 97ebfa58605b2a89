/* Writes over a read-only image: what shows through, what is hidden, and that the image never changes. */
#include "tests/unit/vfs_calls.h"

#include "tests/unit/ext4_image.h"

#define RENAME_EXCHANGE 2u /* undone by that header, for the C library's sake */

static char folder[] = "/tmp/mote-overlay-XXXXXX";

static void run_command(const char *command)
{
	if (system(command) != 0)
		panic("failed: %s", command);
}

static void make_image(struct image *im)
{
	assert(mkdtemp(folder));
	setenv("D", folder, 1);
	run_command(
		"cd $D && mkdir -p t/dir/sub t/full t/gone t/proc t/other &&"
		"printf lower > t/file && printf one > t/h1 && ln t/h1 t/dir/h2 && ln -s file "
		"t/link &&"
		"head -c 20000 /dev/zero | tr '\\0' L > t/long && printf deep > t/dir/sub/deep &&"
		"for n in $(seq 200); do echo $n > t/full/n$n; done && touch t/gone/x "
		"t/proc/hidden");
	run_command("cd $D && truncate -s 8M i && mke2fs -q -F -t ext4 -d t i");
	char path[64];
	snprintf(path, sizeof(path), "%s/i", folder);
	image_load(im, path);
	run_command("rm -r $D");
}

static void shows_through(void)
{
	check_file("/file", "lower");
	check_file("/link", "lower");
	check_file("/dir/sub/deep", "deep");
	check_text(list_of("/", 3),
		". .. dev dir file full gone h1 link long lost+found other proc sys");
	check_text(list_of("/dir", 100), ". .. h2 sub");
	expect(try_open("/proc/hidden", O_RDONLY), -ENOENT);
	expect(stat_of("/h1").st_nlink, 2);
	expect(stat_of("/h1").st_ino, (long)stat_of("/dir/h2").st_ino);
}

static void writes(void)
{
	struct file *reader = opened("/file", O_RDONLY);
	uint64_t number = stat_of("/file").st_ino;
	write_file("/file", "upper");
	check_file("/file", "upper");
	check_file("/link", "upper");
	char buf[16];
	expect(take(reader, buf, 16), 5);
	expect(memcmp(buf, "upper", 5), 0);
	file_put(reader);
	expect(stat_of("/file").st_ino, (long)number);
	struct file *f = opened("/file", O_WRONLY | O_APPEND);
	expect(put(f, " more", 5), 5);
	file_put(f);
	check_file("/file", "upper more");
	/* Hard links below stay one file. */
	write_file("/dir/h2", "two");
	check_file("/h1", "two");
	expect(vfs_unlink(NULL, "/h1"), 0);
	expect(stat_of("/dir/h2").st_nlink, 1);
	check_file("/dir/h2", "two");
}

static void long_file(void)
{
	char buf[8192];
	struct file *f = opened("/long", O_RDWR);
	expect(put_at(f, "xyz", 3, 8190), 3);
	expect(take_at(f, buf, 8, 8187), 8);
	expect(memcmp(buf, "LLLxyzLL", 8), 0);
	expect(take_at(f, buf, 8192, 16384), 20000 - 16384);
	expect(buf[0] == 'L' && buf[3000] == 'L', 1);
	/* What is cut off is gone, whatever the image still has. */
	expect(f->ops->truncate(f, 10), 0);
	expect(f->ops->truncate(f, 9000), 0);
	expect(take_at(f, buf, 8192, 0), 8192);
	expect(buf[9] == 'L' && !buf[10] && !buf[4096] && !buf[8191], 1);
	file_put(f);
	struct dentry *d;
	expect(vfs_lookup(NULL, "/dir/sub/deep", 0, &d), 0);
	expect(vfs_truncate(d, 2), 0);
	expect(vfs_chmod(d, 0600), 0);
	dentry_put(d);
	check_file("/dir/sub/deep", "de");
	expect(stat_of("/dir/sub/deep").st_mode, S_IFREG | 0600);
}

static void punched(void)
{
	char buf[16];
	write_file("/other/x", "");
	struct file *f = opened("/full/n100", O_RDWR);
	expect(f->ops->allocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 1), 0);
	expect(take_at(f, buf, 16, 0), 4);
	expect(memcmp(buf, "1\0000\n", 4), 0);
	file_put(f);
}

static void hides(void)
{
	char name[32];
	expect(vfs_rmdir(NULL, "/gone"), -ENOTEMPTY);
	expect(vfs_unlink(NULL, "/gone/x"), 0);
	expect(exists("/gone/x"), -ENOENT);
	check_text(list_of("/gone", 9), ". ..");
	expect(vfs_rmdir(NULL, "/gone"), 0);
	expect(exists("/gone"), -ENOENT);
	expect(vfs_mkdir(NULL, "/gone", 0755), 0);
	expect(exists("/gone/x"), -ENOENT);
	check_text(list_of("/gone", 9), ". ..");
	write_file("/gone/new", "n");
	check_text(list_of("/gone", 9), ". .. new");
	for (int n = 1; n <= 198; n++) {
		snprintf(name, sizeof(name), "/full/n%d", n);
		expect(vfs_unlink(NULL, name), 0);
	}
	write_file("/full/n5", "back");
	check_text(list_of("/full", 2), ". .. n199 n200 n5");
	expect(vfs_unlink(NULL, "/full/n5"), 0);
	expect(exists("/full/n5"), -ENOENT);
	check_text(list_of("/full", 2), ". .. n199 n200");
}

static void moves(void)
{
	uint64_t number = stat_of("/dir").st_ino;
	expect(rename_at("/dir", "/other/moved", 0), 0);
	expect(exists("/dir"), -ENOENT);
	expect(stat_of("/other/moved").st_ino, (long)number);
	check_text(list_of("/other/moved", 1), ". .. h2 sub");
	check_file("/other/moved/sub/deep", "de");
	expect(rename_at("/other/moved/sub", "/sub", 0), 0);
	check_file("/sub/deep", "de");
	check_text(list_of("/other/moved", 9), ". .. h2");
	expect(vfs_mkdir(NULL, "/dir", 0755), 0);
	check_text(list_of("/dir", 9), ". ..");
	expect(rename_at("/full/n199", "/full/n200", 0), 0);
	check_file("/full/n200", "199\n");
	check_text(list_of("/full", 9), ". .. n200");
	expect(rename_at("/file", "/long", RENAME_EXCHANGE), 0);
	check_file("/long", "upper more");
	expect(stat_of("/file").st_size, 9000);
	expect(hard_link("/long", "/full/third"), 0);
	expect(vfs_unlink(NULL, "/long"), 0);
	check_file("/full/third", "upper more");
}

/* Nothing that was changed is lost when names are forgotten. */
static void forgets(void)
{
	char name[64];
	for (int n = 0; n < 5000; n++) {
		snprintf(name, sizeof(name), "/absent-%d", n);
		expect(exists(name), -ENOENT);
	}
	check_file("/sub/deep", "de");
	expect(stat_of("/sub/deep").st_mode, S_IFREG | 0600);
	expect(exists("/h1"), -ENOENT);
	check_file("/other/moved/h2", "two");
	expect(exists("/full/n7"), -ENOENT);
	expect(stat_of("/file").st_size, 9000);
}

static void mounts(void)
{
	check_file("/proc/mounts", "overlay / overlay rw,relatime 0 0\n"
				   "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
				   "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n"
				   "devtmpfs /dev devtmpfs rw,relatime 0 0\n"
				   "devpts /dev/pts devpts rw,nosuid,noexec,relatime 0 0\n");
}

static struct image image;

static void run(void *arg)
{
	(void)arg;
	block_register(&image.device);
	vfs_start("/dev/vda");
	shows_through();
	writes();
	long_file();
	punched();
	hides();
	moves();
	forgets();
	mounts();
	vfs_shut_down();
}

int main(void)
{
	make_image(&image);
	unsigned char *copy = malloc(image.size);
	memcpy(copy, image.bytes, image.size);
	host_run(run, NULL);
	expect(memcmp(copy, image.bytes, image.size), 0);
	free(copy);
	free(image.bytes);
	puts("ok");
	return 0;
}
