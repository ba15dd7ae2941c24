// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for requests of NBD devices, and what the ledger wants to know of one.
 *
 * Context: NBD's own events and block_rq_requeue in the task that sends, receives or gives
 * back the request; block_rq_complete in any. The latter two fire for every device: they
 * leave at the first test that says "not NBD".
 */
#include <linux/major.h>

#include "probes.h"
#include "entry.h"

static __always_inline bool rwb_is_nbd(const struct request *rq)
{
	const struct gendisk *disk = rq->q->disk;

	return disk && disk->major == NBD_MAJOR;
}

/* @request is a live struct request of an NBD device. */
void rwb_nbd_request(unsigned long request, struct rwb_nbd_request *nbd)
{
	const struct request *rq = (void *)request;
	const struct gendisk *disk = rq->q->disk;

	nbd->key = request;
	nbd->bytes = blk_rq_bytes(rq);
	nbd->index = 0;
	/* nbdN: how many minors one has is a parameter of that module. */
	for (const char *c = disk ? disk->disk_name + 3 : ""; *c >= '0' && *c <= '9'; c++)
		nbd->index = nbd->index * 10 + (*c - '0');
	switch (req_op(rq)) {
	case REQ_OP_READ:
		nbd->direction = RWB_NBD_READ;
		break;
	case REQ_OP_WRITE:
		nbd->direction = RWB_NBD_WRITE;
		break;
	default:
		nbd->direction = RWB_NBD_OTHER;
	}
}

#if RWB_HAVE_nbd_send_request
void rwb_probe_nbd_send_request(void *data, struct nbd_request *nbd_request, int index,
				struct request *rq)
{
	RWB_ENTER(at);
	rwb_rs_nbd(data, &at, (unsigned long)rq, rq->cmd_flags & REQ_SWAP);
}
#endif

#if RWB_HAVE_nbd_header_sent
/* Also when that failed: then the request is given back, or sent on by a worker. */
void rwb_probe_nbd_header_sent(void *data, struct request *req, u64 handle)
{
	RWB_ENTER(at);
	rwb_rs_nbd_header(data, &at, (unsigned long)req);
}
#endif

#if RWB_HAVE_nbd_payload_sent
/* The end of nbd_send_request, for requests without a payload, too. */
void rwb_probe_nbd_payload_sent(void *data, struct request *req, u64 handle)
{
	RWB_ENTER(at);
	rwb_rs_nbd_sent(data, &at, (unsigned long)req);
}
#endif

#if RWB_HAVE_nbd_header_received
void rwb_probe_nbd_header_received(void *data, struct request *req, u64 handle)
{
	RWB_ENTER(at);
	rwb_rs_nbd_reply(data, &at, (unsigned long)req);
}
#endif

#if RWB_HAVE_block_rq_requeue
void rwb_probe_block_rq_requeue(void *data, struct request *rq)
{
	if (likely(!rwb_is_nbd(rq)))
		return;

	RWB_ENTER(at);
	rwb_rs_nbd_requeued(data, &at, (unsigned long)rq);
}
#endif

#if RWB_HAVE_block_rq_complete
void rwb_probe_block_rq_complete(void *data, struct request *rq, blk_status_t error,
				 unsigned int nr_bytes)
{
	/* A part of it: more is to come. */
	if (likely(!rwb_is_nbd(rq)) || nr_bytes < blk_rq_bytes(rq))
		return;

	/* What is completed in a task must not be interrupted by what is in softirq. */
	guard(irqsave)();
	RWB_ENTER(at);
	rwb_rs_nbd_done(data, &at, (unsigned long)rq, error != BLK_STS_OK);
}
#endif

const struct rwb_entry rwb_nbd_entries[] = {
	RWB_ROW(nbd_send_request),
	RWB_ROW(nbd_header_sent),
	RWB_ROW(nbd_payload_sent),
	RWB_ROW(nbd_header_received),
	RWB_ROW(block_rq_requeue),
	RWB_ROW(block_rq_complete),
	{ }
};
