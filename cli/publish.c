/*
 * Parsing -p; finding out early that a port is taken: QEMU would say so in its own words; and room
 * for clients that come all at once.
 */
#include "cli/publish.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/text.h"

static int parse_port(const char *text, uint16_t *port)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || text[0] == '+' || !value || value > 65535)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

/* Splits "a:b:c" into up to three parts; the number of parts. */
static size_t split(char *text, char *parts[3])
{
	size_t n = 0;

	for (char *at = text; at && n < 3; n++) {
		parts[n] = at;
		at = strchr(at, ':');
		if (at)
			*at++ = 0;
		if (at && n == 2)
			return 4;
	}
	return n;
}

static int parse_into(char *text, struct publish *out)
{
	struct in_addr address;
	char *parts[3] = {0};
	char *slash = strchr(text, '/');

	out->protocol = "tcp";
	if (slash) {
		*slash = 0;
		if (strcmp(slash + 1, "udp") == 0)
			out->protocol = "udp";
		else if (strcmp(slash + 1, "tcp") != 0)
			return -EINVAL;
	}
	size_t n = split(text, parts);

	if (n != 2 && n != 3)
		return -EINVAL;
	const char *host = n == 3 ? parts[0] : "0.0.0.0";

	if (inet_pton(AF_INET, host, &address) != 1 || strlen(host) >= sizeof(out->address))
		return -EINVAL;
	strcpy(out->address, host);
	if (parse_port(parts[n - 2], &out->host_port) < 0)
		return -EINVAL;
	return parse_port(parts[n - 1], &out->guest_port);
}

int publish_parse(const char *spec, struct publish *out)
{
	char text[128];

	*out = (struct publish){0};
	if (strlen(spec) >= sizeof(text) || parse_into(strcpy(text, spec), out) < 0)
		return fail(EINVAL,
			"cannot publish %s: it is not [IP:]HOST:GUEST[/udp], "
			"for example 8080:80",
			spec);
	return 0;
}

int publish_anywhere(uint16_t guest_port, struct publish *out)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		err = fail(
			errno, "cannot find a free port for the health check: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	*out = (struct publish){"127.0.0.1", ntohs(at.sin_port), guest_port, "tcp"};
	return err;
}

int publish_check(const struct publish *p)
{
	bool is_tcp = strcmp(p->protocol, "tcp") == 0;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(p->host_port)};
	int fd = socket(AF_INET, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd < 0)
		return 0; /* whoever starts the machine will say it */
	inet_pton(AF_INET, p->address, &at.sin_addr);
	if (is_tcp) /* as QEMU does: connections that end do not hold the port */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	int err = bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;

	if (!err && is_tcp && listen(fd, 1) < 0)
		err = errno;
	close(fd);
	if (err == EADDRINUSE)
		return fail(err,
			"cannot publish port %u/%s: another program has it: choose another "
			"with -p, or find it with ss -ln",
			p->host_port, p->protocol);
	if (err)
		return fail(err, "cannot publish port %u/%s on %s: %s", p->host_port, p->protocol,
			p->address, strerror(err));
	return 0;
}

/* ---- Room for clients ---- */

#define BACKLOG 4096 /* Linux takes no more than net.core.somaxconn, by default this */

/* Listening once more on a listening socket changes its backlog and nothing else. */
static void widen_socket(int fd)
{
	int domain = 0, listens = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_INET)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
		(void)!listen(fd, BACKLOG);
}

static void widen_sockets(int process, DIR *descriptors)
{
	for (const struct dirent *e; (e = readdir(descriptors));) {
		char target[16] = "";

		if (readlinkat(dirfd(descriptors), e->d_name, target, sizeof(target) - 1) < 0 ||
			!string_starts(target, "socket:"))
			continue;
		int fd = (int)syscall(SYS_pidfd_getfd, process, atoi(e->d_name), 0);

		if (fd >= 0) {
			widen_socket(fd);
			close(fd);
		}
	}
}

void publish_widen(pid_t engine)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)engine);
	int process = (int)syscall(SYS_pidfd_open, engine, 0);
	DIR *descriptors = opendir(path);

	if (process >= 0 && descriptors)
		widen_sockets(process, descriptors);
	if (process >= 0)
		close(process);
	if (descriptors)
		closedir(descriptors);
}
