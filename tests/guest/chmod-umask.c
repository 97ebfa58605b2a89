/* Modes: umask, chmod, fchmod, chown, access, as root. */
#include "lib/check.h"

static void mode_of(const char *name)
{
	struct stat st;
	must(stat(name, &st));
	printf("%s: %#o %d:%d\n", name, st.st_mode, st.st_uid, st.st_gid);
}

int main(void)
{
	printf("%#o\n", umask(027));
	int fd = must(open("f", O_RDWR | O_CREAT, 0666));
	mode_of("f");
	must(mkdir("d", 0777));
	mode_of("d");
	printf("%#o\n", umask(0));
	must(mkfifo("p", 0666));
	mode_of("p");
	show(chmod("f", 0));
	mode_of("f");
	show(access("f", R_OK | W_OK));
	show(access("f", X_OK));
	show(fchmod(fd, 04755));
	mode_of("f");
	show(access("f", X_OK));
	show(fchmodat(AT_FDCWD, "d", 01700, 0));
	mode_of("d");
	show(chown("f", 1000, 1001));
	mode_of("f");
	show(fchown(fd, -1, 5));
	mode_of("f");
	must(symlink("absent", "s"));
	show(lchown("s", 7, 8));
	show(chown("s", 7, 8));
	show(chmod("absent", 0));
	show(access("absent", F_OK));
	show(access("f", 8));
	show(faccessat(AT_FDCWD, "s", F_OK, AT_SYMLINK_NOFOLLOW));
	show(syscall(439 /* faccessat2 */, AT_FDCWD, "d", X_OK, AT_EACCESS));
	return 0;
}
