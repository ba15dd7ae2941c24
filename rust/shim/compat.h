/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels and between architectures, in one place. (Which events a kernel has,
 * and with which prototype, conftest.sh finds out.)
 */
#ifndef RWB_COMPAT_H
#define RWB_COMPAT_H

#include <linux/swap.h>
#include <linux/types.h>

/*
 * What swap gathers folios in, where the kernel shows it (7.3): RWB_SWAP_IOCB. Elsewhere it
 * cannot be told who submits a swap write, and so not why it ended.
 */
#if __has_include("linux/swap_ops.h")
#include <linux/swap_ops.h>
#define RWB_SWAP_IOCB	1
#else
#define RWB_SWAP_IOCB	0
#endif

/*
 * Which functions submit swap's writes and its reads: an older kernel does so for each folio by
 * itself, which is the first argument. (It calls swap_read_folio() for what zswap holds or is
 * zero, too.)
 */
#if RWB_SWAP_IOCB
#define RWB_SUBMITS_SWAP_WRITES	"swap_write_submit"
#define RWB_SUBMITS_SWAP_READS	"swap_bdev_submit_read"
#else
#define RWB_SUBMITS_SWAP_WRITES	"__swap_writepage"
#define RWB_SUBMITS_SWAP_READS	"swap_read_folio"
#endif

/*
 * rwb_return_address - a return address, of a word that lies on the stack
 *
 * Where an arm64 kernel signs return addresses, the signature is taken off; of
 * other words nothing is asked.
 */
#ifdef CONFIG_ARM64
#include <asm/pointer_auth.h>

static __always_inline unsigned long rwb_return_address(unsigned long word)
{
	return ptrauth_strip_kernel_insn_pac(word);
}
#else
static __always_inline unsigned long rwb_return_address(unsigned long word)
{
	return word;
}
#endif

#endif /* RWB_COMPAT_H */
