/* Segments.  How often one is attached is how many areas map its pages. */
#include "kernel/ipc/shm.h"

#include "abi/linux/errno.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page_cache.h"

#define SEGMENTS_MAX 4096u
#define SIZE_MAX_BYTES (UINT64_MAX - (1ul << 24)) /* what Linux says; memory ends sooner */

struct segment {
	struct ipc_object object; /* first */
	struct file *file;
	struct page_cache *cache; /* the file's */
	uint64_t size;
	int64_t attached, detached, changed;
	int creator, last;
	unsigned n_attaching;
};

static struct ipc_table segments = {.max = SEGMENTS_MAX};
atomic_uint shm_n_dying;

static struct segment *find(int id)
{
	return (struct segment *)ipc_find(&segments, id);
}

static unsigned n_attached(const struct segment *s)
{
	return atomic_load(&s->cache->n_areas);
}

/* --- coming and going --- */

static int segment_new(
	const struct ipc_caller *who, int key, uint64_t size, unsigned flags, struct segment **out)
{
	char name[24];
	uint64_t id, device;
	struct segment *s = heap_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	ipc_fill(&s->object, who, key, flags);
	s->size = size;
	s->changed = ipc_now();
	s->creator = who->pid;
	format(name, sizeof(name), "SYSV%08x", (unsigned)key);
	int err = vfs_memory_file(name, align_up(size, PAGE_SIZE), &s->file);
	if (err < 0)
		goto free_segment;
	err = s->file->ops->map(s->file, &s->cache, &id, &device);
	if (err < 0)
		goto put_file;
	*out = s;
	return 0;

put_file:
	file_put(s->file);
free_segment:
	heap_free(s);
	return err == -ENOSPC || err == -EFBIG ? -ENOMEM : err;
}

/* Not in the table (any more). */
static void segment_free(struct segment *s)
{
	if (!s)
		return;
	file_put(s->file);
	heap_free(s);
}

/* Out of the table if nobody needs it; the caller frees it without the lock. */
static struct segment *take_if_over(struct segment *s)
{
	if (!(s->object.mode & SHM_DEST) || n_attached(s) || s->n_attaching)
		return NULL;
	ipc_remove(&segments, &s->object);
	atomic_fetch_sub(&shm_n_dying, 1);
	return s;
}

void shm_sweep(void)
{
	for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
		irq_state state = spin_lock(&segments.lock);
		struct segment *s = (struct segment *)ipc_at(&segments, i);
		s = s ? take_if_over(s) : NULL;
		bool more = i + 1 < segments.size;
		spin_unlock(&segments.lock, state);
		segment_free(s);
		if (!more)
			break;
	}
}

long shm_get(const struct ipc_caller *who, int key, uint64_t size, unsigned flags)
{
	struct ipc_object *found = NULL;
	struct segment *s = NULL;
	shm_unmapped();
	irq_state state = spin_lock(&segments.lock);
	long result = ipc_lookup(&segments, who, key, flags, &found);
	if (result == 1)
		result = size > ((struct segment *)found)->size ? -EINVAL : found->id;
	spin_unlock(&segments.lock, state);
	if (result != 0 || found)
		return result;
	if (size == 0 || size > SIZE_MAX_BYTES)
		return -EINVAL;
	if (size > 1ull << 47 || (flags & SHM_HUGETLB))
		return -ENOMEM;
	int err = segment_new(who, key, size, flags, &s);
	if (err < 0)
		return err;
	state = spin_lock(&segments.lock);
	/* Somebody may have been quicker. */
	result = ipc_lookup(&segments, who, key, flags, &found);
	if (result == 0)
		result = ipc_add(&segments, &s->object);
	else if (result == 1)
		result = size > ((struct segment *)found)->size ? -EINVAL : found->id;
	if (result == 0 && !found) {
		result = s->object.id;
		s = NULL;
	}
	spin_unlock(&segments.lock, state);
	segment_free(s);
	return result;
}

int shm_attach(const struct ipc_caller *who, int id, unsigned mode, struct file **out,
	uint64_t *size, int *key)
{
	int err = 0;
	irq_state state = spin_lock(&segments.lock);
	struct segment *s = find(id);
	if (!s)
		err = -EINVAL;
	else if (!ipc_permits(&s->object, who, mode))
		err = -EACCES;
	if (err == 0) {
		s->n_attaching++;
		*out = s->file;
		*size = s->size;
		*key = s->object.key;
		file_get(s->file);
	}
	spin_unlock(&segments.lock, state);
	return err;
}

void shm_attached(int id, int pid, bool succeeded)
{
	irq_state state = spin_lock(&segments.lock);
	struct segment *s = find(id);
	if (s && s->n_attaching)
		s->n_attaching--;
	if (s && succeeded) {
		s->attached = ipc_now();
		s->last = pid;
	}
	spin_unlock(&segments.lock, state);
	shm_unmapped();
}

bool shm_is_segment(const struct page_cache *c, int pid)
{
	bool found = false;
	irq_state state = spin_lock(&segments.lock);
	for (unsigned i = 0; !found && i < segments.size; i++) {
		struct segment *s = (struct segment *)segments.slots[i];
		found = s && s->cache == c;
		if (found && pid >= 0) {
			s->detached = ipc_now();
			s->last = pid;
		}
	}
	spin_unlock(&segments.lock, state);
	return found;
}

/* --- shmctl(2) --- */

static void describe(const struct segment *s, struct linux_shmid_ds *out)
{
	*out = (struct linux_shmid_ds){
		.perm = ipc_describe(&s->object),
		.size = s->size,
		.attached = s->attached,
		.detached = s->detached,
		.changed = s->changed,
		.creator = s->creator,
		.last = s->last,
		.n_attached = n_attached(s),
	};
}

static long info(int command, union shm_argument *buf)
{
	if (command == IPC_INFO) {
		buf->limits = (struct linux_shminfo){
			.max = SIZE_MAX_BYTES,
			.min = 1,
			.n_max = SEGMENTS_MAX,
			.per_process = SEGMENTS_MAX,
			.all = SIZE_MAX_BYTES,
		};
		return ipc_last(&segments);
	}
	buf->usage = (struct linux_shm_info){.n_ids = (int)segments.n};
	for (unsigned i = 0; i < segments.size; i++) {
		struct segment *s = (struct segment *)segments.slots[i];
		if (!s)
			continue;
		buf->usage.total += div_round_up(s->size, PAGE_SIZE);
		buf->usage.resident += s->cache->n_pages;
	}
	return ipc_last(&segments);
}

static long change(
	const struct ipc_caller *who, struct segment *s, int command, const union shm_argument *buf)
{
	if (!ipc_owns(&s->object, who))
		return -EPERM;
	switch (command) {
	case IPC_SET:
		ipc_set(&s->object, &buf->ds.perm);
		s->changed = ipc_now();
		break;
	case SHM_LOCK: /* nothing is ever swapped out */
		s->object.mode |= SHM_LOCKED;
		break;
	case SHM_UNLOCK:
		s->object.mode &= ~SHM_LOCKED;
		break;
	default: /* IPC_RMID: with the last who has it attached */
		if (!(s->object.mode & SHM_DEST))
			atomic_fetch_add(&shm_n_dying, 1);
		s->object.mode |= SHM_DEST;
		s->object.key = IPC_PRIVATE;
	}
	return 0;
}

long shm_control(const struct ipc_caller *who, int id, int command, union shm_argument *buf)
{
	shm_unmapped();
	irq_state state = spin_lock(&segments.lock);
	bool by_slot = command == SHM_STAT || command == SHM_STAT_ANY;
	struct segment *s = by_slot ? (struct segment *)ipc_at(&segments, (unsigned)id) : find(id);
	long result = -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SHM_INFO:
		result = info(command, buf);
		break;
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		if (!s)
			break;
		describe(s, &buf->ds);
		result = by_slot ? s->object.id : 0;
		if (command != SHM_STAT_ANY && !ipc_permits(&s->object, who, 0444))
			result = -EACCES;
		break;
	case IPC_SET:
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		if (s)
			result = change(who, s, command, buf);
		break;
	}
	spin_unlock(&segments.lock, state);
	shm_unmapped();
	return result;
}

void shm_show(struct text *t)
{
	text_add(t,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid "
		" cuid  cgid      atime      dtime      ctime                   rss             "
		"     swap\n");
	irq_state state = spin_lock(&segments.lock);
	for (unsigned i = 0; i < segments.size; i++) {
		const struct segment *s = (struct segment *)segments.slots[i];
		if (!s)
			continue;
		const struct ipc_object *o = &s->object;
		text_add(t, "%10d %10d  %4o %21lu %5d %5d  %5u %5u %5u %5u %5u %10ld %10ld %10ld ",
			o->key, o->id, o->mode, s->size, s->creator, s->last, n_attached(s), o->uid,
			o->gid, o->cuid, o->cgid, s->attached, s->detached, s->changed);
		text_add(t, "%21lu %21u\n", s->cache->n_pages * PAGE_SIZE, 0u);
	}
	spin_unlock(&segments.lock, state);
}
