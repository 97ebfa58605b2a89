/*
 * libFuzzer over the command's ELF reader: whatever the bytes, it answers, reads nothing outside of
 * them and leaks nothing.  The reader's few sources are compiled in, the kernel's library is not used.
 */
#include <stdint.h>
#include <string.h>

#include "cli/elf_file.c"
#include "cli/memory.c"
#include "cli/progress.c"
#undef LINE_MAX_BYTES
#include "cli/report.c"
#include "cli/text.c"

static int read_bytes(void *context, uint64_t offset, void *buf, size_t len)
{
	memcpy(buf, (const uint8_t *)context + offset, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_input in = {
		.read = read_bytes, .context = (void *)(uintptr_t)data, .size = size};
	struct elf_file elf;
	const char *why = NULL;

	if (elf_file_read(&in, &elf, &why) < 0)
		return why ? 0 : (__builtin_trap(), 0);
	(void)elf_file_names_symbol(&elf, "pthread_exit");
	(void)elf_machine_name(elf.machine);
	elf_file_free(&elf);
	return 0;
}
