/* System V shared memory: making, attaching, removing, what shmctl tells, and where it may lie. */
#include "lib/check.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define KEY 0x4d6f7465

static void stat_line(int id)
{
	struct shmid_ds ds;
	if (shmctl(id, IPC_STAT, &ds) < 0) {
		printf("stat: %s\n", strerrorname_np(errno));
		return;
	}
	printf("size %zu attached %lu mode %o mine %d last %d times %d%d%d\n", ds.shm_segsz,
		(long)ds.shm_nattch, ds.shm_perm.mode, ds.shm_cpid == getpid(),
		ds.shm_lpid == getpid(), ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_ctime != 0);
}

static void show_maps(const char *what)
{
	char line[300], perms[8];
	unsigned long start, end, offset;
	FILE *f = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "SYSV") &&
			sscanf(line, "%lx-%lx %7s %lx", &start, &end, perms, &offset) == 4)
			printf("%s: %lu pages %s at %lu %s", what, (end - start) / PAGE, perms,
				offset / PAGE, strstr(line, "/SYSV"));
	fclose(f);
}

static void errors(int id)
{
	char *page = map_pages(3, PROT_READ, MAP_PRIVATE);
	struct shmid_ds ds;
	show(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600));
	show(shmget(KEY, 5001, 0600));
	is(shmget(KEY, 100, 0) == id);
	show(shmget(KEY + 1, 100, 0600));
	show(shmget(KEY + 1, 0, IPC_CREAT | 0600));
	show(shmget(IPC_PRIVATE, -1, 0600));
	show((long)shmat(-1, NULL, 0));
	show((long)shmat(id + 1, NULL, 0));
	show((long)shmat(id, page + 1, 0));
	show((long)shmat(id, page, 0));
	show((long)shmat(id, NULL, SHM_REMAP));
	show(shmdt(page));
	show(shmdt(page + 1));
	show(shmctl(id, 99, &ds));
	show(shmctl(id + 1, IPC_STAT, &ds));
	show(shmctl(id, IPC_STAT, wild()));
	show(shmctl(-1, IPC_RMID, NULL));
	is(shmat(id, page + 1, SHM_RND | SHM_REMAP) == page);
	memset(page, 1, 5000);
	show_maps("remapped");
	must(shmdt(page));
}

int main(void)
{
	int old = shmget(KEY, 0, 0);
	if (old >= 0)
		shmctl(old, IPC_RMID, NULL);
	int id = must(shmget(KEY, 5000, IPC_CREAT | 0640));
	stat_line(id);
	errors(id);
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY),
	     *c = shmat(id, NULL, SHM_EXEC);
	strcpy(a, "shared");
	printf("%s %s %d\n", b, c, a[8191]);
	stat_line(id);
	show_maps("attached");
	show(mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	/* In pieces: each counts. */
	must(mprotect(a, PAGE, PROT_READ));
	stat_line(id);
	must(munmap(a, PAGE));
	stat_line(id);
	show(shmdt(a));
	show(shmdt(a));
	stat_line(id);
	struct shmid_ds ds;
	must(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0777;
	show(shmctl(id, IPC_SET, &ds));
	show(shmctl(id, SHM_LOCK, NULL));
	stat_line(id);
	show(shmctl(id, SHM_UNLOCK, NULL));
	/* Removed while attached: it lives on, without its key, until the last detaches. */
	show(shmctl(id, IPC_RMID, NULL));
	stat_line(id);
	show(shmget(KEY, 100, 0));
	a = shmat(id, NULL, 0);
	printf("%s\n", b);
	must(shmdt(b));
	must(shmdt(c));
	stat_line(id);
	must(munmap(a, 2 * PAGE));
	stat_line(id);
	show((long)shmat(id, NULL, 0));
	struct shminfo info;
	is(shmctl(0, IPC_INFO, (void *)&info) >= 0);
	printf("%lu %lu %lu\n", info.shmmin, info.shmmni, info.shmseg);
	/* Memory of its own life: a fresh one is zero again. */
	id = must(shmget(IPC_PRIVATE, 1 << 20, 0600));
	a = shmat(id, NULL, 0);
	int sum = 0;
	for (int i = 0; i < 1 << 20; i++)
		sum |= a[i];
	printf("%d\n", sum);
	struct shm_info usage;
	is(shmctl(0, SHM_INFO, (void *)&usage) >= 0);
	is(usage.used_ids >= 1);
	bool found = false;
	for (int i = 0; i < 4096; i++)
		found |= shmctl(i, SHM_STAT, &ds) == id;
	is(found);
	must(shmctl(id, IPC_RMID, NULL));
	return 0;
}
