package torture

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// Wall is the offset of a program's wall clock, in a file that the program maps
// into its memory: it is set at once and for all its goroutines. Programs built
// with the time package of package overlay read it.
type Wall struct{ path string }

// wallEnv names the file to the program.
const wallEnv = "GATEHOUSE_WALL"

// NewWall makes the file; the clock goes right.
func NewWall(path string) (*Wall, error) {
	w := &Wall{path}
	if err := os.WriteFile(path, make([]byte, 8), 0o644); err != nil {
		return nil, fmt.Errorf("make a wall clock: %w", err)
	}
	return w, nil
}

// Env makes a program use it.
func (w *Wall) Env() string { return wallEnv + "=" + w.path }

// Set sets the clock to differ by d from the machine's.
func (w *Wall) Set(d time.Duration) error {
	f, err := os.OpenFile(w.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("set a wall clock: %w", err)
	}
	defer f.Close()
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], uint64(d))
	if _, err := f.WriteAt(b[:], 0); err != nil {
		return fmt.Errorf("set a wall clock: %w", err)
	}
	return nil
}
