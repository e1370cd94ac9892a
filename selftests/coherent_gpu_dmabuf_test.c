// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of memory of coherent_gpu: another device, an edu, writes it, loses it in every
 * way in which the memory goes, and what it has mapped is sent in every round of a pre-copy.
 *
 * Groups: coherent-gpu-special
 */
#include "lib/gpu.h"
#include "lib/importer.h"
#include "lib/race.h"
#include "lib/stock.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		0x1000UL
#define MB		0x100000UL
#define SECONDS		120
#define READY_MS	1500
#define LATER_MS	10000
#define RACE_MS		10000

/*
 * Of the machine in families/coherent_gpu.c: 224 MiB, twice, with 32 MiB of carve-out; 384 MiB
 * shown as 512; and one of 1 GiB that may get bad pages, which are bad until the machine goes.
 */
enum { SMALL, OTHER, ODD, BAD = 4, SLOTS };

#define SMALL_BYTES	(224 * MB)
#define CARVE_BYTES	(32 * MB)
#define ODD_BYTES	(384 * MB)

FIXTURE(gpu_dmabuf)
{
	struct slot slot[SLOTS];
	struct slot edu;
	unsigned int nr;
	struct vdev v;
	struct model m;
	int imp;
};

static int open_function(FIXTURE_DATA(gpu_dmabuf) *self, unsigned int nr)
{
	int err = vdev_open(&self->v, &self->slot[nr], any_mode());

	self->nr = nr;
	err = err ? err : model_open(&self->m, &self->slot[nr]);
	return err ? err : gpu_set_memory(&self->v, true);
}

static void close_function(FIXTURE_DATA(gpu_dmabuf) *self)
{
	if (self->m.fd > 0)
		model_close(&self->m);
	self->m.fd = -1;
	vdev_close(&self->v);
}

FIXTURE_SETUP(gpu_dmabuf)
{
	self->v.fd = -1;
	self->m.fd = -1;
	self->imp = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, SLOTS);
	NEED_IMPORTER(self->imp, &self->edu);
	ASSERT_EQ(0, open_function(self, SMALL));
	NEED_FEATURE(&self->v);
}

FIXTURE_TEARDOWN(gpu_dmabuf)
{
	if (self->imp >= 0)
		close(self->imp);
	if (self->m.fd > 0) {
		model_cmd(&self->m, "fault clear");
		model_cmd(&self->m, "ready_ms 0");
	}
	close_function(self);
}

static uint64_t early_pages(struct model *m)
{
	uint64_t val;

	return model_value(m, "stats", "early_pages", &val) ? ~0ULL : val;
}

/* Have the importer attach, and map it. */
static int import_begin(FIXTURE_DATA(gpu_dmabuf) *self, int fd)
{
	int err = import_attach(self->imp, fd, &self->edu, "plain");

	return err ? err : importer_tell(self->imp, "map");
}

static bool maps_in_time(int imp)
{
	uint64_t end = now_ms() + LATER_MS;

	while (importer_tell(imp, "map")) {
		if (now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

static bool loses_in_time(int imp)
{
	uint64_t end = now_ms() + LATER_MS;

	while (import_state(imp).mapped) {
		if (now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

/* ---- What can be had ---- */

TEST_F_TIMEOUT(gpu_dmabuf, only_memory_that_is_there, SECONDS)
{
	const struct {
		unsigned int nr, bar;
		struct range range;
		int err;
	} rows[] = {
		{ SMALL, GPU_MAIN_BAR, { 0, PAGE }, 0 },
		{ SMALL, GPU_MAIN_BAR, { 0, SMALL_BYTES }, 0 },
		{ SMALL, GPU_MAIN_BAR, { SMALL_BYTES - PAGE, PAGE }, 0 },
		{ SMALL, GPU_MAIN_BAR, { SMALL_BYTES, PAGE }, EINVAL },
		{ SMALL, GPU_MAIN_BAR, { SMALL_BYTES - PAGE, 2 * PAGE }, EINVAL },
		{ SMALL, GPU_MAIN_BAR, { 256 * MB, PAGE }, EINVAL },
		{ SMALL, GPU_MAIN_BAR, { 16, PAGE }, EINVAL },
		{ SMALL, GPU_MAIN_BAR, { 0, 0 }, EINVAL },
		{ SMALL, GPU_MAIN_BAR + 1, { 0, PAGE }, ENODEV },
		{ SMALL, GPU_CARVE_BAR, { 0, CARVE_BYTES }, 0 },
		{ SMALL, GPU_CARVE_BAR, { CARVE_BYTES, PAGE }, EINVAL },
		{ ODD, GPU_MAIN_BAR, { 0, ODD_BYTES }, 0 },
		{ ODD, GPU_MAIN_BAR, { ODD_BYTES, PAGE }, EINVAL },
		{ ODD, GPU_MAIN_BAR, { 0, 512 * MB }, EINVAL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd;

		if (rows[i].nr != self->nr) {
			close_function(self);
			ASSERT_EQ(0, open_function(self, rows[i].nr));
		}
		fd = dmabuf_get(&self->v, rows[i].bar, 1, &rows[i].range);
		if (rows[i].err) {
			EXPECT_EQ(-rows[i].err, fd) TH_LOG("row %u", i);
			continue;
		}
		EXPECT_LE(0, fd) TH_LOG("row %u", i);
		EXPECT_EQ((off_t)rows[i].range.bytes, lseek(fd, 0, SEEK_END));
		close(fd);
	}
}

/* A device writes what CPUs have cached, in the order of the ranges, in both memories. */
TEST_F_TIMEOUT(gpu_dmabuf, dma_by_another_device, SECONDS)
{
	static const unsigned int bars[] = { GPU_MAIN_BAR, GPU_CARVE_BAR };
	static const struct range two[] = { { 5 * PAGE, PAGE }, { 2 * PAGE, PAGE } };

	for (unsigned int i = 0; i < ARRAY_SIZE(bars); i++) {
		volatile uint32_t *p = gpu_map(&self->v, bars[i], 0, 8 * PAGE);
		int fd = dmabuf_get(&self->v, bars[i], 2, two);
		struct import state;

		ASSERT_LE(0, fd);
		ASSERT_NE(NULL, p);
		p[5 * PAGE / 4 + 2] = 1;
		p[2 * PAGE / 4 + 2] = 2;
		ASSERT_EQ(0, import_begin(self, fd));
		state = import_state(self->imp);
		EXPECT_EQ(2 * PAGE, state.bytes);
		EXPECT_EQ(2U, state.entries);
		EXPECT_NE(0ULL, state.phys);
		ASSERT_EQ(0, import_store(self->imp, 8, 0x600d0001));
		ASSERT_EQ(0, import_store(self->imp, PAGE + 8, 0x600d0002));
		EXPECT_EQ(0x600d0001U, p[5 * PAGE / 4 + 2]);
		EXPECT_EQ(0x600d0002U, p[2 * PAGE / 4 + 2]);

		/* Again after it was taken away. */
		ASSERT_EQ(0, gpu_set_memory(&self->v, false));
		EXPECT_EQ(0ULL, import_state(self->imp).phys);
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		ASSERT_EQ(0, importer_tell(self->imp, "map"));
		ASSERT_EQ(0, import_store(self->imp, 12, 0x600d0003));
		EXPECT_EQ(0x600d0003U, p[5 * PAGE / 4 + 3]);
		ASSERT_EQ(0, importer_tell(self->imp, "detach"));
		close(fd);
		munmap((void *)p, 8 * PAGE);
	}
}

/* ---- Taking it away ---- */

static int off(FIXTURE_DATA(gpu_dmabuf) *self) { return gpu_set_memory(&self->v, false); }
static int on(FIXTURE_DATA(gpu_dmabuf) *self) { return gpu_set_memory(&self->v, true); }
static int d3(FIXTURE_DATA(gpu_dmabuf) *self) { return gpu_set_power(&self->v, 3); }
static int d0(FIXTURE_DATA(gpu_dmabuf) *self) { return gpu_set_power(&self->v, 0); }
static int by_ioctl(FIXTURE_DATA(gpu_dmabuf) *self) { return vdev_reset(&self->v); }
static int by_flr(FIXTURE_DATA(gpu_dmabuf) *self) { return gpu_reset_by_flr(&self->v); }

static int by_sysfs(FIXTURE_DATA(gpu_dmabuf) *self)
{
	return gpu_reset_by_sysfs(&self->slot[self->nr]);
}

static int low_power(FIXTURE_DATA(gpu_dmabuf) *self, uint32_t feature)
{
	return vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET | feature, NULL, 0);
}

static int enter(FIXTURE_DATA(gpu_dmabuf) *self)
{
	return low_power(self, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
}

static int leave(FIXTURE_DATA(gpu_dmabuf) *self)
{
	return low_power(self, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT);
}

static int frozen(FIXTURE_DATA(gpu_dmabuf) *self)
{
	return vdev_error(self->slot[self->nr].bdf, "frozen");
}

/* There is no reset, but the user has been told of one. */
static int recovered(FIXTURE_DATA(gpu_dmabuf) *self)
{
	return vdev_error(self->slot[self->nr].bdf, "reset");
}

/* What takes it away, and what gives it back; NULL: it comes back by itself, after a reset. */
static const struct {
	const char *name;
	int (*away)(FIXTURE_DATA(gpu_dmabuf) *self);
	int (*back)(FIXTURE_DATA(gpu_dmabuf) *self);
} ways[] = {
	{ "memory enable", off, on },
	{ "D3hot", d3, d0 },
	{ "low power", enter, leave },
	{ "error", frozen, recovered },
	{ "VFIO_DEVICE_RESET", by_ioctl, NULL },
	{ "FLR", by_flr, NULL },
	{ "sysfs", by_sysfs, NULL },
};

TEST_F_TIMEOUT(gpu_dmabuf, goes_with_memory, SECONDS)
{
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, PAGE, PAGE);
	unsigned int told = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, "plain"));
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		struct import state;

		if (ways[i].away == frozen && !vdev_error_works())
			continue;
		ASSERT_TRUE(maps_in_time(self->imp)) TH_LOG("before %s", ways[i].name);
		EXPECT_NE(0ULL, import_state(self->imp).phys);
		ASSERT_EQ(0, ways[i].away(self)) TH_LOG("%s", ways[i].name);
		state = import_state(self->imp);
		EXPECT_EQ(told + 1, state.told) TH_LOG("%s", ways[i].name);
		EXPECT_EQ(0U, state.mapped) TH_LOG("%s", ways[i].name);
		EXPECT_EQ(0ULL, state.phys);
		told = state.told;
		if (!ways[i].back)
			continue;
		EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map")) TH_LOG("%s", ways[i].name);
		ASSERT_EQ(0, ways[i].back(self)) TH_LOG("back after %s", ways[i].name);
	}
	EXPECT_TRUE(maps_in_time(self->imp));
	EXPECT_EQ(0, early_pages(&self->m));
	close(fd);
}

/* Nobody has it before it is ready; then, whoever has asked for it, importers have it, too. */
TEST_F_TIMEOUT(gpu_dmabuf, waits_for_readiness, SECONDS)
{
	static int (*const resets[])(FIXTURE_DATA(gpu_dmabuf) *self) = {
		by_ioctl, by_flr, by_sysfs,
	};
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, PAGE, PAGE);
	uint32_t val;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_begin(self, fd));
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms %u", READY_MS));
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(resets); i++) {
		uint64_t begin = now_ms();

		ASSERT_EQ(0, resets[i / 2](self));
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		EXPECT_EQ(0U, import_state(self->imp).mapped);
		if (now_ms() - begin < READY_MS / 2)
			EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map")) TH_LOG("reset %u", i);
		if (i % 2) {
			/* Somebody else has waited. */
			ASSERT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, PAGE, &val, 4));
			EXPECT_EQ(0, importer_tell(self->imp, "map")) TH_LOG("reset %u", i);
		} else {
			EXPECT_TRUE(maps_in_time(self->imp)) TH_LOG("reset %u", i);
		}
		EXPECT_LE(READY_MS - 100, now_ms() - begin) TH_LOG("reset %u", i);
		EXPECT_EQ(0, import_store(self->imp, 4 * i, 0x600d0000 + i));
		ASSERT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, PAGE + 4 * i, &val, 4));
		EXPECT_EQ(0x600d0000 + i, val);
	}
	/* One that is made now is had when it is there. */
	close(fd);
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, GPU_MAIN_BAR, PAGE, PAGE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
	EXPECT_EQ(0, early_pages(&self->m));
}

/* Memory that does not come does not come for importers, until the next reset. */
TEST_F_TIMEOUT(gpu_dmabuf, readiness_that_never_comes, SECONDS)
{
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE);
	uint32_t val;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, "plain"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail"));
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(-ETIMEDOUT, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 4));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(-ETIMEDOUT, dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_TRUE(maps_in_time(self->imp));
	close(fd);
}

/* A reset by somebody else waits for an importer, as everybody does. */
TEST_F_TIMEOUT(gpu_dmabuf, waits_for_slow_importers, SECONDS)
{
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE);
	uint64_t begin;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_begin(self, fd));
	ASSERT_EQ(0, importer_tell(self->imp, "slow 300"));
	begin = now_ms();
	ASSERT_EQ(0, by_sysfs(self));
	EXPECT_LE(290ULL, now_ms() - begin);
	EXPECT_EQ(0U, import_state(self->imp).mapped);
	EXPECT_EQ(0, early_pages(&self->m));
	close(fd);
}

/* Whoever closes the device does not wait for memory that nobody wants any more. */
TEST_F_TIMEOUT(gpu_dmabuf, close_does_not_wait_for_readiness, SECONDS)
{
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE);
	uint64_t begin;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_begin(self, fd));
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 20000"));
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	usleep(300000);
	begin = now_ms();
	vdev_close(&self->v);
	EXPECT_GE(10000ULL, now_ms() - begin);
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 0"));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	ASSERT_EQ(0, vdev_unbind(self->slot[SMALL].bdf));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	ASSERT_EQ(0, vdev_bind(self->slot[SMALL].bdf, GPU_DRIVER));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	close(fd);
}

/* ---- Bad pages ---- */

TEST_F_TIMEOUT(gpu_dmabuf, bad_page_goes, SECONDS)
{
	const uint64_t pos = 200 * MB;
	int fd, good, imp = open(IMPORTER, O_RDWR);

	ASSERT_LE(0, imp);
	close_function(self);
	ASSERT_EQ(0, open_function(self, BAD));
	fd = dmabuf_one(&self->v, GPU_MAIN_BAR, pos - PAGE, 4 * PAGE);
	good = dmabuf_one(&self->v, GPU_MAIN_BAR, pos + PAGE, PAGE);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, good);
	ASSERT_EQ(0, import_begin(self, fd));
	ASSERT_EQ(0, import_attach(imp, good, &self->edu, "plain"));
	ASSERT_EQ(0, importer_tell(imp, "map"));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	EXPECT_TRUE(loses_in_time(self->imp));
	EXPECT_EQ(0ULL, import_state(self->imp).phys);
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(1U, import_state(imp).mapped);
	EXPECT_EQ(-EHWPOISON, dmabuf_one(&self->v, GPU_MAIN_BAR, pos, PAGE));
	/* Not by memory enable, nor by a reset, which such a page outlives. */
	ASSERT_EQ(0, gpu_set_memory(&self->v, false));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(0, importer_tell(imp, "map"));
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_TRUE(maps_in_time(imp));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	/* Nobody else asks again for memory of which the function does not tell what is bad. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault poison fail"));
	ASSERT_EQ(0, by_ioctl(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(-EREMOTEIO, dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE));
	EXPECT_EQ(-ENODEV, importer_tell(imp, "map"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_TRUE(maps_in_time(imp));
	close(imp);
	close(good);
	close(fd);
}

/* ---- Migration ---- */

#define HAD		((long long)(16 * PAGE))
#define HAD_POS		(64 * MB - 3 * PAGE)
#define ROUNDS		5

/* Pass on what there is now.  Bytes; -EAGAIN, -ENOMSG: there is nothing; or another errno. */
static long long pump_some(int from, int to)
{
	static uint8_t buf[1 << 20];
	ssize_t n = read(from, buf, sizeof(buf));

	for (ssize_t at = 0, w; at < n; at += w) {
		w = write(to, buf + at, n - at);
		if (w < 0)
			return -errno;
	}
	return n < 0 ? -errno : n;
}

/* Pass on all that there is: while nobody has the range.  Bytes, or a negative errno. */
static long long pump(int from, int to)
{
	long long sent = 0, n;

	fcntl(from, F_SETFL, 0);
	while ((n = pump_some(from, to)) > 0)
		sent += n;
	return n && n != -ENOMSG ? n : sent;
}

/*
 * One round, while there always is another, which begins when the reader finds nothing.  Bytes, or
 * a negative errno.
 */
static long long pump_round(int from, int to)
{
	uint64_t end = now_ms() + LATER_MS;
	long long sent = 0, n;

	fcntl(from, F_SETFL, O_NONBLOCK);
	for (;;) {
		n = pump_some(from, to);
		if (n > 0) {
			sent += n;
			continue;
		}
		if (n != -EAGAIN && n != -ENOMSG)
			return n;
		if (sent >= HAD)
			return sent;
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
}

/* What another device has is sent in every round, and nothing else that was not written. */
TEST_F_TIMEOUT(gpu_dmabuf, dirty_in_every_round_while_mapped, 600)
{
	int fd = dmabuf_one(&self->v, GPU_MAIN_BAR, HAD_POS, HAD), from, to;
	long long bytes;
	struct vdev dst;
	uint32_t val;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vdev_open(&dst, &self->slot[OTHER], any_mode()));
	/* Zeros would not be sent. */
	for (uint64_t pos = 0; pos < HAD; pos += PAGE)
		ASSERT_EQ(8, vdev_pwrite(&self->v, GPU_MAIN_BAR, HAD_POS + pos, "not zero", 8));
	ASSERT_EQ(0, mig_set(&dst, VFIO_DEVICE_STATE_RESUMING, &to));
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &from));
	ASSERT_LT(0, pump(from, to));
	ASSERT_EQ(0, pump(from, to));
	ASSERT_EQ(0, import_begin(self, fd));
	/* In every other one nobody writes, but somebody could. */
	for (unsigned int i = 0; i < 2 * ROUNDS; i++) {
		if (i % 2)
			ASSERT_EQ(0, import_store(self->imp, PAGE * i + 16, 0x600d0000 + i));
		bytes = pump_round(from, to);
		EXPECT_LE(HAD, bytes) TH_LOG("round %u", i);
		EXPECT_GT(2 * HAD, bytes) TH_LOG("round %u", i);
	}
	/* The last of it, and then nothing. */
	ASSERT_EQ(0, import_store(self->imp, PAGE + 20, 0x600d1234));
	ASSERT_EQ(0, importer_tell(self->imp, "unmap"));
	EXPECT_LE(HAD, pump(from, to));
	EXPECT_EQ(0, pump(from, to));
	/* Mapped and unmapped between two rounds. */
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	ASSERT_EQ(0, import_store(self->imp, PAGE + 24, 0x600d5678));
	ASSERT_EQ(0, importer_tell(self->imp, "unmap"));
	EXPECT_LE(HAD, pump(from, to));
	EXPECT_EQ(0, pump(from, to));

	/* And until the end. */
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	EXPECT_LE(HAD, pump_round(from, to));
	ASSERT_EQ(0, import_store(self->imp, PAGE + 28, 0x600d9abc));
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	EXPECT_LE(HAD, pump(from, to));
	ASSERT_EQ(0, mig_set(&dst, VFIO_DEVICE_STATE_STOP, NULL));
	ASSERT_EQ(0, gpu_set_memory(&dst, true));
	for (unsigned int i = 1; i < 2 * ROUNDS; i += 2) {
		ASSERT_EQ(4, vdev_pread(&dst, GPU_MAIN_BAR, HAD_POS + PAGE * i + 16, &val, 4));
		EXPECT_EQ(0x600d0000 + i, val);
	}
	ASSERT_EQ(4, vdev_pread(&dst, GPU_MAIN_BAR, HAD_POS + PAGE + 20, &val, 4));
	EXPECT_EQ(0x600d1234, val);
	ASSERT_EQ(4, vdev_pread(&dst, GPU_MAIN_BAR, HAD_POS + PAGE + 24, &val, 4));
	EXPECT_EQ(0x600d5678, val);
	ASSERT_EQ(4, vdev_pread(&dst, GPU_MAIN_BAR, HAD_POS + PAGE + 28, &val, 4));
	EXPECT_EQ(0x600d9abc, val);
	close(from);
	close(to);
	vdev_close(&dst);
	close(fd);
}

/* ---- All of it at the same time ---- */

struct racer {
	FIXTURE_DATA(gpu_dmabuf) *self;
	/* An errno that should not be. */
	int bad;
};

static int race_import(void *arg, unsigned long n)
{
	struct racer *r = arg;
	int fd = dmabuf_one(&r->self->v, GPU_MAIN_BAR, MB, 16 * PAGE), imp, err;

	/* The memory may go too often to be waited for. */
	if (fd == -EAGAIN)
		return fd;
	imp = open(IMPORTER, O_RDWR);
	err = fd < 0 ? fd : import_attach(imp, fd, &r->self->edu, "plain");
	close(fd);
	for (unsigned int i = 0; !err && i < 4; i++) {
		err = importer_tell(imp, "map");
		if (err == -EBUSY)
			err = importer_tell(imp, "unmap");
	}
	close(imp);
	if (err && err != -ENODEV)
		r->bad = err;
	return err;
}

static int race_memory(void *arg, unsigned long n)
{
	struct racer *r = arg;

	/* Those who import are to succeed now and then. */
	usleep(10000);
	gpu_set_memory(&r->self->v, false);
	return gpu_set_memory(&r->self->v, true);
}

static int race_reset(void *arg, unsigned long n)
{
	struct racer *r = arg;

	usleep(100000);
	return n % 2 ? by_sysfs(r->self) : by_ioctl(r->self);
}

static int race_migrate(void *arg, unsigned long n)
{
	struct racer *r = arg;
	static uint8_t buf[1 << 18];
	int fd, err;

	err = mig_set(&r->self->v, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	if (err) {
		usleep(1000);
		return err;
	}
	for (unsigned int i = 0; i < 100 && read(fd, buf, sizeof(buf)) > 0; i++)
		;
	mig_set(&r->self->v, VFIO_DEVICE_STATE_RUNNING, NULL);
	close(fd);
	return 0;
}

TEST_F_TIMEOUT(gpu_dmabuf, races, 600)
{
	struct racer r = { .self = self };
	struct race_job jobs[] = {
		RACE_JOB(race_import, &r), RACE_JOB(race_import, &r), RACE_JOB(race_memory, &r),
		RACE_JOB(race_reset, &r), RACE_JOB(race_migrate, &r),
	};
	int fd;

	EXPECT_TRUE(race_run_ms(jobs, ARRAY_SIZE(jobs), RACE_MS));
	EXPECT_EQ(0, r.bad);
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, GPU_MAIN_BAR, 0, PAGE);
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
}

TEST_HARNESS_MAIN
