/* x86-64: Linux's numbers and names. */
#pragma once

#define SYSCALL_NUMBER(x86_64, arm64) x86_64

#define ELF_MACHINE 62
#define AUDIT_ARCH 0xc000003eu
#define ELF_MACHINE_NAME "x86-64"

/* Bytes a signal frame may take, AVX-512 state included (AT_MINSIGSTKSZ). */
#define SIGNAL_FRAME_MAX 3632ul

static inline unsigned long trap_fault_vector(const struct trap_frame *f)
{
	return f->vector;
}

static inline unsigned long trap_fault_error(const struct trap_frame *f)
{
	return f->error;
}
