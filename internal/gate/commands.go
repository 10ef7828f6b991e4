package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/control"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/lease"
)

// commanded is a device as the keeper of control leases sees it.
type commanded struct{ *device }

// Command implements lease.Device.
func (d commanded) Command(ctx context.Context, v event.ControlVerb) error {
	if !slices.Contains(d.commands, v) {
		return fmt.Errorf("%s: %w", v, driver.ErrNoCommand)
	}
	return d.device.Command(ctx, strings.ToUpper(string(v)))
}

// commandable finds a device that takes commands; nil for none.
func (g *gate) commandable(lane, id string) lease.Device {
	d := g.fleet.find(lane, id)
	if d == nil || len(d.commands) == 0 {
		return nil
	}
	return commanded{d}
}

// openKeeper makes the keeper of control leases; it is live after the replay.
func (g *gate) openKeeper(ctx context.Context, s *sharing) (*lease.Keeper, error) {
	return lease.Open(ctx, lease.Config{
		Gate: g.file.Gate.ID, Journal: g.journal, Share: s.Share, Find: s.change,
		Device: g.commandable, Now: g.clock.Now, Fault: g.deps.Points, Log: g.log.With("part", "control"),
	})
}

// change reads what the shared record says of a control lease.
func (s *sharing) change(ctx context.Context, id event.ID) (c event.ControlChange, ok bool, err error) {
	entry, ok, err := s.chain.Find(ctx, id)
	if err != nil || !ok {
		return c, false, err
	}
	envelope, err := entry.Envelope()
	if err != nil {
		return c, false, err
	}
	if err := json.Unmarshal(envelope.Data, &c); err != nil {
		return c, false, fmt.Errorf("read control change %s: %w", id, err)
	}
	return c, true, nil
}

// Command implements control.Gate.
func (g *gate) Command(ctx context.Context, c event.Command) (event.ControlChange, error) {
	now := g.clock.Now().UTC()
	c.ID, c.Agency, c.Gate, c.At = event.NewID(now), event.AtGate, g.file.Gate.ID, now
	return g.keeper.Do(ctx, c)
}

// Lease implements control.Gate.
func (g *gate) Lease(lane, device string) (control.Lease, error) {
	d := g.fleet.find(lane, device)
	if d == nil {
		return control.Lease{}, control.ErrNoDevice
	}
	l := g.keeper.Lease(lane, device)
	out := control.Lease{
		Where: event.Where{Gate: g.file.Gate.ID, Lane: lane, Device: device}, State: d.Status().State, Commands: []event.ControlVerb{}, Holder: l.Holder,
	}
	if len(d.commands) > 0 {
		out.Commands = append([]event.ControlVerb{event.ControlTake, event.ControlRelease}, d.commands...)
	}
	if l.Holder != "" {
		out.Since, out.Until = l.Since.UTC(), l.Until.UTC()
	}
	return out, nil
}

// endControl ends all control leases. The devices have ended and are red.
func (g *gate) endControl(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, foldGrace)
	defer cancel()
	if err := g.keeper.Close(ctx); err != nil {
		return fmt.Errorf("end control leases: %w", err)
	}
	return nil
}
