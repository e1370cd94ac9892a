// SPDX-License-Identifier: GPL-2.0
/*
 * Bad pages of the memory of coherent_gpu: who touches one, what is migrated of it, and who says
 * so: the function, or the kernel.
 *
 * Groups: coherent-gpu-special
 */
#include <sys/wait.h>

#include "lib/gpu.h"
#include "lib/kvm.h"
#include "lib/log.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/sigbus.h"
#include "lib/trace.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define HARD_OFFLINE	"/sys/devices/system/memory/hard_offline_page"
#define PAGE		4096UL
#define PAGES		1024UL
#define MB384		0x18000000UL
#define NOTICED_MS	10000

/*
 * A page that the model has been told to be bad is so until the machine goes: the last function is
 * the one that gets those, here and in coherent_gpu_dmabuf_test, and the first one, which nobody
 * else uses, gets one while it is loaded from the second.  What the kernel says ends with the
 * driver: that is the third.
 */
enum { LOADED, LIKE_IT, BY_KERNEL, OTHER, BAD, SLOTS };

FIXTURE(poison)
{
	struct slot slot[SLOTS];
	struct vdev v;
	struct model m;
	struct trace trace;
	uint8_t *p;
};

static int open_function(FIXTURE_DATA(poison) *self, unsigned int nr)
{
	int err = vdev_open(&self->v, &self->slot[nr], any_mode());

	err = err ? err : model_open(&self->m, &self->slot[nr]);
	if (!err)
		err = vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	if (err)
		return err;
	/* By pages of 2 MiB. */
	self->p = gpu_map_aligned(&self->v, GPU_MAIN_BAR, PAGES * PAGE, 0);
	return self->p ? 0 : -errno;
}

static void close_function(FIXTURE_DATA(poison) *self)
{
	if (self->p)
		munmap(self->p, PAGES * PAGE);
	self->p = NULL;
	if (self->m.fd > 0)
		model_close(&self->m);
	self->m.fd = -1;
	vdev_close(&self->v);
}

FIXTURE_SETUP(poison)
{
	self->v.fd = -1;
	self->m.fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, SLOTS);
	ASSERT_EQ(0, trace_open(&self->trace, "vpv_core/vpv_bad_page"));
	ASSERT_EQ(0, gpu_count_faults());
}

FIXTURE_TEARDOWN(poison)
{
	trace_close(&self->trace);
	close_function(self);
}

/* Store to all of it.  Return: is that page mapped by one of 2 MiB then? */
static bool fill_by_block(FIXTURE_DATA(poison) *self, uint64_t pos)
{
	unsigned long pages = gpu_faults(&self->v, "fault_page");
	unsigned long blocks = gpu_faults(&self->v, "fault_pmd");

	self->p[pos] = 0x55;
	pages = gpu_faults(&self->v, "fault_page") - pages;
	blocks = gpu_faults(&self->v, "fault_pmd") - blocks;
	memset(self->p, 0x55, PAGES * PAGE);
	return blocks == 1 && !pages;
}

static bool noticed(FIXTURE_DATA(poison) *self, uint64_t pos)
{
	uint64_t end = now_ms() + NOTICED_MS;

	while (!sigbus_load(self->p + pos, NULL).code) {
		if (now_ms() > end)
			return false;
		usleep(50000);
	}
	return true;
}

/* Does debugfs have a page, by this source? */
static bool listed(struct slot *slot, uint64_t pos, const char *source)
{
	char path[128], line[96], want[96];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vpv_core/%s/bad_pages", slot->bdf);
	snprintf(want, sizeof(want), "%u 0x%lx %s\n", GPU_MAIN_BAR, pos, source);
	f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f))
		found = !strcmp(line, want);
	if (f)
		fclose(f);
	return found;
}

static void expect_bad(struct __test_metadata *_metadata, FIXTURE_DATA(poison) *self,
		       uint64_t pos)
{
	uint8_t buf[2 * PAGE];
	uint64_t val = 0;
	struct sigbus sb;

	sb = sigbus_load(self->p + pos + 17, NULL);
	EXPECT_EQ(BUS_MCEERR_AR, sb.code);
	EXPECT_EQ(self->p + pos + 17, sb.addr);
	EXPECT_EQ(-EIO, vdev_pread(&self->v, GPU_MAIN_BAR, pos + 8, &val, 8));
	EXPECT_EQ(-EIO, vdev_pwrite(&self->v, GPU_MAIN_BAR, pos + PAGE - 1, &val, 1));
	EXPECT_EQ(-EIO, vdev_pread(&self->v, GPU_MAIN_BAR, pos - PAGE, buf, sizeof(buf)));
	/* Others are none the worse. */
	EXPECT_EQ(0, sigbus_load(self->p + pos - 1, NULL).code);
	EXPECT_EQ(0, sigbus_load(self->p + pos + PAGE, NULL).code);
	EXPECT_EQ(PAGE, vdev_pread(&self->v, GPU_MAIN_BAR, pos - PAGE, buf, PAGE));
	EXPECT_EQ(PAGE, vdev_pwrite(&self->v, GPU_MAIN_BAR, pos + PAGE, buf, PAGE));
}

static uint64_t poison_of(struct model *m)
{
	uint64_t val;

	return model_value(m, "regs", "CP_POISON", &val) ? ~0ULL : val;
}

/* ---- While it is loaded ---- */

/* Nobody looks: memory of a destination is not enabled before its config space comes. */
TEST_F_TIMEOUT(poison, page_that_goes_bad_while_it_is_loaded, 300)
{
	struct blob blob = {};
	int fd = -1;

	ASSERT_EQ(0, open_function(self, LIKE_IT));
	memset(self->p, 0x55, PAGES * PAGE);
	ASSERT_EQ(0, mig_save(&self->v, &blob, false));
	close_function(self);

	ASSERT_EQ(0, open_function(self, LOADED));
	NEED(!poison_of(&self->m), "the function has bad pages already");
	ASSERT_EQ(0, gpu_set_memory(&self->v, false));
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, blob_push(&blob, fd, 0, blob.bytes / 2, 0));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x35000"));
	ASSERT_EQ(0, blob_push(&blob, fd, blob.bytes / 2, blob.bytes, 0));
	EXPECT_EQ(-EHWPOISON, mig_set(&self->v, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v));
	close(fd);
	ASSERT_EQ(0, vdev_reset(&self->v));
	blob_free(&blob);
}

/* ---- By the function ---- */

/* Under a huge mapping, of a user who is told at the next access. */
TEST_F_TIMEOUT(poison, page_of_the_function, 60)
{
	const uint64_t pos = 0x245000;	/* no other one is bad near it */
	char word[32];

	ASSERT_EQ(0, open_function(self, BAD));
	snprintf(word, sizeof(word), "pos=0x%lx", pos);
	ASSERT_TRUE(fill_by_block(self, pos));
	ASSERT_EQ(0, trace_clear(&self->trace));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	ASSERT_TRUE(noticed(self, pos));
	expect_bad(_metadata, self, pos);
	EXPECT_TRUE(listed(&self->slot[BAD], pos, "function"));
	EXPECT_EQ(1, trace_count(&self->trace, word, "source=function"));
	EXPECT_EQ(0x55, self->p[pos - 1]);
	/* Not even for a moment after a reset, which such a page outlives. */
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	expect_bad(_metadata, self, pos);
	/* Nor for the next user. */
	close_function(self);
	ASSERT_EQ(0, open_function(self, BAD));
	expect_bad(_metadata, self, pos);
}

/* Errors come in bursts: there are more pages than the register has told. */
TEST_F_TIMEOUT(poison, pages_that_come_while_it_is_asked, 60)
{
	const uint64_t pos[] = { 0x81000, 0x83000 };

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, model_cmd(&self->m, "claim poison 1"));
	for (unsigned int i = 0; i < 2; i++)
		ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos[i]));
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_TRUE(noticed(self, pos[i]));
	ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
}

/* Whoever handles the signal may come as often as he likes. */
TEST_F_TIMEOUT(poison, log_has_no_line_for_each_signal, 60)
{
	const uint64_t pos = 0x91000;
	int log;

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	ASSERT_TRUE(noticed(self, pos));
	log = log_mark();
	ASSERT_LE(0, log);
	for (unsigned int i = 0; i < 100; i++)
		ASSERT_EQ(BUS_MCEERR_AR, sigbus_load(self->p + pos, NULL).code);
	EXPECT_EQ(0, log_count(log, "", NULL, 0));
	close(log);
}

/* A signal that does not come is no endless loop. */
TEST_F_TIMEOUT(poison, who_blocks_the_signal_dies, 60)
{
	const uint64_t pos = 0xa1000;
	sigset_t set;
	int status;
	pid_t pid;

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	ASSERT_TRUE(noticed(self, pos));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		sigemptyset(&set);
		sigaddset(&set, SIGBUS);
		sigprocmask(SIG_BLOCK, &set, NULL);
		_exit(*(volatile uint8_t *)(self->p + pos));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

#define GUEST_BYTES	(8 * PAGE)

/* KVM sends no signal for mappings of devices: who runs the guest is told that it cannot go on. */
TEST_F_TIMEOUT(poison, guest_of_kvm_is_stopped, 120)
{
	const uint64_t pos = 0x61000, first = 0x60000, good = 0x70000;
	struct kvm_guest k;
	uint64_t end;
	int err;

	ASSERT_EQ(0, open_function(self, BAD));
	err = kvm_guest_start(&k, self->p + first, GUEST_BYTES);
	if (err == -ENOENT)
		SKIP(return, "no KVM here");
	ASSERT_EQ(0, err);
	for (end = now_ms() + NOTICED_MS; !kvm_guest_count(&k) && now_ms() < end;)
		usleep(10000);
	EXPECT_LT(0, kvm_guest_count(&k));
	EXPECT_EQ(0, k.err);
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	for (end = now_ms() + NOTICED_MS; !k.err && now_ms() < end;)
		usleep(10000);
	EXPECT_EQ(EFAULT, kvm_guest_stop(&k));
	expect_bad(_metadata, self, pos);
	/* Another one, of pages that are good, runs. */
	ASSERT_EQ(0, kvm_guest_start(&k, self->p + good, GUEST_BYTES));
	for (end = now_ms() + NOTICED_MS; !kvm_guest_count(&k) && now_ms() < end;)
		usleep(10000);
	EXPECT_LT(0, kvm_guest_count(&k));
	EXPECT_EQ(0, kvm_guest_stop(&k));
}

/* A question for bad pages that fails says nothing of the memory. */
TEST_F_TIMEOUT(poison, question_that_fails_is_put_again, 120)
{
	uint64_t val = 0;

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0xb1000"));
	ASSERT_TRUE(noticed(self, 0xb1000));
	/* Once: nobody notices. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault poison fail count=1"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, sigbus_load(self->p, NULL).code);
	/* For long: who comes meanwhile is told. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault poison fail"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	EXPECT_EQ(-EREMOTEIO, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 8));
	EXPECT_EQ(BUS_ADRERR, sigbus_load(self->p, NULL).code);
	/* Without another reset. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	for (unsigned int i = 0; i < 50 && sigbus_load(self->p, NULL).code; i++)
		usleep(100000);
	EXPECT_EQ(0, sigbus_load(self->p, NULL).code);
	EXPECT_EQ(8, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 8));
	EXPECT_EQ(BUS_MCEERR_AR, sigbus_load(self->p + 0xb1000, NULL).code);
}

/* A function that fails all the time keeps nobody busy: after 1 s, 2 s, 4 s. */
TEST_F_TIMEOUT(poison, question_that_fails_is_put_less_often, 60)
{
	int log, told;

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, model_cmd(&self->m, "fault poison fail"));
	log = log_mark();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0xe1000"));
	sleep(12);
	told = log_count(log, "control command 5 failed", NULL, 0);
	EXPECT_LE(2, told);
	EXPECT_GE(5, told);
	close(log);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
}

#define SECRET	"what is in a bad page stays there"

/* Fill a page with something that is nowhere else. */
static void keep_secret(FIXTURE_DATA(poison) *self, uint64_t pos)
{
	for (uint64_t at = pos; at + sizeof(SECRET) <= pos + PAGE; at += sizeof(SECRET))
		memcpy(self->p + at, SECRET, sizeof(SECRET));
}

static bool is_told(const struct blob *blob, size_t from)
{
	return memmem(blob->data + from, blob->bytes - from, SECRET, sizeof(SECRET));
}

/* Its content is not sent, and at the other side nobody touches it, until a reset. */
static void moves(struct __test_metadata *_metadata, FIXTURE_DATA(poison) *self, bool precopy,
		  uint64_t pos)
{
	struct blob blob = {};
	struct model to;
	struct vdev b;

	ASSERT_EQ(0, open_function(self, BAD));
	ASSERT_EQ(0, vdev_open(&b, &self->slot[OTHER], any_mode()));
	ASSERT_EQ(0, model_open(&to, &self->slot[OTHER]));
	memset(self->p + pos - PAGE, 0x44, PAGE);
	memset(self->p + pos + PAGE, 0x46, PAGE);
	keep_secret(self, pos);
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	ASSERT_EQ(0, mig_save(&self->v, &blob, precopy));
	EXPECT_FALSE(is_told(&blob, 0));
	ASSERT_EQ(0, mig_load(&b, &blob, VFIO_DEVICE_STATE_STOP));
	EXPECT_EQ(poison_of(&self->m), poison_of(&to));
	/* What is bad here does not take what comes from elsewhere. */
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(-EOPNOTSUPP, mig_set(&self->v, VFIO_DEVICE_STATE_RESUMING, NULL));
	close_function(self);
	vdev_close(&b);
	model_close(&to);

	/* Once more, and look there. */
	ASSERT_EQ(0, open_function(self, OTHER));
	ASSERT_EQ(0, mig_load(&self->v, &blob, VFIO_DEVICE_STATE_STOP));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	expect_bad(_metadata, self, pos);
	EXPECT_TRUE(listed(&self->slot[OTHER], pos, "function"));
	EXPECT_EQ(0x44, self->p[pos - PAGE]);
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, sigbus_load(self->p + pos, NULL).code);
	EXPECT_FALSE(listed(&self->slot[OTHER], pos, "function"));
	EXPECT_EQ(0, poison_of(&self->m));
	blob_free(&blob);
}

TEST_F_TIMEOUT(poison, bad_page_is_not_sent, 300)
{
	moves(_metadata, self, false, 0x85000);
}

TEST_F_TIMEOUT(poison, bad_page_is_not_sent_in_pre_copy, 300)
{
	moves(_metadata, self, true, 0x87000);
}

/* Between two rounds, and when the device is frozen: what was sent before cannot be taken back. */
TEST_F_TIMEOUT(poison, pages_that_go_bad_while_they_are_sent, 300)
{
	const uint64_t pos[] = { 0xc1000, 0xc5000 };
	struct blob blob = {};
	size_t before;
	int fd = -1;

	ASSERT_EQ(0, open_function(self, BAD));
	for (unsigned int i = 0; i < 2; i++)
		memset(self->p + pos[i] - PAGE, 0x31 + i, 3 * PAGE);
	ASSERT_EQ(0, mig_precopy(&self->v, &blob, &fd));
	before = blob.bytes;
	keep_secret(self, pos[0]);
	keep_secret(self, pos[1]);
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos[0]));
	ASSERT_EQ(-ENOMSG, blob_pull(&blob, fd, 0));
	/* Of the other one, which is still good. */
	EXPECT_TRUE(is_told(&blob, before));
	EXPECT_EQ(BUS_MCEERR_AR, sigbus_load(self->p + pos[0], NULL).code);
	before = blob.bytes;
	keep_secret(self, pos[1]);
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos[1]));
	ASSERT_EQ(0, mig_stop_copy(&self->v, &blob, fd));
	EXPECT_FALSE(is_told(&blob, before));
	close_function(self);

	ASSERT_EQ(0, open_function(self, OTHER));
	ASSERT_EQ(0, mig_load(&self->v, &blob, VFIO_DEVICE_STATE_STOP));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	for (unsigned int i = 0; i < 2; i++) {
		expect_bad(_metadata, self, pos[i]);
		EXPECT_EQ(0x31 + i, self->p[pos[i] - 1]);
		EXPECT_EQ(0x31 + i, self->p[pos[i] + PAGE]);
	}
	ASSERT_EQ(0, vdev_reset(&self->v));
	blob_free(&blob);
}

/* Of bad pages nobody need know before the end: what was written is known all the same. */
TEST_F_TIMEOUT(poison, question_that_fails_has_nothing_sent_again, 300)
{
	const uint64_t pos = 0x301000;	/* no page behind it is bad */
	struct blob blob = {};
	size_t before;
	int fd = -1;

	ASSERT_EQ(0, open_function(self, BAD));
	memset(self->p + pos + PAGE, 0x55, 64 * PAGE);
	ASSERT_EQ(0, mig_precopy(&self->v, &blob, &fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault poison fail"));
	ASSERT_EQ(0, model_cmd(&self->m, "poison 0x%lx", pos));
	before = blob.bytes;
	self->p[pos + PAGE] = 0x56;
	EXPECT_EQ(-ENOMSG, blob_pull(&blob, fd, 0));
	EXPECT_LE(before + PAGE, blob.bytes);
	EXPECT_GE(before + 4 * PAGE, blob.bytes);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, mig_stop_copy(&self->v, &blob, fd));
	blob_free(&blob);
}

/* ---- By the kernel ---- */

static int hard_offline(void *phys)
{
	return sysfs_write(HARD_OFFLINE, phys);
}

/* Whoever has it mapped is told at once, and at each access. */
TEST_F_TIMEOUT(poison, page_of_the_kernel, 300)
{
	const uint64_t pos = 0x23000;
	struct blob blob = {};
	char phys[32], word[32];
	struct sigbus sb;
	uint64_t at;
	int ret = 0;

	NEED(!access(HARD_OFFLINE, F_OK), "the kernel has no memory failures");
	at = gpu_claimed(MB384);
	ASSERT_NE(0, at);
	ASSERT_EQ(0, open_function(self, BY_KERNEL));
	ASSERT_TRUE(fill_by_block(self, pos));
	snprintf(phys, sizeof(phys), "0x%lx", at + pos);
	sb = sigbus_call(hard_offline, phys, &ret);
	NEED(sb.code || ret != -ENXIO, "the kernel wants struct pages");
	/* The kernel takes the process that tells of the error for the one that ran into it. */
	EXPECT_TRUE(sb.code == BUS_MCEERR_AO || sb.code == BUS_MCEERR_AR);
	EXPECT_EQ(self->p + pos, sb.addr);
	ASSERT_TRUE(noticed(self, pos));
	expect_bad(_metadata, self, pos);
	EXPECT_TRUE(listed(&self->slot[BY_KERNEL], pos, "kernel"));
	snprintf(word, sizeof(word), "pos=0x%lx", pos);
	EXPECT_EQ(1, trace_count(&self->trace, word, "source=kernel"));
	/* It can be saved, but not loaded. */
	ASSERT_EQ(0, mig_save(&self->v, &blob, true));
	blob_free(&blob);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(-EOPNOTSUPP, mig_set(&self->v, VFIO_DEVICE_STATE_RESUMING, NULL));
	close_function(self);
	/* That ends with the driver. */
	ASSERT_EQ(0, vdev_unbind(self->slot[BY_KERNEL].bdf));
	ASSERT_EQ(0, vdev_bind(self->slot[BY_KERNEL].bdf, GPU_DRIVER));
	ASSERT_EQ(0, open_function(self, BY_KERNEL));
	EXPECT_EQ(0, sigbus_load(self->p + pos, NULL).code);
}

TEST_HARNESS_MAIN
