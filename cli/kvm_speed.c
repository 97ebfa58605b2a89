/*
 * A virtual CPU with three pages of memory in 64-bit mode: page tables that map the first 2 MB,
 * and a loop that counts down.  A signal stops it where the host is slow; the counter tells how
 * far it came (Linux Documentation/virt/kvm/api.rst).
 */
#include "cli/kvm_speed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOOPS 5000000u /* of two instructions: a few ms on hardware */
#define LIMIT_US 100000
#define CODE 0x3000u
#define MEMORY 0x4000u

/*     dec %rcx; jnz .-3; hlt */
static const unsigned char code[] = {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xf4};

struct guest {
	int kvm, vm, cpu;
	unsigned char *memory;
	struct kvm_run *run;
	size_t run_size;
};

static void on_alarm(int number)
{
	(void)number; /* interrupts the ioctl */
}

static int make_memory(struct guest *g)
{
	g->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->memory == MAP_FAILED)
		return -ENOMEM;
	uint64_t *pml4 = (uint64_t *)g->memory, *pdpt = pml4 + 512, *directory = pdpt + 512;

	pml4[0] = 0x1000 | 3;
	pdpt[0] = 0x2000 | 3;
	directory[0] = 0x83; /* 2 MB, writable */
	memcpy(g->memory + CODE, code, sizeof(code));
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY, .userspace_addr = (uint64_t)(uintptr_t)g->memory};

	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

static int make_cpu(struct guest *g)
{
	struct kvm_sregs s;
	struct kvm_regs r = {.rip = CODE, .rcx = LOOPS, .rflags = 2};

	g->cpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	int size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (g->cpu < 0 || size < 0 || ioctl(g->cpu, KVM_GET_SREGS, &s) < 0)
		return -errno;
	g->run_size = (size_t)size;
	g->run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->cpu, 0);
	if (g->run == MAP_FAILED)
		return -ENOMEM;
	s.cr3 = 0;
	s.cr4 = 1 << 5;                  /* PAE */
	s.cr0 = 1u | 1u << 4 | 1u << 31; /* PE, ET, PG */
	s.efer = 1 << 8 | 1 << 10;       /* LME, LMA */
	s.cs = (struct kvm_segment){
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	s.ds = (struct kvm_segment){
		.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	s.es = s.ss = s.fs = s.gs = s.ds;
	if (ioctl(g->cpu, KVM_SET_SREGS, &s) < 0 || ioctl(g->cpu, KVM_SET_REGS, &r) < 0)
		return -errno;
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int run_loop(struct guest *g, struct kvm_speed *out)
{
	struct sigaction quiet = {.sa_handler = on_alarm}, before;
	struct itimerval limit = {.it_value = {0, LIMIT_US}}, none = {{0, 0}, {0, 0}};
	struct kvm_regs r;

	sigaction(SIGALRM, &quiet, &before);
	int64_t start = now_ns();

	setitimer(ITIMER_REAL, &limit, NULL);
	int result = ioctl(g->cpu, KVM_RUN, 0);
	int err = result < 0 && errno != EINTR ? -errno : 0;
	int64_t took = now_ns() - start;

	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &before, NULL);
	if (err == 0 && result == 0 && g->run->exit_reason != KVM_EXIT_HLT)
		err = -EIO;
	if (err == 0 && ioctl(g->cpu, KVM_GET_REGS, &r) < 0)
		err = -errno;
	if (err < 0)
		return err;
	uint64_t done = r.rcx <= LOOPS ? (LOOPS - r.rcx) * 2 : 0;

	out->instructions_per_second = done * 1000000000ULL / (uint64_t)(took > 0 ? took : 1);
	int khz = ioctl(g->cpu, KVM_GET_TSC_KHZ, 0);

	out->tsc_khz = khz > 0 ? (uint32_t)khz : 0;
	return 0;
}

int kvm_speed_measure(struct kvm_speed *out)
{
	struct guest g = {.vm = -1, .cpu = -1, .memory = MAP_FAILED, .run = MAP_FAILED};
	int err = 0;

	*out = (struct kvm_speed){0};
	g.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g.kvm < 0)
		return -errno;
	g.vm = ioctl(g.kvm, KVM_CREATE_VM, 0);
	if (g.vm < 0)
		err = -errno;
	if (err == 0)
		err = make_memory(&g);
	if (err == 0)
		err = make_cpu(&g);
	if (err == 0)
		err = run_loop(&g, out);
	if (g.run != MAP_FAILED)
		munmap(g.run, g.run_size);
	if (g.cpu >= 0)
		close(g.cpu);
	if (g.vm >= 0)
		close(g.vm);
	if (g.memory != MAP_FAILED)
		munmap(g.memory, MEMORY);
	close(g.kvm);
	return err;
}
