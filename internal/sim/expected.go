package sim

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"gatehouse/internal/sim/scenario"
)

// remembered is how many rows a lane's list keeps: more than are in a lane and
// before it at any time.
const remembered = 200

// gateTime is the calendar of the lists.
func gateTime() *time.Location { return time.FixedZone("+07", 7*60*60) }

// expected writes a lane's list of expected vehicles, as a declaration system
// would leave it: one file, replaced in one step before each lorry comes.
type expected struct {
	folder, lane string

	mu   sync.Mutex
	rows []scenario.Row
}

func newExpected(folder, lane string) *expected { return &expected{folder: folder, lane: lane} }

// put adds a row; replace puts it in the place of the last one.
func (e *expected) put(row scenario.Row, replace bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if replace && len(e.rows) > 0 {
		e.rows = e.rows[:len(e.rows)-1]
	}
	e.rows = append(e.rows, row)
	e.rows = e.rows[max(0, len(e.rows)-remembered):]
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	today := time.Now().In(gateTime())
	all := [][]string{{"declaration", "plate", "rear_plate", "container", "gross_kg", "net_kg", "goods", "direction", "from", "to"}}
	for _, r := range e.rows {
		all = append(all, []string{
			r.Declaration, r.Plate, r.RearPlate, r.Container, strconv.Itoa(r.GrossKG), strconv.Itoa(r.NetKG), r.Goods, "entry",
			today.AddDate(0, 0, -1).Format(time.DateOnly), today.AddDate(0, 0, 2).Format(time.DateOnly),
		})
	}
	if err := w.WriteAll(all); err != nil {
		return fmt.Errorf("write the list of expected vehicles: %w", err)
	}
	if err := os.MkdirAll(e.folder, 0o755); err != nil {
		return fmt.Errorf("make the folder of lists: %w", err)
	}
	path := filepath.Join(e.folder, e.lane+".csv")
	if err := os.WriteFile(path+".part", out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the list of expected vehicles: %w", err)
	}
	return os.Rename(path+".part", path)
}
