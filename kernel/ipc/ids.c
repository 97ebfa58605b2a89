/* Ids are slot + 32768 * sequence, as Linux makes them: an old one does not name a new object for a long time. */
#include "kernel/ipc/ids.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/mem/heap.h"

#define SLOT_BITS 15u
#define SEQUENCE_MAX 65535u

/* A free place behind the last one given out. */
static int find_slot(struct ipc_table *t)
{
	for (unsigned i = 1; i <= t->size; i++) {
		unsigned slot = (t->last_slot + i) % t->size;
		if (!t->slots[slot])
			return (int)slot;
	}
	return -1;
}

static int grow(struct ipc_table *t)
{
	unsigned size = min(t->size ? t->size * 2 : 16, t->max);
	if (size <= t->size)
		return -ENOSPC;
	struct ipc_object **slots = heap_resize(t->slots, size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (unsigned i = t->size; i < size; i++)
		slots[i] = NULL;
	if (t->size == 0)
		t->last_slot = size - 1;
	t->slots = slots;
	t->size = size;
	return 0;
}

int ipc_add(struct ipc_table *t, struct ipc_object *o)
{
	if (t->n >= t->max)
		return -ENOSPC;
	if (t->n == t->size) {
		int err = grow(t);
		if (err < 0)
			return err;
	}
	int slot = find_slot(t);
	assert(slot >= 0);
	if ((unsigned)slot <= t->last_slot)
		t->sequence = (t->sequence + 1) % SEQUENCE_MAX;
	t->last_slot = (unsigned)slot;
	o->id = (int)(t->sequence << SLOT_BITS | (unsigned)slot);
	t->slots[slot] = o;
	t->n++;
	return 0;
}

static unsigned slot_of(int id)
{
	return (unsigned)id & ((1u << SLOT_BITS) - 1);
}

void ipc_remove(struct ipc_table *t, struct ipc_object *o)
{
	t->slots[slot_of(o->id)] = NULL;
	t->n--;
}

struct ipc_object *ipc_at(struct ipc_table *t, unsigned slot)
{
	return slot < t->size ? t->slots[slot] : NULL;
}

struct ipc_object *ipc_find(struct ipc_table *t, int id)
{
	struct ipc_object *o = id < 0 ? NULL : ipc_at(t, slot_of(id));
	return o && o->id == id ? o : NULL;
}

int ipc_last(const struct ipc_table *t)
{
	unsigned i = t->size;
	while (i > 0 && !t->slots[i - 1])
		i--;
	return i ? (int)i - 1 : 0;
}

int ipc_lookup(struct ipc_table *t, const struct ipc_caller *who, int key, unsigned flags,
	struct ipc_object **out)
{
	if (key == IPC_PRIVATE)
		return 0;
	for (unsigned i = 0; i < t->size; i++) {
		struct ipc_object *o = t->slots[i];
		if (!o || o->key != key)
			continue;
		if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
			return -EEXIST;
		*out = o;
		return ipc_permits(o, who, flags & 0777) ? 1 : -EACCES;
	}
	return flags & IPC_CREAT ? 0 : -ENOENT;
}

static bool in_group(const struct ipc_caller *who, uint32_t gid)
{
	bool found = who->gid == gid;
	for (unsigned i = 0; !found && i < who->n_groups; i++)
		found = who->groups[i] == gid;
	return found;
}

bool ipc_permits(const struct ipc_object *o, const struct ipc_caller *who, unsigned mode)
{
	unsigned wanted = (mode >> 6 | mode >> 3 | mode) & 7, granted = o->mode;
	if (who->uid == o->uid || who->uid == o->cuid)
		granted >>= 6;
	else if (in_group(who, o->gid) || in_group(who, o->cgid))
		granted >>= 3;
	return !(wanted & ~granted) || who->overrides;
}

bool ipc_owns(const struct ipc_object *o, const struct ipc_caller *who)
{
	return who->uid == o->uid || who->uid == o->cuid || who->admin;
}

void ipc_fill(struct ipc_object *o, const struct ipc_caller *who, int key, unsigned flags)
{
	*o = (struct ipc_object){
		.key = key,
		.uid = who->uid,
		.gid = who->gid,
		.cuid = who->uid,
		.cgid = who->gid,
		.mode = flags & 0777,
	};
}

void ipc_set(struct ipc_object *o, const struct linux_ipc_perm *from)
{
	o->uid = from->uid;
	o->gid = from->gid;
	o->mode = (o->mode & ~0777u) | (from->mode & 0777);
}

struct linux_ipc_perm ipc_describe(const struct ipc_object *o)
{
	return (struct linux_ipc_perm){
		.key = o->key,
		.uid = o->uid,
		.gid = o->gid,
		.cuid = o->cuid,
		.cgid = o->cgid,
		.mode = o->mode,
		.sequence = (uint16_t)((unsigned)o->id >> SLOT_BITS),
	};
}

int64_t ipc_now(void)
{
	return (int64_t)(clock_realtime_ns() / NS_PER_S);
}
