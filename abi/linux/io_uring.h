/* io_uring(7) as a Linux 6.1 binary sees it: rings, submissions, completions, operations, flags. */
#pragma once

#include <stdint.h>

struct linux_sqe {
	uint8_t opcode, flags;
	uint16_t ioprio;
	int32_t fd;
	union {
		uint64_t off, addr2;
	};
	uint64_t addr; /* or splice_off_in */
	uint32_t len;
	uint32_t op_flags; /* rw_flags, poll32_events, msg_flags, ... */
	uint64_t user_data;
	uint16_t buf_index; /* or buf_group */
	uint16_t personality;
	union {
		int32_t splice_fd_in;
		uint32_t file_index;
		struct {
			uint16_t addr_len, pad;
		};
	};
	uint64_t addr3, pad2;
};
_Static_assert(sizeof(struct linux_sqe) == 64, "struct io_uring_sqe");

struct linux_cqe {
	uint64_t user_data;
	int32_t res;
	uint32_t flags;
	uint64_t extra[2]; /* only with IORING_SETUP_CQE32 */
};
#define CQE_SIZE 16u

/* sqe.flags */
#define IOSQE_FIXED_FILE 1u
#define IOSQE_IO_DRAIN 2u
#define IOSQE_IO_LINK 4u
#define IOSQE_IO_HARDLINK 8u
#define IOSQE_ASYNC 16u
#define IOSQE_BUFFER_SELECT 32u
#define IOSQE_CQE_SKIP_SUCCESS 64u
#define IOSQE_ALL 127u

/* cqe.flags */
#define IORING_CQE_F_BUFFER 1u
#define IORING_CQE_F_MORE 2u
#define IORING_CQE_F_SOCK_NONEMPTY 4u
#define IORING_CQE_F_NOTIF 8u
#define IORING_CQE_BUFFER_SHIFT 16

#define IORING_SETUP_IOPOLL 1u
#define IORING_SETUP_SQPOLL 2u
#define IORING_SETUP_SQ_AFF 4u
#define IORING_SETUP_CQSIZE 8u
#define IORING_SETUP_CLAMP 16u
#define IORING_SETUP_ATTACH_WQ 32u
#define IORING_SETUP_R_DISABLED 64u
#define IORING_SETUP_SUBMIT_ALL 128u
#define IORING_SETUP_COOP_TASKRUN 256u
#define IORING_SETUP_TASKRUN_FLAG 512u
#define IORING_SETUP_SQE128 1024u
#define IORING_SETUP_CQE32 2048u
#define IORING_SETUP_SINGLE_ISSUER 4096u
#define IORING_SETUP_DEFER_TASKRUN 8192u
#define IORING_SETUP_ALL 0x3fffu

#define IORING_FEAT_SINGLE_MMAP 1u
#define IORING_FEAT_NODROP 2u
#define IORING_FEAT_SUBMIT_STABLE 4u
#define IORING_FEAT_RW_CUR_POS 8u
#define IORING_FEAT_CUR_PERSONALITY 16u
#define IORING_FEAT_FAST_POLL 32u
#define IORING_FEAT_POLL_32BITS 64u
#define IORING_FEAT_SQPOLL_NONFIXED 128u
#define IORING_FEAT_EXT_ARG 256u
#define IORING_FEAT_NATIVE_WORKERS 512u
#define IORING_FEAT_RSRC_TAGS 1024u
#define IORING_FEAT_CQE_SKIP 2048u
#define IORING_FEAT_LINKED_FILE 4096u

#define IORING_OFF_CQ_RING 0x8000000ul
#define IORING_OFF_SQES 0x10000000ul

#define IORING_SQ_NEED_WAKEUP 1u
#define IORING_SQ_CQ_OVERFLOW 2u
#define IORING_SQ_TASKRUN 4u
#define IORING_CQ_EVENTFD_DISABLED 1u

#define IORING_ENTER_GETEVENTS 1u
#define IORING_ENTER_SQ_WAKEUP 2u
#define IORING_ENTER_SQ_WAIT 4u
#define IORING_ENTER_EXT_ARG 8u
#define IORING_ENTER_REGISTERED_RING 16u

struct linux_sq_offsets {
	uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, pad;
	uint64_t pad2;
};

struct linux_cq_offsets {
	uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, pad;
	uint64_t pad2;
};

struct linux_uring_params {
	uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
	uint32_t pad[3];
	struct linux_sq_offsets sq_off;
	struct linux_cq_offsets cq_off;
};
_Static_assert(sizeof(struct linux_uring_params) == 120, "struct io_uring_params");

struct linux_getevents_arg {
	uint64_t sigmask;
	uint32_t sigmask_size, pad;
	uint64_t ts;
};

/* io_uring_register(2) */
#define IORING_REGISTER_BUFFERS 0u
#define IORING_UNREGISTER_BUFFERS 1u
#define IORING_REGISTER_FILES 2u
#define IORING_UNREGISTER_FILES 3u
#define IORING_REGISTER_EVENTFD 4u
#define IORING_UNREGISTER_EVENTFD 5u
#define IORING_REGISTER_FILES_UPDATE 6u
#define IORING_REGISTER_EVENTFD_ASYNC 7u
#define IORING_REGISTER_PROBE 8u
#define IORING_REGISTER_PERSONALITY 9u
#define IORING_UNREGISTER_PERSONALITY 10u
#define IORING_REGISTER_RESTRICTIONS 11u
#define IORING_REGISTER_ENABLE_RINGS 12u
#define IORING_REGISTER_FILES2 13u
#define IORING_REGISTER_FILES_UPDATE2 14u
#define IORING_REGISTER_BUFFERS2 15u
#define IORING_REGISTER_BUFFERS_UPDATE 16u
#define IORING_REGISTER_IOWQ_AFF 17u
#define IORING_UNREGISTER_IOWQ_AFF 18u
#define IORING_REGISTER_IOWQ_MAX_WORKERS 19u
#define IORING_REGISTER_RING_FDS 20u
#define IORING_UNREGISTER_RING_FDS 21u
#define IORING_REGISTER_PBUF_RING 22u
#define IORING_UNREGISTER_PBUF_RING 23u
#define IORING_REGISTER_SYNC_CANCEL 24u
#define IORING_REGISTER_FILE_ALLOC_RANGE 25u
#define IORING_REGISTER_LAST 26u

#define IORING_RSRC_REGISTER_SPARSE 1u
#define IORING_REGISTER_FILES_SKIP (-2)
#define IORING_FILE_INDEX_ALLOC (~0u)

struct linux_rsrc_register {
	uint32_t nr, flags;
	uint64_t resv2, data, tags;
};

struct linux_rsrc_update {
	uint32_t offset, resv;
	uint64_t data;
};

struct linux_rsrc_update2 {
	uint32_t offset, resv;
	uint64_t data, tags;
	uint32_t nr, resv2;
};

struct linux_probe_op {
	uint8_t op, resv;
	uint16_t flags;
	uint32_t resv2;
};
#define IO_URING_OP_SUPPORTED 1u

struct linux_probe {
	uint8_t last_op, ops_len;
	uint16_t resv;
	uint32_t resv2[3];
};

struct linux_restriction {
	uint16_t opcode;
	uint8_t what, resv; /* register opcode, sqe opcode or flags */
	uint32_t resv2[3];
};
enum {
	IORING_RESTRICTION_REGISTER_OP,
	IORING_RESTRICTION_SQE_OP,
	IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
	IORING_RESTRICTION_SQE_FLAGS_REQUIRED,
};

struct linux_buf_ring_entry {
	uint64_t addr;
	uint32_t len;
	uint16_t bid, tail; /* tail: of the ring, in entry 0 */
};

struct linux_buf_reg {
	uint64_t ring_addr;
	uint32_t ring_entries;
	uint16_t bgid, flags;
	uint64_t resv[3];
};

struct linux_sync_cancel {
	uint64_t addr;
	int32_t fd;
	uint32_t flags;
	int64_t tv_sec, tv_nsec;
	uint64_t pad[4];
};

struct linux_file_range {
	uint32_t off, len;
	uint64_t resv;
};

struct linux_recvmsg_out {
	uint32_t namelen, controllen, payloadlen, flags;
};

#define IORING_FSYNC_DATASYNC 1u
#define IORING_POLL_ADD_MULTI 1u
#define IORING_POLL_UPDATE_EVENTS 2u
#define IORING_POLL_UPDATE_USER_DATA 4u
#define IORING_POLL_ADD_LEVEL 8u
#define IORING_TIMEOUT_ABS 1u
#define IORING_TIMEOUT_UPDATE 2u
#define IORING_TIMEOUT_BOOTTIME 4u
#define IORING_TIMEOUT_REALTIME 8u
#define IORING_LINK_TIMEOUT_UPDATE 16u
#define IORING_TIMEOUT_ETIME_SUCCESS 32u
#define IORING_ASYNC_CANCEL_ALL 1u
#define IORING_ASYNC_CANCEL_FD 2u
#define IORING_ASYNC_CANCEL_ANY 4u
#define IORING_ASYNC_CANCEL_FD_FIXED 8u
#define IORING_RECVSEND_POLL_FIRST 1u
#define IORING_RECV_MULTISHOT 2u
#define IORING_RECVSEND_FIXED_BUF 4u
#define IORING_ACCEPT_MULTISHOT 1u
#define IORING_MSG_DATA 0u
#define IORING_MSG_SEND_FD 1u
#define IORING_MSG_RING_CQE_SKIP 1u
#define SPLICE_F_FD_IN_FIXED (1u << 31)

enum {
	IORING_OP_NOP,
	IORING_OP_READV,
	IORING_OP_WRITEV,
	IORING_OP_FSYNC,
	IORING_OP_READ_FIXED,
	IORING_OP_WRITE_FIXED,
	IORING_OP_POLL_ADD,
	IORING_OP_POLL_REMOVE,
	IORING_OP_SYNC_FILE_RANGE,
	IORING_OP_SENDMSG,
	IORING_OP_RECVMSG,
	IORING_OP_TIMEOUT,
	IORING_OP_TIMEOUT_REMOVE,
	IORING_OP_ACCEPT,
	IORING_OP_ASYNC_CANCEL,
	IORING_OP_LINK_TIMEOUT,
	IORING_OP_CONNECT,
	IORING_OP_FALLOCATE,
	IORING_OP_OPENAT,
	IORING_OP_CLOSE,
	IORING_OP_FILES_UPDATE,
	IORING_OP_STATX,
	IORING_OP_READ,
	IORING_OP_WRITE,
	IORING_OP_FADVISE,
	IORING_OP_MADVISE,
	IORING_OP_SEND,
	IORING_OP_RECV,
	IORING_OP_OPENAT2,
	IORING_OP_EPOLL_CTL,
	IORING_OP_SPLICE,
	IORING_OP_PROVIDE_BUFFERS,
	IORING_OP_REMOVE_BUFFERS,
	IORING_OP_TEE,
	IORING_OP_SHUTDOWN,
	IORING_OP_RENAMEAT,
	IORING_OP_UNLINKAT,
	IORING_OP_MKDIRAT,
	IORING_OP_SYMLINKAT,
	IORING_OP_LINKAT,
	IORING_OP_MSG_RING,
	IORING_OP_FSETXATTR,
	IORING_OP_SETXATTR,
	IORING_OP_FGETXATTR,
	IORING_OP_GETXATTR,
	IORING_OP_SOCKET,
	IORING_OP_URING_CMD,
	IORING_OP_SEND_ZC,
	IORING_OP_SENDMSG_ZC,
	IORING_OP_LAST,
};
