/*
 * virtio over PCI, virtio 1.2 4.1: the modern interface, which transitional devices have as well;
 * interrupts by MSI-X, one vector per queue where the device has as many.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/pci.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_pci.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

struct virtio_pci_device {
	struct virtio_device virtio;
	struct pci_device *pci;
	volatile uint8_t *common, *config, *notify;
	uint32_t config_len, notify_len, notify_multiplier;
};

static struct virtio_pci_device *of(struct virtio_device *d)
{
	return container_of(d, struct virtio_pci_device, virtio);
}

static uint32_t get_features(struct virtio_device *d, unsigned word)
{
	mmio_write32(of(d)->common + VIRTIO_PCI_DEVICE_FEATURE_SELECT, word);
	return mmio_read32(of(d)->common + VIRTIO_PCI_DEVICE_FEATURE);
}

static void set_features(struct virtio_device *d, unsigned word, uint32_t features)
{
	mmio_write32(of(d)->common + VIRTIO_PCI_DRIVER_FEATURE_SELECT, word);
	mmio_write32(of(d)->common + VIRTIO_PCI_DRIVER_FEATURE, features);
}

static uint8_t get_status(struct virtio_device *d)
{
	return mmio_read8(of(d)->common + VIRTIO_PCI_STATUS);
}

static void set_status(struct virtio_device *d, uint8_t status)
{
	mmio_write8(of(d)->common + VIRTIO_PCI_STATUS, status);
}

static unsigned queue_size_max(struct virtio_device *d, unsigned index)
{
	mmio_write16(of(d)->common + VIRTIO_PCI_QUEUE_SELECT, (uint16_t)index);
	return mmio_read16(of(d)->common + VIRTIO_PCI_QUEUE_SIZE);
}

static void queue_interrupt(void *arg)
{
	struct virtqueue *q = arg;
	if (!q->broken && virtqueue_has_used(q))
		q->callback(q);
}

static void shared_interrupt(void *arg)
{
	virtio_interrupt(arg);
}

/* The last vector serves all queues that have none of their own. */
static int route(struct virtio_pci_device *v, struct virtqueue *q)
{
	uint16_t vector = VIRTIO_PCI_NO_VECTOR;
	if (q->callback) {
		bool own = q->index + 1 < v->pci->n_msix;
		vector = (uint16_t)min(q->index, v->pci->n_msix - 1);
		int err = pci_msix_route(v->pci, vector, 0,
			own ? queue_interrupt : shared_interrupt, own ? (void *)q : &v->virtio);
		if (err < 0)
			return err;
	}
	mmio_write16(v->common + VIRTIO_PCI_QUEUE_VECTOR, vector);
	return mmio_read16(v->common + VIRTIO_PCI_QUEUE_VECTOR) == vector ? 0 : -ENOSPC;
}

static void set_address(volatile uint8_t *at, const void *address)
{
	uint64_t pa = virt_to_phys(address).pa;
	mmio_write32(at, (uint32_t)pa);
	mmio_write32(at + 4, (uint32_t)(pa >> 32));
}

static int queue_enable(struct virtio_device *d, struct virtqueue *q)
{
	struct virtio_pci_device *v = of(d);
	mmio_write16(v->common + VIRTIO_PCI_QUEUE_SELECT, (uint16_t)q->index);
	uint64_t offset = (uint64_t)mmio_read16(v->common + VIRTIO_PCI_QUEUE_NOTIFY_OFFSET) *
			  v->notify_multiplier;
	if (offset + 2 > v->notify_len)
		return -ENODEV;
	int err = route(v, q);
	if (err < 0)
		return err;
	mmio_write16(v->common + VIRTIO_PCI_QUEUE_SIZE, (uint16_t)q->size);
	set_address(v->common + VIRTIO_PCI_QUEUE_DESC, q->desc);
	set_address(v->common + VIRTIO_PCI_QUEUE_DRIVER, q->avail);
	set_address(v->common + VIRTIO_PCI_QUEUE_DEVICE, q->used);
	q->doorbell = v->notify + offset;
	q->doorbell_16 = true;
	mmio_write16(v->common + VIRTIO_PCI_QUEUE_ENABLE, 1);
	return 0;
}

static void read_config(struct virtio_device *d, unsigned offset, void *to, unsigned len)
{
	struct virtio_pci_device *v = of(d);
	memset(to, 0, len);
	for (unsigned i = 0; i < len && offset + i < v->config_len; i++)
		((uint8_t *)to)[i] = mmio_read8(v->config + offset + i);
}

static uint32_t config_generation(struct virtio_device *d)
{
	return mmio_read8(of(d)->common + VIRTIO_PCI_CONFIG_GENERATION);
}

static const struct virtio_transport pci_transport = {
	.get_features = get_features,
	.set_features = set_features,
	.get_status = get_status,
	.set_status = set_status,
	.queue_size_max = queue_size_max,
	.queue_enable = queue_enable,
	.read_config = read_config,
	.config_generation = config_generation,
};

/* 4.1.4: the first capability of a type that can be used counts.  NULL: there is none of at least
 * min_len bytes. */
static volatile uint8_t *map_structure(
	const struct pci_device *d, unsigned type, uint32_t min_len, unsigned *at, uint32_t *len)
{
	for (*at = 0; (*at = pci_capability(d, PCI_CAPABILITY_VENDOR, *at)) != 0;) {
		if (pci_read8(d, *at + VIRTIO_PCI_CAP_TYPE) != type)
			continue;
		*len = pci_read32(d, *at + VIRTIO_PCI_CAP_LENGTH);
		if (*len < min_len)
			continue;
		/* QEMU's notification window has a page per queue; no more than the first ones are
		 * used. */
		*len = min(*len, 16u * (uint32_t)PAGE_SIZE);
		volatile uint8_t *registers = pci_map_bar(d, pci_read8(d, *at + VIRTIO_PCI_CAP_BAR),
			pci_read32(d, *at + VIRTIO_PCI_CAP_OFFSET), *len);
		if (registers)
			return registers;
	}
	return NULL;
}

static int map_structures(struct virtio_pci_device *v)
{
	unsigned at = 0;
	uint32_t len = 0;
	v->common = map_structure(v->pci, VIRTIO_PCI_CAP_COMMON, VIRTIO_PCI_COMMON_SIZE, &at, &len);
	if (!v->common)
		return -ENODEV;
	v->config = map_structure(v->pci, VIRTIO_PCI_CAP_DEVICE, 1, &at, &len);
	v->config_len = v->config ? len : 0;
	v->notify = map_structure(v->pci, VIRTIO_PCI_CAP_NOTIFY, 2, &at, &len);
	if (!v->notify)
		return -ENODEV;
	v->notify_len = len;
	v->notify_multiplier = pci_read32(v->pci, at + VIRTIO_PCI_CAP_NOTIFY_MULTIPLIER);
	return 0;
}

static bool match(const struct pci_device *d)
{
	return d->vendor == VIRTIO_PCI_VENDOR && d->device >= VIRTIO_PCI_DEVICE_FIRST &&
	       d->device <= VIRTIO_PCI_DEVICE_LAST;
}

/* 4.1.2.1: transitional devices have ids of their own. */
static uint32_t device_type(uint16_t device)
{
	static const uint8_t transitional[] = {VIRTIO_ID_NET, VIRTIO_ID_BLOCK, 5, VIRTIO_ID_CONSOLE,
		8, VIRTIO_ID_ENTROPY, 0, 0, 0, 9};
	if (device >= VIRTIO_PCI_DEVICE_MODERN)
		return device - VIRTIO_PCI_DEVICE_MODERN;
	unsigned i = device - VIRTIO_PCI_DEVICE_FIRST;
	return i < array_size(transitional) ? transitional[i] : 0;
}

static int probe(struct pci_device *d)
{
	struct virtio_pci_device *v = heap_zalloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->pci = d;
	v->virtio.transport = &pci_transport;
	v->virtio.id = device_type(d->device);
	format(v->virtio.name, sizeof(v->virtio.name), "virtio-%s", d->name);
	pci_enable(d);
	const char *missing = "MSI-X";
	int err = pci_msix_enable(d);
	if (err == 0) {
		missing = "the modern virtio interface (is it a legacy-only device, or are its "
			  "BARs not assigned?)";
		err = map_structures(v);
	}
	if (err < 0) {
		log_warn("%s: not used: it lacks %s", v->virtio.name, missing);
		heap_free(v);
		return err;
	}
	mmio_write16(v->common + VIRTIO_PCI_CONFIG_VECTOR, VIRTIO_PCI_NO_VECTOR);
	virtio_attach(&v->virtio);
	return 0;
}

const struct pci_driver virtio_pci_driver = {.match = match, .probe = probe};
