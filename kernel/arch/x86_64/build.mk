# What the top Makefile needs to know of this port: flags, extra objects (the vDSO), the linker script.
arch_flags := -m64 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
arch_script := kernel/arch/x86_64/kernel.ld
arch_objects := $(BUILD)/x86_64/vdso-image.o

# A shared object in the program's eyes: ordinary code, not the kernel's flags.
vdso_flags := -std=c11 -O2 -g -fpic -ffreestanding -fno-stack-protector -fno-builtin -fomit-frame-pointer \
	-fasynchronous-unwind-tables -fvisibility=hidden -mgeneral-regs-only -Wall -Wextra -Wshadow -Werror -I.

$(BUILD)/x86_64/vdso.so: kernel/arch/x86_64/vdso/vdso.c kernel/arch/x86_64/vdso/data.h kernel/arch/x86_64/vdso/vdso.ld
	@mkdir -p $(@D)
	$(call say,VDSO,$<)
	$(Q)$(CC) $(vdso_flags) -c $< -o $(@:.so=.o)
	$(Q)ld -shared -soname linux-vdso.so.1 --hash-style=both --eh-frame-hdr --build-id=none -z max-page-size=4096 \
		-z noexecstack -T kernel/arch/x86_64/vdso/vdso.ld -o $@ $(@:.so=.o)
	$(Q)strip --strip-unneeded $@

$(BUILD)/x86_64/vdso-image.o: kernel/arch/x86_64/vdso/image.S $(BUILD)/x86_64/vdso.so
	$(Q)$(CC) -DVDSO_FILE='"$(BUILD)/x86_64/vdso.so"' -c $< -o $@
