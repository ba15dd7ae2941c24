/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that happen for each page are looked at closely only once in a while. The event that is
 * looked at stands for all since the last one. It is chosen at random, lest two tasks that take
 * turns look like one.
 *
 * The counts are per CPU. If a task is moved to another CPU between two steps, nothing is counted
 * twice, and nothing is left out.
 */
#ifndef RWB_SAMPLE_H
#define RWB_SAMPLE_H

#include <linux/percpu.h>
#include <linux/sched.h>

struct rwb_sample {
	s32 left;	/* events to be passed over */
	u32 seen;	/* events since the last one looked at */
	u32 random;
};

/* Pages that came back: of anonymous memory and shmem, and of files. Defined in wait.c. */
DECLARE_PER_CPU(struct rwb_sample, rwb_refaults_anon);
DECLARE_PER_CPU(struct rwb_sample, rwb_refaults_file);
/* Reads of swap from a device that has read when it is told to. */
DECLARE_PER_CPU(struct rwb_sample, rwb_swapins);

/*
 * Whether reads of swap are followed by their bios, because all devices have read when they are
 * told to. Defined in probes_io.c.
 */
extern bool rwb_reads_followed;

/* Counts @n more events, and says whether this one is to be looked at. Any context. */
#define rwb_sample_due(sample, n)					\
({									\
	this_cpu_add((sample).seen, n);					\
	unlikely(this_cpu_dec_return((sample).left) < 0);		\
})

/*
 * Whether the current task is in a section of PSI's. If it reads a page of swap there (one that was
 * active when it went), then the section is the wait.
 */
static __always_inline bool rwb_in_memstall(void)
{
#ifdef CONFIG_PSI
	return current->in_memstall;
#else
	return false;
#endif
}

/*
 * Returns for how many events the one that is due stands; 0 if for none. Preemption is off. Defined
 * in wait.c.
 */
u32 rwb_sample_taken(struct rwb_sample *sample, u32 one_in);

#endif /* RWB_SAMPLE_H */
