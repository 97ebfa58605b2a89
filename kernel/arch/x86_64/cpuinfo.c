/* What /proc/cpuinfo says of a processor: programs read vendor, model, flags and MHz out of it. */
#include "kernel/arch/timer.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

/* Names of the bits of one CPUID register, from bit 0 up; "-" where Linux has none. */
struct flag_word {
	uint32_t leaf, subleaf;
	char reg; /* a, b, c, d */
	const char *names;
};

/* clang-format off */
/* Linux's order: arch/x86/include/asm/cpufeatures.h */
static const struct flag_word flag_words[] = {
	{1, 0, 'd', "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - "
		    "dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"},
	{0x80000001, 0, 'd', "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt "
			     "pdpe1gb rdtscp - lm 3dnowext 3dnow"},
	{1, 0, 'c', "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - "
		    "pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c "
		    "rdrand hypervisor"},
	{0x80000001, 0, 'c', "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch "
			     "osvw ibs xop skinit wdt - lwp fma4"},
	{7, 0, 'b', "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a "
		    "avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er "
		    "avx512cd sha_ni avx512bw avx512vl"},
	{13, 1, 'a', "xsaveopt xsavec xgetbv1 xsaves"},
	{7, 0, 'c', "- avx512vbmi umip - - waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni "
		    "avx512_bitalg - avx512_vpopcntdq la57 - - - - - - rdpid - - cldemote - movdiri movdir64b"},
	{7, 0, 'd', "- - avx512_4vnniw avx512_4fmaps fsrm"},
};
/* clang-format on */

static bool leaf_exists(uint32_t leaf)
{
	return cpuid(leaf & 0x80000000, 0).eax >= leaf;
}

static uint32_t flag_register(const struct flag_word *w)
{
	if (!leaf_exists(w->leaf))
		return 0;
	struct cpuid c = cpuid(w->leaf, w->subleaf);
	switch (w->reg) {
	case 'a':
		return c.eax;
	case 'b':
		return c.ebx;
	case 'c':
		return c.ecx;
	default:
		return c.edx;
	}
}

static void add_flags(struct text *t)
{
	for (unsigned i = 0; i < array_size(flag_words); i++) {
		uint32_t bits = flag_register(&flag_words[i]);
		const char *name = flag_words[i].names;
		for (; *name; bits >>= 1) {
			size_t len = 0;
			while (name[len] && name[len] != ' ')
				len++;
			if (bits & 1 && *name != '-')
				text_add(t, " %.*s", (int)len, name);
			name += len + (name[len] == ' ');
		}
	}
}

static void add_model_name(struct text *t)
{
	char name[49] = "unknown";
	if (leaf_exists(0x80000004)) {
		for (uint32_t i = 0; i < 3; i++) {
			struct cpuid c = cpuid(0x80000002 + i, 0);
			memcpy(name + 16 * i, &c, 16);
		}
		name[48] = '\0';
	}
	const char *from = name;
	while (*from == ' ')
		from++;
	text_add(t, "model name\t: %s\n", from);
}

int cpu_describe(unsigned cpu, char *buf, size_t size)
{
	struct text t;
	text_init(&t, buf, size);
	struct cpuid c = cpuid(0, 0), id = cpuid(1, 0);
	uint32_t vendor[3] = {c.ebx, c.edx, c.ecx};
	unsigned family = id.eax >> 8 & 15, model = id.eax >> 4 & 15;
	if (family == 6 || family == 15)
		model |= (id.eax >> 16 & 15) << 4;
	if (family == 15)
		family += id.eax >> 20 & 255;
	unsigned long khz = (unsigned long)(clock_tsc_rate() / 1000);
	text_add(&t, "processor\t: %u\nvendor_id\t: %.12s\n", cpu, (const char *)vendor);
	text_add(&t, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
	add_model_name(&t);
	text_add(&t, "stepping\t: %u\nmicrocode\t: 0x1\n", id.eax & 15);
	text_add(&t, "cpu MHz\t\t: %lu.%03lu\ncache size\t: 16384 KB\n", khz / 1000, khz % 1000);
	text_add(&t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
		cpu_possible(), cpu, cpu_possible());
	/* One that is still starting has not said. */
	unsigned apic_id = cpu_locals[cpu] ? cpu_locals[cpu]->apic_id : cpu;
	text_add(&t, "apicid\t\t: %u\ninitial apicid\t: %u\n", apic_id, apic_id);
	text_add(&t,
		"fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:",
		c.eax);
	add_flags(&t);
	uint32_t sizes = cpuid(0x80000008, 0).eax;
	text_add(&t, "\nbugs\t\t:\nbogomips\t: %lu.%02lu\n", khz / 500, khz / 5 % 100);
	text_add(&t, "clflush size\t: 64\ncache_alignment\t: 64\n");
	text_add(&t, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		sizes & 255, sizes >> 8 & 255);
	return (int)t.len;
}
