/*
 * A disk that fails from some request on, and disks that hold nonsense, under a load that takes any error for an answer.  The
 * kernel neither ends nor hangs; what a failing disk is left with, e2fsck repairs by replaying the journal alone.
 *
 *     ext4_errors [POINTS [FLIPS]]
 */
#include "tests/unit/ext4_image.h"
#include "tests/unit/host_process.h"
#include "tests/unit/vfs_calls.h"

static char folder[] = "/dev/shm/mote-errors-XXXXXX";
static char path_of_image[100];
static struct image disk;
static uint32_t seed = 1;
static long fail_after;

static uint32_t next_random(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 4) * n >> 28);
}

static void any(long result)
{
	if (result < -4095)
		panic("%ld is no error", result);
}

static void one_file(const char *path)
{
	static unsigned char bytes[70000];
	struct file *f;
	if (open_at(path, O_RDWR | O_CREAT, 0644, &f) < 0)
		return;
	any(put_at(f, bytes, 1 + next_random(sizeof(bytes)), next_random(300000)));
	if (next_random(3) == 0)
		any(f->ops->sync(f, next_random(2)));
	if (next_random(4) == 0)
		any(f->ops->truncate(f, next_random(200000)));
	static const int modes[] = {0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE};
	any(f->ops->allocate(f, modes[next_random(6)], next_random(60) * 4096ul,
		(1 + next_random(20)) * 4096ul));
	any(take_at(f, bytes, sizeof(bytes), next_random(300000)));
	file_put(f);
}

static void load(void)
{
	char path[60], other[60];
	for (unsigned step = 0; step < 120; step++) {
		snprintf(path, sizeof(path), "%s/name-%u", next_random(2) ? "" : "/dir",
			next_random(12));
		snprintf(other, sizeof(other), "%s/name-%u", next_random(2) ? "" : "/dir",
			next_random(12));
		switch (next_random(7)) {
		case 0:
			any(vfs_mkdir(NULL, next_random(3) ? "/dir" : path, 0755));
			break;
		case 1:
			any(vfs_unlink(NULL, path));
			break;
		case 2:
			any(vfs_rmdir(NULL, path));
			break;
		case 3:
			any(rename_at(path, other, next_random(2) ? RENAME_EXCHANGE : 0));
			break;
		case 4:
			any(hard_link(path, other));
			break;
		default:
			one_file(path);
		}
	}
	for (unsigned i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "/dir/a-name-of-some-length-%u", i);
		any(vfs_mknod(NULL, path, S_IFIFO | 0600, 0));
	}
}

static void machine(void *unused)
{
	(void)unused;
	block_register(&disk.device);
	fd_table_init();
	vfs_set_credentials(get_test_credentials);
	if (vfs_mount_root("/dev/vda", true) < 0)
		_exit(0);
	struct dentry *root = vfs_root();
	image_walk(dentry_inode(root), 2);
	dentry_put(root);
	disk.fail_after = fail_after;
	load();
	vfs_shut_down();
	if (fail_after >= 0)
		image_save(&disk, path_of_image);
	fflush(stdout);
	_exit(0);
}

static int run(const char *text)
{
	char command[400];
	snprintf(command, sizeof(command), text, path_of_image, folder);
	return host_exit_code(system(command));
}

static void in_process(const char *what, unsigned n)
{
	int status, child = fork();
	if (child == 0) {
		alarm(60);
		host_run(machine, NULL);
	}
	assert(waitpid(child, &status, 0) == child);
	if (host_exit_code(status) == 0)
		return;
	printf("%s %u: exit code %d\n", what, n, host_exit_code(status));
	image_save(&disk, "/tmp/ext4-errors-failed.img");
	exit(1);
}

/* Metadata stand at the beginning, and the journal's inode says where that is. */
static void flip(unsigned char *bytes)
{
	for (unsigned n = 1 + next_random(24); n > 0; n--) {
		uint32_t at = next_random(next_random(2) ? 0x8000 : 0x80000);
		bytes[at] = (unsigned char)(next_random(2) ? next_random(256)
							   : bytes[at] ^ 1u << next_random(8));
	}
}

static void try_image(const char *arguments, unsigned n_points, unsigned n_flips)
{
	char command[300];
	snprintf(command, sizeof(command),
		"rm -f %%s; truncate -s 6M %s; mke2fs -q -F %s %s > %%s/log 2>&1", path_of_image,
		arguments, path_of_image);
	assert(run(command) == 0);
	image_load(&disk, path_of_image);
	bool checks = strstr(arguments, "^has_journal") == NULL;
	for (unsigned n = 0; n < n_points; n++) {
		seed = n + 1;
		fail_after = (long)(n * 400 / n_points);
		in_process("requests", (unsigned)fail_after);
		if (checks && (run("e2fsck -p %s > %s/log 2>&1") > 1 ||
				      run("e2fsck -fn %s > %s/log 2>&1") != 0)) {
			printf("after %ld requests:\n", fail_after);
			fflush(stdout);
			run("cp %s /tmp/ext4-errors-failed.img; head -20 %s/log");
			exit(1);
		}
	}
	unsigned char *clean = malloc(disk.size);
	memcpy(clean, disk.bytes, disk.size);
	fail_after = -1;
	for (unsigned n = 0; n < n_flips; n++) {
		seed = n + 1;
		memcpy(disk.bytes, clean, disk.size);
		flip(disk.bytes);
		in_process("nonsense", n);
	}
	printf("mke2fs %s: %u failing disks, %u of nonsense\n", arguments, n_points, n_flips);
	free(clean);
	free(disk.bytes);
}

int main(int argc, char **argv)
{
	unsigned n_points = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 60;
	unsigned n_flips = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 150;
	setvbuf(stdout, NULL, _IOLBF, 0);
	assert(mkdtemp(folder));
	snprintf(path_of_image, sizeof(path_of_image), "%s/image", folder);
	try_image("-t ext4 -b 1024", n_points, n_flips);
	/* Without checksums nonsense gets further. */
	try_image("-t ext4 -b 1024 -O ^metadata_csum,^64bit", n_points, 2 * n_flips);
	run("true %s; rm -r %s");
	return 0;
}
