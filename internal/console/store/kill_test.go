package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/trust"
)

// childEnv makes this test binary a process that commits events until a fault
// point kills it.
const childEnv = "GATEHOUSE_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child commits the events of events.json one by one, and writes the number of
// each commit that returned to its standard output.
func child(dir string) error {
	faults, err := fault.Parse(os.Getenv(fault.Env), os.Getenv(fault.EnvLog))
	if err != nil {
		return err
	}
	key, err := trust.Load(filepath.Join(dir, "agency.key"))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(dir, "events.json"))
	if err != nil {
		return err
	}
	var events []store.Event
	if err := json.Unmarshal(b, &events); err != nil {
		return err
	}
	s, err := store.Open(context.Background(), store.Options{
		Dir: filepath.Join(dir, "store"), Agency: event.Customs, Seal: uplink.Sealer(event.Customs, key), Log: slog.New(slog.DiscardHandler), Faults: faults,
	})
	if err != nil {
		return err
	}
	for i, e := range events {
		if _, err := s.Commit(context.Background(), store.Batch{Events: []store.Event{e}}); err != nil {
			return err
		}
		fmt.Println(i)
	}
	return s.Close()
}

func TestKilledAtACommitNothingIsLostHalfDoneOrReceiptedTooEarly(t *testing.T) {
	for _, point := range []string{fault.ConsoleBeforeCommit, fault.ConsoleAfterCommit} {
		for _, count := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s:%d", point, count), func(t *testing.T) {
				b := newBench(t)
				var events []store.Event
				for i := range 5 {
					a := event.Alert{ID: event.NewID(b.now.Add(time.Duration(i) * time.Second)), Sent: b.now, MsgType: "Alert", Where: event.Where{Gate: "15BB"}, Passage: "P"}
					events = append(events, b.add(t, event.TypeAlert, a.ID, a))
				}
				dir := t.TempDir()
				raw, err := json.Marshal(events)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "events.json"), raw, 0o600))
				b.key, err = trust.Create(filepath.Join(dir, "agency.key"))
				require.NoError(t, err)

				log := filepath.Join(dir, "hit")
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), childEnv+"="+dir, fault.Env+"="+fmt.Sprintf("%s:%d", point, count), fault.EnvLog+"="+log)
				_, err = cmd.Output()
				var died *exec.ExitError
				require.True(t, errors.As(err, &died), "%v", err)
				status, ok := died.Sys().(syscall.WaitStatus)
				require.True(t, ok && status.Signal() == syscall.SIGKILL, "%v %s", err, died.Stderr)
				hit, err := os.ReadFile(log)
				require.NoError(t, err)
				require.Equal(t, point+"\n", string(hit))

				s := b.open(t, filepath.Join(dir, "store"))
				c, err := s.Counts(t.Context())
				require.NoError(t, err)
				want := count - 1
				if point == fault.ConsoleAfterCommit {
					want = count
				}
				require.Equal(t, want, c.Events, "a commit is there as a whole or not at all")
				require.Equal(t, want, c.Alerts)
				alerts := 0
				for _, r := range b.receipts(t, s) {
					require.LessOrEqual(t, int(r.Sequence), want, "nothing is receipted that is not stored")
					if r.Alert != "" {
						alerts++
					}
				}
				require.Equal(t, want, alerts, "every alert that is stored has its receipt in the outbox")

				for _, e := range events { // the hub hands over again what was not acknowledged
					_, err := s.Commit(t.Context(), store.Batch{Events: []store.Event{e}})
					require.NoError(t, err)
				}
				b.commit(t, events...)
				control, err := b.Digests(t.Context())
				require.NoError(t, err)
				got, err := s.Digests(t.Context())
				require.NoError(t, err)
				require.Equal(t, control, got, "nothing lost, nothing doubled")
			})
		}
	}
}
