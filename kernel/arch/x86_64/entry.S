/*
 * Every way from the program into the kernel and back.  A struct trap_frame lies at the top of the
 * thread's kernel stack whenever it came from the program.
 *
 * %gs: swapped exactly when the frame's CS says user mode.  Not so on the stacks of the interrupt
 * stack table (NMI, machine check, double fault), which can strike between an entry and its
 * swapgs: there the CPU's struct is read from the top of the stack and the old base restored.
 *
 * Interrupts and exceptions leave AC as the program had it, so clac stands behind them; system
 * calls clear it by FMASK.
 */
#include "machine/offsets.h"

	.macro smap_clac
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 771b - ., 0xca010f
	.popsection
	.endm

	.macro push_registers
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro pop_registers_but_rcx_r11
	movq FRAME_R15(%rsp), %r15
	movq FRAME_R14(%rsp), %r14
	movq FRAME_R13(%rsp), %r13
	movq FRAME_R12(%rsp), %r12
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_RBX(%rsp), %rbx
	movq FRAME_R10(%rsp), %r10
	movq FRAME_R9(%rsp), %r9
	movq FRAME_R8(%rsp), %r8
	movq FRAME_RAX(%rsp), %rax
	movq FRAME_RDX(%rsp), %rdx
	movq FRAME_RSI(%rsp), %rsi
	movq FRAME_RDI(%rsp), %rdi
	.endm

	.text
	.balign 16
	.globl syscall_entry
syscall_entry:
	swapgs
	movq %rsp, %gs:CPU_USER_SP
	movq %gs:CPU_KERNEL_SP, %rsp
	pushq $USER_DS
	pushq %gs:CPU_USER_SP
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq %rax			/* the number */
	pushq $VECTOR_SYSCALL
	push_registers
	xorl %ebp, %ebp			/* backtraces end here */
	movq %rsp, %rdi
	sti
	call syscall_dispatch
	cli
	/* fall through */

/* Interrupts off, rsp at the frame. */
return_to_user:
	movq %gs:CPU_CURRENT, %rax
	cmpl $0, THREAD_USER_WORK(%rax)
	jne user_work
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	cmpl $VECTOR_SYSCALL, FRAME_VECTOR(%rsp)
	jne return_iret
	/* sysret can say all there is to say, unless the frame was changed (a signal, exec), single
	 * steps, or goes to an address on which sysret would fault in the kernel. */
	cmpq %rcx, FRAME_RCX(%rsp)
	jne return_iret
	cmpq %r11, FRAME_R11(%rsp)
	jne return_iret
	testl $0x10100, %r11d		/* RF TF */
	jnz return_iret
	movq %rcx, %rax
	shrq $47, %rax
	jnz return_iret
	pop_registers_but_rcx_r11
	movq FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq

return_iret:
	pop_registers_but_rcx_r11
	movq FRAME_R11(%rsp), %r11
	movq FRAME_RCX(%rsp), %rcx
	addq $FRAME_RIP, %rsp
	swapgs
	iretq

user_work:
	sti
	movq %rsp, %rdi
	call user_return
	cli
	jmp return_to_user

/* thread_resume_user(): continue the program at the frame on top of this thread's stack. */
	.globl thread_resume_user
thread_resume_user:
	cli
	movq %gs:CPU_KERNEL_SP, %rsp
	subq $FRAME_SIZE, %rsp
	xorl %ebp, %ebp
	jmp return_to_user

/* Where a new thread's first switch goes: switch.c laid out the stack.  rax: the thread before. */
	.globl thread_begin
thread_begin:
	popq %rbx			/* entry */
	popq %r12			/* arg */
	xorl %ebp, %ebp
	movq %rax, %rdi
	call thread_first_run
	sti
	movq %r12, %rdi
	call *%rbx
	ud2

/* struct thread *switch_stacks(uint64_t **save_sp, uint64_t *load_sp, struct thread *previous) */
	.globl switch_stacks
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	movq %rdx, %rax
	ret

/* 256 stubs, 16 bytes each; those exceptions without an error code get a zero. */
	.balign 16
	.globl vector_stubs
vector_stubs:
	vector = 0
	.rept 256
	.balign 16, 0xcc
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	.if vector == 2 || vector == 8 || vector == 18
	jmp entry_own_stack
	.else
	.if vector < 32
	jmp entry_exception
	.else
	jmp entry_interrupt
	.endif
	.endif
	vector = vector + 1
	.endr

	.macro interrupt_like handler
	smap_clac
	cld
	push_registers
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call \handler
	cli
	jmp return_to_user
1:	movq %rsp, %rdi
	call \handler
	jmp return_to_kernel
	.endm

	.balign 16
entry_interrupt:
	interrupt_like interrupt_handle

	.balign 16
entry_exception:
	interrupt_like exception_handle

	/* Interrupts may be on (a page fault in copy_in()); popping does not care, iretq restores. */
return_to_kernel:
	pop_registers_but_rcx_r11
	movq FRAME_R11(%rsp), %r11
	movq FRAME_RCX(%rsp), %rcx
	addq $FRAME_RIP, %rsp
	iretq

entry_own_stack:
	smap_clac
	cld
	push_registers
	movl $0xc0000101, %ecx		/* GS base */
	rdmsr
	movl %eax, %r12d
	movl %edx, %r13d
	movq FRAME_SIZE(%rsp), %rax	/* struct trap_stack: cpu */
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	movq %rsp, %rdi
	call exception_own_stack
	movl $0xc0000101, %ecx
	movl %r12d, %eax
	movl %r13d, %edx
	wrmsr
	jmp return_to_kernel

	.section .note.GNU-stack, "", @progbits
