/* /proc/sysvipc and /proc/locks list what there is: shared memory, semaphores, messages, and locks of files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

/* The line of `key`: the columns that are the same on every machine. */
static void find(const char *path, int key, int id, int columns)
{
	char line[300];
	int k, i, said = 0;
	unsigned mode, size;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%d %d %o %u", &k, &i, &mode, &size) == 4 && k == key && i == id) {
			printf("%s: mode %o", path, mode);
			printf(columns > 3 ? " size %u\n" : "\n", size);
			said = 1;
		}
	if (!said)
		printf("%s: not listed\n", path);
	if (f)
		fclose(f);
}

/* In no order. */
static void locks(const char *which)
{
	char line[200], kind[20], advice[20], access[20], end[30];
	int pid;
	long begin;
	FILE *f = fopen("/proc/locks", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %19s %19s %19s %d %*s %ld %29s", kind, advice, access, &pid,
			    &begin, end) == 6 &&
			!strcmp(kind, which) && (pid == getpid() || (pid == -1 && begin == 7)))
			printf("%s %s %s %ld %s\n", kind, advice, access, begin, end);
	if (f)
		fclose(f);
}

int main(void)
{
	int key = 0x6d6f7465 + getpid(), file = memfd_create("locked", 0);
	int shm = shmget(key, 8192, IPC_CREAT | 0640), sem = semget(key, 3, IPC_CREAT | 0600);
	int msg = msgget(key, IPC_CREAT | 0620);
	msgsnd(msg, &(struct {
		long type;
		char text[4];
	}){1, "abc"},
		4, 0);
	find("/proc/sysvipc/shm", key, shm, 4);
	find("/proc/sysvipc/sem", key, sem, 4);
	find("/proc/sysvipc/msg", key, msg, 4);
	shmctl(shm, IPC_RMID, NULL);
	semctl(sem, 0, IPC_RMID);
	msgctl(msg, IPC_RMID, NULL);
	find("/proc/sysvipc/shm", key, shm, 4);
	struct flock l = {.l_type = F_WRLCK, .l_start = 10, .l_len = 5};
	printf("%d\n", fcntl(file, F_SETLK, &l));
	l = (struct flock){.l_type = F_WRLCK, .l_start = 7, .l_len = 1};
	printf("%d\n", fcntl(file, F_OFD_SETLK, &l));
	locks("POSIX");
	locks("OFDLCK");
	return 0;
}
