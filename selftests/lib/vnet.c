// SPDX-License-Identifier: GPL-2.0
/* A small virtio-net driver in user space: see vnet.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vnet.h"

#define SIZE		8		/* of a queue */
#define NET_HEADER	12
#define NOTIFY		0x3000
#define DEVICE		0x2000

/* Common structure, virtio 1.2 section 4.1.4.3. */
enum { FEATURE_SELECT = 0, FEATURE = 4, DRIVER_SELECT = 8, DRIVER_FEATURE = 12, STATUS = 20,
       QUEUE_SELECT = 22, QUEUE_SIZE = 24, QUEUE_ENABLE = 28, QUEUE_DESC = 32,
       QUEUE_DRIVER = 40, QUEUE_DEVICE = 48 };

#define FEATURES_LOW	(1U << 5)	/* MAC */
#define FEATURES_HIGH	3U		/* VERSION_1, ACCESS_PLATFORM */

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[SIZE];
};

struct used {
	uint16_t flags;
	uint16_t idx;
	struct {
		uint32_t id;
		uint32_t len;
	} ring[SIZE];
};

/* Pages 0 to 2: receive; 3 to 5: transmit; 6: frame to be sent. */
static void *part(struct vnet *n, unsigned int queue, unsigned int which)
{
	return n->mem + (queue * 3 + which) * VNET_PAGE;
}

static uint64_t part_iova(const struct vnet *n, unsigned int queue, unsigned int which)
{
	return n->iova + (queue * 3 + which) * VNET_PAGE;
}

static int set(struct vdev *v, unsigned int pos, uint64_t val, unsigned int bytes)
{
	long done = vdev_pwrite(v, 0, pos, &val, bytes);

	return done == (long)bytes ? 0 : done < 0 ? (int)done : -EIO;
}

int vnet_alloc(struct vnet *n)
{
	memset(n, 0, sizeof(*n));
	n->iova = VNET_IOVA;
	n->mem = mmap(NULL, VNET_BYTES, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED,
		      -1, 0);
	return n->mem == MAP_FAILED ? -ENOMEM : 0;
}

void vnet_free(struct vnet *n)
{
	if (n->mem)
		munmap(n->mem, VNET_BYTES);
	n->mem = NULL;
}

int vnet_map(struct vnet *n, struct vdev *v)
{
	return vdev_dma_map(v, n->mem, n->iova, VNET_BYTES);
}

static int queue_start(const struct vnet *n, struct vdev *v, unsigned int queue)
{
	int err = set(v, QUEUE_SELECT, queue, 2);

	err = err ? err : set(v, QUEUE_SIZE, SIZE, 2);
	for (unsigned int i = 0; i < 3 && !err; i++) {
		uint64_t iova = part_iova(n, queue, i);

		err = set(v, QUEUE_DESC + 8 * i, (uint32_t)iova, 4);
		err = err ? err : set(v, QUEUE_DESC + 8 * i + 4, iova >> 32, 4);
	}
	return err ? err : set(v, QUEUE_ENABLE, 1, 2);
}

static int features(struct vdev *v)
{
	int err = set(v, DRIVER_SELECT, 0, 4);
	uint8_t status = 0;

	err = err ? err : set(v, DRIVER_FEATURE, FEATURES_LOW, 4);
	err = err ? err : set(v, DRIVER_SELECT, 1, 4);
	err = err ? err : set(v, DRIVER_FEATURE, FEATURES_HIGH, 4);
	err = err ? err : set(v, STATUS, 0xb, 1);
	if (!err && (vdev_pread(v, 0, STATUS, &status, 1) != 1 || !(status & 8)))
		err = -EPROTO;
	return err;
}

int vnet_start(struct vnet *n, struct vdev *v)
{
	int err = vdev_bus_master(v, true);

	memset(n->mem, 0, VNET_BYTES);
	n->rx = 0;
	n->tx = 0;
	err = err ? err : set(v, STATUS, 0, 1);
	err = err ? err : set(v, STATUS, 3, 1);
	err = err ? err : features(v);
	err = err ? err : queue_start(n, v, 0);
	err = err ? err : queue_start(n, v, 1);
	err = err ? err : set(v, STATUS, 0xf, 1);
	if (!err && vdev_pread(v, 0, DEVICE, n->mac, 6) != 6)
		err = -EIO;
	return err;
}

/* Give a buffer to the function. */
static int offer(struct vnet *n, struct vdev *v, unsigned int queue, uint64_t iova,
		 uint32_t len, uint16_t count)
{
	struct desc *desc = part(n, queue, 0);
	struct avail *avail = part(n, queue, 1);
	unsigned int slot = count % SIZE;

	desc[slot] = (struct desc){ .addr = iova, .len = len, .flags = queue ? 0 : 2 };
	avail->flags = 1;	/* no interrupts */
	avail->ring[slot] = slot;
	__atomic_store_n(&avail->idx, (uint16_t)(count + 1), __ATOMIC_RELEASE);
	return set(v, NOTIFY + 4 * queue, queue, 2);
}

static void put16(uint8_t *p, uint32_t val)
{
	p[0] = val >> 8;
	p[1] = val;
}

static void checksum(uint8_t *at, const uint8_t *p, unsigned int bytes, uint32_t sum)
{
	for (unsigned int i = 0; i < bytes; i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(at, ~sum & 0xffff);
}

/* Ethernet, IPv4, UDP from 10.76.0.2 port 3000 to 10.76.0.1 port 7, and the tag. */
static unsigned int frame(struct vnet *n, uint8_t *f, uint32_t tag)
{
	static const uint8_t ip[] = { 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0,
				      10, 76, 0, 2, 10, 76, 0, 1 };
	static const uint8_t peer[] = { 2, 0x76, 0x20, 0, 0, 0xfe };

	memset(f, 0, NET_HEADER + 46);
	f += NET_HEADER;
	memcpy(f, peer, 6);
	memcpy(f + 6, n->mac, 6);
	f[12] = 8;
	memcpy(f + 14, ip, sizeof(ip));
	checksum(f + 24, f + 14, 20, 0);
	put16(f + 34, 3000);
	put16(f + 36, 7);
	put16(f + 38, 12);
	memcpy(f + 42, &tag, 4);
	checksum(f + 40, f + 26, 20, 17 + 12);
	return NET_HEADER + 46;
}

static int wait_used(struct vnet *n, unsigned int queue, uint16_t want, int ms)
{
	struct used *used = part(n, queue, 2);
	uint64_t end = now_ms() + ms;

	while (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) != want) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

static int send_into(struct vnet *n, struct vdev *v, uint32_t tag, uint8_t *in, uint64_t iova)
{
	uint8_t *out = n->mem + 6 * VNET_PAGE;
	int err;

	memset(in, 0, NET_HEADER + 46);
	err = offer(n, v, 0, iova, VNET_PAGE, n->rx);
	err = err ? err : offer(n, v, 1, n->iova + 6 * VNET_PAGE, frame(n, out, tag), n->tx);
	if (err)
		return err;
	n->rx++;
	n->tx++;
	return 0;
}

static int receive(struct vnet *n, uint32_t tag, const uint8_t *in, int ms)
{
	int err = wait_used(n, 1, n->tx, ms);

	err = err ? err : wait_used(n, 0, n->rx, ms);
	if (!err && memcmp(in + NET_HEADER + 42, &tag, 4))
		err = -EBADMSG;
	return err;
}

int vnet_send(struct vnet *n, struct vdev *v, uint32_t tag, unsigned int page)
{
	return send_into(n, v, tag, n->mem + page * VNET_PAGE, n->iova + page * VNET_PAGE);
}

int vnet_receive(struct vnet *n, uint32_t tag, unsigned int page, int ms)
{
	return receive(n, tag, n->mem + page * VNET_PAGE, ms);
}

int vnet_echo(struct vnet *n, struct vdev *v, uint32_t tag, unsigned int page, int ms)
{
	int err = vnet_send(n, v, tag, page);

	return err ? err : vnet_receive(n, tag, page, ms);
}

int vnet_echo_to(struct vnet *n, struct vdev *v, uint32_t tag, uint8_t *in, uint64_t iova,
		 int ms)
{
	int err = send_into(n, v, tag, in, iova);

	return err ? err : receive(n, tag, in, ms);
}
