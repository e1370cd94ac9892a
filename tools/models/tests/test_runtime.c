// SPDX-License-Identifier: GPL-2.0
/* The runtime through messages: info, config space, BARs, interrupts, guest memory. */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "test.h"

#define CONFIG	((uint32_t)VFIO_PCI_CONFIG_REGION_INDEX)
#define MSIX	((uint32_t)VFIO_PCI_MSIX_IRQ_INDEX)
#define SET_FD	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define RW	(VU_DMA_READABLE | VU_DMA_WRITABLE)

static uint32_t cfg(struct rig *r, uint64_t off, uint32_t len)
{
	uint32_t val = 0;

	CHECK_EQ(rig_read(r, CONFIG, off, &val, len), 0);
	return val;
}

static void set_cfg(struct rig *r, uint64_t off, uint32_t len, uint32_t val)
{
	CHECK_EQ(rig_write(r, CONFIG, off, &val, len), 0);
}

static uint32_t find_cap(struct rig *r, uint8_t id)
{
	uint32_t at = cfg(r, PCI_CAPABILITY_LIST, 1);

	while (at && cfg(r, at, 1) != id)
		at = cfg(r, at + 1, 1);
	CHECK(at);
	return at;
}

static void device_info(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t info[4] = { 16 };

	CHECK_EQ(rig_call(r, VU_GET_INFO, info, 16, NULL, 0), 16);
	memcpy(info, r->reply, 16);
	CHECK_EQ(info[1], VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	CHECK_EQ(info[2], 9);
	CHECK_EQ(info[3], 5);
	rig_close(r);
}

static int region_info(struct rig *r, uint32_t index, uint32_t argsz, struct vfio_region_info *i)
{
	struct vfio_region_info req = { .argsz = argsz, .index = index };
	int ret = rig_call(r, VU_GET_REGION_INFO, &req, sizeof(req), NULL, 0);

	memcpy(i, r->reply, sizeof(*i));
	return ret;
}

static void regions_and_sparse_mmap(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	struct vfio_region_sparse_mmap_area area;
	struct vfio_region_info i;
	uint8_t *mem;

	CHECK_EQ(region_info(r, 0, 32, &i), 32);
	CHECK_EQ(i.size, 16);
	CHECK_EQ(i.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
	CHECK_EQ(region_info(r, 3, 32, &i), 32);
	CHECK_EQ(i.size, 0);
	CHECK_EQ(i.flags, 0);
	CHECK_EQ(region_info(r, CONFIG, 32, &i), 32);
	CHECK_EQ(i.size, 4096);
	/* sparse: first too small, then with the capability and the descriptor */
	CHECK_EQ(region_info(r, 1, 32, &i), 32);
	CHECK_EQ(i.argsz, 32 + 16 + 2 * 16);
	CHECK_EQ(i.cap_offset, 32);
	CHECK_EQ(r->num_reply_fds, 0);
	CHECK_EQ(region_info(r, 1, i.argsz, &i), 80);
	CHECK_EQ(i.cap_offset, 32);
	CHECK(i.flags & VFIO_REGION_INFO_FLAG_MMAP);
	CHECK_EQ(r->num_reply_fds, 1);
	memcpy(&area, r->reply + 64, sizeof(area));
	CHECK_EQ(area.offset, 0x3000);
	mem = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, r->reply_fds[0], 0x1000);
	if (mem == MAP_FAILED)
		abort();
	rig_enable(r);
	mem[5] = 0x77;
	CHECK_EQ(rig_read32(r, 1, 0x1004), 0x7700);
	rig_write32(r, 1, 0x1008, 0x12345678);
	CHECK_EQ(mem[8], 0x78);
	munmap(mem, 0x1000);
	/* whole BAR */
	CHECK_EQ(region_info(r, 2, 32, &i), 32);
	CHECK(i.flags & VFIO_REGION_INFO_FLAG_MMAP);
	CHECK(!(i.flags & VFIO_REGION_INFO_FLAG_CAPS));
	CHECK_EQ(r->num_reply_fds, 1);
	rig_close(r);
	/* a client that takes no descriptors gets none */
	r = rig_open_raw(&test_model, NULL);
	CHECK(rig_version(r, "{\"capabilities\":{\"max_msg_fds\":0}}") > 0);
	CHECK_EQ(region_info(r, 2, 32, &i), 32);
	CHECK(!(i.flags & VFIO_REGION_INFO_FLAG_MMAP));
	rig_close(r);
}

static void bar_access(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint8_t buf[0x2100];

	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0xffffffff);
	rig_write32(r, 1, TM_SCRATCH, 1);
	rig_enable(r);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	rig_write32(r, 1, TM_SCRATCH, 0xcafe);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0xcafe);
	CHECK_EQ(rig_read32(r, 0, 0), 0x5a5a5a5a);
	/* across the borders of registers and memory */
	memset(buf, 0x33, sizeof(buf));
	CHECK_EQ(rig_write(r, 1, 0xff8, buf, 0x2100), 0);
	CHECK_EQ(rig_read32(r, 1, 0x1ffc), 0x33333333);
	CHECK_EQ(rig_read32(r, 1, 0x2000), 0);
	CHECK_EQ(rig_read32(r, 1, 0x30f0), 0x33333333);
	CHECK_EQ(rig_read(r, 1, 0xfff8, buf, 9), -EINVAL);
	rig_close(r);
}

static void config_masks(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t pm, exp, aer;

	CHECK_EQ(cfg(r, 0, 4), 0x76001234);
	set_cfg(r, 0, 4, 0);
	CHECK_EQ(cfg(r, 0, 4), 0x76001234);
	CHECK_EQ(cfg(r, PCI_CLASS_REVISION, 4), 0xff000003);
	set_cfg(r, PCI_COMMAND, 2, 0xffff);
	CHECK_EQ(cfg(r, PCI_COMMAND, 2), 0x547);
	set_cfg(r, PCI_BASE_ADDRESS_0, 4, 0xffffffff);
	CHECK_EQ(cfg(r, PCI_BASE_ADDRESS_0, 4), 0xfffffff1);
	set_cfg(r, PCI_BASE_ADDRESS_1, 4, 0xffffffff);
	CHECK_EQ(cfg(r, PCI_BASE_ADDRESS_1, 4), 0xffff0000);
	set_cfg(r, PCI_BASE_ADDRESS_2, 4, 0xffffffff);
	set_cfg(r, PCI_BASE_ADDRESS_3, 4, 0xffffffff);
	CHECK_EQ(cfg(r, PCI_BASE_ADDRESS_2, 4), 0xffffe004);
	CHECK_EQ(cfg(r, PCI_BASE_ADDRESS_3, 4), 0xffffffff);
	set_cfg(r, PCI_BASE_ADDRESS_5, 4, 0xffffffff);
	CHECK_EQ(cfg(r, PCI_BASE_ADDRESS_5, 4), 0);
	set_cfg(r, PCI_INTERRUPT_LINE, 1, 0x55);
	CHECK_EQ(cfg(r, PCI_INTERRUPT_LINE, 2), 0x155);
	/* write one to clear */
	vu_config_set(r->dev, PCI_STATUS, 2, vu_config_get(r->dev, PCI_STATUS, 2) | 0xf900);
	set_cfg(r, PCI_STATUS, 2, 0x8000);
	CHECK_EQ(cfg(r, PCI_STATUS, 2), 0x7910);
	exp = find_cap(r, PCI_CAP_ID_EXP);
	vu_config_set(r->dev, exp + PCI_EXP_DEVSTA, 2, 0xf);
	set_cfg(r, exp + PCI_EXP_DEVSTA, 2, 0x5);
	CHECK_EQ(cfg(r, exp + PCI_EXP_DEVSTA, 2), 0xa);
	/* extended list: AER, then DSN */
	aer = cfg(r, 0x100, 4);
	CHECK_EQ(aer & 0xffff, PCI_EXT_CAP_ID_ERR);
	CHECK_EQ(cfg(r, aer >> 20, 4) & 0xfffff, PCI_EXT_CAP_ID_DSN | 1 << 16);
	CHECK_EQ(cfg(r, (aer >> 20) + 4, 4), 0x55667788);
	CHECK_EQ(cfg(r, find_cap(r, PCI_CAP_ID_VNDR) + 2, 4), 0xefcdab06);
	/* D3hot: memory off, config stays */
	pm = find_cap(r, PCI_CAP_ID_PM);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	set_cfg(r, pm + PCI_PM_CTRL, 2, 3);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0xffffffff);
	set_cfg(r, pm + PCI_PM_CTRL, 2, 0);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	/* a function that forgets: nothing of it is left */
	rig_write32(r, 1, TM_SCRATCH, 5);
	set_cfg(r, pm + PCI_PM_CTRL, 2, 3);
	set_cfg(r, pm + PCI_PM_CTRL, 2, 0);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 5);
	CHECK(strstr(rig_control(r, "soft_reset 2"), "err"));
	rig_control(r, "soft_reset 1");
	CHECK(!(cfg(r, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_NO_SOFT_RESET));
	set_cfg(r, pm + PCI_PM_CTRL, 2, 3);
	set_cfg(r, pm + PCI_PM_CTRL, 2, 0);
	CHECK_EQ(cfg(r, PCI_COMMAND, 2), 0);
	rig_enable(r);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	rig_control(r, "soft_reset 0");
	CHECK(cfg(r, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_NO_SOFT_RESET);
	rig_close(r);
}

static int small_init(struct vu_dev *dev)
{
	CHECK_EQ(vu_ext_cap_add(dev, PCI_EXT_CAP_ID_DSN, 1, 12), -ENOSPC);
	CHECK_EQ(vu_cap_add(dev, PCI_CAP_ID_VNDR, 1), -EINVAL);
	CHECK_EQ(vu_cap_add(dev, PCI_CAP_ID_VNDR, 193), -ENOSPC);
	CHECK_EQ(vu_add_msix(dev, 1, 0, 0, 0, 0), -EINVAL);	/* no BAR 0 */
	CHECK_EQ(vu_add_msi(dev, 3, false), -EINVAL);
	CHECK_EQ(vu_cap_add(dev, PCI_CAP_ID_VNDR, 192), 0x40);
	return 0;
}

static void small_config_and_bad_models(void)
{
	struct vu_model m = { .name = "small", .config_bytes = 256, .init = small_init };
	struct rig *r = rig_open(&m, NULL);
	uint32_t val;

	CHECK_EQ(cfg(r, PCI_CAPABILITY_LIST, 1), 0x40);
	CHECK_EQ(cfg(r, 252, 4), 0);
	CHECK_EQ(rig_read(r, CONFIG, 256, &val, 4), -EINVAL);
	CHECK_EQ(rig_set_irqs(r, 0, SET_FD, 0, 1, NULL, 0), -EINVAL);	/* no INTx */
	rig_close(r);
	fprintf(stderr, "# expect three messages: cannot be set up\n");
	m.config_bytes = 300;
	CHECK(!vu_dev_new(&m, NULL, 0));
	m.config_bytes = 256;
	m.bars[0].bytes = 0x1800;
	CHECK(!vu_dev_new(&m, NULL, 0));
	m.bars[0].bytes = 0x1000;
	m.bars[0].flags = VU_BAR_64;
	m.bars[1].bytes = 0x1000;
	CHECK(!vu_dev_new(&m, NULL, 0));
}

static void resets(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t exp = find_cap(r, PCI_CAP_ID_EXP);
	int ev = eventfd(0, EFD_NONBLOCK);

	rig_enable(r);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 0, 1, &ev, 1), 0);
	rig_write32(r, 1, TM_SCRATCH, 5);
	CHECK(cfg(r, exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	set_cfg(r, exp + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	CHECK_EQ(cfg(r, exp + PCI_EXP_DEVCTL, 2), 0x2810);
	CHECK_EQ(cfg(r, PCI_COMMAND, 2), 0);
	rig_enable(r);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 0);
	CHECK_EQ(rig_read32(r, 1, TM_RESETS), 2);
	CHECK_EQ(rig_call(r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	CHECK_EQ(cfg(r, PCI_COMMAND, 2), 0);
	rig_enable(r);
	CHECK_EQ(rig_read32(r, 1, TM_RESETS), 3);
	/* the client's eventfds outlive a reset */
	set_cfg(r, find_cap(r, PCI_CAP_ID_MSIX) + 2, 2, PCI_MSIX_FLAGS_ENABLE);
	rig_write32(r, 1, TM_MSIX, 0);
	CHECK_EQ(event_count(ev), 1);
	close(ev);
	rig_close(r);
}

static void irq_info(void)
{
	static const uint32_t counts[] = { 1, 4, 70, 1, 1 };
	struct rig *r = rig_open(&test_model, NULL);

	for (uint32_t i = 0; i < 5; i++) {
		struct vfio_irq_info info = { .argsz = 16, .index = i };

		CHECK_EQ(rig_call(r, VU_GET_IRQ_INFO, &info, 16, NULL, 0), 16);
		memcpy(&info, r->reply, 16);
		CHECK_EQ(info.count, counts[i]);
		CHECK_EQ(info.flags, i ? 1 : 7);
	}
	rig_close(r);
}

/* What a client passes need not be an eventfd, and never makes the model wait or end. */
static void odd_eventfds(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint64_t full = UINT64_MAX - 1, dropped = r->dev->stats.irqs_dropped;
	int fd[2], ev = eventfd(0, 0);

	CHECK_EQ(pipe(fd), 0);
	CHECK_EQ(write(ev, &full, sizeof(full)), sizeof(full));
	rig_enable(r);
	set_cfg(r, find_cap(r, PCI_CAP_ID_MSIX) + 2, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 0, 1, &fd[1], 1), 0);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 1, 1, &ev, 1), 0);
	close(fd[0]);
	rig_write32(r, 1, TM_MSIX, 0);
	CHECK_EQ(r->dev->stats.irqs_dropped, dropped + 1);
	rig_write32(r, 1, TM_MSIX, 1);
	CHECK_EQ(rig_read32(r, 1, TM_RESETS), 1);
	close(fd[1]);
	close(ev);
	rig_close(r);
}

static void msix_delivery(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t msix = find_cap(r, PCI_CAP_ID_MSIX);
	int ev[3];

	for (int i = 0; i < 3; i++)
		ev[i] = eventfd(0, EFD_NONBLOCK);
	rig_enable(r);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 66, 3, ev, 3), 0);
	rig_write32(r, 1, TM_MSIX, 66);
	CHECK_EQ(event_count(ev[0]), 0);	/* function not enabled: lost */
	set_cfg(r, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK_EQ(event_count(ev[0]), 0);
	rig_write32(r, 1, TM_MSIX, 66);
	rig_write32(r, 1, TM_MSIX, 67);
	CHECK_EQ(event_count(ev[0]), 1);
	CHECK_EQ(event_count(ev[1]), 1);
	CHECK_EQ(event_count(ev[2]), 0);
	/* function mask: pending, visible in the PBA, delivered once */
	set_cfg(r, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	rig_write32(r, 1, TM_MSIX, 68);
	rig_write32(r, 1, TM_MSIX, 68);
	CHECK_EQ(event_count(ev[2]), 0);
	CHECK_EQ(rig_read32(r, 4, 0x808), 1u << 4);
	set_cfg(r, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK_EQ(event_count(ev[2]), 1);
	CHECK_EQ(rig_read32(r, 4, 0x808), 0);
	/* no eventfd yet: pending until there is one */
	rig_write32(r, 1, TM_MSIX, 3);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 3, 1, &ev[0], 1), 0);
	CHECK_EQ(event_count(ev[0]), 1);
	/* mask by SET_IRQS, bus mastering off */
	CHECK_EQ(rig_set_irqs(r, MSIX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 3, 1,
			      NULL, 0), 0);
	rig_write32(r, 1, TM_MSIX, 3);
	CHECK_EQ(event_count(ev[0]), 0);
	CHECK_EQ(rig_set_irqs(r, MSIX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 3, 1,
			      NULL, 0), 0);
	CHECK_EQ(event_count(ev[0]), 1);
	set_cfg(r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	rig_write32(r, 1, TM_MSIX, 3);
	CHECK_EQ(event_count(ev[0]), 0);
	rig_enable(r);
	CHECK_EQ(event_count(ev[0]), 1);
	/* loopback, removal, disable all */
	CHECK_EQ(rig_set_irqs(r, MSIX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 66, 2,
			      NULL, 0), 0);
	CHECK_EQ(event_count(ev[0]), 1);
	CHECK_EQ(event_count(ev[1]), 1);
	CHECK_EQ(rig_set_irqs(r, MSIX, SET_FD, 66, 1, NULL, 0), 0);
	rig_write32(r, 1, TM_MSIX, 67);
	CHECK_EQ(event_count(ev[1]), 1);
	CHECK_EQ(rig_set_irqs(r, MSIX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0,
			      NULL, 0), 0);
	rig_write32(r, 1, TM_MSIX, 67);
	CHECK_EQ(event_count(ev[1]), 0);
	rig_write32(r, 1, TM_MSIX, 4000);	/* beyond the table */
	for (int i = 0; i < 3; i++)
		close(ev[i]);
	rig_close(r);
}

static void msi_err_req(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	uint32_t msi = find_cap(r, PCI_CAP_ID_MSI);
	int ev = eventfd(0, EFD_NONBLOCK);

	rig_enable(r);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_MSI_IRQ_INDEX, SET_FD, 2, 1, &ev, 1), 0);
	set_cfg(r, msi + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
	rig_write32(r, 1, TM_MSI, 2);
	CHECK_EQ(event_count(ev), 1);
	set_cfg(r, msi + PCI_MSI_MASK_64, 4, 4);
	rig_write32(r, 1, TM_MSI, 2);
	CHECK_EQ(event_count(ev), 0);
	set_cfg(r, msi + PCI_MSI_MASK_64, 4, 0);
	CHECK_EQ(event_count(ev), 1);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_ERR_IRQ_INDEX, SET_FD, 0, 1, &ev, 1), 0);
	rig_write32(r, 1, TM_ERR, 1);
	CHECK_EQ(event_count(ev), 1);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_REQ_IRQ_INDEX, SET_FD, 0, 1, &ev, 1), 0);
	rig_write32(r, 1, TM_REQ, 1);
	CHECK_EQ(event_count(ev), 1);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_REQ_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, 1, NULL, 0),
		 -ENOTTY);
	close(ev);
	rig_close(r);
}

static void intx(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	int ev = eventfd(0, EFD_NONBLOCK), un = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;

	rig_enable(r);
	CHECK_EQ(rig_set_irqs(r, 0, SET_FD, 0, 1, &ev, 1), 0);
	rig_write32(r, 1, TM_INTX, 1);
	CHECK_EQ(event_count(ev), 1);
	CHECK(cfg(r, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	rig_write32(r, 1, TM_INTX, 1);
	CHECK_EQ(event_count(ev), 0);		/* masked itself */
	CHECK_EQ(rig_set_irqs(r, 0, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 0, 1,
			      NULL, 0), 0);
	CHECK_EQ(event_count(ev), 1);		/* still asserted */
	CHECK_EQ(rig_set_irqs(r, 0, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, 0, 1,
			      &un, 1), 0);
	CHECK_EQ(write(un, &one, sizeof(one)), 8);
	rig_step(r);
	CHECK_EQ(event_count(ev), 1);		/* resampled */
	rig_write32(r, 1, TM_INTX, 0);
	CHECK_EQ(write(un, &one, sizeof(one)), 8);
	rig_step(r);
	CHECK_EQ(event_count(ev), 0);
	CHECK(!(cfg(r, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT));
	set_cfg(r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	rig_write32(r, 1, TM_INTX, 1);
	CHECK_EQ(event_count(ev), 0);
	set_cfg(r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	CHECK_EQ(event_count(ev), 1);
	CHECK_EQ(rig_set_irqs(r, 0, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_MASK, 0, 1,
			      &un, 1), -ENOTTY);
	close(ev);
	close(un);
	rig_close(r);
}

/* ---- guest memory ---- */

static int transfer(struct rig *r, uint32_t go, uint64_t iova, uint32_t len)
{
	rig_write32(r, 1, TM_IOVA, (uint32_t)iova);
	rig_write32(r, 1, TM_IOVA + 4, (uint32_t)(iova >> 32));
	rig_write32(r, 1, TM_LEN, len);
	rig_write32(r, 1, TM_RESULT, 12345);
	rig_write32(r, 1, TM_GO, go);
	return (int)rig_read32(r, 1, TM_RESULT);
}

static void dma_basic(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	int fd, ro;
	uint8_t *mem = rig_memory(r, 0x100000, 0x10000, RW, &fd);
	uint8_t *rom = rig_memory(r, 0x110000, 0x1000, VU_DMA_READABLE, &ro);
	uint8_t *buf = test_model_buffer(r->dev);

	CHECK_EQ(transfer(r, 1, 0x100000, 16), -1);	/* memory space is off */
	set_cfg(r, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	CHECK_EQ(transfer(r, 1, 0x100000, 16), -EPERM);
	CHECK_EQ(transfer(r, 2, 0x100000, 16), -EPERM);
	/* It did not reach the bus. */
	CHECK(strstr(rig_control(r, "stats"), "dma_reads 0\n"));
	CHECK(strstr(rig_control(r, "stats"), "dma_writes 0\n"));
	CHECK(strstr(rig_control(r, "stats"), "dma_faults 0\n"));
	rig_enable(r);
	memset(mem, 0x21, 0x10000);
	memset(rom, 0x43, 0x1000);
	CHECK_EQ(transfer(r, 1, 0x10fff0, 0x20), 0);	/* spans two mappings */
	CHECK_EQ(buf[15], 0x21);
	CHECK_EQ(buf[16], 0x43);
	CHECK_EQ(transfer(r, 1, 0x110ff0, 0x11), -EFAULT);
	CHECK_EQ(transfer(r, 1, 0xfffff, 1), -EFAULT);
	CHECK_EQ(transfer(r, 1, UINT64_MAX - 3, 8), -EFAULT);
	CHECK_EQ(transfer(r, 2, 0x110000, 4), -EACCES);
	memset(buf, 0x99, 64);
	CHECK_EQ(transfer(r, 2, 0x100ffe, 4), 0);
	CHECK_EQ(mem[0xffe], 0x99);
	CHECK_EQ(mem[0x1001], 0x99);
	CHECK_EQ(mem[0x1002], 0x21);
	/* map table rules */
	CHECK_EQ(rig_dma_map(r, 0x100000, 0x1000, 0, RW, fd), -EEXIST);
	CHECK_EQ(rig_dma_map(r, 0xff000, 0x2000, 0, RW, fd), -EEXIST);
	CHECK_EQ(rig_dma_map(r, 0x200000, 0x11000, 0, RW, fd), -EINVAL);
	CHECK_EQ(rig_dma_map(r, 0x200000, 0x1000, 0x10000, RW, fd), -EINVAL);
	CHECK_EQ(rig_dma_unmap(r, 0x700000, 0x1000, 0), 24);	/* never mapped */
	/* a hole in the middle */
	CHECK_EQ(rig_dma_unmap(r, 0x104000, 0x1000, 0), 24);
	CHECK_EQ(transfer(r, 1, 0x104000, 4), -EFAULT);
	mem[0x5000] = 0x66;
	CHECK_EQ(transfer(r, 1, 0x105000, 4), 0);
	CHECK_EQ(buf[0], 0x66);
	CHECK_EQ(transfer(r, 1, 0x103ffc, 4), 0);
	CHECK_EQ(rig_dma_unmap(r, 0x103000, 0x3000, 0), 24);
	CHECK_EQ(transfer(r, 1, 0x103ffc, 4), -EFAULT);
	mem[0x6000] = 0x67;
	CHECK_EQ(transfer(r, 1, 0x106000, 4), 0);
	CHECK_EQ(buf[0], 0x67);
	CHECK_EQ(rig_dma_unmap(r, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 24);
	CHECK_EQ(transfer(r, 1, 0x100000, 4), -EFAULT);
	CHECK_EQ(r->dev->dma.count, 0);
	CHECK(!r->dev->dma.files);
	munmap(mem, 0x10000);
	munmap(rom, 0x1000);
	close(fd);
	close(ro);
	rig_close(r);
}

static void dma_file_mode_and_shrinking(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	int fd, fd2;
	uint8_t *mem = rig_memory(r, 0x100000, 0x4000, RW | VU_DMA_MODE_FILE, &fd);
	uint8_t *mem2 = rig_memory(r, 0x200000, 0x4000, RW | VU_DMA_MODE_MMAP, &fd2);
	uint8_t *buf = test_model_buffer(r->dev);

	rig_enable(r);
	memset(buf, 0x11, 32);
	CHECK_EQ(transfer(r, 2, 0x101000, 32), 0);
	CHECK_EQ(mem[0x1020], 0);
	CHECK_EQ(mem[0x1000], 0x11);
	memset(mem, 0x22, 32);
	CHECK_EQ(transfer(r, 1, 0x100000, 32), 0);
	CHECK_EQ(buf[31], 0x22);
	/* the client takes the memory away without a word */
	CHECK_EQ(transfer(r, 2, 0x202000, 32), 0);
	CHECK_EQ(ftruncate(fd, 0x1000), 0);
	CHECK_EQ(ftruncate(fd2, 0x1000), 0);
	CHECK_EQ(transfer(r, 1, 0x102000, 32), -EFAULT);
	CHECK_EQ(transfer(r, 1, 0x202000, 32), -EFAULT);
	CHECK_EQ(transfer(r, 2, 0x202000, 32), -EFAULT);
	CHECK_EQ(transfer(r, 2, 0x200000, 32), 0);
	munmap(mem, 0x4000);
	munmap(mem2, 0x4000);
	close(fd);
	close(fd2);
	rig_close(r);
}

static void ledger(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	int fd;
	uint8_t *mem = rig_memory(r, 0x100000, 0x100000, RW, &fd);

	rig_enable(r);
	CHECK_EQ(transfer(r, 1, 0x100000, 64), 0);
	CHECK(!strcmp(rig_control(r, "ledger"), "ok\n"));	/* reads are not entered */
	CHECK_EQ(transfer(r, 2, 0x100ffe, 4), 0);
	CHECK_EQ(transfer(r, 2, 0x101000, 1), 0);
	CHECK_EQ(transfer(r, 2, 0x103fff, 2), 0);
	CHECK(!strcmp(rig_control(r, "ledger"), "0x100000 1\n0x101000 2\n0x103000 1\n"
						"0x104000 1\nok\n"));
	/* a write that fails half way enters what it wrote */
	CHECK_EQ(rig_dma_unmap(r, 0x106000, 0x1000, 0), 24);
	CHECK(!strcmp(rig_control(r, "ledger clear"), "ok\n"));
	CHECK_EQ(transfer(r, 2, 0x105000, 0x2000), -EFAULT);
	CHECK(!strcmp(rig_control(r, "ledger"), "0x105000 1\nok\n"));
	vu_ledger_clear(&r->dev->ledger);
	for (uint64_t i = 0; i < 5000; i++)
		vu_ledger_add(&r->dev->ledger, (4999 - i) << 12, 4096);
	vu_ledger_add(&r->dev->ledger, UINT64_MAX - 1, 2);
	CHECK_EQ(r->dev->ledger.used, 5001);
	CHECK(!strncmp(rig_control(r, "ledger"), "0x0 1\n0x1000 1\n", 15));
	munmap(mem, 0x100000);
	close(fd);
	rig_close(r);
}

/* ---- memory without a descriptor: the client answers from another thread ---- */

enum peer_mode { PEER_GOOD, PEER_ERROR, PEER_SHORT, PEER_LIES, PEER_SILENT, PEER_CLOSE };

struct peer {
	int fd;
	enum peer_mode mode;
	bool interleave;	/* wait for a register read before answering */
	uint8_t mem[0x2000];
	unsigned int served;
	uint32_t seen;
};

static bool peer_get(int fd, struct vu_hdr *h, uint8_t *buf)
{
	return recv(fd, h, sizeof(*h), MSG_WAITALL) == sizeof(*h) &&
	       (h->size == sizeof(*h) ||
		recv(fd, buf, h->size - sizeof(*h), MSG_WAITALL) ==
		(ssize_t)(h->size - sizeof(*h)));
}

static void peer_read_register(struct peer *p, uint8_t *buf)
{
	struct {
		struct vu_hdr h;
		struct vu_region_rw_msg m;
	} req = { { 999, VU_REGION_READ, sizeof(req), 0, 0 }, { TM_LEN, 1, 4 } };
	struct vu_hdr h;

	if (write(p->fd, &req, sizeof(req)) == sizeof(req) && peer_get(p->fd, &h, buf))
		memcpy(&p->seen, buf + 16, 4);
}

static void peer_answer(struct peer *p, struct vu_hdr h, const uint8_t *req)
{
	uint8_t out[16 + 16 + 0x2000];
	struct vu_dma_rw_msg m;
	size_t len = sizeof(h) + sizeof(m);

	memcpy(&m, req, sizeof(m));
	if (p->mode == PEER_SHORT && m.count > 100)
		m.count = 100;
	if (p->mode == PEER_LIES)
		m.count += 1;
	if (h.cmd == VU_DMA_WRITE && p->mode != PEER_LIES)
		memcpy(p->mem + (m.iova & 0x1fff), req + 16, m.count);
	if (h.cmd == VU_DMA_READ && p->mode != PEER_LIES) {
		memcpy(out + len, p->mem + (m.iova & 0x1fff), m.count);
		len += m.count;
	}
	h.flags = VU_FLAG_REPLY;
	if (p->mode == PEER_ERROR) {
		h.flags |= VU_FLAG_ERROR;
		h.error = EIO;
		len = sizeof(h);
	}
	h.size = (uint32_t)len;
	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), &m, sizeof(m));
	p->served += write(p->fd, out, len) == (ssize_t)len;
}

static void *peer_thread(void *arg)
{
	static uint8_t buf[VU_MAX_PAYLOAD], reg[64];
	struct peer *p = arg;
	struct vu_hdr h;

	while (peer_get(p->fd, &h, buf)) {
		if ((h.flags & VU_FLAG_TYPE_MASK) == VU_FLAG_REPLY)
			break;				/* the test goes on by itself */
		if (p->mode == PEER_CLOSE) {
			shutdown(p->fd, SHUT_RDWR);
			break;
		}
		if (p->interleave)
			peer_read_register(p, reg);
		if (p->mode != PEER_SILENT)
			peer_answer(p, h, buf);
	}
	return NULL;
}

/* Start a transfer, let the peer thread be the client, return the engine's result. */
static int peer_transfer(struct peer *p, enum peer_mode mode, uint32_t go, uint32_t len)
{
	struct rig *r = rig_open(&test_model, NULL);
	struct vu_region_rw_msg m = { .offset = TM_GO, .region = 1, .count = 4 };
	uint8_t msg[20];
	pthread_t thread;
	int result = 0;

	rig_enable(r);
	CHECK_EQ(rig_dma_map(r, 0x40000, 0x2000, 0, RW, -1), 0);
	rig_write32(r, 1, TM_IOVA, 0x40010);
	rig_write32(r, 1, TM_LEN, len);
	rig_write32(r, 1, TM_RESULT, 12345);
	memset(test_model_buffer(r->dev), 0x3c, len);
	memcpy(msg, &m, sizeof(m));
	memcpy(msg + sizeof(m), &go, sizeof(go));
	rig_send(r, VU_REGION_WRITE, VU_FLAG_NO_REPLY, msg, sizeof(msg), NULL, 0);
	p->fd = r->fd;
	p->mode = mode;
	test_clock(true);
	pthread_create(&thread, NULL, peer_thread, p);
	rig_run(r, mode == PEER_SILENT ? 400 : 100);
	vu_dev_region_access(r->dev, 1, TM_RESULT, &result, 4, false);
	if (mode == PEER_CLOSE)
		CHECK_EQ(r->srv->conn.fd, -1);
	shutdown(r->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	if (mode == PEER_GOOD && go == 1)
		CHECK_EQ(test_model_buffer(r->dev)[len - 1], 0xd2);
	if (!result && go == 2)
		CHECK(strstr(rig_control(r, "ledger"), "0x40000 "));
	rig_close(r);
	return result;
}

static void dma_by_message(void)
{
	static struct peer p;

	memset(p.mem, 0xd2, sizeof(p.mem));
	CHECK_EQ(peer_transfer(&p, PEER_GOOD, 1, 0x1800), 0);
	CHECK_EQ(p.served, 1);
	CHECK_EQ(peer_transfer(&p, PEER_GOOD, 2, 0x100), 0);
	CHECK_EQ(p.mem[0x10f], 0x3c);
	CHECK_EQ(p.mem[0x110], 0xd2);
	p.served = 0;
	CHECK_EQ(peer_transfer(&p, PEER_SHORT, 1, 250), 0);
	CHECK_EQ(p.served, 3);
	CHECK_EQ(peer_transfer(&p, PEER_ERROR, 1, 64), -EIO);
	CHECK_EQ(peer_transfer(&p, PEER_LIES, 1, 64), -EIO);
	CHECK_EQ(peer_transfer(&p, PEER_LIES, 2, 64), -EIO);
	CHECK_EQ(peer_transfer(&p, PEER_SILENT, 1, 64), -ETIMEDOUT);
	CHECK_EQ(peer_transfer(&p, PEER_CLOSE, 1, 64), -ENOTCONN);
	p.interleave = true;
	memset(p.mem, 0xd2, sizeof(p.mem));
	CHECK_EQ(peer_transfer(&p, PEER_GOOD, 1, 77), 0);
	CHECK_EQ(p.seen, 77);		/* a request was answered while we waited */
}

static void generic_faults(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	int fd, ev = eventfd(0, EFD_NONBLOCK);
	uint8_t *mem = rig_memory(r, 0x100000, 0x1000, RW, &fd);
	uint64_t start;
	uint32_t val;

	rig_enable(r);
	CHECK(!strcmp(rig_control(r, "fault dma_read fail skip=1 count=1"), "ok\n"));
	CHECK_EQ(transfer(r, 1, 0x100000, 4), 0);
	CHECK_EQ(transfer(r, 1, 0x100000, 4), -EIO);
	CHECK_EQ(transfer(r, 1, 0x100000, 4), 0);
	rig_control(r, "fault dma_write fail");
	CHECK_EQ(transfer(r, 2, 0x100000, 4), -EIO);
	CHECK(strstr(rig_control(r, "faults"), "dma_write fail=0 taken=1\n"));
	rig_control(r, "fault clear");
	CHECK_EQ(transfer(r, 2, 0x100000, 4), 0);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_ERR_IRQ_INDEX, SET_FD, 0, 1, &ev, 1), 0);
	rig_control(r, "fault irq fail count=1");
	rig_write32(r, 1, TM_ERR, 1);
	CHECK_EQ(event_count(ev), 0);
	rig_write32(r, 1, TM_ERR, 1);
	CHECK_EQ(event_count(ev), 1);
	rig_control(r, "fault region_read fail count=1");
	CHECK_EQ(rig_read32(r, 1, TM_LEN), 0xffffffff);
	rig_control(r, "fault region_read fail=5 count=1");
	CHECK_EQ(rig_read(r, 1, TM_LEN, &val, 4), -5);
	rig_control(r, "fault config fail count=2");
	val = 0;
	CHECK_EQ(rig_write(r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_CACHE_LINE_SIZE, &val, 1), 0);
	CHECK_EQ(rig_read(r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_VENDOR_ID, &val, 4), 0);
	CHECK_EQ(val, 0xffffffff);
	CHECK_EQ(rig_read(r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_VENDOR_ID, &val, 4), 0);
	CHECK(val != 0xffffffff);
	start = vu_now();
	rig_control(r, "fault region_write delay=30 count=1");
	rig_write32(r, 1, TM_SCRATCH, 9);
	CHECK(vu_now() - start >= 30000000);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 9);
	CHECK(strstr(rig_control(r, "fault nothing fail"), "err no such"));
	CHECK(strstr(rig_control(r, "fault irq"), "err need"));
	CHECK(strstr(rig_control(r, "fault irq fail=x"), "err bad"));
	CHECK(strstr(rig_control(r, "fault irq fail count=0"), "err bad"));
	munmap(mem, 0x1000);
	close(fd);
	close(ev);
	rig_close(r);
}

static void posted_and_multi(void)
{
	struct rig *r = rig_open(&test_model, NULL);
	struct {
		uint64_t count;
		struct vu_write_multi_msg wr[2];
	} multi = { 2, { { TM_SCRATCH, 1, 4, { 1 } }, { TM_LEN, 1, 4, { 2 } } } };
	struct {
		struct vu_region_rw_msg m;
		uint32_t val;
	} post = { { TM_SCRATCH, 1, 4 }, 77 };

	rig_enable(r);
	rig_send(r, VU_REGION_WRITE, VU_FLAG_NO_REPLY, &post, 20, NULL, 0);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 77);
	post.m.region = 99;			/* an error has no reply either */
	rig_send(r, VU_REGION_WRITE, VU_FLAG_NO_REPLY, &post, 20, NULL, 0);
	CHECK_EQ(rig_call(r, VU_REGION_WRITE_MULTI, &multi, sizeof(multi), NULL, 0), 8);
	CHECK_EQ(rig_read32(r, 1, TM_SCRATCH), 1);
	CHECK_EQ(rig_read32(r, 1, TM_LEN), 2);
	multi.wr[1].region = 9;
	CHECK_EQ(rig_call(r, VU_REGION_WRITE_MULTI, &multi, sizeof(multi), NULL, 0), -EINVAL);
	rig_close(r);
}

static const struct test runtime_tests[] = {
	{ "runtime: device_info", device_info },
	{ "runtime: regions_and_sparse_mmap", regions_and_sparse_mmap },
	{ "runtime: bar_access", bar_access },
	{ "runtime: config_masks_and_w1c", config_masks },
	{ "runtime: small_config_and_bad_models", small_config_and_bad_models },
	{ "runtime: flr_and_device_reset", resets },
	{ "runtime: irq_info", irq_info },
	{ "runtime: msix_delivery_mask_and_pending", msix_delivery },
	{ "runtime: odd_eventfds", odd_eventfds },
	{ "runtime: msi_err_req", msi_err_req },
	{ "runtime: intx_level_and_resample", intx },
	{ "runtime: dma_map_and_access", dma_basic },
	{ "runtime: dma_file_mode_and_shrinking_memory", dma_file_mode_and_shrinking },
	{ "runtime: ledger", ledger },
	{ "runtime: dma_by_message", dma_by_message },
	{ "runtime: generic_faults", generic_faults },
	{ "runtime: posted_and_multiple_writes", posted_and_multi },
	{ NULL, NULL },
};

TEST_SUITE(runtime_tests);
