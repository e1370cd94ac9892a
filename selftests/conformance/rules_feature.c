// SPDX-License-Identifier: GPL-2.0
/* VFIO_DEVICE_FEATURE of migration, and what a device without migration answers. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mig.h"

#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE
#define FLAGS	VFIO_DEVICE_FEATURE_MIGRATION
#define STATE	VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
#define SIZE	VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
#define V2	VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2

static enum outcome flags(struct ctx *c)
{
	uint64_t flags;

	CHECK(!get_flags(&c->a, &flags), "FEATURE_MIGRATION cannot be read");
	CHECK(flags & VFIO_MIGRATION_STOP_COPY, "flags %#llx", (unsigned long long)flags);
	return PASS;
}

static enum outcome probe(struct ctx *c)
{
	static const struct { uint32_t flags; int result; } row[] = {
		{ GET | FLAGS }, { GET | STATE }, { SET | STATE }, { GET | SET | STATE },
		{ GET | SIZE }, { SET | FLAGS, -EINVAL }, { SET | SIZE, -EINVAL },
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int err = feature(&c->a, PROBE | row[i].flags, NULL, 0);

		CHECK(err == row[i].result, "PROBE with flags %#x gives %d instead of %d",
		      row[i].flags, err, row[i].result);
	}
	return PASS;
}

static enum outcome argsz(struct ctx *c)
{
	static const uint32_t features[] = { GET | FLAGS, GET | STATE, SET | STATE, GET | SIZE };
	struct vfio_device_feature_mig_state m = { .device_state = STOP, .data_fd = -1 };

	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		int err = feature(&c->a, features[i], &m, sizeof(m) - 1);

		CHECK(err == -EINVAL, "flags %#x, argsz one too small: %d", features[i], err);
		m.device_state = STOP;
	}
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	return PASS;
}

/* The header can be read, what follows cannot. */
static enum outcome pointer(struct ctx *c)
{
	static const uint32_t features[] = { GET | FLAGS, GET | STATE, SET | STATE, GET | SIZE };
	size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_device_feature *f;
	uint8_t *mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	CHECK(mem != MAP_FAILED && !munmap(mem + page, page), "mmap: %d", errno);
	f = (struct vfio_device_feature *)(mem + page - sizeof(*f));
	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		int err;

		*f = (struct vfio_device_feature){ .argsz = sizeof(*f) + 8, .flags = features[i] };
		err = sys->ioctl(&c->a, VFIO_DEVICE_FEATURE, f);
		CHECK(err == -EFAULT, "flags %#x: %d", features[i], err);
	}
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	return PASS;
}

static enum outcome get_and_set(struct ctx *c)
{
	struct vfio_device_feature_mig_state m = { .device_state = STOP, .data_fd = -1 };
	int err = feature(&c->a, GET | SET | STATE, &m, sizeof(m));

	CHECK(err == -EINVAL, "%d", err);
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	return PASS;
}

static enum outcome unknown(struct ctx *c)
{
	uint64_t data = 0;
	int err = feature(&c->a, GET | (1u << 19) | FLAGS, &data, sizeof(data));

	CHECK(err == -EINVAL, "an unknown flag: %d", err);
	err = feature(&c->a, GET | 0xfff0, &data, sizeof(data));
	CHECK(err == -ENOTTY, "an unknown feature: %d", err);
	return PASS;
}

static enum outcome get_fd(struct ctx *c)
{
	struct vfio_device_feature_mig_state m = { .data_fd = 12345 };

	CHECK(!feature(&c->a, GET | STATE, &m, sizeof(m)), "GET failed");
	CHECK(m.data_fd == -1, "data_fd is %d", m.data_fd);
	return PASS;
}

static enum outcome no_fd(struct ctx *c)
{
	struct vfio_device_feature_mig_state m = { .device_state = STOP, .data_fd = 12345 };

	CHECK(!feature(&c->a, SET | STATE, &m, sizeof(m)), "SET to STOP failed");
	CHECK(m.data_fd == -1, "data_fd is %d", m.data_fd);
	return PASS;
}

static enum outcome failed_fd(struct ctx *c)
{
	struct vfio_device_feature_mig_state m = { .device_state = 255, .data_fd = 12345 };

	CHECK(feature(&c->a, SET | STATE, &m, sizeof(m)), "SET to 255 succeeded");
	CHECK(m.data_fd == -1, "data_fd is %d", m.data_fd);
	return PASS;
}

static enum outcome size_states(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		uint64_t bytes;
		int err;

		if (!has_state(c, state))
			continue;
		err = go_to(c, &c->a, state, NULL);
		CHECK(!err, "to %s: %d", state_name(state), err);
		err = data_size(&c->a, &bytes);
		CHECK(!err, "in %s: %d", state_name(state), err);
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

static enum outcome size_error(struct ctx *c)
{
	uint64_t bytes;
	int err;

	fail_load(c, NULL);
	if (get_state(&c->a) != ERROR)
		return rule_skip(c, "a stream that is refused does not lead to ERROR");
	err = data_size(&c->a, &bytes);
	CHECK(!err, "%d", err);
	return PASS;
}

static enum outcome size_positive(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		uint64_t bytes = 0;

		if (!has_state(c, state))
			continue;
		CHECK(!go_to(c, &c->a, state, NULL), "to %s", state_name(state));
		/* That it may fail is another rule. */
		if (!data_size(&c->a, &bytes))
			CHECK(bytes, "0 bytes in %s", state_name(state));
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

/* An estimate: far below what comes it makes a VMM stop the guest too early. */
static enum outcome size_estimate(struct ctx *c)
{
	struct blob b = {};
	uint64_t bytes = 0;
	int fd, err;

	CHECK(!set_state(&c->a, STOP, NULL) && !data_size(&c->a, &bytes), "no size in STOP");
	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "reading: %d", err);
	CHECK(bytes >= b.bytes / 16, "%llu bytes are announced, %zu come",
	      (unsigned long long)bytes, b.bytes);
	return PASS;
}

static enum outcome v2_without(struct ctx *c)
{
	int err;

	if (c->has & NEED_PRECOPY)
		return rule_skip(c, "the device has pre-copy");
	err = opt_in_v2(&c->a);
	CHECK(err == -EINVAL || err == -ENOTTY, "%d", err);
	return PASS;
}

static enum outcome reset_flag(struct ctx *c)
{
	int err = device_reset(&c->a);

	if (c->has & NEED_RESET)
		CHECK(!err, "the device says that it can be reset: %d", err);
	else
		CHECK(err, "the device does not say that it can be reset, but RESET works");
	return PASS;
}

/* Does debugfs say what GET says?  The rest is in the reason if not. */
static enum outcome debugfs_agrees(struct ctx *c, const char *when)
{
	const char *name = state_name(get_state(&c->a));
	char text[64];
	int err = sys->debugfs(&c->a, "state", text, sizeof(text));

	CHECK(!err, "%s: %d", when, err);
	text[strcspn(text, "\n")] = 0;
	CHECK(!strcmp(text, name), "%s: debugfs says %s, GET says %s", when, text, name);
	return PASS;
}

static enum outcome debugfs_state(struct ctx *c)
{
	char text[64];
	int err = sys->debugfs(&c->a, "state", text, sizeof(text));
	enum outcome outcome = PASS;

	if (err == -ENODEV || err == -ENOENT)
		return rule_skip(c, "this kernel has no state in debugfs");
	for (unsigned int state = STOP; state < STATES && outcome == PASS; state++) {
		if (!has_state(c, state))
			continue;
		CHECK(!go_to(c, &c->a, state, NULL), "to %s", state_name(state));
		outcome = debugfs_agrees(c, "after SET");
		if (outcome == PASS)
			CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	if (outcome == PASS) {
		fail_load(c, NULL);
		outcome = debugfs_agrees(c, "after SET that failed");
	}
	return outcome;
}

/* ---- a device without migration ---- */

static enum outcome none(struct ctx *c)
{
	static const uint32_t features[] = { GET | FLAGS, GET | STATE, SET | STATE, GET | SIZE };
	struct vfio_device_feature_mig_state m = { .device_state = STOP, .data_fd = -1 };

	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		int err = feature(&c->a, features[i], &m, sizeof(m));

		CHECK(err == -ENOTTY, "flags %#x: %d", features[i], err);
		err = feature(&c->a, PROBE | features[i], NULL, 0);
		CHECK(err == -ENOTTY, "PROBE, flags %#x: %d", features[i], err);
	}
	return PASS;
}

static enum outcome none_v2(struct ctx *c)
{
	int err = opt_in_v2(&c->a);

	CHECK(err == -ENOTTY || err == -EINVAL, "%d", err);
	return PASS;
}

static enum outcome none_debugfs(struct ctx *c)
{
	char text[64];
	int err = sys->debugfs(&c->a, "state", text, sizeof(text));

	if (err == -ENODEV)
		return rule_skip(c, "this kernel has no debugfs for VFIO");
	CHECK(err == -ENOENT, "%d, %s", err, err ? "" : text);
	return PASS;
}

#define UAPI	"uAPI: vfio_device_feature"
#define UAPI_S	"uAPI: vfio_device_feature_mig_state"
#define QEMU_I	"QEMU: vfio_migration_init"

const struct rule feature_rules[] = {
	{ "feature.flags", "FEATURE_MIGRATION has at least STOP_COPY", QEMU_I, 0, flags },
	{ "feature.probe", "PROBE knows what can be read and set", UAPI, 0, probe },
	{ "feature.argsz", "argsz that is too small gives EINVAL", UAPI, 0, argsz },
	{ "feature.pointer", "a bad pointer gives EFAULT, and nothing is done", UAPI, 0, pointer },
	{ "feature.get-and-set", "GET and SET together give EINVAL", UAPI, 0, get_and_set },
	{ "feature.unknown", "unknown flags give EINVAL, unknown features ENOTTY", UAPI, 0,
	  unknown },
	{ "feature.reset-flag", "RESET works exactly if the device says so",
	  "uAPI: VFIO_DEVICE_FLAGS_RESET", 0, reset_flag },
	{ "feature.get-fd", "GET of the state writes -1 to data_fd", UAPI_S, 0, get_fd },
	{ "feature.no-fd", "SET that starts no session writes -1 to data_fd",
	  "QEMU: vfio_migration_set_state, \"data_fd out of sync\"", 0, no_fd },
	{ "feature.failed-fd", "SET that fails writes -1 to data_fd",
	  "kernel: vfio_ioctl_device_feature_mig_device_state", 0, failed_fd },
	{ "size.states", "MIG_DATA_SIZE can be called in every state",
	  "uAPI: vfio_device_feature_mig_data_size", 0, size_states },
	{ "size.error", "MIG_DATA_SIZE can be called in ERROR",
	  "uAPI: vfio_device_feature_mig_data_size, \"each device state\"", 0, size_error },
	{ "size.positive", "MIG_DATA_SIZE is not 0",
	  "QEMU: vfio_save_setup, size of its buffer", 0, size_positive },
	{ "size.estimate", "MIG_DATA_SIZE in STOP is not far below what comes",
	  "uAPI: vfio_device_feature_mig_data_size", 0, size_estimate },
	{ "precopy.v2-without", "MIG_PRECOPY_INFOv2 without pre-copy gives an error",
	  "kernel: vfio_ioctl_device_feature_migration_precopy_info_v2", 0, v2_without },
	{ "debugfs.state", "debugfs shows the state that GET returns, after each SET",
	  "kernel: Documentation/ABI/testing/debugfs-vfio", 0, debugfs_state },
	{ "none.features", "no migration: its features give ENOTTY",
	  "QEMU: vfio_migration_query_flags", NEED_NONE, none },
	{ "none.v2", "no migration: no opt-in to MIG_PRECOPY_INFOv2", UAPI, NEED_NONE, none_v2 },
	{ "none.debugfs", "no migration: no file of its state in debugfs",
	  "kernel: vfio_device_debugfs_init", NEED_NONE, none_debugfs },
	{}
};
