/* The console as a file.  The device is a driver's: kernel/main.c hands its functions down. */
#pragma once

#include "kernel/lib/base.h"
#include "kernel/sched/wait.h"

struct console_ops {
	size_t (*write)(const char *text, size_t len); /* what the device takes now; never sleeps */
	long (*read)(char *to,
		size_t size); /* at least one byte, else -EAGAIN; 0: the end; any context */
	bool (*has_input)(void);
	struct wait_queue *(*readable)(void); /* announces EPOLLIN */
};
/* Before vfs_mount_root().  as_terminal: isatty(3) is true of it (mote.tty=1); otherwise it looks like a
 * character device that is no terminal, and bytes pass unchanged. */
void console_file_set(const struct console_ops *ops);
void console_file_set_terminal(const struct console_ops *ops);
