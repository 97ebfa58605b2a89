/* inotify's rules: flags and masks, errors, watches added twice, one shot, unlinked names, reading in parts, overflow. */
#include "lib/watch.h"
#include <sys/epoll.h>

static int fd;

static void errors(void)
{
	show(syscall(SYS_inotify_init1, 1));
	show(inotify_add_watch(fd, "d", 0));
	show(inotify_add_watch(fd, "d", 0x00800000));
	show(inotify_add_watch(fd, "none", IN_OPEN));
	show(inotify_add_watch(99, "d", IN_OPEN));
	show(inotify_add_watch(0, "d", IN_OPEN));
	show(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR));
	show(inotify_add_watch(fd, "d", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
	show(inotify_add_watch(fd, wild(), IN_OPEN));
	show(inotify_rm_watch(fd, 77));
	show(inotify_rm_watch(99, 1));
	show(inotify_rm_watch(0, 1));
	show(write(fd, "x", 1));
	char buf[16];
	show(read(fd, buf, 0));
	show(read(fd, buf, 16));
	char link[64] = "", path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show(readlink(path, link, sizeof(link)));
	puts(link);
}

static void masks(void)
{
	int wd = must(inotify_add_watch(fd, "f", IN_OPEN));
	is(inotify_add_watch(fd, "f", IN_CLOSE) == wd);
	must(close(must(open("f", O_RDONLY))));
	show_events(fd, "replaced mask");
	is(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_ADD) == wd);
	must(close(must(open("f", O_RDONLY))));
	show_events(fd, "added mask");
	show(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE));
	show(inotify_rm_watch(fd, wd));
	show_events(fd, "removed");
	is(inotify_add_watch(fd, "f", IN_OPEN | IN_ONESHOT) > wd);
	must(close(must(open("f", O_RDONLY))));
	must(close(must(open("f", O_RDONLY))));
	show_events(fd, "one shot");
	must(symlink("f", "s"));
	wd = must(inotify_add_watch(fd, "s", IN_ALL_EVENTS | IN_DONT_FOLLOW));
	must(close(must(open("s", O_RDONLY))));
	must(unlink("s"));
	show_events(fd, "the link, not what it leads to");
}

static void unlinked(unsigned flag)
{
	must(mkdir("u", 0700));
	int wd = must(inotify_add_watch(fd, "u", IN_MODIFY | IN_CLOSE_WRITE | flag));
	int f = must(open("u/x", O_CREAT | O_WRONLY, 0600));
	must(write(f, "1", 1));
	must(unlink("u/x"));
	must(write(f, "2", 1));
	must(close(f));
	must(inotify_rm_watch(fd, wd));
	must(rmdir("u"));
	show_events(fd, flag ? "IN_EXCL_UNLINK" : "unlinked file still open");
}

static void reading(void)
{
	char buf[64] __attribute__((aligned(8)));
	int n = 0, wd = must(inotify_add_watch(fd, "d", IN_CREATE));
	struct pollfd p = {fd, POLLIN, 0};
	show(poll(&p, 1, 0));
	write_file("d/a-name-longer-than-16", "");
	write_file("d/x", "");
	show(poll(&p, 1, 0));
	show(ioctl(fd, FIONREAD, &n));
	printf("%d\n", n);
	show(read(fd, buf, 47));
	show(read(fd, buf, 48));
	show(read(fd, wild(), 48));
	show(read(fd, buf, 64));
	show(read(fd, buf, 64));
	must(inotify_rm_watch(fd, wd));
	show(read(fd, buf, 64));
	int ep = must(epoll_create1(0));
	struct epoll_event e = {.events = EPOLLIN};
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	show(epoll_wait(ep, &e, 1, 0));
	must(inotify_add_watch(fd, "d", IN_DELETE));
	must(unlink("d/x"));
	show(epoll_wait(ep, &e, 1, 0));
	show_events(fd, "after epoll");
}

static void *later(void *unused)
{
	(void)unused;
	usleep(50000);
	must(mkdir("d/late", 0700));
	return NULL;
}

static void blocking(void)
{
	char buf[64] __attribute__((aligned(8)));
	pthread_t t;
	int b = must(inotify_init());
	must(inotify_add_watch(b, "d", IN_CREATE));
	pthread_create(&t, NULL, later, NULL);
	show(read(b, buf, sizeof(buf)));
	show_event((void *)buf);
	pthread_join(t, NULL);
	must(close(b));
}

static void overflow(void)
{
	char text[32] = "";
	int limit = must(open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY));
	must(read(limit, text, sizeof(text) - 1));
	int n = 0, max = atoi(text);
	must(inotify_add_watch(fd, "f", IN_OPEN | IN_CLOSE));
	for (int i = 0; i < max / 2 + 100; i++)
		must(close(must(open("f", O_RDONLY))));
	char buf[16] __attribute__((aligned(8)));
	struct inotify_event *e = (void *)buf;
	while (read(fd, buf, 16) == 16 && !(e->mask & IN_Q_OVERFLOW))
		n++;
	is(n == max);
	show_event(e);
	show(read(fd, buf, 16));
}

int main(void)
{
	must(mkdir("d", 0755));
	write_file("f", "x");
	fd = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	errors();
	masks();
	unlinked(0);
	unlinked(IN_EXCL_UNLINK);
	reading();
	blocking();
	overflow();
	return 0;
}
