/* mount(2) of a tmpfs and of proc, its errors; ustat, sysfs, cachestat, vhangup, pivot_root; fchmodat2. */
#include "lib/check.h"
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void mounting(void)
{
	struct statfs fs;
	struct stat st;
	must(mkdir("m", 0755));
	write_file("f", "x");
	show(mount("none", "absent", "tmpfs", 0, NULL));
	show(mount("none", "m", "nonsense", 0, NULL));
	show(mount("none", "f", "tmpfs", 0, NULL));
	show(mount("none", wild(), "tmpfs", 0, NULL));
	show(umount2("m", 0));
	show(umount2("m", 64));
	show(mount("mine", "m", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=750"));
	must(stat("m", &st));
	printf("%o\n", st.st_mode);
	must(statfs("m", &fs));
	printf("%lx %ld %d\n", (long)fs.f_type, (long)fs.f_blocks, (int)fs.f_bsize);
	int fd = must(open("m/a", O_RDWR | O_CREAT, 0600));
	static char text[70000];
	show(write(fd, text, 60000));
	show(pwrite(fd, text, 10000, 60000));
	show(rename("m/a", "a"));
	show(link("f", "m/f"));
	must(chdir("m"));
	show(access("../f", F_OK));
	must(chdir(".."));
	show(rmdir("m"));
	must(close(fd));
	show(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	show(open("m/b", O_RDWR | O_CREAT, 0600));
	show(mount(NULL, "f", NULL, MS_REMOUNT, NULL));
	must(mkdir("p", 0755));
	show(mount("proc", "p", "proc", 0, NULL));
	show(access("p/self/status", R_OK));
}

static void rest(void)
{
	char text[64];
	struct {
		int blocks;
		unsigned long inodes;
		char name[6], pack[6];
	} u;
	struct stat st;
	must(stat("m", &st));
	show(syscall(SYS_ustat, makedev(0, 16000), &u));
	show_ok(syscall(SYS_ustat, (unsigned)st.st_dev, &u));
	is(syscall(SYS_sysfs, 3) > 1);
	long n = syscall(SYS_sysfs, 1, "tmpfs");
	show(syscall(SYS_sysfs, 2, n, text));
	printf("%s\n", text);
	show(syscall(SYS_sysfs, 1, "nonsense"));
	show(syscall(SYS_sysfs, 2, 1000, text));
	show(syscall(SYS_sysfs, 7));
	unsigned long range[2] = {0, 0}, cached[5];
	write_file("g", "contents");
	int fd = must(open("g", O_RDONLY)), pipe_fds[2];
	must(read(fd, text, 5));
	show(syscall(451, fd, range, cached, 0));
	printf("%lu\n", cached[0]);
	range[0] = 8192;
	show(syscall(451, fd, range, cached, 0));
	printf("%lu\n", cached[0]);
	show(syscall(451, fd, range, cached, 1));
	show(syscall(451, 99, range, cached, 0));
	show(syscall(451, fd, wild(), cached, 0));
	must(pipe(pipe_fds));
	show(syscall(451, pipe_fds[0], range, cached, 0));
	show(syscall(SYS_vhangup));
	show(syscall(SYS_pivot_root, "absent", "m"));
	must(symlink("g", "s"));
	show(syscall(452, AT_FDCWD, "g", 0604, 0));
	show(syscall(452, AT_FDCWD, "s", 0604, AT_SYMLINK_NOFOLLOW));
	show(syscall(452, fd, "", 0611, AT_EMPTY_PATH));
	show(syscall(452, fd, "", 0611, 1));
	must(stat("g", &st));
	printf("%o\n", st.st_mode);
}

int main(void)
{
	/* On Linux what is mounted here must go when the program ends. */
	if (syscall(SYS_unshare, 0x00020000) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mounting();
	rest();
	return 0;
}
