// SPDX-License-Identifier: GPL-2.0
/*
 * Provisioning: /sys/kernel/config/vpv_mlx5_ctrl/<controlling function>/<number>/,
 * described in Documentation/ABI/configfs-vpv_mlx5_ctrl.
 */
#include <linux/etherdevice.h>
#include <linux/hex.h>
#include <linux/module.h>

#include "ctrl.h"

static struct mlxl_fn *fn_of(struct config_item *item)
{
	return container_of(to_config_group(item), struct mlxl_fn, group);
}

/* Commands that take long may be carried out under it. */
static int lock(struct mlxl_fn *fn)
{
	return mutex_lock_interruptible(&fn->ctrl->life.lock);
}

static void unlock(struct mlxl_fn *fn)
{
	mutex_unlock(&fn->ctrl->life.lock);
}

static ssize_t fn_mac_show(struct config_item *item, char *page)
{
	struct mlxl_fn *fn = fn_of(item);
	ssize_t ret = lock(fn);

	if (ret)
		return ret;
	ret = sysfs_emit(page, "%pM\n", fn->want.mac);
	unlock(fn);
	return ret;
}

static ssize_t fn_mac_store(struct config_item *item, const char *page, size_t count)
{
	struct mlxl_fn *fn = fn_of(item);
	u8 mac[ETH_ALEN];
	int err;

	if (count < 3 * ETH_ALEN - 1 || !mac_pton(page, mac) || !is_valid_ether_addr(mac))
		return -EINVAL;
	err = lock(fn);
	if (err)
		return err;
	memcpy(fn->want.mac, mac, sizeof(fn->want.mac));
	unlock(fn);
	return count;
}

static ssize_t u16_show(struct mlxl_fn *fn, const __le16 *val, char *page)
{
	ssize_t ret = lock(fn);

	if (ret)
		return ret;
	ret = sysfs_emit(page, "%u\n", le16_to_cpu(*val));
	unlock(fn);
	return ret;
}

static ssize_t u16_store(struct mlxl_fn *fn, __le16 *at, const char *page, size_t count)
{
	u16 val;
	int err = kstrtou16(page, 0, &val);

	if (err)
		return err;
	if (!val)
		return -EINVAL;
	err = lock(fn);
	if (err)
		return err;
	*at = cpu_to_le16(val);
	unlock(fn);
	return count;
}

/* A 16-bit member of what is wanted; the firmware knows the limits. */
#define FN_U16(_name, _member)							\
static ssize_t fn_##_name##_show(struct config_item *item, char *page)		\
{										\
	struct mlxl_fn *fn = fn_of(item);					\
										\
	return u16_show(fn, &fn->want._member, page);				\
}										\
										\
static ssize_t fn_##_name##_store(struct config_item *item, const char *page,	\
				  size_t count)					\
{										\
	struct mlxl_fn *fn = fn_of(item);					\
										\
	return u16_store(fn, &fn->want._member, page, count);			\
}										\
CONFIGFS_ATTR(fn_, _name)

FN_U16(queue_pairs, pairs);
FN_U16(vectors, vectors);
FN_U16(queue_size, queue_size);

static ssize_t fn_enable_show(struct config_item *item, char *page)
{
	struct mlxl_fn *fn = fn_of(item);

	return vpv_ctrl_life_show_enabled(&fn->ctrl->life, &fn->c, page);
}

static ssize_t fn_enable_store(struct config_item *item, const char *page, size_t count)
{
	struct mlxl_fn *fn = fn_of(item);

	return vpv_ctrl_life_store_enabled(&fn->ctrl->life, &fn->c, page, count);
}

static ssize_t fn_address_show(struct config_item *item, char *page)
{
	struct mlxl_fn *fn = fn_of(item);

	return vpv_ctrl_life_show_address(&fn->ctrl->life, &fn->c, page);
}

CONFIGFS_ATTR_RO(fn_, address);
CONFIGFS_ATTR(fn_, enable);
CONFIGFS_ATTR(fn_, mac);

static struct configfs_attribute *fn_attrs[] = {
	&fn_attr_address,
	&fn_attr_enable,
	&fn_attr_mac,
	&fn_attr_queue_pairs,
	&fn_attr_queue_size,
	&fn_attr_vectors,
	NULL,
};

static const struct config_item_type fn_type = {
	.ct_attrs = fn_attrs,
	.ct_owner = THIS_MODULE,
};

static const struct config_item_type group_type = {
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = MLXL_CTRL_NAME,
			.ci_type = &group_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(subsystem.su_mutex),
};

/**
 * mlxl_configfs_add() - Show a controlling function
 * @life: Of the function.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_configfs_add(struct vpv_ctrl_life *life)
{
	struct mlxl_ctrl *ctrl = mlxl_ctrl_of(life);

	config_group_init_type_name(&ctrl->group, pci_name(life->pdev), &group_type);
	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct mlxl_fn *fn = &ctrl->fn[i];
		char name[8];

		snprintf(name, sizeof(name), "%u", fn->c.nr);
		config_group_init_type_name(&fn->group, name, &fn_type);
		configfs_add_default_group(&fn->group, &ctrl->group);
	}
	return configfs_register_group(&subsystem.su_group, &ctrl->group);
}

/**
 * mlxl_configfs_remove() - Undo mlxl_configfs_add(); waits for accesses
 * @life: Of the function.
 */
void mlxl_configfs_remove(struct vpv_ctrl_life *life)
{
	struct mlxl_ctrl *ctrl = mlxl_ctrl_of(life);

	configfs_unregister_group(&ctrl->group);
	configfs_remove_default_groups(&ctrl->group);
}

int mlxl_configfs_init(void)
{
	config_group_init(&subsystem.su_group);
	return configfs_register_subsystem(&subsystem);
}

void mlxl_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
}
