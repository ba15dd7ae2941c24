/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens for each page is looked at closely once in a while, and that one stands for
 * all since the last one. It is chosen at random, lest two tasks that take turns look like
 * one.
 *
 * The counts are a CPU's. Who is moved to another one between two steps leaves nothing behind
 * that is counted twice, or not at all.
 */
#ifndef RWB_SAMPLE_H
#define RWB_SAMPLE_H

#include <linux/percpu.h>

struct rwb_sample {
	s32 left;	/* to be passed over */
	u32 seen;	/* since the last one */
	u32 random;
};

/* Pages that came back, of anonymous memory and shmem, and of files; in wait.c. */
DECLARE_PER_CPU(struct rwb_sample, rwb_refaults_anon);
DECLARE_PER_CPU(struct rwb_sample, rwb_refaults_file);
/* Reads of swap from a device that has read when it is told to. */
DECLARE_PER_CPU(struct rwb_sample, rwb_swapins);

/*
 * In probes_io.c: reads of swap are followed by their bios, as all devices have read when they are
 * told to.
 */
extern bool rwb_reads_followed;

/* There are @n more: is this one looked at? Any context. */
#define rwb_sample_due(sample, n)					\
({									\
	this_cpu_add((sample).seen, n);					\
	unlikely(this_cpu_dec_return((sample).left) < 0);		\
})

/* wait.c: for how many the one stands that is due; 0: for none. Preemption is off. */
u32 rwb_sample_taken(struct rwb_sample *sample, u32 one_in);

#endif /* RWB_SAMPLE_H */
