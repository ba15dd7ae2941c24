// SPDX-License-Identifier: GPL-2.0
/*
 * Typed probe entries for requests of NBD devices, and the function that describes a request.
 *
 * Context: for NBD's own events and block_rq_requeue, the task that sends, receives or gives back
 * the request; for block_rq_complete, any. block_rq_requeue and block_rq_complete fire for every
 * device. Their entries return at the first test that shows that the device is not of NBD.
 */
#include <linux/major.h>

#include "probes.h"
#include "entry.h"

static __always_inline bool rwb_is_nbd(const struct request *rq)
{
	const struct gendisk *disk = rq->q->disk;

	return disk && disk->major == NBD_MAJOR;
}

/* Describes @request, which is a live struct request of an NBD device. */
void rwb_nbd_request(unsigned long request, struct rwb_nbd_request *nbd)
{
	const struct request *rq = (void *)request;
	const struct gendisk *disk = rq->q->disk;

	nbd->key = request;
	nbd->bytes = blk_rq_bytes(rq);
	nbd->index = 0;
	/* This is N of nbdN. How many minors a device has is a parameter of the nbd module. */
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
/*
 * The event also fires when sending the header failed. Then the request is given back, or a worker
 * sends the rest.
 */
void rwb_probe_nbd_header_sent(void *data, struct request *req, u64 handle)
{
	RWB_ENTER(at);
	rwb_rs_nbd_header(data, &at, (unsigned long)req);
}
#endif

#if RWB_HAVE_nbd_payload_sent
/* The event is the end of nbd_send_request. It also fires for requests without a payload. */
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
	/* If this is only a part of the request, more is to come. */
	if (likely(!rwb_is_nbd(rq)) || nr_bytes < blk_rq_bytes(rq))
		return;

	/* A request that ends in a softirq must not interrupt the handling of one in a task. */
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
