/* Who uses an image: the locks tell that somebody does, the instances' configs tell who. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/debug/attach.h"
#include "cli/instance_view.h"
#include "cli/volume/volume.h"

#define ANSWER_MS 10000

char volume_use(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char use = '-';

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		use = flock(fd, LOCK_SH | LOCK_NB) < 0 ? 'w' : 'r';
	if (fd >= 0)
		close(fd);
	return use;
}

static bool uses(const struct instance_view *v, const char *file)
{
	const json_t *volumes = json_object_get(v->config, "volumes"), *one;
	size_t i;

	json_array_foreach(
		volumes, i, one) if (json_string_value(one) &&
				     strcmp(json_string_value(one), file) == 0) return true;
	return false;
}

static bool ask(const struct instance *i, const char *what)
{
	json_t *answer = control_ask(i, json_pack("{s:s}", "request", what), ANSWER_MS);
	bool did = answer && !json_object_get(answer, "error");

	json_decref(answer);
	return did;
}

/* First what it has written goes to the disk, so that the copy has it; then it stands. */
static int pause_one(const struct instance_view *v, struct string_list *paused)
{
	struct target t;

	if (attach_open(v->instance.name, &t, NULL, NULL) >= 0) {
		if (target_sync(&t) < 0)
			warn("%s did not write back: the copy has what it had fsynced",
				v->instance.name);
		attach_close(&t);
	}
	if (!ask(&v->instance, "pause"))
		return fail(EBUSY,
			"cannot copy the volume while %s writes to it: its machine can not be "
			"halted",
			v->instance.name);
	list_add(paused, v->instance.name);
	return 0;
}

int volume_users_pause(const char *file, struct string_list *paused)
{
	const struct string_list all = {0};
	struct instance_view *v = NULL;
	char *real = realpath(file, NULL);
	size_t n = 0;
	int err = 0;

	if (!real || volume_use(file) == '-' || instance_views(&all, VIEW_ALIVE, &v, &n) < 0)
		n = 0;
	for (size_t i = 0; err >= 0 && i < n; i++)
		if (uses(&v[i], real) && strcmp(v[i].status, "running") == 0)
			err = pause_one(&v[i], paused);
	instance_views_free(v, n);
	free(real);
	return err;
}

void volume_users_resume(struct string_list *paused)
{
	for (size_t i = 0; i < paused->n; i++) {
		struct instance instance;

		if (instance_open(paused->items[i], &instance) < 0)
			continue;
		if (!ask(&instance, "unpause"))
			warn("%s stands still: mote unpause %s", instance.name, instance.name);
		instance_close(&instance);
	}
	list_free(paused);
}
