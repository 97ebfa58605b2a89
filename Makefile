# mote: one program, one machine.  `make` builds build/mote and build/kernel-$(ARCH).elf; sources are found by folder.
# Switches: ARCH (x86_64), DEBUG=1 (-Og, extra checks), SAN=1 (the command under ASan+UBSan), CC, V=1 (show commands).
ARCH   ?= x86_64
CC      = gcc
BUILD  ?= build
JOBS   ?= $(shell nproc)
Q       = $(if $(V),,@)
comma  := ,
say     = @printf '  %-5s %s\n' $(1) $(2)

.PHONY: all kernel command stress checked demo test test-all check check-layers check-headers check-format check-clang \
	unit fuzz coverage deps debug install clean format docs
all: command kernel

# --- kernel ------------------------------------------------------------------

kernel_folders := kernel kernel/lib kernel/mem kernel/sched kernel/dev kernel/file kernel/fs $(wildcard kernel/fs/*/) \
	kernel/net kernel/ipc kernel/proc kernel/inspect kernel/syscall kernel/syscall/uring kernel/arch/$(ARCH)
kernel_sources := $(sort $(foreach d,$(patsubst %/,%,$(kernel_folders)),$(wildcard $(d)/*.c) $(wildcard $(d)/*.S)))
kernel_sources := $(filter-out $(if $(wildcard kernel/arch/$(ARCH)/memory.S),kernel/lib/memory.c),$(kernel_sources))
kernel_objects := $(patsubst %,$(BUILD)/$(ARCH)/%.o,$(basename $(kernel_sources)))

warnings := -Wall -Wextra -Wshadow -Wimplicit-fallthrough -Wvla -Werror
# Small by default; fast where every system call and packet passes.
hot := kernel/lib/% kernel/mem/% kernel/sched/% kernel/arch/% kernel/net/checksum.c kernel/net/tcp_input.c \
	kernel/net/tcp_output.c kernel/net/tcp_ack.c kernel/net/tcp_receive.c kernel/net/tcp_stream.c \
	kernel/net/net.c kernel/net/route.c kernel/net/demux.c kernel/net/ip.c kernel/net/payload.c kernel/net/ethernet.c kernel/net/tcp_timer.c \
	kernel/net/socket.c kernel/file/epoll.c kernel/file/fd_table.c kernel/file/file.c kernel/dev/virtio_net.c \
	kernel/dev/packet.c kernel/dev/virtqueue.c kernel/syscall/dispatch.c
optimise = $(if $(DEBUG),-Og -DDEBUG,$(if $(filter $(hot),$<),-O2,-Os -mmemcpy-strategy=unrolled_loop:128:noalign$(comma)libcall:-1:noalign \
	-mmemset-strategy=unrolled_loop:128:noalign$(comma)libcall:-1:noalign))
kernel_flags := -std=c11 -g -ffreestanding -fno-pic -fno-omit-frame-pointer -momit-leaf-frame-pointer \
	-fno-stack-protector -fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections $(warnings) -I. -Ikernel/arch/$(ARCH) -MMD -MP

# The port adds what it needs: machine flags, arch_objects (the vDSO), the linker script's name.
include kernel/arch/$(ARCH)/build.mk

kernel := $(BUILD)/kernel-$(ARCH).elf
kernel: $(kernel)

$(BUILD)/$(ARCH)/%.o: %.c Makefile kernel/arch/$(ARCH)/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(kernel_flags) $(optimise) $(arch_flags) -c $< -o $@

$(BUILD)/$(ARCH)/%.o: %.S Makefile kernel/arch/$(ARCH)/build.mk
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(kernel_flags) $(arch_flags) -D__ASSEMBLY__ -c $< -o $@

# Linked twice: the second time with the table of its own symbols, for backtraces.  What is delivered goes without it:
# the command puts names to a report's addresses with the file that has them.
link = $(call link_objects,$(kernel_objects))
link_objects = ld -nostdlib -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --build-id=none --gc-sections \
	-T $(arch_script) -o $@ $(1) $(arch_objects)

$(BUILD)/$(ARCH)/symbols-none.o: tools/symbols
	@mkdir -p $(@D)
	$(Q)tools/symbols < /dev/null | $(CC) -x assembler -c - -o $@

$(BUILD)/$(ARCH)/kernel-unnamed.elf: $(kernel_objects) $(arch_objects) $(arch_script) $(BUILD)/$(ARCH)/symbols-none.o
	$(call say,LD,$@)
	$(Q)$(link) $(BUILD)/$(ARCH)/symbols-none.o

$(BUILD)/$(ARCH)/symbols.o: $(BUILD)/$(ARCH)/kernel-unnamed.elf tools/symbols
	$(Q)nm -n $< | tools/symbols | $(CC) -x assembler -c - -o $@

$(kernel): $(BUILD)/$(ARCH)/kernel-unnamed.elf $(BUILD)/$(ARCH)/symbols.o
	$(call say,LD,$@)
	$(Q)$(link) $(BUILD)/$(ARCH)/symbols.o
	$(Q)strip --strip-all -o $(@:.elf=.stripped.elf) $<

# A kernel of its own in place of kernel/main.c: the lowest layers under load (tests/kernel/stress.c).
stress_objects := $(filter $(foreach d,lib mem sched arch,$(BUILD)/$(ARCH)/kernel/$(d)/%),$(kernel_objects)) \
	$(BUILD)/$(ARCH)/tests/kernel/stress.o
stress: $(BUILD)/stress-$(ARCH).elf
$(BUILD)/stress-$(ARCH).elf: $(stress_objects) $(arch_objects) $(BUILD)/$(ARCH)/symbols-none.o
	$(call say,LD,$@)
	$(Q)$(call link_objects,$(stress_objects)) $(BUILD)/$(ARCH)/symbols-none.o

# Both kernels and the command with the checks of DEBUG=1, for tests.
checked:
	$(Q)$(MAKE) -s DEBUG=1 BUILD=$(BUILD)/checked all stress

# --- command -----------------------------------------------------------------

command_sources := $(wildcard cli/*.c) $(wildcard cli/*/*.c)
command_objects := $(patsubst %.c,$(BUILD)/host/%.o,$(command_sources)) $(BUILD)/host/syscall_list.o
host_sanitize := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
libraries := ext2fs com_err libarchive jansson
host_flags = -std=c11 -D_GNU_SOURCE -g $(if $(DEBUG),-Og,-O2) $(warnings) $(host_sanitize) -fstack-protector-strong \
	-I. $(shell pkg-config --cflags $(libraries) 2>/dev/null) -MMD -MP

command: $(BUILD)/mote

# The names and signatures of system calls, for mote trace.
$(BUILD)/host/syscall_list.o: kernel/syscall/table.def tools/syscall-table cli/trace/calls.h
	@mkdir -p $(@D)
	$(Q)tools/syscall-table --list | $(CC) $(host_flags) -x c -c - -o $@

$(BUILD)/mote: $(command_objects)
	$(call say,LD,$@)
	$(Q)$(CC) $(host_sanitize) -o $@ $^ $(shell pkg-config --libs $(libraries))

$(BUILD)/host/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(host_flags) -c $< -o $@

# --- the portable folders on the host: unit tests and fuzzers ------------------

portable_sources := $(filter-out kernel/lib/memory.c,$(sort $(foreach d,kernel/lib kernel/mem kernel/sched kernel/file \
	kernel/fs kernel/fs/ext4 kernel/fs/tmpfs kernel/fs/overlay kernel/fs/proc kernel/fs/sys kernel/fs/dev kernel/net \
	kernel/arch/host,$(wildcard $(d)/*.c)) $(wildcard kernel/dev/block.c kernel/dev/block_batch.c kernel/dev/partition.c kernel/dev/netif.c kernel/dev/packet.c kernel/proc/elf.c)))
portable_flags := -std=c11 -D_GNU_SOURCE -g -O1 -fno-strict-aliasing -fno-builtin -Wall -Wextra -Wshadow -Werror -I. \
	-Ikernel/arch/host -MMD -MP
unit_flags := $(portable_flags) -fsanitize=address$(comma)undefined -fno-sanitize-recover=all
unit_objects := $(patsubst %.c,$(BUILD)/unit/%.o,$(portable_sources))
unit_programs := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
fuzz_objects := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(portable_sources))
fuzz_programs := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))

unit: $(unit_programs)
fuzz: $(fuzz_programs)

$(BUILD)/unit/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,"$< (host)")
	$(Q)gcc $(unit_flags) -c $< -o $@

$(BUILD)/unit/libportable.a: $(unit_objects)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/unit/libportable.a
	$(call say,LD,$@)
	$(Q)gcc $(unit_flags) -o $@ $< -Wl,--start-group $(BUILD)/unit/libportable.a -Wl,--end-group -lpthread

$(BUILD)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)clang $(portable_flags) -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -c $< -o $@

$(BUILD)/fuzz/libportable.a: $(fuzz_objects)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz/libportable.a
	$(call say,LD,$@)
	$(Q)clang $(portable_flags) -fsanitize=fuzzer$(comma)address$(comma)undefined -o $@ $< $(BUILD)/fuzz/libportable.a -lpthread

# --- what people type ------------------------------------------------------------

deps:
	$(Q)command -v python3 > /dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends python3; }
	$(Q)tools/deps

demo: deps
	$(Q)$(MAKE) -j$(JOBS) all
	$(Q)tools/demo

test: deps
	$(Q)$(MAKE) -j$(JOBS) all unit
	$(Q)$(MAKE) check
	$(Q)tests/run quick

test-all: deps
	$(Q)tools/deps apps
	$(Q)$(MAKE) -j$(JOBS) all unit fuzz
	$(Q)$(MAKE) check check-clang
	$(Q)tests/run all

# Lines of kernel/ that the guest tests run through, by folder; TESTS="guest apps/nginx" chooses others.
coverage: all
	$(Q)tools/coverage $(TESTS)

# A machine that waits for gdb, and gdb attached to it with the kernel's symbols: make debug PROGRAM="path args".
debug: all
	$(Q)tools/debug $(kernel) $(PROGRAM)

check: check-layers check-headers check-format

check-layers:
	$(Q)tools/check-layers

check-headers:
	$(Q)CC=$(CC) ARCH=$(ARCH) tools/check-headers

check-format:
	$(Q)tools/check-format

check-clang:
	$(Q)ARCH=$(ARCH) tools/check-clang

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 -i

docs:
	$(Q)tools/syscall-table > docs/syscalls.md
	$(Q)tools/programs-table > docs/programs.md.new && mv docs/programs.md.new docs/programs.md

PREFIX ?= /usr/local
install: all
	install -D -m 755 $(BUILD)/mote $(DESTDIR)$(PREFIX)/bin/mote
	install -D -m 644 $(kernel:.elf=.stripped.elf) $(DESTDIR)$(PREFIX)/lib/mote/kernel-$(ARCH).elf
	install -D -m 644 $(BUILD)/$(ARCH)/kernel-unnamed.elf $(DESTDIR)$(PREFIX)/lib/mote/kernel-$(ARCH).debug.elf
	mkdir -p $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 bash-completion/completions zsh/site-functions \
		fish/vendor_completions.d)
	$(BUILD)/mote manual > $(DESTDIR)$(PREFIX)/share/man/man1/mote.1
	for c in $$($(BUILD)/mote --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p'); do \
		$(BUILD)/mote manual $$c > $(DESTDIR)$(PREFIX)/share/man/man1/mote-$$c.1; done
	$(BUILD)/mote completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mote
	$(BUILD)/mote completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mote
	$(BUILD)/mote completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mote.fish

clean:
	rm -rf $(BUILD)

-include $(kernel_objects:.o=.d) $(command_objects:.o=.d) $(unit_objects:.o=.d) $(fuzz_objects:.o=.d)
