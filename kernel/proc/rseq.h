/* rseq(2): the program's own word on which CPU it runs, and sequences that begin again when they are disturbed. */
#pragma once

#include "kernel/proc/process.h"

#define RSEQ_FLAG_UNREGISTER 1u

/* For the current thread.  -EINVAL, -EBUSY, -EPERM, -EFAULT. */
int rseq_register(user_addr area, uint32_t size, unsigned flags, uint32_t signature) must_check;
/* The thread was disturbed where f stands: tell the CPU, leave a sequence for its abort handler.  A bad area is
 * SIGSEGV. */
void rseq_disturbed(struct trap_frame *f);
