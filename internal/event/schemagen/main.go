// Command schemagen writes the JSON Schemas of the shared record, made from
// the Go types, into the given folder.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/invopop/jsonschema"

	"gatehouse/internal/event"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	for name, value := range map[string]any{
		"passage": event.Passage{}, "alert": event.Alert{}, "verdict": event.Verdict{}, "ack": event.Ack{}, "correction": event.Correction{},
		"receipt": event.Receipt{}, "device": event.DeviceChange{}, "gap": event.Gap{},
		"framelog": event.FrameLog{}, "wanted": event.Wanted{}, "command": event.Command{}, "control": event.ControlChange{}, "reading": event.Reading{},
		"removal": event.Removal{}, "hold": event.LegalHold{}, "keychange": event.KeyChange{},
	} {
		b, err := json.MarshalIndent(jsonschema.Reflect(value), "", "  ")
		if err != nil {
			return fmt.Errorf("schema of %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".json"), append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
