/* The machine's options from command-line words.  One table says which word sets what. */
#include "kernel/options.h"

#include "abi/boot.h"
#include "abi/channel.h"
#include "abi/debug.h"
#include "abi/linux/errno.h"
#include "kernel/lib/command_line.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

/* Words of other readers: the port, or Linux's that mean nothing here. */
static const char *const elsewhere[] = {"panic", "mote.time", "mote.exit_port", "mote.status_port",
	"mote.tsc_khz", "earlyprintk", "reboot", "acpi", "nomodules", "pci", "tsc", "lpj",
	"i8042.noaux", "i8042.nomux", "i8042.dumbkbd", "random.trust_cpu", "rootfstype",
	"BOOT_IMAGE"};

static int list_add(struct string_list *list, const char *s)
{
	char **items = heap_resize(list->items, (list->n + 1) * sizeof(char *));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n] = heap_string(s);
	if (!items[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

/* NAME=VALUE into the environment, replacing an earlier value of NAME. */
static int environment_set(struct string_list *list, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t n = equals ? (size_t)(equals - assignment) + 1 : 0;
	if (n < 2) {
		log_warn("mote.env=%s: not NAME=VALUE: left out", assignment);
		return 0;
	}
	for (unsigned i = 0; i < list->n; i++) {
		if (strncmp(list->items[i], assignment, n) != 0)
			continue;
		char *copy = heap_string(assignment);
		if (!copy)
			return -ENOMEM;
		heap_free(list->items[i]);
		list->items[i] = copy;
		return 0;
	}
	return list_add(list, assignment);
}

static int set_string(char **field, const char *value)
{
	char *copy = heap_string(value);
	if (!copy)
		return -ENOMEM;
	heap_free(*field);
	*field = copy;
	return 0;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void set_seed(struct options *o, const char *hex)
{
	o->seed_len = 0;
	while (o->seed_len < sizeof(o->seed) && hex_value(hex[0]) >= 0 && hex_value(hex[1]) >= 0) {
		o->seed[o->seed_len++] = (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1]));
		hex += 2;
	}
}

static unsigned number(const char *digits)
{
	unsigned n = 0;
	for (; *digits >= '0' && *digits <= '9' && n < 1000000; digits++)
		n = 10 * n + (unsigned)(*digits - '0');
	return n;
}

/* A word without '='. */
static void set_flag(struct options *o, const char *word)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {{"quiet", &o->quiet}, {"mote.missing-files", &o->missing_files},
		{BOOT_CONTROL_OPTION, &o->control}, {CHANNEL_OPTION, &o->channel},
		{DEBUG_OPTION, &o->debug}, {"mote.tty", &o->terminal},
		{"mote.trace-paths", &o->trace_paths}, {"mote.allow-or-end", &o->allow_or_end},
		{"mote.count-calls", &o->count_calls}};

	for (size_t i = 0; i < array_size(flags); i++)
		if (strcmp(word, flags[i].word) == 0) {
			*flags[i].flag = true;
			return;
		}
	if (strcmp(word, "rw") == 0)
		o->in_place = true;
	else if (strcmp(word, "ro") == 0)
		o->in_place = false;
	else if (string_starts_with(word, "mote."))
		log_warn("%s: no such option", word);
}

static int set_value(struct options *o, const char *word, const char *key, const char *value)
{
	const struct {
		const char *key;
		char **field;
	} strings[] = {{"root", &o->root}, {"init", &o->init}, {"ip", &o->ip},
		{"console", &o->console}, {"mote.argv0", &o->argv0},
		{"mote.cwd", &o->working_directory}, {"mote.trace", &o->trace},
		{"mote.allow", &o->allow}};

	for (size_t i = 0; i < array_size(strings); i++)
		if (strcmp(key, strings[i].key) == 0)
			return set_string(strings[i].field, value);
	for (size_t i = 0; i < array_size(elsewhere); i++)
		if (strcmp(key, elsewhere[i]) == 0)
			return 0;
	if (strcmp(key, "virtio_mmio.device") == 0)
		return list_add(&o->virtio_mmio, value);
	if (strcmp(key, "mote.mount") == 0)
		return list_add(&o->mounts, value);
	if (strcmp(key, "mote.env") == 0)
		return environment_set(&o->environment, value);
	if (strcmp(key, "mote.trace-size") == 0) {
		o->trace_size = number(value);
		return 0;
	}
	if (strcmp(key, "mote.seed") == 0) {
		set_seed(o, value);
		return 0;
	}
	/* As Linux: a name with a dot is some module's parameter, the rest is the program's. */
	if (strchr(key, '.')) {
		if (string_starts_with(key, "mote."))
			log_warn("%s: no such option", key);
		return 0;
	}
	return environment_set(&o->environment, word);
}

static int parse_word(struct options *o, char *word)
{
	char *equals = strchr(word, '=');
	if (!equals) {
		set_flag(o, word);
		return 0;
	}
	char *key = heap_string(word);
	if (!key)
		return -ENOMEM;
	key[equals - word] = '\0';
	int err = set_value(o, word, key, equals + 1);
	heap_free(key);
	return err;
}

int options_parse(struct options *o, const char *text)
{
	size_t size = strlen(text) + 1;
	char *word = heap_alloc(size);
	if (!word)
		return -ENOMEM;
	int err = 0;
	bool arguments = false;
	while (err == 0 && command_line_word(&text, word, size) >= 0) {
		if (arguments)
			err = list_add(&o->arguments, word);
		else if (strcmp(word, "--") == 0)
			arguments = o->has_arguments = true;
		else
			err = parse_word(o, word);
	}
	heap_free(word);
	return err;
}

static void string_default(char **field, char *value)
{
	if (*field)
		heap_free(value);
	else
		*field = value;
}

static void list_free(struct string_list *list)
{
	for (unsigned i = 0; i < list->n; i++)
		heap_free(list->items[i]);
	heap_free(list->items);
}

int options_add_defaults(struct options *o, const char *text)
{
	struct options below = {0};
	int err = options_parse(&below, text);
	if (err < 0)
		return err;
	/* Another program than the image's has its own arguments and name. */
	if (!o->init && !o->has_arguments) {
		o->arguments = below.arguments;
		below.arguments = (struct string_list){0};
	}
	if (o->init) {
		heap_free(below.argv0);
		below.argv0 = NULL;
	}
	string_default(&o->init, below.init);
	string_default(&o->argv0, below.argv0);
	string_default(&o->ip, below.ip);
	string_default(&o->working_directory, below.working_directory);
	heap_free(below.root);
	heap_free(below.console);
	for (unsigned i = 0; i < o->environment.n && err == 0; i++)
		err = environment_set(&below.environment, o->environment.items[i]);
	list_free(&o->environment);
	o->environment = below.environment;
	list_free(&below.arguments);
	list_free(&below.virtio_mmio);
	string_default(&o->trace, below.trace);
	string_default(&o->allow, below.allow);
	o->allow_or_end |= below.allow_or_end;
	o->missing_files |= below.missing_files;
	return err;
}
