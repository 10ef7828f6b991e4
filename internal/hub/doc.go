// Package hub runs the NATS servers between a gate and the agencies.
//
// Server is the hub: an account for the gates and one for each agency, joined
// only by explicit exports and imports, so that who says something follows
// from the account and never from a field. Field is the MQTT server for the
// cameras of a gate. Both listen where their configuration says and nowhere
// else.
//
// What is where on the hub:
//
//	account CUSTOMS       stream INBOX on inbox.alert.> and inbox.record.>,
//	account BORDERGUARD   stream IMAGES on inbox.image.>; service inbox.> is
//	                      exported to GATES alone
//	account GATES         imports them as to.customs.> and to.borderguard.>;
//	                      stream SAYINGS on from.>; exports the service
//	                      from.CUSTOMS.> to CUSTOMS alone (which imports it as
//	                      say.>), and so for the other agency
//
// INBOX refuses new messages when it is full, so nothing that was acknowledged
// is dropped before its age for want of room, and the gate keeps what it could
// not hand over. IMAGES drops its oldest: evidence can be asked for again.
package hub
