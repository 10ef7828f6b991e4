package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"gatehouse/internal/config"
	"gatehouse/internal/expect"
	"gatehouse/internal/lane"
	"gatehouse/internal/passage"
)

// seer answers the lanes' questions: vision those about pictures, the lists of
// expected vehicles the others. Either may be missing.
type seer struct {
	eyes  lane.Vision // nil without vision
	lists *expect.Lists
}

// openSeer opens what answers the lanes' questions; nil when there is nothing
// that could.
func openSeer(g config.Gate, eyes *eyes, log *slog.Logger) (lane.Vision, *expect.Lists) {
	s := seer{}
	if eyes != nil {
		s.eyes = eyes
	}
	if g.Expected.Folder != "" {
		s.lists = expect.Open(g.Expected.Folder, log.With("part", "expected"))
	}
	if s.eyes == nil && s.lists == nil {
		return nil, nil
	}
	return s, s.lists
}

// Up implements lane.Vision.
func (s seer) Up(op string) bool {
	if op == passage.OpExpected {
		return s.lists != nil
	}
	return s.eyes != nil && s.eyes.Up(op)
}

// Analyse implements lane.Vision.
func (s seer) Analyse(ctx context.Context, r passage.Request) (lane.Outcome, error) {
	if r.Op != passage.OpExpected {
		return s.eyes.Analyse(ctx, r)
	}
	answer, err := s.lists.Look(ctx, expect.Query{By: r.Kind, Text: r.Evidence, Day: r.Day, Direction: r.Direction})
	if ctx.Err() != nil {
		return lane.Outcome{}, ctx.Err()
	}
	if err != nil {
		return lane.Outcome{Outcome: "unavailable", Error: err.Error()}, nil
	}
	result, err := json.Marshal(answer)
	if err != nil {
		return lane.Outcome{}, fmt.Errorf("encode look-up of %s: %w", r.Evidence, err)
	}
	return lane.Outcome{Outcome: "done", Result: result}, nil
}
