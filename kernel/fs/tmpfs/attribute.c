/*
 * Extended attributes of the tree in memory: a list, names being few.  What a lower file has shows until the first change;
 * then all of it is copied up, so that a removed one stays gone.
 */
#include "abi/linux/errno.h"
#include "abi/linux/xattr.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define BYTES_MAX (128u << 10) /* of one file, names and values */

struct attribute {
	struct attribute *next;
	size_t name_len, len; /* name_len with the NUL */
	char name[];          /* and the value behind it */
};

static size_t bytes_of(const struct attribute *a)
{
	return sizeof(*a) + a->name_len + a->len;
}

/* Where the attribute hangs, or where a new one would. */
static struct attribute **find(struct node *n, const char *name)
{
	struct attribute **at = &n->attributes;
	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static struct inode *shown_lower(struct node *n)
{
	return n->attributes_own || !n->lower || !n->lower->ops->xattr_get ? NULL : n->lower;
}

/* Bytes go from the tmpfs's account. */
static int charge(struct node *n, size_t bytes)
{
	struct tmpfs *t = n->inode.super->private;
	uint64_t all = atomic_fetch_add(&t->n_attribute_bytes, bytes) + bytes;
	if (n->n_attribute_bytes + bytes > BYTES_MAX || t->n_used + all / PAGE_SIZE >= t->limit) {
		atomic_fetch_sub(&t->n_attribute_bytes, bytes);
		return -ENOSPC;
	}
	n->n_attribute_bytes += bytes;
	return 0;
}

static void drop(struct node *n, struct attribute **at)
{
	struct attribute *a = *at;
	struct tmpfs *t = n->inode.super->private;
	*at = a->next;
	n->n_attribute_bytes -= bytes_of(a);
	atomic_fetch_sub(&t->n_attribute_bytes, bytes_of(a));
	heap_free(a);
}

static int add(
	struct node *n, struct attribute **at, const char *name, const void *value, size_t len)
{
	size_t name_len = strlen(name) + 1;
	struct attribute *a = heap_alloc(sizeof(*a) + name_len + len);
	if (!a)
		return -ENOMEM;
	*a = (struct attribute){.name_len = name_len, .len = len};
	int err = charge(n, bytes_of(a));
	if (err < 0) {
		heap_free(a);
		return err;
	}
	memcpy(a->name, name, name_len);
	memcpy(a->name + name_len, value, len);
	a->next = *at;
	*at = a;
	return 0;
}

void attributes_free(struct node *n)
{
	while (n->attributes)
		drop(n, &n->attributes);
}

/* One attribute of the lower file; value is room for the largest. */
static int copy_one(struct node *n, const char *name, char *value)
{
	long len = n->lower->ops->xattr_get(n->lower, name, value, XATTR_SIZE_MAX);
	return len < 0 ? (int)len : add(n, find(n, name), name, value, (size_t)len);
}

static int copy_all(struct node *n, char *names, char *value)
{
	long len = n->lower->ops->xattr_list(n->lower, names, XATTR_LIST_MAX);
	int err = len < 0 ? (int)len : 0;
	for (long at = 0; !err && at < len; at += (long)strlen(names + at) + 1)
		err = copy_one(n, names + at, value);
	return err;
}

static int copy_up(struct node *n)
{
	if (!shown_lower(n))
		return 0;
	char *room = heap_alloc(XATTR_LIST_MAX + XATTR_SIZE_MAX);
	if (!room)
		return -ENOMEM;
	mutex_lock(&n->lower->lock);
	int err = copy_all(n, room, room + XATTR_LIST_MAX);
	mutex_unlock(&n->lower->lock);
	heap_free(room);
	if (err < 0)
		attributes_free(n);
	return err;
}

static long give(const void *from, size_t len, void *to, size_t size)
{
	if (!size)
		return (long)len;
	if (len > size)
		return -ERANGE;
	memcpy(to, from, len);
	return (long)len;
}

long node_xattr_get(struct inode *i, const char *name, void *value, size_t size)
{
	struct node *n = node_of(i);
	struct inode *lower = shown_lower(n);
	if (lower) {
		mutex_lock(&lower->lock);
		long len = lower->ops->xattr_get(lower, name, value, size);
		mutex_unlock(&lower->lock);
		return len;
	}
	struct attribute *a = *find(n, name);
	return a ? give(a->name + a->name_len, a->len, value, size) : -ENODATA;
}

/* The old one goes when the new one is there. */
static int replace(struct node *n, const char *name, const void *value, size_t len, int flags)
{
	struct attribute **at = find(n, name), *old = *at;
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (!value || (flags & XATTR_REPLACE)))
		return -ENODATA;
	int err = value ? add(n, at, name, value, len) : 0;
	if (!err && old)
		drop(n, value ? &(*at)->next : at);
	return err;
}

int node_xattr_set(struct inode *i, const char *name, const void *value, size_t len, int flags)
{
	struct node *n = node_of(i);
	int err = copy_up(n);
	if (err < 0)
		return err;
	n->attributes_own = true;
	node_pin(n);
	return replace(n, name, value, len, flags);
}

long node_xattr_list(struct inode *i, char *list, size_t size)
{
	struct node *n = node_of(i);
	struct inode *lower = shown_lower(n);
	if (lower) {
		mutex_lock(&lower->lock);
		long len = lower->ops->xattr_list(lower, list, size);
		mutex_unlock(&lower->lock);
		return len;
	}
	size_t len = 0;
	for (struct attribute *a = n->attributes; a; a = a->next) {
		if (size && a->name_len > size - len)
			return -ERANGE;
		if (size)
			memcpy(list + len, a->name, a->name_len);
		len += a->name_len;
	}
	return len > XATTR_LIST_MAX ? -E2BIG : (long)len;
}
