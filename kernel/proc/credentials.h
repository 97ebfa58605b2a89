/*
 * Ids and capabilities: credentials(7), capabilities(7).  They belong to the whole process; a C library that sets them
 * in every thread does the same thing several times over.
 */
#pragma once

#include "kernel/proc/process.h"

void credentials_init(void);

#define ID_KEEP 0xffffffffu
/* setresuid(2), setresgid(2); ID_KEEP leaves one as it is. -EPERM. */
int credentials_set_users(uint32_t real, uint32_t effective, uint32_t saved) must_check;
int credentials_set_groups_ids(uint32_t real, uint32_t effective, uint32_t saved) must_check;
/* setuid(2), setgid(2). */
int credentials_set_user(uint32_t id) must_check;
int credentials_set_group(uint32_t id) must_check;
/* setreuid(2), setregid(2). */
int credentials_set_user_pair(uint32_t real, uint32_t effective) must_check;
int credentials_set_group_pair(uint32_t real, uint32_t effective) must_check;
/* setfsuid(2), setfsgid(2): the old one. */
uint32_t credentials_set_fs_user(uint32_t id);
uint32_t credentials_set_fs_group(uint32_t id);
/* setgroups(2): n ids, n <= GROUPS_MAX.  -EPERM, -ENOMEM. */
int credentials_set_supplementary(const uint32_t *ids, unsigned n) must_check;
uint32_t credentials_set_umask(uint32_t mask); /* the old one */
/* capset(2).  -EPERM. */
int credentials_set_capabilities(
	uint64_t effective, uint64_t permitted, uint64_t inheritable) must_check;
/* prctl(2): PR_SET_SECUREBITS; PR_SET_KEEPCAPS, bit 0 or SECBIT_KEEP_CAPS; ambient capabilities, those to raise must be
 * permitted and inheritable; PR_CAPBSET_DROP.  -EPERM. */
int credentials_set_securebits(uint32_t bits) must_check;
int credentials_keep_capabilities(uint32_t bit) must_check;
int credentials_change_ambient(uint64_t clear, uint64_t set) must_check;
int credentials_drop_bounding(uint64_t bit) must_check;
/* The program is replaced: execve(2), capabilities(7). */
void credentials_follow_exec(void);
