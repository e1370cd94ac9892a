// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): Identify, features, events, log pages. */
#include "nvme_host.h"

static char *one_function[] = { NVMH_PROFILE, "size=8", NULL };

/* ---- identify ---- */

static void test_identify_controller(void)
{
	struct nvmh_family f;
	struct nvs_id_ctrl *id;

	nvmh_open_enabled(&f, one_function);
	id = (struct nvs_id_ctrl *)f.h.data;
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CONTROLLER, 0, 0), 0);
	CHECK_EQ(id->cntlid, NVCF_CNTLID_FIRST);
	CHECK_EQ(id->cntrltype, NVS_TYPE_IO);
	CHECK_EQ(id->ver, NVS_VERSION_2_1);
	CHECK_EQ(id->mdts, 7);
	CHECK(!memcmp(id->sn, "VPV00000000000123450", 20));
	CHECK(!memcmp(id->mn, "nvme_cf ", 8));
	CHECK(!strcmp((char *)id->subnqn, "nqn.2022-12.org.example:nvme_cf:12345.0"));
	CHECK_EQ(id->oncs, 0xdd);
	CHECK_EQ(id->vwc, 7);
	CHECK(!(id->oacs & NVS_OACS_HMLMS));
	CHECK_EQ(f.h.data[NVS_ID_SQES], 0x66);
	nvmh_close_family(&f);
}

static void test_identify_namespaces(void)
{
	static char *two[] = { NVMH_PROFILE, "size=8", "block1=4096", NULL };
	struct nvs_id_ns *ns;
	struct nvmh_family f;
	uint32_t *list;

	nvmh_open_family(&f, two);
	CHECK(nvmh_enable(&f.h));
	ns = (struct nvs_id_ns *)f.h.data;
	list = (uint32_t *)f.h.data;
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NAMESPACE, 1, 0), 0);
	CHECK_EQ(ns->nsze, 2048);
	CHECK_EQ(ns->lbaf[0].lbads, 12);
	CHECK_EQ(ns->eui64[7], 1);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NAMESPACE, 2, 0), 0);
	CHECK_EQ(ns->nsze, 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NAMESPACE, 0, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NAMESPACE, NVS_NSID_ALL, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ALLOCATED_NAMESPACE, 1, 0), 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ACTIVE_LIST, 0, 0), 0);
	CHECK_EQ(list[0], 1);
	CHECK_EQ(list[1], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ACTIVE_LIST, 1, 0), 0);
	CHECK_EQ(list[0], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ACTIVE_LIST, 0xfffffffe, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ALLOCATED_LIST, 0, 0), 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CSI_ACTIVE_LIST, 0, 0), 0);
	CHECK_EQ(list[0], 1);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NS_DESCRIPTORS, 1, 0), 0);
	CHECK_EQ(f.h.data[0], NVS_NIDT_EUI64);
	CHECK_EQ(f.h.data[12], NVS_NIDT_NGUID);
	CHECK_EQ(f.h.data[32], NVS_NIDT_UUID);
	CHECK_EQ(f.h.data[52], NVS_NIDT_CSI);
	CHECK_EQ(f.h.data[57], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NS_DESCRIPTORS, 3, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_INDEPENDENT_NAMESPACE, 1, 0), 0);
	CHECK_EQ(f.h.data[14], NVS_NSTAT_READY);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_INDEPENDENT_NAMESPACE, 2, 0), 0);
	CHECK_EQ(f.h.data[14], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_INDEPENDENT_NAMESPACE, 99, 0),
		 NVS_SC_INVALID_NAMESPACE);
	nvmh_close_family(&f);
}

static void test_identify_others(void)
{
	const uint32_t other_csi = 2u << 24;
	struct nvmh_family f;
	uint16_t *list;

	nvmh_open_enabled(&f, one_function);
	list = (uint16_t *)f.h.data;
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CSI_NAMESPACE, 1, 0), 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CSI_NAMESPACE, 0, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CSI_CONTROLLER, 0, 0), 0);
	CHECK_EQ(f.h.data[3], 0);	/* no limit of ranges */
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_IDENTIFY, 1, NVS_CNS_CSI_NAMESPACE, other_csi),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_IDENTIFY, 1, NVS_CNS_CSI_CONTROLLER, other_csi),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_IDENTIFY, 1, NVS_CNS_CSI_ACTIVE_LIST, other_csi),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CONTROLLERS, 0, 0), 0);
	CHECK_EQ(list[0], 1);
	CHECK_EQ(list[1], NVCF_CNTLID_FIRST);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_CONTROLLERS, 0, 3), 0);
	CHECK_EQ(list[0], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ATTACHED_CONTROLLERS, 1, 0), 0);
	CHECK_EQ(list[0], 1);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_ATTACHED_CONTROLLERS, 2, 0), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_COMMAND_SETS, 0, 0xffff), 0);
	CHECK_EQ(f.h.data[0], 1);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_COMMAND_SETS, 0, 9), NVS_SC_INVALID_FIELD);
	/* What only the managing controller has, and what nobody has. */
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_SECONDARIES, 0, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_STATE_FORMATS, 0, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_identify(&f.h, 0xff, 0, 0), NVS_SC_INVALID_FIELD);
	nvmh_close_family(&f);
}

static void test_managing(void)
{
	static char *two[] = { NVMH_PROFILE, "size=8", "functions=3", "serial=77", NULL };
	struct rig *owner = rig_open(vu_model_find("nvme_cf"), two);
	struct nvs_secondary *s;
	struct nvs_id_ctrl *id;
	struct nvmh m;

	nvmh_open_managing(&m, owner);
	id = (struct nvs_id_ctrl *)m.data;
	s = (struct nvs_secondary *)(m.data + 32);
	CHECK(nvmh_read64(&m, NVS_REG_CAP) & NVS_CAP_CSS_NONE);
	CHECK(nvmh_enable_cc(&m, NVS_CC_EN));	/* it has no I/O command set, and needs none */
	nvmh_disable(&m);
	CHECK(nvmh_enable(&m));
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_CONTROLLER, 0, 0), 0);
	CHECK_EQ(id->cntrltype, NVS_TYPE_ADMIN);
	CHECK_EQ(id->cntlid, NVCF_CNTLID_MANAGING);
	CHECK_EQ(id->nn, 0);
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_PRIMARY, 0, 0), 0);
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_SECONDARIES, 0, 3), 0);
	CHECK_EQ(m.data[0], 2);
	CHECK_EQ(s[0].scid, 3);
	CHECK_EQ(s[0].pcid, NVCF_CNTLID_MANAGING);
	CHECK_EQ(s[0].scs, NVS_SECONDARY_ONLINE);
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_CONTROLLERS, 0, 0), 0);
	CHECK_EQ(m.data[0], 4);
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_NAMESPACE, 1, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_identify(&m, NVS_CNS_COMMAND_SETS, 0, 0xffff), 0);
	CHECK_EQ(nvmh_create_pair(&m, 1, 16), NVS_SC_INVALID_OPCODE);
	nvmh_close(&m);
	rig_close(owner);
}

/* ---- features ---- */

static int set_feature(struct nvmh_family *f, uint32_t cdw10, uint32_t val)
{
	return nvmh_admin(&f->h, NVS_ADMIN_SET_FEATURES, 0, cdw10, val);
}

static int get_feature(struct nvmh_family *f, uint32_t cdw10, uint32_t val)
{
	return nvmh_admin(&f->h, NVS_ADMIN_GET_FEATURES, 0, cdw10, val);
}

static void test_features(void)
{
	static const struct {
		uint8_t fid;
		uint32_t good, bad, def;
	} cases[] = {
		{ NVS_FEAT_ARBITRATION, 0x01020303, 0x8, 0 },
		{ NVS_FEAT_POWER, 1, 2, 0 },
		{ NVS_FEAT_ERROR_RECOVERY, 5, 0x10000, 0 },
		{ NVS_FEAT_WRITE_CACHE, 0, 2, 1 },
		{ NVS_FEAT_COALESCING, 0x0203, 0x10000, 0 },
		{ NVS_FEAT_ATOMICITY, 1, 2, 0 },
		{ NVS_FEAT_ASYNC_EVENT, 0x102, 0x200, 0 },
	};
	struct nvmh_family f;

	nvmh_open_enabled(&f, one_function);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t fid = cases[i].fid;

		CHECK_EQ(get_feature(&f, fid, 0), 0);
		CHECK_EQ(f.h.cqe.dw0, cases[i].def);
		CHECK_EQ(set_feature(&f, fid, cases[i].bad), NVS_SC_INVALID_FIELD);
		CHECK_EQ(set_feature(&f, fid, cases[i].good), 0);
		CHECK_EQ(set_feature(&f, fid | NVS_FEAT_SAVE, cases[i].def), NVS_SC_NOT_SAVEABLE);
		CHECK_EQ(get_feature(&f, fid, 0), 0);
		CHECK_EQ(f.h.cqe.dw0, cases[i].good);
		CHECK_EQ(get_feature(&f, fid | NVS_SELECT_DEFAULT << 8, 0), 0);
		CHECK_EQ(f.h.cqe.dw0, cases[i].def);
		CHECK_EQ(get_feature(&f, fid | NVS_SELECT_SUPPORTED << 8, 0), 0);
		CHECK_EQ(f.h.cqe.dw0, NVS_CAPABLE_CHANGE);
		CHECK_EQ(get_feature(&f, fid | 4 << 8, 0), NVS_SC_INVALID_FIELD);
	}
	CHECK_EQ(set_feature(&f, 0x7f, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_feature(&f, 0x7f, 0), NVS_SC_INVALID_FIELD);
	/* They belong to the controller. */
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_SET_FEATURES, 1, NVS_FEAT_POWER, 0),
		 NVS_SC_NOT_NS_SPECIFIC);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_SET_FEATURES, 9, NVS_FEAT_POWER, 0),
		 NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_FEATURES, 1, NVS_FEAT_POWER, 0), 0);
	/* A reset of the controller brings the defaults back. */
	nvmh_disable(&f.h);
	CHECK(nvmh_enable(&f.h));
	CHECK_EQ(get_feature(&f, NVS_FEAT_WRITE_CACHE, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 1);
	nvmh_close_family(&f);
}

static void test_feature_queues(void)
{
	static char *few[] = { NVMH_PROFILE, "size=8", "queues=4", "entries=64", NULL };
	struct nvmh_family f;

	nvmh_open_family(&f, few);
	CHECK(nvmh_enable(&f.h));
	CHECK_EQ(nvmh_read64(&f.h, NVS_REG_CAP) & 0xffff, 63);
	CHECK_EQ(get_feature(&f, NVS_FEAT_QUEUES, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x30003);
	CHECK_EQ(set_feature(&f, NVS_FEAT_QUEUES, 0xffff), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_feature(&f, NVS_FEAT_QUEUES, 0x3f003f), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x30003);
	CHECK_EQ(set_feature(&f, NVS_FEAT_QUEUES, 0x00001), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x10001);
	CHECK_EQ(get_feature(&f, NVS_FEAT_QUEUES, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x10001);
	CHECK_EQ(get_feature(&f, NVS_FEAT_QUEUES | NVS_SELECT_DEFAULT << 8, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x30003);
	CHECK_EQ(nvmh_create_pair(&f.h, 3, 16), NVS_SC_INVALID_QID);
	CHECK_EQ(nvmh_create_pair(&f.h, 2, 65), NVS_SC_INVALID_QUEUE_SIZE);
	CHECK_EQ(nvmh_create_pair(&f.h, 2, 64), 0);
	CHECK_EQ(set_feature(&f, NVS_FEAT_QUEUES, 0x30003), NVS_SC_COMMAND_SEQUENCE);
	nvmh_close_family(&f);
}

static void test_feature_others(void)
{
	const uint32_t under = 1 << 20;
	struct nvmh_family f;
	uint64_t ms;

	nvmh_open_enabled(&f, one_function);
	CHECK_EQ(set_feature(&f, NVS_FEAT_VECTOR, 1 << 16 | 64), 0);
	CHECK_EQ(get_feature(&f, NVS_FEAT_VECTOR, 64), 0);
	CHECK_EQ(f.h.cqe.dw0, 1 << 16 | 64);
	CHECK_EQ(get_feature(&f, NVS_FEAT_VECTOR, 65), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_feature(&f, NVS_FEAT_VECTOR, 65), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_feature(&f, NVS_FEAT_TEMPERATURE, 350), 0);
	CHECK_EQ(set_feature(&f, NVS_FEAT_TEMPERATURE, under | 280), 0);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TEMPERATURE, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 350);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TEMPERATURE, under), 0);
	CHECK_EQ(f.h.cqe.dw0, 280);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TEMPERATURE | NVS_SELECT_DEFAULT << 8, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 373);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TEMPERATURE, 1 << 16), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_feature(&f, NVS_FEAT_TEMPERATURE, 2 << 20), NVS_SC_INVALID_FIELD);
	ms = 0xffff000000001000ull;
	memcpy(f.h.data, &ms, sizeof(ms));
	CHECK_EQ(set_feature(&f, NVS_FEAT_TIMESTAMP, 0), 0);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TIMESTAMP, 0), 0);
	memcpy(&ms, f.h.data, sizeof(ms));
	CHECK_EQ(ms >> 48, 2);
	CHECK((ms & 0xffffffffffffull) >= 0x1000 && (ms & 0xffffffffffffull) < 0x1000 + 60000);
	CHECK_EQ(get_feature(&f, NVS_FEAT_TIMESTAMP | NVS_SELECT_DEFAULT << 8, 0), 0);
	memset(f.h.data, 0xab, 16);
	CHECK_EQ(set_feature(&f, NVS_FEAT_HOST_ID, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_feature(&f, NVS_FEAT_HOST_ID, 1), 0);
	memset(f.h.data, 0, 16);
	CHECK_EQ(get_feature(&f, NVS_FEAT_HOST_ID, 1), 0);
	CHECK_EQ(f.h.data[15], 0xab);
	CHECK_EQ(get_feature(&f, NVS_FEAT_HOST_ID | NVS_SELECT_DEFAULT << 8, 1), 0);
	CHECK_EQ(f.h.data[15], 0);
	CHECK_EQ(get_feature(&f, NVS_FEAT_HOST_ID, 0), NVS_SC_INVALID_FIELD);
	nvmh_close_family(&f);
}

/* ---- events, abort, logs ---- */

static int get_log(struct nvmh_family *f, uint32_t lid, uint32_t bytes)
{
	return nvmh_admin(&f->h, NVS_ADMIN_GET_LOG, NVS_NSID_ALL, (bytes / 4 - 1) << 16 | lid, 0);
}

static void test_events(void)
{
	struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };
	struct nvs_sqe abort = { .opcode = NVS_ADMIN_ABORT };
	struct nvmh_family f;
	uint16_t cid[4];

	nvmh_open_enabled(&f, one_function);
	for (int i = 0; i < 4; i++)
		cid[i] = nvmh_submit(&f.h, 0, &aer);
	CHECK_EQ(nvmh_run(&f.h, 0, &aer), NVS_SC_ASYNC_EVENT_LIMIT);
	CHECK_EQ(set_feature(&f, NVS_FEAT_ASYNC_EVENT, NVS_AEC_TEMPERATURE | NVS_AEC_NS_CHANGED),
		 0);
	rig_control(f.h.r, "temperature 400");
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(le16toh(f.h.cqe.cid), cid[0]);
	CHECK_EQ(f.h.cqe.dw0, 0x020101);
	/* Masked until the log has been read, and only if it was not told to retain. */
	rig_control(f.h.r, "temperature 401");
	CHECK(!nvmh_poll(&f.h, 0));
	CHECK_EQ(get_log(&f, NVS_LOG_HEALTH | NVS_LOG_RAE, 512), 0);
	CHECK_EQ(f.h.data[0], NVS_WARNING_TEMPERATURE);
	CHECK(!nvmh_poll(&f.h, 0));
	CHECK_EQ(get_log(&f, NVS_LOG_HEALTH, 512), 0);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(le16toh(f.h.cqe.cid), cid[1]);
	CHECK(strstr(rig_control(f.h.r, "resize 1 100"), "ok"));
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0x040002);
	CHECK_EQ(get_log(&f, NVS_LOG_CHANGED_NS, 4096), 0);
	CHECK_EQ(f.h.data[0], 1);
	CHECK_EQ(get_log(&f, NVS_LOG_CHANGED_NS, 4096), 0);
	CHECK_EQ(f.h.data[0], 0);
	CHECK_EQ(nvmh_identify(&f.h, NVS_CNS_NAMESPACE, 1, 0), 0);
	CHECK_EQ(f.h.data[0], 100);
	CHECK(strstr(rig_control(f.h.r, "resize 1 1000000000"), "err"));
	CHECK(strstr(rig_control(f.h.r, "resize 7 1"), "err"));
	/* Abort of one that waits, of one that does not, of a queue that is not there. */
	abort.cdw10 = (uint32_t)cid[3] << 16;
	nvmh_submit(&f.h, 0, &abort);
	CHECK_EQ(nvmh_status(&f.h, 0), NVS_SC_ABORT_REQUESTED);
	CHECK_EQ(le16toh(f.h.cqe.cid), cid[3]);
	CHECK_EQ(nvmh_status(&f.h, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 0);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_ABORT, 0, (uint32_t)cid[3] << 16, 0), 0);
	CHECK_EQ(f.h.cqe.dw0, 1);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_ABORT, 0, 7, 0), NVS_SC_INVALID_FIELD);
	nvmh_close_family(&f);
}

static void test_logs(void)
{
	struct nvs_sqe beyond = {
		.opcode = NVS_ADMIN_GET_LOG, .cdw10 = NVS_LOG_ERROR, .cdw12 = 4096,
		.prp1 = NVMH_IOVA + NVMH_DATA,
	};
	struct nvmh_family f;
	uint32_t *effects;
	uint64_t count;

	nvmh_open_enabled(&f, one_function);
	effects = (uint32_t *)f.h.data;
	CHECK_EQ(get_log(&f, NVS_LOG_SUPPORTED, 1024), 0);
	CHECK_EQ(f.h.data[4 * NVS_LOG_EFFECTS], 1);
	CHECK_EQ(f.h.data[4 * 6], 0);
	CHECK_EQ(get_log(&f, NVS_LOG_FIRMWARE, 512), 0);
	CHECK(!memcmp(f.h.data + 8, "1.0     ", 8));
	CHECK_EQ(get_log(&f, NVS_LOG_EFFECTS, 4096), 0);
	CHECK_EQ(effects[NVS_ADMIN_IDENTIFY], NVS_EFFECTS_CSUPP);
	CHECK_EQ(effects[NVS_ADMIN_MIGRATION_SEND], 0);
	CHECK_EQ(effects[256 + NVS_IO_WRITE], NVS_EFFECTS_CSUPP | NVS_EFFECTS_LBCC);
	CHECK_EQ(get_log(&f, 0x7f, 512), NVS_SC_INVALID_LOG);
	CHECK_EQ(nvmh_run(&f.h, 0, &beyond), NVS_SC_INVALID_FIELD);
	beyond.cdw12 = 3;
	CHECK_EQ(nvmh_run(&f.h, 0, &beyond), NVS_SC_INVALID_FIELD);
	/* No log page belongs to a namespace. */
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_LOG, 1, 127 << 16 | NVS_LOG_HEALTH, 0),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_LOG, 0, 127 << 16 | NVS_LOG_HEALTH, 0), 0);
	/* Longer than the controller transfers at all. */
	CHECK_EQ(nvmh_admin(&f.h, NVS_ADMIN_GET_LOG, 0, 0xffff0000 | NVS_LOG_ERROR, 0xff),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_log(&f, NVS_LOG_ERROR, 64), 0);
	memcpy(&count, f.h.data, sizeof(count));
	CHECK_EQ(count, 5);
	CHECK_EQ(f.h.data[12] | f.h.data[13] << 8, (NVS_SC_INVALID_FIELD | NVS_SC_DNR) << 1);
	nvmh_close_family(&f);
}

static const struct test tests[] = {
	{ "nvme_cf: identify controller", test_identify_controller },
	{ "nvme_cf: identify namespaces", test_identify_namespaces },
	{ "nvme_cf: identify others", test_identify_others },
	{ "nvme_cf: managing controller", test_managing },
	{ "nvme_cf: features", test_features },
	{ "nvme_cf: number of queues", test_feature_queues },
	{ "nvme_cf: features with more to them", test_feature_others },
	{ "nvme_cf: events and abort", test_events },
	{ "nvme_cf: log pages", test_logs },
	{ NULL, NULL },
};
TEST_SUITE(tests);
