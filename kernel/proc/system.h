/* The machine's name and its load: uname(2), sysinfo(2), /proc. */
#pragma once

#include "kernel/lib/base.h"

/* What programs compare with Linux releases; they get the system calls of that age. */
#define SYSTEM_RELEASE "6.1.0-mote"
#define SYSTEM_VERSION "#1 SMP mote"
#define SYSTEM_NAME_MAX 64u

void system_host_name(char name[SYSTEM_NAME_MAX + 1]);
/* -EINVAL: longer than SYSTEM_NAME_MAX. */
int system_set_host_name(const char *name, size_t len) must_check;
void system_domain_name(char name[SYSTEM_NAME_MAX + 1]);
int system_set_domain_name(const char *name, size_t len) must_check;

/* Runnable threads averaged over 1, 5 and 15 minutes, in 1/65536. */
void system_load(uint64_t load[3]);
