/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Duplicate address detection (RFC 4862 5.4), by worker 0 for all cores. An address is asked for
 * dad_transmits times, a second apart; if nobody answers and nobody else asks, all cores are told
 * to use it. One that somebody has is left to him; it is asked for again once a minute, because the
 * other one may go away, and a service is not to wait for an operator.
 */
#include "ip_pvt.h"

#define DAD_WAIT_NS  NS_PER_SEC        /* RFC 4861 10: RETRANS_TIMER */
#define DAD_AGAIN_NS (60 * NS_PER_SEC) /* a duplicate, before it is asked for again */
#define DAD_TELL_NS  (10 * NS_PER_MS)  /* a core that was too busy to hear, before it hears again */

static void again_in(struct ip_dad *dad, uint64_t ns)
{
	timer_set(&dad->ip->worker->timers, &dad->timer, dad->ip->worker->now_ns + ns);
}

/* Mail: word = kind, arg = stack, address (two words). */
static void on_mail(struct worker *to, const struct mail *mail)
{
	struct ip_stack *ip = (struct ip_stack *)(uintptr_t)mail->arg[0];
	struct ip_addr addr;

	(void)to;
	memcpy(&addr, &mail->arg[1], sizeof(addr));
	((struct ip_own *)ip_own_find(ip, &addr))->kind = (uint8_t)mail->word;
}

static bool tell(struct ip_stack *ip, const struct ip_own *own)
{
	struct mail mail = {.fn = on_mail, .word = own->kind};
	bool all = true;

	memcpy(&mail.arg[1], &own->addr, sizeof(own->addr));
	for (uint32_t core = 0; core < ip->core_count; core++) {
		mail.arg[0] = (uintptr_t)ip->cores[core];
		if (core != ip->worker->index && worker_mail(ip->worker, core, &mail) != 0)
			all = false;
	}
	return all;
}

/* The kind is decided here; every core is to know before anything else happens. */
static void publish(struct ip_dad *dad)
{
	struct ip_own *own = dad->own;

	dad->decided = true;
	if (!tell(dad->ip, own)) {
		again_in(dad, DAD_TELL_NS);
		return;
	}
	dad->decided = false;
	if (own->kind == IP_OWN_ADDRESS)
		ndp_announce(dad->ip, own->iface, &own->addr);
	else
		again_in(dad, DAD_AGAIN_NS);
}

static void on_timer(struct timer *timer, uint64_t now_ns)
{
	struct ip_dad *dad = CONTAINER_OF(timer, struct ip_dad, timer);
	struct ip_own *own = dad->own;

	(void)now_ns;
	if (dad->decided) {
		publish(dad);
		return;
	}
	if (own->kind == IP_OWN_DUPLICATE) {
		own->kind = IP_OWN_TENTATIVE;
		dad->sent = 0;
	}
	if (dad->sent < ip_iface(dad->ip, own->iface)->dad_transmits) {
		dad->sent++;
		ndp_probe(dad->ip, own->iface, &own->addr);
		again_in(dad, DAD_WAIT_NS);
		return;
	}
	own->kind = IP_OWN_ADDRESS;
	publish(dad);
}

static struct ip_dad *dad_of(struct ip_stack *ip, const struct ip_own *own)
{
	struct ip_dad *dad = ip->dads;

	while (dad->own != own)
		dad++;
	return dad;
}

void ip_dad_conflict(struct ip_stack *ip, const struct ip_own *own, const struct wire_mac *mac)
{
	struct ip_dad *dad = dad_of(ip, own);
	char addr[IP_ADDR_TEXT_SIZE], text[WIRE_MAC_TEXT_SIZE];

	ip_count(ip, IP_STAT_NDP_DUPLICATE);
	worker_log(ip->worker, LOG_LEVEL_ERR,
		"address %s on %s is not used: %s has it, or wants it, too; the next try is in a "
		"minute",
		ip_addr_format(&own->addr, addr), ip_iface(ip, own->iface)->name,
		wire_mac_format(mac, text));
	dad->own->kind = IP_OWN_DUPLICATE;
	publish(dad);
}

static bool is_asked_for(const struct ip_own *own)
{
	return own->kind == IP_OWN_ADDRESS && !ip_addr_is_v4(&own->addr);
}

/* Benches share loopback addresses. */
static bool may_be_taken(const struct ip_stack *ip, const struct ip_own *own)
{
	return ip_iface(ip, own->iface)->dad_transmits > 0 && !ip_addr_is_loopback(&own->addr);
}

int ip_dad_init(struct ip_stack *ip, struct error *err)
{
	uint32_t count = 0;
	int rc;

	for (uint32_t i = 0; i <= ip->own_mask; i++)
		count += is_asked_for(&ip->own[i]);
	rc = mem_region_alloc(&ip->dad_region, MAX(count, 1U) * sizeof(*ip->dads),
		"searches for duplicate addresses", err);
	if (rc != 0)
		return rc;
	ip->dads = ip->dad_region.base;
	for (uint32_t i = 0; i <= ip->own_mask; i++) {
		struct ip_own *own = &ip->own[i];
		struct ip_dad *dad = &ip->dads[ip->dad_count];

		if (!is_asked_for(own))
			continue;
		ip->dad_count++;
		*dad = (struct ip_dad){.ip = ip, .own = own};
		timer_init(&dad->timer, on_timer);
		if (may_be_taken(ip, own))
			own->kind = IP_OWN_TENTATIVE;
	}
	return 0;
}

void ip_dad_fini(struct ip_stack *ip)
{
	mem_region_free(&ip->dad_region);
}

/* Many machines may start at once: each address at its own moment (RFC 4862 5.4.2). */
static void start(struct ip_dad *dad)
{
	struct ip_stack *ip = dad->ip;

	if (dad->own->kind == IP_OWN_TENTATIVE)
		again_in(dad, rand_below(&ip->worker->rand, NS_PER_SEC));
	else
		ndp_announce(ip, dad->own->iface, &dad->own->addr);
}

void ip_dad_start(struct ip_stack *ip)
{
	ASSERT(ip->worker->index == IP_DAD_CORE);
	for (uint32_t i = 0; i < ip->dad_count; i++)
		start(&ip->dads[i]);
}

/* While it is disabled somebody else may take it. */
void ip_dad_changed(struct ip_stack *ip, struct ip_own *own)
{
	struct ip_dad *dad = dad_of(ip, own);

	if (own->disabled && may_be_taken(ip, own))
		own->kind = IP_OWN_TENTATIVE;
	if (ip->worker->index != IP_DAD_CORE)
		return;
	timer_cancel(&ip->worker->timers, &dad->timer);
	dad->sent = 0;
	dad->decided = false;
	if (!own->disabled)
		start(dad);
}
