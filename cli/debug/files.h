/*
 * gdb's host I/O packets (vFile): it reads the machine's files as the program sees them, /proc/self
 * among them (info proc mappings), and libraries that only the image has.
 */
#pragma once

#include "cli/debug/packet.h"
#include "cli/debug/target.h"

#define STUB_FILES_MAX 16

struct stub_files {
	char *paths[STUB_FILES_MAX]; /* by descriptor; NULL: not open */
};

/* One command behind "vFile:", answered. */
void stub_file(struct stub_files *, struct target *, struct packet_stream *, const char *command,
	size_t len);
void stub_files_close(struct stub_files *);
