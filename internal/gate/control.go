package gate

import (
	"context"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"gatehouse/internal/config"
	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/vision/wire"
)

var _ control.Gate = (*gate)(nil)

// inForce is the configuration now, with the mistakes that it runs with.
func (g *gate) inForce() (*config.File, time.Time, config.Problems) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.file, g.since, g.problems
}

// Status implements control.Gate.
func (g *gate) Status(ctx context.Context) (control.Status, error) {
	file, since, problems := g.inForce()
	cfg := file.Gate
	s := control.Status{
		Gate: cfg.ID, Name: cfg.Name, Now: time.Now().UTC(), Started: g.started.UTC(), PID: os.Getpid(), Version: g.deps.Version,
		Phase:  g.phase.Load().(control.Phase),
		Config: control.Config{File: file.Path(), Digest: file.Digest(), Since: since.UTC(), Problems: problems},
		Clock:  g.clock.Stamp(), Lanes: g.laneStatus(cfg), Agencies: g.agencyStatus(cfg), Vision: g.visionStatus(),
		Disk: control.Disk{Reserve: int64(cfg.Journal.Reserve)},
	}
	if text, err := os.ReadFile(file.Path()); err != nil || event.Digest(text) != file.Digest() {
		s.Config.Differs = true
	}
	var err error
	if s.Disk.Free, err = evidence.Free(cfg.State); err != nil {
		return s, fmt.Errorf("ask for free space: %w", err)
	}
	s.Streams, err = g.streamStatus(ctx)
	return s, err
}

func (g *gate) laneStatus(cfg config.Gate) []control.Lane {
	var lanes []control.Lane
	devices := g.fleet.all()
	for _, l := range cfg.Lanes {
		one := control.Lane{ID: l.ID, Name: l.Name, Kind: l.Kind, Flow: l.Flow, Shadow: l.Shadow, Devices: []control.Device{}}
		for _, d := range devices {
			if d.lane != l.ID {
				continue
			}
			st := d.Status()
			one.Devices = append(one.Devices, control.Device{
				ID: d.section.ID, Driver: d.section.Driver, Role: d.section.Role, Owner: d.section.Owner, Required: d.section.Required,
				State: st.State, Since: st.Since, Reason: st.Reason, Heard: st.Heard,
			})
		}
		lanes = append(lanes, one)
	}
	return lanes
}

func (g *gate) agencyStatus(cfg config.Gate) []control.Agency {
	var all []control.Agency
	for _, h := range g.sharing.handover.Status() {
		one := control.Agency{
			Code: h.Agency, Alerts: h.Alerts, Records: h.Records, Handed: h.Handed, Received: h.Received.Sequence,
			ReceivedAt: h.ReceivedAt, Error: h.Error, ErrorSince: h.Since,
		}
		for _, a := range cfg.Agencies {
			if a.Code == h.Agency {
				one.Name = a.Name
			}
		}
		all = append(all, one)
	}
	return all
}

func (g *gate) visionStatus() control.Vision {
	if g.eyes == nil {
		return control.Vision{}
	}
	v := control.Vision{On: true}
	for _, op := range []wire.Op{wire.OpPlate, wire.OpContainer, wire.OpXray} {
		up, why := g.eyes.pool.Works(op)
		v.Operations = append(v.Operations, control.Operation{Name: string(op), Up: up, Reason: why})
	}
	return v
}

// streamStatus lists the streams of the journal.
func (g *gate) streamStatus(ctx context.Context) ([]control.Stream, error) {
	var all []control.Stream
	list := g.journal.JetStream().ListStreams(ctx)
	for info := range list.Info() {
		all = append(all, control.Stream{
			Name: info.Config.Name, Bytes: info.State.Bytes, MaxBytes: max(info.Config.MaxBytes, 0), Records: info.State.Msgs,
			First: info.State.FirstTime, Last: info.State.LastTime,
		})
	}
	if err := list.Err(); err != nil {
		return all, fmt.Errorf("ask the journal: %w", err)
	}
	return all, nil
}

// Watch implements control.Gate.
func (g *gate) Watch(ctx context.Context, lane, id string, each func(event.Reading) error) error {
	d := g.fleet.find(lane, id)
	if d == nil {
		return control.ErrNoDevice
	}
	return d.Watch(ctx, func(r event.Reading) error { return each(masked(r, d.section)) })
}

// masked leaves out what travellers and drivers hand over: technicians see
// that a reader reads, and not what.
func masked(r event.Reading, d config.Device) event.Reading {
	if r.Document != nil {
		r.Document = &event.Document{Format: r.Document.Format, Type: r.Document.Type, Issuer: r.Document.Issuer, Checks: r.Document.Checks}
	}
	if r.Barcode != nil {
		r.Barcode = &event.Barcode{Symbology: r.Barcode.Symbology, Text: fmt.Sprintf("(%d characters)", utf8.RuneCountInString(r.Barcode.Text))}
	}
	if r.Document != nil || r.Barcode != nil || d.Role == config.RoleDocument || d.Role == config.RoleBarcode {
		r.Raw, r.Note, r.Key = nil, "", ""
	}
	return r
}
