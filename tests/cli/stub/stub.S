/*
 * A stand-in for the kernel: what tests of the command boot when they are about the command.
 * Entered by PVH in 32-bit protected mode, paging off, %ebx = struct hvm_start_info.  It prints its
 * command line on COM1, then obeys one byte after another that arrives there:
 *     'e' X  "exited X" (X = one digit)     'k' "killed 9"    'p' "panic"    'o' "oom"
 *     'f'    "failed 127 ..."               'r' reboot without a record      anything else: echoed
 */
	.code32
	.section .note.pvh, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.globl start
start:
	mov $stack_top, %esp
	mov 24(%ebx), %esi		/* cmdline_paddr */
1:	lodsb
	test %al, %al
	jz 2f
	call put
	jmp 1b
2:	mov $'\n', %al
	call put

next:	call get
	cmp $'e', %al
	je exited
	cmp $'k', %al
	je killed
	cmp $'p', %al
	je panic
	cmp $'o', %al
	je oom
	cmp $'f', %al
	je failed
	cmp $'r', %al
	je reboot
	call put
	jmp next

exited:	call get
	mov %al, exited_text + 7
	mov $exited_text, %esi
	jmp end
killed:	mov $killed_text, %esi
	jmp end
panic:	mov $panic_text, %esi
	jmp end
oom:	mov $oom_text, %esi
	jmp end
failed:	mov $failed_text, %esi
end:	mov $0xe9, %dx
3:	lodsb
	test %al, %al
	jz 4f
	outb %al, %dx
	jmp 3b
4:	mov $0x501, %dx
	xor %eax, %eax
	outl %eax, %dx
reboot:	lidt no_idt
	int3
	hlt

put:	mov $0x3fd, %dx			/* line status: wait for an empty transmitter */
	mov %al, %ah
5:	inb %dx, %al
	test $0x20, %al
	jz 5b
	mov %ah, %al
	mov $0x3f8, %dx
	outb %al, %dx
	ret

get:	mov $0x3fd, %dx
6:	inb %dx, %al
	test $1, %al
	jz 6b
	mov $0x3f8, %dx
	inb %dx, %al
	ret

	.data
exited_text:	.asciz "exited 0\n"
killed_text:	.asciz "killed 9\n"
panic_text:	.asciz "panic\n"
oom_text:	.asciz "oom\n"
failed_text:	.asciz "failed 127 cannot start /nothing\n"
no_idt:	.word 0
	.long 0
	.bss
	.align 16
	.space 4096
stack_top:
