/* Calls on a file that is already found; arguments as in the call, the descriptor's place unused. */
#pragma once

#include "kernel/file/file.h"
#include "kernel/syscall/syscall.h"

long fallocate_file(struct file *f, const struct syscall_args *args);
long fadvise_file(struct file *f, const struct syscall_args *args);
long sync_range_file(struct file *f, const struct syscall_args *args);
/* openat(2), openat2(2) as far as the file: not in the table yet.  *flags: those of the call. */
int open_file_at(
	int dir, user_addr path, unsigned flags, unsigned mode, struct file **out) must_check;
int open_file_at2(int dir, user_addr path, user_addr how, size_t size, unsigned *flags,
	struct file **out) must_check;
