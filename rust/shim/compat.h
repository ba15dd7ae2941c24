/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernels and between architectures, in one place. (conftest.sh finds out
 * which events a kernel has, and with which prototypes.)
 */
#ifndef RWB_COMPAT_H
#define RWB_COMPAT_H

#include <linux/swap.h>
#include <linux/types.h>

/*
 * RWB_SWAP_IOCB says whether the kernel shows struct swap_iocb, in which swap gathers folios (7.3).
 * Otherwise the module cannot tell who submits a swap write, and so not why the write ended.
 */
#if __has_include("linux/swap_ops.h")
#include <linux/swap_ops.h>
#define RWB_SWAP_IOCB	1
#else
#define RWB_SWAP_IOCB	0
#endif

/*
 * The functions that submit writes and reads of swap. In an older kernel they submit a single
 * folio, which is their first argument. (An older kernel also calls swap_read_folio() for pages
 * that zswap holds, and for pages full of zeros.)
 */
#if RWB_SWAP_IOCB
#define RWB_SUBMITS_SWAP_WRITES	"swap_write_submit"
#define RWB_SUBMITS_SWAP_READS	"swap_bdev_submit_read"
#else
#define RWB_SUBMITS_SWAP_WRITES	"__swap_writepage"
#define RWB_SUBMITS_SWAP_READS	"swap_read_folio"
#endif

/*
 * Returns the return address that a word on the stack holds. If an arm64 kernel signs return
 * addresses, this takes the signature off. Words that hold something else may be changed.
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
