/* Numbers that assembly and C share; C asserts them against the structures (layout.c). */
#pragma once

/* struct cpu_local, at %gs in the kernel. */
#define CPU_SELF 0
#define CPU_CURRENT 8
#define CPU_KERNEL_SP 16
#define CPU_USER_SP 24
#define CPU_ID 32

/* struct thread_arch */
#define THREAD_USER_WORK 0
#define THREAD_SP 8

/* struct trap_frame */
#define FRAME_R15 0
#define FRAME_R14 8
#define FRAME_R13 16
#define FRAME_R12 24
#define FRAME_RBP 32
#define FRAME_RBX 40
#define FRAME_R11 48
#define FRAME_R10 56
#define FRAME_R9 64
#define FRAME_R8 72
#define FRAME_RAX 80
#define FRAME_RCX 88
#define FRAME_RDX 96
#define FRAME_RSI 104
#define FRAME_RDI 112
#define FRAME_VECTOR 120
#define FRAME_ERROR 128
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SS 168
#define FRAME_SIZE 176

#define VECTOR_SYSCALL 256

/* Selectors are Linux's: programs see CS and SS in their signal contexts. */
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_DS 0x2b
#define USER_CS 0x33
#define TSS_SELECTOR 0x40
#define CPU_NUMBER_SELECTOR 0x7b /* its limit is the CPU's number; the vDSO reads it */

#define KERNEL_BASE 0xffffffff80000000
#define BOOT_STACK_SIZE 16384
#define CPU_MAX 64

/* Who calls boot_common (boot.S). */
#define BOOT_PVH 1
#define BOOT_LINUX 2
#define BOOT_SECONDARY 3

#define TRAMPOLINE 0x1000 /* physical; kept out of the usable memory */
