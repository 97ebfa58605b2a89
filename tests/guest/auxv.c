/* The auxiliary vector: what libraries and runtimes look up, and the vDSO's symbols. */
#include "lib/check.h"
#include <elf.h>
#include <sys/auxv.h>

static int vdso_has(const Elf64_Ehdr *image, const char *name)
{
	const Elf64_Phdr *ph = (void *)((char *)image + image->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	long bias = 0;
	for (int i = 0; i < image->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			bias = (long)image + (long)ph[i].p_offset - (long)ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (void *)((char *)image + ph[i].p_offset);
	}
	const char *strings = NULL;
	const Elf64_Sym *symbols = NULL;
	for (; dyn && dyn->d_tag; dyn++) {
		if (dyn->d_tag == DT_STRTAB)
			strings = (void *)(bias + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_SYMTAB)
			symbols = (void *)(bias + dyn->d_un.d_ptr);
	}
	for (const Elf64_Sym *s = symbols + 1; (char *)s < strings; s++)
		if (!strcmp(strings + s->st_name, name))
			return 1;
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	printf("page size %lu, clock %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK));
	printf("ids %lu %lu %lu %lu secure %lu\n", getauxval(AT_UID), getauxval(AT_EUID),
		getauxval(AT_GID), getauxval(AT_EGID), getauxval(AT_SECURE));
	printf("platform %s\n", (char *)getauxval(AT_PLATFORM));
	char *file = (char *)getauxval(AT_EXECFN);
	is(file && !strcmp(strrchr(file, '/'), "/auxv"));
	unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
	int sum = 0;
	for (int i = 0; random && i < 16; i++)
		sum += random[i];
	is(sum > 0);
	const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
	is(ph && getauxval(AT_PHENT) == sizeof(*ph) && getauxval(AT_PHNUM) > 3 &&
		ph[0].p_type == PT_PHDR);
	is(getauxval(AT_ENTRY) != 0 && getauxval(AT_BASE) != 0);
	is(getauxval(AT_MINSIGSTKSZ) >= 512);
	const Elf64_Ehdr *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	is(vdso && !memcmp(vdso->e_ident, ELFMAG, 4));
	const char *names[] = {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
		"__vdso_getcpu", "__vdso_clock_getres"};
	for (size_t i = 0; vdso && i < COUNT(names); i++)
		printf("%s %s\n", names[i], vdso_has(vdso, names[i]) ? "there" : "absent");
	is(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
	return 0;
}
