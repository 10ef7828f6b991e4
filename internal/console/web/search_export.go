package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// maxExported bounds one export, in passages.
const maxExported = 50_000

// exported is a passage in an export.
type exported struct {
	Passage     event.ID                           `json:"passage"`
	OpenedAt    time.Time                          `json:"opened_at"` // UTC
	Gate        string                             `json:"gate"`
	Lane        string                             `json:"lane"`
	Kind        event.PassageKind                  `json:"kind"`
	Direction   event.Direction                    `json:"direction"`
	State       event.PassageState                 `json:"state"`
	Plate       string                             `json:"plate"`
	RearPlate   string                             `json:"rear_plate"`
	Containers  []string                           `json:"containers"`
	Declaration string                             `json:"declaration"`
	Goods       string                             `json:"goods"`
	Findings    []string                           `json:"findings"`
	NotLooked   bool                               `json:"not_looked"` // a required sensor did not look
	Verdicts    map[event.Agency]event.VerdictCode `json:"verdicts"`
}

func exportedOf(h store.Hit) exported {
	e := exported{
		Passage: h.ID, OpenedAt: h.OpenedAt, Gate: h.Gate, Lane: h.Lane, Kind: h.Kind, Direction: h.Direction, State: h.State,
		Plate: h.Plate, RearPlate: h.Rear, Containers: h.Containers, Declaration: h.Declaration, Goods: h.Goods, NotLooked: h.Blind, Verdicts: h.Verdicts,
	}
	for _, f := range h.Findings {
		e.Findings = append(e.Findings, f.Code)
	}
	return e
}

// exportSearch writes what a search finds into a file. Numbers and names of
// travel documents are never in it.
func (s *Server) exportSearch(w http.ResponseWriter, r *http.Request, p Page) {
	f := readSearch(r.URL.Query())
	q, err := f.query()
	format := r.URL.Query().Get("format")
	if err != nil || format != "csv" && format != "json" {
		http.Error(w, "want a search and format=csv or format=json", http.StatusBadRequest)
		return
	}
	v := f.values()
	v.Set("format", format)
	if err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActExport, "search", v.Encode()); err != nil {
		s.fail(w, r, p, err)
		return
	}
	name := fmt.Sprintf("passages-%s.%s", local(p.Now).Format("20060102-150405"), format)
	out := newExport(w, name, format, []string{
		"passage", "opened_at_utc", "opened_at_local", "gate", "lane", "kind", "direction", "state", "plate", "rear_plate", "containers",
		"declaration", "goods", "findings", "not_looked", "customs", "borderguard",
	})
	q.Limit = 500
	for n := 0; n < maxExported; {
		found, err := s.opt.Store.Search(r.Context(), q)
		if err != nil {
			out.fail(err)
			break
		}
		for _, h := range found.Hits {
			e := exportedOf(h)
			out.put(e, []string{
				string(e.Passage), e.OpenedAt.UTC().Format(time.RFC3339Nano), local(e.OpenedAt).Format("2006-01-02 15:04:05"), e.Gate, e.Lane,
				string(e.Kind), string(e.Direction), string(e.State), e.Plate, e.RearPlate, strings.Join(e.Containers, " "), e.Declaration, e.Goods,
				strings.Join(e.Findings, " "), fmt.Sprint(e.NotLooked), string(e.Verdicts[event.Customs]), string(e.Verdicts[event.BorderGuard]),
			})
		}
		n += len(found.Hits)
		if q.Before = found.Next; q.Before == 0 || out.err != nil {
			break
		}
	}
	s.ended(r, out)
}

// ended closes an export. One that broke off cannot be told from a whole one
// by its status any more, so its connection is broken off too.
func (s *Server) ended(r *http.Request, out *export) {
	if err := out.close(); err != nil {
		if r.Context().Err() == nil {
			s.opt.Log.Error("export broke off", "path", r.URL.Path, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// export writes rows as a file of CSV or of JSON lines. The first error stays.
type export struct {
	buf *bufio.Writer
	csv *csv.Writer
	enc *json.Encoder
	err error
}

func newExport(w http.ResponseWriter, name, format string, header []string) *export {
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	x := &export{buf: bufio.NewWriterSize(w, 64<<10)}
	if format == "json" {
		w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
		x.enc = json.NewEncoder(x.buf)
		return x
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_, x.err = x.buf.WriteString("\ufeff") // spreadsheets take it for UTF-8 then
	x.csv = csv.NewWriter(x.buf)
	if x.err == nil {
		x.err = x.csv.Write(header)
	}
	return x
}

// put writes one row in the form that was asked for.
func (x *export) put(value any, row []string) {
	if x.err != nil {
		return
	}
	if x.enc != nil {
		x.err = x.enc.Encode(value)
		return
	}
	for i, cell := range row {
		// A spreadsheet would run what begins so as a formula.
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row[i] = "'" + cell
		}
	}
	x.err = x.csv.Write(row)
}

func (x *export) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

func (x *export) close() error {
	if x.csv != nil {
		x.csv.Flush()
		x.fail(x.csv.Error())
	}
	if x.err == nil {
		x.err = x.buf.Flush()
	}
	return x.err
}
