/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors (RFC 5927, RFC 1191). They count only if the sequence number that they quote is
 * outstanding. Errors about reachability end a connection that is being opened (RFC 9293 3.9.2.2
 * lets us, RFC 5927 5.2 asks to leave established ones alone); the retransmission timer decides
 * about all others. "Fragmentation needed" lowers the MSS.
 */
#include "tcp_pvt.h"

#define MTU_FLOOR IP_MTU_MIN

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

/* Lost to a narrow link, not to congestion: all of it goes again in smaller pieces at once. */
static void lower_mss(struct tcp_conn *c, const struct ip_icmp_error *e)
{
	uint32_t headers = ip_addr_is_v4(&c->tuple.local) ? 40 : 60;
	uint32_t mss = MAX(e->mtu, (uint16_t)MTU_FLOOR) - headers;

	if (mss >= c->mss)
		return;
	c->mss = (uint16_t)mss;
	if (tcp_is_opening(c))
		return;
	c->snd_nxt = c->snd_una;
	c->flags &= ~(uint32_t)(TCP_F_RTT | TCP_F_RTX_HEAD | TCP_F_RECOVERY);
	tcp_conn_schedule(c);
}

void tcp_icmp_error(void *ctx, const struct ip_icmp_error *error)
{
	struct tcp *tcp = ctx;
	struct tcp_conn *c = find(tcp, error);

	if (!c)
		return;
	tcp_count(tcp, TCP_STAT_ICMP_ERRORS);
	if (error->type == WIRE_ICMP_UNREACHABLE && error->code == WIRE_ICMP_UNREACH_NEEDFRAG) {
		lower_mss(c, error);
	} else if (is_unreachable(error) && c->state == TCP_SYN_SENT) {
		tcp_count(tcp, TCP_STAT_OPEN_FAILED);
		tcp_conn_fail(c, TCP_FAILURE_UNREACHABLE);
	}
}
