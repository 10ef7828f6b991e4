package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// unreadableError says why a payload could not be read.
type unreadableError struct{ reason string }

func (e *unreadableError) Error() string { return e.reason }

func unreadable(format string, args ...any) error {
	return &unreadableError{fmt.Sprintf(format, args...)}
}

// projection is a payload that was read and can be put into the tables.
type projection interface {
	project(t *batchTx, e *Event, late bool) error
}

// parse reads an event's payload. An unreadableError is the payload's fault.
func parse(e *Event) (projection, error) {
	env, err := event.ParseEnvelope(e.Payload)
	if err != nil {
		return nil, unreadable("payload is not a readable event: %v", err)
	}
	if env.Type != e.Type || env.ID != e.ID {
		return nil, unreadable("payload is %s %s, header says %s %s", env.Type, env.ID, e.Type, e.ID)
	}
	switch e.Type {
	case event.TypePassage:
		return decode(env.Data, func(v *event.Passage) error {
			return errors.Join(need(v.ID, v.Gate, e), needDigests(passageEvidence(v)))
		})
	case event.TypeAlert:
		return decode(env.Data, func(v *event.Alert) error { return errors.Join(need(v.ID, v.Gate, e), needDigests(v.Evidence)) })
	case event.TypeVerdict:
		return decode(env.Data, func(v *event.Verdict) error { return needAgency(v.ID, v.Gate, v.Agency, e) })
	case event.TypeAck:
		return decode(env.Data, func(v *event.Ack) error { return needAgency(v.ID, v.Gate, v.Agency, e) })
	case event.TypeCorrection:
		return decode(env.Data, func(v *event.Correction) error { return needAgency(v.ID, v.Gate, v.Agency, e) })
	case event.TypeCommand:
		return decode(env.Data, func(v *event.Command) error { return needAgency(v.ID, v.Gate, v.Agency, e) })
	case event.TypeControl:
		return decode(env.Data, func(v *event.ControlChange) error { return need(v.ID, v.Gate, e) })
	case event.TypeReceipt:
		return decode(env.Data, func(v *event.Receipt) error { return errors.Join(needAgency(v.ID, v.Gate, v.Agency, e), needReach(v)) })
	case event.TypeDevice:
		return decode(env.Data, func(v *event.DeviceChange) error { return need(v.ID, v.Gate, e) })
	case event.TypeGap:
		return decode(env.Data, func(v *event.Gap) error { return need(v.ID, v.Gate, e) })
	case event.TypeRemoval:
		return decode(env.Data, func(v *event.Removal) error { return errors.Join(need(v.ID, v.Gate, e), needPieces(v)) })
	case event.TypeKeyChange:
		return decode(env.Data, func(v *event.KeyChange) error { return need(v.ID, v.Gate, e) })
	case event.TypeHold:
		return decode(env.Data, func(v *event.LegalHold) error { return needAgency(v.ID, v.Gate, v.Agency, e) })
	case event.TypeFrameLog:
		return decode(env.Data, func(v *event.FrameLog) error { return need(v.ID, v.Gate, e) })
	}
	return nil, unreadable("this console does not know the type %q; a newer one may", e.Type)
}

// need checks what every gate's value must have.
func need(id event.ID, gate string, e *Event) error {
	if id == "" {
		return unreadable("the value has no id")
	}
	if gate != e.Gate {
		return unreadable("the value is of gate %q, it came on the chain of %q", gate, e.Gate)
	}
	return nil
}

func needAgency(id event.ID, gate string, a event.Agency, e *Event) error {
	if a.Account() == "" {
		return unreadable("agency %q is unknown", a)
	}
	return need(id, gate, e)
}

func needReach(r *event.Receipt) error {
	if r.Sequence > math.MaxInt64 {
		return unreadable("a receipt for sequence %d is out of range", r.Sequence)
	}
	return nil
}

// needDigests refuses references that do not name a content.
func needDigests(list []event.Evidence) error {
	for _, ev := range list {
		if !isDigest(ev.SHA256) {
			return unreadable("evidence %q is not a SHA-256", ev.SHA256)
		}
	}
	return nil
}

func needPieces(r *event.Removal) error {
	for _, p := range r.Pieces {
		if !isDigest(p.SHA256) {
			return unreadable("removed evidence %q is not a SHA-256", p.SHA256)
		}
	}
	return nil
}

func passageEvidence(p *event.Passage) []event.Evidence {
	var list []event.Evidence
	for _, ph := range p.Photos {
		list = append(list, ph.Image)
	}
	for _, sc := range p.Scans {
		list = append(list, sc.Image)
	}
	return list
}

// The projected types: the shared words with their raw JSON.
type value[T any] struct {
	v   T
	raw json.RawMessage
}

func decode[T any](data json.RawMessage, check func(*T) error) (projection, error) {
	var v value[T]
	if err := json.Unmarshal(data, &v.v); err != nil {
		return nil, unreadable("data cannot be read: %v", err)
	}
	if err := check(&v.v); err != nil {
		return nil, err
	}
	v.raw = data
	return &v, nil
}

func (p *value[T]) project(t *batchTx, e *Event, late bool) error {
	switch v := any(&p.v).(type) {
	case *event.Passage:
		return t.passage(e, v, p.raw)
	case *event.Alert:
		return t.alert(e, v, p.raw, late)
	case *event.Verdict:
		return t.verdict(e, v, p.raw)
	case *event.Ack:
		return t.ack(e, v, p.raw)
	case *event.Correction:
		return t.correction(e, v, p.raw)
	case *event.Command: // its answer says everything that it does
		t.controlled(v.Where)
		return nil
	case *event.ControlChange:
		return t.control(e, v, p.raw)
	case *event.Receipt:
		return t.receipt(e, v)
	case *event.DeviceChange:
		return t.device(e, v)
	case *event.Gap:
		return t.gap(e, v)
	case *event.FrameLog:
		return t.frameLog(e, v)
	case *event.Removal:
		return t.removal(e, v)
	case *event.KeyChange:
		return t.keyChange(e, v)
	case *event.LegalHold:
		return t.hold(e, v, p.raw)
	}
	return fmt.Errorf("no table for %T", p.v)
}

func (t *batchTx) passage(e *Event, p *event.Passage, raw []byte) error {
	_, err := t.exec(`INSERT INTO passage_versions (id, version, state, at, chain, sequence) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id, version) DO UPDATE SET state = excluded.state, at = excluded.at, chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(p.ID), p.Version, string(p.State), stamp(e.At), e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("passage version: %w", err)
	}
	_, err = t.exec(`INSERT INTO passages (id, version, gate, lane, kind, direction, flow, state, opened_at, plate, json, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, gate = excluded.gate, lane = excluded.lane, kind = excluded.kind,
			direction = excluded.direction, flow = excluded.flow, state = excluded.state, opened_at = excluded.opened_at,
			plate = excluded.plate, json = excluded.json, chain = excluded.chain, sequence = excluded.sequence
		WHERE excluded.version > version OR (excluded.version = version AND (excluded.chain, excluded.sequence) < (chain, sequence))`,
		string(p.ID), p.Version, p.Gate, p.Lane, string(p.Kind), string(p.Direction), string(p.Flow), string(p.State),
		stamp(p.OpenedAt), BestPlate(p).Text, raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("passage: %w", err)
	}
	for _, ev := range passageEvidence(p) {
		if err := t.names(p.Gate, ev, t.now); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO passage_evidence (sha256, passage) VALUES (?, ?) ON CONFLICT DO NOTHING`, ev.SHA256, string(p.ID)); err != nil {
			return fmt.Errorf("evidence of a passage: %w", err)
		}
	}
	for _, c := range p.Corrections {
		n, err := t.exec(`INSERT INTO passage_corrections (correction, passage) VALUES (?, ?) ON CONFLICT DO NOTHING`, string(c.ID), string(p.ID))
		if err != nil {
			return fmt.Errorf("correction of a passage: %w", err)
		}
		if n > 0 {
			t.changed("correction", string(p.ID))
		}
	}
	t.touched[p.ID] = true
	t.changed("passage", string(p.ID))
	t.changed("lane", p.Gate+"/"+p.Lane)
	return nil
}

// BestPlate is the reading of a passage that stands for it: what an officer
// stated, or else the one with a text and the highest score, a rear one only
// where no other has a text, or else the best of the weak ones. A stated plate
// keeps the place in the photo of the reading it replaces.
func BestPlate(p *event.Passage) event.PlateReading {
	var best event.PlateReading
	worth := func(r event.PlateReading) int {
		switch {
		case r.Text == "":
			return 0
		case r.View == "rear":
			return 1
		}
		return 2
	}
	for i, r := range p.Plates {
		if i == 0 || worth(r) > worth(best) || worth(r) == worth(best) && r.Score > best.Score {
			best = r
		}
	}
	if s := p.Stated.Plate; s != "" && s != best.Text {
		best.Text, best.Display, best.Country, best.Score, best.Alternates, best.Model = s, s, "", 1, nil, StatedModel
	}
	return best
}

// StatedModel is the model of a plate that an officer stated.
const StatedModel = "officer"

// pushGrace is how long a console waits for pushed alert evidence before it
// asks for it.
const pushGrace = 4 * time.Second

func (t *batchTx) alert(e *Event, a *event.Alert, raw []byte, late bool) error {
	_, err := t.exec(`INSERT INTO alerts (id, passage, gate, lane, code, severity, lead, status, msg_type, sent, json, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET passage = excluded.passage, gate = excluded.gate, lane = excluded.lane, code = excluded.code,
			severity = excluded.severity, lead = excluded.lead, status = excluded.status, msg_type = excluded.msg_type,
			sent = excluded.sent, json = excluded.json, chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) > (chain, sequence)`,
		string(a.ID), string(a.Passage), a.Gate, a.Lane, a.EventCode, string(a.Severity), string(a.Lead), a.Status, a.MsgType,
		stamp(a.Sent), raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("alert: %w", err)
	}
	for _, ref := range a.References {
		if _, err := t.exec(`INSERT INTO alert_references (alert, refers) VALUES (?, ?) ON CONFLICT DO NOTHING`, string(a.ID), string(ref)); err != nil {
			return fmt.Errorf("alert reference: %w", err)
		}
	}
	for _, ev := range a.Evidence {
		if err := t.names(a.Gate, ev, t.now.Add(pushGrace)); err != nil {
			return err
		}
	}
	t.result.Changes = append(t.result.Changes, Change{Topic: "alert", Key: string(a.Passage), Late: late})
	if t.replay {
		return nil
	}
	return t.receiptAlert(e, a.ID)
}

func (t *batchTx) verdict(e *Event, v *event.Verdict, raw []byte) error {
	_, err := t.exec(`INSERT INTO verdicts (id, passage, alert, agency, gate, code, reason, badge, at, json, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(v.ID), string(v.Passage), string(v.Alert), string(v.Agency), v.Gate, string(v.Code), v.Reason, v.Badge, stamp(v.At),
		raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	t.touched[v.Passage] = true
	t.changed("verdict", string(v.Passage))
	return nil
}

func (t *batchTx) receipt(e *Event, r *event.Receipt) error {
	list, err := marshalSequences(r.Quarantined)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO receipts (id, agency, gate, of_chain, of_sequence, head, alert, quarantined, at, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(r.ID), string(r.Agency), r.Gate, r.Chain, r.Sequence, r.Head, string(r.Alert), list, stamp(r.At), e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	t.changed("receipt", r.Chain)
	return nil
}

func (t *batchTx) device(e *Event, d *event.DeviceChange) error {
	barrier := ""
	if d.Barrier != nil {
		b, err := json.Marshal(d.Barrier)
		if err != nil {
			return fmt.Errorf("encode barrier: %w", err)
		}
		barrier = string(b)
	}
	_, err := t.exec(`INSERT INTO devices (gate, lane, device, driver, state, since, reason, try_vi, try_en, chain, sequence, heard_at, code, required, barrier,
			words_vi, words_en)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?)
		ON CONFLICT (gate, lane, device) DO UPDATE SET driver = excluded.driver, state = excluded.state, since = excluded.since,
			reason = excluded.reason, try_vi = excluded.try_vi, try_en = excluded.try_en, chain = excluded.chain, sequence = excluded.sequence,
			code = excluded.code, required = excluded.required, barrier = excluded.barrier, words_vi = excluded.words_vi, words_en = excluded.words_en
		WHERE (excluded.chain, excluded.sequence) > (chain, sequence)`,
		d.Gate, d.Lane, d.Device, d.Driver, string(d.State), stamp(d.Since), d.Reason, d.Try.VI, d.Try.EN, e.Chain, e.Sequence,
		d.Code, d.Required, barrier, d.Words.VI, d.Words.EN)
	if err != nil {
		return fmt.Errorf("device: %w", err)
	}
	if err := t.deviceChange(e, d); err != nil {
		return err
	}
	t.changed("device", strings.Join([]string{d.Gate, d.Lane, d.Device}, "/"))
	t.changed("lane", d.Gate+"/"+d.Lane)
	return nil
}

func (t *batchTx) gap(e *Event, g *event.Gap) error {
	_, err := t.exec(`INSERT INTO gaps (id, gate, lane, device, from_at, to_at, frames, reason, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(g.ID), g.Gate, g.Lane, g.Device, stamp(g.From), stamp(g.To), g.Frames, g.Reason, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("gap: %w", err)
	}
	t.changed("gap", string(g.ID))
	return nil
}

func (t *batchTx) frameLog(_ *Event, f *event.FrameLog) error {
	digests, err := json.Marshal(f.Digests)
	if err != nil {
		return err
	}
	fresh, err := t.exec(`INSERT INTO frames (log_id, n, gate, lane, device, digest, at)
		SELECT ?, j.key, ?, ?, ?, j.value, ? FROM json_each(?) j WHERE j.type = 'text' ON CONFLICT DO NOTHING`,
		string(f.ID), f.Gate, f.Lane, f.Device, stamp(f.To), string(digests))
	if err != nil {
		return fmt.Errorf("frames: %w", err)
	}
	if err := t.frameDay(f, fresh); err != nil {
		return err
	}
	// The empty chain is before every real one, so that any device event wins.
	_, err = t.exec(`INSERT INTO devices (gate, lane, device, driver, state, since, reason, try_vi, try_en, chain, sequence, heard_at)
		VALUES (?, ?, ?, '', '', '', '', '', '', '', 0, ?)
		ON CONFLICT (gate, lane, device) DO UPDATE SET heard_at = max(heard_at, excluded.heard_at)`,
		f.Gate, f.Lane, f.Device, stamp(f.To))
	if err != nil {
		return fmt.Errorf("device heard: %w", err)
	}
	t.changed("heard", f.Gate+"/"+f.Lane)
	return nil
}
