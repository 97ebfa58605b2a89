/* IORING_SETUP_SQPOLL: a kernel thread that takes submissions as they appear. */
#pragma once

#include "kernel/syscall/uring/uring.h"

int sq_thread_start(struct uring *u, const struct linux_uring_params *p) must_check;
/* It has ended when this returns; nothing when there is none. */
void sq_thread_stop(struct uring *u);
/* io_uring_enter(2) of such a ring: wake it, wait for room; n, or an error. */
long sq_thread_enter(struct uring *u, unsigned n, unsigned flags) must_check;
