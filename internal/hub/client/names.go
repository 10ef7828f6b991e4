package client

import (
	"strings"

	"gatehouse/internal/event"
)

// Streams of the hub.
const (
	// InboxStream holds the alerts and records of an agency, on the subjects
	// inbox.alert.<gate> and inbox.record.<gate> of its account.
	InboxStream = "INBOX"
	// ImageStream holds chunks of evidence for an agency, on the subject
	// inbox.image.<gate>.<sha256> of its account.
	ImageStream = "IMAGES"
	// SayingsStream begins the names of the streams with what agencies say to
	// gates, on the subject from.<AGENCY>.<gate>.<kind> of the account GATES.
	SayingsStream = "SAYINGS"
)

// Kinds of what agencies say: the last token of the subject.
const (
	SayVerdict    = "verdict"
	SayAck        = "ack"
	SayCorrection = "correction"
	SayReceipt    = "receipt"
	SayWanted     = "wanted"
	SayCommand    = "command"
)

// Sayings lists the kinds of what agencies say.
func Sayings() []string {
	return []string{SayVerdict, SayAck, SayCorrection, SayReceipt, SayWanted, SayCommand}
}

// SayingsOf is the stream with what one agency says. Each has its own, so that
// one that is full refuses that agency alone.
func SayingsOf(a event.Agency) string { return SayingsStream + "-" + string(a) }

// SayingsConsumer is the durable consumer by which a gate reads one kind of
// what an agency says. The hub lets the gate make this one and no other.
func SayingsConsumer(gate, kind string) string { return gate + "-" + kind }

// SayingsFilter is the subject of one kind of what an agency says to a gate.
func SayingsFilter(a event.Agency, gate, kind string) string {
	return strings.Join([]string{"from", string(a), gate, kind}, ".")
}
