/* Names: walks along paths, links, rename, and the errors Linux gives, on a tree in memory. */
#include "tests/unit/vfs_calls.h"

static void make_and_remove(void)
{
	expect(vfs_mkdir(NULL, "/d", 0755), 0);
	expect(vfs_mkdir(NULL, "/d", 0755), -EEXIST);
	expect(vfs_mkdir(NULL, "/d/", 0755), -EEXIST);
	expect(vfs_mkdir(NULL, "/", 0755), -EEXIST);
	expect(vfs_mkdir(NULL, "/d/.", 0755), -EEXIST);
	expect(vfs_mkdir(NULL, "/none/x", 0755), -ENOENT);
	expect(vfs_mkdir(NULL, "/d/sub/", 0700), 0);
	expect(stat_of("/d").st_nlink, 3);
	write_file("/d/f", "text");
	expect(vfs_mkdir(NULL, "/d/f/x", 0755), -ENOTDIR);
	expect(vfs_rmdir(NULL, "/d"), -ENOTEMPTY);
	expect(vfs_rmdir(NULL, "/d/f"), -ENOTDIR);
	expect(vfs_rmdir(NULL, "/d/."), -EINVAL);
	expect(vfs_rmdir(NULL, "/d/.."), -ENOTEMPTY);
	expect(vfs_rmdir(NULL, "/"), -EBUSY);
	expect(vfs_rmdir(NULL, "/proc"), -EBUSY);
	expect(vfs_unlink(NULL, "/d/sub"), -EISDIR);
	expect(vfs_unlink(NULL, "/d/f/"), -ENOTDIR);
	expect(vfs_unlink(NULL, "/d/none"), -ENOENT);
	expect(vfs_unlink(NULL, ""), -ENOENT);
	expect(vfs_rmdir(NULL, "/d/sub"), 0);
	expect(stat_of("/d").st_nlink, 2);
	expect(vfs_unlink(NULL, "/d/f"), 0);
	expect(exists("/d/f"), -ENOENT);
	expect(vfs_rmdir(NULL, "/d"), 0);
}

static void opens(void)
{
	char name[300];
	expect(try_open("/x", O_RDONLY), -ENOENT);
	expect(try_open("/x", O_RDWR | O_CREAT | O_EXCL), 0);
	expect(try_open("/x", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
	expect(try_open("/x", O_RDWR | O_CREAT), 0);
	expect(try_open("/x/", O_RDONLY), -ENOTDIR);
	expect(try_open("/x/y", O_RDONLY), -ENOTDIR);
	expect(try_open("/x", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	expect(try_open("/y/", O_RDWR | O_CREAT), -EISDIR);
	expect(try_open("/", O_RDWR), -EISDIR);
	expect(try_open("/dev", O_RDONLY | O_CREAT), -EISDIR);
	expect(try_open(".", O_RDONLY | O_CREAT), -EISDIR);
	expect(try_open("", O_RDONLY), -ENOENT);
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	expect(try_open(name, O_RDONLY | O_CREAT), -ENAMETOOLONG);
	name[255] = 0;
	expect(try_open(name, O_RDONLY | O_CREAT), 0);
	expect(vfs_unlink(NULL, name), 0);
	expect(stat_of("/x").st_mode, S_IFREG | 0644);
	test_credentials.umask = 077;
	expect(try_open("/masked", O_RDWR | O_CREAT), 0);
	test_credentials.umask = 022;
	expect(stat_of("/masked").st_mode, S_IFREG | 0600);
	struct file *f = opened("/x", O_RDWR);
	expect(f->flags, O_RDWR | O_LARGEFILE);
	file_put(f);
	expect(vfs_unlink(NULL, "/x"), 0);
	expect(vfs_unlink(NULL, "/masked"), 0);
}

static void path_files(void)
{
	char buf[4];
	write_file("/p", "abc");
	struct file *f = opened("/p", O_PATH);
	expect(f->flags, O_PATH);
	expect(take(f, buf, 1), -EBADF);
	expect(put(f, buf, 1), -EBADF);
	expect(take_at(f, buf, 1, 0), -EBADF);
	struct linux_stat st;
	expect(vfs_stat_file(f, &st), 0);
	expect(st.st_size, 3);
	file_put(f);
	expect(vfs_symlink("p", NULL, "/l"), 0);
	f = opened("/l", O_PATH | O_NOFOLLOW);
	expect(vfs_readlink(f->dentry, buf, 4), 1);
	file_put(f);
	expect(try_open("/l", O_RDONLY | O_NOFOLLOW), -ELOOP);
	expect(vfs_unlink(NULL, "/l"), 0);
	expect(vfs_unlink(NULL, "/p"), 0);
}

static void links(void)
{
	char name[64];
	expect(vfs_mkdir(NULL, "/a", 0755), 0);
	expect(vfs_mkdir(NULL, "/a/b", 0755), 0);
	write_file("/a/b/file", "deep");
	expect(vfs_symlink("b/file", NULL, "/a/l"), 0);
	expect(vfs_symlink("/a", NULL, "/abs"), 0);
	expect(vfs_symlink("../a/b", NULL, "/a/up"), 0);
	check_file("/a/l", "deep");
	check_file("/abs/up/file", "deep");
	check_file("/abs/up/../l", "deep");
	check_file("/abs//./b/../b///file", "deep");
	check_file("/../../a/l", "deep");
	expect(try_open("/a/l/", O_RDONLY), -ENOTDIR);
	expect(try_open("/abs/", O_RDONLY), 0);
	expect(stat_of("/abs").st_size, 2);
	expect(S_ISLNK(stat_of("/abs").st_mode), 1);
	expect(S_ISDIR(stat_of("/abs/").st_mode), 1);
	check_text(link_of("/a/up"), "../a/b");
	/* A link to what is not there yet: O_CREAT makes the target. */
	expect(vfs_symlink("/a/new", NULL, "/dangling"), 0);
	expect(try_open("/dangling", O_RDONLY), -ENOENT);
	expect(try_open("/dangling", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
	write_file("/dangling", "made");
	check_file("/a/new", "made");
	/* Loops and long chains. */
	expect(vfs_symlink("loop", NULL, "/loop"), 0);
	expect(try_open("/loop", O_RDONLY), -ELOOP);
	for (int n = 0; n < 45; n++) {
		char target[32];
		snprintf(target, sizeof(target), "/c%d", n - 1);
		snprintf(name, sizeof(name), "/c%d", n);
		expect(vfs_symlink(n ? target : "/a/new", NULL, name), 0);
	}
	check_file("/c39", "made");
	expect(try_open("/c40", O_RDONLY), -ELOOP);
	expect(vfs_symlink("", NULL, "/empty"), -ENOENT);
	expect(vfs_symlink("x", NULL, "/abs"), -EEXIST);
	expect(vfs_symlink("x", NULL, "/newlink/"), -ENOENT);
}

static void hard_links(void)
{
	write_file("/h1", "one");
	expect(hard_link("/h1", "/h2"), 0);
	expect(stat_of("/h1").st_nlink, 2);
	expect(stat_of("/h1").st_ino, (long)stat_of("/h2").st_ino);
	expect(hard_link("/h1", "/h2"), -EEXIST);
	expect(hard_link("/a", "/adir"), -EPERM);
	expect(hard_link("/h1", "/dev/h"), -EXDEV);
	struct file *f = opened("/h1", O_RDWR);
	expect(vfs_unlink(NULL, "/h1"), 0);
	expect(vfs_unlink(NULL, "/h2"), 0);
	char buf[64];
	expect(take(f, buf, 10), 3);
	struct linux_stat st;
	expect(vfs_stat_file(f, &st), 0);
	expect(st.st_nlink, 0);
	expect(vfs_path(f->dentry, buf, sizeof(buf)), 13);
	check_text(buf, "/h1 (deleted)");
	expect(vfs_link(f->dentry, NULL, "/again"), -ENOENT);
	file_put(f);
}

static void renames(void)
{
	expect(vfs_mkdir(NULL, "/r", 0755), 0);
	expect(vfs_mkdir(NULL, "/r/d1", 0755), 0);
	expect(vfs_mkdir(NULL, "/r/d2", 0755), 0);
	write_file("/r/f1", "1");
	write_file("/r/f2", "2");
	expect(rename_at("/r/f1", "/r/f2", 0), 0);
	check_file("/r/f2", "1");
	expect(exists("/r/f1"), -ENOENT);
	expect(rename_at("/r/f2", "/r/d1", 0), -EISDIR);
	expect(rename_at("/r/d1", "/r/f2", 0), -ENOTDIR);
	expect(rename_at("/r/d1", "/r/d1/x", 0), -EINVAL);
	expect(rename_at("/r", "/r/d1/x", 0), -EINVAL);
	expect(rename_at("/r/d1", "/r", 0), -ENOTEMPTY);
	expect(rename_at("/r/f2", "/dev/x", 0), -EXDEV);
	expect(rename_at("/r/.", "/r/x", 0), -EBUSY);
	expect(rename_at("/r/f2", "/r/d1/..", 0), -EBUSY);
	expect(rename_at("/r/none", "/r/x", 0), -ENOENT);
	expect(rename_at("/r/f2", "/r/x/", 0), -ENOTDIR);
	expect(rename_at("/proc", "/x", 0), -EBUSY);
	write_file("/r/f1", "other");
	expect(rename_at("/r/f1", "/r/f2", RENAME_NOREPLACE), -EEXIST);
	expect(rename_at("/r/f1", "/r/f2", RENAME_EXCHANGE), 0);
	check_file("/r/f1", "1");
	check_file("/r/f2", "other");
	expect(rename_at("/r/f1", "/r/d1", RENAME_EXCHANGE), 0);
	check_file("/r/d1", "1");
	expect(S_ISDIR(stat_of("/r/f1").st_mode), 1);
	expect(rename_at("/r/f1", "/r/d1", RENAME_EXCHANGE), 0);
	write_file("/r/d1/in", "x");
	expect(rename_at("/r/d2", "/r/d1", 0), -ENOTEMPTY);
	expect(rename_at("/r/d1", "/r/d2", 0), 0);
	check_file("/r/d2/in", "x");
	expect(stat_of("/r").st_nlink, 3);
	expect(vfs_mkdir(NULL, "/elsewhere", 0755), 0);
	expect(rename_at("/r/d2", "/elsewhere/d", 0), 0);
	expect(stat_of("/r").st_nlink, 2);
	expect(stat_of("/elsewhere").st_nlink, 3);
	check_file("/elsewhere/d/in", "x");
	check_file("/elsewhere/d/../../elsewhere/d/in", "x");
	/* The same file under two names: nothing happens. */
	expect(hard_link("/r/f1", "/r/same"), 0);
	expect(rename_at("/r/f1", "/r/same", 0), 0);
	check_text(list_of("/r", 100), ". .. f1 f2 same");
	/* Directory and open file go on under the new name. */
	struct file *f = opened("/elsewhere/d/in", O_RDONLY);
	expect(rename_at("/elsewhere", "/moved", 0), 0);
	char buf[64];
	expect(vfs_path(f->dentry, buf, sizeof(buf)), 11);
	check_text(buf, "/moved/d/in");
	expect(vfs_path(f->dentry, buf, 11), -ENAMETOOLONG);
	file_put(f);
}

static void working_directory(void)
{
	char buf[64];
	struct file *f = directory("/moved/d");
	expect(vfs_set_working(f->dentry), 0);
	check_file("in", "x");
	check_file("./../d/in", "x");
	expect(vfs_unlink(NULL, "in"), 0);
	expect(vfs_rmdir(NULL, "/moved/d"), 0);
	expect(try_open("new", O_RDWR | O_CREAT), -ENOENT);
	expect(vfs_mkdir(NULL, "new", 0755), -ENOENT);
	expect(try_open("..", O_RDONLY), 0);
	struct dentry *d = vfs_working();
	expect(vfs_path(d, buf, sizeof(buf)), 18);
	check_text(buf, "/moved/d (deleted)");
	dentry_put(d);
	file_put(f);
	f = directory("/");
	expect(vfs_set_working(f->dentry), 0);
	file_put(f);
	f = directory("/moved");
	write_file("/moved/x", "inside");
	expect(vfs_set_root(f->dentry), 0);
	check_file("/x", "inside");
	check_file("/../../x", "inside");
	struct dentry *cwd = vfs_working();
	expect(vfs_path(cwd, buf, sizeof(buf)), 13);
	check_text(buf, "(unreachable)");
	check_file("moved/x", "inside");
	/* Back: ".." from outside the root reaches the real one. */
	expect(vfs_set_root(cwd), 0);
	dentry_put(cwd);
	file_put(f);
}

static void permissions(void)
{
	expect(vfs_mkdir(NULL, "/t", 0777), 0);
	struct dentry *d;
	expect(vfs_lookup(NULL, "/t", 0, &d), 0);
	expect(vfs_chmod(d, 01777), 0);
	dentry_put(d);
	write_file("/t/root", "r");
	expect(vfs_mkdir(NULL, "/closed", 0700), 0);
	write_file("/closed/f", "r");
	test_credentials = (struct fs_credentials){.uid = 1000, .gid = 1000, .umask = 022};
	expect(try_open("/t/root", O_RDONLY), 0);
	expect(try_open("/t/root", O_RDWR), -EACCES);
	expect(try_open("/closed/f", O_RDONLY), -EACCES);
	expect(vfs_unlink(NULL, "/t/root"), -EPERM);
	expect(rename_at("/t/root", "/t/x", 0), -EPERM);
	expect(vfs_mkdir(NULL, "/t/mine", 0755), 0);
	expect(vfs_mkdir(NULL, "/nope", 0755), -EACCES);
	expect(stat_of("/t/mine").st_uid, 1000);
	expect(vfs_lookup(NULL, "/t/root", 0, &d), 0);
	expect(vfs_chmod(d, 0777), -EPERM);
	expect(vfs_chown(d, 1000, (uint32_t)-1), -EPERM);
	expect(vfs_utimes(d, NULL), -EACCES);
	expect(vfs_access(d, R_OK), 0);
	expect(vfs_access(d, X_OK), -EACCES);
	dentry_put(d);
	expect(vfs_mknod(NULL, "/t/dev", S_IFCHR | 0666, 0x103), -EPERM);
	expect(vfs_mknod(NULL, "/t/fifo", S_IFIFO | 0666, 0), 0);
	expect(stat_of("/t/fifo").st_mode, S_IFIFO | 0644);
	test_credentials = (struct fs_credentials){.override = true, .umask = 022};
	expect(vfs_lookup(NULL, "/t/root", 0, &d), 0);
	expect(vfs_chmod(d, 06755), 0);
	expect(vfs_chown(d, 5, 6), 0);
	struct linux_stat st;
	expect(vfs_stat(d, &st), 0);
	expect(st.st_mode & 07777, 0755);
	expect(st.st_uid * 10 + st.st_gid, 56);
	struct linux_timespec times[2] = {{100, 5}, {0, UTIME_OMIT}};
	int64_t modified = st.st_mtim.tv_sec;
	expect(vfs_utimes(d, times), 0);
	expect(vfs_stat(d, &st), 0);
	expect(st.st_atim.tv_sec, 100);
	expect(st.st_mtim.tv_sec, modified);
	times[1].tv_nsec = -1;
	expect(vfs_utimes(d, times), -EINVAL);
	dentry_put(d);
}

static void many_names(void)
{
	char name[64];
	expect(vfs_mkdir(NULL, "/many", 0755), 0);
	for (int n = 0; n < 1500; n++) {
		snprintf(name, sizeof(name), "/many/some-name-%d", n);
		expect(try_open(name, O_RDWR | O_CREAT), 0);
		snprintf(name, sizeof(name), "/many/absent-%d", n);
		expect(try_open(name, O_RDONLY), -ENOENT);
	}
	/* Positions stay valid while names go. */
	struct names l = {.sink = {names_add}, .room = 100};
	struct file *f = directory("/many");
	unsigned n_listed = 0;
	do {
		l.taken = l.n = 0;
		expect(f->ops->list(f, &l.sink), 0);
		n_listed += l.taken;
		for (unsigned n = 0; n < l.n; n++) {
			snprintf(name, sizeof(name), "/many/%s", l.items[n]);
			if (l.items[n][0] != '.')
				expect(vfs_unlink(NULL, name), 0);
			free(l.items[n]);
		}
	} while (l.taken == l.room);
	expect(n_listed, 1502);
	file_put(f);
	expect(vfs_rmdir(NULL, "/many"), 0);
}

static void run(void *arg)
{
	(void)arg;
	vfs_start(NULL);
	make_and_remove();
	opens();
	path_files();
	links();
	hard_links();
	renames();
	working_directory();
	permissions();
	many_names();
}

int main(void)
{
	host_run(run, NULL);
	puts("ok");
	return 0;
}
