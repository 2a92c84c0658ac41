/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors (RFC 5927, RFC 1191). They count only if the sequence number that they quote is
 * outstanding. Errors about reachability end a connection that is being opened (RFC 9293 3.9.2.2
 * lets us, RFC 5927 5.2 asks to leave established ones alone); the retransmission timer decides
 * about all others. "Fragmentation needed" is for tcp_pmtu.c.
 */
#include "tcp_pvt.h"

/* The connection that the quoted segment belongs to; NULL if there is none or it was not sent. */
static struct tcp_conn *find(struct tcp *tcp, const struct ip_icmp_error *e)
{
	struct tcp_tuple tuple = {
		.local = e->src,
		.remote = e->dst,
		.local_port = load_be16(&e->l4[0]),
		.remote_port = load_be16(&e->l4[2]),
	};
	struct seq seq = SEQ(load_be32(&e->l4[4]));
	struct tcp_conn *c = tcp_ref_conn(tcp, tcp_table_find(tcp, &tuple, tcp_hash(tcp, &tuple)));

	return c && seq_in_window(seq, c->snd_una, tcp_outstanding(c)) ? c : NULL;
}

static bool is_unreachable(const struct ip_icmp_error *e)
{
	return e->type == WIRE_ICMP_UNREACHABLE && e->code != WIRE_ICMP_UNREACH_NEEDFRAG;
}

void tcp_icmp_error(void *ctx, const struct ip_icmp_error *error)
{
	struct tcp *tcp = ctx;
	struct tcp_conn *c = find(tcp, error);

	if (!c)
		return;
	tcp_count(tcp, TCP_STAT_ICMP_ERRORS);
	if (error->type == WIRE_ICMP_UNREACHABLE && error->code == WIRE_ICMP_UNREACH_NEEDFRAG) {
		tcp_pmtu_told(c, error->mtu);
	} else if (is_unreachable(error) && c->state == TCP_SYN_SENT) {
		tcp_count(tcp, TCP_STAT_OPEN_FAILED);
		tcp_conn_fail(c, TCP_FAILURE_UNREACHABLE);
	}
}
