/* process_vm_readv and process_vm_writev on oneself, process_madvise, move_pages and migrate_pages, unshare, setns, iopl. */
#include "lib/check.h"
#include <sched.h>

static char text[] = "0123456789abcdef";

static void transfers(void)
{
	char buf[32] = "";
	struct iovec local[2] = {{buf, 3}, {buf + 8, 5}},
		     remote[3] = {{text, 2}, {text + 4, 4}, {text + 10, 4}};
	show(process_vm_readv(getpid(), local, 2, remote, 3, 0));
	printf("%.3s %.5s\n", buf, buf + 8);
	memcpy(buf, "ABCDEFGHIJKL", 12);
	show(process_vm_writev(getpid(), local, 2, remote, 3, 0));
	printf("%s\n", text);
	show(process_vm_readv(getpid(), local, 1, remote, 1, 1));
	show(process_vm_readv(getpid(), local, 0, remote, 1, 0));
	show(process_vm_readv(getpid(), local, 1, remote, 0, 0));
	show(process_vm_readv(4000000, local, 1, remote, 1, 0));
	show(process_vm_readv(getpid(), local, 2000, remote, 1, 0));
	show(process_vm_readv(getpid(), local, 1, remote, 2000, 0));
	show(process_vm_readv(getpid(), wild(), 1, remote, 1, 0));
	/* The second page of the source is not there. */
	char *two = map_pages(2, PROT_READ | PROT_WRITE, MAP_PRIVATE), large[2 * PAGE];
	must(munmap(two + PAGE, PAGE));
	struct iovec to = {large, sizeof(large)}, from = {two + 100, 2 * PAGE - 100};
	show(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	from.iov_base = two + PAGE;
	from.iov_len = 8;
	show(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	/* Memory that may not be written. */
	char *read_only = map_pages(1, PROT_READ, MAP_PRIVATE);
	from = (struct iovec){read_only, 8};
	show(process_vm_writev(getpid(), &to, 1, &from, 1, 0));
}

static void advice(void)
{
	char *two = map_pages(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	int fd = must(syscall(SYS_pidfd_open, getpid(), 0));
	struct iovec v[2] = {{two, PAGE}, {two + PAGE, PAGE}};
	memset(two, 1, 2 * PAGE);
	show(syscall(SYS_process_madvise, fd, v, 2, MADV_COLD, 0));
	show(syscall(SYS_process_madvise, fd, v, 2, MADV_WILLNEED, 0));
	show(syscall(SYS_process_madvise, fd, v, 2, MADV_COLD, 1));
	show(syscall(SYS_process_madvise, fd, v, 2, 999, 0));
	show(syscall(SYS_process_madvise, 0, v, 2, MADV_COLD, 0));
	show(syscall(SYS_process_madvise, 99, v, 2, MADV_COLD, 0));
	printf("%d\n", two[PAGE]);
}

static void nodes(void)
{
	char *fresh = map_pages(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	void *pages[3] = {fresh, wild(), fresh + PAGE};
	int status[3] = {9, 9, 9}, where[3] = {0, 0, 5};
	fresh[PAGE] = 1;
	show(syscall(SYS_move_pages, 0, 3ul, pages, NULL, status, 0));
	printf("%d %d %d\n", status[0], status[1], status[2]);
	show(syscall(SYS_move_pages, 0, 3ul, pages, where, status, 2));
	show(syscall(SYS_move_pages, 0, 3ul, pages, NULL, status, 99));
	show(syscall(SYS_move_pages, 4000000, 3ul, pages, NULL, status, 0));
	unsigned long from = 1, to = 1;
	show(syscall(SYS_migrate_pages, 0, 64ul, &from, &to));
	to = 2;
	show(syscall(SYS_migrate_pages, 0, 64ul, &from, &to));
	show(syscall(SYS_migrate_pages, 4000000, 64ul, &from, &to));
}

int main(void)
{
	transfers();
	advice();
	nodes();
	show(unshare(0));
	show(unshare(1));
	show(unshare(CLONE_FILES | CLONE_FS));
	show(unshare(CLONE_SYSVSEM));
	show(setns(99, 0));
	show(setns(0, 0));
	return 0;
}
