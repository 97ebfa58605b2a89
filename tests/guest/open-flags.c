/* open: O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, and what each refuses. */
#include "lib/check.h"

int main(void)
{
	char buf[16] = "";
	show(open("absent", O_RDONLY));
	show_ok(open("f", O_WRONLY | O_CREAT | O_EXCL, 0640));
	show(open("f", O_WRONLY | O_CREAT | O_EXCL, 0640));
	write_file("f", "0123456789");
	int fd = must(open("f", O_RDWR | O_APPEND));
	must(lseek(fd, 2, SEEK_SET));
	show(write(fd, "AB", 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(pwrite(fd, "CD", 2, 0));
	show_file("f");
	show_ok(open("f", O_RDONLY | O_TRUNC));
	show_file("f");
	must(mkdir("d", 0755));
	must(symlink("f", "to-file"));
	must(symlink("d", "to-dir"));
	must(symlink("nowhere", "dangling"));
	show(open("f", O_RDONLY | O_DIRECTORY));
	show_ok(open("to-dir", O_RDONLY | O_DIRECTORY));
	show(open("to-file", O_RDONLY | O_NOFOLLOW));
	show(open("to-dir", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
	show(open("d", O_WRONLY));
	show(open("d", O_RDWR));
	show(open("d/", O_RDONLY | O_CREAT, 0600));
	show(open("f/", O_RDONLY));
	show(open("f/x", O_RDONLY));
	show(open("", O_RDONLY));
	show(open("dangling", O_RDONLY));
	show(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600));
	show_ok(open("dangling", O_WRONLY | O_CREAT, 0600));
	show(access("nowhere", F_OK));
	show_ok(open("d/../to-dir/./../f", O_RDONLY));
	fd = must(open("f", O_WRONLY));
	show(read(fd, buf, 1));
	fd = must(open("f", O_RDONLY));
	show(write(fd, buf, 1));
	fd = must(open("f", O_PATH));
	show(read(fd, buf, 1));
	show(fcntl(fd, F_GETFL) & O_PATH);
	return 0;
}
