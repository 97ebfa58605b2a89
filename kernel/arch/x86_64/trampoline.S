/*
 * Where the other CPUs wake up: real mode, CS:IP = TRAMPOLINE >> 4 : 0.  smp.c copies this below
 * 1 MB; it only finds its way to long_mode_enter.
 */
#include "machine/offsets.h"

#define PHYS(x) ((x) - KERNEL_BASE)

	.section .rodata
	.globl trampoline_start, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline_start
	movl $0x11, %eax		/* PE, ET */
	movl %eax, %cr0
	ljmpl $0x08, $TRAMPOLINE + (trampoline_32 - trampoline_start)

	.code32
trampoline_32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $BOOT_SECONDARY, %ebp
	movl $PHYS(long_mode_enter), %eax
	jmp *%eax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0
	.quad 0x00cf93000000ffff	/* data */
trampoline_gdt_pointer:
	.word . - trampoline_gdt - 1
	.long TRAMPOLINE + (trampoline_gdt - trampoline_start)
trampoline_end:
	.code64

	.section .note.GNU-stack, "", @progbits
