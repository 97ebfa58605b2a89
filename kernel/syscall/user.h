/* Arguments that are more than a number: paths, pieces of memory, times, sets of signals.  All may sleep. */
#pragma once

#include "abi/linux/stat.h"
#include "abi/linux/time.h"
#include "kernel/file/file.h"
#include "kernel/fs/vfs.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/syscall.h"

/* A path from the program.  Short ones live in the struct. */
struct user_path {
	char *text;
	char *large; /* heap, or NULL */
	char small[200];
};
/* -EFAULT, -ENAMETOOLONG, -ENOMEM: then nothing to put. */
int user_path_get(struct user_path *p, user_addr from) must_check;
void user_path_put(struct user_path *p);

/* The pair of directory and path that the ...at() calls take. */
struct place {
	struct user_path path;
	struct dentry *base; /* counted; NULL: the working directory, or the path starts with / */
	unsigned lookup;     /* LOOKUP_EMPTY, when at_flags allow an empty path and it is one */
};
/* at_flags: of those, AT_EMPTY_PATH counts.  -EBADF, -ENOTDIR and those of user_path_get(). */
int place_get(struct place *p, int dir, user_addr path, unsigned at_flags) must_check;
void place_put(struct place *p);
/* The directory even if the path starts with a slash: openat2(2). */
int place_base(struct place *p, int dir) must_check;
/* place_get, vfs_lookup, place_put; lookup: more LOOKUP_ flags. */
int place_lookup(int dir, user_addr path, unsigned at_flags, unsigned lookup,
	struct dentry **out) must_check;

/* An iovec: pieces of user memory, together at most TRANSFER_MAX bytes. */
#define TRANSFER_MAX 0x7ffff000ul
#define PIECES_MAX 1024u
struct user_pieces {
	struct io_piece *pieces;
	unsigned n;
	size_t bytes;
	struct io_piece small[8];
};
/* -EINVAL, -EFAULT, -ENOMEM. */
int user_pieces_get(struct user_pieces *p, user_addr iov, unsigned long n) must_check;
void user_pieces_put(struct user_pieces *p);

/* Times.  -EFAULT; -EINVAL when not in range. */
int user_timespec(user_addr from, uint64_t *ns) must_check;
int user_timeval(user_addr from, uint64_t *ns) must_check;
struct linux_timespec timespec_of(uint64_t ns);
struct linux_timeval timeval_of(uint64_t ns);
int timespec_to_ns(const struct linux_timespec *t, uint64_t *ns) must_check;
int timeval_to_ns(const struct linux_timeval *t, uint64_t *ns) must_check;
int user_put_timespec(user_addr to, uint64_t ns) must_check;

/* A time span from now as a deadline.  A call that is restarted after a signal keeps its first one; end it with
 * deadline_end(), which gives result back. */
uint64_t deadline_begin(uint64_t span_ns);
long deadline_end(long result);

/* sigset_t, whose size the program says: -EINVAL, -EFAULT. */
int user_sigset(user_addr from, size_t size, uint64_t *out) must_check;

/* Put a new file into the table, taking the reference over: the descriptor or -EMFILE. */
long install(struct file *f, unsigned open_flags) must_check;
/* Two at once, numbers to the program. */
long install_pair(struct file *a, struct file *b, unsigned open_flags, user_addr to) must_check;
