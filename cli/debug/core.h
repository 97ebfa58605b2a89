/*
 * Core dumps: an ELF core file (System V ABI; the notes as Linux's fs/binfmt_elf.c lays them out) of
 * the program in a machine, read over the host channel while all threads stand.
 */
#pragma once

#include "cli/debug/target.h"

/* Writes path, replacing it when all is written.  cause: the signal that ends the program, NULL: it
 * lives on.  The threads must stand.  Says what failed. */
int core_write(struct target *, const char *path, const struct debug_event *cause) must_check;
