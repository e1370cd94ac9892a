// SPDX-License-Identifier: GPL-2.0
/*
 * Personas: chosen in sysfs, shown to the user, compared during a migration.
 *
 * Groups: self stable
 */
#include <sys/stat.h>

#include <vpv/persona.h>

#include "lib/test.h"
#include "lib/written.h"

typedef uint8_t u8;
#include "../variants/hisi_like/persona_v1.h"

#define BUILTIN		"hisi_like-v1"
#define FILES		"/lib/firmware/vpv"
#define TEST_NAME	"selftest-a"
#define BLOB_BYTES	sizeof(hisil_persona_v1)

/* Of hisi_like-v1.map. */
#define MSIX		0x7c
#define MSIX_TABLE	(MSIX + PCI_MSIX_TABLE)
#define MSIX_PBA	(MSIX + PCI_MSIX_PBA)

FIXTURE(persona)
{
	struct slot slot[SLOT_MAX];
	int num;
	enum vdev_mode mode;
	u8 blob[BLOB_BYTES];
	int log;
};

static int choose(const struct slot *slot, const char *name)
{
	return vdev_sysfs_write(slot->bdf, "vpv/persona", name);
}

static int chosen(const struct slot *slot, char *line, size_t room)
{
	return vdev_sysfs_read(slot->bdf, "vpv/persona", line, room);
}

static struct vpv_persona_header *header(u8 *blob)
{
	return (struct vpv_persona_header *)blob;
}

/* The field of the built-in persona that begins at @pos. */
static struct vpv_persona_field *field(u8 *blob, unsigned int pos)
{
	const struct vpv_persona_header *h = header(blob);
	struct vpv_persona_field *f = (struct vpv_persona_field *)
		(blob + sizeof(*h) + h->num_caps * sizeof(struct vpv_persona_cap));
	unsigned int i = 0;

	while (i < h->num_fields && f[i].pos != pos)
		i++;
	return i < h->num_fields ? &f[i] : NULL;
}

static int put_file(const char *name, const u8 *blob, size_t bytes)
{
	char path[128];
	int fd, err = 0;

	mkdir("/lib/firmware", 0755);
	mkdir(FILES, 0755);
	snprintf(path, sizeof(path), FILES "/%s.persona", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, blob, bytes) != (ssize_t)bytes)
		err = -EIO;
	close(fd);
	return err;
}

/* A copy of the built-in one with another name and a right checksum, as a file. */
static int put_sealed(u8 *blob)
{
	struct vpv_persona_header *h = header(blob);

	memset(h->name, 0, sizeof(h->name));
	memcpy(h->name, TEST_NAME, strlen(TEST_NAME));
	h->crc = 0;
	h->crc = crc32c(0, blob, BLOB_BYTES);
	return put_file(TEST_NAME, blob, BLOB_BYTES);
}

FIXTURE_SETUP(persona)
{
	self->mode = access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV;
	NEED_SLOTS(self->slot, 2);
	self->num = slots_find(MODEL, self->slot, SLOT_MAX);
	memcpy(self->blob, hisil_persona_v1, BLOB_BYTES);
	self->log = log_mark();
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, choose(&self->slot[i], "default"));
}

FIXTURE_TEARDOWN(persona)
{
	close(self->log);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, choose(&self->slot[i], "default"));
	unlink(FILES "/" TEST_NAME ".persona");
}

TEST_F(persona, built_in_is_listed_and_chosen)
{
	char list[256] = "", line[256] = "";
	unsigned int version;
	char digest[80];

	ASSERT_LE(0, vdev_sysfs_read(self->slot[0].bdf, "vpv/personas", list, sizeof(list)));
	ASSERT_EQ(2, sscanf(list, BUILTIN " %u %79s", &version, digest));
	EXPECT_EQ(1, version);
	EXPECT_EQ(64, strlen(digest));
	ASSERT_LE(0, chosen(&self->slot[0], line, sizeof(line)));
	EXPECT_EQ(0, strncmp(line, "default", 7));
	EXPECT_EQ(0, choose(&self->slot[0], BUILTIN "\n"));
	ASSERT_LE(0, chosen(&self->slot[0], line, sizeof(line)));
	EXPECT_STREQ(list, line);
	/* The other function has its own. */
	ASSERT_LE(0, chosen(&self->slot[1], line, sizeof(line)));
	EXPECT_EQ(0, strncmp(line, "default", 7));
}

TEST_F(persona, bad_names_and_files_change_nothing)
{
	static const struct {
		const char *name;
		int err;
	} names[] = {
		{ "", -EINVAL }, { "\n", -EINVAL }, { "../default", -EINVAL },
		{ "a/b", -EINVAL }, { "1abc", -EINVAL }, { ".a", -EINVAL },
		{ "two words", -EINVAL }, { "is-not-there", -ENOENT },
		{ "a-name-that-is-longer-than-names-can-be", -EINVAL },
	};
	char before[256] = "", after[256] = "", line[512] = "";

	ASSERT_EQ(0, choose(&self->slot[0], BUILTIN));
	ASSERT_LE(0, chosen(&self->slot[0], before, sizeof(before)));
	for (unsigned int i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_EQ(names[i].err, choose(&self->slot[0], names[i].name)) {
			TH_LOG("'%s'", names[i].name);
		}
	}
	/* Cut anywhere, or one bit wrong anywhere. */
	for (size_t n = 0; n < BLOB_BYTES; n += 83) {
		ASSERT_EQ(0, put_file(TEST_NAME, self->blob, n));
		EXPECT_GT(0, choose(&self->slot[0], TEST_NAME));
	}
	for (size_t bit = 3; bit < 8 * BLOB_BYTES; bit += 619) {
		self->blob[bit / 8] ^= 1 << bit % 8;
		ASSERT_EQ(0, put_file(TEST_NAME, self->blob, BLOB_BYTES));
		EXPECT_GT(0, choose(&self->slot[0], TEST_NAME));
		self->blob[bit / 8] ^= 1 << bit % 8;
	}
	EXPECT_LT(0, log_count(self->log, "persona " TEST_NAME " refused: ", line,
			       sizeof(line)));
	TH_LOG("%s", line);
	/* Somebody else's name. */
	ASSERT_EQ(0, put_file(TEST_NAME, self->blob, BLOB_BYTES));
	EXPECT_EQ(-EINVAL, choose(&self->slot[0], TEST_NAME));
	/* Well formed, but the device is smaller. */
	header(self->blob)->bar[2].bytes <<= 4;
	ASSERT_EQ(0, put_sealed(self->blob));
	EXPECT_EQ(-ERANGE, choose(&self->slot[0], TEST_NAME));
	ASSERT_LE(0, chosen(&self->slot[0], after, sizeof(after)));
	EXPECT_STREQ(before, after);
}

TEST_F(persona, is_fixed_while_open)
{
	char line[256] = "";
	struct vdev v;

	ASSERT_EQ(0, choose(&self->slot[0], BUILTIN));
	ASSERT_EQ(0, vdev_open(&v, &self->slot[0], self->mode));
	EXPECT_EQ(-EBUSY, choose(&self->slot[0], "default"));
	EXPECT_EQ(-EBUSY, choose(&self->slot[0], BUILTIN));
	ASSERT_LE(0, chosen(&self->slot[0], line, sizeof(line)));
	EXPECT_EQ(0, strncmp(line, BUILTIN " 1 ", strlen(BUILTIN) + 3));
	vdev_close(&v);
	EXPECT_EQ(0, choose(&self->slot[0], "default"));
}

TEST_F(persona, config_space_is_the_maps)
{
	static const struct {
		unsigned int pos, bytes;
		uint32_t val;
	} bytes[] = {
		{ PCI_VENDOR_ID, 4, 0x76101234 }, { PCI_CLASS_REVISION, 4, 0x12000001 },
		{ PCI_CAPABILITY_LIST, 1, 0x40 }, { 0x40, 4, 0x00027410 },
		{ 0x44, 4, 0x10008021 }, { 0x74, 4, 0x00037c01 }, { 0x7c, 4, 0x003f0011 },
		{ 0x80, 4, 0x4 }, { 0x84, 4, 0x2004 }, { 0x88, 4, 0 },
		{ 0x100, 4, 0x00010003 }, { 0x104, 4, 1 }, { 0x108, 4, 0x12347610 },
		{ 0x10c, 4, 0 }, { 0xffc, 4, 0 },
	};
	struct vfio_region_info info;
	struct vdev v;

	/* The first and the last one, which has another firmware. */
	for (int i = 0; i < self->num; i += self->num - 1) {
		ASSERT_EQ(0, vdev_bind(self->slot[i].bdf, DRIVER));
		ASSERT_EQ(0, choose(&self->slot[i], BUILTIN));
		ASSERT_EQ(0, vdev_open(&v, &self->slot[i], self->mode));
		for (unsigned int k = 0; k < sizeof(bytes) / sizeof(bytes[0]); k++) {
			EXPECT_EQ(bytes[k].val, vdev_cfg(&v, bytes[k].pos, bytes[k].bytes)) {
				TH_LOG("%s at %#x", v.slot.bdf, bytes[k].pos);
			}
		}
		ASSERT_EQ(0, vdev_region(&v, 2, &info));
		EXPECT_EQ(128 << 10, info.size);
		EXPECT_EQ(0, vdev_cfg_set(&v, PCI_BASE_ADDRESS_2, 4, ~0U));
		EXPECT_EQ(0xfffe0004, vdev_cfg(&v, PCI_BASE_ADDRESS_2, 4));
		vdev_close(&v);
		EXPECT_EQ(0, choose(&self->slot[i], "default"));
	}
}

/* A smaller BAR, fewer vectors, and the tables of MSI-X elsewhere. */
TEST_F(persona, regions_follow)
{
	struct vfio_region_info info;
	struct vfio_irq_info irq;
	uint32_t word = 0;
	char *bar2, *bar4;
	struct vdev v;
	int fds[9];

	header(self->blob)->bar[2].bytes = 64 << 10;
	ASSERT_NE(NULL, field(self->blob, MSIX + PCI_MSIX_FLAGS));
	field(self->blob, MSIX + PCI_MSIX_FLAGS)->value = 8 - 1;
	ASSERT_NE(NULL, field(self->blob, MSIX_TABLE));
	field(self->blob, MSIX_TABLE)->value = 0x1004;
	field(self->blob, MSIX_PBA)->value = 0x3004;
	ASSERT_EQ(0, put_sealed(self->blob));
	ASSERT_EQ(0, choose(&self->slot[0], TEST_NAME));
	ASSERT_EQ(0, vdev_open(&v, &self->slot[0], self->mode));
	ASSERT_EQ(0, vdev_cfg_set(&v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));

	ASSERT_EQ(0, vdev_region(&v, 2, &info));
	EXPECT_EQ(64 << 10, info.size);
	EXPECT_EQ(4, vdev_pread(&v, 2, (64 << 10) - 4, &word, 4));
	EXPECT_EQ(-EINVAL, vdev_pread(&v, 2, 64 << 10, &word, 4));
	EXPECT_EQ(-EINVAL, vdev_pwrite(&v, 2, 64 << 10, &word, 4));
	bar2 = vdev_bar_map(&v, 2, 64 << 10);
	ASSERT_NE(MAP_FAILED, bar2);
	ASSERT_NE(NULL, bar2);
	EXPECT_EQ(0x314c5348, *(volatile uint32_t *)bar2);
	munmap(bar2, 64 << 10);
	EXPECT_EQ(NULL, vdev_bar_map(&v, 2, 128 << 10));

	/* The hardware's table: not to be read, written or mapped. */
	EXPECT_EQ(0x1004, vdev_cfg(&v, MSIX_TABLE, 4));
	ASSERT_EQ(0, vdev_region(&v, 4, &info));
	EXPECT_EQ(16 << 10, info.size);
	EXPECT_NE(0, info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	ASSERT_EQ(4, vdev_pread(&v, 4, 0, &word, 4));
	EXPECT_EQ(~0U, word);
	bar4 = mmap(NULL, 4096, PROT_READ, MAP_SHARED, v.fd, info.offset);
	EXPECT_EQ(MAP_FAILED, bar4);
	bar4 = mmap(NULL, 8192, PROT_READ, MAP_SHARED, v.fd, info.offset);
	EXPECT_EQ(MAP_FAILED, bar4);
	/* The user's table, which is whose opens it; its pending bits are real. */
	ASSERT_EQ(4, vdev_pread(&v, 4, 0x1000, &word, 4));
	EXPECT_EQ(~0U, word);
	bar4 = mmap(NULL, 4096, PROT_READ, MAP_SHARED, v.fd, info.offset + 0x1000);
	EXPECT_NE(MAP_FAILED, bar4);
	munmap(bar4, 4096);
	ASSERT_EQ(4, vdev_pread(&v, 4, 0x3000, &word, 4));
	EXPECT_EQ(0, word);
	bar4 = mmap(NULL, 4096, PROT_READ, MAP_SHARED, v.fd, info.offset + 0x3000);
	EXPECT_EQ(MAP_FAILED, bar4);

	/* Interrupts are set up as ever, as many as the user sees. */
	EXPECT_EQ(8 - 1, vdev_cfg(&v, MSIX + PCI_MSIX_FLAGS, 2));
	ASSERT_EQ(0, vdev_irq(&v, VFIO_PCI_MSIX_IRQ_INDEX, &irq));
	EXPECT_EQ(8, irq.count);
	for (int i = 0; i < 9; i++)
		fds[i] = eventfd_new();
	EXPECT_EQ(-EINVAL, vdev_irq_eventfds(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 9, fds));
	EXPECT_EQ(0, vdev_irq_eventfds(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 8, fds));
	EXPECT_EQ(0x8000, vdev_cfg(&v, MSIX + PCI_MSIX_FLAGS, 2) & 0x8000);
	EXPECT_EQ(0, vdev_irq_eventfds(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL));
	for (int i = 0; i < 9; i++)
		close(fds[i]);
	vdev_close(&v);
}

/* Pre-copy data of @src, fed to @dst while the source runs. */
static int precopy_into(struct vdev *src, struct vdev *dst)
{
	struct blob b = {};
	int in = -1, out, err = mig_set(src, VFIO_DEVICE_STATE_PRE_COPY, &out);

	if (err)
		return err;
	err = blob_pull(&b, out, 0) == -ENOMSG ? 0 : -EPROTO;
	if (!err)
		err = mig_set(dst, VFIO_DEVICE_STATE_RESUMING, &in);
	if (!err) {
		err = blob_push(&b, in, 0, b.bytes, 0);
		close(in);
	}
	close(out);
	blob_free(&b);
	if (mig_get(src) != VFIO_DEVICE_STATE_PRE_COPY)
		return -EPROTO;
	return err;
}

TEST_F(persona, emulated_bits_migrate)
{
	struct blob b = {};
	struct vdev v;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, choose(&self->slot[i], BUILTIN));
	ASSERT_EQ(0, vdev_open(&v, &self->slot[0], self->mode));
	EXPECT_EQ(0, vdev_cfg(&v, PCI_CACHE_LINE_SIZE, 2));
	ASSERT_EQ(0, vdev_cfg_set(&v, PCI_CACHE_LINE_SIZE, 1, 0x5a));
	ASSERT_EQ(0, vdev_cfg_set(&v, PCI_LATENCY_TIMER, 1, 0x81));
	ASSERT_EQ(0, vdev_cfg_set(&v, PCI_INTERRUPT_LINE, 1, 0x0b));
	ASSERT_EQ(0, mig_save(&v, &b, true));
	vdev_close(&v);

	ASSERT_EQ(0, vdev_open(&v, &self->slot[1], self->mode));
	EXPECT_EQ(0, vdev_cfg(&v, PCI_CACHE_LINE_SIZE, 2));
	ASSERT_EQ(0, mig_load(&v, &b, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(0x815a, vdev_cfg(&v, PCI_CACHE_LINE_SIZE, 2));
	EXPECT_EQ(0x0b, vdev_cfg(&v, PCI_INTERRUPT_LINE, 1));
	vdev_close(&v);
	/* The next user begins anew. */
	ASSERT_EQ(0, vdev_open(&v, &self->slot[1], self->mode));
	EXPECT_EQ(0, vdev_cfg(&v, PCI_CACHE_LINE_SIZE, 2));
	vdev_close(&v);
	blob_free(&b);
}

/*
 * As QEMU does it: the state, then in RESUMING its own BARs and COMMAND and interrupts.
 * Neither undoes the other.
 */
static int resume_as_vmm(struct vdev *v, const struct blob *b, const int *fds)
{
	int in, err = mig_set(v, VFIO_DEVICE_STATE_RESUMING, &in);

	if (err)
		return err;
	err = blob_push(b, in, 0, b->bytes, 0);
	err = err ?: vdev_cfg_set(v, PCI_BASE_ADDRESS_2, 4, 0xe0000000);
	err = err ?: vdev_cfg_set(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	err = err ?: vdev_irq_eventfds(v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fds);
	err = err ?: mig_set(v, VFIO_DEVICE_STATE_RUNNING, NULL);
	close(in);
	return err;
}

TEST_F(persona, what_a_guest_wrote_migrates)
{
	static const char *const names[] = { "default", BUILTIN };

	for (int n = 0; n < 2; n++) {
		unsigned int regs, msix;
		int fds[2] = { eventfd_new(), eventfd_new() };
		struct blob b = {};
		struct vdev v;

		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, choose(&self->slot[i], names[n]));
		ASSERT_EQ(0, vdev_open(&v, &self->slot[0], self->mode));
		regs = written_set(&v);
		/* The persona does not show AER. */
		EXPECT_EQ(n ? 2 : 5, regs);
		EXPECT_EQ(regs, written_left(&v));
		ASSERT_EQ(0, vdev_cfg_set(&v, PCI_CACHE_LINE_SIZE, 1, 0x10));
		ASSERT_EQ(0, vdev_cfg_set(&v, PCI_INTERRUPT_LINE, 1, 0x0b));
		ASSERT_EQ(0, vdev_cfg_set(&v, PCI_BASE_ADDRESS_4, 4, 0xd0000000));
		ASSERT_EQ(0, mig_save(&v, &b, true));
		vdev_close(&v);

		ASSERT_EQ(0, vdev_open(&v, &self->slot[1], self->mode));
		EXPECT_EQ(0, written_left(&v));
		ASSERT_EQ(0, resume_as_vmm(&v, &b, fds));
		EXPECT_EQ(regs, written_left(&v)) {
			TH_LOG("%s: device control %04x", names[n],
			       vdev_cfg(&v, vdev_find_cap(&v, PCI_CAP_ID_EXP) +
					PCI_EXP_DEVCTL, 2));
		}
		EXPECT_EQ(0x10, vdev_cfg(&v, PCI_CACHE_LINE_SIZE, 1));
		EXPECT_EQ(0x0b, vdev_cfg(&v, PCI_INTERRUPT_LINE, 1));
		EXPECT_EQ(0xd0000004, vdev_cfg(&v, PCI_BASE_ADDRESS_4, 4));
		EXPECT_EQ(0xe0000004, vdev_cfg(&v, PCI_BASE_ADDRESS_2, 4));
		EXPECT_EQ(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, vdev_cfg(&v, PCI_COMMAND, 2));
		msix = vdev_find_cap(&v, PCI_CAP_ID_MSIX);
		EXPECT_EQ(0x8000, vdev_cfg(&v, msix + PCI_MSIX_FLAGS, 2) & 0xc000);
		vdev_close(&v);
		blob_free(&b);
		close(fds[0]);
		close(fds[1]);
	}
}

/* Without its record, or with bits in it that nobody can write. */
TEST_F(persona, emulated_bits_are_checked)
{
	struct vpv_stream_end end;
	struct blob b = {}, bad = {};
	struct vpv_stream_word *word;
	struct stream s;
	struct vdev v;
	u8 *payload;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, choose(&self->slot[i], BUILTIN));
	ASSERT_EQ(0, vdev_open(&v, &self->slot[0], self->mode));
	ASSERT_EQ(0, mig_save(&v, &b, true));
	vdev_close(&v);
	ASSERT_EQ(0, stream_split(&s, &b));
	ASSERT_LE(4, s.num);
	ASSERT_EQ(VPV_RECORD_VIEW, s.rec[1].type);
	ASSERT_EQ(VPV_RECORD_CONFIG, s.rec[s.num - 2].type);

	payload = (u8 *)s.payload[s.num - 2];
	word = (struct vpv_stream_word *)(payload + sizeof(struct vpv_stream_config));
	word->mask |= 0x80000000;
	stream_seal(&s, &end);
	ASSERT_EQ(0, stream_join(&s, &bad));
	ASSERT_EQ(0, vdev_open(&v, &self->slot[1], self->mode));
	EXPECT_EQ(-EINVAL, mig_load(&v, &bad, VFIO_DEVICE_STATE_STOP));
	EXPECT_EQ(1, log_count(self->log, "stream refused: bits of config space that are no state",
			       NULL, 0));
	ASSERT_EQ(0, vdev_reset(&v));

	s.rec[s.num - 2] = s.rec[s.num - 1];
	s.payload[s.num - 2] = s.payload[s.num - 1];
	s.num--;
	stream_seal(&s, &end);
	bad.bytes = 0;
	ASSERT_EQ(0, stream_join(&s, &bad));
	EXPECT_EQ(-EPROTO, mig_load(&v, &bad, VFIO_DEVICE_STATE_STOP));
	ASSERT_EQ(0, vdev_reset(&v));
	vdev_close(&v);
	blob_free(&b);
	blob_free(&bad);
}

TEST_F(persona, other_persona_is_refused_in_pre_copy)
{
	static const struct {
		const char *src, *dst;
	} pairs[] = {
		{ BUILTIN, "default" }, { "default", BUILTIN }, { BUILTIN, TEST_NAME },
	};
	struct vdev src, dst;
	char line[512];

	ASSERT_EQ(0, put_sealed(self->blob));
	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ASSERT_EQ(0, choose(&self->slot[0], pairs[i].src));
		ASSERT_EQ(0, choose(&self->slot[1], pairs[i].dst));
		ASSERT_EQ(0, vdev_open(&src, &self->slot[0], self->mode));
		ASSERT_EQ(0, vdev_open(&dst, &self->slot[1], self->mode));
		EXPECT_EQ(-EXDEV, precopy_into(&src, &dst));
		EXPECT_EQ(1, log_count(self->log, "stream refused: persona", line,
				       sizeof(line)));
		EXPECT_EQ(0, mig_set(&src, VFIO_DEVICE_STATE_RUNNING, NULL));
		vdev_close(&src);
		vdev_close(&dst);
	}
}

/* Another firmware: other order, revision, BAR and vendor's bytes. */
static int find_firmware(struct slot *slots, int num, enum vdev_mode mode)
{
	for (int i = num - 1; i >= 2; i--) {
		struct vdev v;
		uint32_t revision;

		if (vdev_bind(slots[i].bdf, DRIVER) || vdev_open(&v, &slots[i], mode))
			continue;
		revision = vdev_cfg(&v, PCI_CLASS_REVISION, 1);
		vdev_close(&v);
		if (revision == 2)
			return i;
	}
	return 0;
}

TEST_F(persona, other_firmware_needs_a_persona)
{
	int other = find_firmware(self->slot, self->num, self->mode);
	struct vdev src, dst;

	if (!other)
		SKIP(return, "needs a function whose model has firmware=2");
	for (int swap = 0; swap < 2; swap++) {
		struct slot *from = &self->slot[swap ? other : 0];
		struct slot *to = &self->slot[swap ? 0 : other];
		struct blob b = {};
		char line[512] = "";

		ASSERT_EQ(0, vdev_open(&src, from, self->mode));
		ASSERT_EQ(0, vdev_open(&dst, to, self->mode));
		EXPECT_EQ(-EOPNOTSUPP, precopy_into(&src, &dst));
		EXPECT_EQ(1, log_count(self->log, "stream refused: ", line, sizeof(line)));
		EXPECT_NE(NULL, strstr(line, swap ? "config space at 0x008: expected 0x01, got 0x02" :
					     "config space at 0x008: expected 0x02, got 0x01")) {
			TH_LOG("%s", line);
		}
		EXPECT_EQ(0, mig_set(&src, VFIO_DEVICE_STATE_RUNNING, NULL));
		vdev_close(&src);
		vdev_close(&dst);

		ASSERT_EQ(0, choose(from, BUILTIN));
		ASSERT_EQ(0, choose(to, BUILTIN));
		ASSERT_EQ(0, vdev_open(&src, from, self->mode));
		ASSERT_EQ(0, vdev_open(&dst, to, self->mode));
		EXPECT_EQ(0, mig_save(&src, &b, true));
		EXPECT_EQ(0, mig_load(&dst, &b, VFIO_DEVICE_STATE_RUNNING));
		vdev_close(&src);
		vdev_close(&dst);
		ASSERT_EQ(0, choose(from, "default"));
		ASSERT_EQ(0, choose(to, "default"));
		blob_free(&b);
	}
}

TEST_HARNESS_MAIN
