/* Record locks and flock: a single process never conflicts with itself, two open files of flock do. */
#include "lib/check.h"
#include <sys/file.h>

int main(void)
{
	int a = must(open("f", O_RDWR | O_CREAT, 0600)), b = must(open("f", O_RDWR));
	int reader = must(open("f", O_RDONLY));
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 100};
	show(fcntl(a, F_SETLK, &l));
	show(fcntl(b, F_SETLK, &l));
	show(fcntl(a, F_GETLK, &l));
	printf("%d\n", l.l_type == F_UNLCK);
	l.l_type = F_RDLCK;
	show(fcntl(b, F_SETLKW, &l));
	l.l_type = F_WRLCK;
	show(fcntl(reader, F_SETLK, &l));
	l.l_type = F_UNLCK;
	show(fcntl(a, F_SETLK, &l));
	l.l_type = 17;
	show(fcntl(a, F_SETLK, &l));
	show(fcntl(a, F_SETLK, wild()));
	show(flock(a, LOCK_EX));
	show(flock(b, LOCK_EX | LOCK_NB));
	show(flock(b, LOCK_SH | LOCK_NB));
	show(flock(a, LOCK_SH));
	show(flock(b, LOCK_SH | LOCK_NB));
	show(flock(b, LOCK_EX | LOCK_NB));
	show(flock(a, LOCK_UN));
	show(flock(b, LOCK_EX | LOCK_NB));
	close(b);
	show(flock(a, LOCK_EX | LOCK_NB));
	show(flock(a, 77));
	l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	int c = must(open("f", O_RDWR));
	show(fcntl(a, F_OFD_SETLK, &l));
	show(fcntl(c, F_OFD_SETLK, &l));
	l.l_start = 10;
	show(fcntl(c, F_OFD_SETLK, &l));
	return 0;
}
