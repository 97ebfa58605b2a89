/* A handler may use every register; the interrupted code finds its own again. */
#include "lib/check.h"
#include <immintrin.h>

static volatile sig_atomic_t caught;
static int have_avx;

__attribute__((target("avx"))) static void dirty(void)
{
	__asm__ volatile(
		"vpcmpeqd %%xmm0, %%xmm0, %%xmm0\n\tvinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n\t"
		"vmovaps %%ymm0, %%ymm7\n\tvmovaps %%ymm0, %%ymm14"
		:
		:
		: "xmm0", "xmm7", "xmm14");
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	unsigned short control = 0x0c7f;
	__asm__ volatile("fninit\n\tfldcw %0\n\tfldpi" : : "m"(control));
	_mm_setcsr(0x7f80);
	if (have_avx)
		dirty();
	caught++;
}

__attribute__((target("avx"))) static int survives_avx(void)
{
	double in[4] = {1, 2, 3, 4}, out[4];
	__asm__ volatile("vmovupd %1, %%ymm7\n\tvmovapd %%ymm7, %%ymm14\n\tmov %2, %%eax\n\tmov "
			 "%3, %%edi\n\tmov %4, %%esi\n\t"
			 "syscall\n\tvaddpd %%ymm7, %%ymm14, %%ymm0\n\tvmovupd %%ymm0, %0"
			 : "=m"(out)
			 : "m"(in), "i"(SYS_tkill), "r"((int)gettid()), "i"(SIGUSR1)
			 : "rax", "rdi", "rsi", "rcx", "r11", "xmm0", "xmm7", "xmm14", "memory");
	return out[0] == 2 && out[1] == 4 && out[2] == 6 && out[3] == 8;
}

int main(void)
{
	handle(SIGUSR1, on_signal, 0);
	have_avx = __builtin_cpu_supports("avx");
	unsigned short control;
	long double x = 1.25L, y;
	__asm__ volatile("fldt %0" : : "m"(x));
	raise(SIGUSR1);
	__asm__ volatile("fstpt %0\n\tfstcw %1" : "=m"(y), "=m"(control));
	printf("%Lg control %#x mxcsr %#x\n", y, control, _mm_getcsr());
	printf("upper halves: %s\n", !have_avx || survives_avx() ? "kept" : "lost");
	printf("%d caught\n", caught);
	return 0;
}
