/* After relocation the GOT is read-only where it was asked for. */
/* test: cflags='-Wl,-z,relro,-z,now' */
#include "lib/check.h"
#include <elf.h>
#include <link.h>
#include <setjmp.h>

static sigjmp_buf back;
static char *relro;

static int find(struct dl_phdr_info *info, size_t size, void *unused)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			relro = (char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
	return 1;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	siglongjmp(back, info->si_code);
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	dl_iterate_phdr(find, NULL);
	is(relro != NULL);
	int code = sigsetjmp(back, 1);
	if (code == 0) {
		*(volatile char *)relro = 1;
		puts("written");
	} else
		printf("refused, code %d\n", code);
	return 0;
}
