/*
 * The first instructions.  Two ways in:
 *     PVH (QEMU -kernel, Cloud Hypervisor, Xen): 32 bit, paging off, ebx = hvm_start_info
 *     Linux's 64-bit boot protocol (Firecracker): long mode, identity map, rsi = boot_params
 * Both map the first 64 MB, at 0 and at KERNEL_BASE, and call boot_start() in boot.c.
 * The other CPUs come through trampoline.S with the same early tables.
 */
#include "machine/offsets.h"

#define PHYS(x) ((x) - KERNEL_BASE)
#define EARLY_LARGE_PAGES 32
#define PRESENT_WRITE 3
#define PRESENT_WRITE_LARGE 0x83

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(pvh_entry)

/* Assembles for 32 and for 64 bits.  The pages are zero: .bss.  Changes eax, ecx, edi. */
	.macro fill_early_tables
	movl $PHYS(early_root), %edi
	movl $PHYS(early_1g) + PRESENT_WRITE, %eax
	movl %eax, (%edi)
	movl %eax, 511*8(%edi)
	movl $PHYS(early_1g), %edi
	movl $PHYS(early_2m) + PRESENT_WRITE, %eax
	movl %eax, (%edi)
	movl %eax, 510*8(%edi)
	movl $PHYS(early_2m), %edi
	movl $PRESENT_WRITE_LARGE, %eax
	movl $EARLY_LARGE_PAGES, %ecx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	decl %ecx
	jnz 1b
	.endm

	.section .text.boot, "ax"
	.code32
pvh_entry:
	cld
	cli
	fill_early_tables
	movl %ebx, %esi
	movl $BOOT_PVH, %ebp
	/* Other CPUs arrive here too, from trampoline.S: esi, ebp are for boot_common. */
	.globl long_mode_enter
long_mode_enter:
	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $PHYS(early_root), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER */
	rdmsr
	orl $0x100, %eax		/* LME */
	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE */
	movl %eax, %cr0
	lgdt PHYS(early_gdt_pointer)
	ljmp $KERNEL_CS, $PHYS(long_mode)

	.code64
long_mode:
	movl $KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movq $boot_common, %rax
	jmp *%rax

	.globl linux_entry
linux_entry:
	cld
	cli
	movl %esi, %ebx
	fill_early_tables
	movl %ebx, %esi
	movl $BOOT_LINUX, %ebp
	movl $PHYS(early_root), %eax
	movq %rax, %cr3
	lgdt PHYS(early_gdt_pointer)
	pushq $KERNEL_CS
	pushq $PHYS(long_mode)
	lretq

	.text
boot_common:
	cmpl $BOOT_SECONDARY, %ebp
	je secondary_common
	rdtsc
	shlq $32, %rdx
	orq %rax, %rdx			/* third argument */
	movq $boot_stack + BOOT_STACK_SIZE, %rsp
	movl %ebp, %edi
	movl %esi, %esi
	xorl %ebp, %ebp
	pushq $0
	pushq $0
	call boot_start
	ud2

/* Arrival order makes the number; cpu_boot_stacks[number] is the stack. */
secondary_common:
	movl $1, %edi
	lock xaddl %edi, cpu_arrivals(%rip)
	cmpl $CPU_MAX, %edi
	jae 1f
	movq cpu_boot_stacks(,%rdi,8), %rsp
	testq %rsp, %rsp
	jz 1f				/* no memory was prepared for it */
	/* The stack is in the direct map: the final tables, which hold no-execute bits. */
	movl $0xc0000080, %ecx
	movl cpu_efer(%rip), %eax
	xorl %edx, %edx
	wrmsr
	movq kernel_root(%rip), %rax
	movq %rax, %cr3
	xorl %ebp, %ebp
	pushq $0
	pushq $0
	call secondary_start
1:	hlt
	jmp 1b

	.section .rodata
	.balign 8
early_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff	/* KERNEL_CS */
	.quad 0x00cf93000000ffff	/* KERNEL_DS */
	.globl early_gdt_pointer
early_gdt_pointer:
	.word . - early_gdt - 1
	.quad PHYS(early_gdt)

	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl early_root, early_2m, boot_stack
early_root:
	.skip 4096
early_1g:
	.skip 4096
early_2m:
	.skip 4096
boot_stack:
	.skip BOOT_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
