/* Calls relative to a directory's descriptor, after it was renamed as well. */
#include "lib/check.h"

int main(void)
{
	struct stat st;
	char buf[16] = "";
	must(mkdir("a", 0755));
	int dir = must(open("a", O_RDONLY | O_DIRECTORY));
	show(mkdirat(dir, "b", 0700));
	int fd = must(openat(dir, "b/f", O_RDWR | O_CREAT, 0644));
	must(write(fd, "hello", 5));
	show(fstatat(dir, "b/f", &st, 0));
	printf("%ld\n", (long)st.st_size);
	show(symlinkat("b/f", dir, "link"));
	show(readlinkat(dir, "link", buf, sizeof(buf)));
	puts(buf);
	show(rename("a", "z"));
	show(faccessat(dir, "b/f", R_OK, 0));
	show(renameat(dir, "b/f", dir, "g"));
	show(linkat(dir, "g", dir, "h", 0));
	show(unlinkat(dir, "b", 0));
	show(unlinkat(dir, "b", AT_REMOVEDIR));
	show(unlinkat(dir, "h", AT_REMOVEDIR));
	show_file("z/link");
	show_file("z/h");
	show(openat(fd, "x", O_RDONLY));
	show(openat(99, "x", O_RDONLY));
	show_ok(openat(99, "/", O_RDONLY));
	show_ok(openat(AT_FDCWD, "z", O_RDONLY));
	show(fstatat(dir, "", &st, 0));
	show(fstatat(fd, "", &st, AT_EMPTY_PATH));
	show(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW));
	printf("%#o\n", st.st_mode & S_IFMT);
	show(fstatat(dir, "g", &st, 0x40000000));
	return 0;
}
