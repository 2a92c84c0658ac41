/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intrusive doubly linked lists. The head is a struct list of its own; an empty
 * list points to itself, and so does a link that is on no list (after
 * list_init or list_del), so list_del on it is harmless. One owner, no locks.
 */
#ifndef WEIR_BASE_LIST_H
#define WEIR_BASE_LIST_H

#include "base.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/** True if the link stands on some list. */
static inline bool list_is_linked(const struct list *link)
{
	return link->next != link;
}

static inline void list_insert_between_(struct list *link, struct list *prev, struct list *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

static inline void list_add_head(struct list *head, struct list *link)
{
	list_insert_between_(link, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	list_insert_between_(link, head->prev, head);
}

/** Takes the link off its list and leaves it initialised. */
static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/** Takes the first link off and returns it; NULL if the list is empty. */
static inline struct list *list_pop_head(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_del(link);
	return link;
}

/** Moves all of `from` to the tail of `to`; `from` is empty afterwards. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(link, type, member) CONTAINER_OF(link, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(link, head) \
	for (struct list *link = (head)->next; link != (head); link = link->next)

/* The current link may be removed inside the loop; its neighbour may not. */
#define list_for_each_safe(link, head)                                                    \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
		link = link##_next, link##_next = link->next)

#endif
