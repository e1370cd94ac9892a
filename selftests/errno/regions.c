// SPDX-License-Identifier: GPL-2.0
/* Reads, writes and mappings of every region; registrations of eventfds for BARs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "answers.h"

#define NUM(array) (sizeof(array) / sizeof((array)[0]))
#define SPACE_BITS 40
#define REGIONS 16
#define PAGE 4096UL
#define PEER_IOVA (1ULL << 32)

static void command(struct answers *a, uint16_t bits)
{
	vdev_cfg_set(a->v, PCI_COMMAND, 2, bits);
}

/*
 * A write is of zeros.  To a BAR only where it does nothing to the devices of the lab:
 * while they are disabled, and where none of them has a register.
 */
static void access_region(struct answers *a, const char *state, unsigned int index, uint64_t pos,
			  size_t bytes)
{
	bool harmless = index > VFIO_PCI_BAR5_REGION_INDEX || pos >= 1ULL << 20 ||
			!(vdev_cfg(a->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	static uint8_t buf[8192];

	answer(a, vdev_pread(a->v, index, pos, buf, bytes), "read: %s, region %u, %#llx, %zu bytes",
	       state, index, (unsigned long long)pos, bytes);
	memset(buf, 0, sizeof(buf));
	if (harmless)
		answer(a, vdev_pwrite(a->v, index, pos, buf, bytes),
		       "write: %s, region %u, %#llx, %zu bytes", state, index,
		       (unsigned long long)pos, bytes);
}

static void ask_region(struct answers *a, const char *state, unsigned int index)
{
	static const size_t counts[] = { 0, 1, 2, 3, 4, 5, 8, 9, 16, 17 };
	struct vfio_region_info info;
	uint64_t size = vdev_region(a->v, index, &info) ? 0 : info.size;
	const uint64_t places[] = {
		0, 1, 2, 3, 4, 7, size - 9, size - 8, size - 4, size - 3, size - 2, size - 1, size,
		size + 1, size + 4, (1ULL << SPACE_BITS) - 8, (1ULL << SPACE_BITS) - 1,
	};

	for (unsigned int i = 0; i < NUM(places); i++)
		/* Of a region that is not there, some places are below its begin. */
		for (unsigned int j = 0; j < NUM(counts) && places[i] >> SPACE_BITS == 0; j++)
			access_region(a, state, index, places[i], counts[j]);
}

/* What a range may contain: capabilities in the middle, the end of each space. */
static void ask_config(struct answers *a)
{
	static const unsigned int places[] = {
		0x5, 0x6, 0xc, 0xe, 0x10, 0x30, 0x34, 0x3c, 0x3d, 0x3f, 0x40, 0x41, 0xa0, 0xa2, 0xc8,
		0xcc, 0xd0, 0xd2, 0xd4, 0xe0, 0xe8, 0xfc, 0xfd, 0xff, 0x100, 0x101, 0x104, 0x10c,
		0x140, 0x1fc, 0x7ff, 0x800, 0xffc, 0xffd, 0xfff, 0x1000, 0x1001, 0x2000,
	};
	static const size_t counts[] = { 0, 1, 2, 3, 4, 6, 8, 12, 64, 256, 4096, 4097 };

	for (unsigned int i = 0; i < NUM(places); i++)
		for (unsigned int j = 0; j < NUM(counts); j++) {
			static uint8_t buf[8192];
			const unsigned int config = VFIO_PCI_CONFIG_REGION_INDEX;

			answer(a, vdev_pread(a->v, config, places[i], buf, counts[j]),
			       "read: config %#x, %zu bytes", places[i], counts[j]);
			/* What was there: it has no effect, but for what 1 clears. */
			answer(a, vdev_pwrite(a->v, config, places[i], buf, counts[j]),
			       "write: config %#x, %zu bytes", places[i], counts[j]);
			command(a, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
		}
}

static void ask_buffers(struct answers *a, unsigned int index)
{
	static void *const bad[] = { NULL, (void *)8, (void *)0xffff888000000000UL };

	for (unsigned int i = 0; i < NUM(bad); i++) {
		answer(a, vdev_pread(a->v, index, 0, bad[i], 4), "read: region %u into %p", index, bad[i]);
		answer(a, vdev_pread(a->v, index, 0, bad[i], 64), "read: 64 of region %u into %p", index,
		       bad[i]);
		answer(a, vdev_pwrite(a->v, index, 0, bad[i], 4), "write: region %u from %p", index,
		       bad[i]);
	}
}

/*
 * The MSI-X table, which nobody shows to the user: its first and its last bytes, and those
 * around its end.  Behind it the devices of the lab have nothing for a while.
 */
static void ask_table(struct answers *a, const char *state)
{
	static const size_t counts[] = { 0, 1, 2, 3, 4, 8, 12, 16, 20, 32 };
	const unsigned int cap = vdev_find_cap(a->v, PCI_CAP_ID_MSIX);
	uint32_t where = vdev_cfg(a->v, cap + PCI_MSIX_TABLE, 4);
	uint64_t bytes = PCI_MSIX_ENTRY_SIZE *
			 ((vdev_cfg(a->v, cap + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1);
	const uint64_t places[] = { 0, 1, 2, 4, 8, 12, bytes - 16, bytes - 8, bytes - 4, bytes - 1 };
	uint8_t buf[32];

	for (unsigned int i = 0; cap && i < NUM(places); i++)
		for (unsigned int j = 0; j < NUM(counts); j++) {
			const unsigned int bar = where & PCI_MSIX_TABLE_BIR;
			const uint64_t pos = (where & PCI_MSIX_TABLE_OFFSET) + places[i];

			answer(a, vdev_pread(a->v, bar, pos, buf, counts[j]),
			       "read: %s, MSI-X table, %#llx, %zu bytes", state,
			       (unsigned long long)places[i], counts[j]);
			memset(buf, 0, sizeof(buf));
			answer(a, vdev_pwrite(a->v, bar, pos, buf, counts[j]),
			       "write: %s, MSI-X table, %#llx, %zu bytes", state,
			       (unsigned long long)places[i], counts[j]);
		}
}

void ask_regions(struct answers *a)
{
	for (unsigned int index = 0; index < REGIONS; index++) {
		command(a, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
		ask_region(a, "enabled", index);
		command(a, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
		ask_buffers(a, index);
		command(a, 0);
		ask_region(a, "disabled", index);
	}
	ask_table(a, "disabled");
	command(a, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	ask_table(a, "enabled");
	ask_config(a);
}

/* For DMA by peers: what QEMU asks of each BAR, also when memory is not enabled yet. */
static void ask_peer(struct answers *a, void *p, const char *when, const char *what)
{
	int err = vdev_dma_map(a->v, p, PEER_IOVA, PAGE);

	answer(a, err, "map for DMA, memory %s: %s", when, what);
	if (!err)
		vdev_dma_unmap(a->v, PEER_IOVA, PAGE);
}

static void ask_mapping(struct answers *a, unsigned int index, uint64_t pos, uint64_t bytes, int prot,
			int flags)
{
	void *p = mmap(NULL, bytes, prot, flags, a->v->fd, ((uint64_t)index << SPACE_BITS) + pos);
	char what[80];

	snprintf(what, sizeof(what), "region %u, %#llx, %#llx bytes, prot %d, flags %d", index,
		 (unsigned long long)pos, (unsigned long long)bytes, prot, flags);
	answer(a, p == MAP_FAILED ? -errno : 0, "mmap: %s", what);
	if (p == MAP_FAILED)
		return;
	answer(a, mprotect(p, PAGE, PROT_READ | PROT_WRITE) ? -errno : 0, "mprotect: %s", what);
	command(a, PCI_COMMAND_MEMORY);
	answer(a, touch(p), "load: %s", what);
	ask_peer(a, p, "enabled", what);
	command(a, 0);
	answer(a, touch(p), "load, memory disabled: %s", what);
	ask_peer(a, p, "disabled", what);
	answer(a, mremap(p, bytes, bytes + PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -errno : 0,
	       "mremap: %s", what);
	command(a, PCI_COMMAND_MEMORY);
	munmap(p, bytes);
}

void ask_mappings(struct answers *a)
{
	for (unsigned int index = 0; index < REGIONS; index++) {
		struct vfio_region_info info;
		uint64_t size = vdev_region(a->v, index, &info) ? 0 : info.size;
		uint64_t pages = (size + PAGE - 1) & ~(PAGE - 1);

		ask_mapping(a, index, 0, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		ask_mapping(a, index, 0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED);
		ask_mapping(a, index, 0, PAGE, PROT_NONE, MAP_SHARED);
		ask_mapping(a, index, 0, pages + PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, 512, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, pages + PAGE, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, (1ULL << SPACE_BITS) - PAGE, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, (1ULL << SPACE_BITS) - PAGE, 2 * PAGE, PROT_READ, MAP_SHARED);
		if (pages <= PAGE)
			continue;
		ask_mapping(a, index, 0, pages, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, pages, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, pages - PAGE, PAGE, PROT_READ, MAP_SHARED);
		ask_mapping(a, index, pages - PAGE, 2 * PAGE, PROT_READ, MAP_SHARED);
	}
}

static long long ioeventfd(struct answers *a, uint32_t argsz, uint32_t flags, unsigned int index,
			   uint64_t pos, uint64_t data, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = argsz, .flags = flags,
		.offset = ((uint64_t)index << SPACE_BITS) + pos, .data = data, .fd = fd,
	};

	return ask(a, VFIO_DEVICE_IOEVENTFD, &arg);
}

void ask_ioeventfd(struct answers *a)
{
	const uint32_t argsz = sizeof(struct vfio_device_ioeventfd);
	int event = eventfd_new();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	static const int fds[] = { -1, -2, -100, 4000 };

	for (uint32_t size = 0; size <= argsz + 8; size += 4)
		answer(a, ioeventfd(a, size, VFIO_DEVICE_IOEVENTFD_32, 0, 8, 0, -1),
		       "IOEVENTFD: argsz %u", size);
	for (uint32_t flags = 0; flags < 32; flags++) {
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 0, event), "IOEVENTFD: flags %#x", flags);
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 0, event), "IOEVENTFD: flags %#x again", flags);
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 1, event), "IOEVENTFD: flags %#x, other data",
		       flags);
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 1, -1), "IOEVENTFD: flags %#x, remove other",
		       flags);
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 0, -1), "IOEVENTFD: flags %#x, remove", flags);
		answer(a, ioeventfd(a, argsz, flags, 0, 8, 0, -1), "IOEVENTFD: flags %#x, remove again",
		       flags);
	}
	for (unsigned int index = 0; index < REGIONS; index++) {
		struct vfio_region_info info;
		uint64_t size = vdev_region(a->v, index, &info) ? 0 : info.size;
		const uint64_t places[] = { 0, 1, 2, 4, 0x800, size - 8, size - 4, size - 2, size,
					    size + 4, (1ULL << SPACE_BITS) - 4 };

		for (unsigned int i = 0; i < NUM(places); i++) {
			if (places[i] >> SPACE_BITS)
				continue;
			for (uint32_t flag = 1; flag < 16; flag *= 2) {
				answer(a, ioeventfd(a, argsz, flag, index, places[i], 0, event),
				       "IOEVENTFD: region %u, %#llx, width %u", index,
				       (unsigned long long)places[i], flag);
				ioeventfd(a, argsz, flag, index, places[i], 0, -1);
			}
		}
	}
	for (unsigned int i = 0; i < NUM(fds); i++)
		answer(a, ioeventfd(a, argsz, VFIO_DEVICE_IOEVENTFD_32, 0, 8, 0, fds[i]),
		       "IOEVENTFD: fd %d", fds[i]);
	answer(a, ioeventfd(a, argsz, VFIO_DEVICE_IOEVENTFD_32, 0, 8, 0, null), "IOEVENTFD: /dev/null");
	answer(a, ioeventfd(a, argsz, VFIO_DEVICE_IOEVENTFD_32, 0, 8, 0, a->v->fd),
	       "IOEVENTFD: the device");
	close(event);
	close(null);
}
