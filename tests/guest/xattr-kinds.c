/* Extended attributes: which names there are, limits of names and values, other kinds of files, many of them. */
#include "lib/check.h"
#include <sys/xattr.h>

static char buf[70000];

static void names(void)
{
	char name[300] = "user.";
	memset(name + 5, 'n', 250);
	name[255] = 0;
	show(setxattr("f", name, "x", 1, 0));
	show(removexattr("f", name));
	memset(name + 5, 'n', 251);
	name[256] = 0;
	show(setxattr("f", name, "x", 1, 0));
	show(getxattr("f", name, buf, 1));
	show(setxattr("f", "", "x", 1, 0));
	show(setxattr("f", "user", "x", 1, 0));
	show(setxattr("f", "trusted.a", "x", 1, 0));
	show(getxattr("f", "trusted.a", buf, 1));
	show(getxattr("f", "trusted.b", buf, 1));
	show(removexattr("f", "trusted.a"));
	show(setxattr("f", "trusted.", "x", 1, 0));
	show(setxattr("f", "security.mote", "x", 1, 0));
	show(getxattr("f", "security.mote", buf, 10));
	show(getxattr("f", "security.none", buf, 10));
	show(removexattr("f", "security.mote"));
	show(setxattr("f", "system.nonsense", "x", 1, 0));
	show(getxattr("f", "system.nonsense", buf, 1));
	show(setxattr("f", wild(), "x", 1, 0));
	show(setxattr("f", "user.x", wild(), 1, 0));
	show(setxattr("f", "user.x", wild(), 0, 0));
	show(removexattr("f", "user.x"));
	show(setxattr("f", "user.x", buf, 65537, 0));
	show(setxattr("f", "user.x", "x", 1, XATTR_CREATE | XATTR_REPLACE));
}

static void kinds(void)
{
	must(mkfifo("fifo", 0600));
	must(symlink("nowhere", "link"));
	must(mkdir("dir", 0700));
	show(setxattr("dir", "user.a", "abc", 3, 0));
	show(getxattr("dir", "user.a", buf, 3));
	show(setxattr("fifo", "user.a", "abc", 3, 0));
	show(getxattr("fifo", "user.a", buf, 3));
	show(setxattr("fifo", "trusted.a", "abc", 3, 0));
	show(getxattr("fifo", "trusted.a", buf, 3));
	show(lsetxattr("link", "user.a", "abc", 3, 0));
	show(lgetxattr("link", "user.a", buf, 3));
	show(lsetxattr("link", "trusted.a", "abc", 3, 0));
	show(llistxattr("link", buf, sizeof(buf)));
	show(listxattr("link", buf, sizeof(buf)));
	show(getxattr("/proc/self/status", "user.a", buf, 3));
	show(listxattr("/proc/self/status", buf, sizeof(buf)));
	int fd = must(open("f", O_PATH));
	show(fsetxattr(fd, "user.a", "abc", 3, 0));
	show(fgetxattr(fd, "user.a", buf, 3));
	show(flistxattr(fd, buf, 3));
	show(fremovexattr(fd, "user.a"));
	show(fgetxattr(99, "user.a", buf, 3));
}

static void many(void)
{
	char name[32];
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user.number-%02d", i);
		must(setxattr("f", name, name, strlen(name), XATTR_CREATE));
	}
	show(listxattr("f", NULL, 0));
	show(listxattr("f", buf, 20 * 15 - 1));
	show(listxattr("f", buf, 20 * 15));
	show(getxattr("f", "user.number-13", buf, sizeof(buf)));
	is(!memcmp(buf, "user.number-13", 14));
	must(rename("f", "g"));
	must(chmod("g", 0400));
	show(getxattr("g", "user.number-19", buf, sizeof(buf)));
	struct stat before, after;
	must(stat("g", &before));
	usleep(20000);
	must(setxattr("g", "user.late", "", 0, 0));
	must(stat("g", &after));
	is(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	is(before.st_ctim.tv_nsec != after.st_ctim.tv_nsec);
}

int main(void)
{
	write_file("f", "x");
	names();
	kinds();
	many();
	return 0;
}
