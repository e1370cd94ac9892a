// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): registers, queues, faults. */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>

#include "nvme_host.h"

#define DB(n)		(NVS_REG_DOORBELLS + 4u * (n))

static char *one_function[] = { NVMH_PROFILE, "serial=77", "size=8", NULL };

/* ---- registers ---- */

static void test_registers(void)
{
	struct nvmh_family f;
	uint64_t cap;
	uint8_t byte;

	nvmh_open_family(&f, one_function);
	cap = nvmh_read64(&f.h, NVS_REG_CAP);
	CHECK_EQ(cap & 0xffff, 1023);
	CHECK(cap & NVS_CAP_CQR);
	CHECK(cap & NVS_CAP_CSS_NVM);
	CHECK(!(cap & NVS_CAP_CSS_NONE));
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_VS), NVS_VERSION_2_1);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_CRTO), NVS_CAP_TO_GET(cap));
	CHECK_EQ(nvmh_csts(&f.h), 0);
	/* Parts of registers may be read, but not be written. */
	CHECK_EQ(rig_read(f.h.r, 0, NVS_REG_VS + 2, &byte, 1), 0);
	CHECK_EQ(byte, 2);
	byte = 1;
	CHECK_EQ(rig_write(f.h.r, 0, NVS_REG_CC, &byte, 1), 0);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_CC), 0);
	rig_write32(f.h.r, 0, NVS_REG_AQA, 0xffffffff);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_AQA), NVS_AQA_MASK);
	nvmh_write64(&f.h, NVS_REG_ASQ, ~0ull);
	CHECK_EQ(nvmh_read64(&f.h, NVS_REG_ASQ), ~0xfffull);
	rig_write32(f.h.r, 0, NVS_REG_INTMS, 5);
	rig_write32(f.h.r, 0, NVS_REG_INTMC, 4);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_INTMS), 1);
	CHECK(strstr(rig_control(f.h.r, "regs"), "AQA 0xfff0fff\n"));
	nvmh_close_family(&f);
}

static void test_identity_capability(void)
{
	struct nvmh_family f;
	uint8_t cap[NVCF_CAP_BYTES] = { 0 };
	uint64_t serial;
	uint16_t cntlid;
	uint8_t at = 0x34;

	nvmh_open_family(&f, one_function);
	do {
		CHECK_EQ(rig_read(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX, at == 0x34 ? at : at + 1u,
				  &at, 1), 0);
		CHECK_EQ(rig_read(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX, at, cap, sizeof(cap)), 0);
	} while (at && cap[0] != NVCF_CAP_ID);
	CHECK_EQ(cap[NVCF_CAP_LENGTH], NVCF_CAP_BYTES);
	CHECK_EQ(cap[NVCF_CAP_TYPE], NVCF_CAP_TYPE_VALUE);
	CHECK_EQ(cap[NVCF_CAP_ROLE], NVCF_ROLE_MIGRATABLE);
	memcpy(&cntlid, cap + NVCF_CAP_CNTLID, 2);
	memcpy(&serial, cap + NVCF_CAP_SERIAL, 8);
	CHECK_EQ(cntlid, NVCF_CNTLID_FIRST);
	CHECK_EQ(serial, 77);
	nvmh_close_family(&f);
}

static void test_no_profile(void)
{
	static char *none[] = { "size=8", NULL };
	struct nvmh_family f;

	nvmh_open_family(&f, none);
	CHECK_EQ(NVS_CAP_TO_GET(nvmh_read64(&f.h, NVS_REG_CAP)), 1);
	CHECK(!nvmh_enable(&f.h));
	rig_run(f.h.r, 5);
	CHECK_EQ(nvmh_csts(&f.h), 0);
	nvmh_close_family(&f);
}

/* Without waiting for the answer. */
static void send_cc(struct rig *r, uint32_t cc)
{
	struct {
		struct vu_region_rw_msg m;
		uint32_t val;
	} w = { { NVS_REG_CC, NVCF_BAR, sizeof(cc) }, cc };

	rig_send(r, VU_REGION_WRITE, 0, &w, sizeof(w.m) + sizeof(cc), NULL, 0);
}

static void test_enable_disable(void)
{
	struct nvmh_family f;
	uint32_t cc;

	nvmh_open_enabled(&f, one_function);
	cc = rig_read32(f.h.r, 0, NVS_REG_CC);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	/* The admin queue cannot be moved meanwhile. */
	rig_write32(f.h.r, 0, NVS_REG_AQA, 0x10001);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_AQA), 0x1f001f);
	nvmh_write64(&f.h, NVS_REG_ACQ, 0x5000);
	CHECK(nvmh_read64(&f.h, NVS_REG_ACQ) != 0x5000);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), 0);
	nvmh_disable(&f.h);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_AQA), 0x1f001f);
	CHECK(nvmh_enable(&f.h));
	/* Its I/O queues went. */
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_DELETE_SQ, 0, 1, 0), NVS_SC_INVALID_QID);
	/* Off and on again before anybody looks. */
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), 0);
	send_cc(f.h.r, 0);
	send_cc(f.h.r, cc);
	CHECK_EQ(rig_recv(f.h.r), 16);
	CHECK_EQ(rig_recv(f.h.r), 16);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	CHECK_EQ(nvmh_stat(f.h.r, "queues "), 2);
	nvmh_close_family(&f);
}

static void test_bad_enable(void)
{
	static const struct {
		uint32_t cc, aqa;
		uint64_t asq;
	} bad[] = {
		{ NVS_CC_EN | 1 << 4, 0x1f001f, NVMH_IOVA },		/* CSS */
		{ NVS_CC_EN | NVS_CC_CSS_ADMIN << 4, 0x1f001f, NVMH_IOVA },
		{ NVS_CC_EN | 5 << 7, 0x1f001f, NVMH_IOVA },		/* MPS */
		{ NVS_CC_EN | 1 << 11, 0x1f001f, NVMH_IOVA },		/* AMS */
		{ NVS_CC_EN, 0x1f0000, NVMH_IOVA },
		{ NVS_CC_EN, 0x1f, NVMH_IOVA },
		{ NVS_CC_EN | 1 << 7, 0x1f001f, NVMH_IOVA + 0x1000 },	/* not aligned to 8 KiB */
	};
	struct nvmh_family f;

	nvmh_open_family(&f, one_function);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_write32(f.h.r, 0, NVS_REG_AQA, bad[i].aqa);
		nvmh_write64(&f.h, NVS_REG_ASQ, bad[i].asq);
		nvmh_write64(&f.h, NVS_REG_ACQ, NVMH_IOVA + 0x8000);
		rig_write32(f.h.r, 0, NVS_REG_CC, bad[i].cc);
		CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_CFS);
		nvmh_disable(&f.h);
		CHECK_EQ(nvmh_csts(&f.h), 0);
	}
	CHECK(nvmh_enable(&f.h));
	nvmh_close_family(&f);
}

static void test_shutdown(void)
{
	struct nvmh_family f;
	uint32_t cc;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), 0);
	CHECK_EQ(nvmh_rw(&f.h, 1, NVS_IO_WRITE, 1, 0, 1, 512), 0);
	cc = rig_read32(f.h.r, 0, NVS_REG_CC);
	rig_write32(f.h.r, 0, NVS_REG_CC, cc | NVS_CC_SHN_NORMAL << 14);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_DONE);
	/* Nothing is fetched any more. */
	CHECK_EQ(nvmh_rw(&f.h, 1, NVS_IO_WRITE, 1, 0, 1, 512), -1);
	nvmh_disable(&f.h);
	CHECK_EQ(nvmh_csts(&f.h), 0);
	CHECK(nvmh_enable(&f.h));
	rig_write32(f.h.r, 0, NVS_REG_CC, cc | NVS_CC_SHN_ABRUPT << 14);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_DONE);
	nvmh_close_family(&f);
}

/* A shutdown before it is enabled, and fields that do not change while it is. */
static void test_cc(void)
{
	struct nvmh_family f;
	uint32_t cc;

	nvmh_open_family(&f, one_function);
	rig_write32(f.h.r, 0, NVS_REG_CC, NVS_CC_SHN_NORMAL << 14);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_SHST_DONE);
	CHECK(nvmh_enable(&f.h));
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), 0);
	cc = rig_read32(f.h.r, 0, NVS_REG_CC);
	rig_write32(f.h.r, 0, NVS_REG_CC, cc | 1 << 4 | 3 << 7 | 1 << 11);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_CC), cc);
	rig_write32(f.h.r, 0, NVS_REG_CC, cc | 0xff << 16);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_CC), cc | 0xff << 16);
	nvmh_close_family(&f);
}

static void test_resets(void)
{
	struct nvmh_family f;
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(rig_write(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX, f.h.r->dev->cfg.pcie +
			   PCI_EXP_DEVCTL,
			   &flr, 2), 0);
	rig_enable(f.h.r);
	CHECK_EQ(nvmh_csts(&f.h), 0);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_AQA), 0);
	CHECK(nvmh_enable(&f.h));
	/* A subsystem reset is for the managing controller, needs the right word, and is told. */
	rig_write32(f.h.r, 0, NVS_REG_NSSR, NVS_NSSR_VALUE);
	rig_enable(f.owner);
	rig_write32(f.owner, 0, NVS_REG_NSSR, 1);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	CHECK(!(nvmh_read64(&f.h, NVS_REG_CAP) & NVS_CAP_NSSRS));
	rig_write32(f.owner, 0, NVS_REG_NSSR, NVS_NSSR_VALUE);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_NSSRO);
	CHECK_EQ(rig_read32(f.h.r, 0, NVS_REG_CC), 0);
	CHECK(nvmh_enable(&f.h));
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_NSSRO);
	rig_write32(f.h.r, 0, NVS_REG_CSTS, NVS_CSTS_NSSRO);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	nvmh_close_family(&f);
}

/* ---- queues ---- */

static void test_queue_errors(void)
{
	static const struct {
		uint8_t opcode;
		uint32_t cdw10, cdw11;
		uint64_t prp1;
		int status;
	} cases[] = {
		{ NVS_ADMIN_CREATE_CQ, 0xf0000, 1, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_CQ, 0xf0041, 1, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_CQ, 0xfffff, 1, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_CQ, 0xf0001, 1, NVMH_IOVA, NVS_SC_INVALID_QID },	/* taken */
		{ NVS_ADMIN_CREATE_CQ, 0x00002, 1, NVMH_IOVA, NVS_SC_INVALID_QUEUE_SIZE },
		{ NVS_ADMIN_CREATE_CQ, 0x4000002, 1, NVMH_IOVA, NVS_SC_INVALID_QUEUE_SIZE },
		{ NVS_ADMIN_CREATE_CQ, 0xf0002, 0, NVMH_IOVA, NVS_SC_INVALID_FIELD },
		{ NVS_ADMIN_CREATE_CQ, 0xf0002, 1, NVMH_IOVA + 8, NVS_SC_INVALID_PRP_OFFSET },
		{ NVS_ADMIN_CREATE_CQ, 0xf0002, 1 | 65 << 16, NVMH_IOVA, NVS_SC_INVALID_VECTOR },
		{ NVS_ADMIN_CREATE_SQ, 0xf0001, 1 | 1 << 16, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_SQ, 0xf0002, 1, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_SQ, 0xf0002, 1 | 65 << 16, NVMH_IOVA, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_CREATE_SQ, 0xf0002, 1 | 5 << 16, NVMH_IOVA, NVS_SC_CQ_INVALID },
		{ NVS_ADMIN_CREATE_SQ, 0xf0002, 1 << 16, NVMH_IOVA, NVS_SC_INVALID_FIELD },
		{ NVS_ADMIN_DELETE_CQ, 1, 0, 0, NVS_SC_INVALID_QUEUE_DELETION },
		{ NVS_ADMIN_DELETE_CQ, 0, 0, 0, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_DELETE_CQ, 0xffff, 0, 0, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_DELETE_SQ, 0, 0, 0, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_DELETE_SQ, 0xffff, 0, 0, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_DELETE_SQ, 1, 0, 0, 0 },
		{ NVS_ADMIN_DELETE_SQ, 1, 0, 0, NVS_SC_INVALID_QID },
		{ NVS_ADMIN_DELETE_CQ, 1, 0, 0, 0 },
		{ 0x7f, 0, 0, 0, NVS_SC_INVALID_OPCODE },
		{ NVS_ADMIN_MIGRATION_SEND, 0, 0, 0, NVS_SC_INVALID_OPCODE },
	};
	struct nvmh_family f;
	uint16_t off = 0;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nvs_sqe sqe = {
			.opcode = cases[i].opcode, .cdw10 = cases[i].cdw10, .cdw11 = cases[i].cdw11,
			.prp1 = cases[i].prp1,
		};

		CHECK_EQ(nvmh_run(&f.h, 0, &sqe), cases[i].status);
	}
	/* Without MSI-X there is one vector. */
	CHECK_EQ(rig_write(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   f.h.r->dev->cfg.msix + PCI_MSIX_FLAGS, &off, 2), 0);
	CHECK_EQ(nvmh_create_pair(&f.h, 2, 16), NVS_SC_INVALID_VECTOR);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_CREATE_CQ, 0, 0xf0002, NVS_QUEUE_PC), 0);
	/* Entry sizes that the controller does not have. */
	nvmh_disable(&f.h);
	CHECK(nvmh_enable_cc(&f.h, NVS_CC_EN));
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 16), NVS_SC_INVALID_QUEUE_SIZE);
	nvmh_close_family(&f);
}

static void test_queue_wraps(void)
{
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 2), 0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(nvmh_rw(&f.h, 1, NVS_IO_FLUSH, 1, 0, 1, 0), 0);
		CHECK_EQ(le16toh(f.h.cqe.sqid), 1);
	}
	CHECK(event_count(f.h.ev[1]) > 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CONTROLLER, 0, 0), 0);
	nvmh_close_family(&f);
}

/* More commands than the completion queue has room for: none is lost. */
static void test_completion_queue_full(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(nvmh_create_pair(&f.h, 1, 4), 0);
	for (int i = 0; i < 3; i++)
		nvmh_queue(&f.h, 1, &flush);
	nvmh_ring(&f.h, 1);
	/* The queue of completions is full now: three more are not fetched. */
	for (int i = 0; i < 3; i++)
		nvmh_queue(&f.h, 1, &flush);
	nvmh_ring(&f.h, 1);
	CHECK_EQ(nvmh_stat(f.h.r, "commands_in_work "), 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(nvmh_status(&f.h, 1), 0);
	CHECK(!nvmh_poll(&f.h, 1));
	nvmh_close_family(&f);
}

static void test_doorbell_errors(void)
{
	static const struct {
		uint32_t reg, val, info;
	} cases[] = {
		{ DB(2), 1, NVS_ERROR_DOORBELL_REGISTER },
		{ DB(129), 1, NVS_ERROR_DOORBELL_REGISTER },
		{ DB(0), 32, NVS_ERROR_DOORBELL_VALUE },
		{ DB(1), 0xffffffff, NVS_ERROR_DOORBELL_VALUE },
		{ DB(1), 31, NVS_ERROR_DOORBELL_VALUE },	/* beyond what was posted */
	};
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	rig_write32(f.h.r, 0, DB(130), 1);	/* none at all */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };
		uint16_t cid = nvmh_submit(&f.h, 0, &aer);

		CHECK_EQ(nvmh_stat(f.h.r, "events_outstanding "), 1);
		rig_write32(f.h.r, 0, cases[i].reg, cases[i].val);
		CHECK_EQ(nvmh_status(&f.h, 0), 0);
		CHECK_EQ(le16toh(f.h.cqe.cid), cid);
		CHECK_EQ(f.h.cqe.dw0, NVS_EVENT_ERROR | cases[i].info << 8 | NVS_LOG_ERROR << 16);
		/* The log page is read, so that the next one is told. */
		CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_LOG, NVS_NSID_ALL,
				    15 << 16 | NVS_LOG_ERROR, 0), 0);
	}
	nvmh_close_family(&f);
}

/* ---- commands in general ---- */

static void test_admin_flags(void)
{
	struct nvs_sqe sqe =
		{ .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = NVMH_IOVA + NVMH_DATA };
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	for (unsigned int flags = 0; flags < 256; flags++) {
		sqe.flags = (uint8_t)flags;
		CHECK_EQ(nvmh_run(&f.h, 0, &sqe), flags & 0xc3 ? NVS_SC_INVALID_FIELD : 0);
	}
	nvmh_close_family(&f);
}

static void test_no_memory(void)
{
	struct nvs_sqe sqe = { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = 0x10000000 };
	uint16_t off = PCI_COMMAND_MEMORY;
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(nvmh_run(&f.h, 0, &sqe), NVS_SC_DATA_TRANSFER);
	/* Without bus mastering commands wait. */
	CHECK_EQ(rig_write(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &off, 2), 0);
	CHECK_EQ(nvmh_run(&f.h, 0, &sqe), -1);
	rig_enable(f.h.r);
	CHECK_EQ(nvmh_status(&f.h, 0), NVS_SC_DATA_TRANSFER);
	/* Queues that cannot be reached are fatal. */
	CHECK(rig_dma_unmap(f.h.r, NVMH_IOVA, NVMH_BYTES, 0) >= 0);
	nvmh_ring(&f.h, 0);
	nvmh_submit(&f.h, 0, &sqe);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_CFS);
	nvmh_close_family(&f);
}

static void test_intx(void)
{
	struct nvs_sqe sqe =
		{ .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = NVMH_IOVA + NVMH_DATA };
	struct nvmh_family f;
	uint16_t off = 0;

	nvmh_open_family(&f, one_function);
	CHECK_EQ(rig_write(f.h.r, VFIO_PCI_CONFIG_REGION_INDEX, f.h.r->dev->cfg.msix +
			   PCI_MSIX_FLAGS,
			   &off, 2), 0);
	CHECK(nvmh_enable(&f.h));
	nvmh_submit(&f.h, 0, &sqe);
	CHECK(f.h.r->dev->irq.intx_level);
	rig_write32(f.h.r, 0, NVS_REG_INTMS, 1);
	CHECK(!f.h.r->dev->irq.intx_level);
	rig_write32(f.h.r, 0, NVS_REG_INTMC, 1);
	CHECK(f.h.r->dev->irq.intx_level);
	CHECK(nvmh_poll(&f.h, 0));
	CHECK(!f.h.r->dev->irq.intx_level);
	nvmh_close_family(&f);
}

/* ---- faults ---- */

static void test_faults(void)
{
	struct nvs_sqe abort = { .opcode = NVS_ADMIN_ABORT };
	struct nvs_sqe id =
		{ .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = NVMH_IOVA + NVMH_DATA };
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	rig_control(f.h.r, "fault identify fail count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), NVS_SC_INTERNAL);
	rig_control(f.h.r, "fault identify fail=0x182 count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), 0x182);
	rig_control(f.h.r, "fault data_out fail count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), NVS_SC_DATA_TRANSFER);
	/* One that hangs can be aborted. */
	rig_control(f.h.r, "fault identify hang count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), -1);
	abort.cdw10 = (uint32_t)f.h.cid << 16;
	nvmh_submit(&f.h, 0, &abort);
	CHECK_EQ(nvmh_status(&f.h, 0), NVS_SC_ABORT_REQUESTED);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0);
	/* Others overtake one that is late. */
	rig_control(f.h.r, "fault identify hang count=1");
	nvmh_submit(&f.h, 0, &id);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_POWER, 0), 0);
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(le16toh(f.h.cqe.cid), f.h.cid - 1);
	rig_control(f.h.r, "fault post hang count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), -1);
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	rig_control(f.h.r, "fault fetch hang count=1");
	nvmh_submit(&f.h, 0, &id);
	CHECK(!nvmh_poll(&f.h, 0));
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	/* One that is late comes in the end. */
	rig_control(f.h.r, "fault identify delay=5 count=1");
	nvmh_submit(&f.h, 0, &id);
	rig_run(f.h.r, 10);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	/* A disable ends what hangs. */
	rig_control(f.h.r, "fault identify hang count=1");
	CHECK_EQ(nvmh_run(&f.h, 0, &id), -1);
	CHECK_EQ(nvmh_stat(f.h.r, "commands_in_work "), 1);
	nvmh_disable(&f.h);
	CHECK_EQ(nvmh_stat(f.h.r, "commands_in_work "), 0);
	nvmh_close_family(&f);
}

static void test_fatal_faults(void)
{
	static const char *const lines[] =
		{ "fault fetch fail count=1", "fault post fail count=1" };
	uint32_t cc;
	struct nvs_sqe id =
		{ .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = NVMH_IOVA + NVMH_DATA };
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	for (int i = 0; i < 2; i++) {
		rig_control(f.h.r, lines[i]);
		CHECK_EQ(nvmh_run(&f.h, 0, &id), -1);
		CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_CFS);
		nvmh_disable(&f.h);
		CHECK(nvmh_enable(&f.h));
	}
	nvmh_disable(&f.h);
	rig_control(f.h.r, "fault ready fail count=1");
	CHECK(!nvmh_enable(&f.h));
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_CFS);
	nvmh_disable(&f.h);
	rig_control(f.h.r, "fault ready hang count=1");
	CHECK(!nvmh_enable(&f.h));
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY);
	rig_control(f.h.r, "fault shutdown hang count=1");
	rig_write32(f.h.r, 0, NVS_REG_CC, rig_read32(f.h.r, 0, NVS_REG_CC) |
		    NVS_CC_SHN_NORMAL << 14);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_BUSY);
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_DONE);
	nvmh_disable(&f.h);
	CHECK(nvmh_enable(&f.h));
	/* It ends, too, when it is not asked for any more. */
	cc = rig_read32(f.h.r, 0, NVS_REG_CC);
	rig_control(f.h.r, "fault shutdown hang count=1");
	rig_write32(f.h.r, 0, NVS_REG_CC, cc | NVS_CC_SHN_NORMAL << 14);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_BUSY);
	rig_write32(f.h.r, 0, NVS_REG_CC, cc);
	rig_control(f.h.r, "fault clear");
	rig_run(f.h.r, 3);
	CHECK_EQ(nvmh_csts(&f.h), NVS_CSTS_RDY | NVS_CSTS_SHST_DONE);
	nvmh_disable(&f.h);
	CHECK(nvmh_enable(&f.h));
	rig_control(f.h.r, "fault shutdown fail count=1");
	rig_write32(f.h.r, 0, NVS_REG_CC, rig_read32(f.h.r, 0, NVS_REG_CC) |
		    NVS_CC_SHN_NORMAL << 14);
	CHECK(nvmh_csts(&f.h) & NVS_CSTS_CFS);
	nvmh_close_family(&f);
}

static void test_options(void)
{
	static char *bad[][3] = {
		{ "block1=1024", NULL }, { "disk1=/nowhere/at/all", NULL }, { "size=0", NULL },
		{ "disk1=/dev/null", NULL },
	};

	printf("# expect four messages: cannot be set up\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!vu_dev_new(vu_model_find("nvme_cf"), bad[i], 1));
}

static const struct test tests[] = {
	{ "nvme_cf: registers", test_registers },
	{ "nvme_cf: identity capability", test_identity_capability },
	{ "nvme_cf: without a profile a controller never gets ready", test_no_profile },
	{ "nvme_cf: enable and disable", test_enable_disable },
	{ "nvme_cf: what CC cannot be", test_bad_enable },
	{ "nvme_cf: shutdown", test_shutdown },
	{ "nvme_cf: CC while enabled and not", test_cc },
	{ "nvme_cf: resets", test_resets },
	{ "nvme_cf: illegal queues", test_queue_errors },
	{ "nvme_cf: queues wrap", test_queue_wraps },
	{ "nvme_cf: completion queue full", test_completion_queue_full },
	{ "nvme_cf: illegal doorbells", test_doorbell_errors },
	{ "nvme_cf: flags of admin commands", test_admin_flags },
	{ "nvme_cf: memory that is not there", test_no_memory },
	{ "nvme_cf: INTx", test_intx },
	{ "nvme_cf: faults of commands", test_faults },
	{ "nvme_cf: faults that are fatal", test_fatal_faults },
	{ "nvme_cf: options", test_options },
	{ NULL, NULL },
};
TEST_SUITE(tests);
