/* Hard links count, an unlinked file lives while it is open, and mapped. */
#include "lib/check.h"

int main(void)
{
	struct stat st;
	char buf[16] = "";
	write_file("f", "contents");
	show(link("f", "g"));
	show(link("f", "g"));
	show(link("absent", "h"));
	must(stat("f", &st));
	printf("%d links\n", (int)st.st_nlink);
	int fd = must(open("f", O_RDWR));
	char *p = (char *)must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	show(unlink("f"));
	must(fstat(fd, &st));
	printf("%d links\n", (int)st.st_nlink);
	show(unlink("g"));
	show(unlink("g"));
	must(fstat(fd, &st));
	printf("%d links, size %ld\n", (int)st.st_nlink, (long)st.st_size);
	show(pread(fd, buf, 8, 0));
	show(write(fd, "CON", 3));
	printf("%s %.8s\n", buf, p);
	write_file("f", "another");
	show_file("f");
	must(close(fd));
	printf("%.8s\n", p);
	must(mkdir("d", 0755));
	show(unlink("d"));
	show(link("d", "e"));
	show(unlink("f/x"));
	must(symlink("f", "s"));
	show(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0));
	must(lstat("t", &st));
	printf("%#o\n", st.st_mode & S_IFMT);
	show(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	must(lstat("u", &st));
	printf("%#o\n", st.st_mode & S_IFMT);
	return 0;
}
