// Command backfill puts a backlog onto the chain of a gate that does not run:
// records of the past, as a gate has them that could not reach its hub for hours.
// The records are frame logs of a device that does not exist, without frames.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// batch is how many records are chained with one wait for the disk.
const batch = 250

func run(ctx context.Context) error {
	state := flag.String("state", "", "the gate's folder")
	wall := flag.String("wall", "", "file of this program's wall clock")
	records := flag.Int("records", 0, "how many")
	since := flag.Duration("since", 0, "how long ago the first was")
	flag.Parse()
	key, err := trust.LoadOrCreate(filepath.Join(*state, "keys", "gate.key"))
	if err != nil {
		return err
	}
	j, err := journal.Open(ctx, journal.Options{
		Dir: filepath.Join(*state, "journal"), MaxBytes: 8 << 30, MaxAge: 90 * 24 * time.Hour, IdleMaxBytes: 2 << 30, IdleMaxAge: 48 * time.Hour,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer j.Close()
	chain, err := share.OpenChain(ctx, j.JetStream(), share.ChainConfig{Gate: "15BB", Key: key})
	if err != nil {
		return err
	}
	for done := 0; done < *records; done += batch {
		if err := set(*wall, -*since+time.Duration(int64(*since)/int64(*records)*int64(done))); err != nil {
			return err
		}
		var events []event.Envelope
		for range min(batch, *records-done) {
			now := time.Now().UTC()
			log := event.FrameLog{
				ID: event.NewID(now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "backlog"}, From: now.Add(-10 * time.Second), To: now, Digests: []string{},
			}
			e, err := event.Wrap("/gate/15BB", event.TypeFrameLog, log.ID, "15BB/01/backlog", now, log)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		if _, err := chain.AppendAll(ctx, events); err != nil {
			return err
		}
	}
	fmt.Printf("%d records, head %d\n", *records, chain.Head().Sequence)
	return nil
}

// set sets this program's own clock.
func set(path string, d time.Duration) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], uint64(d))
	_, err = f.WriteAt(b[:], 0)
	return err
}
