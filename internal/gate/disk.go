package gate

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
)

// diskDevice stands for the gate's disk where a device's id stands else.
const diskDevice = "disk"

// diskEvery is how often the free space is asked for, which costs one system call.
const diskEvery = 2 * time.Second

// least is the free space in bytes without which a warning is not tried: the
// reserve is there for it, unless somebody else has taken that too.
const least = 1 << 20

// diskState is how the disk stands: Degraded from twice the reserve on down, Faulty
// within the reserve, where nothing is stored. It gets better a tenth later than
// it got worse, so that nobody is told every two seconds.
func diskState(was event.DeviceState, free, reserve int64) event.DeviceState {
	back := reserve / 10
	switch {
	case free < reserve || was == event.Faulty && free < reserve+back:
		return event.Faulty
	case free < 2*reserve || was != event.Up && free < 2*reserve+back:
		return event.Degraded
	}
	return event.Up
}

// watchDisk tells both agencies when room on the gate's disk runs short, before
// anything is refused, and when it is there again.
func (g *gate) watchDisk(ctx context.Context) error {
	cfg := g.file.Gate
	reserve := int64(cfg.Journal.Reserve)
	told := toldDisk(cfg)
	for ctx.Err() == nil {
		free, err := evidence.Free(cfg.State)
		if err != nil {
			return fmt.Errorf("ask for free space: %w", err)
		}
		if state := diskState(told, free, reserve); state != told && free >= least {
			if err := g.tellDisk(ctx, state, free); err != nil {
				g.log.Warn("the agencies could not be told about the disk, trying again", "err", err)
			} else {
				told = state
				rememberDisk(cfg, state, g.log)
			}
		}
		pause(ctx, diskEvery)
	}
	return nil
}

// tellDisk says it for each lane, since each is affected. It may use the reserve.
func (g *gate) tellDisk(ctx context.Context, state event.DeviceState, free int64) error {
	file, _, _ := g.inForce()
	now, size := time.Now().UTC(), config.Size(free)
	words, try := diskWords(state, size, file.Gate.Journal.Reserve)
	var events []event.Envelope
	for _, l := range file.Gate.Lanes {
		d := event.DeviceChange{
			ID: event.NewID(now), Where: event.Where{Gate: file.Gate.ID, Lane: l.ID, Device: diskDevice}, Driver: diskDevice,
			State: state, Since: now, Reason: words.EN, Words: words, Try: try,
		}
		e, err := event.Wrap("/gate/"+d.Gate, event.TypeDevice, d.ID, d.Gate+"/"+d.Lane+"/"+diskDevice, now, d)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	if state == event.Up {
		g.log.Info("there is room on the disk again", "free", free)
	} else {
		g.log.Error("room on the disk runs short", "state", state, "free", free, "reserve", int64(file.Gate.Journal.Reserve))
	}
	_, err := g.sharing.chain.AppendAll(ctx, events)
	return err
}

func diskWords(state event.DeviceState, free, reserve config.Size) (words, try event.Text) {
	switch state {
	case event.Up:
		return event.Text{VI: "ổ đĩa của cổng đủ chỗ", EN: "the gate's disk has room"}, event.Text{}
	case event.Degraded:
		return event.Text{
				VI: fmt.Sprintf("ổ đĩa của cổng sắp đầy: còn %s, khi còn %s sẽ ngừng lưu", free, reserve),
				EN: fmt.Sprintf("the gate's disk is nearly full: %s free, storing ends at %s", free, reserve),
			}, event.Text{
				VI: "Giải phóng ổ đĩa của máy cổng trước khi đầy.",
				EN: "Make room on the disk of the gate's computer before it is full.",
			}
	}
	return event.Text{
			VI: "ổ đĩa của cổng đã đầy: dữ liệu từ thiết bị không được lưu",
			EN: "the gate's disk is full: nothing that devices send is stored",
		}, event.Text{
			VI: "Giải phóng ổ đĩa của máy cổng ngay. Việc lưu tự tiếp tục khi có chỗ.",
			EN: "Make room on the disk of the gate's computer now. Storing goes on by itself.",
		}
}

// diskTold remembers what the agencies were told last, over a restart.
const diskTold = "disk.told"

func toldDisk(g config.Gate) event.DeviceState {
	word, err := os.ReadFile(filepath.Join(g.State, diskTold))
	if err != nil || len(word) == 0 {
		return event.Up // nobody was ever told otherwise
	}
	return event.DeviceState(word)
}

// rememberDisk may fail on a full disk: then the agencies are told once more.
func rememberDisk(g config.Gate, state event.DeviceState, log *slog.Logger) {
	if err := os.WriteFile(filepath.Join(g.State, diskTold), []byte(state), 0o600); err != nil {
		log.Warn("what the agencies were told about the disk was not remembered", "err", err)
	}
}
