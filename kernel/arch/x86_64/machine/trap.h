/* x86-64: what an entry into the kernel saves. */
#pragma once

#include "machine/offsets.h"

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* VECTOR_SYSCALL for a system call */
	uint64_t error;  /* of the exception; the number of the system call */
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "entry.S pushes it");
