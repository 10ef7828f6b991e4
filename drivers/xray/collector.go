package xray

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

const (
	// poll is how often an awaited file is looked for.
	poll = 50 * time.Millisecond
	// sidecarWait is how long a complete image waits for its description.
	sidecarWait = time.Second
	// purgeEvery is how often moved files are looked through for old ones.
	purgeEvery = 10 * time.Minute
	// remembered is how many taken files are kept in mind for a sentence that
	// comes late.
	remembered = 256
	// scanAtOnce bounds the files that one look through the folder takes up.
	scanAtOnce = 256
)

// expected is an image that a sentence announced.
type expected struct {
	image    Image
	line     event.Reading // with the sentence's frame
	deadline time.Time
	whole    time.Time // when the file was first seen complete
}

// seen is a file in the folder as it was found last time.
type seen struct {
	size  int64
	mtime time.Time
	since time.Time // unchanged since
}

// collector takes images out of the drop folder. A file is moved away only
// after the reading that names it is stored; after a crash between the two it
// is found again and leads to a reading of the same key.
type collector struct {
	config Config
	env    driver.Env
	root   *os.Root
	ring   *driver.Ring
	wake   chan struct{}

	mu      sync.Mutex
	waiting []*expected     // announced, not yet found
	busy    map[string]bool // in a reading that is not stored yet
	taken   []string        // the last files that were stored

	found  map[string]seen // of the last look through the folder
	purged time.Time
}

func newCollector(c Config, env driver.Env, root *os.Root, ring *driver.Ring) *collector {
	return &collector{
		config: c, env: env, root: root, ring: ring, wake: make(chan struct{}, 1),
		busy: map[string]bool{}, found: map[string]seen{},
	}
}

// expect waits for the file of an image sentence. It does not block.
func (c *collector) expect(e *expected) {
	e.deadline = time.Now().Add(c.config.Drop.Wait)
	c.mu.Lock()
	c.waiting = append(c.waiting, e)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends or the store fails.
func (c *collector) run(ctx context.Context) error {
	next := time.Now()
	for {
		if !time.Now().Before(next) {
			if err := c.look(ctx); err != nil {
				return unlessDone(ctx, err)
			}
			next = time.Now().Add(c.config.Drop.Rescan)
		}
		left, err := c.settle(ctx)
		if err != nil {
			return unlessDone(ctx, err)
		}
		pause := time.Until(next)
		if left > 0 {
			pause = min(pause, poll)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// settle takes the announced files that have come and gives up those whose
// time is over; left is how many are still awaited.
func (c *collector) settle(ctx context.Context) (left int, err error) {
	c.mu.Lock()
	waiting := slices.Clone(c.waiting)
	c.mu.Unlock()
	for _, e := range waiting {
		done, err := c.try(ctx, e)
		if err != nil {
			return 0, err
		}
		if !done {
			left++
			continue
		}
		c.mu.Lock()
		c.waiting = slices.DeleteFunc(c.waiting, func(o *expected) bool { return o == e })
		c.mu.Unlock()
	}
	return left, nil
}

// try says whether nothing more is awaited of e.
func (c *collector) try(ctx context.Context, e *expected) (done bool, err error) {
	name := e.image.File
	if !safeName(name) {
		return true, c.missing(ctx, e, "the file's name is not one in the drop folder")
	}
	if c.elsewhere(e) {
		return true, nil
	}
	now := time.Now()
	n, err := size(c.root, name)
	switch {
	case err == nil && n == e.image.Bytes:
	case now.Before(e.deadline):
		return false, nil
	case err == nil:
		return true, c.missing(ctx, e, fmt.Sprintf("%s has %d of %d bytes", name, n, e.image.Bytes))
	default:
		return true, c.missing(ctx, e, name+": "+err.Error())
	}
	if e.whole.IsZero() {
		e.whole = now
	}
	sidecar, low := findSidecar(c.root, name), findLow(c.root, name)
	other, isLow := partner(name)
	lacks := sidecar == "" || other != "" && !isLow && low == ""
	if lacks && now.Before(e.whole.Add(sidecarWait)) && now.Before(e.deadline) {
		return false, nil
	}
	r := e.line
	r.Kind = event.ScanImage
	r.Key = key(e.image.ScanID, e.image.View)
	r.Scan = &event.Scan{ScanID: e.image.ScanID, View: e.image.View, Kind: c.config.Kind}
	return true, c.take(ctx, r, files{image: name, low: low, sidecar: sidecar})
}

// elsewhere says that the file of a sentence is in another reading: it was found
// without its sentence, which must not count it again, or goes with the high
// energy. The sentence is then told as such.
func (c *collector) elsewhere(e *expected) bool {
	if name := e.image.File; !safeName(name) || !c.isTaken(name) && !c.hasHigh(name) {
		return false
	}
	r := e.line
	r.Kind = event.ScanEvent
	r.Scan = &event.Scan{ScanID: e.image.ScanID, Event: TypeImage, View: e.image.View, Kind: c.config.Kind}
	c.ring.Put(r)
	return true
}

// take stores the files and queues the reading; the files are moved away when
// the reading is stored.
func (c *collector) take(ctx context.Context, r event.Reading, f files) error {
	if f.sidecar == "" {
		worsen(&r, event.Suspect, f.image+": no description beside it")
	}
	if err := c.attach(ctx, &r, f); err != nil {
		return err
	}
	if r.Scan.Image == nil {
		r.Key += "/unusable"
	}
	c.mu.Lock()
	for _, n := range f.names() {
		c.busy[n] = true
	}
	c.mu.Unlock()
	c.ring.PutThen(func() { c.stored(f) }, r)
	return nil
}

// missing tells that an announced image could not be had. A description that
// came without an image goes with it.
func (c *collector) missing(ctx context.Context, e *expected, why string) error {
	r := e.line
	r.Kind = event.ScanImage
	r.Key = key(e.image.ScanID, e.image.View) + "/missing"
	r.Scan = &event.Scan{ScanID: e.image.ScanID, View: e.image.View, Kind: c.config.Kind}
	worsen(&r, event.Bad, why)
	var f files
	if safeName(e.image.File) {
		if _, err := c.root.Lstat(e.image.File); errors.Is(err, fs.ErrNotExist) {
			f.sidecar = findSidecar(c.root, e.image.File)
		}
	}
	if err := c.attach(ctx, &r, f); err != nil {
		return err
	}
	c.mu.Lock()
	for _, n := range f.names() {
		c.busy[n] = true
	}
	c.mu.Unlock()
	c.ring.PutThen(func() { c.stored(f) }, r)
	return nil
}

// giveUp accounts for the sentences whose files had not come at the end. The
// files, if they come, are found at the next start.
func (c *collector) giveUp() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, e := range waiting {
		if c.elsewhere(e) {
			continue
		}
		r := e.line
		r.Kind = event.ScanImage
		r.Key = key(e.image.ScanID, e.image.View) + "/missing"
		r.Scan = &event.Scan{ScanID: e.image.ScanID, View: e.image.View, Kind: c.config.Kind}
		worsen(&r, event.Bad, "the line ended before the file was complete")
		c.ring.Put(r)
	}
}

func key(scan string, view int) string { return scan + "/" + strconv.Itoa(view) }

// stored moves or deletes files whose reading is on disk.
func (c *collector) stored(f files) {
	for _, n := range f.names() {
		var err error
		if c.config.Drop.After == "delete" {
			err = c.root.Remove(n)
		} else {
			err = c.moveTo(doneFolder, n)
		}
		c.release(n, err)
	}
	if f.image == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = append(c.taken, f.image)
	if f.low != "" {
		c.taken = append(c.taken, f.low)
	}
	if len(c.taken) > remembered {
		c.taken = c.taken[len(c.taken)-remembered:]
	}
}

// release frees a file that was put away. One that could not be stays spoken
// for until the next run, where its key shows that it is known; that is told.
func (c *collector) release(name string, err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		c.mu.Lock()
		delete(c.busy, name)
		c.mu.Unlock()
		return
	}
	c.ring.Put(event.Reading{
		Kind: event.DeviceReport, Class: event.Active, ReceivedAt: c.env.Now().UTC(), Frames: []string{},
		Quality: event.Suspect, Note: "stored file cannot be put away: " + err.Error(),
		Report: &event.Report{State: event.Degraded, Code: "DROP-FOLDER", Detail: map[string]string{"file": name}},
	})
}

func (c *collector) moveTo(folder, name string) error {
	if err := c.root.Mkdir(folder, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return c.root.Rename(name, folder+"/"+name)
}

// isTaken says whether the file was stored without its sentence and is gone.
func (c *collector) isTaken(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[name] {
		return true
	}
	if !slices.Contains(c.taken, name) {
		return false
	}
	_, err := c.root.Lstat(name)
	return err != nil
}

// isSpokenFor says whether the file belongs to a reading under way.
func (c *collector) isSpokenFor(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[name] {
		return true
	}
	for _, e := range c.waiting {
		if other, low := partner(name); low && e.image.File == other {
			return true // the low energy of an announced view
		}
		if e.image.File == name || slices.Contains(sidecarNames(e.image.File), name) {
			return true
		}
	}
	return false
}

// look goes through the folder for files that no sentence announced: those
// that came while nobody listened, and those whose sentence was lost.
func (c *collector) look(ctx context.Context) error {
	dir, err := c.root.Open(".")
	if err != nil {
		return fmt.Errorf("open drop folder: %w", err)
	}
	defer func() { _ = dir.Close() }()
	entries, err := dir.ReadDir(-1)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read drop folder: %w", err)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int {
		if a.Name() < b.Name() {
			return -1
		}
		return 1
	})
	still := map[string]seen{}
	took := 0
	for _, e := range entries {
		// Asked before the file is looked at: one that is put away meanwhile is
		// still spoken for, or gone.
		spokenFor := c.isSpokenFor(e.Name())
		s, ok := c.observe(e)
		if !ok {
			continue
		}
		still[e.Name()] = s
		if time.Since(s.since) < c.config.Drop.Wait || took >= scanAtOnce || spokenFor {
			continue
		}
		took++
		if err := c.orphan(ctx, e, s, entries); err != nil {
			return err
		}
	}
	c.found = still
	c.purge()
	return nil
}
