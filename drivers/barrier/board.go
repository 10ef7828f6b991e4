package barrier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/simonvetter/modbus"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

// board is the input/output board on its line. Only one goroutine uses it.
type board struct {
	config Config
	name   string
	client *modbus.ModbusClient
}

// openBoard opens the line; it does not ask the board anything.
func openBoard(ctx context.Context, c Config, log *slog.Logger) (*board, error) {
	settings := modbus.ClientConfiguration{
		URL: "rtu://" + c.Line.Port, Speed: uint(c.Line.Baud), DataBits: 8, StopBits: uint(max(1, c.Line.StopBits)),
		Timeout: c.Timeout, Logger: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	switch c.Line.Parity {
	case "even":
		settings.Parity = modbus.PARITY_EVEN
	case "odd":
		settings.Parity = modbus.PARITY_ODD
	}
	if c.Line.TCP != "" {
		settings.URL = "rtuovertcp://" + c.Line.TCP
	}
	client, err := modbus.NewClient(&settings)
	if err != nil {
		return nil, fmt.Errorf("modbus on %s: %w", c.Line.Name(), err)
	}
	if err := client.SetUnitId(c.Unit); err != nil {
		return nil, fmt.Errorf("modbus unit %d: %w", c.Unit, err)
	}
	if err := client.Open(); err != nil {
		return nil, explain(ctx, c.Line, err)
	}
	return &board{config: c, name: c.Line.Name(), client: client}, nil
}

// explain says why a line cannot be opened in the words that all drivers use.
func explain(ctx context.Context, c link.Config, err error) error {
	line, better := link.Open(ctx, c)
	if better != nil {
		return better
	}
	_ = line.Close()
	return fmt.Errorf("open %s: %w", c.Name(), err)
}

func (b *board) close() { _ = b.client.Close() }

// inputs reads the eight inputs.
func (b *board) inputs() (Bits, error) {
	v, err := b.client.ReadDiscreteInputs(0, 8)
	if err != nil {
		return 0, &failure{function: ReadInputs, err: err}
	}
	return bits(v), nil
}

// relays reads the eight relays back.
func (b *board) relays() (Bits, error) {
	v, err := b.client.ReadCoils(0, 8)
	if err != nil {
		return 0, &failure{function: ReadCoils, err: err}
	}
	return bits(v), nil
}

// write sets the driver's relays, all in one frame: no moment has two pulses or
// two lamps.
func (b *board) write(want Bits) error {
	if err := b.client.WriteCoils(0, want.bools(6)); err != nil {
		return &failure{function: WriteCoils, err: err}
	}
	return nil
}

// settle waits until answers that come late have come, and starts with an empty
// line: a late answer must not pass for that of the next question.
func (b *board) settle(ctx context.Context) error {
	_ = b.client.Close()
	t := time.NewTimer(b.config.Timeout)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	if err := b.client.Open(); err != nil {
		return explain(context.WithoutCancel(ctx), b.config.Line, err)
	}
	return nil
}

// failure is a question to the board that got no good answer.
type failure struct {
	function byte
	err      error
}

func (f *failure) Error() string {
	what := "read inputs"
	switch f.function {
	case ReadCoils:
		what = "read relays"
	case WriteCoils:
		what = "write relays"
	}
	return fmt.Sprintf("%s: %v", what, f.err)
}

func (f *failure) Unwrap() error { return f.err }

// answered says whether the board, or something, did send bytes.
func (f *failure) answered() bool {
	var known modbus.Error
	return errors.As(f.err, &known) && !errors.Is(f.err, modbus.ErrRequestTimedOut)
}

// lost says whether the line itself is gone.
func (f *failure) lost() bool {
	var known modbus.Error
	return !errors.As(f.err, &known)
}

// code is the exception with which the board answered, 0 for none.
func (f *failure) code() byte {
	for code, err := range map[byte]error{
		1: modbus.ErrIllegalFunction, 2: modbus.ErrIllegalDataAddress, 3: modbus.ErrIllegalDataValue,
		4: modbus.ErrServerDeviceFailure, 5: modbus.ErrAcknowledge, 6: modbus.ErrServerDeviceBusy,
		8: modbus.ErrMemoryParityError, 10: modbus.ErrGWPathUnavailable, 11: modbus.ErrGWTargetFailedToRespond,
	} {
		if errors.Is(f.err, err) {
			return code
		}
	}
	return 0
}

// invalid is the trace of an answer that could not be used. Its bytes are known
// only when it was a whole exception.
func (f *failure) invalid(unit byte, at time.Time) event.Reading {
	r := event.Reading{
		Kind: event.FrameInvalid, Class: event.Active, ReceivedAt: at, Quality: event.Bad, Note: f.Error(), Frames: []string{},
	}
	if code := f.code(); code != 0 {
		r.Raw = Format(Frame{Unit: unit, Function: f.function | exception, Data: []byte{code}})
		r.Frames = []string{event.Digest(r.Raw)}
	}
	return r
}

// givenUp is the error with which the driver ends after too many failures.
func (b *board) givenUp(f *failure) error {
	if f.lost() {
		return &driver.Hint{
			Err: fmt.Errorf("%s: %w: %w", b.name, link.ErrUnplugged, f),
			Try: event.Text{
				VI: "Mất đường truyền tới bảng vào/ra. Kiểm tra cáp, bộ chuyển đổi RS-485 và nguồn.",
				EN: "The line to the IO board was lost. Check the cable, the RS-485 adapter and the power.",
			},
		}
	}
	if !f.answered() {
		return &driver.Hint{
			Err: fmt.Errorf("%s: %w: %w", b.name, driver.ErrSilent, f),
			Try: event.Text{
				VI: "Bảng vào/ra không trả lời. Kiểm tra nguồn, dây A/B của RS-485, địa chỉ unit và baud.",
				EN: "The IO board does not answer. Check its power, the RS-485 wires A and B, unit and baud.",
			},
		}
	}
	return &driver.Hint{
		Err: fmt.Errorf("%s: %w: %w", b.name, driver.ErrGarbage, f),
		Try: event.Text{
			VI: "Có trả lời nhưng không dùng được. Kiểm tra baud, parity, địa chỉ unit, và tắt chế độ echo của bộ chuyển đổi RS-485.",
			EN: "Answers cannot be used. Check baud, parity and unit, and switch off the echo of the RS-485 adapter.",
		},
	}
}
