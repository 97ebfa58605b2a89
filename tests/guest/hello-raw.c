/* No library at all: _start, two system calls, a stack laid out as the ABI says. */
/* test: static cflags='-nostdlib -ffreestanding -fno-stack-protector -O1 -fno-tree-loop-distribute-patterns' args='a bb' */

static long call(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static void print(const char *text)
{
	long n = 0;
	while (text[n])
		n++;
	call(1, 1, (long)text, n);
}

__attribute__((used)) static void begin(long *stack)
{
	char **argv = (char **)(stack + 1);
	print((long)stack % 16 == 0 ? "aligned\n" : "not aligned\n");
	print(stack[0] == 3 && !argv[3] ? "argc 3\n" : "argc wrong\n");
	print(argv[1]);
	print(" ");
	print(argv[2]);
	print("\n");
	call(231, 7, 0, 0);
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall "
	"begin\n");
