/* What each IORING_OP_ is: how it is prepared, done, and what it waits for. */
#include "abi/linux/fcntl.h"
#include "kernel/syscall/uring/uring.h"

#define READS (POLLIN | POLLRDNORM | POLLRDHUP)
#define WRITES (POLLOUT | POLLWRNORM)

#define OP(name, prepare_, issue_, events_, flags_)                                                \
	[IORING_OP_##name] = {.prepare = prepare_,                                                 \
		.issue = issue_,                                                                   \
		.events = events_,                                                                 \
		.flags = (flags_) | OP_SUPPORTED}

const struct operation uring_operations[IORING_OP_LAST] = {
	OP(NOP, NULL, nop_issue, 0, 0),
	OP(READV, rw_vector_prepare, read_issue, READS, OP_FILE | OP_BUFFER_SELECT),
	OP(WRITEV, rw_vector_prepare, write_issue, WRITES, OP_FILE),
	OP(FSYNC, NULL, fsync_issue, 0, OP_FILE | OP_BLOCKS | OP_NO_PRIORITY),
	OP(READ_FIXED, rw_prepare, read_issue, READS, OP_FILE),
	OP(WRITE_FIXED, rw_prepare, write_issue, WRITES, OP_FILE),
	OP(POLL_ADD, poll_add_prepare, poll_add_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(POLL_REMOVE, poll_remove_prepare, poll_remove_issue, 0, OP_NO_PRIORITY),
	OP(SYNC_FILE_RANGE, plain_prepare, sync_range_issue, 0,
		OP_FILE | OP_BLOCKS | OP_NO_PRIORITY),
	OP(SENDMSG, message_prepare, sendmsg_issue, WRITES, OP_FILE),
	OP(RECVMSG, message_prepare, recvmsg_issue, READS, OP_FILE | OP_BUFFER_SELECT),
	[IORING_OP_TIMEOUT] = {timeout_prepare, timeout_issue, timeout_drop, 0,
		OP_NO_PRIORITY | OP_SUPPORTED},
	OP(TIMEOUT_REMOVE, timeout_remove_prepare, timeout_remove_issue, 0, OP_NO_PRIORITY),
	OP(ACCEPT, accept_prepare, accept_issue, READS, OP_FILE),
	OP(ASYNC_CANCEL, cancel_prepare, cancel_issue, 0, OP_NO_PRIORITY),
	OP(LINK_TIMEOUT, link_timeout_prepare, timeout_issue, 0, OP_NO_PRIORITY),
	OP(CONNECT, connect_prepare, connect_issue, WRITES, OP_FILE | OP_NO_PRIORITY),
	OP(FALLOCATE, NULL, fallocate_issue, 0, OP_FILE | OP_BLOCKS | OP_NO_PRIORITY),
	OP(OPENAT, openat_prepare, openat_issue, 0, OP_NO_PRIORITY),
	OP(CLOSE, close_prepare, close_issue, 0, OP_NO_PRIORITY),
	OP(FILES_UPDATE, NULL, files_update_issue, 0, OP_NO_PRIORITY),
	OP(STATX, path_prepare, statx_issue, 0, OP_NO_PRIORITY),
	OP(READ, rw_prepare, read_issue, READS, OP_FILE | OP_BUFFER_SELECT),
	OP(WRITE, rw_prepare, write_issue, WRITES, OP_FILE),
	OP(FADVISE, plain_prepare, fadvise_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(MADVISE, plain_prepare, madvise_issue, 0, OP_NO_PRIORITY),
	OP(SEND, send_prepare, send_issue, WRITES, OP_FILE),
	OP(RECV, send_prepare, recv_issue, READS, OP_FILE | OP_BUFFER_SELECT),
	OP(OPENAT2, openat2_prepare, openat2_issue, 0, OP_NO_PRIORITY),
	OP(EPOLL_CTL, epoll_ctl_prepare, epoll_ctl_issue, 0, OP_NO_PRIORITY),
	OP(SPLICE, NULL, splice_issue, 0, OP_FILE | OP_BLOCKS | OP_NO_PRIORITY),
	OP(PROVIDE_BUFFERS, buffers_prepare, buffers_provide_issue, 0, OP_NO_PRIORITY),
	OP(REMOVE_BUFFERS, buffers_prepare, buffers_remove_issue, 0, OP_NO_PRIORITY),
	OP(TEE, NULL, tee_issue, 0, OP_FILE | OP_BLOCKS | OP_NO_PRIORITY),
	OP(SHUTDOWN, NULL, shutdown_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(RENAMEAT, path_prepare, renameat_issue, 0, OP_NO_PRIORITY),
	OP(UNLINKAT, path_prepare, unlinkat_issue, 0, OP_NO_PRIORITY),
	OP(MKDIRAT, path_prepare, mkdirat_issue, 0, OP_NO_PRIORITY),
	OP(SYMLINKAT, path_prepare, symlinkat_issue, 0, OP_NO_PRIORITY),
	OP(LINKAT, path_prepare, linkat_issue, 0, OP_NO_PRIORITY),
	OP(MSG_RING, NULL, msg_ring_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(FSETXATTR, xattr_prepare, fsetxattr_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(SETXATTR, xattr_prepare, setxattr_issue, 0, OP_NO_PRIORITY),
	OP(FGETXATTR, xattr_prepare, fgetxattr_issue, 0, OP_FILE | OP_NO_PRIORITY),
	OP(GETXATTR, xattr_prepare, getxattr_issue, 0, OP_NO_PRIORITY),
	OP(SOCKET, socket_prepare, socket_issue, 0, OP_NO_PRIORITY),
	/* IORING_OP_URING_CMD: no driver of ours has commands. */
	OP(SEND_ZC, send_prepare, send_zc_issue, WRITES, OP_FILE),
	OP(SENDMSG_ZC, message_prepare, sendmsg_zc_issue, WRITES, OP_FILE),
};
