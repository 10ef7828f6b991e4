package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk is an ext4 file system in a file, mounted with a commit interval so long
// that only what a program synced is in the file. It needs root.
type Disk struct {
	image string
	mount string
	cuts  int
}

// commitEvery is the interval in seconds after which ext4 would commit by itself:
// longer than a run.
const commitEvery = 3600

// NewDisk makes and mounts a file system of so many MiB.
func NewDisk(ctx context.Context, image, mount string, size int) (*Disk, error) {
	d := &Disk{image: image, mount: mount}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	if err := os.Truncate(image, int64(size)<<20); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	// No blocks for root alone, so that full is full for everybody.
	if err := command(ctx, "mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", image); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(mount, 0o755); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	return d, d.attach(ctx)
}

func (d *Disk) attach(ctx context.Context) error {
	return command(ctx, "mount", "-o", fmt.Sprintf("loop,commit=%d", commitEvery), d.image, d.mount)
}

// Cut cuts the power: what was not synced is gone. Whoever writes to the disk has
// to be stopped before and ended after.
//
// The file is copied as it is and the copy mounted. Taking the old one down would
// write everything into it first.
func (d *Disk) Cut(ctx context.Context) error {
	d.cuts++
	next := fmt.Sprintf("%s.%d", strings.TrimSuffix(d.image, filepath.Ext(d.image)), d.cuts)
	if err := command(ctx, "cp", "--sparse=always", d.image, next); err != nil {
		return err
	}
	if err := d.Detach(ctx); err != nil {
		return err
	}
	if err := os.Remove(d.image); err != nil {
		return fmt.Errorf("remove the disk that lost its power: %w", err)
	}
	d.image = next
	return d.attach(ctx)
}

// Detach takes the file system down. Files that are still open stay readable.
func (d *Disk) Detach(ctx context.Context) error { return command(ctx, "umount", "-l", d.mount) }

// filler takes the room that a full disk lacks.
const filler = ".filler"

// Fill leaves so many bytes free.
func (d *Disk) Fill(leave int64) error {
	path := filepath.Join(d.mount, filler)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer f.Close()
	var st unix.Statfs_t
	if err := unix.Statfs(d.mount, &st); err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	take := int64(st.Bavail)*st.Bsize - leave
	if take <= 0 {
		return nil
	}
	for ; take > 0; take -= st.Bsize { // the tables of the file system itself take some too
		if err := unix.Fallocate(int(f.Fd()), 0, 0, take); err == nil {
			return nil
		} else if err != unix.ENOSPC {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

// Free gives the room back.
func (d *Disk) Free() error { return os.Remove(filepath.Join(d.mount, filler)) }

// command runs a program of the system.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
