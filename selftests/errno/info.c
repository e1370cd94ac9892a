// SPDX-License-Identifier: GPL-2.0
/* The INFO ioctls, unknown ioctls, resets. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answers.h"

#define ROOM 1024
/* A page that nobody maps, and one of the kernel. */
#define NOWHERE ((void *)8)
#define KERNEL ((void *)0xffff888000000000UL)

static const uint32_t sizes[] = {
	0, 1, 4, 7, 8, 9, 11, 12, 15, 16, 17, 19, 20, 23, 24, 25, 28, 31, 32, 33, 40, 48, 64,
	128, ROOM,
};

static const uint32_t indices[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff,
};

#define NUM(array) (sizeof(array) / sizeof((array)[0]))

/* Words of what came back: argsz, flags and the rest. */
static void ask_words(struct answers *a, unsigned long request, const char *name, uint32_t argsz,
		      uint32_t index, unsigned int index_word)
{
	uint32_t arg[ROOM / 4] = { argsz };
	long long ret;

	arg[index_word] = index;
	ret = ask(a, request, arg);
	answer(a, ret, "%s: argsz %u, index %u", name, argsz, index);
	for (unsigned int word = 0; !ret && word < 8; word++)
		answer(a, arg[word], "%s: argsz %u, index %u: word %u", name, argsz, index, word);
}

static void ask_pointers(struct answers *a, unsigned long request, const char *name)
{
	answer(a, ask(a, request, NULL), "%s: NULL", name);
	answer(a, ask(a, request, NOWHERE), "%s: unmapped", name);
	answer(a, ask(a, request, KERNEL), "%s: kernel address", name);
}

void ask_info(struct answers *a)
{
	for (unsigned int i = 0; i < NUM(sizes); i++) {
		/* In GET_INFO, word 1 is flags: they are not looked at. */
		ask_words(a, VFIO_DEVICE_GET_INFO, "GET_INFO", sizes[i], i, 1);
		ask_words(a, VFIO_DEVICE_GET_REGION_INFO, "GET_REGION_INFO", sizes[i], i % 9, 2);
		ask_words(a, VFIO_DEVICE_GET_IRQ_INFO, "GET_IRQ_INFO", sizes[i], i % 5, 2);
	}
	for (unsigned int i = 0; i < NUM(indices); i++) {
		/* Beyond the sizes above, so that every request is there once. */
		ask_words(a, VFIO_DEVICE_GET_REGION_INFO, "GET_REGION_INFO", 200, indices[i], 2);
		ask_words(a, VFIO_DEVICE_GET_IRQ_INFO, "GET_IRQ_INFO", 200, indices[i], 2);
	}
	ask_pointers(a, VFIO_DEVICE_GET_INFO, "GET_INFO");
	ask_pointers(a, VFIO_DEVICE_GET_REGION_INFO, "GET_REGION_INFO");
	ask_pointers(a, VFIO_DEVICE_GET_IRQ_INFO, "GET_IRQ_INFO");
	ask_pointers(a, VFIO_DEVICE_SET_IRQS, "SET_IRQS");
	ask_pointers(a, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, "GET_PCI_HOT_RESET_INFO");
	ask_pointers(a, VFIO_DEVICE_PCI_HOT_RESET, "PCI_HOT_RESET");
	ask_pointers(a, VFIO_DEVICE_IOEVENTFD, "IOEVENTFD");
	ask_pointers(a, VFIO_DEVICE_FEATURE, "FEATURE");
}

/* Calls of containers and groups, of display devices, and numbers that nobody uses. */
void ask_unknown(struct answers *a)
{
	uint32_t arg[ROOM / 4] = { ROOM };

	for (unsigned int nr = VFIO_BASE; nr < VFIO_BASE + 64; nr++) {
		if (nr >= VFIO_BASE + 7 && nr <= VFIO_BASE + 13)
			continue;
		/* Not BIND, ATTACH and DETACH, which change whose device it is. */
		if (nr >= VFIO_BASE + 16 && nr <= VFIO_BASE + 20)
			continue;
		answer(a, ask(a, _IO(VFIO_TYPE, nr), arg), "ioctl %u", nr);
	}
	answer(a, ask(a, 0, arg), "ioctl 0");
	answer(a, ask(a, _IO('?', 7), arg), "ioctl of another type");
	answer(a, ask(a, _IOWR(VFIO_TYPE, VFIO_BASE + 7, uint32_t), arg), "GET_INFO as _IOWR");
}

static void ask_hot_reset_info(struct answers *a, uint32_t argsz, uint32_t flags)
{
	struct vfio_pci_hot_reset_info *info;
	uint8_t room[ROOM] = {};
	long long ret;

	info = (void *)room;
	info->argsz = argsz;
	info->flags = flags;
	ret = ask(a, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
	answer(a, ret, "GET_PCI_HOT_RESET_INFO: argsz %u, flags %#x", argsz, flags);
	answer(a, info->count, "GET_PCI_HOT_RESET_INFO: argsz %u, flags %#x: count", argsz, flags);
	answer(a, info->flags, "GET_PCI_HOT_RESET_INFO: argsz %u, flags %#x: flags", argsz, flags);
	for (uint32_t i = 0; !ret && i < info->count && i < 4; i++) {
		/* The id of a group or a device is another after each binding. */
		answer(a, info->devices[i].devfn << 16 | info->devices[i].bus,
		       "GET_PCI_HOT_RESET_INFO: argsz %u, flags %#x: device %u", argsz, flags, i);
		answer(a, info->devices[i].segment,
		       "GET_PCI_HOT_RESET_INFO: argsz %u, flags %#x: segment %u", argsz, flags, i);
	}
}

static void ask_hot_reset(struct answers *a, const char *what, uint32_t argsz, uint32_t flags,
			  uint32_t count, int fd)
{
	struct vfio_pci_hot_reset *reset;
	uint8_t room[ROOM] = {};

	reset = (void *)room;
	reset->argsz = argsz;
	reset->flags = flags;
	reset->count = count;
	for (uint32_t i = 0; i < count && i < 8; i++)
		reset->group_fds[i] = fd;
	answer(a, ask(a, VFIO_DEVICE_PCI_HOT_RESET, reset),
	       "PCI_HOT_RESET: %s: argsz %u, flags %#x, count %u", what, argsz, flags, count);
}

void ask_resets(struct answers *a)
{
	static const uint32_t counts[] = { 0, 1, 2, 3, 8, 100, 1000000, 0x3fffffff, 0xffffffff };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (unsigned int i = 0; i < NUM(sizes); i++) {
		ask_hot_reset_info(a, sizes[i], 0);
		ask_hot_reset(a, "size", sizes[i], 0, 1, -1);
	}
	ask_hot_reset_info(a, 200, 1);
	ask_hot_reset_info(a, 200, 0xffffffff);
	for (unsigned int i = 0; i < NUM(counts); i++) {
		ask_hot_reset(a, "no fd", ROOM, 0, counts[i], -1);
		ask_hot_reset(a, "fd of nobody", ROOM, 0, counts[i], 4000);
		ask_hot_reset(a, "/dev/null", ROOM, 0, counts[i], null);
		ask_hot_reset(a, "the device", ROOM, 0, counts[i], a->v->fd);
		ask_hot_reset(a, "the IOMMU's", ROOM, 0, counts[i], a->v->iommu);
		ask_hot_reset(a, "the group's", ROOM, 0, counts[i], a->v->group);
		ask_hot_reset(a, "flags", ROOM, 1U << i * 3, counts[i], a->v->group);
	}
	answer(a, ask(a, VFIO_DEVICE_RESET, NULL), "RESET");
	answer(a, ask(a, VFIO_DEVICE_RESET, NOWHERE), "RESET: with an argument");
	close(null);
}
