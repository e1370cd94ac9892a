// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: functions that firmware migrates through a controlling function.  The
 * tests drive frames through virtio queues to the model's peer and back.
 *
 * Groups: mlx5
 */
#include <time.h>

#include "lib/dmalog.h"
#include "lib/mlxlpair.h"
#include "lib/test.h"

#define ECHO_MS	5000

FIXTURE(mlx5)
{
	struct slot ctrl;
	struct slot slots[2];
	struct vdev v[2];
	struct vnet net;
	struct model fn;	/* control port of function 0 */
	struct model fw;	/* of the controlling function */
};

FIXTURE_SETUP(mlx5)
{
	int err = mlxl_control(&self->ctrl);

	if (err == TOO_FEW)
		SKIP(return, "no device mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(2, mlxl_functions(self->slots, 2));
	ASSERT_EQ(0, model_open(&self->fw, &self->ctrl));
	ASSERT_EQ(0, model_open(&self->fn, &self->slots[0]));
	ASSERT_EQ(0, vnet_alloc(&self->net));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slots[i], VDEV_GROUP));
		ASSERT_EQ(0, vnet_map(&self->net, &self->v[i]));
	}
	ASSERT_EQ(0, vnet_start(&self->net, &self->v[0]));
}

FIXTURE_TEARDOWN(mlx5)
{
	model_cmd(&self->fw, "fault clear");
	for (int i = 0; i < 2; i++)
		vdev_close(&self->v[i]);
	vnet_free(&self->net);
	model_close(&self->fn);
	model_close(&self->fw);
}

static int echo(struct __test_metadata *_metadata, FIXTURE_DATA(mlx5) *self, int fn,
		uint32_t tag)
{
	return vnet_echo(&self->net, &self->v[fn], tag, VNET_FIRST_PAGE, ECHO_MS);
}

TEST_F(mlx5, function_appears_once_provisioned)
{
	char state[16] = "", driver[64];
	struct slot *slot = &self->slots[1];

	/* In use: it cannot be taken back. */
	EXPECT_EQ(-EBUSY, mlxl_config_write(&self->ctrl, slot->index, "enable", "0"));
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, vdev_unbind(slot->bdf));
	ASSERT_EQ(0, mlxl_config_write(&self->ctrl, slot->index, "enable", "0"));
	ASSERT_EQ(0, mlxl_config_read(&self->ctrl, slot->index, "enable", state, sizeof(state)));
	EXPECT_EQ('0', state[0]);
	EXPECT_NE(0, vdev_bind(slot->bdf, MLXL_DRIVER));

	EXPECT_EQ(-EINVAL, mlxl_config_write(&self->ctrl, slot->index, "mac", "01:00:00:00:00:01"));
	ASSERT_EQ(0, mlxl_config_write(&self->ctrl, slot->index, "mac", "02:00:00:00:00:77"));
	ASSERT_EQ(0, mlxl_config_write(&self->ctrl, slot->index, "queue_pairs", "99"));
	EXPECT_EQ(-ERANGE, mlxl_config_write(&self->ctrl, slot->index, "enable", "1"));
	ASSERT_EQ(0, mlxl_config_write(&self->ctrl, slot->index, "queue_pairs", "1"));
	/* Provisioning lets the driver bind that was refused before. */
	ASSERT_EQ(0, mlxl_config_write(&self->ctrl, slot->index, "enable", "1"));
	ASSERT_EQ(0, vdev_driver(slot->bdf, driver, sizeof(driver)));
	EXPECT_STREQ(MLXL_DRIVER, driver);
	ASSERT_EQ(0, vdev_bind(slot->bdf, MLXL_DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v[1], slot, VDEV_GROUP));
}

/* As a function of any other family; commands about one that sleeps work, too. */
TEST_F(mlx5, low_power_is_offered)
{
	struct vdev *v = &self->v[1];

	ASSERT_EQ(0, vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "suspended"));
	EXPECT_EQ(0, mig_set(v, VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
	EXPECT_EQ(0, mig_set(v, VFIO_DEVICE_STATE_RUNNING, NULL));
	ASSERT_EQ(0, vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "active"));
	ASSERT_EQ(0, vnet_start(&self->net, v));
	EXPECT_EQ(0, echo(_metadata, self, 1, 7));
}

TEST_F(mlx5, frames_come_back)
{
	for (uint32_t i = 0; i < 20; i++)
		ASSERT_EQ(0, echo(_metadata, self, 0, i + 1));
}

/* What moved goes on where the source stopped: same rings, same MAC. */
static void migrate(struct __test_metadata *_metadata, FIXTURE_DATA(mlx5) *self, bool precopy)
{
	struct blob b = { 0 };

	for (uint32_t i = 0; i < 5; i++)
		ASSERT_EQ(0, echo(_metadata, self, 0, 100 + i));
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], true));
	ASSERT_EQ(0, mig_save(&self->v[0], &b, precopy));
	ASSERT_EQ(0, mig_load(&self->v[1], &b, VFIO_DEVICE_STATE_RUNNING));
	TH_LOG("stream of %zu bytes", b.bytes);
	blob_free(&b);
	for (uint32_t i = 0; i < 5; i++)
		ASSERT_EQ(0, echo(_metadata, self, 1, 200 + i));
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP, mig_get(&self->v[0]));
}

TEST_F(mlx5, pre_copy_sends_changes_only)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct blob b = { 0 };
	size_t first, second, initial;
	struct mig_session s;
	int fd;

	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	initial = info.initial_bytes;
	EXPECT_EQ(-ENOMSG, blob_pull(&b, fd, 0));
	first = b.bytes;
	/* All of it was announced: a VMM may stop the guest when that has been sent. */
	EXPECT_LE(first, initial);
	ASSERT_EQ(0, model_cmd(&self->fn, "dirty 64"));
	/* The answer is what is known; the driver asks the firmware for the next one. */
	for (unsigned int i = 0; i < 500 && !info.dirty_bytes; i++) {
		usleep(10000);
		ASSERT_EQ(0, mig_precopy_info(fd, &info));
	}
	EXPECT_EQ(0U, info.initial_bytes);
	EXPECT_LE(64 * VNET_PAGE, info.dirty_bytes);
	EXPECT_GT(first / 2, info.dirty_bytes);
	ASSERT_EQ(0, mig_session(&self->v[0], "save", &s));
	EXPECT_LE(64 * VNET_PAGE, s.dirty);
	EXPECT_EQ(s.dirty, s.rest);
	EXPECT_EQ(-ENOMSG, blob_pull(&b, fd, 0));
	second = b.bytes - first;
	EXPECT_LE(64 * VNET_PAGE, second);
	EXPECT_GT(first / 2, second);
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_STOP_COPY, NULL));
	ASSERT_EQ(0, blob_pull(&b, fd, 0));
	TH_LOG("full %zu, changes %zu, final %zu bytes", first, second,
	       b.bytes - first - second);
	EXPECT_GT(first / 2, b.bytes - first - second);
	close(fd);

	ASSERT_EQ(0, vdev_bus_master(&self->v[1], true));
	ASSERT_EQ(0, mig_load(&self->v[1], &b, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(0, echo(_metadata, self, 1, 7));
	blob_free(&b);
}

TEST_F(mlx5, p2p_stops_writes_but_answers)
{
	uint64_t before, after;
	uint8_t status = 0;

	ASSERT_EQ(0, echo(_metadata, self, 0, 1));
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
	ASSERT_EQ(0, model_value(&self->fn, "stats", "ledger_pages", &before));
	ASSERT_EQ(0, model_cmd(&self->fn, "ledger clear"));
	EXPECT_EQ(-ETIMEDOUT, vnet_echo(&self->net, &self->v[0], 2, VNET_FIRST_PAGE, 300));
	ASSERT_EQ(0, model_value(&self->fn, "stats", "ledger_pages", &after));
	EXPECT_LT(0U, before);
	EXPECT_EQ(0U, after);
	EXPECT_EQ(1, vdev_pread(&self->v[0], 0, 20, &status, 1));
	EXPECT_EQ(0xf, status);
	/* What was given meanwhile is done as soon as it may. */
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
	EXPECT_EQ(0, echo(_metadata, self, 0, 3));
}

/* ---- Two functions ---- */

#define BAR_BYTES	0x10000
#define P2P_IOVA	0x20000000ULL
#define STILL_LOOKS	10

/* Neither writes anything, for a while in which both have something to do. */
static void stands_still(struct __test_metadata *_metadata, struct model *m, unsigned int num)
{
	uint64_t pages;

	for (unsigned int i = 0; i < num; i++)
		ASSERT_EQ(0, model_cmd(&m[i], "ledger clear"));
	for (unsigned int look = 0; look < STILL_LOOKS; look++) {
		usleep(30000);
		for (unsigned int i = 0; i < num; i++) {
			ASSERT_EQ(0, model_value(&m[i], "stats", "ledger_pages", &pages));
			EXPECT_EQ(0U, pages);
		}
	}
}

/* Registers of the device, of a queue, and of what is behind them. */
static void answers(struct __test_metadata *_metadata, struct vdev *v, const struct vnet *net)
{
	uint8_t status = 0, mac[6];
	uint16_t queue = 1, size = 0, back = 0;

	EXPECT_EQ(1, vdev_pread(v, 0, 20, &status, 1));
	EXPECT_EQ(0xf, status);
	EXPECT_EQ(6, vdev_pread(v, 0, 0x2000, mac, 6));
	EXPECT_EQ(0, memcmp(mac, net->mac, 6));
	EXPECT_EQ(2, vdev_pwrite(v, 0, 22, &queue, 2));
	EXPECT_EQ(2, vdev_pread(v, 0, 22, &back, 2));
	EXPECT_EQ(queue, back);
	EXPECT_EQ(2, vdev_pread(v, 0, 24, &size, 2));
	EXPECT_EQ(8U, size);
	EXPECT_EQ(0x1af4U, vdev_cfg(v, 0, 2));
}

static void both_to(struct __test_metadata *_metadata, FIXTURE_DATA(mlx5) *self,
		    unsigned int state)
{
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, mig_set(&self->v[i], state, NULL));
}

/* In one address space, as the functions of a guest are. */
TEST_F(mlx5, two_functions_stand_still_together)
{
	struct model m[2] = { self->fn };
	struct vnet net[2] = { self->net };
	uint8_t *bar[2], before[2][VNET_PAGE];
	bool peers = true;

	vdev_close(&self->v[1]);
	ASSERT_EQ(0, vdev_open_sharing(&self->v[1], &self->slots[1], &self->v[0]));
	ASSERT_EQ(0, model_open(&m[1], &self->slots[1]));
	ASSERT_EQ(0, vnet_alloc(&net[1]));
	net[1].iova = VNET_IOVA + VNET_BYTES;
	ASSERT_EQ(0, vnet_map(&net[1], &self->v[1]));
	ASSERT_EQ(0, vnet_start(&net[1], &self->v[1]));

	/* The scratch memory of each, for both. */
	for (int i = 0; i < 2; i++) {
		bar[i] = vdev_bar_map(&self->v[i], 2, BAR_BYTES);
		ASSERT_NE(NULL, bar[i]);
		peers &= !vdev_dma_map(&self->v[0], bar[i], P2P_IOVA + i * BAR_BYTES, BAR_BYTES);
	}
	TH_LOG("peer-to-peer DMA %s", peers ? "into BAR 2" : "is not offered: not tested");

	for (uint32_t round = 0; round < 2; round++) {
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, vnet_echo(&net[i], &self->v[i], 10 * round + 1,
					       VNET_FIRST_PAGE, ECHO_MS));
			if (peers)
				ASSERT_EQ(0, vnet_echo_to(&net[i], &self->v[i], 10 * round + 2,
							  bar[!i], P2P_IOVA + !i * BAR_BYTES,
							  ECHO_MS));
		}
		both_to(_metadata, self, VFIO_DEVICE_STATE_RUNNING_P2P);
		for (int i = 0; i < 2; i++) {
			/* Work that waits: into the other one's BAR, where that is possible. */
			EXPECT_EQ(-ETIMEDOUT,
				  peers ? vnet_echo_to(&net[i], &self->v[i], 10 * round + 3,
						       bar[!i], P2P_IOVA + !i * BAR_BYTES, 50) :
					  vnet_echo(&net[i], &self->v[i], 10 * round + 3,
						    VNET_FIRST_PAGE, 50));
		}
		for (int i = 0; i < 2; i++)
			memcpy(before[i], bar[i], VNET_PAGE);
		stands_still(_metadata, m, 2);
		for (int i = 0; i < 2; i++) {
			EXPECT_EQ(0, memcmp(before[i], bar[i], VNET_PAGE));
			answers(_metadata, &self->v[i], &net[i]);
		}
		if (round) {
			both_to(_metadata, self, VFIO_DEVICE_STATE_STOP);
			stands_still(_metadata, m, 2);
			both_to(_metadata, self, VFIO_DEVICE_STATE_RUNNING_P2P);
			stands_still(_metadata, m, 2);
		}
		both_to(_metadata, self, VFIO_DEVICE_STATE_RUNNING);
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, vnet_echo(&net[i], &self->v[i], 10 * round + 4,
					       VNET_FIRST_PAGE + 1, ECHO_MS));
	}
	model_close(&m[1]);
	for (int i = 0; i < 2; i++)
		munmap(bar[i], BAR_BYTES);
	vnet_free(&net[1]);
	self->net = net[0];
}

/* ---- What the user sees ---- */

#define IDENTITY_TYPE	0xf5

/* The chain of capabilities, which ends; how often each virtio type is in it. */
static int chain(struct __test_metadata *_metadata, struct vdev *v, unsigned int *types)
{
	unsigned int pos = vdev_cfg(v, PCI_CAPABILITY_LIST, 1), num = 0;

	memset(types, 0, 256 * sizeof(*types));
	for (; pos && num < 48; num++) {
		if (vdev_cfg(v, pos, 1) == PCI_CAP_ID_VNDR)
			types[vdev_cfg(v, pos + 3, 1)]++;
		pos = vdev_cfg(v, pos + PCI_CAP_LIST_NEXT, 1);
	}
	EXPECT_EQ(0U, pos);
	return num;
}

static int persona(const struct slot *slot, const char *name)
{
	return vdev_sysfs_write(slot->bdf, "vpv/persona", name);
}

TEST_F(mlx5, identity_is_for_the_host_only)
{
	unsigned int types[256];

	EXPECT_EQ(8, chain(_metadata, &self->v[1], types));
	for (unsigned int i = 0; i < 256; i++)
		EXPECT_EQ(i >= 1 && i <= 5 ? 1U : 0U, types[i]);
	EXPECT_NE(0U, vdev_find_cap(&self->v[1], PCI_CAP_ID_EXP));
	EXPECT_NE(0U, vdev_find_cap(&self->v[1], PCI_CAP_ID_PM));
	EXPECT_NE(0U, vdev_find_cap(&self->v[1], PCI_CAP_ID_MSIX));
	EXPECT_EQ(0U, vdev_cfg(&self->v[1], 0x100, 4));

	/* It is there in the hardware, for an operator who wants the guest to see it. */
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, persona(&self->slots[1], "default"));
	ASSERT_EQ(0, vdev_open(&self->v[1], &self->slots[1], VDEV_GROUP));
	EXPECT_EQ(9, chain(_metadata, &self->v[1], types));
	EXPECT_EQ(1U, types[IDENTITY_TYPE]);
	EXPECT_NE(0U, vdev_cfg(&self->v[1], 0x100, 4));
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, persona(&self->slots[1], "mlx5_like-v1"));
	ASSERT_EQ(0, vdev_open(&self->v[1], &self->slots[1], VDEV_GROUP));
}

/* Who sees which function it is cannot be moved to another one. */
TEST_F(mlx5, function_that_shows_its_identity_stays)
{
	struct blob blob = {};

	for (int i = 0; i < 2; i++) {
		vdev_close(&self->v[i]);
		ASSERT_EQ(0, persona(&self->slots[i], "default"));
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slots[i], VDEV_GROUP));
	}
	EXPECT_EQ(0, mig_save(&self->v[0], &blob, false));
	EXPECT_EQ(-EOPNOTSUPP, mig_load(&self->v[1], &blob, VFIO_DEVICE_STATE_STOP));
	blob_free(&blob);
	for (int i = 0; i < 2; i++) {
		vdev_close(&self->v[i]);
		ASSERT_EQ(0, persona(&self->slots[i], "mlx5_like-v1"));
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slots[i], VDEV_GROUP));
	}
}

/* Firmware 2 has other capabilities at other places, and here no incremental images. */
TEST_F(mlx5, firmware_versions_migrate_to_each_other)
{
	uint8_t here[256], there[256];
	struct blob b = { 0 };
	struct slot ctrl, fn;
	int err = mlxl_other(&ctrl, &fn);

	if (err == TOO_FEW)
		SKIP(return, "no second device");
	ASSERT_EQ(0, err);
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, vdev_open(&self->v[1], &fn, VDEV_GROUP));
	ASSERT_EQ(0, vnet_map(&self->net, &self->v[1]));
	ASSERT_EQ(256, vdev_pread(&self->v[0], VFIO_PCI_CONFIG_REGION_INDEX, 0, here, 256));
	ASSERT_EQ(256, vdev_pread(&self->v[1], VFIO_PCI_CONFIG_REGION_INDEX, 0, there, 256));
	EXPECT_EQ(0, memcmp(here + 0x34, there + 0x34, 8));
	EXPECT_EQ(0, memcmp(here + 0x7c, there + 0x7c, 0xcc - 0x7c));

	migrate(_metadata, self, true);
	/* And back, with one full image at the end. */
	ASSERT_EQ(0, vdev_reset(&self->v[0]));
	ASSERT_EQ(0, vdev_bus_master(&self->v[0], true));
	ASSERT_EQ(0, mig_save(&self->v[1], &b, true));
	ASSERT_EQ(0, mig_load(&self->v[0], &b, VFIO_DEVICE_STATE_RUNNING));
	blob_free(&b);
	EXPECT_EQ(0, echo(_metadata, self, 0, 300));
}

/* ---- Faults ---- */

static const char *const save_faults[] = {
	"suspend_initiator", "suspend_responder", "save_begin", "save_chunk", "save_end",
	"query_image", "query_function", "resume_responder", "resume_initiator",
};

/* Every command fails once on the way there and back; the function runs in the end. */
TEST_F(mlx5, failing_commands_leave_a_device_that_runs)
{
	for (unsigned int i = 0; i < sizeof(save_faults) / sizeof(save_faults[0]); i++) {
		struct blob b = { 0 };

		ASSERT_EQ(0, model_cmd(&self->fw, "fault %s fail count=1", save_faults[i]));
		mig_save(&self->v[0], &b, i & 1);
		blob_free(&b);
		ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
		if (mig_get(&self->v[0]) == VFIO_DEVICE_STATE_ERROR) {
			ASSERT_EQ(0, vdev_reset(&self->v[0]));
			ASSERT_EQ(0, vnet_start(&self->net, &self->v[0]));
		}
		ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL))
			TH_LOG("after %s", save_faults[i]);
		ASSERT_EQ(0, echo(_metadata, self, 0, i + 1))
			TH_LOG("after %s", save_faults[i]);
	}
}

#define REC_IMAGE	0x100
#define REC_PIECE	0x101
#define REC_END		0x102

/* Number of records of a type whose first 32-bit word is @word, and the next one @flags. */
static unsigned int records(const struct stream *s, uint32_t type, uint32_t word,
			    uint32_t flags)
{
	unsigned int num = 0;

	for (unsigned int i = 0; i < s->num; i++) {
		uint32_t at[2];

		if (s->rec[i].type != type)
			continue;
		memcpy(at, s->payload[i], sizeof(at));
		num += at[0] == word && at[1] == flags;
	}
	return num;
}

/* Two parts at a time, and one again.  The image is given up, a full one follows. */
TEST_F(mlx5, pre_copy_that_fails_ends_in_one_full_image)
{
	struct blob b = { 0 };
	struct stream s;

	ASSERT_EQ(0, echo(_metadata, self, 0, 1));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault save_chunk fail count=3"));
	ASSERT_EQ(0, mig_save(&self->v[0], &b, true));
	ASSERT_EQ(0, stream_split(&s, &b));
	EXPECT_EQ(1U, records(&s, REC_IMAGE, 0, 0));	/* full, in pre-copy: */
	EXPECT_EQ(1U, records(&s, REC_END, 1, 0));	/* dropped */
	EXPECT_EQ(1U, records(&s, REC_IMAGE, 0, 1));	/* full, final: */
	EXPECT_EQ(1U, records(&s, REC_END, 0, 0));	/* complete */
	EXPECT_EQ(0U, records(&s, REC_IMAGE, 1, 0) + records(&s, REC_IMAGE, 1, 1));
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], true));
	ASSERT_EQ(0, mig_load(&self->v[1], &b, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(0, echo(_metadata, self, 1, 2));
	blob_free(&b);
}

/* Lies inside of records that the container finds right. */
static const struct {
	const char *name;
	uint32_t type;
	unsigned int offset;	/* in the payload, of 8 bytes that become: */
	uint64_t value;
	uint32_t flags;
	int err;
} lies[] = {
	{ "image without end",	REC_IMAGE, 8, UINT64_MAX & ~4095ULL,	0, -EOPNOTSUPP },
	{ "empty image",	REC_IMAGE, 8, 0,			0, -EINVAL },
	{ "odd image",		REC_IMAGE, 8, 8197,			0, -EINVAL },
	{ "short image",	REC_IMAGE, 8, 4096,			0, -EINVAL },
	{ "unknown mode",	REC_IMAGE, 0, 7,			0, -EINVAL },
	{ "base that is not",	REC_IMAGE, 0, 1ULL << 32 | 1,		0, -EINVAL },
	{ "piece elsewhere",	REC_PIECE, 0, 4096,			0, -EINVAL },
	{ "piece beyond",	REC_PIECE, 0, 1ULL << 63,		0, -EINVAL },
	{ "magic of the image",	REC_PIECE, 8, 0,			0, -EINVAL },
	{ "version to be skipped", REC_PIECE, 16, 99,	VPV_RECORD_OPTIONAL, -EOPNOTSUPP },
	{ "image to be skipped", REC_IMAGE, 8, 1ULL << 40, VPV_RECORD_OPTIONAL, -EOPNOTSUPP },
	{ "unknown outcome",	REC_END, 0, 9,				0, -EINVAL },
};

TEST_F(mlx5, lengths_in_a_stream_are_not_trusted)
{
	struct blob good = { 0 };

	ASSERT_EQ(0, mig_save(&self->v[0], &good, false));
	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct blob work = { 0 }, bad = { 0 };
		struct vpv_stream_end end;
		unsigned int at = 0;
		struct stream s;
		int fd, err;

		ASSERT_EQ(0, blob_append(&work, good.data, good.bytes));
		ASSERT_EQ(0, stream_split(&s, &work));
		while (at < s.num && s.rec[at].type != lies[i].type)
			at++;
		ASSERT_LT(at, s.num);
		memcpy((uint8_t *)s.payload[at] + lies[i].offset, &lies[i].value, 8);
		s.rec[at].flags = lies[i].flags;
		stream_seal(&s, &end);
		ASSERT_EQ(0, stream_join(&s, &bad));
		ASSERT_EQ(0, mig_set(&self->v[1], VFIO_DEVICE_STATE_RESUMING, &fd));
		err = blob_push(&bad, fd, 0, bad.bytes, 0);
		EXPECT_EQ(lies[i].err, err)
			TH_LOG("%s", lies[i].name);
		EXPECT_EQ(err, mig_set(&self->v[1], VFIO_DEVICE_STATE_STOP, NULL));
		EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v[1]));
		close(fd);
		ASSERT_EQ(0, vdev_reset(&self->v[1]));
		blob_free(&bad);
		blob_free(&work);
	}
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], true));
	ASSERT_EQ(0, mig_load(&self->v[1], &good, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(0, echo(_metadata, self, 1, 1));
	blob_free(&good);
}

/* Also when they come in pieces that fit nothing. */
TEST_F(mlx5, memory_is_bounded)
{
	struct mig_session s = { 0 };
	struct blob b = { 0 };
	int fd;

	ASSERT_EQ(0, mig_save(&self->v[0], &b, true));
	ASSERT_EQ(0, mig_session(&self->v[0], "save", &s));
	EXPECT_EQ(0, s.result);
	EXPECT_EQ(b.bytes, s.bytes);
	EXPECT_LT(0U, s.held);
	EXPECT_GE(MLXL_HELD_MAX, s.held);
	ASSERT_EQ(0, mig_set(&self->v[1], VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, blob_push(&b, fd, 0, 3000, 7));
	ASSERT_EQ(0, blob_push(&b, fd, 3000, b.bytes, 12345));
	ASSERT_EQ(0, mig_set(&self->v[1], VFIO_DEVICE_STATE_STOP, NULL));
	close(fd);
	ASSERT_EQ(0, mig_session(&self->v[1], "load", &s));
	EXPECT_EQ(0, s.result);
	EXPECT_EQ(b.bytes, s.bytes);
	EXPECT_LT(0U, s.held);
	EXPECT_GE(MLXL_HELD_MAX, s.held);
	blob_free(&b);
}

TEST_F(mlx5, hanging_commands_time_out)
{
	ASSERT_EQ(0, model_cmd(&self->fw, "fault suspend_initiator hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, mig_get(&self->v[0]));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
	EXPECT_EQ(0, echo(_metadata, self, 0, 1));
	migrate(_metadata, self, false);
}

TEST_F(mlx5, lost_interrupts_are_survived)
{
	ASSERT_EQ(0, model_cmd(&self->fw, "fault irq fail"));
	migrate(_metadata, self, true);
}

TEST_F(mlx5, firmware_that_dies_comes_back)
{
	uint64_t end;
	int err;

	ASSERT_EQ(0, model_cmd(&self->fw, "fault fatal fail count=1"));
	EXPECT_NE(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
	if (mig_get(&self->v[0]) == VFIO_DEVICE_STATE_ERROR) {
		ASSERT_EQ(0, vdev_reset(&self->v[0]));
		ASSERT_EQ(0, vnet_start(&self->net, &self->v[0]));
	}
	EXPECT_EQ(0, echo(_metadata, self, 0, 1));
	end = now_ms() + 20000;
	do {
		usleep(100000);
		err = mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING_P2P, NULL);
	} while (err == -ENOTCONN && now_ms() < end);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
	migrate(_metadata, self, true);
}

/* There the one who waits holds the lock that recovery needs. */
TEST_F(mlx5, firmware_that_dies_at_its_first_command_fails_the_probe)
{
	uint64_t begin;

	ASSERT_EQ(0, vdev_unbind(self->ctrl.bdf));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault fatal fail count=1"));
	begin = now_ms();
	EXPECT_NE(0, sysfs_write("/sys/bus/pci/drivers/" MLXL_CTRL "/bind", self->ctrl.bdf));
	EXPECT_GT(15000U, now_ms() - begin);
	ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
	ASSERT_EQ(0, mlxl_control(&self->ctrl));
	migrate(_metadata, self, true);
}

TEST_F(mlx5, controlling_driver_may_go_away)
{
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP,
		VFIO_DEVICE_STATE_STOP_COPY,
	};
	int fd = -1;

	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
		ASSERT_EQ(0, mig_set(&self->v[0], states[i], &fd));
		ASSERT_EQ(0, vdev_unbind(self->ctrl.bdf));
		if (states[i] == VFIO_DEVICE_STATE_RUNNING) {
			EXPECT_EQ(0, echo(_metadata, self, 0, 1));
			EXPECT_EQ(-ENOTCONN, mig_set(&self->v[0],
						     VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
			EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, mig_get(&self->v[0]));
		}
		if (fd >= 0)
			close(fd);
		fd = -1;
		ASSERT_EQ(0, mlxl_control(&self->ctrl));
		ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL))
			TH_LOG("from state %u", states[i]);
		ASSERT_EQ(0, echo(_metadata, self, 0, 2 + i));
	}
	migrate(_metadata, self, true);
}

/* ---- Dirty tracking ---- */

#define ROUNDS		1000
#define PER_REPORT	10

/* Pages of the ledger that are, and are not, in the bitmap; the ledger is cleared. */
static int ledger_check(struct model *m, const uint64_t *bitmap, unsigned int *missed)
{
	unsigned int pages = 0;
	char *line;

	if (model_cmd(m, "ledger"))
		return -1;
	for (line = strtok(m->reply, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long long iova;
		uint64_t page;

		if (sscanf(line, "%llx", &iova) != 1 || iova < VNET_IOVA)
			continue;
		page = (iova - VNET_IOVA) / VNET_PAGE;
		if (page >= VNET_PAGES)
			continue;
		pages++;
		*missed += !(bitmap[page / 64] >> (page % 64) & 1);
	}
	return model_cmd(m, "ledger clear") ? -1 : (int)pages;
}

TEST_F(mlx5, no_written_page_is_missed)
{
	uint64_t bitmap[VNET_PAGES / 64];
	unsigned int seed = 1, written = 0, reported = 0, missed = 0;

	NEED_DMA_LOG();
	ASSERT_EQ(0, mlxl_log_start(&self->v[0]));
	ASSERT_EQ(0, model_cmd(&self->fn, "ledger clear"));
	for (uint32_t i = 0; i < ROUNDS; i++) {
		unsigned int page = VNET_FIRST_PAGE + rand_r(&seed) % (VNET_PAGES - VNET_FIRST_PAGE);
		int pages;

		ASSERT_EQ(0, vnet_echo(&self->net, &self->v[0], i, page, ECHO_MS));
		if (i % PER_REPORT != PER_REPORT - 1)
			continue;
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, mlxl_log_report(&self->v[0], bitmap));
		pages = ledger_check(&self->fn, bitmap, &missed);
		ASSERT_LE(PER_REPORT / 2, pages);
		written += pages;
		for (unsigned int w = 0; w < VNET_PAGES / 64; w++)
			reported += __builtin_popcountll(bitmap[w]);
	}
	TH_LOG("%u rounds: %u pages written, %u reported, %u missed", ROUNDS, written, reported,
	       missed);
	EXPECT_EQ(0U, missed);
	EXPECT_GE(written + written / 10, reported);
}

TEST_F(mlx5, tracker_that_loses_track_reports_everything)
{
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };

	NEED_DMA_LOG();
	ASSERT_EQ(0, mlxl_log_start(&self->v[0]));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault tracker_query fail count=1"));
	ASSERT_EQ(0, mlxl_log_report(&self->v[0], bitmap));
	EXPECT_TRUE(mlxl_log_is_all(bitmap));
	/* And is exact again. */
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, vnet_echo(&self->net, &self->v[0], 1, 100, ECHO_MS));
	ASSERT_EQ(0, mlxl_log_report(&self->v[0], bitmap));
	EXPECT_EQ(1ULL << (100 % 64), bitmap[100 / 64]);
	EXPECT_EQ(0U, bitmap[7]);
}

TEST_F(mlx5, addresses_beyond_the_tracker_are_refused)
{
	int log = log_mark();
	char line[256] = "";

	NEED_DMA_LOG();
	ASSERT_LE(0, log);
	EXPECT_EQ(-ERANGE, dma_log_start(&self->v[0], VNET_PAGE, 1ULL << 60, VNET_PAGE));
	/* The line says what the tracker can do, and what was wanted. */
	EXPECT_EQ(1, log_count(log, "DMA logging refused", line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "0xffffffffffff,"));
	EXPECT_NE(NULL, strstr(line, "0x1000000000000fff"));
	EXPECT_EQ(0, dma_log_start(&self->v[0], VNET_PAGE, VNET_IOVA, VNET_PAGE));
	close(log);
}

/* As a BAR at the top of the address space: user space does not get around asking for it. */
TEST_F(mlx5, range_beyond_the_tracker_is_dirty_and_the_rest_exact)
{
	struct vfio_device_feature_dma_logging_range ranges[] = {
		{ .iova = VNET_IOVA, .length = VNET_BYTES },
		{ .iova = 1ULL << 60, .length = VNET_BYTES },
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = VNET_PAGE, .num_ranges = 2, .ranges = (uintptr_t)ranges,
	};
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };
	struct vfio_device_feature_dma_logging_report rep = {
		.iova = 1ULL << 60, .length = VNET_BYTES, .page_size = VNET_PAGE,
		.bitmap = (uintptr_t)bitmap,
	};
	int log = log_mark();
	char line[256] = "";

	NEED_DMA_LOG();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, vdev_feature(&self->v[0], VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
				  sizeof(control)));
	EXPECT_EQ(1, log_count(log, "all from 0x1000000000000000 on is dirty", line,
			       sizeof(line)));
	close(log);
	ASSERT_EQ(0, vdev_feature(&self->v[0], VFIO_DEVICE_FEATURE_GET |
				  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &rep, sizeof(rep)));
	EXPECT_TRUE(mlxl_log_is_all(bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, vnet_echo(&self->net, &self->v[0], 1, 100, ECHO_MS));
	ASSERT_EQ(0, mlxl_log_report(&self->v[0], bitmap));
	EXPECT_EQ(1ULL << (100 % 64), bitmap[100 / 64]);
	EXPECT_EQ(0U, bitmap[7]);
}

/*
 * Many reports of a tracker that hangs, as a VMM makes them with the guest stopped: one waits
 * for the firmware, and the command queue of all functions is restarted for few commands.
 */
TEST_F(mlx5, tracker_that_hangs_is_not_asked_again_and_again)
{
	uint64_t bitmap[VNET_PAGES / 64], begin;
	int log = log_mark();
	char line[256];

	NEED_DMA_LOG();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, mlxl_log_start(&self->v[0]));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault tracker_query hang"));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault tracker_arm hang"));
	begin = now_ms();
	for (int i = 0; i < 8; i++) {
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, mlxl_log_report(&self->v[0], bitmap));
		EXPECT_TRUE(mlxl_log_is_all(bitmap));
	}
	EXPECT_GT(17000U, now_ms() - begin);
	EXPECT_GE(2, log_count(log, "restarting the command queue", line, sizeof(line)));
	close(log);
	ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
}

TEST_HARNESS_MAIN
