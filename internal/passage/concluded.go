package passage

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/container"
	"gatehouse/internal/event"
)

// codeScore is the score from which a container number read by vision stands.
const codeScore = 0.5

// speedFindings compares the highest measured speed with the lane's limit.
func (e *Engine) speedFindings(p *passage) []conclusion {
	limit := e.lane.Limits.SpeedKMH
	if limit <= 0 || p.Fastest <= limit {
		return nil
	}
	speed, most := decimal("%s km/h", p.Fastest, 1), decimal("%s km/h", limit, 0)
	return []conclusion{{
		code: event.FindingOverspeed, score: 1, figures: map[string]any{"speed_kmh": p.Fastest, "limit_kmh": limit},
		said: event.Text{VI: speed.VI + ", giới hạn " + most.VI, EN: speed.EN + ", limit " + most.EN},
	}}
}

// weightFindings are what the weighings of the passage say.
func (e *Engine) weightFindings(p *passage) []conclusion {
	var out []conclusion
	for i, w := range p.Weighs {
		if c, doubtful := e.doubt(p, w, p.Record.Weighings[i]); doubtful {
			c.mark = strconv.Itoa(i)
			out = append(out, c)
		}
	}
	gross, ok := p.grossWeight()
	if !ok {
		return out
	}
	if c, differs := e.declared(p, gross); differs {
		out = append(out, c)
	}
	for i, w := range p.Weighs {
		if c, differs := e.axles(p, w, p.Record.Weighings[i], gross); differs {
			out = append(out, c)
		}
	}
	return out
}

// doubt is a weighing without a weight, or with one that is not dependable,
// once the vehicle has left the scale.
func (e *Engine) doubt(p *passage, w weighing, record event.Weighing) (conclusion, bool) {
	why := w.Doubt
	if c := e.calibration(w.Device); why == "" && c != "" {
		why = c
	}
	over := !w.Ended.IsZero() || p.ended()
	if !over || why == "" || w.Settled && w.Downs > 1 && w.Unsettled == 0 && why != doubtCalibration {
		return conclusion{}, false
	}
	figures := map[string]any{"reason": why}
	if record.Weight != nil {
		figures["gross_kg"] = *indicated(record.Weight)
	}
	return conclusion{
		code: event.FindingWeightUncertain, device: w.Device, score: 1, figures: figures, reason: reasonWeight(why),
	}, true
}

// calibration says that a scale reports that it is past its calibration date.
func (e *Engine) calibration(device string) string {
	if ds := e.s.device(device); ds != nil && ds.Report.Code == "CALIBRATION-EXPIRED" {
		return doubtCalibration
	}
	return ""
}

// weighed is a weight of the whole vehicle.
type weighed struct {
	device string
	kg     float64
	net    *float64 // what the scale showed behind its tare
	over   bool     // the vehicle has left the scale: it cannot become more
	causes []event.ID
}

// grossWeight is the settled weight of the whole vehicle; a trailer that was
// weighed by itself is part of it. Of vehicles that may be mixed up there is
// none.
func (p *passage) grossWeight() (weighed, bool) {
	var sum weighed
	for i, w := range slices.Backward(p.Weighs) {
		record := p.Record.Weighings[i]
		if len(record.AxlesKG) > 0 || sum.device != "" && sum.device != w.Device {
			continue
		}
		if !w.Settled || record.Weight == nil || w.Doubt != "" {
			return weighed{}, false
		}
		over := !w.Ended.IsZero()
		if sum.device == "" {
			sum = weighed{device: w.Device, over: over, net: record.Weight.Net}
			if record.Weight.Gross == nil {
				sum.net = nil // the net weight is all that there is
			}
		}
		sum.kg, sum.over = sum.kg+*indicated(record.Weight), sum.over && over
		sum.causes = append(sum.causes, record.Reading)
	}
	mixed := slices.Contains(p.Record.Irregular, irregularTailGate) && len(sum.causes) > 1
	return sum, sum.device != "" && !mixed
}

// declared compares the weight with what the list of expected vehicles says. A
// vehicle that still stands on the scale may not be on it wholly, so only too
// much counts until it has left.
func (e *Engine) declared(p *passage, w weighed) (conclusion, bool) {
	x := p.Record.Expected
	if x == nil || !x.Found {
		return conclusion{}, false
	}
	kg, want, what := w.kg, x.GrossKG, "gross"
	if want == nil && x.NetKG != nil && w.net != nil {
		kg, want, what = *w.net, x.NetKG, "net"
	}
	if want == nil {
		return conclusion{}, false
	}
	limits := e.lane.Limits
	allowed := max(limits.WeightKG, limits.WeightPercent/100**want)
	diff := kg - *want
	if math.Abs(diff) <= allowed || diff < 0 && !w.over {
		return conclusion{}, false
	}
	figures := map[string]any{
		"weighed_" + what + "_kg": kg, "declared_" + what + "_kg": *want, "difference_kg": diff, "allowed_kg": allowed,
	}
	return conclusion{
		code: event.FindingWeightDeclared, device: w.device, score: 1, figures: figures, causes: w.causes,
		said: event.Text{
			VI: fmt.Sprintf("cân %s kg, khai %s kg, lệch %s kg", grouped(kg, "."), grouped(*want, "."), signed(diff, ".")),
			EN: fmt.Sprintf("weighed %s kg, declared %s kg, difference %s kg", grouped(kg, ","), grouped(*want, ","), signed(diff, ",")),
		},
	}, true
}

// axles compares the sum of the axles with the gross weight from another scale.
func (e *Engine) axles(p *passage, w weighing, record event.Weighing, gross weighed) (conclusion, bool) {
	limit := e.lane.Limits.AxlesPercent
	if limit <= 0 || len(record.AxlesKG) == 0 || w.Unsettled > 0 || w.Ended.IsZero() || !gross.over || p.Record.LeftAt == nil || gross.kg <= 0 {
		return conclusion{}, false
	}
	sum := 0.0
	for _, kg := range record.AxlesKG {
		sum += kg
	}
	percent := math.Abs(sum-gross.kg) / gross.kg * 100
	if percent <= limit {
		return conclusion{}, false
	}
	share := decimal("%s %%", percent, 1)
	return conclusion{
		code: event.FindingWeightAxles, device: w.Device, score: 1, causes: append([]event.ID{record.Reading}, gross.causes...),
		figures: map[string]any{"axles_sum_kg": sum, "axles": len(record.AxlesKG), "gross_kg": gross.kg, "difference_percent": percent, "allowed_percent": limit},
		said: event.Text{
			VI: fmt.Sprintf("tổng trục %s kg, cả xe %s kg, lệch %s", grouped(sum, "."), grouped(gross.kg, "."), share.VI),
			EN: fmt.Sprintf("axles %s kg, gross %s kg, difference %s", grouped(sum, ","), grouped(gross.kg, ","), share.EN),
		},
	}, true
}

// grouped is a weight in whole kilograms with its thousands apart.
func grouped(kg float64, separator string) string {
	s := strconv.FormatFloat(math.Abs(math.Round(kg)), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + separator + s[i:]
	}
	if math.Round(kg) < 0 {
		return "-" + s
	}
	return s
}

func signed(kg float64, separator string) string {
	if kg < 0 {
		return grouped(kg, separator)
	}
	return "+" + grouped(kg, separator)
}

// documentFindings judges each bearer's documents. The findings never say whose
// document it is: the record does, and consoles mask it by role.
func (e *Engine) documentFindings(p *passage) []conclusion {
	var out []conclusion
	for i, r := range p.Record.Documents {
		mark := bearer(&r.Document)
		if c, wrong := wrongDigits(r); wrong && !p.readWell(&r.Document) {
			c.mark = mark
			out = once(out, c)
		}
		if c, expired := expired(r); expired && p.lastRead(i) {
			c.mark = mark
			out = once(out, c)
		}
	}
	return out
}

// once appends a conclusion unless it is there already.
func once(list []conclusion, c conclusion) []conclusion {
	if slices.ContainsFunc(list, func(o conclusion) bool { return o.code == c.code && o.device == c.device && o.mark == c.mark }) {
		return list
	}
	return append(list, c)
}

// readWell says whether the same document was read another time and nothing
// was wrong: it was the reader then.
func (p *passage) readWell(d *event.Document) bool {
	return slices.ContainsFunc(p.Record.Documents, func(o event.DocumentReading) bool {
		same := o.Document.Format == d.Format && (o.Document.Number == d.Number || bearer(&o.Document) == bearer(d))
		return same && len(wrong(&o.Document)) == 0
	})
}

// lastRead says whether no later reading of the same document is in the record.
func (p *passage) lastRead(i int) bool {
	d := &p.Record.Documents[i].Document
	return !slices.ContainsFunc(p.Record.Documents[i+1:], func(o event.DocumentReading) bool {
		return o.Document.Format == d.Format && bearer(&o.Document) == bearer(d)
	})
}

// wrong are the fields of a document whose check digit is wrong, sorted.
func wrong(d *event.Document) []string {
	var fields []string
	for field, outcome := range d.Checks {
		if outcome == "wrong" {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

func wrongDigits(r event.DocumentReading) (conclusion, bool) {
	fields := wrong(&r.Document)
	if len(fields) == 0 {
		return conclusion{}, false
	}
	return conclusion{
		code: event.FindingDocumentCheck, device: r.Device, score: 1, causes: []event.ID{r.Reading},
		figures: map[string]any{"format": r.Document.Format, "fields": fields},
		said:    namedFields(r.Document.Format, fields),
	}, true
}

// expired says whether the document's last day was over on the reporting day on
// which it was read. A date whose check digit is wrong says nothing.
func expired(r event.DocumentReading) (conclusion, bool) {
	d := &r.Document
	last, ok := lastDay(d.Expiry)
	if !ok || d.Checks["expiry"] == "wrong" || d.Checks["expiry_date"] == "wrong" || reportingDay(r.At) <= last {
		return conclusion{}, false
	}
	return conclusion{
		code: event.FindingDocumentExpired, device: r.Device, score: 1, causes: []event.ID{r.Reading},
		figures: map[string]any{"format": d.Format, "expiry": d.Expiry, "read_on": reportingDay(r.At)},
		said:    event.Text{VI: d.Format + ", hết hạn " + vietnameseDay(last), EN: d.Format + ", expired on " + last},
	}, true
}

// lastDay is the last day on which a document is valid; parts that the document
// leaves open are read in its favour.
func lastDay(expiry string) (string, bool) {
	parts := strings.Split(expiry, "-")
	if len(parts) != 3 {
		return "", false
	}
	if strings.Trim(parts[1], "X") == "" {
		parts[1] = "12"
	}
	open := strings.Trim(parts[2], "X") == ""
	if open {
		parts[2] = "01"
	}
	day, err := time.Parse(time.DateOnly, strings.Join(parts, "-"))
	if err != nil {
		return "", false
	}
	if open {
		day = day.AddDate(0, 1, -1)
	}
	return day.Format(time.DateOnly), true
}

// reportingDay is the calendar day at the gate, UTC+7.
func reportingDay(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*60*60)).Format(time.DateOnly)
}

// vietnameseDay turns 2006-01-02 into 02/01/2006.
func vietnameseDay(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format("02/01/2006")
}

// containerFindings are the container numbers whose check digit is wrong. An
// officer's own number settles the question.
func (e *Engine) containerFindings(p *passage) []conclusion {
	if p.Record.Stated.Container != "" {
		return nil
	}
	var out []conclusion
	for _, r := range p.Record.Containers {
		if r.CheckOK || r.Repaired || r.Score < codeScore {
			continue
		}
		figures := map[string]any{"container": r.Text}
		said := event.Text{VI: r.Text, EN: r.Text}
		if want, ok := container.Check(r.Text); ok {
			figures["check_digit_should_be"] = string(want)
			said = event.Text{VI: r.Text + ", phải là " + string(want), EN: r.Text + ", should be " + string(want)}
		}
		c := conclusion{code: event.FindingContainerCheck, device: p.deviceOfContainer(r), mark: r.Text, score: r.Score, figures: figures, said: said}
		if r.Reading != "" {
			c.causes = []event.ID{r.Reading}
		}
		if r.Photo != "" {
			c.region = &event.Region{Evidence: r.Photo, Box: r.Box}
			c.source = event.Source{Kind: "model", Name: OpContainer, Version: r.Model}
		}
		out = once(out, c)
	}
	return out
}

func (p *passage) deviceOfContainer(r event.ContainerReading) string {
	for _, b := range p.Record.Barcodes {
		if b.Reading == r.Reading && r.Reading != "" {
			return b.Device
		}
	}
	return p.deviceOf(r.Photo)
}
