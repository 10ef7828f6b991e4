package worker

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// drain is how long a request in flight may still take after the daemon is
// gone. A worker stuck in a library must not outlive its daemon for ever.
const drain = 30 * time.Second

// Isolate makes this process a worker: it returns the real standard output and
// lets everything else that is written to descriptor 1 go to standard error,
// so that a library's print cannot break the protocol. It must run before any
// image library is called. memoryMB bounds the process's data segment; 0 leaves
// it. threads is how many OpenCV may use.
func Isolate(memoryMB, threads int) (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("keep standard output: %w", err)
	}
	if err := unix.Dup3(2, 1, 0); err != nil {
		return nil, fmt.Errorf("send standard output to standard error: %w", err)
	}
	if memoryMB > 0 {
		// Not RLIMIT_AS: ONNX Runtime maps far more than it uses.
		limit := unix.Rlimit{Cur: uint64(memoryMB) << 20, Max: uint64(memoryMB) << 20}
		if err := unix.Setrlimit(unix.RLIMIT_DATA, &limit); err != nil {
			return nil, fmt.Errorf("limit memory to %d MB: %w", memoryMB, err)
		}
	}
	if err := os.Setenv("OPENCV_FOR_THREADS_NUM", strconv.Itoa(threads)); err != nil {
		return nil, fmt.Errorf("limit OpenCV's threads: %w", err)
	}
	return os.NewFile(uintptr(fd), "answers"), nil
}

// Input copies standard input and ends the process some time after it ended,
// even while a request is stuck.
func Input() io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, os.Stdin)
		_ = w.CloseWithError(err)
		<-time.After(drain)
		fmt.Fprintln(os.Stderr, "gatehouse-vision: the request in flight did not end after the daemon left")
		os.Exit(1)
	}()
	return r
}
