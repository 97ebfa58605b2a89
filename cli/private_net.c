/* Networks by folder; who has which address stands in the instances' states. */
#include "cli/private_net.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/folders.h"
#include "cli/instance_view.h"
#include "cli/memory.h"
#include "cli/private_switch.h"
#include "cli/table.h"

#define ADDRESS_BASE 0x0a004000u /* 10.0.64.0 */
#define GATEWAY_BASE 0x0a008000u
#define FORWARDER_BASE 0x0a00c000u
#define N_ADDRESSES 0x3f00u

/* ---- Folders ---- */

static char *network_path(const char *name)
{
	char *all = folder_data("networks");
	char *path = all ? path_join(all, name) : NULL;

	free(all);
	return path;
}

static int open_network(const char *name, bool make)
{
	char *path = network_path(name);

	if (path && make && mkdir(path, 0700) < 0 && errno != EEXIST) {
		free(path);
		path = NULL;
	}
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(path);
	if (fd < 0 && !make && errno == ENOENT)
		return fail(ENOENT, "no network is called %s: see mote network ls", name);
	if (fd < 0)
		return fail(errno, "cannot open the network %s: %s", name, strerror(errno));
	return fd;
}

static int lock_network(int folder)
{
	int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && file_lock(fd, true) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return fail(errno, "cannot lock the network: %s", strerror(errno));
}

/* ---- Addresses ---- */

static char *address_text(uint32_t base, unsigned n)
{
	struct in_addr a = {htonl(base + n)};

	return memory_string(inet_ntoa(a));
}

/* The number of its address there; 0 = it has none. */
static unsigned number_of(const struct instance_view *v, const char *network)
{
	struct in_addr a;

	if (strcmp(view_string(v->config, "network"), network) != 0 ||
		inet_pton(AF_INET, view_string(v->state, "address"), &a) != 1)
		return 0;
	uint32_t n = ntohl(a.s_addr) - ADDRESS_BASE;

	return n < N_ADDRESSES ? n : 0;
}

/* The one it had, else the first that nobody has; 0: all are taken. */
static unsigned choose_number(const char *network, const char *instance)
{
	const struct string_list none = {0};
	struct instance_view *v = NULL;
	unsigned char *taken = memory_new(N_ADDRESSES, 1);
	unsigned own = 0, n = 1;
	size_t n_views = 0;

	if (instance_views(&none, VIEW_ALIVE | VIEW_ENDED, &v, &n_views) < 0)
		n = N_ADDRESSES;
	for (size_t i = 0; i < n_views; i++) {
		if (strcmp(v[i].instance.name, instance) == 0)
			own = number_of(&v[i], network);
		else
			taken[number_of(&v[i], network)] = 1;
	}
	instance_views_free(v, n_views);
	while (n < N_ADDRESSES && taken[n])
		n++;
	if (own && !taken[own])
		n = own;
	free(taken);
	return n < N_ADDRESSES ? n : 0;
}

uint32_t private_net_find(const char *network, const char *name)
{
	struct instance_view v = {.instance = INSTANCE_NONE};
	struct in_addr a = {0};

	if (!options_is_name(name) || !instance_exists(name) || instance_view_open(name, &v) < 0)
		return 0;
	if (v.is_alive && number_of(&v, network))
		inet_pton(AF_INET, view_string(v.state, "address"), &a);
	instance_view_close(&v);
	return a.s_addr;
}

/* ---- Joining ---- */

static int give_address(const char *network, struct machine *m, struct instance *i)
{
	unsigned n = choose_number(network, i->name);

	if (!n)
		return fail(ENOSPC, "cannot join %s: all its addresses are taken", network);
	m->address = address_text(ADDRESS_BASE, n);
	m->private_gateway = address_text(GATEWAY_BASE, n);
	m->private_dns = address_text(FORWARDER_BASE, n);
	snprintf(m->mac, sizeof(m->mac), "02:6d:6f:00:%02x:%02x", n >> 8 & 0xff, n & 0xff);
	json_t *state = instance_state(i);

	if (!state)
		state = json_object();
	json_object_set_new(state, "status", json_string("starting"));
	json_object_set_new(state, "address", json_string(m->address));
	int err = instance_write_state(i, state);

	json_decref(state);
	return err;
}

static bool switch_lives(int folder)
{
	int fd = openat(folder, "switch.lock", O_RDWR | O_CLOEXEC);
	bool lives = fd >= 0 && file_is_locked(fd);

	if (fd >= 0)
		close(fd);
	return lives;
}

int private_net_keep(int folder, const char *name)
{
	if (switch_lives(folder))
		return 0;
	int lock = lock_network(folder);

	if (lock < 0)
		return lock;
	int err = switch_lives(folder) ? 0 : private_switch_start(folder, name);

	close(lock);
	return err;
}

int private_net_join(const char *name, struct machine *m, struct instance *i)
{
	int folder = open_network(name, true);

	if (folder < 0)
		return folder;
	int lock = lock_network(folder), err = lock;

	m->network_folder = folder;
	if (lock >= 0) {
		err = give_address(name, m, i);
		if (err >= 0 && !switch_lives(folder))
			err = private_switch_start(folder, name);
		close(lock);
	}
	return err;
}

/* ---- mote network ---- */

static unsigned count_members(const char *network, unsigned which)
{
	const struct string_list none = {0};
	struct instance_view *v = NULL;
	size_t n_views = 0;
	unsigned n = 0;

	if (instance_views(&none, which, &v, &n_views) < 0)
		return 0;
	for (size_t i = 0; i < n_views; i++)
		n += strcmp(view_string(v[i].config, "network"), network) == 0;
	instance_views_free(v, n_views);
	return n;
}

static int remove_network(const char *name)
{
	int folder = open_network(name, false), all = -1;

	if (folder < 0)
		return folder;
	int lock = lock_network(folder), err = lock;
	unsigned n = count_members(name, VIEW_ALIVE);
	char *path = folder_data("networks");

	if (path)
		all = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock >= 0 && n)
		err = fail(EBUSY,
			"cannot remove the network %s: %u instance%s in it: stop %s first", name, n,
			n == 1 ? " is" : "s are", n == 1 ? "it" : "them");
	else if (lock >= 0 && all >= 0)
		file_remove_tree(all, name); /* a switch that still lives notices, and ends */
	if (all >= 0)
		close(all);
	if (lock >= 0)
		close(lock);
	close(folder);
	free(path);
	return err < 0 ? err : 0;
}

static int list_networks(const struct options *o)
{
	static const char *const titles[] = {"NAME", "MEMBERS", "SWITCH"};
	char *path = folder_data("networks");
	DIR *d = path ? opendir(path) : NULL;
	json_t *list = json_array();
	struct table t;

	table_open(&t, titles, sizeof(titles) / sizeof(titles[0]));
	for (const struct dirent *e; d && (e = readdir(d));) {
		int folder = options_is_name(e->d_name) ? open_network(e->d_name, false) : -1;

		if (folder < 0)
			continue;
		unsigned n = count_members(e->d_name, VIEW_ALIVE | VIEW_ENDED);
		bool lives = switch_lives(folder);

		table_add(&t, e->d_name);
		table_add_number(&t, n);
		table_add(&t, lives ? "running" : "-");
		json_array_append_new(list, json_pack("{s:s, s:i, s:b}", "name", e->d_name,
						    "members", n, "running", lives));
		close(folder);
	}
	if (d)
		closedir(d);
	free(path);
	if (o->json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
		list_free(&t.cells);
	} else {
		table_print(&t);
	}
	json_decref(list);
	return 0;
}

static int create_network(const char *name)
{
	if (!options_is_name(name))
		return fail(
			EINVAL, "cannot use the name %s: letters, digits, '-', '_' and '.'", name);
	int fd = open_network(name, true);

	if (fd < 0)
		return fd;
	close(fd);
	puts(name);
	return 0;
}

int command_network(const struct options *o)
{
	const char *what = o->arguments.items[0];
	int err = 0;

	if (strcmp(what, "ls") == 0)
		return list_networks(o) < 0 ? EXIT_MOTE_FAILED : 0;
	bool creates = strcmp(what, "create") == 0;

	if ((!creates && strcmp(what, "rm") != 0) || o->arguments.n < 2) {
		fail(EINVAL, "mote network takes other words: see mote network --help");
		return EXIT_MOTE_FAILED;
	}
	for (size_t i = 1; i < o->arguments.n; i++) {
		const char *name = o->arguments.items[i];
		int one = creates ? create_network(name) : remove_network(name);

		err = one < 0 ? one : err;
	}
	return err < 0 ? EXIT_MOTE_FAILED : 0;
}
