/* Calls that newer ones replaced, still used: creat, getdents, mknodat, fchownat, futimesat, pwritev2, chroot. */
#include "lib/check.h"
#include <sys/mount.h>

int main(void)
{
	char buf[1024];
	struct stat st;
	struct timeval times[2] = {{100, 5}, {200, 6}};
	int fd = must(creat("f", 0640));
	show(fcntl(fd, F_GETFL) & O_ACCMODE);
	struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
	show(pwritev2(fd, v, 2, 3, 0));
	show(pwritev2(fd, v, 2, -1, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show(mknodat(AT_FDCWD, "p", S_IFIFO | 0600, 0));
	show(fchownat(AT_FDCWD, "f", 3, 4, 0));
	must(symlink("f", "s"));
	show(fchownat(AT_FDCWD, "s", 7, 8, AT_SYMLINK_NOFOLLOW));
	must(lstat("s", &st));
	printf("%d:%d\n", st.st_uid, st.st_gid);
	show(fchownat(fd, "", 9, 9, AT_EMPTY_PATH));
	show(syscall(SYS_futimesat, AT_FDCWD, "f", times));
	must(stat("f", &st));
	printf("%d:%d %ld %ld\n", st.st_uid, st.st_gid, (long)st.st_atime, (long)st.st_mtime);
	must(mkdir("d", 0755));
	int dir = must(open("d", O_RDONLY));
	is(syscall(SYS_getdents, dir, buf, sizeof(buf)) > 0);
	show(syscall(SYS_getdents, dir, buf, sizeof(buf)));
	show(umount2("d", 0));
	show(umount2("absent", 0));
	write_file("d/inside", "the new root");
	show(chroot("absent"));
	show(chroot("f"));
	show(chroot("d"));
	show(chdir("/"));
	show_file("/inside");
	show_file("/../../inside");
	return 0;
}
