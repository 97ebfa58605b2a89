/* chdir, fchdir, getcwd: names after renames and through links, lengths. */
#include "lib/check.h"

static size_t base;

static void where(void)
{
	char buf[4096];
	long n = syscall(SYS_getcwd, buf, sizeof(buf));
	printf("[%s] %ld\n", n > 0 ? buf + base : strerrorname_np(errno),
		n > 0 ? n - (long)base : n);
}

int main(void)
{
	char buf[4096];
	must((long)getcwd(buf, sizeof(buf)));
	base = strcmp(buf, "/") ? strlen(buf) : 0;
	must(mkdir("a", 0755));
	must(mkdir("a/b", 0755));
	must(symlink("a/b", "link"));
	write_file("file", "");
	int top = must(open(".", O_RDONLY));
	show(chdir("a/b"));
	where();
	show(chdir("../.."));
	show(chdir("link"));
	where();
	show(chdir(".."));
	where();
	show(renameat(top, "a", top, "z"));
	where();
	show(fchdir(top));
	show(chdir("file"));
	show(chdir("absent"));
	show(fchdir(must(open("file", O_RDONLY))));
	show(fchdir(99));
	show(chdir("/"));
	must((long)getcwd(buf, sizeof(buf)));
	puts(buf);
	show(chdir(".."));
	puts(getcwd(buf, sizeof(buf)));
	show(syscall(SYS_getcwd, buf, 1));
	show(syscall(SYS_getcwd, wild(), 4096));
	return 0;
}
