/*
 * /dev: a tmpfs filled with device nodes, and what opening a node of some number gives.
 */
#pragma once

#include "kernel/fs/inode.h"

extern const struct filesystem devfs_filesystem;
int devfs_make(struct super **out) must_check;

#define DEVICE_NUMBER(major, minor)                                                                \
	((uint64_t)(major) << 8 | (minor)) /* both below 256, as makedev(3) */

/* Files of single devices: reference 1. */
int console_open(uint32_t flags, struct file **out) must_check; /* console_file.c */
int block_file_open(
	struct inode *i, uint32_t flags, struct file **out) must_check; /* block_file.c */
