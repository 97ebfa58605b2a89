/* x87, MXCSR, SSE and AVX registers of four threads on two CPUs stay their own. */
/* test: cpus=2 */
#include "lib/check.h"
#include <immintrin.h>

static int have_avx;

__attribute__((target("avx"))) static long avx_round(double tag)
{
	__m256d a = _mm256_set1_pd(tag), b = _mm256_set1_pd(tag * 2);
	double out[4];
	__asm__ volatile("vmovapd %0, %%ymm8\n\tvmovapd %1, %%ymm15"
			 :
			 : "x"(a), "x"(b)
			 : "xmm8", "xmm15");
	sched_yield();
	for (volatile int i = 0; i < 2000; i++)
		;
	__asm__ volatile("vaddpd %%ymm8, %%ymm15, %%ymm1\n\tvmovupd %%ymm1, %0"
			 : "=m"(out)
			 :
			 : "xmm1", "memory");
	return out[0] != tag * 3 || out[3] != tag * 3;
}

static void *worker(void *number)
{
	long id = (long)number, wrong = 0;
	unsigned short control = 0x037f & ~0x0300, check = 0;
	unsigned mxcsr = 0x1f80 | (id % 4) << 13;
	control |= id % 2 ? 0x0300 : 0x0200;
	__asm__ volatile("fldcw %0" : : "m"(control));
	_mm_setcsr(mxcsr);
	for (int i = 0; i < 300; i++) {
		long double x = id + i;
		__asm__ volatile("fldt %0" : : "m"(x));
		if (have_avx)
			wrong += avx_round(id * 1000 + i);
		else
			sched_yield();
		long double y;
		__asm__ volatile("fstpt %0\n\tfstcw %1" : "=m"(y), "=m"(check));
		wrong += y != x || check != control || (_mm_getcsr() & 0xffc0) != (mxcsr & 0xffc0);
	}
	return (void *)wrong;
}

int main(void)
{
	pthread_t thread[4];
	have_avx = __builtin_cpu_supports("avx");
	for (long i = 0; i < 4; i++)
		thread[i] = start(worker, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(thread[i], &wrong);
		printf("%ld wrong\n", (long)wrong);
	}
	unsigned short control;
	__asm__ volatile("fstcw %0" : "=m"(control));
	printf("main: control %#x mxcsr %#x\n", control, _mm_getcsr());
	return 0;
}
