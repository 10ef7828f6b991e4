package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
)

// facts are what is known of one piece that is on the disk. Where several passages
// name it, the worst, the newest and the most careful of them counts.
type facts struct {
	sha256   string
	named    bool // by a record
	bytes    int64
	kind     event.EvidenceKind
	passage  event.ID // one that names it; empty where no record does
	opened   time.Time
	position uint64 // of the newest record that names it
	worst    event.Severity
	verdicts []event.VerdictCode // the last of each agency
	busy     int
	alert    bool // an alert is open
	held     bool
	fetched  int       // agencies that have stored it
	removed  time.Time // when the piece that the record says went had been stored
}

// Why a piece stays. The words are for JSON; people get a sentence.
const (
	StaysBusy       = "under-way"  // its passage is under way, or vision has not looked at all of it
	StaysHeld       = "held"       // a legal hold
	StaysAlert      = "open-alert" // an alert of its passage waits for a verdict of an agency
	StaysUnreceived = "unreceived" // an agency has not confirmed the record that names it
	StaysUnfetched  = "unfetched"  // an agency has not confirmed that it stored it
	StaysUnknown    = "unknown"    // no record names it, and it is older than what is known of the record
	StaysNoRule     = "no-rule"    // no rule is about it
	StaysYoung      = "young"      // a rule keeps it for longer
)

// folderQuery gives the facts of the pieces in one folder of the store. The hold
// of a passage is on what was merged into it, too, and the other way round.
const folderQuery = `SELECT e.sha256, max(e.bytes), max(e.kind), min(e.passage), max(coalesce(a.opened, 0)), max(coalesce(a.position, 0)),
	max(coalesce(a.worst, 0)), max(coalesce(a.busy, 2)),
	max(EXISTS (SELECT 1 FROM alerts l WHERE l.passage = e.passage AND l.over = 0 AND (SELECT count(DISTINCT v.agency) FROM verdicts v
		WHERE v.passage = e.passage AND (v.alert = l.id OR v.alert = '' AND v.at >= l.sent)) < 2)),
	max(EXISTS (SELECT 1 FROM holds h WHERE h.held = 1 AND (h.passage = e.passage OR h.passage = a.merged AND a.merged <> ''
		OR h.passage IN (SELECT m.id FROM passages m WHERE m.merged = e.passage AND m.merged <> '')))),
	coalesce(group_concat((SELECT group_concat(v.code) FROM verdicts v WHERE v.passage = e.passage
		AND v.position = (SELECT max(w.position) FROM verdicts w WHERE w.passage = v.passage AND w.agency = v.agency))), ''),
	(SELECT count(*) FROM fetched f WHERE f.sha256 = e.sha256),
	coalesce((SELECT r.stored FROM removed r WHERE r.sha256 = e.sha256), 0)
	FROM pieces e LEFT JOIN passages a ON a.id = e.passage
	WHERE e.sha256 BETWEEN ? AND ? GROUP BY e.sha256`

// between gives the facts of the pieces that records name, from one digest to
// another.
func (x *index) between(ctx context.Context, from, to string) (map[string]facts, error) {
	rows, err := x.db.QueryContext(ctx, folderQuery, from, to)
	if err != nil {
		return nil, fmt.Errorf("read index of evidence: %w", err)
	}
	defer rows.Close()
	all := map[string]facts{}
	for rows.Next() {
		f := facts{named: true}
		var kind, worst int
		var opened, removed int64
		var codes string
		if err := rows.Scan(&f.sha256, &f.bytes, &kind, &f.passage, &opened, &f.position, &worst, &f.busy, &f.alert, &f.held,
			&codes, &f.fetched, &removed); err != nil {
			return nil, fmt.Errorf("read index of evidence: %w", err)
		}
		f.kind, f.opened, f.removed = event.EvidenceKinds()[kind-1], time.UnixMilli(opened).UTC(), moment(removed)
		if worst > 0 {
			f.worst = severities()[worst-1]
		}
		for code := range strings.SplitSeq(codes, ",") {
			if code != "" {
				f.verdicts = append(f.verdicts, event.VerdictCode(code))
			}
		}
		all[f.sha256] = f
	}
	return all, rows.Err()
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// unnamed gives the facts of a piece that no passage names.
func (x *index) unnamed(ctx context.Context, sha256 string) (facts, error) {
	var removed int64
	err := x.db.QueryRowContext(ctx, `SELECT coalesce((SELECT stored FROM removed WHERE sha256 = ?), 0)`, sha256).Scan(&removed)
	return facts{sha256: sha256, kind: event.EvidenceRaw, removed: moment(removed)}, err
}

// of is the class of passages that a piece belongs to.
func (f *facts) of() config.RetentionOf {
	switch {
	case len(f.verdicts) > 0:
		return config.OfDecided
	case f.worst != "":
		return config.OfFindings
	}
	return config.OfClear
}

// fits tells whether a rule is about the piece.
func (f *facts) fits(r config.RetentionRule) bool {
	if !slices.Contains(r.Evidence, f.kind) || r.Passages != f.of() {
		return false
	}
	if len(r.Severities) > 0 && !slices.Contains(r.Severities, f.worst) {
		return false
	}
	return len(r.Verdicts) == 0 || !slices.ContainsFunc(f.verdicts, func(c event.VerdictCode) bool { return !slices.Contains(r.Verdicts, c) })
}
