// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: functions that firmware migrates through a controlling function.  The
 * tests drive frames through virtio queues to the model's peer and back.
 */
#include <time.h>

#include "lib/mlx.h"
#include "lib/test.h"
#include "lib/vnet.h"

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
	int err = mlx_control(&self->ctrl);

	if (err == -ENODEV)
		SKIP(return, "no device mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(2, mlx_functions(self->slots, 2));
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
	EXPECT_EQ(-EBUSY, mlx_config(&self->ctrl, slot->index, "enable", "0"));
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, vdev_unbind(slot->bdf));
	ASSERT_EQ(0, mlx_config(&self->ctrl, slot->index, "enable", "0"));
	ASSERT_EQ(0, mlx_config_read(&self->ctrl, slot->index, "enable", state, sizeof(state)));
	EXPECT_EQ('0', state[0]);
	EXPECT_NE(0, vdev_bind(slot->bdf, MLX_DRIVER));

	EXPECT_EQ(-EINVAL, mlx_config(&self->ctrl, slot->index, "mac", "01:00:00:00:00:01"));
	ASSERT_EQ(0, mlx_config(&self->ctrl, slot->index, "mac", "02:00:00:00:00:77"));
	ASSERT_EQ(0, mlx_config(&self->ctrl, slot->index, "queue_pairs", "99"));
	EXPECT_EQ(-ERANGE, mlx_config(&self->ctrl, slot->index, "enable", "1"));
	ASSERT_EQ(0, mlx_config(&self->ctrl, slot->index, "queue_pairs", "1"));
	/* Provisioning lets the driver bind that was refused before. */
	ASSERT_EQ(0, mlx_config(&self->ctrl, slot->index, "enable", "1"));
	ASSERT_EQ(0, vdev_driver(slot->bdf, driver, sizeof(driver)));
	EXPECT_STREQ(MLX_DRIVER, driver);
	ASSERT_EQ(0, vdev_bind(slot->bdf, MLX_DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v[1], slot, VDEV_GROUP));
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

TEST_F(mlx5, state_moves)
{
	migrate(_metadata, self, false);
}

TEST_F(mlx5, state_moves_with_pre_copy)
{
	migrate(_metadata, self, true);
}

TEST_F(mlx5, pre_copy_sends_changes_only)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct blob b = { 0 };
	size_t first, second, initial;
	int fd;

	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	initial = info.initial_bytes;
	EXPECT_EQ(-ENOMSG, blob_pull(&b, fd, 0));
	first = b.bytes;
	/* All of it was announced: a VMM may stop the guest when that has been sent. */
	EXPECT_LE(first, initial);
	ASSERT_EQ(0, model_cmd(&self->fn, "dirty 64"));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_EQ(0U, info.initial_bytes);
	EXPECT_LE(64 * VNET_PAGE, info.dirty_bytes);
	EXPECT_GT(first / 2, info.dirty_bytes);
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
	EXPECT_NE(0, sysfs_write("/sys/bus/pci/drivers/" MLX_CTRL "/bind", self->ctrl.bdf));
	EXPECT_GT(15000U, now_ms() - begin);
	ASSERT_EQ(0, model_cmd(&self->fw, "fault clear"));
	ASSERT_EQ(0, mlx_control(&self->ctrl));
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
		ASSERT_EQ(0, mlx_control(&self->ctrl));
		ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL))
			TH_LOG("from state %u", states[i]);
		ASSERT_EQ(0, echo(_metadata, self, 0, 2 + i));
	}
	migrate(_metadata, self, true);
}

/* ---- Dirty tracking ---- */

#define ROUNDS		1000
#define PER_REPORT	10

static int log_start(struct vdev *v, uint64_t page, uint64_t iova, uint64_t bytes)
{
	struct vfio_device_feature_dma_logging_range range = { .iova = iova, .length = bytes };
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = page, .num_ranges = 1, .ranges = (uintptr_t)&range,
	};

	return vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control, sizeof(control));
}

static int log_report(struct vdev *v, uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report rep = {
		.iova = VNET_IOVA, .length = VNET_BYTES, .page_size = VNET_PAGE,
		.bitmap = (uintptr_t)bitmap,
	};

	return vdev_feature(v, VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &rep, sizeof(rep));
}

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

	if (access("/dev/iommu", F_OK))
		SKIP(return, "this kernel cannot report logged DMA (no IOMMUFD)");
	ASSERT_EQ(0, log_start(&self->v[0], VNET_PAGE, VNET_IOVA, VNET_BYTES));
	ASSERT_EQ(0, model_cmd(&self->fn, "ledger clear"));
	for (uint32_t i = 0; i < ROUNDS; i++) {
		unsigned int page = VNET_FIRST_PAGE + rand_r(&seed) % (VNET_PAGES - VNET_FIRST_PAGE);
		int pages;

		ASSERT_EQ(0, vnet_echo(&self->net, &self->v[0], i, page, ECHO_MS));
		if (i % PER_REPORT != PER_REPORT - 1)
			continue;
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, log_report(&self->v[0], bitmap));
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

	if (access("/dev/iommu", F_OK))
		SKIP(return, "this kernel cannot report logged DMA (no IOMMUFD)");
	ASSERT_EQ(0, log_start(&self->v[0], VNET_PAGE, VNET_IOVA, VNET_BYTES));
	ASSERT_EQ(0, model_cmd(&self->fw, "fault tracker_query fail count=1"));
	ASSERT_EQ(0, log_report(&self->v[0], bitmap));
	for (unsigned int w = 0; w < VNET_PAGES / 64; w++)
		EXPECT_EQ(UINT64_MAX, bitmap[w]);
	/* And is exact again. */
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, vnet_echo(&self->net, &self->v[0], 1, 100, ECHO_MS));
	ASSERT_EQ(0, log_report(&self->v[0], bitmap));
	EXPECT_EQ(1ULL << (100 % 64), bitmap[100 / 64]);
	EXPECT_EQ(0U, bitmap[7]);
}

TEST_F(mlx5, addresses_beyond_the_tracker_are_refused)
{
	if (access("/dev/iommu", F_OK))
		SKIP(return, "this kernel cannot report logged DMA (no IOMMUFD)");
	EXPECT_EQ(-ERANGE, log_start(&self->v[0], VNET_PAGE, 1ULL << 60, VNET_PAGE));
	EXPECT_EQ(0, log_start(&self->v[0], VNET_PAGE, VNET_IOVA, VNET_PAGE));
}

TEST_HARNESS_MAIN
