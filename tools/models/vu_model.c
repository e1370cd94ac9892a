// SPDX-License-Identifier: GPL-2.0
/*
 * What a model asks of its device: private state, the functions beside it, options, and to be called.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vu_dev.h"

const struct vu_model *vu_model_find(const char *name)
{
	vu_for_each_model(m)
		if (!strcmp((*m)->name, name))
			return *m;
	return NULL;
}

void vu_set_priv(struct vu_dev *dev, void *priv)
{
	dev->priv = priv;
}

void *vu_priv(const struct vu_dev *dev)
{
	return dev->priv;
}

void vu_kick(struct vu_dev *dev)
{
	dev->kicked = true;
}

void vu_wake_at(struct vu_dev *dev, uint64_t when)
{
	if (!dev->wake || when < dev->wake)
		dev->wake = when ? when : 1;
}

bool vu_dev_work_due(struct vu_dev *dev)
{
	bool due = dev->kicked;

	if (dev->wake && dev->wake <= vu_now()) {
		dev->wake = 0;
		due = true;
	}
	dev->kicked = false;
	return due;
}

struct vu_dev *vu_controlling(const struct vu_dev *dev)
{
	return dev->controlling;
}

struct vu_dev *vu_controlled(const struct vu_dev *dev, unsigned int n)
{
	return n < dev->num_controlled ? dev->controlled[n] : NULL;
}

unsigned int vu_function(const struct vu_dev *dev)
{
	return dev->function;
}

const char *vu_option(const struct vu_dev *dev, const char *name)
{
	if (dev->controlling)
		return vu_option(dev->controlling, name);
	for (unsigned int i = dev->num_options; i-- > 0;) {
		size_t len = strlen(name);

		if (!strncmp(dev->options[i].key, name, len) && dev->options[i].key[len] == '=')
			return dev->options[i].value;
	}
	return NULL;
}

int vu_option_rev(const struct vu_dev *dev, uint32_t *rev)
{
	const char *text = vu_option(dev, "rev");
	unsigned int major = 1, minor = 0;
	char rest;

	if (text && (sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2 || major > 0xffff ||
		     minor > 0xffff)) {
		fprintf(stderr, "vpv-model: option rev=%s: need MAJOR.MINOR\n", text);
		return -EINVAL;
	}
	*rev = major << 16 | minor;
	return 0;
}

int vu_option_u64(const struct vu_dev *dev, const char *name, uint64_t min, uint64_t max,
		  uint64_t *val)
{
	const char *text = vu_option(dev, name);
	unsigned long long num;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	num = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || num < min || num > max) {
		fprintf(stderr, "vpv-model: option %s=%s: need a number from %llu to %llu\n", name,
			text, (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	}
	*val = num;
	return 0;
}
