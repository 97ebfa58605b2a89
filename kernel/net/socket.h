/*
 * The face of the network: sockets.  Addresses are raw Linux sockaddr bytes in kernel memory; each family
 * checks what it is given.  All functions may sleep; they honour O_NONBLOCK of the file and return
 * Linux's errors.
 */
#pragma once

#include "kernel/file/file.h"

#define SOCKADDR_MAX 128u

struct socket_address {
	uint32_t len;
	uint8_t bytes[SOCKADDR_MAX] aligned_to(8);
};

/* Before drivers are probed; then, with all interfaces there: addresses from ip= (NULL: DHCP on the first). */
void net_init(void);
int net_configure(const char *ip_option) must_check;

/* What AF_UNIX needs of the file system, handed down by kernel/main.c: vfs_bind_socket and vfs_find_socket. */
struct unix_names {
	int (*bind)(const char *path, uint32_t mode, void *object, void (*get)(void *),
		void (*put)(void *));
	int (*find)(const char *path, void **object);
};
void unix_set_names(const struct unix_names *names);
/* Ids of the calling thread for SO_PEERCRED and SCM_CREDENTIALS: pid, uid, gid. */
void unix_set_credentials(void (*current)(uint32_t ids[3]));

/* socket(2): type without SOCK_NONBLOCK/SOCK_CLOEXEC, which the caller turns into file flags. */
int socket_create(
	int family, int type, int protocol, uint32_t file_flags, struct file **out) must_check;
int socket_pair(
	int family, int type, int protocol, uint32_t file_flags, struct file *out[2]) must_check;
/* Of AF_NETLINK, and a message of n <= 64 bytes into one: lost when it is full.  mq_notify(2) tells threads that way. */
bool file_is_netlink(const struct file *f);
void netlink_post(struct file *f, const void *data, size_t n);
bool file_is_socket(const struct file *f); /* else callers return -ENOTSOCK */

int socket_bind(struct file *f, const struct socket_address *a) must_check;
int socket_listen(struct file *f, int backlog) must_check;
int socket_accept(struct file *f, uint32_t file_flags, struct file **out,
	struct socket_address *peer) must_check;
int socket_connect(struct file *f, const struct socket_address *a) must_check;
int socket_name(struct file *f, struct socket_address *out) must_check;
int socket_peer(struct file *f, struct socket_address *out) must_check;
int socket_shutdown(struct file *f, int how) must_check;

/* Options: value in kernel memory; get returns the length. */
int socket_set_option(
	struct file *f, int level, int name, const void *value, size_t len) must_check;
int socket_get_option(struct file *f, int level, int name, void *value, size_t size) must_check;

/* sendmsg(2), recvmsg(2).  Control data are raw Linux cmsg bytes in kernel memory, except SCM_RIGHTS, whose descriptors
 * travel as files: on send the caller has turned them into files (taken over on success), on receive it gets
 * files with a reference each to install. */
#define SOCKET_FILES_MAX 253u
struct socket_message {
	struct io_buffer *data;
	struct socket_address *address;   /* NULL: none wanted or given; len 0: none there */
	uint8_t *control;                 /* cmsgs without SCM_RIGHTS */
	size_t control_size, control_len; /* room, used */
	struct file **files;
	unsigned files_size, n_files;
	int flags;     /* MSG_ in */
	int out_flags; /* MSG_TRUNC, MSG_CTRUNC, MSG_EOR out */
	uint64_t deadline_ns;
};
long socket_send(struct file *f, struct socket_message *m) must_check;
long socket_receive(struct file *f, struct socket_message *m) must_check;

/* Pages straight from a page cache: sendfile(2).  n bytes of cache at offset; as socket_send. */
struct page_cache;
long socket_send_pages(
	struct file *f, struct page_cache *cache, uint64_t offset, size_t n, int flags) must_check;

/* Generated files of /proc/net: struct generated_file is kernel/fs's, so text only. */
struct text;
void net_show_tcp(struct text *t), net_show_tcp6(struct text *t), net_show_udp(struct text *t),
	net_show_udp6(struct text *t), net_show_unix(struct text *t);
void net_show_route(struct text *t), net_show_dev(struct text *t),
	net_show_if_inet6(struct text *t), net_show_ipv6_route(struct text *t);
void net_show_sockstat(struct text *t);
void net_show_snmp(struct text *t), net_show_netstat(struct text *t);
/* Number of hops to a name server for a generated /etc/resolv.conf: dotted addresses from ip= or DHCP; how many. */
unsigned net_name_servers(char servers[][48], unsigned n);
/* The program has ended and its sockets are closed: wait until what they hold has been sent, while there is progress. */
void net_finish(void);
const char *net_host_name(void); /* from ip= or DHCP; NULL */
