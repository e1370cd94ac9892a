/* SPDX-License-Identifier: GPL-2.0 */
/* The migration identity of a function, as JSON. */
#ifndef VPVCTL_DESCRIBE_H
#define VPVCTL_DESCRIBE_H

#include <json-c/json.h>
#include <stdbool.h>

/* Value of "vpvctl_describe": the format of what follows. */
#define DESCRIBE_FORMAT 1

/**
 * describe() - Collect the identity of a function
 * @dev: Its address; ends the program if it is wrong or there is none.
 * @open: Ask the driver by opening it.
 *
 * Return: A JSON object.
 */
struct json_object *describe(const char *dev, bool open);

#endif /* VPVCTL_DESCRIBE_H */
