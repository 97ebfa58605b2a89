/*
 * memcpy, memmove, memset in place of kernel/lib/memory.c.  Words for the short ones, rep movsq from
 * 64 bytes up: see copy.S.
 */
#define LONG_COPY 64

	.text
	.balign 16
	.globl memcpy
memcpy:
	movq %rdi, %rax
copy_up:
	movq %rdx, %rcx
	shrq $3, %rcx
	jz 2f
	cmpq $LONG_COPY, %rdx
	ja 4f
1:	movq (%rsi), %r8
	movq %r8, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	decl %ecx
	jnz 1b
2:	andl $7, %edx
	jz 5f
3:	movb (%rsi), %r8b
	movb %r8b, (%rdi)
	incq %rsi
	incq %rdi
	decl %edx
	jnz 3b
5:	ret
4:	rep movsq
	jmp 2b

	.balign 16
	.globl memmove
memmove:
	movq %rdi, %rax
	movq %rdi, %rcx
	subq %rsi, %rcx
	cmpq %rdx, %rcx			/* unsigned: to is below from, or behind its end */
	jae copy_up
1:	cmpq $8, %rdx
	jb 2f
	movq -8(%rsi,%rdx), %r8
	movq %r8, -8(%rdi,%rdx)
	subq $8, %rdx
	jmp 1b
2:	testq %rdx, %rdx
	jz 4f
3:	movb -1(%rsi,%rdx), %r8b
	movb %r8b, -1(%rdi,%rdx)
	decq %rdx
	jnz 3b
4:	ret

	.balign 16
	.globl memset
memset:
	movq %rdi, %r9
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %r8
	imulq %r8, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	cmpq $LONG_COPY, %rdx
	ja 4f
	jrcxz 2f
1:	movq %rax, (%rdi)
	addq $8, %rdi
	decl %ecx
	jnz 1b
2:	andl $7, %edx
	jz 5f
3:	movb %al, (%rdi)
	incq %rdi
	decl %edx
	jnz 3b
5:	movq %r9, %rax
	ret
4:	rep stosq
	jmp 2b

	.section .note.GNU-stack, "", @progbits
