/*
 * Debugging a program over the host channel (abi/channel.h): CHANNEL_DEBUG frames ask, one
 * CHANNEL_DEBUG_REPLY answers each, CHANNEL_DEBUG_EVENT frames tell what happened.  Whoever asks
 * decodes: the machine hands out registers and memory as they are.
 *
 * With the word DEBUG_OPTION on its command line the machine stands still before the program's
 * first instruction until it is told to go on.
 */
#pragma once

#include <stdint.h>

#define DEBUG_OPTION "mote.debug"
#define DEBUG_DATA_MAX 32768u /* bytes asked for or given in one frame */

struct debug_request {
	uint32_t id; /* comes back in the reply */
	uint16_t operation;
	uint16_t flags;
	uint32_t tid;
	uint32_t len;
	uint64_t address;
	/* data follows */
};

struct debug_reply {
	uint32_t id;
	int32_t result; /* of the operation, or -Exxx */
			/* data follows */
};

/* Operations. */
#define DEBUG_ATTACH 1    /* flags: DEBUG_CRASHES_ONLY; -EBUSY never: the last one counts */
#define DEBUG_DETACH 2    /* all go on */
#define DEBUG_STOP 3      /* all threads stand; result: how many */
#define DEBUG_RESUME 4    /* data: struct debug_action[]; flags: DEBUG_ACTION_ of the others */
#define DEBUG_THREADS 5   /* data: struct debug_thread[] */
#define DEBUG_REGISTERS 6 /* of tid: struct debug_registers and the FPU's state */
#define DEBUG_SET_REGISTERS 7
#define DEBUG_READ 8  /* len bytes at address; result: how many */
#define DEBUG_WRITE 9 /* data to address, even where the program may only read */
#define DEBUG_READ_FILE                                                                            \
	10 /* len bytes at offset address of the file data names, as the program sees it */
#define DEBUG_READ_LINK 11 /* what the symbolic link data names holds */
#define DEBUG_KILL 12      /* SIGKILL */
#define DEBUG_SIGNAL 13    /* len: a signal for the program */
#define DEBUG_RESIDENT 14  /* which of len pages from address are in memory: a byte each, not 0 */
#define DEBUG_SYNC 16      /* sync(2): what was written is on the disks when the reply comes */
#define DEBUG_WATCH                                                                                \
	15 /* data: struct debug_watch[DEBUG_WATCHES], in place of those before; -EINVAL */

#define DEBUG_CRASHES_ONLY                                                                         \
	1u /* DEBUG_ATTACH: events only for signals that end the program with a core dump */

#define DEBUG_ACTION_CONTINUE 0u
#define DEBUG_ACTION_STEP 1u
#define DEBUG_ACTION_HOLD 2u

struct debug_action {
	uint32_t tid;
	uint8_t action; /* DEBUG_ACTION_ */
	uint8_t signal; /* the one of its event, another, or 0: none is delivered */
	uint16_t reserved;
};

/* Memory whose accesses are reported: SIGTRAP with si_code TRAP_HWBKPT, si_addr its address. */
#define DEBUG_WATCHES 4
#define DEBUG_WATCH_WRITE 1u
#define DEBUG_WATCH_ACCESS 3u

struct debug_watch {
	uint64_t address; /* a multiple of len */
	uint32_t len;     /* 1, 2, 4, 8; 0: none */
	uint32_t kind;    /* DEBUG_WATCH_ */
};

struct debug_thread {
	uint32_t tid;
	uint32_t stands; /* at the border to the program: its registers can be had */
	char name[16];
};

/* struct user_regs_struct of Linux's ptrace(2) on x86-64, in its order; orig_rax is -1 outside system calls. */
#define DEBUG_N_REGISTERS 27
struct debug_registers {
	uint64_t r[DEBUG_N_REGISTERS];
	uint32_t fpu_size; /* bytes that follow: XSAVE's or FXSAVE's format */
	uint32_t reserved;
};

/* Events.  All threads stand when one comes, but for DEBUG_EVENT_ENDED. */
#define DEBUG_EVENT_SIGNAL 1  /* tid is about to get signal */
#define DEBUG_EVENT_STARTED 2 /* tid is before its first instruction (DEBUG_OPTION) */

struct debug_event {
	uint32_t tid;
	uint16_t kind;
	uint16_t signal;
	int32_t code; /* si_code */
	uint32_t reserved;
	uint64_t address; /* si_addr */
};
