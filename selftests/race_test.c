// SPDX-License-Identifier: GPL-2.0
/*
 * Users who do everything at once: page faults against what takes memory away,
 * SET_IRQS against itself and against interrupts, hot reset against opens.  What is
 * looked for is a report of the kernel (KASAN, lockdep) or a hang; afterwards the
 * function has to work.  RACE_SECONDS=n makes each race longer.
 */
#include <sys/prctl.h>

#include "lib/race.h"
#include "lib/test.h"

#define MB2		0x200000UL
#define GB		0x40000000UL
#define BIG		(GB + 4 * MB2)
#define BIG_BAR		VFIO_PCI_BAR2_REGION_INDEX
#define SET		VFIO_DEVICE_FEATURE_SET

#define JOB(fn, what) { .step = fn, .arg = what, .name = #fn }

/* ---- What takes memory away, and what wants it ---- */

struct prey {
	struct vdev *v;
	uint8_t *map;
	size_t bytes;
	unsigned int region;
	unsigned int pm;
};

static void loads(void *arg, unsigned long n)
{
	struct prey *p = arg;

	race_load_faults(p->map + (n * 0x9e3779b1UL % p->bytes & ~3UL));
}

static void reads(void *arg, unsigned long n)
{
	struct prey *p = arg;
	uint8_t buf[32];

	vdev_pread(p->v, n % 10, n * 44 % 0x3000, buf, n % sizeof(buf));
}

static void memory_bit(void *arg, unsigned long n)
{
	struct prey *p = arg;

	vdev_cfg_set(p->v, PCI_COMMAND, 2, n % 2 ? PCI_COMMAND_MEMORY : 0);
}

static void resets(void *arg, unsigned long n)
{
	struct prey *p = arg;

	ioctl(p->v->fd, VFIO_DEVICE_RESET);
	vdev_cfg_set(p->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void d_states(void *arg, unsigned long n)
{
	struct prey *p = arg;

	vdev_cfg_set(p->v, p->pm + PCI_PM_CTRL, 2, n % 3 ? 0 : 3);
}

static void low_power(void *arg, unsigned long n)
{
	struct prey *p = arg;

	vdev_feature(p->v, SET | (n % 2 ? VFIO_DEVICE_FEATURE_LOW_POWER_EXIT :
				  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY), NULL, 0);
	usleep(n % 5 * 100);
}

/* Cut pieces out of the mapping, put them back, move them away. */
static void splits(void *arg, unsigned long n)
{
	struct prey *p = arg;
	size_t pos = n * 3 * 4096 * 511 % p->bytes & ~0xfffUL;
	void *spare = p->map + 2 * GB;

	switch (n % 3) {
	case 0:
		mprotect(p->map + pos, 4096, PROT_READ);
		mprotect(p->map + pos, 4096, PROT_READ | PROT_WRITE);
		break;
	case 1:
		if (mremap(p->map + pos, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, spare) == spare)
			munmap(spare, 4096);
		break;
	}
	mmap(p->map, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, p->v->fd,
	     (off_t)p->region << 40);
	madvise(p->map, p->bytes, MADV_HUGEPAGE);
}

static void forks(void *arg, unsigned long n)
{
	struct prey *p = arg;
	pid_t pid = fork();

	if (!pid) {
		/* Faults in two processes at a time. */
		for (unsigned int i = 0; i < 20; i++)
			race_load_faults(p->map + i * MB2 % p->bytes);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

FIXTURE(race)
{
	struct slot slot;
	struct vdev v;
	struct prey prey;
};

FIXTURE_SETUP(race)
{
	self->v.fd = -1;
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot,
			       access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV));
	self->prey = (struct prey){ .v = &self->v, .region = HSL_BAR, .bytes = 16 * 4096 };
	self->prey.map = vdev_bar_map(&self->v, HSL_BAR, self->prey.bytes);
	ASSERT_NE(NULL, self->prey.map);
	self->prey.pm = vdev_find_cap(&self->v, PCI_CAP_ID_PM);
	ASSERT_NE(0U, self->prey.pm);
}

FIXTURE_TEARDOWN(race)
{
	munmap(self->prey.map, self->prey.bytes);
	vdev_close(&self->v);
}

static int still_works(struct vdev *v)
{
	uint32_t id = 0;
	long n;

	vdev_feature(v, SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
	if (vdev_reset(v) || vdev_cfg_set(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY))
		return -EIO;
	n = vdev_pread(v, HSL_BAR, HSL_ID, &id, 4);
	return n == 4 && id == HSL_ID_VALUE ? 0 : -EIO;
}

TEST_F_TIMEOUT(race, faults_against_what_takes_memory, 300)
{
	struct prey *p = &self->prey;
	struct race_job jobs[] = {
		JOB(loads, p), JOB(loads, p), JOB(reads, p), JOB(memory_bit, p),
		JOB(resets, p), JOB(d_states, p), JOB(low_power, p),
	};

	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	EXPECT_EQ(0, still_works(&self->v));
	EXPECT_FALSE(race_load_faults(p->map));
}

/* ---- SET_IRQS ---- */

struct irqs {
	struct vdev *v;
	int fd[4];
	unsigned int raise;	/* BAR offset that raises an interrupt of edu */
};

static int set_irqs(struct vdev *v, uint32_t flags, unsigned int index, unsigned int start,
		    unsigned int count, const void *data, size_t bytes)
{
	struct {
		struct vfio_irq_set set;
		uint8_t data[64];
	} b = { .set = { sizeof(b.set) + bytes, flags, index, start, count } };

	memcpy(b.data, data ? data : "", bytes);
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) ? -errno : 0;
}

static void vectors_on_off(void *arg, unsigned long n)
{
	struct irqs *q = arg;
	unsigned int index = n % 3;

	vdev_irq_eventfds(q->v, index, 0, index ? 1 + n % 4 : 1, q->fd);
	vdev_irq_eventfds(q->v, index, 0, 0, NULL);
}

static void single_vectors(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	vdev_irq_eventfds(q->v, VFIO_PCI_MSIX_IRQ_INDEX, n % 4, 1,
			  n % 3 ? &q->fd[n % 4] : (int[]){ -1 });
}

static void loopback(void *arg, unsigned long n)
{
	static const uint8_t raise[4] = { 1, 0, 1, 1 };
	struct irqs *q = arg;

	vdev_irq_bool(q->v, n % VFIO_PCI_NUM_IRQS, 0, n % 5 ? 1 : 4, raise);
}

static void err_and_req(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	vdev_irq_eventfds(q->v, VFIO_PCI_ERR_IRQ_INDEX + n % 2, 0, 1,
			  n % 5 ? &q->fd[n % 4] : (int[]){ -1 });
}

static void masks(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	set_irqs(q->v, VFIO_IRQ_SET_DATA_NONE | (n % 2 ? VFIO_IRQ_SET_ACTION_MASK :
						 VFIO_IRQ_SET_ACTION_UNMASK),
		 VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0);
}

/* The unmask eventfd comes and goes, and is the trigger's own every other time. */
static void unmask_eventfd(void *arg, unsigned long n)
{
	const uint64_t one = 1;
	struct irqs *q = arg;
	int fd = n % 3 ? q->fd[n % 2] : -1;

	set_irqs(q->v, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
		 VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd, sizeof(fd));
	if (write(q->fd[n % 2], &one, sizeof(one)) != sizeof(one))
		eventfd_wait(q->fd[n % 2], 0);
}

static void intx_disable_bit(void *arg, unsigned long n)
{
	struct irqs *q = arg;

	vdev_cfg_set(q->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		     (n % 2 ? PCI_COMMAND_INTX_DISABLE : 0));
}

#define EDU_RAISE	0x60
#define EDU_ACK		0x64

static void edu_fires(void *arg, unsigned long n)
{
	struct irqs *q = arg;
	const uint32_t bit = 1;

	vdev_pwrite(q->v, 0, EDU_RAISE, &bit, 4);
	vdev_pwrite(q->v, 0, EDU_ACK, &bit, 4);
	eventfd_wait(q->fd[n % 4], 0);
}

static bool irqs_open(struct irqs *q, struct vdev *v)
{
	bool ok = true;

	q->v = v;
	for (unsigned int i = 0; i < 4; i++) {
		q->fd[i] = eventfd_new();
		ok &= q->fd[i] >= 0;
	}
	return ok;
}

static void irqs_close(struct irqs *q)
{
	for (unsigned int i = 0; i < 4; i++)
		close(q->fd[i]);
}

TEST_F_TIMEOUT(race, set_irqs_against_itself, 300)
{
	struct irqs q = {};
	struct race_job jobs[] = {
		JOB(vectors_on_off, &q), JOB(vectors_on_off, &q), JOB(single_vectors, &q),
		JOB(loopback, &q), JOB(err_and_req, &q), JOB(resets, &self->prey),
	};

	ASSERT_TRUE(irqs_open(&q, &self->v));
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		vdev_irq_eventfds(&self->v, i, 0, 0, NULL);
	EXPECT_EQ(0, still_works(&self->v));
	EXPECT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, q.fd));
	irqs_close(&q);
}

TEST_F_TIMEOUT(race, set_irqs_against_interrupts, 300)
{
	struct irqs q = {};
	struct race_job jobs[] = {
		JOB(edu_fires, &q), JOB(vectors_on_off, &q), JOB(masks, &q),
		JOB(unmask_eventfd, &q), JOB(intx_disable_bit, &q), JOB(loopback, &q),
	};
	struct slot slot;
	struct vdev v;

	if (slots_find("edu", &slot, 1) != 1)
		SKIP(return, "no edu in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(slot.bdf, "vpv_pci"));
	ASSERT_EQ(0, vdev_open(&v, &slot, VDEV_GROUP));
	ASSERT_TRUE(irqs_open(&q, &v));
	ASSERT_EQ(0, vdev_bus_master(&v, true));
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));

	/* And one that is not disturbed arrives. */
	for (unsigned int i = 0; i < 3; i++)
		vdev_irq_eventfds(&v, i, 0, 0, NULL);
	ASSERT_EQ(0, vdev_bus_master(&v, true));
	ASSERT_EQ(0, vdev_cfg_set(&v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	while (eventfd_wait(q.fd[0], 0) == 1)
		;
	ASSERT_EQ(0, vdev_irq_eventfds(&v, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, q.fd));
	EXPECT_EQ(4, vdev_pwrite(&v, 0, EDU_RAISE, &(uint32_t){ 1 }, 4));
	EXPECT_EQ(1, eventfd_wait(q.fd[0], 2000));
	vdev_close(&v);
	irqs_close(&q);
}

/* ---- Close and unbind ---- */

static void users_come_and_die(void *arg, unsigned long n)
{
	struct slot *slot = arg;
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		struct prey p = { .region = HSL_BAR, .bytes = 16 * 4096 };
		int fd = eventfd_new();
		struct vdev v;

		/* Without an owner it does not outlive the race. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (vdev_open(&v, slot, VDEV_GROUP))
			_exit(1);
		p.v = &v;
		p.map = vdev_bar_map(&v, HSL_BAR, p.bytes);
		vdev_irq_eventfds(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd);
		for (unsigned long i = 0; p.map; i++) {
			loads(&p, i);
			memory_bit(&p, i / 16);
		}
		_exit(1);
	}
	usleep(1000 * (n % 40));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void unbinds(void *arg, unsigned long n)
{
	struct slot *slot = arg;

	vdev_unbind(slot->bdf);
	vdev_bind(slot->bdf, DRIVER);
	usleep(20000);
}

TEST_F_TIMEOUT(race, faults_against_close_and_unbind, 300)
{
	struct race_job jobs[] = {
		JOB(users_come_and_die, &self->slot), JOB(users_come_and_die, &self->slot),
		JOB(unbinds, &self->slot),
	};

	munmap(self->prey.map, self->prey.bytes);
	vdev_close(&self->v);
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(0, still_works(&self->v));
	self->prey.map = vdev_bar_map(&self->v, HSL_BAR, self->prey.bytes);
	EXPECT_NE(NULL, self->prey.map);
}

/* ---- A large BAR, and a bus of its own ---- */

FIXTURE(big)
{
	struct slot slot;
	struct vdev v;
	struct prey prey;
};

FIXTURE_SETUP(big)
{
	void *room;

	self->v.fd = -1;
	if (access("/sys/bus/pci/drivers/vpv_test_variant", F_OK))
		SKIP(return, "vpv_test_variant is not loaded");
	if (slots_find("testdev", &self->slot, 1) != 1)
		SKIP(return, "no pci-testdev in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_test_variant"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	room = mmap(NULL, 4 * GB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	self->prey = (struct prey){
		.v = &self->v, .region = BIG_BAR, .bytes = BIG,
		.map = (uint8_t *)(((uintptr_t)room + GB - 1) / GB * GB),
	};
	splits(&self->prey, 2);
}

FIXTURE_TEARDOWN(big)
{
	munmap(self->prey.map, 3 * GB);
	vdev_close(&self->v);
}

TEST_F_TIMEOUT(big, huge_faults_against_what_takes_memory, 300)
{
	struct prey *p = &self->prey;
	struct race_job jobs[] = {
		JOB(loads, p), JOB(loads, p), JOB(memory_bit, p), JOB(resets, p),
		JOB(splits, p), JOB(forks, p),
	};

	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	EXPECT_FALSE(race_load_faults(p->map));
	EXPECT_FALSE(race_load_faults(p->map + BIG - 4));
}

struct opener {
	int group;
	const char *bdf;
	struct vdev *v;
};

static void opens(void *arg, unsigned long n)
{
	struct opener *o = arg;
	int fd = ioctl(o->group, VFIO_GROUP_GET_DEVICE_FD, o->bdf);

	if (fd >= 0)
		close(fd);
}

static void hot_resets(void *arg, unsigned long n)
{
	struct opener *o = arg;
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} b = { .reset = { .argsz = sizeof(b), .count = 1 }, .fd = o->group };
	int fd = n % 4 ? o->v->fd : ioctl(o->group, VFIO_GROUP_GET_DEVICE_FD, o->bdf);

	ioctl(fd, VFIO_DEVICE_PCI_HOT_RESET, &b);
	if (fd != o->v->fd)
		close(fd);
}

TEST_F_TIMEOUT(big, hot_reset_against_opens, 300)
{
	struct opener o = { .group = self->v.group, .bdf = self->slot.bdf, .v = &self->v };
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} b = { .reset = { .argsz = sizeof(b), .count = 1 }, .fd = o.group };
	struct race_job jobs[] = {
		JOB(opens, &o), JOB(opens, &o), JOB(hot_resets, &o), JOB(loads, &self->prey),
		JOB(resets, &self->prey), JOB(memory_bit, &self->prey),
	};

	EXPECT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &b))
		TH_LOG("errno %d", errno);
	EXPECT_TRUE(race_run(jobs, ARRAY_SIZE(jobs)));

	/* The same while the only device fd comes and goes. */
	munmap(self->prey.map, 3 * GB);
	close(self->v.fd);
	self->v.fd = -1;
	jobs[3] = (struct race_job)JOB(opens, &o);
	EXPECT_TRUE(race_run(jobs, 4));
	self->v.fd = ioctl(o.group, VFIO_GROUP_GET_DEVICE_FD, o.bdf);
	ASSERT_GE(self->v.fd, 0);
	EXPECT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &b));
}

TEST_HARNESS_MAIN
