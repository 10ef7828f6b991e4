package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/journal"
)

const (
	// most is how many commands may wait at one device: more than people give,
	// and little enough that the last is still valid when its turn comes.
	most = 16
	// deviceTime bounds how long a device may take to answer a command.
	deviceTime = 3 * time.Second
	// sharePause is the pause before an answer that could not be stored, because
	// the disk is full, is tried again.
	sharePause = time.Second
)

// Journal is the gate's journal as the keeper uses it.
type Journal interface {
	Append(ctx context.Context, s journal.Stream, entries ...event.JournalEntry) error
	SaveSnapshot(ctx context.Context, name string, snap journal.Snapshot) error
	LoadSnapshot(ctx context.Context, name string) (journal.Snapshot, bool, error)
}

// Device is one device of the gate. A driver.Refusal, driver.ErrOffline and
// driver.ErrNoCommand say that nothing was moved; any other error that nobody
// knows.
type Device interface {
	Command(ctx context.Context, v event.ControlVerb) error
}

// Config is what a keeper is made of.
type Config struct {
	Gate    string
	Journal Journal
	// Share appends to the shared record and returns when it is on disk; an
	// event whose id is there already is no error.
	Share func(ctx context.Context, events []event.Envelope) error
	// Find reads a change from the shared record; false when it is not there.
	Find func(ctx context.Context, id event.ID) (event.ControlChange, bool, error)
	// Device finds a device as it is now; nil for none.
	Device func(lane, device string) Device
	Now    func() time.Time // with a monotonic reading
	Fault  *fault.Points    // may be nil
	Log    *slog.Logger
}

// ErrEnding says that the gate is ending and takes no commands.
var ErrEnding = errors.New("the gate is ending")

// Keeper takes commands, and keeps the leases of all devices. Its methods may
// be called from any goroutine.
type Keeper struct {
	config Config
	life   context.Context // of what is under way
	end    context.CancelFunc
	ready  chan struct{} // closed when the replay is done

	mu       sync.Mutex
	ledger   ledger
	position uint64
	unsaved  int
	desks    map[string]*desk
	seen     map[event.ID]bool // taken in this run and not answered yet
	ending   bool
	work     sync.WaitGroup
}

// Open makes a keeper that knows what its snapshot says. It takes commands
// after Apply was given the rest of the journal and GoLive was called. Close
// ends it.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	k := &Keeper{config: c, ready: make(chan struct{}), desks: map[string]*desk{}, seen: map[event.ID]bool{}}
	if err := k.restore(ctx); err != nil {
		return nil, fmt.Errorf("restore control leases: %w", err)
	}
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	return k, nil
}

// GoLive ends the replay. Commands that an earlier run had journalled and not
// answered are answered as lost, and will never be carried out; its leases are
// over.
func (k *Keeper) GoLive(ctx context.Context) error {
	k.mu.Lock()
	open, held := k.ledger.open(), maps.Clone(k.ledger.Held)
	k.mu.Unlock()
	for _, c := range open {
		answer, answered, err := k.config.Find(ctx, event.AnswerID(c.ID))
		if err != nil {
			return fmt.Errorf("look for the answer to command %s: %w", c.ID, err)
		}
		switch {
		case !answered:
			answer = k.answer(c, k.config.Now())
			answer.Outcome, answer.Code, answer.Why = event.ControlLost, event.ControlRestart, why(event.ControlRestart)
			k.config.Log.Warn("command lost by a restart, it will not be carried out", "lane", c.Lane, "device", c.Device, "agency", c.Agency, "event_id", c.ID)
		case answer.Holder == "": // shared, and not journalled any more
			delete(held, key(answer.Where))
		default:
			held[key(answer.Where)] = answer
		}
		if err := k.say(ctx, answer); err != nil {
			return err
		}
	}
	for _, h := range held {
		if err := k.say(ctx, k.ended(h, event.ControlRestart)); err != nil {
			return err
		}
	}
	close(k.ready)
	return nil
}

// Take takes a command that an agency said and returns when it is journalled,
// or was before; what comes of it is shared. An error means that it has to be
// given again.
func (k *Keeper) Take(ctx context.Context, c event.Command) error {
	_, err := k.take(ctx, c, nil)
	return err
}

// Do takes a command from somebody at the gate and returns what came of it.
func (k *Keeper) Do(ctx context.Context, c event.Command) (event.ControlChange, error) {
	result := make(chan event.ControlChange, 1)
	taken, err := k.take(ctx, c, result)
	if err != nil {
		return event.ControlChange{}, err
	}
	if !taken {
		return event.ControlChange{}, fmt.Errorf("command %s was given before", c.ID)
	}
	select {
	case r := <-result:
		return r, nil
	case <-ctx.Done():
		return event.ControlChange{}, ctx.Err()
	case <-k.life.Done():
		return event.ControlChange{}, ErrEnding
	}
}

func (k *Keeper) take(ctx context.Context, c event.Command, result chan<- event.ControlChange) (taken bool, err error) {
	select {
	case <-k.ready:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if known, err := k.admit(ctx, c); err != nil || known {
		return false, err
	}
	entry := event.JournalEntry{
		ID:   event.DeriveID(c.ID.Time(), "control.command", "1", c.ID),
		Lane: c.Lane, At: k.config.Now().UTC(), Kind: event.EntryCommand, Command: &c,
	}
	if err := k.config.Journal.Append(ctx, journal.Main, entry); err != nil {
		// Whether it is on disk is not known; it was not carried out, and this run
		// will take it when it is said again.
		k.mu.Lock()
		defer k.mu.Unlock()
		k.forget(c.ID)
		return false, fmt.Errorf("journal command %s: %w", c.ID, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.desk(c.Where).put(task{command: c, result: result})
	k.work.Done() // the desk counts on
	return true, nil
}

// admit counts the command as under way, unless it was taken before.
func (k *Keeper) admit(ctx context.Context, c event.Command) (known bool, err error) {
	k.mu.Lock()
	if k.ending {
		k.mu.Unlock()
		return false, ErrEnding
	}
	if k.seen[c.ID] {
		k.mu.Unlock()
		return true, nil
	}
	k.seen[c.ID] = true
	k.work.Add(1)
	k.mu.Unlock()
	_, answered, err := k.config.Find(ctx, event.AnswerID(c.ID))
	if err != nil || answered {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.forget(c.ID)
	}
	if err != nil {
		return false, fmt.Errorf("look for the answer to command %s: %w", c.ID, err)
	}
	return answered, nil
}

// forget undoes admit; the caller holds mu.
func (k *Keeper) forget(id event.ID) {
	delete(k.seen, id)
	k.work.Done()
}

// Lease is who controls a device now.
func (k *Keeper) Lease(lane, device string) Lease {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, ok := k.desks[key(event.Where{Lane: lane, Device: device})]
	if !ok {
		return Lease{}
	}
	now := k.config.Now()
	l := d.lease
	l.Expire(now)
	return l
}

// desk is a device's; the caller holds mu.
func (k *Keeper) desk(w event.Where) *desk {
	d, ok := k.desks[key(w)]
	if !ok {
		d = &desk{keeper: k, where: event.Where{Gate: k.config.Gate, Lane: w.Lane, Device: w.Device}}
		k.desks[key(w)] = d
	}
	return d
}

// Close takes no more commands, waits for those under way, and ends all
// leases: the devices are red then, or about to be. The log of it is shared
// when Close returns.
func (k *Keeper) Close(ctx context.Context) error {
	k.mu.Lock()
	k.ending = true
	for _, d := range k.desks {
		d.idle()
	}
	k.mu.Unlock()
	done := make(chan struct{})
	go func() {
		k.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		k.end() // gives up what waits for room on the disk
		<-done
	}
	defer k.end()
	k.mu.Lock()
	var ends []event.ControlChange
	for _, d := range k.desks {
		if d.lease.Holder == "" {
			continue
		}
		last := d.last
		ends = append(ends, k.ended(last, event.ControlStopped))
		d.lease = Lease{}
	}
	k.mu.Unlock()
	var err error
	for _, e := range ends {
		err = errors.Join(err, k.say(ctx, e))
	}
	return err
}

// answer begins the answer to a command.
func (k *Keeper) answer(c event.Command, now time.Time) event.ControlChange {
	return event.ControlChange{
		ID: event.AnswerID(c.ID), Where: event.Where{Gate: k.config.Gate, Lane: c.Lane, Device: c.Device}, At: now.UTC(),
		Command: c.ID, Asked: c.At, Agency: c.Agency, Badge: c.Badge, Verb: c.Verb, Force: c.Force, Reason: c.Reason,
	}
}

// ended is the end of the lease that a change left; each has one end.
func (k *Keeper) ended(held event.ControlChange, code string) event.ControlChange {
	return event.ControlChange{
		ID: event.DeriveID(held.ID.Time(), "control.end", "1", held.ID), Where: held.Where, At: k.config.Now().UTC(),
		Agency: held.Holder, Verb: event.ControlRelease, Outcome: event.ControlDone, Code: code, Why: why(code),
	}
}

// say shares a change and then journals it: what is on the shared record was
// said, whatever a crash in between makes of the journal.
func (k *Keeper) say(ctx context.Context, c event.ControlChange) error {
	e, err := event.Wrap("/gate/"+k.config.Gate, event.TypeControl, c.ID, c.Lane+"/"+c.Device, c.At, c)
	if err != nil {
		return err
	}
	for {
		if err = k.config.Share(ctx, []event.Envelope{e}); !errors.Is(err, journal.ErrReserve) {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("share %s of %s/%s: %w", c.Verb, c.Lane, c.Device, err)
		case <-time.After(sharePause):
		}
	}
	if err != nil {
		return fmt.Errorf("share %s of %s/%s: %w", c.Verb, c.Lane, c.Device, err)
	}
	entry := event.JournalEntry{ID: c.ID, Lane: c.Lane, At: c.At, Kind: event.EntryControl, Control: &c}
	if err := k.config.Journal.Append(ctx, journal.Main, entry); err != nil {
		return fmt.Errorf("journal %s of %s/%s: %w", c.Verb, c.Lane, c.Device, err)
	}
	return nil
}
