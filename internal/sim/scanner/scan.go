package scanner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
)

// Image is a finished view.
type Image struct {
	PNG        []byte
	Width      int
	Height     int
	AirLevel   int     // pixel value of air
	MMPerPixel float64 // at the middle of the vehicle
}

// Job is one vehicle to scan.
type Job struct {
	Vehicle int
	Passage string
	Lasts   time.Duration // simulated time in the beam
	// Cut says where an interlock occasion opens the door, as a share of the scan.
	Cut float64
	// Render makes the image of the first share of the vehicle, 0..1.
	Render func(share float64) (Image, error)
}

// Shot is a scan that is over and whose image has not been left yet.
type Shot struct {
	ID     string // empty when the scanner could not scan
	State  string // why not
	Result int    // of SCAN_END: 0 complete, 3 cut off
	Faults []string
	job    Job
	share  float64
	at     time.Time
}

// jump is how far ahead the clock jumps.
const jump = time.Hour

// result of SCAN_END when an interlock ended the scan.
const cutOff = 3

// Scan lets a vehicle pass through the beam. A scanner that is not ready lets
// it pass unscanned: the shot then has no id.
func (s *Scanner) Scan(ctx context.Context, job Job) (Shot, error) {
	shot := Shot{job: job, at: time.Now().UTC(), share: 1}
	state, _, _, _, _ := s.state()
	if state != "READY" && state != "ARMED" {
		shot.State = state
		return shot, s.set.Pace.Sleep(ctx, job.Lasts)
	}
	id, err := s.begin()
	if err != nil {
		return shot, err
	}
	shot.ID = id
	s.send(job.Passage, "XEVT", "ITEM_IN")
	s.status()
	s.send(job.Passage, "XEVT", "SCAN_BEGIN,"+id)
	opens := s.board.Take(fault.XRay, "interlock", job.Vehicle)
	shot.share, err = s.beam(ctx, job, opens)
	if opens {
		shot.Faults = append(shot.Faults, "interlock")
	}
	if shot.share < 1 {
		shot.Result = cutOff
	}
	s.mu.Lock()
	s.scanning = false
	s.mu.Unlock()
	s.status()
	s.send(job.Passage, "XEVT", fmt.Sprintf("SCAN_END,%s,%d", id, shot.Result))
	s.send(job.Passage, "XEVT", "ITEM_OUT")
	if opens && err == nil {
		err = s.set.Pace.Sleep(ctx, doorTime)
		s.mu.Lock()
		s.door = false
		s.mu.Unlock()
		s.status()
	}
	return shot, err
}

func (s *Scanner) begin() (string, error) {
	n, err := s.set.NextID()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanning = true
	id := fmt.Sprintf("L%s-%06d", s.set.Lane, n)
	if s.armed != "" {
		id, s.armed = s.armed, ""
	}
	return id, nil
}

// beam waits while the vehicle passes and returns the share that was scanned
// before a door or the emergency stop cut the rays.
func (s *Scanner) beam(ctx context.Context, job Job, opens bool) (float64, error) {
	watching, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	defer jobs.Wait()
	defer stop()
	cut := make(chan struct{}, 2)
	for _, name := range []string{"door-open", "e-stop"} {
		jobs.Go(func() {
			s.board.Follow(watching, fault.XRay, name, func(on bool) {
				if on {
					cut <- struct{}{}
					stop()
				}
			})
		})
	}
	began := time.Now()
	lasts := job.Lasts
	if opens {
		lasts = time.Duration(float64(lasts) * job.Cut)
	}
	err := s.set.Pace.Sleep(watching, lasts)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil: // cut from outside
		<-cut
		share := float64(time.Since(began)) / float64(s.set.Pace.Real(job.Lasts))
		return min(max(share, 0.05), 0.99), nil
	case opens:
		s.mu.Lock()
		s.door = true
		s.mu.Unlock()
		s.status()
		return job.Cut, nil
	}
	return 1, nil
}

// Sidecar is the JSON file beside each image, named <image file>.json.
type Sidecar struct {
	ScanID     string    `json:"scan_id"`
	View       int       `json:"view"`
	File       string    `json:"file"`
	Kind       string    `json:"kind"`
	Energy     string    `json:"energy"`
	Time       time.Time `json:"time"` // UTC, begin of the scan
	KV         float64   `json:"kv"`   // end-point energy of the source
	MA         float64   `json:"ma"`   // mean beam current
	Width      int       `json:"width"`
	Height     int       `json:"height"`
	Bits       int       `json:"bits"`
	AirLevel   int       `json:"air_level"` // pixel value of air
	MMPerPixel float64   `json:"mm_per_pixel"`
	Bytes      int       `json:"bytes"`
	SHA256     string    `json:"sha256"`
	Complete   bool      `json:"complete"` // false when the scan was cut off
}

// Left is what Deliver left in the folder.
type Left struct {
	Image  string // digest of the image file; empty when there is none
	Faults []string
}

// Deliver renders the shot's image, leaves it with its sidecar in the folder
// and announces it.
func (s *Scanner) Deliver(ctx context.Context, shot Shot) (Left, error) {
	var left Left
	if shot.ID == "" {
		return left, nil
	}
	take := func(name string) bool {
		used := s.board.Take(fault.XRay, name, shot.job.Vehicle)
		if used {
			left.Faults = append(left.Faults, name)
		}
		return used
	}
	img, err := shot.job.Render(shot.share)
	if err != nil {
		return left, err
	}
	file, spoilt, err := s.board.Picture(fault.XRay, shot.job.Vehicle, img.PNG)
	if err != nil {
		return left, err
	}
	left.Faults = append(left.Faults, spoilt...)
	if take("image-late") {
		if err := s.set.Pace.Sleep(ctx, lateImage); err != nil {
			return left, err
		}
	}
	name := shot.ID + "_v1.png"
	taken := shot.at
	if s.board.On(fault.XRay, "clock-jump") {
		taken = taken.Add(jump)
		left.Faults = append(left.Faults, "clock-jump")
	}
	kind, kv, ma := Cargo, 6000.0, 0.1
	if s.set.Kind == Baggage {
		kind, kv, ma = Baggage, 160, 0.6
	}
	side := Sidecar{
		ScanID: shot.ID, View: 1, File: name, Kind: kind, Energy: "high", Time: taken, KV: kv, MA: ma,
		Width: img.Width, Height: img.Height, Bits: 16, AirLevel: img.AirLevel, MMPerPixel: img.MMPerPixel,
		Bytes: len(file), SHA256: digest(file), Complete: shot.Result == 0,
	}
	if take("digest-wrong") {
		side.SHA256 = digest([]byte(side.SHA256))
	}
	if !take("sidecar-missing") {
		text, err := json.Marshal(side)
		if err != nil {
			return left, fmt.Errorf("encode sidecar: %w", err)
		}
		if err := s.leave(name+".json", append(text, '\n'), shot.job.Passage); err != nil {
			return left, err
		}
	}
	switch {
	case take("file-missing"):
	case take("half-written"):
		err = os.WriteFile(filepath.Join(s.set.Drop, name), file[:len(file)/2], 0o644)
	case take("image-fifo"):
		err = unix.Mkfifo(filepath.Join(s.set.Drop, name), 0o644)
	default:
		left.Image = digest(file)
		err = s.leave(name, file, shot.job.Passage)
	}
	if err != nil {
		return left, fmt.Errorf("leave image %s: %w", name, err)
	}
	s.send(shot.job.Passage, "XIMG", fmt.Sprintf("%s,1,%s,%d", shot.ID, name, len(file)))
	return left, s.tidy()
}

// leave puts a whole file into the folder under its final name in one step.
func (s *Scanner) leave(name string, data []byte, passage string) error {
	path := filepath.Join(s.set.Drop, name)
	if err := os.MkdirAll(s.set.Drop, 0o755); err != nil {
		return fmt.Errorf("make drop folder: %w", err)
	}
	if err := os.WriteFile(path+".part", data, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, os.Remove(path+".part")))
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("rename %s: %w", name, err)
	}
	s.book.Sent(fault.XRay, book.File, data, passage)
	return nil
}

// tidy removes the scanner's own files that are older than Keep.
func (s *Scanner) tidy() error {
	if s.set.Keep <= 0 {
		return nil
	}
	list, err := os.ReadDir(s.set.Drop)
	if err != nil {
		return fmt.Errorf("tidy drop folder: %w", err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil || !strings.Contains(e.Name(), "_v1.png") || time.Since(info.ModTime()) < s.set.Keep {
			continue // gone meanwhile, not ours, or still wanted
		}
		if err := os.Remove(filepath.Join(s.set.Drop, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("tidy drop folder: %w", err)
		}
	}
	return nil
}
