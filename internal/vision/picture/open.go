package picture

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"gatehouse/internal/vision/wire"
)

// Limits bound what is decoded.
type Limits struct {
	Bytes  int64 // of the file
	Pixels int   // width times height
	Side   int   // width or height
}

// DefaultLimits suit cameras up to 60 megapixels; the longest side is that of
// a line scanner's view of a road train.
func DefaultLimits() Limits {
	return Limits{Bytes: 256 << 20, Pixels: 60_000_000, Side: 65_000}
}

// read is the content of a regular file. Opening does not wait for the writer
// of a pipe and follows no link, so a path handed in by a device cannot hang
// the worker or lead it elsewhere.
func read(path string, limits Limits) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, wire.Errorf(wire.NotRegular, "there is no such file")
	case errors.Is(err, unix.ELOOP):
		return nil, wire.Errorf(wire.NotRegular, "is a symbolic link")
	case errors.Is(err, unix.ENXIO):
		return nil, wire.Errorf(wire.NotRegular, "is a socket or a device")
	case err != nil:
		return nil, wire.Errorf(wire.Undecodable, "cannot be opened: %v", cause(err))
	}
	defer f.Close()

	info, err := f.Stat()
	if err != nil {
		return nil, wire.Errorf(wire.Undecodable, "cannot be examined: %v", cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, wire.Errorf(wire.NotRegular, "is %s", kindOf(info.Mode()))
	}
	if info.Size() > limits.Bytes {
		return nil, tooLarge(info.Size(), limits)
	}
	data, err := io.ReadAll(io.LimitReader(f, limits.Bytes+1))
	if err != nil {
		return nil, wire.Errorf(wire.Undecodable, "cannot be read: %v", cause(err))
	}
	if int64(len(data)) > limits.Bytes { // it grew while being read
		return nil, tooLarge(int64(len(data)), limits)
	}
	if len(data) == 0 {
		return nil, wire.Errorf(wire.Undecodable, "the file is empty")
	}
	return data, nil
}

// kindOf names what is no regular file.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

func tooLarge(size int64, limits Limits) error {
	return wire.Errorf(wire.TooLarge, "has %d bytes; at most %d are read", size, limits.Bytes)
}

// cause strips the operation and the path, which the caller names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
