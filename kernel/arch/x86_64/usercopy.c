/* User memory: the addresses are checked here, once; copy.S and the fix-ups do the rest. */
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/trap.h"
#include "kernel/arch/x86_64/uaccess.h"

int user_copy(void *to, const void *from, size_t n);
int user_fill_zero(uintptr_t to, size_t n);
long user_string_copy(char *to, uintptr_t from, size_t max);

static bool in_user(user_addr a, size_t n)
{
	lock_check_user_access();
	return n <= USER_END && a.va <= USER_END - n;
}

int copy_in(void *to, user_addr from, size_t n)
{
	return in_user(from, n) ? user_copy(to, (const void *)from.va, n) : -EFAULT;
}

int copy_out(user_addr to, const void *from, size_t n)
{
	return in_user(to, n) ? user_copy((void *)to.va, from, n) : -EFAULT;
}

int user_clear(user_addr to, size_t n)
{
	return in_user(to, n) ? user_fill_zero(to.va, n) : -EFAULT;
}

long user_string(char *to, user_addr from, size_t size)
{
	if (from.va >= USER_END)
		return -EFAULT;
	size_t max = min(size, USER_END - from.va);
	long len = user_string_copy(to, from.va, max);
	if (len < 0 || (size_t)len < max)
		return len;
	return max == size ? -ENAMETOOLONG : -EFAULT;
}

/* clang-format off */
int user_load_u32(user_addr at, uint32_t *out)
{
	uint32_t x;
	if (!in_user(at, sizeof(x)))
		return -EFAULT;
	__asm__ goto(USER_ACCESS_BEGIN
		"1: movl (%[at]), %%eax\n" FIXUP("1b", "%l[fault]") USER_ACCESS_END
		"movl %%eax, (%[to])\n"
		: : [at] "r"(at.va), [to] "r"(&x) : "eax", "memory" : fault);
	*out = x;
	return 0;
fault:
	__asm__ volatile(USER_ACCESS_END);
	return -EFAULT;
}

int user_exchange_u32(user_addr at, uint32_t expected, uint32_t new, uint32_t *old)
{
	uint32_t x = expected;
	if (!in_user(at, sizeof(x)))
		return -EFAULT;
	__asm__ goto(USER_ACCESS_BEGIN
		"movl (%[old]), %%eax\n"
		"1: lock cmpxchgl %[new], (%[at])\n" FIXUP("1b", "%l[fault]") USER_ACCESS_END
		"movl %%eax, (%[old])\n"
		: : [at] "r"(at.va), [new] "r"(new), [old] "r"(&x) : "eax", "cc", "memory" : fault);
	*old = x;
	return 0;
fault:
	__asm__ volatile(USER_ACCESS_END);
	return -EFAULT;
}
/* clang-format on */
