/* The vDSO as it is mapped: whole pages, in the kernel's read-only part. */
	.section .vdso, "a"
	.balign 4096
	.globl vdso_start, vdso_end
vdso_start:
	.incbin VDSO_FILE
	.balign 4096
vdso_end:

	.section .note.GNU-stack, "", @progbits
