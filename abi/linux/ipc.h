/* System V IPC: svipc(7), shmget(2), semget(2), msgget(2) and kin; numbers and structures of 64-bit Linux. */
#pragma once

#include <stdint.h>

#define IPC_PRIVATE 0
#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_NOWAIT 04000u
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2
#define IPC_INFO 3

struct linux_ipc_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t sequence, pad;
	uint32_t pad2;
	uint64_t unused[2];
};
_Static_assert(sizeof(struct linux_ipc_perm) == 48, "struct ipc64_perm");

#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u
#define SHM_HUGETLB 04000u
#define SHM_DEST 01000u
#define SHM_LOCKED 02000u
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15

struct linux_shmid_ds {
	struct linux_ipc_perm perm;
	uint64_t size;
	int64_t attached, detached, changed;
	int32_t creator, last;
	uint64_t n_attached, unused[2];
};
_Static_assert(sizeof(struct linux_shmid_ds) == 112, "struct shmid64_ds");

struct linux_shminfo {
	uint64_t max, min, n_max, per_process, all, unused[4];
};

struct linux_shm_info {
	int32_t n_ids, pad;
	uint64_t total, resident, swapped, swap_attempts, swap_successes;
};

#define SEM_UNDO 0x1000
#define SEM_GETPID 11
#define SEM_GETVAL 12
#define SEM_GETALL 13
#define SEM_GETNCNT 14
#define SEM_GETZCNT 15
#define SEM_SETVAL 16
#define SEM_SETALL 17
#define SEM_STAT 18
#define SEM_INFO 19
#define SEM_STAT_ANY 20

struct linux_sembuf {
	uint16_t number;
	int16_t operation, flags;
};

struct linux_semid_ds {
	struct linux_ipc_perm perm;
	int64_t operated;
	uint64_t unused1;
	int64_t changed;
	uint64_t unused2, n, unused3, unused4;
};
_Static_assert(sizeof(struct linux_semid_ds) == 104, "struct semid64_ds");

struct linux_seminfo {
	int32_t map, n_sets, n_all, n_undo, per_set, per_operation, per_undo, undo_size, value_max,
		adjust_max;
};

#define MSG_NOERROR 010000u
#define MSG_EXCEPT 020000u
#define MSG_COPY 040000u
#define MSG_STAT 11
#define MSG_INFO 12
#define MSG_STAT_ANY 13

struct linux_msqid_ds {
	struct linux_ipc_perm perm;
	int64_t sent, received, changed;
	uint64_t n_bytes, n, max_bytes;
	int32_t last_sender, last_receiver;
	uint64_t unused[2];
};
_Static_assert(sizeof(struct linux_msqid_ds) == 120, "struct msqid64_ds");

struct linux_msginfo {
	int32_t pool, map, max, max_bytes, n_queues, segment, n_headers;
	uint16_t n_segments;
};

/* mq_overview(7) */
struct linux_mq_attr {
	int64_t flags, max_messages, message_size, n_messages, reserved[4];
};
#define MQ_PRIO_MAX 32768u
#define MQ_NOTIFY_COOKIE 32u
#define MQ_NOTIFY_WOKEN 1
#define MQ_NOTIFY_REMOVED 2
