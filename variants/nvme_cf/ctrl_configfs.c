// SPDX-License-Identifier: GPL-2.0
/*
 * Profiles: /sys/kernel/config/vpv_nvme_ctrl/<managing controller>/<CNTLID>/, described in
 * Documentation/ABI/configfs-vpv_nvme_ctrl.
 *
 * A profile is put together here, and given to the controller as a whole; the device knows
 * the limits.  What a controller has does not change.
 */
#include <linux/ctype.h>
#include <linux/hex.h>
#include <linux/module.h>

#include "ctrl.h"

/* ---- Fields of a profile ---- */

enum field_kind {
	FIELD_NUMBER,
	FIELD_HEX,
	FIELD_TEXT,	/* filled with spaces */
	FIELD_NAME,	/* filled with zeroes */
	FIELD_BYTES,
	FIELD_UUID,
};

/**
 * struct field - A field of a profile, or of a namespace of one
 * @kind: How it is written.
 * @offset: Where it is.
 * @bytes: Its size, of numbers 4 at most.
 */
struct field {
	enum field_kind kind;
	u16 offset;
	u16 bytes;
};

static u32 number_get(const u8 *at, unsigned int bytes)
{
	u32 val = 0;

	while (bytes--)
		val = val << 8 | at[bytes];
	return val;
}

static int number_put(u8 *at, unsigned int bytes, const char *page)
{
	u32 val;
	int err = kstrtou32(page, 0, &val);

	if (err)
		return err;
	if (bytes < sizeof(val) && val >> 8 * bytes)
		return -ERANGE;
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = val >> 8 * i;
	return 0;
}

static int text_put(u8 *at, size_t room, const char *page, size_t count, u8 fill)
{
	size_t len = count && page[count - 1] == '\n' ? count - 1 : count;

	if (len > room)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!isascii(page[i]) || !isprint(page[i]))
			return -EINVAL;
	memset(at, fill, room);
	memcpy(at, page, len);
	return 0;
}

/* Pairs of digits, with ':', '-' or nothing between them. */
static int bytes_put(u8 *at, size_t bytes, const char *page)
{
	u8 val[16];

	for (size_t i = 0; i < bytes; i++) {
		if (i && (*page == ':' || *page == '-'))
			page++;
		if (!isxdigit(page[0]) || hex2bin(&val[i], page, 1))
			return -EINVAL;
		page += 2;
	}
	if (*page && strcmp(page, "\n"))
		return -EINVAL;
	memcpy(at, val, bytes);
	return 0;
}

static size_t text_len(const u8 *at, size_t room)
{
	size_t len = strnlen(at, room);

	while (len && at[len - 1] == ' ')
		len--;
	return len;
}

/* Commands that take long may be carried out under it. */
static int lock(struct nvcf_fn *fn)
{
	return mutex_lock_interruptible(&fn->ctrl->life.lock);
}

static void unlock(struct nvcf_fn *fn)
{
	mutex_unlock(&fn->ctrl->life.lock);
}

static ssize_t field_emit(struct nvcf_fn *fn, size_t base, const struct field *f, char *page)
{
	const u8 *at = (const u8 *)&fn->want + base + f->offset;

	switch (f->kind) {
	case FIELD_NUMBER:
		return sysfs_emit(page, "%u\n", number_get(at, f->bytes));
	case FIELD_HEX:
		return sysfs_emit(page, "%#x\n", number_get(at, f->bytes));
	case FIELD_TEXT:
	case FIELD_NAME:
		return sysfs_emit(page, "%.*s\n", (int)text_len(at, f->bytes), at);
	case FIELD_BYTES:
		return sysfs_emit(page, "%*phN\n", f->bytes, at);
	case FIELD_UUID:
		return sysfs_emit(page, "%pUb\n", at);
	}
	return -EINVAL;
}

static ssize_t field_show(struct nvcf_fn *fn, size_t base, const struct field *f, char *page)
{
	ssize_t ret = lock(fn);

	if (ret)
		return ret;
	ret = field_emit(fn, base, f, page);
	unlock(fn);
	return ret;
}

static ssize_t field_put(struct nvcf_fn *fn, size_t base, const struct field *f,
			 const char *page, size_t count)
{
	u8 *at = (u8 *)&fn->want + base + f->offset;
	int err = -EINVAL;

	if (fn->c.enabled)
		return -EBUSY;
	switch (f->kind) {
	case FIELD_NUMBER:
	case FIELD_HEX:
		err = number_put(at, f->bytes, page);
		break;
	case FIELD_TEXT:
		err = text_put(at, f->bytes, page, count, ' ');
		break;
	case FIELD_NAME:
		err = text_put(at, f->bytes, page, count, 0);
		break;
	case FIELD_BYTES:
	case FIELD_UUID:
		err = bytes_put(at, f->bytes, page);
		break;
	}
	return err ?: count;
}

static ssize_t field_store(struct nvcf_fn *fn, size_t base, const struct field *f,
			   const char *page, size_t count)
{
	ssize_t ret = lock(fn);

	if (ret)
		return ret;
	ret = field_put(fn, base, f, page, count);
	unlock(fn);
	return ret;
}

/* ---- Controllers ---- */

static struct nvcf_fn *fn_of(struct config_item *item)
{
	return container_of(to_config_group(item), struct nvcf_fn, group);
}

static ssize_t fn_show(struct config_item *item, const struct field *f, char *page)
{
	return field_show(fn_of(item), 0, f, page);
}

static ssize_t fn_store(struct config_item *item, const struct field *f, const char *page,
			size_t count)
{
	return field_store(fn_of(item), 0, f, page, count);
}

/* A namespace's folder knows by its place which one it is. */
static struct nvcf_fn *ns_fn(struct config_item *item, size_t *base)
{
	struct nvcf_fn *fn = fn_of(item->ci_parent);

	*base = offsetof(struct nvcf_profile, ns) +
		(to_config_group(item) - fn->ns) * sizeof(struct nvcf_profile_ns);
	return fn;
}

static ssize_t ns_show(struct config_item *item, const struct field *f, char *page)
{
	size_t base;
	struct nvcf_fn *fn = ns_fn(item, &base);

	return field_show(fn, base, f, page);
}

static ssize_t ns_store(struct config_item *item, const struct field *f, const char *page,
			size_t count)
{
	size_t base;
	struct nvcf_fn *fn = ns_fn(item, &base);

	return field_store(fn, base, f, page, count);
}

#define FIELD(_of, _struct, _name, _member, _kind)				\
static const struct field _of##_field_##_name = {				\
	.kind = _kind,								\
	.offset = offsetof(struct _struct, _member),				\
	.bytes = sizeof_field(struct _struct, _member),				\
};										\
										\
static ssize_t _of##_##_name##_show(struct config_item *item, char *page)	\
{										\
	return _of##_show(item, &_of##_field_##_name, page);			\
}										\
										\
static ssize_t _of##_##_name##_store(struct config_item *item,			\
				     const char *page, size_t count)		\
{										\
	return _of##_store(item, &_of##_field_##_name, page, count);		\
}										\
CONFIGFS_ATTR(_of##_, _name)

FIELD(fn, nvcf_profile, cntlid, cntlid, FIELD_NUMBER);
FIELD(fn, nvcf_profile, entries, entries, FIELD_NUMBER);
FIELD(fn, nvcf_profile, features, options, FIELD_HEX);
FIELD(fn, nvcf_profile, firmware, fr, FIELD_TEXT);
FIELD(fn, nvcf_profile, ieee, ieee, FIELD_HEX);
FIELD(fn, nvcf_profile, mdts, mdts, FIELD_NUMBER);
FIELD(fn, nvcf_profile, model, mn, FIELD_TEXT);
FIELD(fn, nvcf_profile, queues, queues, FIELD_NUMBER);
FIELD(fn, nvcf_profile, serial, sn, FIELD_TEXT);
FIELD(fn, nvcf_profile, ssvid, ssvid, FIELD_HEX);
FIELD(fn, nvcf_profile, subnqn, subnqn, FIELD_NAME);
FIELD(fn, nvcf_profile, vid, vid, FIELD_HEX);

FIELD(ns, nvcf_profile_ns, disk, disk, FIELD_NUMBER);
FIELD(ns, nvcf_profile_ns, eui64, eui64, FIELD_BYTES);
FIELD(ns, nvcf_profile_ns, nguid, nguid, FIELD_BYTES);
FIELD(ns, nvcf_profile_ns, uuid, uuid, FIELD_UUID);

static ssize_t fn_enable_show(struct config_item *item, char *page)
{
	struct nvcf_fn *fn = fn_of(item);

	return vpv_ctrl_life_show_enabled(&fn->ctrl->life, &fn->c, page);
}

static ssize_t fn_enable_store(struct config_item *item, const char *page, size_t count)
{
	struct nvcf_fn *fn = fn_of(item);

	return vpv_ctrl_life_store_enabled(&fn->ctrl->life, &fn->c, page, count);
}

static ssize_t fn_address_show(struct config_item *item, char *page)
{
	struct nvcf_fn *fn = fn_of(item);

	return vpv_ctrl_life_show_address(&fn->ctrl->life, &fn->c, page);
}

CONFIGFS_ATTR(fn_, enable);
CONFIGFS_ATTR_RO(fn_, address);

static struct configfs_attribute *fn_attrs[] = {
	&fn_attr_address,
	&fn_attr_cntlid,
	&fn_attr_enable,
	&fn_attr_entries,
	&fn_attr_features,
	&fn_attr_firmware,
	&fn_attr_ieee,
	&fn_attr_mdts,
	&fn_attr_model,
	&fn_attr_queues,
	&fn_attr_serial,
	&fn_attr_ssvid,
	&fn_attr_subnqn,
	&fn_attr_vid,
	NULL,
};

static const struct config_item_type fn_type = {
	.ct_attrs = fn_attrs,
	.ct_owner = THIS_MODULE,
};

static struct configfs_attribute *ns_attrs[] = {
	&ns_attr_disk,
	&ns_attr_eui64,
	&ns_attr_nguid,
	&ns_attr_uuid,
	NULL,
};

static const struct config_item_type ns_type = {
	.ct_attrs = ns_attrs,
	.ct_owner = THIS_MODULE,
};

static const struct config_item_type group_type = {
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = NVCF_CTRL_NAME,
			.ci_type = &group_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(subsystem.su_mutex),
};

static void fn_add(struct nvcf_fn *fn, struct config_group *parent)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", fn->c.nr);
	config_group_init_type_name(&fn->group, name, &fn_type);
	for (unsigned int i = 0; i < NVCF_MAX_NS; i++) {
		snprintf(name, sizeof(name), "namespace%u", i + 1);
		config_group_init_type_name(&fn->ns[i], name, &ns_type);
		configfs_add_default_group(&fn->ns[i], &fn->group);
	}
	configfs_add_default_group(&fn->group, parent);
}

/**
 * nvcf_configfs_add() - Show a managing controller
 * @life: Of the controller.
 *
 * Return: 0 or a negative errno.
 */
int nvcf_configfs_add(struct vpv_ctrl_life *life)
{
	struct nvcf_ctrl *ctrl = nvcf_ctrl_of(life);

	config_group_init_type_name(&ctrl->group, pci_name(life->pdev), &group_type);
	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		fn_add(&ctrl->fn[i], &ctrl->group);
	return configfs_register_group(&subsystem.su_group, &ctrl->group);
}

/**
 * nvcf_configfs_remove() - Undo nvcf_configfs_add(); waits for accesses
 * @life: Of the controller.
 */
void nvcf_configfs_remove(struct vpv_ctrl_life *life)
{
	struct nvcf_ctrl *ctrl = nvcf_ctrl_of(life);

	configfs_unregister_group(&ctrl->group);
	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		configfs_remove_default_groups(&ctrl->fn[i].group);
	configfs_remove_default_groups(&ctrl->group);
}

int nvcf_configfs_init(void)
{
	config_group_init(&subsystem.su_group);
	return configfs_register_subsystem(&subsystem);
}

void nvcf_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
}
