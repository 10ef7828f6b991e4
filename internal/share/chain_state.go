package share

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/event"
)

// anyDelivery stands for all classes where entries are read.
const anyDelivery event.Delivery = ""

// keptReceipts is how many receipts are known by id. They come every second
// and are cumulative: a double of an old one does no harm, and knowing millions
// would fill the memory of a small box.
const keptReceipts = 4096

// chainState is what is known of the stream without reading it.
type chainState struct {
	mu       sync.Mutex
	head     Head
	start    *Start
	first    uint64 // position of the oldest entry that is kept
	position uint64 // position of the last entry
	changed  chan struct{}

	seed     maphash.Seed
	ids      map[uint64]uint64 // hash of the event id to position
	receipts []uint64          // ring of id hashes
	oldest   int               // in receipts
	alerts   []uint64          // positions of the alert class, ascending
	// appended is when this process appended an alert, with the monotonic reading:
	// how old it is must not depend on a wall clock that is set.
	appended map[uint64]time.Time
	chains   []chainAt // where each chain of the stream begins
}

// chainAt says that the link of sequence n of a chain is at offset+n.
type chainAt struct {
	chain  string
	offset uint64
}

func (s *chainState) init() {
	s.seed = maphash.MakeSeed()
	s.ids = map[uint64]uint64{}
	s.appended = map[uint64]time.Time{}
	s.changed = make(chan struct{})
}

func (s *chainState) tail() tail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tail{head: s.head, start: s.start, position: s.position}
}

// reach is the positions of the oldest and of the last entry that are kept.
func (s *chainState) reach() (first, last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.first, 1), s.position
}

// begin makes the next link the first of a new chain.
func (s *chainState) begin(chain string, after []Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.start = Head{Chain: chain}, nil
	if len(after) > 0 {
		s.start = &Start{After: after}
	}
}

// add takes entries that are in the stream.
func (s *chainState) add(entries ...Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		h := e.Header
		s.index(indexed{chain: h.Chain, sequence: h.Sequence, kind: h.Type, id: h.Event}, e.Position)
		s.head = e.Head()
		if h.Type.Delivery() == event.DeliverAlert {
			s.appended[e.Position] = time.Now()
		}
	}
	s.start = nil
	s.wake()
}

// wake lets those go on who wait for more. The lock is held.
func (s *chainState) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// poke makes those look again who wait for more.
func (s *chainState) poke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake()
}

// index takes what is known of one entry. The lock is held.
func (s *chainState) index(x indexed, position uint64) {
	if n := len(s.chains); n == 0 || s.chains[n-1].chain != x.chain {
		s.chains = append(s.chains, chainAt{x.chain, position - x.sequence})
	}
	if x.kind.Delivery() == event.DeliverAlert {
		s.alerts = append(s.alerts, position)
	}
	hash := maphash.String(s.seed, string(x.id))
	s.ids[hash] = position
	if x.kind == event.TypeReceipt {
		s.keepReceipt(hash)
	}
	s.position = position
	if s.first == 0 {
		s.first = position
	}
}

func (s *chainState) keepReceipt(hash uint64) {
	if len(s.receipts) < keptReceipts {
		s.receipts = append(s.receipts, hash)
		return
	}
	delete(s.ids, s.receipts[s.oldest])
	s.receipts[s.oldest] = hash
	s.oldest = (s.oldest + 1) % keptReceipts
}

// where is the position of an event id that may be on the chain.
func (s *chainState) where(id event.ID) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	position, ok := s.ids[maphash.String(s.seed, string(id))]
	return position, ok
}

// next is the position of the first entry of a class after another position,
// and a channel that is closed when there may be more.
func (s *chainState) next(after uint64, class event.Delivery) (uint64, bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after = max(after, s.first-min(s.first, 1))
	i, _ := slices.BinarySearch(s.alerts, after+1)
	switch class {
	case event.DeliverAlert:
		if i == len(s.alerts) {
			return 0, false, s.changed
		}
		return s.alerts[i], true, s.changed
	case event.DeliverRecord:
		for after++; i < len(s.alerts) && s.alerts[i] == after; i++ {
			after++
		}
		return after, after <= s.position, s.changed
	default:
		return after + 1, after < s.position, s.changed
	}
}

// age is how old an entry is: by the time that has passed where this process
// appended it, otherwise by the clock.
func (s *chainState) age(e Entry) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.appended[e.Position]; ok {
		return time.Since(at)
	}
	return time.Since(e.Header.At)
}

// backlog is how many entries of a class are after a position.
func (s *chainState) backlog(after uint64, class event.Delivery) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	after = max(after, s.first-min(s.first, 1))
	if after >= s.position {
		return 0
	}
	i, _ := slices.BinarySearch(s.alerts, after+1)
	alerts := uint64(len(s.alerts) - i)
	switch class {
	case event.DeliverAlert:
		return alerts
	case event.DeliverRecord:
		return s.position - after - alerts
	default:
		return s.position - after
	}
}

// whole is the position up to which both classes are handed over, given the
// last position of each.
func (s *chainState) whole(alerts, records uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	low, high := min(alerts, records), max(alerts, records)
	i, _ := slices.BinarySearch(s.alerts, low+1)
	if alerts < records { // the next alert is what is missing
		if i < len(s.alerts) && s.alerts[i] <= high {
			return s.alerts[i] - 1
		}
		return high
	}
	for ; i < len(s.alerts) && s.alerts[i] == low+1; i++ {
		low++ // alerts right behind the last record
	}
	return min(low, high)
}

// positionOf is where a link of one of the stream's chains is.
func (s *chainState) positionOf(chain string, sequence uint64) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.chains) {
		if c.chain == chain && sequence > 0 && c.offset+sequence <= s.position {
			return c.offset + sequence, true
		}
	}
	return 0, false
}

// retire forgets what is before a position.
func (s *chainState) retire(first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = first
	i, _ := slices.BinarySearch(s.alerts, first)
	s.alerts = slices.Clone(s.alerts[i:])
	for hash, position := range s.ids {
		if position < first {
			delete(s.ids, hash)
		}
	}
	for position := range s.appended {
		if position < first {
			delete(s.appended, position)
		}
	}
}
