package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"gatehouse/internal/sim"
	"gatehouse/internal/sim/album"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/scenario"
)

// cameraQueue is how many captures the camera keeps while the broker is away,
// about a quarter of an hour of the busiest lane.
const cameraQueue = 64

type runFlags struct {
	scenario, state, control string
	speed                    float64
	count                    int
	duration                 time.Duration
	seed                     uint64
	broker, user, password   string
	realPhotos               float64
}

func newRunCmd() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run --scenario FILE --state DIR",
		Short: "Play a gate until Ctrl-C, or for --count passages of each lane, or for --duration",
		Long: `Play a gate's lanes. In the state folder appear: dev/LANE-DEVICE (serial ports),
drop/LANE (the scanners' images), expected/LANE.csv (lists of expected
vehicles), control.sock, and the books: ledger.jsonl (every frame that was
fully sent), unheard.jsonl (frames that nobody could hear), spoilt.jsonl (what
faults made of frames), truth.jsonl (what each lorry and traveller really was,
and which findings it has to lead to) and faults.jsonl.

--speed divides every time of a passage and the intervals of portals and
scales; the number of samples stays. The scanners' status beat, fault windows,
--duration, answers to a host and MQTT time-outs stay real.

At the end a summary is printed on stdout as one JSON line.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.scenario, "scenario", "", "scenario file")
	fs.StringVar(&f.state, "state", "", "folder for ports, images and books; started again, it goes on")
	fs.StringVar(&f.control, "control", "", "control socket (default control.sock in the state folder)")
	fs.Float64Var(&f.speed, "speed", 0, "simulated seconds in a real one (default: the scenario's)")
	fs.IntVar(&f.count, "count", 0, "end after so many passages of each lane; 0 goes on for ever")
	fs.DurationVar(&f.duration, "duration", 0, "send nobody new after this time; 0 goes on for ever")
	fs.Uint64Var(&f.seed, "seed", 0, "seed of all that is drawn (default: the scenario's)")
	fs.StringVar(&f.broker, "mqtt", "", "broker of the cameras, tcp://host:port; without it there are none")
	fs.StringVar(&f.user, "mqtt-user", "", "user at the broker")
	fs.StringVar(&f.password, "mqtt-password-file", "",
		"file with the password; where its name ends in the user's, as mqtt-camera.password,\nanother camera is a user of its own with a file of its name beside it")
	fs.Float64Var(&f.realPhotos, "real-photos", 0, "share of captures, 0..1, that are real photos from GATEHOUSE_DATA")
	for _, name := range []string{"scenario", "state"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag that was not declared above
		}
	}
	return cmd
}

func (f runFlags) run(cmd *cobra.Command) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	o.Log.Info("the gate opens", "gate", o.Scenario.Gate, "lanes", len(o.Scenario.Lanes), "speed", o.Scenario.Speed, "state", o.State)
	sum, err := sim.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(sum)
}

func (f runFlags) options(cmd *cobra.Command) (sim.Options, error) {
	s, err := scenario.Load(f.scenario)
	if err != nil {
		return sim.Options{}, err
	}
	if cmd.Flags().Changed("speed") {
		s.Speed = f.speed
	}
	if cmd.Flags().Changed("seed") {
		s.Seed = f.seed
	}
	switch {
	case s.Speed <= 0:
		return sim.Options{}, usageError{errors.New("--speed has to be above 0")}
	case f.count < 0 || f.duration < 0:
		return sim.Options{}, usageError{errors.New("--count and --duration cannot be negative")}
	case f.realPhotos < 0 || f.realPhotos > 1:
		return sim.Options{}, usageError{errors.New("--real-photos is a share between 0 and 1")}
	}
	o := sim.Options{
		Scenario: s, State: f.state, Control: f.control, Count: f.count, Duration: f.duration,
		Share: f.realPhotos, Log: newLog(cmd.ErrOrStderr()),
	}
	if o.Cameras, err = f.cameras(s); err != nil {
		return sim.Options{}, err
	}
	if f.realPhotos > 0 {
		if o.Album, err = album.Open(os.Getenv("GATEHOUSE_DATA")); err != nil {
			return sim.Options{}, err
		}
	}
	return o, nil
}

// cameras is how each camera of the scenario reaches the broker.
func (f runFlags) cameras(s scenario.Scenario) (map[string]camera.Settings, error) {
	all := map[string]camera.Settings{}
	if f.broker == "" && f.password == "" {
		return all, nil
	}
	for i := range s.Lanes {
		for _, d := range s.Lanes[i].Board() {
			if d.Kind != fault.Camera {
				continue
			}
			set, err := f.camera(s, s.Lanes[i].ID, d.Name)
			if err != nil {
				return nil, err
			}
			if f.broker != "" {
				all[book.Key(s.Lanes[i].ID, d.Name)] = set
			}
		}
	}
	return all, nil
}

func (f runFlags) camera(s scenario.Scenario, lane, device string) (camera.Settings, error) {
	m := camera.Settings{
		Broker: f.broker, User: f.user, ClientID: "gatesim-" + book.Key(lane, device), Queue: cameraQueue,
		Topic: strings.Join([]string{s.Root, s.Gate, lane, device}, "/"),
	}
	if f.user != "" {
		m.ClientID = f.user // brokers bind a client id to its user
	}
	if f.password == "" {
		return m, nil
	}
	file := f.password
	folder, name := filepath.Split(file)
	if own := strings.TrimSuffix(name, f.user+".password"); f.user != "" && own != name && device != f.user {
		m.User, m.ClientID, file = device, device, filepath.Join(folder, own+device+".password")
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		return m, fmt.Errorf("read the broker's password: %w", err)
	}
	m.Password = strings.TrimRight(string(secret), "\r\n")
	return m, nil
}

// newLog writes for people on a terminal and plain lines elsewhere.
func newLog(w io.Writer) *slog.Logger {
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return slog.New(tint.NewTextHandler(w, &tint.Options{TimeFormat: time.TimeOnly}))
		}
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
