// SPDX-License-Identifier: GPL-2.0
/* vpvctl plot as a program of its own, for the demo: it needs neither nettle nor a driver. */
#include "vpvctl.h"

int main(int argc, char **argv)
{
	vpvctl.command = "plot";
	return cmd_plot(argc, argv);
}
