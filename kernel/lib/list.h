/* Doubly linked list with a head, links inside the objects. */
#pragma once

#include "kernel/lib/base.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert(struct list *prev, struct list *next, struct list *item)
{
	item->prev = prev;
	item->next = next;
	prev->next = item;
	next->prev = item;
}

static inline void list_push_front(struct list *head, struct list *item)
{
	list_insert(head, head->next, item);
}

static inline void list_push_back(struct list *head, struct list *item)
{
	list_insert(head->prev, head, item);
}

/* The item may be removed again, or asked with list_empty() whether it is on a list. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* First item off the list, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *item = head->next;
	if (item == head)
		return NULL;
	list_remove(item);
	return item;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(pos, head, member)                                                           \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);     \
		pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* pos may be removed in the body. */
#define list_for_each_safe(pos, tmp, head, member)                                                 \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                             \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);                          \
		&pos->member != (head);                                                            \
		pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
