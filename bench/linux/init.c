/* PID 1 of the Linux reference guest: mounts, modules, one address, then
 * execve() of the program named in /app.args (one argument a line).
 * From the kernel command line: GIP=<IPv4 address of eth0, /24>,
 * GBLK=<block device holding ext4, mounted on /data>. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void interface_up(const char *name, const char *address, const char *mask)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r;
	struct sockaddr_in *a = (void *)&r.ifr_addr;

	memset(&r, 0, sizeof r);
	strcpy(r.ifr_name, name);
	a->sin_family = AF_INET;
	inet_aton(address, &a->sin_addr);
	if (ioctl(s, SIOCSIFADDR, &r))
		dprintf(1, "init: no interface %s\n", name);
	inet_aton(mask, &a->sin_addr);
	ioctl(s, SIOCSIFNETMASK, &r);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(s, SIOCSIFFLAGS, &r);
	close(s);
}

static void load_modules(void)
{
	FILE *f = fopen("/mods/list", "r");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		int d = open(line, O_RDONLY);
		if (d < 0 || syscall(SYS_finit_module, d, "", 0))
			dprintf(1, "init: cannot load %s\n", line);
		close(d);
	}
	fclose(f);
}

int main(void)
{
	static char text[4096];
	static char *const env[] = {"PATH=/bin:/usr/bin", "HOME=/", "LD_LIBRARY_PATH=/lib", 0};
	char *args[64];
	int n = 0;

	mount("proc", "/proc", "proc", 0, 0);
	mount("sysfs", "/sys", "sysfs", 0, 0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
	load_modules();

	int console = open("/dev/console", O_RDWR);
	if (console >= 0) {
		dup2(console, 0);
		dup2(console, 1);
		dup2(console, 2);
		if (console > 2)
			close(console);
	}
	interface_up("lo", "127.0.0.1", "255.0.0.0");
	if (getenv("GIP"))
		interface_up("eth0", getenv("GIP"), "255.255.255.0");
	if (getenv("GBLK")) {
		mkdir("/data", 0755);
		if (mount(getenv("GBLK"), "/data", "ext4", MS_NOATIME, 0))
			perror("init: mount /data");
	}

	int d = open("/app.args", O_RDONLY);
	if (d < 0 || read(d, text, sizeof text - 1) <= 0) {
		perror("init: /app.args");
		for (;;)
			pause();
	}
	close(d);
	/* An empty line is an empty argument. */
	for (char *p = text, *q; n < 63 && (q = strchr(p, '\n')); p = q + 1) {
		*q = 0;
		args[n++] = p;
	}
	args[n] = 0;
	execve(args[0], args, env);
	perror("init: exec");
	for (;;)
		pause();
}
