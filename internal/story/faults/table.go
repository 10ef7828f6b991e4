package faults

import (
	"slices"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/fault"
)

// Row is what has to be seen of one fault.
type Row struct {
	Fault string
	// Kinds are the kinds of device that the row is for; empty for all that have
	// no row of their own.
	Kinds []string
	// Says is the expectation in words, with where it comes from.
	Says  string
	Wants []want
}

// Find is the row of a fault on a kind of device.
func Find(name, kind string) (Row, bool) {
	rows := Table()
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Fault == name && slices.Contains(r.Kinds, kind) })
	if i < 0 {
		i = slices.IndexFunc(rows, func(r Row) bool { return r.Fault == name && len(r.Kinds) == 0 })
	}
	if i < 0 {
		return Row{}, false
	}
	return rows[i], true
}

// Table is the expectation of every fault on the simulator's menu.
func Table() []Row {
	return slices.Concat(serialRows(), answerRows(), portalRows(), laneRows(), scaleRows(), documentRows(), barrierRows(), scannerRows(), imageRows(), cameraRows(), dataRows())
}

// alarms are findings that damage on a line may never make.
func alarms() want {
	return without(event.FindingRadiationGamma, event.FindingRadiationNeutron, event.FindingWeightDeclared, event.FindingDocumentCheck,
		event.FindingDocumentExpired, event.FindingContainerCheck, event.FindingTamper)
}

// harmless is a fault that may not be seen at all.
func harmless(more ...want) []want { return append([]want{understood, steady, accounted}, more...) }

// spoils is damage to frames: they are kept as not understood, nothing is
// concluded from them, and the device goes on or comes back.
func spoils(more ...want) []want {
	return append([]want{invalid, accounted, alarms(), recovers}, more...)
}

// away is a device that cannot be heard: it is down, its frames lie in a gap,
// and it comes back.
func away(more ...want) []want {
	return append([]want{becomes(event.Down), gap, recovers, accounted}, more...)
}

func serialRows() []Row {
	talkers := []string{fault.RPM, fault.XRay, fault.Scale, fault.Barrier} // devices that speak by themselves or are asked
	readers := []string{fault.MRZ, fault.Barcode, fault.SSI}               // that speak when something is read
	text := []string{fault.Barcode}                                        // whose frames have no form that could be checked
	return []Row{
		{Fault: "noise", Says: "frame.invalid is counted and gives no value; sound frames beside it go on", Wants: spoils()},
		{Fault: "split", Says: "nothing: halves are joined", Wants: harmless()},
		{Fault: "merge", Says: "nothing: frames in one write are told apart", Wants: harmless()},
		{Fault: "noise", Kinds: text, Says: "bytes that are no text are a code without text, kept as suspect; nothing is concluded", Wants: []want{doubtful, accounted, alarms(), recovers}},
		{Fault: "parity", Kinds: text, Says: "bytes that are no text are a code without text, kept as suspect; nothing is concluded", Wants: []want{doubtful, accounted, alarms(), recovers}},
		{Fault: "xoff", Kinds: text, Says: "control bytes are no text: a code without text, kept as suspect; nothing is concluded", Wants: []want{doubtful, accounted, alarms(), recovers}},
		{Fault: "torn", Kinds: text, Says: "a part of a text is a text: it is kept, and nothing is concluded from it", Wants: []want{accounted, alarms(), recovers}},
		{Fault: "wrong-baud", Kinds: text, Says: "bytes that are no text are a code without text, kept as suspect; nothing is concluded", Wants: []want{doubtful, accounted, alarms(), recovers}},
		{Fault: "torn", Kinds: []string{fault.Barrier}, Says: "an answer that breaks off is none: asked again, and the device is up or comes back", Wants: []want{accounted, recovers}},
		{Fault: "no-terminator", Says: "two frames run together are recovered or kept as not understood; no value is made up", Wants: []want{accounted, alarms(), recovers}},
		{Fault: "torn", Says: "frame.invalid is counted and gives no value", Wants: spoils()},
		{Fault: "bad-value", Says: "frame.invalid is counted and gives no value", Wants: spoils()},
		{Fault: "bad-checksum", Says: "frame.invalid is counted and gives no value", Wants: spoils()},
		{Fault: "bad-checksum", Kinds: []string{fault.SSI}, Says: "frame.invalid, refused with NAK, and the code comes again and is read once", Wants: spoils(coded)},
		{Fault: "wrong-baud", Kinds: talkers, Says: "frame.invalid, then device down with a hint at baud and parity; gap", Wants: away(invalid, alarms())},
		{Fault: "wrong-baud", Kinds: readers, Says: "frame.invalid is counted and gives no document or code", Wants: spoils()},
		{Fault: "parity", Says: "frame.invalid is counted and gives no value", Wants: spoils()},
		{Fault: "xoff", Says: "frame.invalid is counted and gives no value", Wants: spoils()},
		{Fault: "repeat", Says: "nothing: a frame that comes twice is accounted for twice and concluded from once", Wants: harmless(alarms())},
		{Fault: "silence", Kinds: talkers, Says: "device down, gap, passages say that it did not look, and back", Wants: away(blindIfRequired)},
		{Fault: "silence", Kinds: readers, Says: "a reader that nobody uses is silent too: state untouched, who was not read has a coverage gap", Wants: []want{steady, accounted, blindIfRequired}},
		{Fault: "burst", Says: "nothing but lateness: what was held back is all there", Wants: []want{understood, accounted, recovers}},
		{Fault: "unplug", Says: "device down, gap, and back under the same name", Wants: away(blindIfRequired)},
		{Fault: "unplug", Kinds: []string{fault.Camera}, Says: "device down, and back; what it took meanwhile comes late", Wants: []want{becomes(event.Down), recovers, accounted}},
	}
}

func answerRows() []Row {
	return []Row{
		{Fault: "lost-ack", Kinds: []string{fault.XRay}, Says: "nothing: status goes on, a keep-alive without answer is asked again", Wants: []want{steady, accounted}},
		{Fault: "late-ack", Kinds: []string{fault.XRay}, Says: "nothing: an answer that is late is taken as what it is", Wants: []want{steady, accounted}},
		{Fault: "wrong-ack", Kinds: []string{fault.XRay}, Says: "nothing: an answer to another request answers none", Wants: []want{steady, accounted}},
		{Fault: "lost-ack", Kinds: []string{fault.Barrier}, Says: "device down, gap, and back", Wants: away()},
		{Fault: "late-ack", Kinds: []string{fault.Barrier}, Says: "no late answer passes for another's: device down, gap, and back", Wants: away()},
		{Fault: "wrong-ack", Kinds: []string{fault.Barrier}, Says: "frame.invalid, device down, gap, and back", Wants: []want{invalid, becomes(event.Down), recovers, accounted}},
		{Fault: "echo", Kinds: []string{fault.XRay}, Says: "the host's own command that comes back is frame.invalid", Wants: spoils()},
		{Fault: "echo", Kinds: []string{fault.SSI}, Says: "the host's own answer that comes back is no code", Wants: []want{accounted, alarms(), recovers}},
		{Fault: "echo", Kinds: []string{fault.Barrier}, Says: "the host's own question that comes back is no answer: frame.invalid, device down, and back", Wants: []want{invalid, becomes(event.Down), recovers, accounted}},
		{Fault: "deaf", Says: "the same packet again is accounted for and read once", Wants: []want{accounted, coded, recovers}},
	}
}

func portalRows() []Row {
	return []Row{
		{Fault: "dead-detector", Says: "device degraded (GL), RPM-FAULT on who goes through meanwhile", Wants: []want{becomes(event.Degraded, "GL"), finding(event.FindingRadiationFault), recovers}},
		{Fault: "high-background", Says: "device degraded (GH or NH), RPM-FAULT on who goes through meanwhile", Wants: []want{becomes(event.Degraded, "GH", "NH"), finding(event.FindingRadiationFault), recovers}},
		{Fault: "tamper", Says: "device faulty (TT), DEVICE-TAMPER, passages say that it did not look, up at TC", Wants: []want{becomes(event.Faulty, "TT"), finding(event.FindingTamper), blind, recovers}},
	}
}

func laneRows() []Row {
	return []Row{
		{Fault: "no-gx", Says: "the passage ends all the same, with the background that follows", Wants: []want{steady, single, ended}},
		{Fault: "back-to-back", Says: "two passages, the second with TAIL-GATE", Wants: []want{steady, finding(event.FindingTailgate)}},
		{Fault: "tail-gate", Says: "TAIL-GATE", Wants: []want{steady, finding(event.FindingTailgate)}},
		{Fault: "reverse", Says: "nothing on the wire says that it was the same: two tries, the first told as turned back or as not looked at behind the portal", Wants: []want{steady, turnedBack}},
		{Fault: "wrong-way", Says: "its passage says that nothing before the portal looked", Wants: []want{finding(event.FindingCoverageGap)}},
	}
}

func scaleRows() []Row {
	return []Row{
		{Fault: "overload", Says: "WEIGHT-UNCERTAIN, never a weight", Wants: []want{finding(event.FindingWeightUncertain), without(event.FindingWeightDeclared), unweighed, recovers}},
		{Fault: "never-stable", Says: "WEIGHT-UNCERTAIN, never a weight", Wants: []want{finding(event.FindingWeightUncertain), unweighed, recovers}},
		{Fault: "not-zeroed", Says: "device faulty (NOT-ZEROED), WEIGHT-UNCERTAIN or a coverage gap of the scale, back READY", Wants: []want{becomes(event.Faulty, "NOT-ZEROED"), uncertain, recovers}},
	}
}

func documentRows() []Row {
	return []Row{
		{Fault: "mrz-ocr", Says: "repaired where one single change makes every check hold, else DOCUMENT-CHECK; never silently", Wants: []want{steady, repaired}},
		{Fault: "document-expired", Says: "DOCUMENT-EXPIRED", Wants: []want{finding(event.FindingDocumentExpired)}},
		{Fault: "document-check", Says: "DOCUMENT-CHECK", Wants: []want{finding(event.FindingDocumentCheck)}},
		{Fault: "cccd-extra", Says: "the document is read, further fields do no harm", Wants: []want{steady, understood, documented, without(event.FindingDocumentCheck, event.FindingDocumentExpired)}},
	}
}

func barrierRows() []Row {
	return []Row{
		{Fault: "limits", Says: "device faulty (sensor), arm unknown", Wants: []want{becomes(event.Faulty, "sensor"), shows("arm unknown", func(b *event.Barrier) bool { return b.Arm == "unknown" }), recovers}},
		{Fault: "manual", Says: "device bypassed (MANUAL)", Wants: []want{becomes(event.Bypassed, "MANUAL"), shows("manual", func(b *event.Barrier) bool { return b.Manual }), recovers}},
		{Fault: "obstacle", Says: "nothing wrong with the device; the interlock keeps the arm", Wants: []want{accounted, recovers}},
		{Fault: "stuck-relay", Says: "device faulty (coil)", Wants: []want{becomes(event.Faulty, "coil"), recovers}},
		{Fault: "exception", Says: "the exception is kept as frame.invalid, device down, and back", Wants: []want{invalid, becomes(event.Down), recovers, accounted}},
		{Fault: "watchdog", Says: "lights are red again; what was lit is told", Wants: []want{accounted, shows("red", func(b *event.Barrier) bool { return slices.Contains(b.Lights, "red") }), recovers}},
	}
}

func scannerRows() []Row {
	return []Row{
		{Fault: "interlock", Says: "device faulty (INTERLOCK), the scan is cut, coverage says so", Wants: []want{becomes(event.Faulty, "INTERLOCK"), cut, notLooked, recovers}},
		{Fault: "door-open", Says: "device faulty (INTERLOCK)", Wants: []want{becomes(event.Faulty, "INTERLOCK"), recovers}},
		{Fault: "e-stop", Says: "device faulty (ESTOP)", Wants: []want{becomes(event.Faulty, "ESTOP"), recovers}},
		{Fault: "warm-up", Says: "device faulty (WARMUP), who passes unscanned has a coverage gap", Wants: []want{becomes(event.Faulty, "WARMUP"), recovers}},
		{Fault: "belt-jam", Says: "device faulty (F07)", Wants: []want{becomes(event.Faulty, "F07", "FAULT"), recovers}},
		{Fault: "file-missing", Says: "the scan is told as without image: coverage gap", Wants: []want{steady, notLooked}},
		{Fault: "half-written", Says: "half an image is none: coverage gap", Wants: []want{steady, notLooked}},
		{Fault: "sidecar-missing", Says: "nothing: the image stands without its description", Wants: []want{steady, accounted, looked, scanned}},
		{Fault: "digest-wrong", Says: "the image is kept and told as not what its description says", Wants: []want{steady, accounted, scanned}},
		{Fault: "image-fifo", Says: "never opened, put away; coverage gap", Wants: []want{steady, notLooked}},
		{Fault: "clock-jump", Says: "the receive time decides: the image is with its own passage, once", Wants: []want{steady, accounted, scanned}},
		{Fault: "image-late", Says: "the image comes to its own passage, late", Wants: []want{steady, accounted, scanned}},
	}
}

func imageRows() []Row {
	var rows []Row
	for _, f := range []struct{ name, says string }{
		{"image-corrupt", "the bytes are kept, IMAGE-UNREADABLE or a coverage gap says that it was no look"},
		{"image-empty", "the bytes are kept, IMAGE-UNREADABLE or a coverage gap says that it was no look"},
		{"image-truncated", "the bytes are kept, IMAGE-UNREADABLE or a coverage gap says that it was no look"},
		{"image-huge", "never decoded: IMAGE-UNREADABLE; the worker and the next picture are fine"},
	} {
		rows = append(rows, Row{Fault: f.name, Says: f.says, Wants: []want{steady, accounted, unreadable}})
	}
	return append(rows, Row{
		Fault: "image-wrong-type", Says: "told by its bytes, not by its name: analysed as what it is, or told as no look", Wants: []want{steady, accounted, analysedOrTold},
	})
}

func cameraRows() []Row {
	return []Row{
		{Fault: "image-missing", Says: "the capture is kept without picture, coverage gap", Wants: []want{steady, accounted, blind, finding(event.FindingCoverageGap)}},
		{Fault: "capture-missing", Says: "coverage gap", Wants: []want{steady, blind, finding(event.FindingCoverageGap)}},
		{Fault: "duplicate", Says: "accounted for twice, one photo, one passage", Wants: []want{steady, accounted, single, onePhoto}},
		{Fault: "out-of-order", Says: "nothing: one capture with its photo", Wants: []want{steady, accounted, single, onePhoto, looked}},
		{Fault: "image-large", Says: "nothing: the photo is there", Wants: []want{steady, accounted, onePhoto, looked}},
		{Fault: "dirty-lens", Says: "nothing wrong with the device; plates are read worse and never made up", Wants: []want{steady, accounted}},
		{Fault: "clock-ahead", Says: "the receive time decides: the photo is with its own passage", Wants: []want{steady, accounted, single, onePhoto}},
		{Fault: "clock-behind", Says: "the receive time decides: the photo is with its own passage", Wants: []want{steady, accounted, single, onePhoto}},
		{Fault: "broker-restart", Says: "device down at its will, up again, retained state is no news", Wants: []want{becomes(event.Down), recovers, accounted}},
		{Fault: "broker-away", Says: "device down at its will, and back; what queued comes late, once", Wants: []want{becomes(event.Down), recovers, accounted}},
		{Fault: "will-while-working", Says: "device down at its will, up with its next capture", Wants: []want{becomes(event.Down), recovers, accounted, onePhoto}},
	}
}

func dataRows() []Row {
	return []Row{
		{Fault: "look-alike", Says: "NOT-EXPECTED: a plate that is one character off is another plate", Wants: []want{steady, misreadOr(event.FindingUnexpected)}},
		{Fault: "plate-foreign", Says: "read as foreign or told as PLATE-UNREAD, never as a Vietnamese plate", Wants: []want{steady, accounted, foreign}},
		{Fault: "container-ten", Says: "remainder 10 is check digit 0: no finding", Wants: []want{steady, contained, without(event.FindingContainerCheck)}},
		{Fault: "container-check", Says: "CONTAINER-CHECK", Wants: []want{steady, finding(event.FindingContainerCheck)}},
	}
}
