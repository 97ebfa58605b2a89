/*
 * virtio, above the transports: finding the driver, status and feature negotiation (virtio 1.2
 * 3.1), and configuration space.  Rings are in virtqueue.c.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/log.h"

static void add_status(struct virtio_device *d, uint8_t bits)
{
	d->transport->set_status(d, d->transport->get_status(d) | bits);
}

static const struct virtio_driver *driver_of(uint32_t id)
{
	for (unsigned i = 0; virtio_drivers[i]; i++)
		if (virtio_drivers[i]->id == id)
			return virtio_drivers[i];
	return NULL;
}

/* Resetting is asynchronous in the modern interface: status reads 0 once it is done (4.1.4.3.2). */
static int reset(struct virtio_device *d)
{
	d->transport->set_status(d, 0);
	for (unsigned tries = 0; tries < 1000000; tries++) {
		if (d->transport->get_status(d) == 0)
			return 0;
		cpu_relax();
	}
	return -EIO;
}

void virtio_attach(struct virtio_device *d)
{
	const struct virtio_driver *driver = driver_of(d->id);
	if (!driver) {
		log_debug("%s: no driver for virtio device type %u", d->name, (unsigned)d->id);
		return;
	}
	int err = reset(d);
	if (err == 0) {
		add_status(d, VIRTIO_STATUS_ACKNOWLEDGE);
		add_status(d, VIRTIO_STATUS_DRIVER);
		err = driver->probe(d);
	}
	if (err < 0) {
		log_warn("%s: %s does not work with this device (error %d)", d->name, driver->name,
			-err);
		d->transport->set_status(d, VIRTIO_STATUS_FAILED);
	}
}

int virtio_negotiate(struct virtio_device *d, uint64_t wanted)
{
	wanted |= VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC) | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX);
	if (d->legacy)
		wanted |= VIRTIO_FEATURE(VIRTIO_F_ANY_LAYOUT);
	else
		wanted |= VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
			  VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM) |
			  VIRTIO_FEATURE(VIRTIO_F_ORDER_PLATFORM);
	uint64_t offered = d->transport->get_features(d, 0);
	if (!d->legacy)
		offered |= (uint64_t)d->transport->get_features(d, 1) << 32;
	d->features = offered & wanted;
	if (!d->legacy && !virtio_has(d, VIRTIO_F_VERSION_1))
		return -ENODEV;
	d->transport->set_features(d, 0, (uint32_t)d->features);
	if (d->legacy)
		return 0;
	d->transport->set_features(d, 1, (uint32_t)(d->features >> 32));
	add_status(d, VIRTIO_STATUS_FEATURES_OK);
	return d->transport->get_status(d) & VIRTIO_STATUS_FEATURES_OK ? 0 : -ENODEV;
}

/* 2.5.1: fields may change under us; the generation tells. A device that never settles gets what
 * was read last. */
void virtio_read_config(struct virtio_device *d, unsigned offset, void *to, unsigned len)
{
	for (unsigned tries = 0; tries < 16; tries++) {
		uint32_t before = d->transport->config_generation(d);
		d->transport->read_config(d, offset, to, len);
		if (d->transport->config_generation(d) == before)
			return;
	}
}

void virtio_start(struct virtio_device *d)
{
	add_status(d, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_interrupt(struct virtio_device *d)
{
	for (unsigned i = 0; i < d->n_queues; i++) {
		struct virtqueue *q = d->queues[i];
		if (q->callback && !q->broken && virtqueue_has_used(q))
			q->callback(q);
	}
}
