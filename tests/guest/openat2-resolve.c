/* openat2's rules for the walk: beneath, in a root, without symbolic links, magic links or other mounts. */
#include "lib/check.h"
#include <linux/openat2.h>

static long open2(int dir, const char *path, int flags, int resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -1;
}

int main(void)
{
	must(mkdir("d", 0755));
	must(mkdir("d/e", 0755));
	write_file("d/f", "x");
	write_file("outside", "x");
	must(symlink("f", "d/in"));
	must(symlink("../outside", "d/out"));
	must(symlink("/f", "d/absolute"));
	must(symlink("e/../f", "d/winding"));
	int d = must(open("d", O_RDONLY | O_DIRECTORY));
	show(open2(d, "f", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "e/../f", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "in", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "winding", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "out", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "../outside", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "..", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "absolute", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "/f", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "/f", O_RDONLY, RESOLVE_IN_ROOT));
	show(open2(d, "/", O_RDONLY, RESOLVE_IN_ROOT));
	show(open2(d, "absolute", O_RDONLY, RESOLVE_IN_ROOT));
	show(open2(d, "../../f", O_RDONLY, RESOLVE_IN_ROOT));
	show(open2(d, "out", O_RDONLY, RESOLVE_IN_ROOT));
	show(open2(d, "in", O_RDONLY, RESOLVE_NO_SYMLINKS));
	show(open2(d, "in", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
	show(open2(d, "f", O_RDONLY, RESOLVE_NO_SYMLINKS));
	show(open2(d, "in", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	show(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	show(open2(AT_FDCWD, "/proc/self/cwd/d/f", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	show(open2(AT_FDCWD, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV));
	show(open2(AT_FDCWD, "d/f", O_RDONLY, RESOLVE_NO_XDEV));
	show(open2(d, "none", O_RDONLY, RESOLVE_BENEATH));
	show(open2(d, "f", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	show(open2(d, "f", O_RDONLY, 64));
	show(open2(d, "new", O_RDWR | O_CREAT, RESOLVE_BENEATH));
	is(access("d/new", F_OK) == 0);
	return 0;
}
