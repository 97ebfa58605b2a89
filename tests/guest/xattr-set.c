/* Extended attributes of the user: set, get, list, remove, by path, link and descriptor. */
#include "lib/check.h"
#include <sys/xattr.h>

int main(void)
{
	char buf[100] = "";
	write_file("f", "x");
	must(symlink("f", "s"));
	int fd = must(open("f", O_RDWR));
	show(setxattr("f", "user.one", "value 1", 7, XATTR_CREATE));
	show(setxattr("f", "user.one", "value 1", 7, XATTR_CREATE));
	show(setxattr("f", "user.two", "2", 1, XATTR_REPLACE));
	show(fsetxattr(fd, "user.two", "second", 6, 0));
	show(getxattr("s", "user.one", buf, sizeof(buf)));
	puts(buf);
	show(fgetxattr(fd, "user.two", NULL, 0));
	show(fgetxattr(fd, "user.two", buf, 2));
	show(lgetxattr("f", "user.two", buf, sizeof(buf)));
	show(flistxattr(fd, NULL, 0));
	show(flistxattr(fd, buf, 3));
	show(llistxattr("f", buf, sizeof(buf)));
	show(lsetxattr("f", "user.three", "", 0, 0));
	show(lgetxattr("f", "user.three", buf, sizeof(buf)));
	show(removexattr("f", "user.one"));
	show(removexattr("f", "user.one"));
	show(fremovexattr(fd, "user.two"));
	show(lremovexattr("f", "user.three"));
	show(listxattr("f", buf, sizeof(buf)));
	show(setxattr("f", "nonsense", "x", 1, 0));
	show(setxattr("f", "user.", "x", 1, 0));
	show(setxattr("f", "user.x", "x", 1, 77));
	show(lsetxattr("s", "user.x", "x", 1, 0));
	show(setxattr("absent", "user.x", "x", 1, 0));
	show(setxattr("f", wild(), "x", 1, 0));
	return 0;
}
