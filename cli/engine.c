/* KVM where it works and is fast, else translation; what was asked for is not replaced silently. */
#include "cli/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/engine_qemu.h"
#include "cli/host_facts.h"

enum engine engine_choose(char **why)
{
	struct host_facts f;

	host_facts_get(&f);
	if (f.kvm_error) {
		*why = string_format("/dev/kvm cannot be used: %s", strerror(f.kvm_error));
		return ENGINE_TCG;
	}
	bool fast = f.kvm_speed >= HOST_KVM_FAST_ENOUGH;

	*why = string_format("/dev/kvm runs kernel code at %" PRIu64 " million instructions per "
			     "second, which is %s",
		f.kvm_speed / 1000000, fast ? "fast" : "slower than translation");
	return fast ? ENGINE_QEMU : ENGINE_TCG;
}

/* Settles m->engine. */
static int settle(struct machine *m)
{
	struct host_facts f;
	char *why = NULL;

	if (m->engine == ENGINE_MOTE)
		return fail(ENOSYS,
			"cannot use --engine mote: the project's own monitor is not there "
			"yet: use auto, qemu or tcg");
	if (m->engine == ENGINE_QEMU) {
		host_facts_get(&f);
		if (f.kvm_error)
			return fail(f.kvm_error,
				"cannot use --engine qemu: /dev/kvm: %s: use --engine "
				"tcg",
				strerror(f.kvm_error));
	}
	if (m->engine == ENGINE_AUTO) {
		m->engine = engine_choose(&why);
		note("engine %s: %s", m->engine == ENGINE_TCG ? "tcg" : "qemu", why);
		free(why);
	}
	return 0;
}

int engine_start(struct machine *m, struct engine_process *p)
{
	int err = settle(m);

	return err < 0 ? err : engine_qemu_start(m, p);
}

int engine_print(struct machine *m)
{
	return settle(m) < 0 ? EXIT_MOTE_FAILED : engine_qemu_print(m);
}
