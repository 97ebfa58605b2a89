/* Host port: x86-64's numbers; faults have no details. */
#pragma once

#define SYSCALL_NUMBER(x86_64, arm64) x86_64

#define ELF_MACHINE 62
#define ELF_MACHINE_NAME "x86-64"
#define SIGNAL_FRAME_MAX 3632ul

static inline unsigned long trap_fault_vector(const struct trap_frame *f)
{
	(void)f;
	return 0;
}

static inline unsigned long trap_fault_error(const struct trap_frame *f)
{
	(void)f;
	return 0;
}
