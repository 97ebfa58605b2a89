/* What a watched directory and a watched file tell: every kind of event, in order. */
#include "lib/watch.h"
#include <sys/xattr.h>

static int fd;

static void on_files(void)
{
	int f = must(open("d/a", O_RDWR | O_CREAT, 0644));
	show_events(fd, "create");
	must(write(f, "hello", 5));
	must(write(f, "again", 5));
	show_events(fd, "write twice");
	char buf[4];
	must(pread(f, buf, 2, 0));
	show_events(fd, "read");
	must(fchmod(f, 0600));
	must(ftruncate(f, 2));
	show_events(fd, "chmod, truncate");
	must(close(f));
	show_events(fd, "close");
	must(close(must(open("d/a", O_RDONLY))));
	must(close(must(open("d/a", O_WRONLY | O_TRUNC))));
	must(close(must(open("d/a", O_PATH))));
	show_events(fd, "open, close, truncate, O_PATH");
	must(truncate("d/a", 5));
	must(utimensat(AT_FDCWD, "d/a", NULL, 0));
	must(setxattr("d/a", "user.x", "1", 1, 0));
	must(chown("d/a", 0, 0));
	show_events(fd, "truncate, times, attribute, owner");
	must(link("d/a", "d/b"));
	must(symlink("a", "d/s"));
	must(mkfifo("d/f", 0600));
	must(mkdir("d/sub", 0755));
	show_events(fd, "link, symlink, fifo, mkdir");
}

static void on_names(void)
{
	must(rename("d/a", "d/c"));
	show_events(fd, "rename");
	must(rename("d/c", "elsewhere"));
	must(rename("elsewhere", "d/b2"));
	show_events(fd, "out and in");
	must(syscall(SYS_renameat2, AT_FDCWD, "d/b", AT_FDCWD, "d/sub", 2));
	show_events(fd, "exchange");
	must(rename("d/s", "d/f"));
	show_events(fd, "over another");
	must(unlink("d/f"));
	must(rmdir("d/b"));
	must(unlink("d/sub"));
	show_events(fd, "unlink, rmdir");
}

static void on_itself(void)
{
	write_file("file", "x");
	int wd = must(inotify_add_watch(fd, "file", IN_ALL_EVENTS));
	printf("wd %d\n", wd);
	must(link("file", "second"));
	must(rename("file", "renamed"));
	must(unlink("second"));
	show_events(fd, "link, rename, unlink of the link");
	int f = must(open("renamed", O_RDONLY));
	must(unlink("renamed"));
	show_events(fd, "unlinked, open");
	must(close(f));
	show_events(fd, "closed");
	show(inotify_rm_watch(fd, wd));
	must(rmdir("d/sub2"));
	must(unlink("d/b2"));
	show_events(fd, "last of them");
	must(rmdir("d"));
	show_events(fd, "the directory itself");
}

int main(void)
{
	must(mkdir("d", 0755));
	fd = must(inotify_init1(IN_NONBLOCK));
	show(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
	on_files();
	on_names();
	must(mkdir("d/sub2", 0700));
	show_events(fd, "mkdir");
	on_itself();
	return 0;
}
