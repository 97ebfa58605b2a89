/* Contents: read, write, holes, sizes, locks and memory files, on a tree in memory. */
#include "abi/linux/statfs.h"
#include "kernel/mem/page.h"
#include "tests/unit/vfs_calls.h"

static char data[3 * PAGE_SIZE], back[3 * PAGE_SIZE];

static void fill_data(void)
{
	for (size_t n = 0; n < sizeof(data); n++)
		data[n] = (char)(n * 7 + n / 251);
}

static void read_and_write(void)
{
	struct file *f = opened("/f", O_RDWR | O_CREAT);
	fill_data();
	expect(put(f, data, sizeof(data)), sizeof(data));
	expect(f->position, sizeof(data));
	expect(take(f, back, 1), 0);
	expect(f->ops->seek(f, -(int64_t)sizeof(data), SEEK_END), 0);
	expect(take(f, back, sizeof(back)), sizeof(back));
	expect(memcmp(data, back, sizeof(data)), 0);
	expect(take_at(f, back, 100, PAGE_SIZE - 50), 100);
	expect(memcmp(data + PAGE_SIZE - 50, back, 100), 0);
	expect(put_at(f, "xyz", 3, PAGE_SIZE - 1), 3);
	memcpy(data + PAGE_SIZE - 1, "xyz", 3);
	expect(take_at(f, back, sizeof(back), 0), sizeof(back));
	expect(memcmp(data, back, sizeof(data)), 0);
	expect(take_at(f, back, 10, sizeof(data) - 4), 4);
	expect(f->ops->seek(f, -1, SEEK_SET), -EINVAL);
	expect(f->ops->seek(f, 0, 9), -EINVAL);
	expect(put_at(f, "x", 1, INT64_MAX), -EFBIG);
	expect(take_at(f, back, 1, (uint64_t)INT64_MAX + 1), -EINVAL);
	file_put(f);
	f = opened("/f", O_WRONLY | O_APPEND);
	expect(take(f, back, 1), -EBADF);
	expect(put_at(f, "end", 3, 0), 3);
	file_put(f);
	expect(stat_of("/f").st_size, sizeof(data) + 3);
	f = opened("/f", O_RDONLY);
	expect(put(f, "x", 1), -EBADF);
	file_put(f);
	f = opened("/f", O_RDONLY | O_TRUNC);
	expect(stat_of("/f").st_size, 0);
	file_put(f);
}

static void holes(void)
{
	struct file *f = opened("/holes", O_RDWR | O_CREAT);
	expect(put_at(f, "a", 1, 10 * PAGE_SIZE), 1);
	expect(stat_of("/holes").st_blocks, 8);
	expect(take_at(f, back, PAGE_SIZE, 5 * PAGE_SIZE), PAGE_SIZE);
	expect(back[0] | back[PAGE_SIZE - 1], 0);
	expect(stat_of("/holes").st_blocks, 8);
	expect(f->ops->seek(f, 0, SEEK_DATA), 10 * PAGE_SIZE);
	expect(f->ops->seek(f, 0, SEEK_HOLE), 0);
	expect(f->ops->seek(f, 10 * PAGE_SIZE, SEEK_HOLE), 10 * PAGE_SIZE + 1);
	expect(f->ops->seek(f, 11 * PAGE_SIZE, SEEK_DATA), -ENXIO);
	expect(f->ops->truncate(f, 20 * PAGE_SIZE), 0);
	expect(f->ops->seek(f, 11 * PAGE_SIZE, SEEK_DATA), -ENXIO);
	/* What was cut off does not come back. */
	expect(put_at(f, "secret", 6, 100), 6);
	expect(f->ops->truncate(f, 102), 0);
	expect(f->ops->truncate(f, 200), 0);
	expect(take_at(f, back, 200, 0), 200);
	expect(memcmp(back + 100, "se\0\0\0\0", 6), 0);
	/* fallocate(2) */
	expect(f->ops->allocate(f, 0, 0, 1000), 0);
	expect(stat_of("/holes").st_size, 1000);
	expect(f->ops->allocate(f, FALLOC_FL_KEEP_SIZE, 0, 5000), 0);
	expect(stat_of("/holes").st_size, 1000);
	expect(put_at(f, data, sizeof(data), 0), sizeof(data));
	expect(f->ops->allocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 2 * PAGE_SIZE),
		0);
	expect(take_at(f, back, sizeof(back), 0), sizeof(back));
	expect(back[9] == data[9] && !back[10] && !back[2 * PAGE_SIZE + 9], 1);
	expect(back[2 * PAGE_SIZE + 10] == data[2 * PAGE_SIZE + 10], 1);
	expect(f->ops->allocate(f, FALLOC_FL_PUNCH_HOLE, 0, 1), -EOPNOTSUPP);
	file_put(f);
	expect(vfs_unlink(NULL, "/holes"), 0);
}

static uint64_t free_blocks(void)
{
	struct dentry *d = vfs_root();
	struct linux_statfs s;
	expect(vfs_statfs(d, &s), 0);
	dentry_put(d);
	expect(s.f_type, TMPFS_MAGIC);
	return s.f_bfree;
}

static void room_runs_out(void)
{
	static char chunk[256 * PAGE_SIZE];
	uint64_t before = free_blocks();
	struct file *f = opened("/big", O_RDWR | O_CREAT);
	long n;
	while ((n = put(f, chunk, sizeof(chunk))) == (long)sizeof(chunk))
		;
	if (n >= 0) /* a short one first */
		n = put(f, chunk, sizeof(chunk));
	expect(n, -ENOSPC);
	expect(free_blocks(), 0);
	expect(try_open("/small", O_RDWR | O_CREAT), 0);
	struct file *g = opened("/small", O_RDWR);
	expect(put(g, "x", 1), -ENOSPC);
	expect(f->ops->truncate(f, 0), 0);
	expect(free_blocks(), (long)before);
	expect(put(g, "x", 1), 1);
	expect(put(f, chunk, sizeof(chunk)), sizeof(chunk));
	file_put(g);
	file_put(f);
	expect(vfs_unlink(NULL, "/big"), 0);
	expect(vfs_unlink(NULL, "/small"), 0);
	expect(free_blocks(), (long)before);
}

static void sealed(void)
{
	struct file *f, *g;
	char buf[64];
	expect(vfs_memory_file_sealed("name", MFD_ALLOW_SEALING, &f), 0);
	expect(vfs_file_path(f, buf, sizeof(buf)), 21);
	check_text(buf, "/memfd:name (deleted)");
	expect(put(f, "contents", 8), 8);
	expect(vfs_get_seals(f), 0);
	expect(vfs_add_seals(f, F_SEAL_SHRINK), 0);
	expect(f->ops->truncate(f, 4), -EPERM);
	expect(f->ops->truncate(f, 16), 0);
	expect(vfs_add_seals(f, F_SEAL_GROW), 0);
	expect(put(f, data, 100), -EPERM);
	expect(vfs_add_seals(f, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	expect(put_at(f, "x", 1, 0), -EPERM);
	expect(vfs_add_seals(f, F_SEAL_WRITE), -EPERM);
	expect(take_at(f, buf, 8, 0), 8);
	struct linux_stat st;
	expect(vfs_stat_file(f, &st), 0);
	expect(st.st_mode, S_IFREG | 0777);
	expect(st.st_nlink, 0);
	file_put(f);
	expect(vfs_memory_file("dev/zero", 5 * PAGE_SIZE, &f), 0);
	expect(vfs_get_seals(f), F_SEAL_SEAL);
	file_put(f);
	g = opened("/f", O_RDWR);
	expect(vfs_get_seals(g), -EINVAL);
	file_put(g);
}

static struct linux_flock lock(int type, int64_t start, int64_t len)
{
	return (struct linux_flock){.l_type = (int16_t)type, .l_start = start, .l_len = len};
}

static int set(struct file *f, int type, int64_t start, int64_t len, void *owner)
{
	struct linux_flock l = lock(type, start, len);
	return vfs_lock_set(f, &l, owner, false);
}

static struct linux_flock asked(struct file *f, int64_t start, int64_t len, void *owner)
{
	struct linux_flock l = lock(F_WRLCK, start, len);
	expect(vfs_lock_get(f, &l, owner), 0);
	return l;
}

static bool waited;

static void wait_for_lock(void *arg)
{
	struct linux_flock l = lock(F_WRLCK, 0, 0);
	expect(vfs_lock_set(arg, &l, arg, true), 0);
	waited = true;
	thread_exit();
}

static void locks(void)
{
	struct file *f = opened("/f", O_RDWR), *g = opened("/f", O_RDWR),
		    *r = opened("/f", O_RDONLY);
	int process;
	expect(set(r, F_WRLCK, 0, 0, &process), -EBADF);
	expect(set(f, F_WRLCK, 10, 10, &process), 0);
	expect(set(g, F_WRLCK, 10, 10, &process), 0); /* the same process */
	expect(set(g, F_WRLCK, 15, 1, g), -EAGAIN);
	expect(set(g, F_WRLCK, 20, 10, g), 0);
	expect(set(f, F_RDLCK, 0, 0, &process), -EAGAIN);
	struct linux_flock l = asked(g, 0, 0, g);
	expect(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 10 && l.l_pid == 1, 1);
	l = asked(f, 20, 1, &process);
	expect(l.l_type == F_WRLCK && l.l_start == 20 && l.l_pid == -1, 1);
	/* A hole in the middle, then its first half as a shared one. */
	expect(set(f, F_UNLCK, 13, 2, &process), 0);
	expect(set(g, F_WRLCK, 13, 2, g), 0);
	expect(set(g, F_WRLCK, 15, 1, g), -EAGAIN);
	expect(set(g, F_UNLCK, 13, 2, g), 0);
	expect(set(f, F_RDLCK, 10, 3, &process), 0);
	expect(set(g, F_RDLCK, 10, 3, g), 0);
	expect(set(g, F_RDLCK, 10, 6, g), -EAGAIN);
	l = lock(F_WRLCK, 5, -3);
	expect(vfs_lock_set(f, &l, &process, false), 0);
	l = asked(g, 0, 5, g);
	expect(l.l_start == 2 && l.l_len == 3, 1);
	l = lock(F_WRLCK, 1, -3);
	expect(vfs_lock_set(f, &l, &process, false), -EINVAL);
	/* Closing any descriptor of the file ends the process's locks, not those of open files. */
	expect(r->ops->flush(r), 0);
	expect(asked(g, 0, 10, g).l_type, F_UNLCK);
	expect(set(f, F_WRLCK, 20, 1, &process), -EAGAIN);
	/* Waiting. */
	struct thread *t;
	struct thread_request request = {
		.size = sizeof(struct thread), .name = "waiter", .entry = wait_for_lock, .arg = f};
	expect(thread_create(&request, &t), 0);
	thread_start(t);
	thread_yield();
	expect(waited, 0);
	file_put(g);
	for (int n = 0; n < 5; n++)
		thread_yield();
	expect(waited, 1);
	file_put(f);
	/* flock(2) */
	f = opened("/f", O_RDONLY);
	expect(vfs_flock(f, LOCK_SH), 0);
	expect(vfs_flock(r, LOCK_SH | LOCK_NB), 0);
	expect(vfs_flock(r, LOCK_EX | LOCK_NB), -EAGAIN);
	file_put(f);
	expect(vfs_flock(r, LOCK_EX | LOCK_NB), 0);
	expect(vfs_flock(r, 99), -EINVAL);
	file_put(r);
}

static void nameless(void)
{
	struct file *f;
	expect(open_at("/", O_TMPFILE | O_RDWR, 0600, &f), 0);
	expect(put(f, "hidden", 6), 6);
	expect(vfs_link(f->dentry, NULL, "/shown"), 0);
	check_file("/shown", "hidden");
	expect(stat_of("/shown").st_nlink, 1);
	file_put(f);
	check_file("/shown", "hidden");
	expect(open_at("/", O_TMPFILE | O_RDONLY, 0600, &f), -EINVAL);
	expect(open_at("/", O_TMPFILE | O_RDWR | O_EXCL, 0600, &f), 0);
	expect(vfs_link(f->dentry, NULL, "/never"), -ENOENT);
	file_put(f);
}

static void run(void *arg)
{
	(void)arg;
	vfs_start(NULL);
	read_and_write();
	holes();
	room_runs_out();
	sealed();
	locks();
	nameless();
}

int main(void)
{
	host_run(run, NULL);
	puts("ok");
	return 0;
}
