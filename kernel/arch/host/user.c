/* Host port: user memory is the test's own.  Addresses below 64 KB and beyond USER_END fault. */
#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/trap.h"

static bool reachable(user_addr a, size_t n)
{
	return a.va >= USER_START && a.va < USER_END && n <= USER_END - a.va;
}

int copy_in(void *to, user_addr from, size_t n)
{
	if (!reachable(from, n))
		return -EFAULT;
	memcpy(to, (const void *)from.va, n);
	return 0;
}

int copy_out(user_addr to, const void *from, size_t n)
{
	if (!reachable(to, n))
		return -EFAULT;
	memcpy((void *)to.va, from, n);
	return 0;
}

int user_clear(user_addr to, size_t n)
{
	if (!reachable(to, n))
		return -EFAULT;
	memset((void *)to.va, 0, n);
	return 0;
}

long user_string(char *to, user_addr from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int err = copy_in(&to[i], user_offset(from, i), 1);
		if (err < 0)
			return err;
		if (to[i] == '\0')
			return (long)i;
	}
	return -ENAMETOOLONG;
}

int user_load_u32(user_addr at, uint32_t *out)
{
	return copy_in(out, at, sizeof(*out));
}

int user_exchange_u32(user_addr at, uint32_t expected, uint32_t new, uint32_t *old)
{
	int err = copy_in(old, at, sizeof(*old));
	if (err == 0 && *old == expected)
		err = copy_out(at, &new, sizeof(new));
	return err;
}
