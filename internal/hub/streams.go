package hub

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
)

// doublesWindow is how long the hub itself drops a message that is published
// again under the same id. It only saves space: consumers drop doubles by
// primary key, however late they come.
const doublesWindow = 10 * time.Minute

func (o Options) inbox() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: client.InboxStream, Description: "Alerts and records for this agency",
		Subjects:  []string{"inbox.alert.>", "inbox.record.>"},
		Storage:   jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy,
		Discard:   jetstream.DiscardNew,
		MaxBytes:  o.InboxMaxBytes, MaxAge: o.InboxMaxAge,
		Duplicates: min(doublesWindow, o.InboxMaxAge),
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
	}
}

func (o Options) images() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: client.ImageStream, Description: "Chunks of evidence for this agency",
		Subjects:  []string{"inbox.image.>"},
		Storage:   jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy,
		Discard:   jetstream.DiscardOld,
		MaxBytes:  o.ImageMaxBytes, MaxAge: o.ImageMaxAge,
		Duplicates: min(doublesWindow, o.ImageMaxAge),
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
	}
}

// sayings keeps a message until its gate has chained it.
func (o Options) sayings(a event.Agency) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: client.SayingsOf(a), Description: "What " + string(a) + " says to gates",
		Subjects:  []string{"from." + string(a) + ".>"},
		Storage:   jetstream.FileStorage,
		Retention: jetstream.WorkQueuePolicy,
		Discard:   jetstream.DiscardNew,
		MaxBytes:  o.SayingsMaxBytes, MaxAge: o.SayingsMaxAge,
		Duplicates: min(doublesWindow, o.SayingsMaxAge),
		DenyDelete: true, DenyPurge: true,
	}
}
