package torture

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// handedOver waits until the hub has taken what an agency's officers have said.
// What it has not is lost with the console's disk, and the page that the officer
// sees shows it as under way until then.
func (w *World) handedOver(ctx context.Context, a event.Agency) error {
	w.hands.Wait()
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	for {
		var waiting int
		err := w.store(a).QueryRowContext(ctx, `SELECT count(*) FROM outbox WHERE sent_at = '' AND type IN (?, ?)`, event.TypeVerdict, event.TypeAck).Scan(&waiting)
		if err == nil && waiting == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the hub to take what %s said: %d wait: %w", a, waiting, errors.Join(err, ctx.Err()))
		}
		w.rest(ctx, 100*time.Millisecond)
	}
}

// loseConsole takes a console's whole folder away. Its private part comes back
// from a backup, the shared part from the hub.
func loseConsole(ctx context.Context, w *World) error {
	a := w.any()
	if err := w.handedOver(ctx, a); err != nil {
		return err
	}
	backup := w.Stage.Path(a.Account() + ".backup")
	if _, err := w.Stage.Output(ctx, "gatehouse-console", "backup", "--config", w.Stage.Config(a), "--out", backup); err != nil {
		return err
	}
	w.Console(a).Kill()
	if err := w.lose(a.Account()); err != nil {
		return err
	}
	if _, err := w.Stage.Output(ctx, "gatehouse-console", "restore", "--config", w.Stage.Config(a), "--in", backup); err != nil {
		return err
	}
	if err := w.own(); err != nil {
		return err
	}
	p, err := w.StartConsole(a, "")
	if err != nil {
		return err
	}
	if err := w.awaitConsole(ctx, a, p); err != nil {
		return err
	}
	w.rebuilt[a] = true
	if err := w.exchanged(a); err != nil {
		return err
	}
	w.Decide(ctx, a, "after its disk was lost, in the session of before")
	return nil
}

// loseGate takes the gate's whole folder away but the keys, which have a backup of
// their own. What it had not handed over is lost with it.
func loseGate(ctx context.Context, w *World) error {
	w.Settle(ctx, 20*time.Second) // evidence is fetched when it is needed
	w.hands.Wait()
	w.Daemon.Kill()
	died := w.Daemon.Ended()
	for _, folder := range []string{"journal", "evidence", "field"} {
		if err := w.lose("gate", folder); err != nil {
			return err
		}
	}
	if err := w.startGate(ctx, died, "lost its disk", ""); err != nil {
		return err
	}
	w.chains = 2
	w.rest(ctx, 3*time.Second)
	return w.names(ctx)
}

// names checks that the new chain names the last head that each agency held.
func (w *World) names(ctx context.Context) error {
	for _, a := range event.Agencies() {
		var header []byte
		err := w.Stores[a].QueryRowContext(ctx, `SELECT header FROM events WHERE sequence = 1 ORDER BY chain DESC LIMIT 1`).Scan(&header)
		if err != nil {
			return fmt.Errorf("read the new chain's begin at %s: %w", a, err)
		}
		var h struct {
			Start struct {
				After []struct {
					Agency event.Agency
					Chain  string
					Head   string
				}
			}
		}
		if err := json.Unmarshal(header, &h); err != nil {
			return err
		}
		for _, b := range event.Agencies() {
			var head string
			err := w.Stores[b].QueryRowContext(ctx, `SELECT head FROM heads ORDER BY chain LIMIT 1`).Scan(&head)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(h.Start.After, func(x struct {
				Agency event.Agency
				Chain  string
				Head   string
			}) bool {
				return x.Agency == b && x.Head == head
			}) {
				return fmt.Errorf("the new chain at %s does not name the head that %s holds: %s", a, b, header)
			}
		}
	}
	return nil
}

// behind lets the gate have a backlog of so many records of so long ago that it
// could not hand over, and measures how soon live alerts come through meanwhile.
func behind(records int, since time.Duration) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		w.rest(ctx, 20*time.Second)
		before, n, err := w.alertDelays(ctx, time.Time{})
		if err != nil {
			return err
		}
		a := w.any()
		if since < 8*time.Hour { // one console is away
			w.Console(a).Kill()
		}
		w.Daemon.Kill()
		died := w.Daemon.Ended()
		if err := w.walls["gate"].Set(-since); err != nil {
			return err
		}
		began := time.Now()
		out, err := w.Stage.Output(ctx, "backfill", "--state", w.Stage.Path("gate"), "--wall", w.walls["gate"].path, "--records", fmt.Sprint(records), "--since", since.String())
		if err != nil {
			return err
		}
		w.say("a backlog of %d records was made in %.0f s: %s", records, time.Since(began).Seconds(), out)
		if err := w.walls["gate"].Set(0); err != nil {
			return err
		}
		back := time.Now()
		if err := w.startGate(ctx, died, "backlog", ""); err != nil {
			return err
		}
		if since < 8*time.Hour {
			w.rest(ctx, 5*time.Second)
			p, err := w.StartConsole(a, "")
			if err != nil {
				return err
			}
			if err := w.awaitConsole(ctx, a, p); err != nil {
				return err
			}
		}
		if err := w.recovered(ctx, time.Now(), 10*time.Minute); err != nil {
			return err
		}
		drained := time.Since(back)
		w.rest(ctx, 5*time.Second)
		after, m, err := w.alertDelays(ctx, back)
		if err != nil {
			return err
		}
		w.note("backlog of %d records, %s: drained in %.1f s (%.0f a second); live alert to the later console p50 %.0f ms of %d without, %.0f ms of %d while and after it drained: ratio %.2f",
			records, since, drained.Seconds(), float64(records)/drained.Seconds(), before.Seconds()*1000, n, after.Seconds()*1000, m, after.Seconds()/before.Seconds())
		return nil
	}
}

// note keeps a figure for the table.
func (w *World) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.say("%s", text)
	w.notes = append(w.notes, text)
}

// alertDelays is the median time from the chain to the later of both stores, of
// alerts that were chained since a moment.
func (w *World) alertDelays(ctx context.Context, since time.Time) (time.Duration, int, error) {
	worst := map[string]time.Duration{}
	for _, a := range event.Agencies() {
		err := delays(ctx, w.Stores[a], since, func(id string, d time.Duration) { worst[id] = max(worst[id], d) })
		if err != nil {
			return 0, 0, fmt.Errorf("delays of alerts at %s: %w", a, err)
		}
	}
	var list []time.Duration
	for _, d := range worst {
		list = append(list, d)
	}
	if len(list) == 0 {
		return 0, 0, nil
	}
	slices.Sort(list)
	return list[len(list)/2], len(list), nil
}

func delays(ctx context.Context, db *sql.DB, since time.Time, each func(string, time.Duration)) error {
	rows, err := db.QueryContext(ctx, `SELECT a.id, e.at, v.received_at FROM alerts a JOIN events e ON e.event_id = a.id JOIN arrivals v USING (chain, sequence)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, at, received string
		if err := rows.Scan(&id, &at, &received); err != nil {
			return err
		}
		from, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return err
		}
		to, err := time.Parse(time.RFC3339Nano, received)
		if err != nil {
			return err
		}
		if from.After(since) {
			each(id, to.Sub(from))
		}
	}
	return rows.Err()
}
