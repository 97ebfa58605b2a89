/* mote doctor: what this host offers, what would be chosen, and why. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/engine.h"
#include "cli/engine_qemu.h"
#include "cli/folders.h"
#include "cli/host_facts.h"
#include "cli/text.h"

/* A string or null, freeing it. */
static json_t *take_string(char *string)
{
	json_t *o = string ? json_string(string) : json_null();

	free(string);
	return o;
}

static json_t *kvm_json(void)
{
	struct host_facts f;

	host_facts_get(&f);
	json_t *o = json_object();

	json_object_set_new(o, "present", json_boolean(access("/dev/kvm", F_OK) == 0));
	json_object_set_new(o, "usable", json_boolean(!f.kvm_error));
	json_object_set_new(
		o, "problem", f.kvm_error ? json_string(strerror(f.kvm_error)) : json_null());
	json_object_set_new(o, "instructions_per_second", json_integer((json_int_t)f.kvm_speed));
	json_object_set_new(
		o, "fast", json_boolean(!f.kvm_error && f.kvm_speed >= HOST_KVM_FAST_ENOUGH));
	json_object_set_new(o, "tsc_khz", json_integer(f.tsc_khz));
	return o;
}

static json_t *examine(void)
{
	char *why = NULL, *qemu = NULL;
	enum engine engine = engine_choose(&why);
	char *version = engine_qemu_version(&qemu);
	json_t *o = json_object();

	json_object_set_new(o, "engine", json_string(engine == ENGINE_TCG ? "tcg" : "qemu"));
	json_object_set_new(o, "why", take_string(why));
	json_object_set_new(o, "kvm", kvm_json());
	json_object_set_new(o, "qemu", take_string(qemu));
	json_object_set_new(o, "qemu_version", take_string(version));
	json_object_set_new(o, "kernel", take_string(kernel_find()));
	json_object_set_new(o, "cache", take_string(folder_cache("images")));
	json_object_set_new(o, "e2fsck", take_string(tool_find("e2fsck")));
	return o;
}

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void print_row(const char *mark, const char *name, const char *text)
{
	printf("%-4s %-8s %s\n", mark, name, text);
}

static void print_kvm(json_t *kvm)
{
	const char *problem = text_of(kvm, "problem");
	char *text = problem ? string_format("/dev/kvm: %s", problem)
			     : string_format("/dev/kvm runs kernel code at %lld million "
					     "instructions per second",
				       (long long)json_integer_value(
					       json_object_get(kvm, "instructions_per_second")) /
					       1000000);

	print_row(json_is_true(json_object_get(kvm, "fast")) ? "ok"
		  : problem                                  ? "no"
							     : "slow",
		"kvm", text);
	free(text);
}

static void print_human(json_t *o)
{
	const char *qemu = text_of(o, "qemu"), *version = text_of(o, "qemu_version");
	const char *kernel = text_of(o, "kernel"), *cache = text_of(o, "cache");
	char *engine = string_format("%s, because %s", text_of(o, "engine"), text_of(o, "why"));
	char *found = string_format("%s (%s)", qemu, version ? version : "unknown version");

	print_row("ok", "engine", engine);
	print_kvm(json_object_get(o, "kvm"));
	print_row(qemu ? "ok" : "no", "qemu",
		qemu ? found
		     : "qemu-system-x86_64 is missing: install the package qemu-system-x86");
	print_row(kernel ? "ok" : "no", "kernel",
		kernel ? kernel : "kernel-x86_64.elf is missing: build it with make");
	print_row(cache ? "ok" : "no", "cache",
		cache ? cache : "cannot be written: set XDG_CACHE_HOME");
	print_row(text_of(o, "e2fsck") ? "ok" : "--", "e2fsck",
		text_of(o, "e2fsck")
			?: "not there: only needed to check images by hand (package e2fsprogs)");
	free(engine);
	free(found);
}

int command_doctor(const struct options *options)
{
	json_t *o = examine();

	if (options->json) {
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_human(o);
	}
	bool works = text_of(o, "qemu") && text_of(o, "kernel") && text_of(o, "cache");

	json_decref(o);
	return works ? 0 : EXIT_MOTE_FAILED;
}
