/* Asynchronous I/O of the kernel as libaio uses it: io_submit(2).  x86-64 and arm64 agree. */
#pragma once

#include <stdint.h>

enum {
	IOCB_CMD_PREAD,
	IOCB_CMD_PWRITE,
	IOCB_CMD_FSYNC,
	IOCB_CMD_FDSYNC,
	IOCB_CMD_POLL = 5,
	IOCB_CMD_NOOP,
	IOCB_CMD_PREADV,
	IOCB_CMD_PWRITEV,
};
#define IOCB_FLAG_RESFD 1u
#define IOCB_FLAG_IOPRIO 2u

struct linux_iocb {
	uint64_t data;
	uint32_t key;
	uint32_t rw_flags;
	uint16_t opcode;
	int16_t priority;
	uint32_t fd;
	uint64_t buf, nbytes;
	int64_t offset;
	uint64_t reserved;
	uint32_t flags, resfd;
};
_Static_assert(sizeof(struct linux_iocb) == 64, "struct iocb");

struct linux_io_event {
	uint64_t data, obj;
	int64_t res, res2;
};

/* What io_setup(2) maps into the program: C libraries take events out of it by themselves. */
struct linux_aio_ring {
	uint32_t id, nr;
	_Atomic uint32_t head, tail;
	uint32_t magic, compat_features, incompat_features, header_length;
};
#define AIO_RING_MAGIC 0xa10a10a1u
