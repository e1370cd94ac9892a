// SPDX-License-Identifier: GPL-2.0
/* FEATURE: all numbers, with all operations, and the arguments of those that exist. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answers.h"

#define NUM(array) (sizeof(array) / sizeof((array)[0]))
#define GET VFIO_DEVICE_FEATURE_GET
#define SET VFIO_DEVICE_FEATURE_SET
#define PROBE VFIO_DEVICE_FEATURE_PROBE
#define BIGGEST 0xfff0U
#define ROOM 256
#define PAGE 4096UL

static const unsigned int numbers[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255, 0x7fff, 0xffff,
};

/* A feature with @bytes of data, all of the same value. */
static long long feature(struct answers *a, uint32_t argsz, uint32_t flags, uint8_t value)
{
	uint64_t room[ROOM / 8];
	struct vfio_device_feature *f = (void *)room;
	long long ret;

	memset(room, value, sizeof(room));
	f->argsz = argsz;
	f->flags = flags;
	ret = ask(a, VFIO_DEVICE_FEATURE, f);
	if (ret < 0)
		return ret;
	/* A dma-buf. */
	if ((flags & (PROBE | GET | 0xffff)) == (GET | VFIO_DEVICE_FEATURE_DMA_BUF)) {
		close(ret);
		ret = 0;
	}
	/* Into low power: out of it again. */
	if (flags & SET && !(flags & PROBE)) {
		f->argsz = sizeof(*f);
		f->flags = SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
		ask(a, VFIO_DEVICE_FEATURE, f);
	}
	return ret;
}

static void ask_numbers(struct answers *a)
{
	static const uint32_t sizes[] = { 8, 16, 24, 40, 200 };

	for (unsigned int i = 0; i < NUM(numbers); i++)
		for (uint32_t op = 0; op < 16; op++)
			for (unsigned int j = 0; j < NUM(sizes); j++)
				answer(a, feature(a, sizes[j], op << 16 | numbers[i], 0),
				       "FEATURE: %u, operation %#x, argsz %u", numbers[i], op, sizes[j]);
}

static void ask_sizes(struct answers *a)
{
	for (unsigned int number = 0; number < 14; number++)
		for (uint32_t argsz = 0; argsz <= 36; argsz += argsz < 12 ? 1 : 4) {
			answer(a, feature(a, argsz, GET | number, 0), "FEATURE: %u, GET, argsz %u", number,
			       argsz);
			answer(a, feature(a, argsz, SET | number, 0), "FEATURE: %u, SET, argsz %u", number,
			       argsz);
			answer(a, feature(a, argsz, PROBE | GET | SET | number, 0),
			       "FEATURE: %u, PROBE of both, argsz %u", number, argsz);
		}
	for (unsigned int number = 0; number < 14; number++)
		for (unsigned int value = 1; value < 256; value *= 15)
			answer(a, feature(a, 40, SET | number, value), "FEATURE: %u, SET, data of %#x",
			       number, value);
	answer(a, feature(a, BIGGEST, PROBE | GET, 0), "FEATURE: PROBE, argsz %u", BIGGEST);
	answer(a, feature(a, UINT32_MAX, PROBE | GET | VFIO_DEVICE_FEATURE_MIGRATION, 0),
	       "FEATURE: PROBE of migration, argsz %u", UINT32_MAX);
}

/* The header is the last of a page, its data are in one that nobody maps. */
static void ask_pointers(struct answers *a)
{
	static const uint32_t ops[] = { GET, SET, PROBE | GET, PROBE | SET };
	static const uint32_t sizes[] = { 8, 9, 16, 24, 40 };
	struct vfio_device_feature out = { .argsz = sizeof(out), .flags = SET |
					   VFIO_DEVICE_FEATURE_LOW_POWER_EXIT };
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	struct vfio_device_feature *f = (void *)(pages + PAGE - sizeof(*f));

	munmap(pages + PAGE, PAGE);
	for (unsigned int number = 0; number < 14; number++)
		for (unsigned int op = 0; op < NUM(ops); op++)
			for (unsigned int i = 0; i < NUM(sizes); i++) {
				*f = (struct vfio_device_feature){
					.argsz = sizes[i], .flags = ops[op] | number,
				};
				answer(a, ask(a, VFIO_DEVICE_FEATURE, f),
				       "FEATURE: %u, flags %#x, argsz %u, no data", number, ops[op],
				       sizes[i]);
				ask(a, VFIO_DEVICE_FEATURE, &out);
			}
	munmap(pages, PAGE);
}

/* Into low power twice, and out of it twice. */
static void ask_entries(struct answers *a)
{
	struct { struct vfio_device_feature f; struct vfio_device_low_power_entry_with_wakeup arg; } req = {
		.f = { .argsz = sizeof(req), .flags = SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP },
	};
	static const int fds[] = { -1, -2, 4000, 0 };
	const uint32_t in = SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const uint32_t out = SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	struct vfio_device_feature f = { .argsz = sizeof(f), .flags = in };

	for (unsigned int i = 0; i < NUM(fds); i++) {
		req.arg.wakeup_eventfd = fds[i];
		answer(a, ask(a, VFIO_DEVICE_FEATURE, &req), "FEATURE: low power, wakeup fd %d", fds[i]);
	}
	req.arg.wakeup_eventfd = eventfd_new();
	req.arg.reserved = 1;
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &req), "FEATURE: low power with wakeup, reserved set");
	f.flags = out;
	ask(a, VFIO_DEVICE_FEATURE, &f);
	req.arg.reserved = 0;
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &req), "FEATURE: low power with wakeup");
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &f), "FEATURE: out of low power");
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &f), "FEATURE: out of low power again");
	f.flags = in;
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &f), "FEATURE: into low power");
	f.flags = out;
	answer(a, ask(a, VFIO_DEVICE_FEATURE, &f), "FEATURE: out of low power, third time");
	close(req.arg.wakeup_eventfd);
}

static void ask_dma_buf(struct answers *a, const char *what, uint32_t index, uint32_t nr, uint32_t flags,
			uint64_t offset, uint64_t length)
{
	struct {
		struct vfio_device_feature f;
		struct vfio_device_feature_dma_buf arg;
		struct vfio_region_dma_range range[2];
	} req = {
		.f = { .argsz = sizeof(req), .flags = GET | VFIO_DEVICE_FEATURE_DMA_BUF },
		.arg = { .region_index = index, .nr_ranges = nr, .flags = flags, .open_flags = 02000002 },
		.range = { { offset, length }, { offset + length, length } },
	};
	long long ret = ask(a, VFIO_DEVICE_FEATURE, &req);

	answer(a, ret < 0 ? ret : 0, "DMA_BUF: %s, region %u, %u ranges", what, index, nr);
	if (ret >= 0)
		close(ret);
}

static void ask_dma_bufs(struct answers *a)
{
	for (unsigned int index = 0; index < 12; index++) {
		ask_dma_buf(a, "a page", index, 1, 0, 0, 4096);
		ask_dma_buf(a, "two pages", index, 2, 0, 0, 4096);
		ask_dma_buf(a, "nothing", index, 0, 0, 0, 4096);
		ask_dma_buf(a, "many", index, 0xffffffff, 0, 0, 4096);
		ask_dma_buf(a, "flags", index, 1, 1, 0, 4096);
		ask_dma_buf(a, "empty", index, 1, 0, 0, 0);
		ask_dma_buf(a, "part of a page", index, 1, 0, 0, 512);
		ask_dma_buf(a, "not at a page", index, 1, 0, 512, 4096);
		ask_dma_buf(a, "too long", index, 1, 0, 0, 1ULL << 39);
		ask_dma_buf(a, "behind", index, 1, 0, 1ULL << 38, 4096);
		ask_dma_buf(a, "overflow", index, 1, 0, ~0ULL & ~4095ULL, 8192);
		ask_dma_buf(a, "overflow in the sum", index, 2, 0, 0, 1ULL << 63);
	}
}

void ask_features(struct answers *a)
{
	ask_numbers(a);
	ask_sizes(a);
	ask_pointers(a);
	ask_entries(a);
	ask_dma_bufs(a);
}
