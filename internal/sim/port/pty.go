package port

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is one pseudo-terminal pair with a watch on who has it open.
type terminal struct {
	master *os.File // non-blocking, on the runtime's poller
	slave  *os.File // held open so that readers can come and go
	watch  *os.File // inotify on the slave
	path   string
}

func openTerminal() (_ *terminal, err error) {
	m, s, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	t := &terminal{slave: s, path: s.Name()}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	// The library leaves the master in blocking mode, where neither deadlines
	// nor Close wake a reader.
	t.master, err = pollable(m)
	if err != nil {
		return nil, err
	}
	if err := t.reset(); err != nil {
		return nil, err
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", t.path, err)
	}
	t.watch = os.NewFile(uintptr(fd), "inotify:"+t.path)
	if _, err := unix.InotifyAddWatch(fd, t.path, unix.IN_OPEN|unix.IN_CLOSE_WRITE|unix.IN_CLOSE_NOWRITE); err != nil {
		return nil, fmt.Errorf("watch %s: %w", t.path, err)
	}
	return t, nil
}

func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("duplicate %s: %w", f.Name(), err), f.Close())
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("set %s non-blocking: %w", f.Name(), err), f.Close(), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), f.Close()
}

// reset puts the line into its state at power-on: raw, not exclusive, nothing
// waiting to be read.
func (t *terminal) reset() error {
	fd := int(t.slave.Fd())
	set, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read settings of %s: %w", t.path, err)
	}
	set.Iflag, set.Oflag, set.Lflag = 0, 0, 0
	set.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B9600
	set.Cc[unix.VMIN], set.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, set); err != nil {
		return fmt.Errorf("set %s raw: %w", t.path, err)
	}
	return errors.Join(
		unix.IoctlSetInt(fd, unix.TIOCNXCL, 0),
		unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH),
	)
}

// unread is how many bytes lie in the terminal that nobody has read.
func (t *terminal) unread() int {
	n, err := unix.IoctlGetInt(int(t.slave.Fd()), unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// opens reads the next inotify events: +1 for each opening, -1 for each close.
func (t *terminal) opens(each func(delta int)) error {
	buf := make([]byte, 4096)
	for {
		n, err := t.watch.Read(buf)
		if err != nil {
			return err
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			mask := binary.NativeEndian.Uint32(buf[at+4:])
			name := binary.NativeEndian.Uint32(buf[at+12:])
			switch {
			case mask&unix.IN_OPEN != 0:
				each(+1)
			case mask&(unix.IN_CLOSE_WRITE|unix.IN_CLOSE_NOWRITE) != 0:
				each(-1)
			}
			at += unix.SizeofInotifyEvent + int(name)
		}
	}
}

func (t *terminal) close() error {
	var errs []error
	for _, f := range []*os.File{t.watch, t.master, t.slave} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
