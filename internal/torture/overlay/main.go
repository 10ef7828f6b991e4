// Command overlay writes what `go build -overlay` needs for programs whose wall
// clock a harness can set: a copy of the toolchain's time package in which Now
// adds the eight bytes of the file that GATEHOUSE_WALL names, in nanoseconds.
// The monotonic clock stays as it is, as when somebody sets a machine's clock;
// the machine's own clock is left alone.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const read = `	sec, nsec, mono := runtimeNow()
	if mono == 0 {`

const readWithOffset = `	sec, nsec, mono := runtimeNow()
	if wallOffset != nil {
		ns := int64(nsec) + atomic.LoadInt64(wallOffset)
		sec += ns / 1e9
		if ns %= 1e9; ns < 0 {
			ns += 1e9
			sec--
		}
		nsec = int32(ns)
	}
	if mono == 0 {`

const offset = `
// wallOffset is the file's memory; nil without the file.
var wallOffset = openWallOffset()

func openWallOffset() *int64 {
	path, ok := syscall.Getenv("GATEHOUSE_WALL")
	if !ok {
		return nil
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return (*int64)(unsafe.Pointer(&b[0]))
}
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: overlay FOLDER")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("ask for GOROOT: %w", err)
	}
	source := filepath.Join(string(bytes.TrimSpace(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	for _, change := range [][2]string{
		{read, readWithOffset},
		{"import (\n\t\"errors\"\n\t\"math/bits\"\n\t_ \"unsafe\" // for go:linkname\n)\n",
			"import (\n\t\"errors\"\n\t\"math/bits\"\n\t\"sync/atomic\"\n\t\"syscall\"\n\t\"unsafe\"\n)\n" + offset},
	} {
		if bytes.Count(text, []byte(change[0])) != 1 {
			return fmt.Errorf("%s is not as this program knows it; adapt the overlay", source)
		}
		text = bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1)
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	changed := filepath.Join(dir, "time.go.changed") // not a Go file of this module
	if err := os.WriteFile(changed, text, 0o644); err != nil {
		return err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "overlay.json"), b, 0o644)
}
