/*
 * The console: where the program's standard streams and the kernel's reports go.  One device is
 * chosen by console= (ttyS0: 16550, hvc0: virtio-console); bytes go out unchanged.
 */
#pragma once

#include "kernel/lib/base.h"
#include "kernel/sched/wait.h"

/* The kernel's own text, all of it; polls, never sleeps, any context.  A device that takes nothing
 * for two seconds loses it. */
void console_write(const char *text, size_t len);
/* As much as the device takes now, perhaps nothing: whoever writes for the program waits, and loses
 * nothing.  Never sleeps. */
size_t console_write_some(const char *text, size_t len);
/* Bytes that have arrived, at least one, else -EAGAIN; 0: there will be no more.  Any context. */
long console_read(char *to, size_t size) must_check;
/* Announces EPOLLIN. */
struct wait_queue *console_readable(void);
bool console_has_input(void);
/* Input is framed as abi/boot.h says under BOOT_CONTROL; signals asked for go to signal(), any
 * context.  Before console_init(). */
void console_set_control(void (*signal)(int signal));
/* name of console=, NULL: the first there is; "none": silence. */
void console_init(const char *name);
