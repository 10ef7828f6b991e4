package xray

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// observe notes a file of the folder; ok is false for what is never taken.
func (c *collector) observe(e os.DirEntry) (s seen, ok bool) {
	name := e.Name()
	if e.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".part") {
		return seen{}, false
	}
	// Not the entry's own information: that may be as old as the listing.
	info, err := c.root.Lstat(name)
	if err != nil {
		return seen{}, false // gone meanwhile
	}
	s = seen{size: info.Size(), mtime: info.ModTime(), since: time.Now()}
	if old, known := c.found[name]; known && old.size == s.size && old.mtime.Equal(s.mtime) {
		s.since = old.since
	}
	return s, true
}

// orphan takes a file that no sentence announced and that has been unchanged
// for long enough.
func (c *collector) orphan(ctx context.Context, e os.DirEntry, s seen, entries []os.DirEntry) error {
	name := e.Name()
	r := event.Reading{
		Class: event.Active, ReceivedAt: c.env.Now().UTC(), Quality: event.Good, Frames: []string{},
	}
	switch {
	case !e.Type().IsRegular():
		c.reject(r, name, errNotRegular.Error())
		return nil
	case !safeName(name):
		c.reject(r, name, "the file's name cannot be used")
		return nil
	case isSidecarName(name):
		// Its image is taken first; without one it goes alone, late.
		if hasImage(name, entries) || time.Since(s.since) < 3*c.config.Drop.Wait {
			return nil
		}
		scan, view := nameParts(name)
		r.Kind = event.ScanImage
		r.Key = key(scan, view) + "/sidecar"
		r.Scan = &event.Scan{ScanID: scan, View: view, Kind: c.config.Kind}
		worsen(&r, event.Bad, "a description without an image")
		return c.takeAlone(ctx, r, name)
	case !isImageName(name) && !c.looksLikeImage(name):
		c.reject(r, name, "neither an image nor a description")
		return nil
	}
	if c.hasHigh(name) {
		return nil
	}
	scan, view := nameParts(name)
	r.Kind = event.ScanImage
	r.Key = key(scan, view)
	r.Scan = &event.Scan{ScanID: scan, View: view, Kind: c.config.Kind}
	if _, low := partner(name); low {
		r.Key += "/low"
		worsen(&r, event.Suspect, "a low energy without the high one, or after it")
	}
	if view == 0 {
		worsen(&r, event.Suspect, "the file's name tells no view")
	}
	return c.take(ctx, r, files{image: name, low: findLow(c.root, name), sidecar: findSidecar(c.root, name)})
}

// takeAlone takes a description that has no image.
func (c *collector) takeAlone(ctx context.Context, r event.Reading, name string) error {
	f := files{sidecar: name}
	if err := c.attach(ctx, &r, f); err != nil {
		return err
	}
	c.mu.Lock()
	c.busy[name] = true
	c.mu.Unlock()
	c.ring.PutThen(func() { c.stored(f) }, r)
	return nil
}

// hasImage says whether one of the entries is the image that the description
// belongs to.
func hasImage(sidecar string, entries []os.DirEntry) bool {
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return e.Type().IsRegular() && !isSidecarName(e.Name()) && slices.Contains(sidecarNames(e.Name()), sidecar)
	})
}

func (c *collector) looksLikeImage(name string) bool {
	f, err := openRegular(c.root, name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 16)
	n, _ := f.ReadAt(head, 0)
	return mediaType(head[:n]) != "application/octet-stream"
}

// reject leaves a trace of something in the folder that cannot be used and
// puts it aside. Its content is not read.
func (c *collector) reject(r event.Reading, name, why string) {
	r.Kind = event.FrameInvalid
	worsen(&r, event.Bad, "drop folder: "+strings.ToValidUTF8(name, "?")+": "+why)
	c.mu.Lock()
	c.busy[name] = true
	c.mu.Unlock()
	c.ring.PutThen(func() {
		c.release(name, c.moveTo(rejectedFolder, name))
	}, r)
}

// purge deletes moved files that are old; their content is in the evidence
// store.
func (c *collector) purge() {
	if time.Since(c.purged) < purgeEvery {
		return
	}
	c.purged = time.Now()
	dir, err := c.root.Open(doneFolder)
	if err != nil {
		return // nothing was moved yet
	}
	defer func() { _ = dir.Close() }()
	entries, _ := dir.ReadDir(-1)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && c.env.Now().Sub(info.ModTime()) > c.config.Drop.Keep {
			_ = c.root.Remove(doneFolder + "/" + e.Name())
		}
	}
}
