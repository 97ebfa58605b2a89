/*
 * Port contract, for kernel/proc and kernel/syscall: how Linux's ABI on this port numbers and names things.
 *
 * From the port:
 *     SYSCALL_NUMBER(x86_64, arm64)  picks the column of kernel/syscall/table.def; -1: no such call
 *     ELF_MACHINE, ELF_MACHINE_NAME  e_machine of the programs that run here, and its name for people
 *     AUDIT_ARCH  how seccomp(2) and SIGSYS name the port
 *     SIGNAL_FRAME_MAX  AT_MINSIGSTKSZ
 *     trap_fault_vector(), trap_fault_error()  of a page fault's frame, as struct user_fault has them
 */
#pragma once

#include "kernel/arch/trap.h"
#include "machine/abi.h"
