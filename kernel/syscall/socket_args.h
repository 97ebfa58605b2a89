/* What the socket calls share: descriptors that must be sockets, addresses from and to the program. */
#pragma once

#include "kernel/net/socket.h"
#include "kernel/syscall/user.h"

/* -EBADF, -ENOTSOCK. */
int socket_get(int fd, struct file **out) must_check;
/* -EINVAL: longer than any address; -EFAULT. */
int user_address(user_addr from, unsigned long len, struct socket_address *out) must_check;
/* to NULL: not wanted.  As much as fits, and the whole length. */
int user_put_address(const struct socket_address *a, user_addr to, user_addr len_at) must_check;
