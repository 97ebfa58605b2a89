/*
 * Folders as Debian has them; /etc made here, not copied, wherever the host's own would carry
 * what is only true of the host (its users, its name service, its DNS server).
 */
#include "cli/system_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

#define ACCOUNTS_MAX (16u << 20)
#define FIRST_PERSON 1000 /* user ids below are the system's: login.defs(5) */
#define NOBODY 65534

static const struct {
	const char *path;
	uint32_t permissions;
} folders[] = {
	{"/dev", 0755},
	{"/etc", 0755},
	{"/proc", 0555},
	{"/root", 0700},
	{"/run", 0755},
	{"/run/lock", 01777},
	{"/sys", 0555},
	{"/tmp", 01777},
	{"/var", 0755},
	{"/var/tmp", 01777},
};

static const struct {
	const char *path, *target;
} links[] = {
	{"/var/run", "/run"},
	{"/var/lock", "/run/lock"},
	{"/etc/mtab", "../proc/self/mounts"},
};

static const struct {
	const char *path, *content;
} files[] = {
	/* QEMU's user network answers here; the kernel knows better servers from DHCP or ip=. */
	{"/etc/resolv.conf", "nameserver 10.0.2.3\n"},
	/* Of the host's services only those that need no daemon of the host. */
	{"/etc/nsswitch.conf",
		"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
		"protocols: files\nservices: files\nethers: files\nrpc: files\n"},
};

static const char *const copied[] = {"/etc/services", "/etc/protocols", "/etc/localtime"};

static void bring(struct manifest *m, struct source *s, const char *path)
{
	if (manifest_find(m, path))
		return;
	if (manifest_bring(m, s, path, NULL) < 0)
		note("leaving out %s: it is not on %s", path, s->name);
}

/* The lines of passwd(5) or group(5) that are the system's: no person of the host travels along. */
static void add_accounts(struct manifest *m, struct source *s, const char *path, const char *least)
{
	struct text kept = {0};
	struct string_list lines = {0};
	char *data = NULL;
	size_t len = 0;

	if (source_read_all(s, path, ACCOUNTS_MAX, &data, &len) >= 0)
		list_add_split(&lines, data, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		const char *id = strchr(lines.items[i], ':');

		id = id ? strchr(id + 1, ':') : NULL;
		if (!id || !isdigit((unsigned char)id[1]))
			continue;
		long number = strtol(id + 1, NULL, 10);

		if (number < FIRST_PERSON || number == NOBODY)
			text_format(&kept, "%s\n", lines.items[i]);
	}
	if (!kept.len)
		text_add(&kept, least);
	manifest_add_data(m, path, kept.data, kept.len);
	text_free(&kept);
	list_free(&lines);
	free(data);
}

static void add_time_zone(struct manifest *m, struct source *s, const char *zone)
{
	if (!zone || !zone[0])
		return;
	char *path = path_join("/usr/share/zoneinfo", zone + (zone[0] == ':'));

	if (path_is_under(path, "/usr/share/zoneinfo"))
		bring(m, s, path);
	free(path);
}

/* A program resolves its own host's name sooner or later: that must not ask the network. */
static void add_host_name(struct manifest *m, const char *name)
{
	char *hosts = string_format("127.0.0.1\tlocalhost %s\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n",
		name);
	char *line = string_format("%s\n", name);

	manifest_add_data(m, "/etc/hosts", hosts, strlen(hosts));
	manifest_add_data(m, "/etc/hostname", line, strlen(line));
	free(hosts);
	free(line);
}

/* What ncurses and readline must know of the usual terminals. */
static void add_terminals(struct manifest *m, struct source *s)
{
	static const char *const names[] = {"d/dumb", "l/linux", "s/screen", "s/screen-256color",
		"t/tmux-256color", "v/vt100", "x/xterm", "x/xterm-256color"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_join("/lib/terminfo", names[i]);

		bring(m, s, path);
		free(path);
	}
}

/* OpenSSL's configuration and the one bundle that everybody reads. */
static void add_certificates(struct manifest *m, struct source *s)
{
	static const char *const paths[] = {"/etc/ssl/certs/ca-certificates.crt",
		"/etc/ssl/openssl.cnf", "/usr/lib/ssl/cert.pem", "/usr/lib/ssl/openssl.cnf",
		"/usr/lib/ssl/certs", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		bring(m, s, paths[i]);
}

/* What glibc loads by name: libgcc_s to unwind a cancelled thread, name services before 2.34. */
static void add_c_library_helpers(struct manifest *m, const struct closure *c)
{
	static const char *const helpers[] = {
		"libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"};
	char *folder = path_folder(c->c_library);
	struct source_stat st;
	char *unwinder = path_join(folder, "libgcc_s.so.1");

	if (c->unwinds)
		bring(m, c->source, unwinder);
	/* Since 2.34 these are in libc.so.6 and the files only satisfy old programs' links. */
	char *first = path_join(folder, helpers[0]);
	bool separate = source_stat(c->source, first, &st) >= 0 && st.size > 20000;

	for (size_t i = 0; separate && i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		char *path = path_join(folder, helpers[i]);

		bring(m, c->source, path);
		free(path);
	}
	free(first);
	free(unwinder);
	free(folder);
}

void system_files_add(struct manifest *m, struct source *from, const struct closure *c,
	const char *time_zone, const char *host_name)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		manifest_add_folder(m, folders[i].path, folders[i].permissions);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		manifest_add_link(m, links[i].path, links[i].target);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		manifest_add_data(m, files[i].path, files[i].content, strlen(files[i].content));
	add_host_name(m, host_name);
	add_accounts(m, from, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	add_accounts(m, from, "/etc/group", "root:x:0:\n");
	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		bring(m, from, copied[i]);
	add_time_zone(m, from, time_zone);
	if (c->c_library)
		add_c_library_helpers(m, c);
	if (map_has(&c->names, "libtinfo.so.6"))
		add_terminals(m, from);
	if (c->uses_certificates)
		add_certificates(m, from);
	if (c->cache_needed)
		bring(m, c->source, "/etc/ld.so.cache");
}
