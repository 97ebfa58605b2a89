/* Sixty calls with bad descriptors and bad values: the error Linux gives. */
#include "lib/check.h"
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/timerfd.h>

int main(void)
{
	char buf[16];
	struct stat st;
	int null = must(open("/dev/null", O_RDWR));
	const int descriptors[] = {-1, 50, INT_MAX, AT_FDCWD};
	for (size_t i = 0; i < COUNT(descriptors); i++) {
		int fd = descriptors[i];
		printf("descriptor %d\n", fd);
		show(read(fd, buf, 1));
		show(write(fd, buf, 1));
		show(close(fd));
		show(fstat(fd, &st));
		show(lseek(fd, 0, SEEK_SET));
		show(dup(fd));
		show(fcntl(fd, F_GETFD));
		show(ftruncate(fd, 0));
		show(fsync(fd));
		show(flock(fd, LOCK_EX));
		show(fchmod(fd, 0));
		show(syscall(SYS_getdents64, fd, buf, 16));
		show(pread(fd, buf, 1, 0));
		show(epoll_wait(fd, (void *)buf, 1, 0));
		show(listen(fd, 1));
		show(send(fd, buf, 1, 0));
	}
	show(lseek(null, 0, 99));
	show(fcntl(null, 9999, 0));
	show(openat(null, "x", O_RDONLY));
	show(dup3(null, null, 0));
	show(dup3(null, 60, 1));
	show(pipe2((int[2]){0}, 1));
	show(epoll_create1(7));
	show(syscall(SYS_eventfd2, 0, 7));
	show(timerfd_create(CLOCK_MONOTONIC, 7));
	show(syscall(SYS_signalfd4, -1, buf, 3, 0));
	show(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	show(syscall(SYS_rt_sigaction, 1, NULL, NULL, 7));
	show(kill(getpid(), -1));
	show(syscall(SYS_tgkill, 0, 0, 0));
	show(madvise((void *)1, 4096, MADV_DONTNEED));
	show(mprotect((void *)1, 4096, PROT_READ));
	show(mprotect((void *)0x10000, 4096, PROT_READ));
	show(mprotect(NULL, 0, PROT_READ));
	show(munmap((void *)4096, -1ul));
	show(syscall(SYS_mmap, 0, 4096, PROT_READ, 0, -1, 0));
	show(syscall(SYS_mremap, 0x10000, 4096, 8192, 0, 0));
	show(syscall(SYS_getrandom, buf, 1, 99));
	show(syscall(SYS_clock_gettime, 55, buf));
	show(syscall(SYS_prlimit64, 0, 99, 0, 0));
	show(syscall(SYS_getpriority, 9, 0));
	show(syscall(SYS_sched_setscheduler, 0, 99, buf));
	show(syscall(SYS_socket, 0, 0, 0));
	show(syscall(SYS_statx, 0, "", 0, 0, 0));
	show(syscall(SYS_openat2, AT_FDCWD, "x", buf, 3));
	show(syscall(SYS_membarrier, 0x7777, 0));
	show(access("/", 77));
	show(unlinkat(AT_FDCWD, "x", 0x55));
	show(linkat(AT_FDCWD, "x", AT_FDCWD, "y", 0x55));
	show(syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, "y", 0x55));
	show(syscall(SYS_utimensat, AT_FDCWD, "x", NULL, 0x55));
	show(syscall(SYS_fallocate, null, 0x5555, 0, 1));
	return 0;
}
