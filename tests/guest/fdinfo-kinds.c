/* /proc/self/fdinfo: position and flags of every kind of descriptor, and what the kind itself tells. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What differs from machine to machine: mounts, inodes, the count of eventfds. */
static int of_the_machine(const char *line)
{
	return !strncmp(line, "mnt_id", 6) || !strncmp(line, "ino", 3) ||
	       strstr(line, "eventfd-id");
}

static void show(const char *what, int fd)
{
	char path[40], line[200];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "r");
	printf("%s:%s\n", what, f ? "" : " none");
	while (f && fgets(line, sizeof(line), f)) {
		char *inode = strstr(line, "  pos:"); /* and the watched inode */
		if (inode)
			*inode = 0;
		if (!of_the_machine(line))
			printf("  %s%s", line, inode ? "\n" : "");
	}
	if (f)
		fclose(f);
}

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	int file = memfd_create("x", MFD_CLOEXEC), event = eventfd(18, EFD_NONBLOCK);
	int epoll = epoll_create1(0), pipes[2];
	if (pipe2(pipes, O_NONBLOCK) || write(file, "hello", 5) != 5)
		return 1;
	epoll_ctl(epoll, EPOLL_CTL_ADD, event,
		&(struct epoll_event){EPOLLIN | EPOLLET, {.u64 = 0xabc}});
	lseek(file, 3, SEEK_SET);
	show("file", file);
	show("eventfd", event);
	show("epoll", epoll);
	show("pipe", pipes[1]);
	show("signalfd", signalfd(-1, &set, SFD_CLOEXEC));
	show("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	show("path", open("/", O_PATH));
	show("null", open("/dev/null", O_WRONLY));
	show("closed", 99);
	return 0;
}
