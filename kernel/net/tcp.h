/*
 * TCP: RFC 9293, with RFC 5681 and 6582 (congestion, recovery), 2018, 2883 and 6675 (SACK), 8985 (RACK-TLP), 6937
 * (proportional rate reduction), 3522 (undo), 9438 (CUBIC), 9406 (HyStart++), 3168 (ECN), 6298 (timer), 7323
 * (scaling, timestamps), 5961 (blind attacks), 6528 (initial sequence), 4987 (SYN cookies).
 *
 *     tcp_input.c       the state machine for arriving segments
 *     tcp_ack.c         what an acknowledgement does to the send queue, RTT
 *     tcp_scoreboard.c  what of the send queue arrived or is lost (SACK), and sending it again
 *     tcp_recovery.c    when something counts as lost, and how fast to go on: RACK-TLP, PRR, undo
 *     tcp_receive.c     arriving data: order, window, when to acknowledge
 *     tcp_sack.c        the SACK blocks we send
 *     tcp_output.c      what may be sent now, headers
 *     tcp_timer.c       retransmission, probes, delayed ACK, keepalive
 *     tcp_memory.c      what all of them may hold
 *     tcp_congestion.c  how fast (one table per algorithm); tcp_cubic.c: the default
 *     tcp_request.c     connections in the making, SYN cookies in tcp_syncookie.c
 *     tcp_listen.c      listening and accepting
 *     tcp_time_wait.c   connections that are over
 *     tcp_socket.c      the calls of a socket; tcp_stream.c: send and receive; tcp_options.c: setsockopt
 *
 * Locking: a connection's fields are under its socket's spinlock; the interrupt handler and system calls take it for
 * short.  Order: connection, then (each alone) listener, demux stripe, port, wheel, neighbour, driver, wait queue.
 * User memory is copied outside of it: senders are serialised by send_lock, readers by read_lock, and only a reader
 * takes packets off the receive queue.
 *
 * Sequence variables carry RFC 9293's names.
 *
 * This header is for the rest of the stack; tcp_segment.h has the format, tcp_connection.h the structs, tcp_internal.h what
 * the files above tell each other.
 */
#pragma once

#include "kernel/net/ip.h"
#include "kernel/net/port.h"
#include "kernel/net/protocol.h"

extern struct port_table tcp_ports;
extern const struct protocol tcp_protocol, tcp6_protocol;

/* From IP. */
void tcp_input(struct packet *p, const struct ip_info *ip);
void tcp_error(const struct ip_error *e);

/* From net_flush(): tcp_output() of the connection whose output_link this is.  Not locked. */
void tcp_output_run(struct list *link);
