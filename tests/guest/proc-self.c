/* /proc/self: exe, cmdline, environ, comm, cwd, fd, task, and their forms by number. */
/* test: args='one "two words" ""' env='MARK=in environ' */
#include "lib/check.h"
#include <dirent.h>

static void show_zeros(const char *path)
{
	char buf[4096];
	int fd = must(open(path, O_RDONLY));
	ssize_t n = must(read(fd, buf, sizeof(buf)));
	char *p = memchr(buf, 0, n); /* past the program's own path */
	printf("%s:", path);
	for (p++; p < buf + n; p += strlen(p) + 1)
		printf(" [%s]", p);
	puts("");
	close(fd);
}

static int entries(const char *path)
{
	int n = 0;
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

static void *thread(void *unused)
{
	char path[64];
	sprintf(path, "/proc/self/task/%d/comm", gettid());
	printf("%d tasks, own comm: %s\n", entries("/proc/self/task"),
		access(path, R_OK) == 0 ? "there" : "absent");
	return NULL;
}

int main(int argc, char **argv)
{
	char buf[4096] = "", path[128];
	ssize_t n = must(readlink("/proc/self/exe", buf, sizeof(buf) - 1));
	is(n > 0 && buf[0] == '/' && !strcmp(strrchr(buf, '/'), "/proc-self"));
	is(open("/proc/self/exe", O_RDONLY) >= 0);
	show_zeros("/proc/self/cmdline");
	FILE *f = fopen("/proc/self/environ", "r");
	n = fread(buf, 1, sizeof(buf), f);
	is(memmem(buf, n, "MARK=in environ", 16) != NULL);
	show_file("/proc/self/comm");
	must(chdir("/proc"));
	memset(buf, 0, sizeof(buf));
	must(readlink("/proc/self/cwd", buf, sizeof(buf)));
	puts(buf);
	int fd = must(open("/dev/null", O_RDONLY));
	sprintf(path, "/proc/self/fd/%d", fd);
	memset(buf, 0, sizeof(buf));
	must(readlink(path, buf, sizeof(buf)));
	puts(buf);
	is(open(path, O_RDONLY) > fd);
	int p[2];
	must(pipe(p));
	sprintf(path, "/proc/self/fd/%d", p[1]);
	must(readlink(path, buf, sizeof(buf)));
	is(!strncmp(buf, "pipe:[", 6));
	memset(buf, 0, sizeof(buf));
	must(readlink("/proc/self", buf, sizeof(buf)));
	is(atoi(buf) == getpid());
	sprintf(path, "/proc/%d/stat", getpid());
	is(access(path, R_OK) == 0);
	show(entries("/proc/self/task"));
	pthread_join(start(thread, NULL), NULL);
	is(access("/proc/thread-self", F_OK) == 0 || errno == ENOENT);
	show(open("/proc/self/fd/77", O_RDONLY));
	show(open("/proc/999999999/stat", O_RDONLY));
	show(open("/proc/absent", O_RDONLY));
	show(mkdir("/proc/x", 0700));
	is(entries("/proc/self/fd") >= 5);
	return 0;
}
