/*
 * Volumes: ext4 file systems in sparse files that outlive machines.  A volume NAME is the file
 * $XDG_DATA_HOME/mote/volumes/NAME.img; any ext4 image of this host can be one, too.
 *
 * Whoever uses an image holds a lock on the file itself (flock(2)): shared to read, exclusive to
 * write.  The kernel lets go of it whatever ends the process; QEMU's own locks are of another kind.
 */
#pragma once

#include "cli/text.h"

struct volume {
	char *name;       /* as it was given: for messages */
	char *file;       /* the image */
	char *disk;       /* what the kernel finds it by: "UUID=..." */
	char *mount_path; /* in the machine */
	bool read_only;
	int lock;
};

/* At most so many: what is left of microvm's transports. */
#define VOLUMES_MAX 4u

/* What -v asked for, each found, checked and locked.  Says what is wrong. */
int volumes_open(const struct string_list *specs, struct volume **out, size_t *n) must_check;
void volumes_free(struct volume *, size_t n);

/* Locks an image that a machine is to use; says who cannot have it. */
int image_lock(const char *file, bool writes, int *lock) must_check;

/* ---- Named ones ---- */

/* The file of the volume of that name, a new string; NULL: said why.  It need not be there. */
char *volume_file(const char *name);
/* The same of one that must be there. */
char *volume_find(const char *name);
/* Opened and locked, exclusively or to read; -EBUSY is said. */
int volume_lock(const char *name, const char *file, bool writes) must_check;

/* ---- The file system ---- */

struct volume_facts {
	char uuid[37];
	char label[17];
	unsigned long long size, used; /* bytes of the file system */
	unsigned long long on_host;    /* bytes its file takes */
	bool needs_recovery;           /* its journal will be replayed */
};

/* Reads and checks the superblock: no ext4, damaged, larger than its file.  Says what is wrong and who mends it. */
int volume_read_facts(const char *name, const char *file, struct volume_facts *) must_check;
/* A new file system of that size: from a folder or a tar archive, or empty (from NULL). */
int volume_make(
	const char *file, const char *label, unsigned long long size, const char *from) must_check;
/* Another UUID, for a copy. */
int volume_renew_uuid(const char *file) must_check;

/* Runs a tool of e2fsprogs with these words, quietly unless it fails; its exit status, or -Exxx that was said. */
int volume_run_tool(const char *tool, const char *const words[], bool quiet) must_check;

/* ---- Copies ---- */

/* What is in file `from` goes to `to` (both open), holes stay holes; shares blocks where the host can. */
int copy_sparse(int from, int to) must_check;
/* The blocks of `file` that differ from `base` go to `to`; and back: base and delta make `to` (both open). */
int delta_write(int base, int file, int to) must_check;
int delta_apply(int base, int delta, int to) must_check;
bool delta_is(int file);

/* Somebody has a lock on it: 'w' writes, 'r' reads, '-' nobody. */
char volume_use(const char *file);
/* Has the machines that use the image write back and halts them; and lets them go on.  Says why it can not: those that were
 * halted are in paused all the same. */
int volume_users_pause(const char *file, struct string_list *paused) must_check;
void volume_users_resume(struct string_list *paused);
