/*
 * A virtio device played by a test: the core and the rings, built into the test, over registers
 * that are variables.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/host/host.h"

/* Drivers have such a function of their own. */
#define set_up set_up_queue
#include "kernel/dev/virtio.c"
#include "kernel/dev/virtqueue.c"
#include "kernel/lib/string.h"
#undef set_up

static const void *fake_config;
static unsigned fake_n_queues;
static uint64_t offered;
static uint8_t fake_status;
static uint32_t doorbell;

static uint32_t fake_get_features(struct virtio_device *d, unsigned word)
{
	(void)d;
	return (uint32_t)(offered >> 32 * word);
}

static void fake_set_features(struct virtio_device *d, unsigned word, uint32_t features)
{
	(void)d;
	assert(((uint64_t)features << 32 * word & ~offered) == 0);
}

static uint8_t fake_get_status(struct virtio_device *d)
{
	(void)d;
	return fake_status;
}

static void fake_set_status(struct virtio_device *d, uint8_t s)
{
	(void)d;
	fake_status = s;
}

static unsigned fake_queue_size_max(struct virtio_device *d, unsigned index)
{
	(void)d;
	return index < fake_n_queues ? 64 : 0;
}

static int fake_queue_enable(struct virtio_device *d, struct virtqueue *q)
{
	(void)d;
	q->doorbell = &doorbell;
	return 0;
}

static void fake_read_config(struct virtio_device *d, unsigned offset, void *to, unsigned len)
{
	(void)d;
	memcpy(to, (const char *)fake_config + offset, len);
}

static uint32_t fake_generation(struct virtio_device *d)
{
	(void)d;
	return 0;
}

static const struct virtio_transport fake = {fake_get_features, fake_set_features, fake_get_status,
	fake_set_status, fake_queue_size_max, fake_queue_enable, fake_read_config, fake_generation};

/* What the device has seen of a queue. */
struct seen {
	struct virtqueue *q;
	uint16_t avail;
};

static bool next_chain(struct seen *s, uint16_t *head)
{
	if (s->avail == s->q->avail->idx)
		return false;
	*head = s->q->avail->ring[s->avail++ & (s->q->size - 1)];
	return true;
}

static void give_back(struct virtqueue *q, uint32_t id, uint32_t len)
{
	q->used->ring[q->used->idx & (q->size - 1)] = (struct virtq_used_elem){id, len};
	q->used->idx++;
}

static uint32_t seed = 1;
static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static struct virtio_device *fake_device(uint32_t id, const void *config, unsigned n_queues)
{
	struct virtio_device *d = heap_zalloc(sizeof(*d));
	d->transport = &fake;
	d->id = id;
	string_copy(d->name, "fake", sizeof(d->name));
	fake_config = config;
	fake_n_queues = n_queues;
	return d;
}
