/*
 * What a descriptor refers to.  A struct file is an open file description (open(2)): shared by dup()ed
 * descriptors, counted, with a table of operations of its kind.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/lib/base.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/wait.h"

struct async;
struct file;
struct inode;
struct page;
struct page_cache;
struct linux_stat;

/*
 * Bytes to or from a transfer: a list of pieces of user memory, or one kernel buffer.  Moves forward as bytes
 * are copied, so a handler just copies until it is done.
 */
struct io_piece {
	user_addr base;
	size_t len;
};
struct io_buffer {
	const struct io_piece *pieces; /* NULL: kernel memory */
	unsigned n_pieces;
	size_t piece_offset; /* done of pieces[0] */
	uint8_t *kernel;
	size_t left; /* bytes not yet moved */
};
void io_buffer_kernel(struct io_buffer *b, void *memory, size_t n);
void io_buffer_user(struct io_buffer *b, const struct io_piece *pieces, unsigned n_pieces);
/* Move n <= left bytes; -EFAULT (then nothing counts as moved).  May sleep. */
int io_buffer_put(struct io_buffer *b, const void *from, size_t n) must_check; /* to the program */
int io_buffer_get(struct io_buffer *b, void *to, size_t n) must_check; /* from the program */
int io_buffer_clear(struct io_buffer *b, size_t n) must_check;         /* zeroes to the program */
/* The same, but when the program's memory ends midway, as far as it goes: bytes moved (> 0 unless n
 * is 0), -EFAULT. */
long io_buffer_put_some(struct io_buffer *b, const void *from, size_t n) must_check;
long io_buffer_get_some(struct io_buffer *b, void *to, size_t n) must_check;
long io_buffer_clear_some(struct io_buffer *b, size_t n) must_check;

/* Bytes in a page. */
struct page_piece {
	struct page *page;
	uint32_t offset, len;
};

struct directory_sink; /* kernel/fs/vfs.h */

/* All may sleep.  None holds a lock of this layer, except where said.  A NULL entry: see the right. */
struct file_ops {
	/* "socket", "pipe": a name of the form socket:[12]; anything else: anon_inode: and kind, as "[eventfd]". */
	const char *kind;
	/* At *offset, moving it; offset is NULL for kinds without position.  Bytes moved, 0 at end of file, -Exxx.
	 * Honours O_NONBLOCK in file->flags. */
	long (*read)(struct file *f, struct io_buffer *to, uint64_t *offset);    /* -EINVAL */
	long (*write)(struct file *f, struct io_buffer *from, uint64_t *offset); /* -EINVAL */
	/* Of splice(2) and sendfile(2).  page: what read(2) would give at offset, by reference (the caller's): bytes from there
	 * to the end of the page or the file, 0 at the end, -Exxx.  NULL: through read. */
	long (*page)(struct file *f, uint64_t offset, struct page **out);
	/* As write(2) of the pieces' bytes, keeping pages by references of its own instead of copying; flags: SPLICE_F_MORE.
	 * Bytes taken, from the first on, as write.  NULL: through write. */
	long (*write_pages)(
		struct file *f, const struct page_piece *pieces, unsigned n, unsigned flags);
	/* Current position rules for SEEK_DATA and such; NULL: -ESPIPE. */
	long (*seek)(struct file *f, int64_t offset, int whence);
	/* Events that hold now (EPOLLIN, ...).  Any context, never sleeps.  NULL: always readable and writable. */
	unsigned (*poll)(struct file *f);
	long (*ioctl)(struct file *f, unsigned request, unsigned long argument); /* -ENOTTY */
	int (*stat)(struct file *f, struct linux_stat *out); /* NULL: an anonymous inode */
	/* The pages behind it for mmap(2), with AREA_ flags and permissions already checked against the
	 * open mode; NULL: -ENODEV. */
	int (*map)(struct file *f, struct page_cache **out, uint64_t *id, uint64_t *device);
	/* The same for files whose mmap(2) offset chooses one of several windows: *offset becomes the one in the
	 * cache.  Instead of map. */
	int (*map_window)(
		struct file *f, uint64_t *offset, uint64_t length, struct page_cache **out);
	int (*sync)(struct file *f, bool data_only);    /* NULL: -EINVAL */
	int (*truncate)(struct file *f, uint64_t size); /* NULL: -EINVAL */
	int (*allocate)(struct file *f, int mode, uint64_t offset,
		uint64_t len); /* fallocate(2); NULL: -EOPNOTSUPP */
	/* With position_lock held: every entry from file->position on into sink until it is full; 0 or -Exxx.  NULL: -ENOTDIR. */
	int (*list)(struct file *f, struct directory_sink *sink);
	/* O_NONBLOCK, O_ASYNC changed by F_SETFL.  NULL: nothing to do. */
	void (*flags_changed)(struct file *f);
	/* A descriptor was closed (locks of POSIX, flush errors); NULL: 0. */
	int (*flush)(struct file *f);
	/* Last reference gone; frees what file->object holds. */
	void (*release)(struct file *f);
	/* A line or more for /proc/self/fdinfo; as snprintf.  NULL: none. */
	int (*describe)(struct file *f, char *buf, size_t size);
};

struct file {
	const struct file_ops *ops;
	atomic_uint references;
	_Atomic uint32_t flags;     /* O_ACCMODE and status flags as fcntl(2) F_GETFL shows */
	void *object;               /* the kind's own */
	struct wait_queue *ready;   /* announces what poll reports; NULL: never changes */
	struct inode *inode;        /* of files that have a name, else NULL */
	struct dentry *dentry;      /* likewise: the name it was opened by */
	struct mutex position_lock; /* serialises read/write/lseek that use position */
	uint64_t position;
	struct async *async;  /* async.c: O_ASYNC, F_SETOWN; NULL: never asked for */
	struct list watchers; /* epoll interest in this file: kernel/file/epoll.c */
	struct spinlock watchers_lock;
	uint32_t error_seen; /* kernel/fs: errors of write-back told so far */
	uint64_t read_ahead; /* kernel/fs: where sequential reading would go on */
};

/* A new file, reference 1. -ENFILE, -ENOMEM; object stays the caller's then. */
int file_new(
	const struct file_ops *ops, void *object, uint32_t flags, struct file **out) must_check;
static inline void file_get(struct file *f)
{
	atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);
}
void file_put(struct file *f);
/* The fs layer gives back inode and dentry of a released file: it sets this once. */
void file_set_name_dropper(void (*drop)(struct file *f));
/* Told of every transfer of at least a byte; set for good by the first who watches (inotify). */
void file_set_transfer_hook(void (*moved)(struct file *f, bool written));
/* /proc/self/io: since the program began; what disks did is kernel/fs's to fill in (file_set_disk_account). */
struct file_account {
	uint64_t reads, read_bytes, writes, written_bytes, disk_read_bytes, disk_written_bytes;
};
void file_account(struct file_account *out);
void file_set_disk_account(void (*sectors)(uint64_t *n_read, uint64_t *n_written));
/* For transfers that pass file_read() and file_write() by: sendfile(2), splice(2). */
void file_transferred(struct file *f, bool written);
/* st_ino for things without a file system: pipes, sockets, ... */
uint64_t file_anonymous_number(void);
#define FILE_ANONYMOUS_DEVICE 14u /* st_dev of those */
unsigned file_poll(struct file *f);
/* By open mode; O_PATH: neither. */
bool file_readable(const struct file *f);
bool file_writable(const struct file *f);
/* Whether an operation in this thread may wait for f. */
static inline bool file_nonblocking(const struct file *f)
{
	return (f->flags & 04000 /* O_NONBLOCK */) || thread_current()->no_wait;
}
/* With the right mode checks (-EBADF), position and locking; the body of read(2), pread(2) and kin.
 * at: NULL uses and moves the position. */
long file_read(struct file *f, struct io_buffer *to, const uint64_t *at) must_check;
long file_write(struct file *f, struct io_buffer *from, const uint64_t *at) must_check;
