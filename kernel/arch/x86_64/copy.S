/*
 * Bytes between the kernel and the program.  usercopy.c has checked that the addresses are the
 * program's; a fault that kernel/mem can not resolve goes on at "fault".
 *
 * rep movsq, not movsb: on CPUs with fast strings both move a line at a time, under QEMU's TCG an
 * iteration costs the same whatever its width.
 */
	.macro smap_site instruction
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 771b - ., \instruction
	.popsection
	.endm
#define STAC smap_site 0xcb010f
#define CLAC smap_site 0xca010f

	/* The instruction that follows may fault. */
	.macro may_fault
772:
	.pushsection .fixups, "a"
	.long 772b - ., fault - .
	.popsection
	.endm

#define LONG_COPY 64

	.text
/* int user_copy(void *to, const void *from, size_t n): 0, -EFAULT */
	.balign 16
	.globl user_copy
user_copy:
	STAC
	movq %rdx, %rcx
	shrq $3, %rcx
	jz 2f
	cmpq $LONG_COPY, %rdx
	ja 4f
1:	may_fault
	movq (%rsi), %rax
	may_fault
	movq %rax, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	decl %ecx
	jnz 1b
2:	andl $7, %edx
	jz 5f
3:	may_fault
	movb (%rsi), %al
	may_fault
	movb %al, (%rdi)
	incq %rsi
	incq %rdi
	decl %edx
	jnz 3b
	jmp 5f
4:	may_fault
	rep movsq
	jmp 2b
5:	CLAC
	xorl %eax, %eax
	ret

fault:	CLAC
	movq $-14, %rax			/* -EFAULT */
	ret

/* int user_fill_zero(uintptr_t to, size_t n): 0, -EFAULT */
	.balign 16
	.globl user_fill_zero
user_fill_zero:
	STAC
	xorl %eax, %eax
	movq %rsi, %rcx
	shrq $3, %rcx
	may_fault
	rep stosq
	movl %esi, %ecx
	andl $7, %ecx
	may_fault
	rep stosb
	CLAC
	ret

/* long user_string_copy(char *to, uintptr_t from, size_t max): length before the NUL, max when
 * there is none, -EFAULT */
	.balign 16
	.globl user_string_copy
user_string_copy:
	STAC
	xorl %eax, %eax
	movabsq $0x0101010101010101, %r10
	movq %r10, %r11
	shlq $7, %r11
1:	leaq 8(%rax), %rcx		/* a word: inside max, inside the page, no NUL in it */
	cmpq %rdx, %rcx
	ja 2f
	leaq (%rsi,%rax), %r8
	andl $0xfff, %r8d
	cmpl $0xff8, %r8d
	ja 2f
	may_fault
	movq (%rsi,%rax), %r8
	movq %r8, %r9
	subq %r10, %r9
	notq %r8
	andq %r8, %r9
	testq %r11, %r9
	jnz 2f
	notq %r8
	movq %r8, (%rdi,%rax)
	movq %rcx, %rax
	jmp 1b
2:	cmpq %rdx, %rax			/* a byte */
	jae 3f
	may_fault
	movb (%rsi,%rax), %cl
	movb %cl, (%rdi,%rax)
	testb %cl, %cl
	jz 3f
	incq %rax
	testb $7, %al			/* words again, now and then */
	jnz 2b
	jmp 1b
3:	CLAC
	ret

	.section .note.GNU-stack, "", @progbits
