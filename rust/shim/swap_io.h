/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What swap gathers folios in, where the kernel shows it (7.3): RWB_SWAP_IOCB. Elsewhere it
 * cannot be told who submits a swap write, and so not why it ended.
 */
#ifndef RWB_SWAP_IO_H
#define RWB_SWAP_IO_H

#if __has_include("linux/swap_ops.h")
#include <linux/swap_ops.h>
#define RWB_SWAP_IOCB	1
#else
#define RWB_SWAP_IOCB	0
#endif

#endif /* RWB_SWAP_IO_H */
