/* Between socket.c and message.c: descriptors that are sockets, and addresses from and to the program. */
#pragma once

#include "kernel/net/socket.h"
#include "kernel/syscall/user.h"

/* Counted; -EBADF, -ENOTSOCK. */
int fd_get_socket(int fd, struct file **out) must_check;
/* -EINVAL: no such length; -EFAULT. */
int user_address_get(struct socket_address *a, user_addr from, int len) must_check;
/* As much as the length at len_at allows; the whole length is told there. */
int user_address_put(const struct socket_address *a, user_addr to, user_addr len_at) must_check;
