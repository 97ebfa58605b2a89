/* stat, lstat, fstat, statx: types, modes, sizes and identities. */
#include "lib/check.h"
#include <sys/sysmacros.h>

static void describe(const char *name)
{
	struct stat a, b;
	must(lstat(name, &a));
	show(stat(name, &b));
	printf("%s: mode %#o links %d owner %d:%d size %ld%s\n", name, a.st_mode,
		S_ISDIR(a.st_mode) ? 0 : (int)a.st_nlink, a.st_uid, a.st_gid,
		S_ISDIR(a.st_mode) ? 0 : (long)a.st_size,
		a.st_ino && a.st_blksize ? "" : " no inode");
}

int main(void)
{
	struct stat a, b;
	struct statx x;
	write_file("f", "twelve bytes");
	must(mkdir("d", 0700));
	must(symlink("f", "s"));
	must(symlink("nowhere", "dangling"));
	must(mkfifo("p", 0620));
	describe("f");
	describe("d");
	describe("s");
	describe("dangling");
	describe("p");
	must(stat("f", &a));
	must(stat("s", &b));
	is(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	must(stat("d/..", &a));
	must(stat(".", &b));
	is(a.st_ino == b.st_ino);
	must(stat("/dev/null", &a));
	printf("%#o %d:%d\n", a.st_mode, major(a.st_rdev), minor(a.st_rdev));
	show(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
	printf("mode %#o size %llu links %u basic %d\n", x.stx_mode, x.stx_size, x.stx_nlink,
		(x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	show(statx(AT_FDCWD, "s", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	printf("%#o\n", x.stx_mode & S_IFMT);
	show(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, &x));
	show(statx(AT_FDCWD, "absent", 0, STATX_TYPE, &x));
	show(stat("f", wild()));
	show(fstat(99, &a));
	show(stat("f/", &a));
	int fd[2];
	must(pipe(fd));
	must(fstat(fd[0], &a));
	printf("%#o\n", a.st_mode & S_IFMT);
	must(fstat(must(socket(AF_UNIX, SOCK_STREAM, 0)), &a));
	printf("%#o\n", a.st_mode & S_IFMT);
	return 0;
}
