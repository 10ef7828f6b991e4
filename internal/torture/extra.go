package torture

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
)

// Extra is what the account does not tell: order, delays and receipts. Where the
// stores differ it is the worst.
type Extra struct {
	Reordered       int     `json:"reordered"`        // frames of one device that stand in another order than they were sent
	PassagesSwapped int     `json:"passages_swapped"` // passages of one lane, likewise
	Worst           float64 `json:"worst_delay_s"`    // from a vehicle's first frame to its record
	EventsLost      int     `json:"events_lost"`      // that the other store holds, or that follow a hole
	Receipts        int     `json:"receipts"`
	ReceiptsLost    int     `json:"receipts_lost"`    // alerts that an agency holds and has not receipted
	ReceiptsDoubled int     `json:"receipts_doubled"` // receipts of one alert beyond the first

	problems []string
}

func (w *World) extra(ctx context.Context, c account.Case) (Extra, error) {
	var all Extra
	highest := map[string]uint64{}
	for _, s := range c.Stores {
		for _, h := range s.Heads {
			highest[h.Chain] = max(highest[h.Chain], h.Highest)
		}
	}
	for _, s := range c.Stores {
		db := w.Stores[s.Agency]
		lost, err := missing(ctx, db, highest)
		if err != nil {
			return all, fmt.Errorf("events of %s: %w", s.Agency, err)
		}
		if lost > 0 {
			all.problems = append(all.problems, fmt.Sprintf("%s lacks %d events of the chains", s.Agency, lost))
		}
		all.EventsLost = max(all.EventsLost, lost)
		frames, err := reorderedFrames(ctx, db, c.Books)
		if err != nil {
			return all, fmt.Errorf("order of frames at %s: %w", s.Agency, err)
		}
		all.Reordered = max(all.Reordered, frames)
		swapped, err := w.swapped(ctx, db, c)
		if err != nil {
			return all, fmt.Errorf("order of passages at %s: %w", s.Agency, err)
		}
		all.PassagesSwapped = max(all.PassagesSwapped, swapped)
		if err := all.receipts(ctx, db, w.rebuilt); err != nil {
			return all, fmt.Errorf("receipts at %s: %w", s.Agency, err)
		}
	}
	if all.Reordered > 0 {
		all.problems = append(all.problems, fmt.Sprintf("%d frames stand in another order than they were sent", all.Reordered))
	}
	if all.PassagesSwapped > 0 {
		all.problems = append(all.problems, fmt.Sprintf("%d passages stand in another order than the vehicles came", all.PassagesSwapped))
	}
	return all, nil
}

// missing counts the events of chains of known length that a store lacks.
func missing(ctx context.Context, db *sql.DB, highest map[string]uint64) (int, error) {
	lost := 0
	for chain, n := range highest {
		var have int
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM events WHERE chain = ? AND quarantined <> 1`, chain).Scan(&have); err != nil {
			return 0, err
		}
		lost += int(n) - have
	}
	return lost, nil
}

// together is the time within which frames of one device count as sent at once: a
// line that announces a file is stored with the file, behind what came meanwhile.
const together = time.Second

// reorderedFrames counts, in each frame log, neighbours that were sent the other
// way round. Frames that were sent more than once say nothing, nor do
// messages and files, which have no order of their own.
func reorderedFrames(ctx context.Context, db *sql.DB, books account.Books) (int, error) {
	type key struct {
		account.Device
		digest string
	}
	sent, at := map[key]int{}, map[int]time.Time{}
	for _, f := range books.Ledger {
		at[f.N] = f.At
		k := key{account.Device{Lane: f.Lane, Name: f.Device}, f.SHA256[:16]}
		if _, again := sent[k]; again || f.Kind != "line" && f.Kind != "packet" {
			sent[k] = -1
			continue
		}
		sent[k] = f.N
	}
	rows, err := db.QueryContext(ctx, `SELECT f.log_id, f.lane, f.device, f.digest FROM frames f ORDER BY f.log_id, f.n`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	wrong := 0
	last := map[string]int{}
	for rows.Next() {
		var k key
		var log string
		if err := rows.Scan(&log, &k.Lane, &k.Name, &k.digest); err != nil {
			return 0, err
		}
		n, known := sent[k]
		if !known || n < 0 {
			continue
		}
		if n < last[log] && at[last[log]].Sub(at[n]) > together {
			wrong++
		}
		last[log] = n
	}
	return wrong, rows.Err()
}

// swapped counts passages of one lane whose first versions stand on the chain in
// another order than their vehicles or persons came. Of those that nobody saw come,
// as after a restart, that is not known.
func (w *World) swapped(ctx context.Context, db *sql.DB, c account.Case) (int, error) {
	i := slices.IndexFunc(c.Stores, func(*account.Store) bool { return true })
	owners := account.Owners(c.Books, c.Stores[i])
	of := map[event.ID]string{}
	for _, p := range c.Stores[i].Passages {
		if len(p.Irregular) > 0 {
			delete(owners, ownerOf(owners, p.ID))
		}
	}
	for owner, list := range owners {
		if len(list) == 1 {
			of[list[0]] = owner
		}
	}
	began, lanes := map[string]time.Time{}, map[string]string{}
	for _, t := range c.Books.Truth {
		began[t.Vehicle], lanes[t.Vehicle] = t.Began, t.Lane
	}
	rows, err := db.QueryContext(ctx, `SELECT id FROM passage_versions WHERE version = 1 ORDER BY chain, sequence`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	wrong := 0
	last := map[string]time.Time{}
	for rows.Next() {
		var id event.ID
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		owner, known := of[id]
		if !known {
			continue
		}
		if began[owner].Before(last[lanes[owner]]) {
			wrong++
		}
		last[lanes[owner]] = began[owner]
	}
	return wrong, rows.Err()
}

func ownerOf(owners map[string][]event.ID, id event.ID) string {
	for owner, list := range owners {
		if slices.Contains(list, id) {
			return owner
		}
	}
	return ""
}

// answered is how long before the record's end an alert must have been shared for
// its receipts to be wanted on the record.
const answered = 15 * time.Second

// receipts looks for the receipt of each agency for each alert.
//
// A store that was built anew says again that it holds an alert.
func (x *Extra) receipts(ctx context.Context, db *sql.DB, rebuilt map[event.Agency]bool) error {
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM receipts`).Scan(&n); err != nil {
		return err
	}
	x.Receipts = max(x.Receipts, n)
	rows, err := db.QueryContext(ctx, `SELECT a.id, g.agency, e.at, (SELECT max(at) FROM events),
			(SELECT count(DISTINCT r.id) FROM receipts r WHERE r.alert = a.id AND r.agency = g.agency)
		FROM alerts a JOIN events e ON e.event_id = a.id, (SELECT 'CUSTOMS' AS agency UNION SELECT 'BORDERGUARD') g`)
	if err != nil {
		return err
	}
	defer rows.Close()
	lost, doubled := 0, 0
	for rows.Next() {
		var id, agency, at, end string
		var count int
		if err := rows.Scan(&id, &agency, &at, &end, &count); err != nil {
			return err
		}
		shared, _ := time.Parse(time.RFC3339Nano, at)
		over, _ := time.Parse(time.RFC3339Nano, end)
		switch {
		case count == 0 && over.Sub(shared) > answered:
			lost++
			x.problems = append(x.problems, fmt.Sprintf("%s has no receipt for alert %s", agency, id))
		case count > 1 && !rebuilt[event.Agency(agency)]:
			doubled += count - 1
			x.problems = append(x.problems, fmt.Sprintf("%s has %d receipts for alert %s", agency, count, id))
		}
	}
	x.ReceiptsLost, x.ReceiptsDoubled = max(x.ReceiptsLost, lost), max(x.ReceiptsDoubled, doubled)
	return rows.Err()
}
