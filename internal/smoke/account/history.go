package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse/internal/event"
)

// History is what a store's bytes tell beyond its newest records: how devices
// changed, and how many frames were not understood.
type History struct {
	Changes []event.DeviceChange // in the order of the chain
	Logs    []event.FrameLog     // without their digests
}

// LoadHistory reads an agency's stored events. The store may be in use.
func LoadHistory(ctx context.Context, db *sql.DB) (History, error) {
	var h History
	query := fmt.Sprintf(`SELECT type, payload FROM events WHERE type IN ('%s', '%s') AND payload IS NOT NULL ORDER BY chain, sequence`,
		event.TypeDevice, event.TypeFrameLog)
	err := each(ctx, db, query, func(scan func(...any) error) error {
		var kind event.Type
		var payload []byte
		if err := scan(&kind, &payload); err != nil {
			return err
		}
		env, err := event.ParseEnvelope(payload)
		if err != nil {
			return err
		}
		if kind == event.TypeDevice {
			var c event.DeviceChange
			err = json.Unmarshal(env.Data, &c)
			h.Changes = append(h.Changes, c)
			return err
		}
		var l event.FrameLog
		err = json.Unmarshal(env.Data, &l)
		l.Digests = nil
		h.Logs = append(h.Logs, l)
		return err
	})
	if err != nil {
		return History{}, fmt.Errorf("read the history of devices: %w", err)
	}
	return h, nil
}

// Owners finds whose passages are whose: the name of a vehicle or person to the
// passages that hold most of its frames, cancelled ones too.
func Owners(b Books, s *Store) map[string][]event.ID {
	j := judge{c: Case{Books: b}, s: s, lanes: map[string]*LaneFigures{}}
	j.certain()
	j.convoys()
	j.assign()
	all := map[string][]event.ID{}
	for _, p := range s.Passages {
		if owner := j.owners[p.ID]; owner != "" {
			all[owner] = append(all[owner], p.ID)
		}
	}
	return all
}

// Says names a device's change as people would read it: its state, and the
// device's own word or the reason.
func Says(c event.DeviceChange) string {
	if word := strings.TrimSpace(c.Code + " " + c.Reason); word != "" && c.State != event.Up {
		return string(c.State) + " (" + strings.Join(dedupe(strings.Fields(word)), " ") + ")"
	}
	return string(c.State)
}

func dedupe(words []string) []string {
	var all []string
	for _, w := range words {
		if len(all) == 0 || all[len(all)-1] != w {
			all = append(all, w)
		}
	}
	return all
}
