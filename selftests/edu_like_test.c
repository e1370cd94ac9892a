// SPDX-License-Identifier: GPL-2.0
/*
 * edu_like (Documentation/hardware/edu_like.rst): operations that are cut in two by a
 * migration, and what the function refuses.  Functions 0 and 1 are alike, 2 has a lower
 * limit.
 */
#include <endian.h>

#include <hw/edu_like.h>

#include "lib/test.h"

#define IOVA		0x10000000ULL
#define MEM_BYTES	(512u << 10)
#define WORDS		65536u
#define FIRST		0x1000u

FIXTURE(edu)
{
	struct slot slots[3];
	struct vdev a, b;
	uint32_t *mem;
	int irq;
};

VARIANTS_OF_OPENING(edu);

FIXTURE_SETUP(edu)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS_OF("edu_like", "vpv_edu_like", self->slots, 3);
	self->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->irq = eventfd_new();
	ASSERT_LE(0, self->irq);
	ASSERT_EQ(0, vdev_open(&self->a, &self->slots[0], variant->mode));
	ASSERT_EQ(0, vdev_open(&self->b, &self->slots[1], variant->mode));
	ASSERT_EQ(0, vdev_dma_map(&self->a, self->mem, IOVA, MEM_BYTES));
	ASSERT_EQ(0, vdev_dma_map(&self->b, self->mem, IOVA, MEM_BYTES));
}

FIXTURE_TEARDOWN(edu)
{
	if (!self->mem)
		return;
	vdev_close(&self->a);
	vdev_close(&self->b);
	close(self->irq);
	munmap(self->mem, MEM_BYTES);
}

static uint32_t rd(struct vdev *v, unsigned int reg)
{
	uint32_t val = ~0u;

	vdev_pread(v, VFIO_PCI_BAR0_REGION_INDEX, reg, &val, sizeof(val));
	return val;
}

static void wr(struct vdev *v, unsigned int reg, uint32_t val)
{
	vdev_pwrite(v, VFIO_PCI_BAR0_REGION_INDEX, reg, &val, sizeof(val));
}

/* Memory space and bus mastering, and the message: what a VMM restores. */
static int enable(struct vdev *v, int irq)
{
	int err = vdev_cfg_set(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

	return err ? err : vdev_irq_eventfds(v, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &irq);
}

static void start(struct vdev *v, uint32_t words)
{
	wr(v, EDUL_ADDRESS, (uint32_t)IOVA);
	wr(v, EDUL_ADDRESS + 4, IOVA >> 32);
	wr(v, EDUL_WORDS, words);
	wr(v, EDUL_VALUE, FIRST);
	wr(v, EDUL_CONTROL, EDUL_START);
}

/* How many words are as they should be. */
static uint32_t filled(const uint32_t *mem)
{
	uint32_t n = 0;

	while (n < WORDS && mem[n] == FIRST + n)
		n++;
	return n;
}

TEST_F(edu, control_window_is_hidden)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	uint32_t val;

	ASSERT_EQ(0, vdev_region(&self->a, VFIO_PCI_BAR0_REGION_INDEX, &info));
	EXPECT_EQ(EDUL_CTL, info.size);
	EXPECT_GT(0, vdev_pread(&self->a, VFIO_PCI_BAR0_REGION_INDEX, EDUL_CTL, &val, sizeof(val)));
}

static void migrate_in_the_middle(struct __test_metadata *_metadata, FIXTURE_DATA(edu) *self,
				  bool precopy)
{
	struct blob stream = {};
	uint32_t before;

	ASSERT_EQ(0, enable(&self->a, self->irq));
	start(&self->a, WORDS);
	ASSERT_EQ(0, mig_save(&self->a, &stream, precopy));
	before = filled(self->mem);
	ASSERT_GT(WORDS, before);			/* there is something left to do */
	ASSERT_EQ(0, enable(&self->b, self->irq));
	ASSERT_EQ(0, mig_load(&self->b, &stream, VFIO_DEVICE_STATE_RUNNING));
	ASSERT_EQ(1, eventfd_wait(self->irq, 20000));
	EXPECT_EQ(EDUL_DONE, rd(&self->b, EDUL_CONTROL));
	EXPECT_EQ(FIRST + WORDS, rd(&self->b, EDUL_VALUE));
	EXPECT_EQ(WORDS, filled(self->mem));
	blob_free(&stream);
}

TEST_F(edu, goes_on_elsewhere)
{
	migrate_in_the_middle(_metadata, self, false);
}

TEST_F(edu, goes_on_elsewhere_after_precopy)
{
	migrate_in_the_middle(_metadata, self, true);
}

/* A device that does not stop in time goes on: nothing of the user's is lost. */
TEST_F(edu, pause_that_does_not_end)
{
	struct model m;

	ASSERT_EQ(0, model_open(&m, &self->slots[0]));
	ASSERT_EQ(0, enable(&self->a, self->irq));
	ASSERT_EQ(0, model_cmd(&m, "fault pause hang count=1"));
	start(&self->a, WORDS);
	EXPECT_EQ(-ETIMEDOUT, mig_set(&self->a, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, mig_get(&self->a));
	EXPECT_EQ(0, model_cmd(&m, "fault clear"));
	EXPECT_EQ(1, eventfd_wait(self->irq, 20000));
	EXPECT_EQ(WORDS, filled(self->mem));
	EXPECT_EQ(0, mig_set(&self->a, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_EQ(0, mig_set(&self->a, VFIO_DEVICE_STATE_RUNNING, NULL));
	model_close(&m);
}

/* Load @stream into @v: the errno, and the state that the device has then. */
static void expect_load(struct __test_metadata *_metadata, struct vdev *v,
			const struct blob *stream, int want)
{
	EXPECT_EQ(want, mig_load(v, stream, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(want ? VFIO_DEVICE_STATE_ERROR : VFIO_DEVICE_STATE_RUNNING, mig_get(v));
	EXPECT_EQ(0, vdev_reset(v));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, mig_get(v));
}

TEST_F(edu, load_that_the_device_refuses)
{
	struct blob stream = {};
	struct model m;

	ASSERT_EQ(0, mig_save(&self->a, &stream, false));
	ASSERT_EQ(0, model_open(&m, &self->slots[1]));
	ASSERT_EQ(0, model_cmd(&m, "fault load fail count=1"));
	expect_load(_metadata, &self->b, &stream, -EINVAL);
	ASSERT_EQ(0, model_cmd(&m, "fault load hang count=1"));
	expect_load(_metadata, &self->b, &stream, -ETIMEDOUT);
	ASSERT_EQ(0, model_cmd(&m, "fault clear"));
	expect_load(_metadata, &self->b, &stream, 0);
	model_close(&m);
	blob_free(&stream);
}

static struct vpv_stream_record *state_record(struct stream *s, unsigned int *at)
{
	for (*at = 0; *at < s->num; ++*at)
		if (le32toh(s->rec[*at].type) == VPV_RECORD_FAMILY)
			return &s->rec[*at];
	return NULL;
}

TEST_F(edu, state_that_makes_no_sense)
{
	struct blob stream = {}, bad = {};
	struct edul_state state;
	struct vpv_stream_end end;
	struct stream s;
	unsigned int at;

	ASSERT_EQ(0, mig_save(&self->a, &stream, false));
	ASSERT_EQ(0, stream_split(&s, &stream));
	ASSERT_NE(NULL, state_record(&s, &at));
	memcpy(&state, s.payload[at], sizeof(state));
	state.control = htole32(EDUL_BUSY);		/* with no words to write */
	s.payload[at] = &state;
	stream_seal(&s, &end);
	ASSERT_EQ(0, stream_join(&s, &bad));
	expect_load(_metadata, &self->b, &bad, -EINVAL);
	expect_load(_metadata, &self->b, &stream, 0);
	blob_free(&bad);
	blob_free(&stream);
}

/* Refused in pre-copy, with the line that names the field; the other way round it fits. */
TEST_F(edu, lower_limit)
{
	struct blob stream = {};
	struct vdev small;
	char line[512] = "";
	int mark, in;

	ASSERT_EQ(0, vdev_open(&small, &self->slots[2], variant->mode));
	ASSERT_EQ(0, mig_save(&self->a, &stream, true));
	mark = log_mark();
	ASSERT_EQ(0, mig_set(&small, VFIO_DEVICE_STATE_RESUMING, &in));
	EXPECT_EQ(-EOPNOTSUPP, blob_push(&stream, in, 0, stream.bytes, 0));
	close(in);
	EXPECT_EQ(1, log_count(mark, "migration", line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "largest operation"))
		TH_LOG("%s", line);
	close(mark);
	EXPECT_EQ(0, vdev_reset(&small));
	stream.bytes = 0;
	ASSERT_EQ(0, mig_save(&small, &stream, true));
	expect_load(_metadata, &self->b, &stream, 0);
	vdev_close(&small);
	blob_free(&stream);
}

TEST_HARNESS_MAIN
