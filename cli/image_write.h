/* Writes a manifest as an ext4 file system (abi/image.h): the same manifest gives the same bytes. */
#pragma once

#include <stdint.h>

#include "cli/manifest.h"

/*
 * path is an existing empty file that becomes the image (/proc/self/fd/N will do), name what it is
 * called in messages.  The file system is as small as its content allows, or min_bytes large.  Says
 * what failed.
 */
int image_write(
	const struct manifest *, const char *path, const char *name, uint64_t min_bytes) must_check;

/* The same into a new file that appears under its name only when it is complete; replaces what
 * was there. */
int image_write_file(const struct manifest *, const char *path, uint64_t min_bytes) must_check;
