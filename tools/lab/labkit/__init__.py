# SPDX-License-Identifier: GPL-2.0
"""The lab's library: artifacts, kernels, images, machines and test results.

Runs inside the tool root (tools/lab/lab enters it); nothing here touches the machine's own kernel or packages.
"""
