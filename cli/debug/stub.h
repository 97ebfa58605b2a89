/*
 * gdb's remote serial protocol (GDB manual, appendix E) for the program in a machine: what gdb asks
 * over a socket becomes requests of target.h.  All-stop: when one thread stops, all stand.
 */
#pragma once

#include "cli/debug/target.h"

struct stub;

/* Listens on a Unix socket at path or, when address is not NULL, on ADDRESS:PORT. Reported. */
int stub_open(struct target *, const char *path, const char *address, unsigned port,
	struct stub **out) must_check;
void stub_close(struct stub *);

/* What to poll for reading; it changes when gdb connects and leaves. */
int stub_fd(const struct stub *);
/* It is readable. */
void stub_read(struct stub *);
/* A frame for debugging was taken by target_frame(): tells gdb what has to be told. */
void stub_look(struct stub *);
/* gdb has killed or left the program. */
bool stub_has_left(const struct stub *);
/* The program has ended: exited with status, or by signal if it is not 0. */
void stub_tell_end(struct stub *, int status, int signal);
