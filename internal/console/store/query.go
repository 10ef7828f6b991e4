package store

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

// ErrNotFound says that the store has no such record.
var ErrNotFound = errors.New("no such record")

// Place is where an event is on its chain.
type Place struct {
	Chain    string
	Sequence uint64
}

// Before orders places: an older chain first, then by sequence.
func (p Place) Before(q Place) bool {
	return p.Chain < q.Chain || p.Chain == q.Chain && p.Sequence < q.Sequence
}

// Passage is a stored passage in its newest version.
type Passage struct {
	event.Passage
	Place
	Alerts      []Alert      // in force, worst first
	Verdicts    []Verdict    // of both agencies, oldest first
	Corrections []Correction // of both agencies, oldest first; only of a passage that was asked for by its id
}

// Latest is an agency's verdict that counts on a passage; nil when there is
// none.
func (p *Passage) Latest(a event.Agency) *Verdict {
	var last *Verdict
	for i := range p.Verdicts {
		v := &p.Verdicts[i]
		if v.Agency == a && (last == nil || last.Pending || !v.Pending && last.Before(v.Place)) {
			last = v
		}
	}
	return last
}

// Alert is a stored alert.
type Alert struct {
	event.Alert
	Place
	Late       bool
	ReceivedAt time.Time
	// Superseded says that a later alert updates or cancels this one.
	Superseded bool
	// Plate is the canonical plate of its passage, if known.
	Plate string
	// Decided lists the agencies that have given a verdict on it.
	Decided []event.Agency
	// Acks are the acknowledgements of it, or of an alert that it updates,
	// oldest first.
	Acks []Ack
	// Kind is the kind of its passage, if known.
	Kind event.PassageKind
}

// Acked tells whether anybody has acknowledged the alert, here or at the other
// agency.
func (a *Alert) Acked() bool { return len(a.Acks) > 0 }

// AckedBy tells whether the officer of a badge has acknowledged it.
func (a *Alert) AckedBy(who event.Agency, badge string) bool {
	return slices.ContainsFunc(a.Acks, func(k Ack) bool { return k.Agency == who && k.Badge == badge })
}

// DecidedBy tells whether an agency has given a verdict on the alert.
func (a *Alert) DecidedBy(who event.Agency) bool {
	return slices.Contains(a.Decided, who)
}

// Verdict is a stored verdict. One that is Pending was given here and has not
// come back on the gate's chain.
type Verdict struct {
	event.Verdict
	Place
	Pending bool
}

// Passages lists the newest passages, with their alerts and verdicts.
func (s *Store) Passages(ctx context.Context, limit int) ([]Passage, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json, chain, sequence FROM passages ORDER BY opened_at DESC, id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list passages: %w", err)
	}
	return s.surrounded(ctx, rows)
}

// surrounded reads passages and adds what else is known about them.
func (s *Store) surrounded(ctx context.Context, rows *sql.Rows) ([]Passage, error) {
	list, err := collect(rows, scanPassage)
	if err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	return list, s.surround(ctx, list)
}

// Passage gives one passage, or ErrNotFound.
func (s *Store) Passage(ctx context.Context, id event.ID) (Passage, error) {
	var p Passage
	err := s.read.QueryRowContext(ctx, `SELECT json, chain, sequence FROM passages WHERE id = ?`, string(id)).
		Scan(asJSON(&p.Passage), &p.Chain, &p.Sequence)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("passage %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("read passage %s: %w", id, err)
	}
	one := []Passage{p}
	if err := s.surround(ctx, one); err != nil {
		return p, err
	}
	p = one[0]
	p.Corrections, err = s.CorrectionsOf(ctx, id)
	return p, err
}

// surround adds what else is known about passages, with one question for all of
// them: to prepare a question takes longer than to answer it.
func (s *Store) surround(ctx context.Context, list []Passage) error {
	if err := s.addAlerts(ctx, list); err != nil {
		return err
	}
	verdicts, err := s.verdictsOf(ctx, idsOf(list))
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		for i := range list {
			if list[i].ID == v.Passage {
				list[i].Verdicts = append(list[i].Verdicts, v)
			}
		}
	}
	return nil
}

// addAlerts adds the alerts that are in force to passages, worst first.
func (s *Store) addAlerts(ctx context.Context, list []Passage) error {
	alerts, err := s.alertsOf(ctx, idsOf(list))
	if err != nil {
		return err
	}
	for _, a := range alerts {
		for i := range list {
			if list[i].ID == a.Passage {
				list[i].Alerts = append(list[i].Alerts, a)
			}
		}
	}
	return nil
}

// idsOf is the JSON array of the passages' ids, as questions take it.
func idsOf(list []Passage) string {
	ids := make([]event.ID, 0, len(list))
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	b, _ := json.Marshal(ids) // strings always have a JSON form
	return string(b)
}

// selectAlerts reads alerts with what was said on them. A verdict on a passage
// is on the alerts that were there when it was given. The chain says which: those
// up to the record that the officer saw were, those after the verdict were not,
// whatever a console's clock and a gate's make of it; between the two the clocks
// tell, as they do when the gate has begun a new chain.
const selectAlerts = `SELECT a.json, a.chain, a.sequence, coalesce(r.late, 0), coalesce(r.received_at, ''),
	EXISTS (SELECT 1 FROM alert_references x WHERE x.refers = a.id), coalesce(p.plate, ''), coalesce(p.kind, ''),
	(SELECT json_group_array(DISTINCT v.agency) FROM verdicts v
		WHERE v.alert = a.id OR (v.alert = '' AND v.passage = a.passage AND a.passage <> '' AND
			CASE WHEN v.chain <> a.chain THEN v.at >= a.sent
			ELSE a.sequence <= CAST(v.json AS TEXT) ->> '$.saw.sequence' OR a.sequence < v.sequence AND v.at >= a.sent END)),
	(SELECT json_group_array(json_object('agency', k.agency, 'badge', k.badge, 'at', k.at, 'pending', json(k.pending)) ORDER BY k.at) FROM (
		SELECT agency, badge, at, 'false' AS pending FROM acks WHERE alert = a.id OR alert IN (SELECT refers FROM alert_references WHERE alert = a.id)
		UNION ALL
		SELECT CAST(o.data AS TEXT) ->> '$.data.agency', CAST(o.data AS TEXT) ->> '$.data.badge', CAST(o.data AS TEXT) ->> '$.data.at', 'true' FROM outbox o
			WHERE o.about = a.id AND o.type = 'vn.gatehouse.ack.v1' AND NOT EXISTS (SELECT 1 FROM acks c WHERE c.id = o.event_id)) k)
	FROM alerts a
	LEFT JOIN arrivals r ON r.chain = a.chain AND r.sequence = a.sequence
	LEFT JOIN passages p ON p.id = a.passage `

func scanAlert(a *Alert) []any {
	return []any{asJSON(&a.Alert), &a.Chain, &a.Sequence, &a.Late, asTime(&a.ReceivedAt), &a.Superseded, &a.Plate, &a.Kind, asJSON(&a.Decided), asJSON(&a.Acks)}
}

// alertsOf lists the alerts of passages that are in force, worst first.
func (s *Store) alertsOf(ctx context.Context, passages string) ([]Alert, error) {
	rows, err := s.read.QueryContext(ctx, selectAlerts+`WHERE a.passage IN (SELECT value FROM json_each(?)) AND a.msg_type <> 'Cancel'
		AND NOT EXISTS (SELECT 1 FROM alert_references x WHERE x.refers = a.id)
		ORDER BY CASE a.severity WHEN 'Extreme' THEN 0 WHEN 'Severe' THEN 1 WHEN 'Moderate' THEN 2 WHEN 'Minor' THEN 3 ELSE 4 END, a.sent, a.id`, passages)
	if err != nil {
		return nil, fmt.Errorf("alerts of passages %s: %w", passages, err)
	}
	list, err := collect(rows, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("alerts of passages %s: %w", passages, err)
	}
	return list, nil
}

// Alerts lists the newest alerts, updates and cancellations included.
func (s *Store) Alerts(ctx context.Context, limit int) ([]Alert, error) {
	rows, err := s.read.QueryContext(ctx, selectAlerts+`ORDER BY a.sent DESC, a.id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	list, err := collect(rows, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return list, nil
}

// verdictsOf lists both agencies' verdicts on passages, oldest first, and then
// this agency's own that have not come back yet.
func (s *Store) verdictsOf(ctx context.Context, passages string) ([]Verdict, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json, chain, sequence FROM verdicts WHERE passage IN (SELECT value FROM json_each(?))
		ORDER BY chain, sequence`, passages)
	if err != nil {
		return nil, fmt.Errorf("verdicts on %s: %w", passages, err)
	}
	list, err := collect(rows, func(v *Verdict) []any { return []any{asJSON(&v.Verdict), &v.Chain, &v.Sequence} })
	if err != nil {
		return nil, fmt.Errorf("verdicts on %s: %w", passages, err)
	}
	pending, err := s.pendingVerdicts(ctx, passages)
	return append(list, pending...), err
}

func (s *Store) pendingVerdicts(ctx context.Context, passages string) ([]Verdict, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT data FROM outbox o WHERE about IN (SELECT value FROM json_each(?)) AND type = ?
		AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.id = o.event_id) ORDER BY id`, passages, string(event.TypeVerdict))
	if err != nil {
		return nil, fmt.Errorf("pending verdicts on %s: %w", passages, err)
	}
	raw, err := collect(rows, func(b *[]byte) []any { return []any{b} })
	if err != nil {
		return nil, fmt.Errorf("pending verdicts on %s: %w", passages, err)
	}
	list := make([]Verdict, 0, len(raw))
	for _, b := range raw {
		env, err := event.ParseEnvelope(b)
		if err != nil {
			return nil, fmt.Errorf("own verdict in the outbox: %w", err)
		}
		v := Verdict{Pending: true}
		if err := json.Unmarshal(env.Data, &v.Verdict); err != nil {
			return nil, fmt.Errorf("own verdict in the outbox: %w", err)
		}
		list = append(list, v)
	}
	return list, nil
}

// Version is one version of a passage on the chain.
type Version struct {
	Version int
	State   event.PassageState
	At      time.Time
	Place
	Head       string // hash of the header
	ReceivedAt time.Time
}

// Versions lists the versions of a passage, oldest first.
func (s *Store) Versions(ctx context.Context, id event.ID) ([]Version, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT v.version, v.state, v.at, v.chain, v.sequence, e.head, coalesce(a.received_at, '')
		FROM passage_versions v JOIN events e ON e.chain = v.chain AND e.sequence = v.sequence
		LEFT JOIN arrivals a ON a.chain = v.chain AND a.sequence = v.sequence
		WHERE v.id = ? ORDER BY v.version`, string(id))
	if err != nil {
		return nil, fmt.Errorf("versions of %s: %w", id, err)
	}
	list, err := collect(rows, func(v *Version) []any {
		return []any{&v.Version, &v.State, asTime(&v.At), &v.Chain, &v.Sequence, &v.Head, asTime(&v.ReceivedAt)}
	})
	if err != nil {
		return nil, fmt.Errorf("versions of %s: %w", id, err)
	}
	return list, nil
}

// Reach is an agency's first receipt that covers a place on a chain.
type Reach struct {
	Agency event.Agency
	At     time.Time // when the agency had stored it, by its own clock
	Place            // of the receipt itself
}

// ReceiptsFor gives each agency's first receipt that covers a place; an agency
// that has not receipted it is left out.
func (s *Store) ReceiptsFor(ctx context.Context, p Place) ([]Reach, error) {
	var list []Reach
	for _, a := range event.Agencies() {
		r := Reach{Agency: a}
		err := s.read.QueryRowContext(ctx, `SELECT at, chain, sequence FROM receipts
			WHERE of_chain = ? AND agency = ? AND of_sequence >= ? AND alert = '' ORDER BY of_sequence LIMIT 1`,
			p.Chain, string(a), p.Sequence).Scan(asTime(&r.At), &r.Chain, &r.Sequence)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receipts for %s:%d: %w", p.Chain, p.Sequence, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// EvidenceState tells about a piece that a record names.
type EvidenceState struct {
	Media   string
	Stored  bool
	Missing string // why the gate cannot serve it, as it said
}

// Evidence looks up a piece, or ErrNotFound when no record names it.
func (s *Store) Evidence(ctx context.Context, digest string) (EvidenceState, error) {
	var e EvidenceState
	var state string
	err := s.read.QueryRowContext(ctx, `SELECT e.media, e.state, coalesce(w.missing, '') FROM evidence e
		LEFT JOIN wants w ON w.sha256 = e.sha256 WHERE e.sha256 = ?`, digest).Scan(&e.Media, &state, &e.Missing)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("evidence %s: %w", digest, ErrNotFound)
	}
	if err != nil {
		return e, fmt.Errorf("look up evidence %s: %w", digest, err)
	}
	e.Stored = state == "stored"
	return e, nil
}
