/* Pseudo-terminals as files, and the directory of their slaves. */
#pragma once

#include "kernel/fs/inode.h"

#define PTS_MAJOR 136u
#define PTY_CONTROLLING (~0u) /* /dev/tty */

extern const struct filesystem devpts_filesystem;
int devpts_make(struct super **out) must_check;
/* Reference 1.  -ENOSPC: too many. */
int ptmx_open(uint32_t flags, struct file **out) must_check;
/* -ENXIO: not there; -EIO: locked, or its master is closed. */
int pty_open(unsigned number, uint32_t flags, struct file **out) must_check;
