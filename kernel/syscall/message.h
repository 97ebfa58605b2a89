/* A message of sendmsg(2) or recvmsg(2) in two steps: what describes it is fetched, and later it moves. */
#pragma once

#include "abi/linux/socket.h"
#include "kernel/net/socket.h"
#include "kernel/syscall/user.h"

struct message_copy {
	struct linux_msghdr header;
	struct socket_address address; /* to send to */
	size_t bytes;
	unsigned n_pieces;
	struct io_piece pieces[];
};
/* On the heap.  -EFAULT, -EMSGSIZE, -EINVAL, -ENOMEM. */
int message_fetch(user_addr message_at, bool sending, struct message_copy **out) must_check;
/* Control data are read and written where the header says, when it moves. */
long message_send(struct file *f, const struct message_copy *m, int flags) must_check;
/* What the program is told of it goes to message_at. */
long message_receive(
	struct file *f, const struct message_copy *m, user_addr message_at, int flags) must_check;
