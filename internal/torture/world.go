package torture

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/officer"
	"gatehouse/internal/smoke/play"
	"gatehouse/internal/smoke/stage"
)

// Setting is how a gate of a run is put up.
type Setting struct {
	HubApart  bool           // the hub is a process of its own behind a cable
	Mosquitto bool           // the cameras' broker is Mosquitto
	Vision    bool           // pictures are analysed
	Disks     map[string]int // folders that are file systems of their own, to their MiB
	Reserve   string         // of the gate; empty for the demo's
	Plant     string         // a bug that is planted; empty for none
	ImageRate string         // cap of the evidence, such as 200 KB; empty for none
}

// Place is where a run takes place.
type Place struct {
	Root     string  // of the project
	Programs string  // with gatehouse, gatehouse-console, gatectl, gatesim and hubd
	Dir      string  // empty folder of the run
	Spaces   *Spaces // nil: the consoles run in the harness's network, as its user
}

// World is one gate and what the harness did to it.
type World struct {
	*play.Play
	Setting

	place  Place
	seed   uint64
	dice   *rand.Rand
	began  time.Time
	say    func(format string, args ...any)
	cables map[string]*Cable // by who uses it: gate, customs, borderguard
	disks  map[string]*Disk
	walls  map[string]*Wall // by program
	hub    *stage.Process
	broker *stage.Process
	ports  struct{ hub, broker int }

	officers map[event.Agency]*officer.Officer
	mu       sync.Mutex
	said     []account.Said
	unsure   []account.Said // of which nobody knows whether the console took them
	silent   bool           // nobody decides
	offset   time.Duration
	hands    sync.WaitGroup
	chains   int
	kills    int
	removed  []account.Device
	rebuilt  map[event.Agency]bool // consoles that lost their store
	notes    []string              // figures of a fault
}

// speed is how fast the scenario plays; it is the one that the file names.
const speed = 3

// Up puts a gate up and waits until it works.
func Up(ctx context.Context, p Place, set Setting, seed uint64, dice *rand.Rand, say func(string, ...any)) (*World, error) {
	w := &World{
		Setting: set, place: p, seed: seed, dice: dice, began: time.Now(), say: say, chains: 1, rebuilt: map[event.Agency]bool{},
		cables: map[string]*Cable{}, disks: map[string]*Disk{}, walls: map[string]*Wall{}, officers: map[event.Agency]*officer.Officer{},
	}
	err := w.up(ctx)
	return w, err
}

func (w *World) up(ctx context.Context) error {
	if err := os.Chmod(w.place.Dir, 0o755); err != nil { // the consoles' users go through it
		return err
	}
	if err := w.openHits(); err != nil {
		return err
	}
	for _, name := range []string{"gate", "customs", "borderguard"} {
		c, err := NewCable(w.outside(name), "127.0.0.1:1")
		if err != nil {
			return err
		}
		w.cables[name] = c
		if w.walls[name], err = NewWall(filepath.Join(w.place.Dir, name+".wall")); err != nil {
			return err
		}
	}
	var err error
	if w.ports.hub, err = freePort(); err != nil {
		return err
	}
	if w.ports.broker, err = freePort(); err != nil {
		return err
	}
	options := stage.Options{
		Dir: w.place.Dir, Programs: w.place.Programs, Vision: filepath.Join(w.place.Dir, "bin"), Configs: filepath.Join(w.place.Root, "configs", "demo"),
		Speed: speed, Edit: w.edit, Hosts: map[event.Agency]string{}, Prepare: w.prepare,
	}
	if w.Mosquitto {
		options.Broker = fmt.Sprintf("tcp://127.0.0.1:%d", w.ports.broker)
	}
	if w.place.Spaces != nil {
		for a, r := range w.place.Spaces.rooms {
			options.Hosts[a] = r.inside
		}
	}
	if err := play.Links(filepath.Join(w.place.Root, "bin"), options.Vision); err != nil {
		return err
	}
	for name, size := range w.Disks {
		d, err := NewDisk(ctx, filepath.Join(w.place.Dir, name+".image"), filepath.Join(w.place.Dir, name), size)
		if err != nil {
			return err
		}
		w.disks[name] = d
	}
	w.Play, err = play.New(play.Options{
		Stage: options, Scenario: filepath.Join(w.place.Root, "internal", "torture", "testdata", "torture.yaml"),
		Sim: []string{"--seed", fmt.Sprint(w.seed)},
		Say: w.say, Ready: w.join, Last: w.last, Blind: !w.Vision, Calm: true,
	})
	if err != nil {
		return err
	}
	if err := w.Begin(ctx); err != nil {
		return err
	}
	return w.employ(ctx)
}

// openHits makes the log of fault points, in which the consoles' users write too.
func (w *World) openHits() error {
	path := filepath.Join(w.place.Dir, "faults.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Chmod(path, 0o666)
}

// outside is the address at which a cable begins.
func (w *World) outside(name string) string {
	if w.place.Spaces == nil || name == "gate" {
		return "127.0.0.1"
	}
	return w.place.Spaces.rooms[agencyOf(name)].outside
}

func agencyOf(name string) event.Agency {
	i := slices.IndexFunc(event.Agencies(), func(a event.Agency) bool { return a.Account() == name })
	return event.Agencies()[i]
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// shared are the public keys that the parties give each other.
func shared() []string {
	return []string{
		"gate/keys/gate.pub", "customs/keys/agency.pub", "customs/keys/hub.nkey.pub",
		"borderguard/keys/agency.pub", "borderguard/keys/hub.nkey.pub",
	}
}

var hubURL = regexp.MustCompile(`url: nats://\S+`)

// board is the barrier's section. An IO board is polled: an answer that a busy
// machine makes late is asked for again and proves nothing, so the board stays out.
var board = regexp.MustCompile(`(?m)^      - id: barrier\n(        .*\n|          .*\n)+`)

// edit lays the cables into a configuration.
func (w *World) edit(name string, text []byte) []byte {
	for _, key := range shared() {
		text = bytes.ReplaceAll(text, []byte(key), []byte("given/"+key))
	}
	if name != "gate.yaml" {
		cable := w.cables[strings.TrimSuffix(name, ".yaml")]
		return hubURL.ReplaceAll(text, []byte("url: nats://"+cable.Address()))
	}
	s := string(text)
	rate := ""
	if w.ImageRate != "" {
		rate = "  image_rate: " + w.ImageRate + "\n"
	}
	embedded := regexp.MustCompile(`hub:\n  embedded:\n(    .*\n)+`)
	if w.HubApart {
		s = embedded.ReplaceAllString(s, "hub:\n  url: nats://"+w.cables["gate"].Address()+"\n"+rate)
	} else if rate != "" {
		s = strings.Replace(s, "hub:\n", "hub:\n"+rate, 1)
	}
	if !w.Vision {
		s = regexp.MustCompile(`vision:\n(  .*\n)+`).ReplaceAllString(s, "")
	}
	if w.Reserve != "" {
		s = strings.Replace(s, "reserve: 128 MiB", "reserve: "+w.Reserve, 1)
	}
	s = board.ReplaceAllString(s, "")
	if w.Mosquitto {
		s = strings.ReplaceAll(s, "format: gatehouse\n", fmt.Sprintf("format: gatehouse\n          broker: tcp://127.0.0.1:%d\n", w.ports.broker))
	}
	return []byte(s)
}

// prepare puts a program into its place.
func (w *World) prepare(name string, cmd *exec.Cmd) {
	env := cmd.Env
	if w.Plant != "" {
		env = append(env, fault.EnvPlant+"="+w.Plant)
	}
	program := name
	if name == "gatehouse" || name == "backfill" {
		program = "gate"
	}
	if wall := w.walls[program]; wall != nil {
		env = append(env, wall.Env())
	}
	if program == "gate" {
		env = append(env, fault.EnvNTP+"="+w.Stage.Path("ntp"))
	}
	cmd.Env = env
	if w.place.Spaces == nil || program != "customs" && program != "borderguard" {
		return
	}
	if err := w.place.Spaces.Inside(agencyOf(program), cmd); err != nil {
		w.say("%s runs in the harness's network: %v", name, err)
	}
}

// join gives everybody what they need of each other, and starts hub and broker
// where they stand apart.
func (w *World) join(ctx context.Context) error {
	for _, key := range shared() {
		to := w.Stage.Path("given", key)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		b, err := os.ReadFile(w.Stage.Path(key))
		if err != nil {
			return fmt.Errorf("give a public key: %w", err)
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return err
		}
	}
	if err := w.own(); err != nil {
		return err
	}
	if err := os.WriteFile(w.Stage.Path("ntp"), []byte("ntp"), 0o644); err != nil {
		return err
	}
	hub := w.Stage.Hub()
	if w.HubApart {
		hub = fmt.Sprintf("127.0.0.1:%d", w.ports.hub)
		if err := w.startHub(ctx); err != nil {
			return err
		}
	}
	for _, c := range w.cables {
		c.Lead(hub)
	}
	if w.Mosquitto {
		return w.startBroker(ctx)
	}
	return nil
}

// last ends the hub and the broker that stand apart.
func (w *World) last(ctx context.Context) error {
	var err error
	for _, p := range []*stage.Process{w.hub, w.broker} {
		if p != nil {
			err = errors.Join(err, p.Stop(ctx))
		}
	}
	return err
}

// own gives each console's folder to its user.
func (w *World) own() error {
	if w.place.Spaces == nil {
		return nil
	}
	for a, r := range w.place.Spaces.rooms {
		err := filepath.WalkDir(w.Stage.Path(a.Account()), func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, r.user, r.user)
		})
		if err != nil {
			return fmt.Errorf("give the folder to %s: %w", a, err)
		}
	}
	return nil
}

func (w *World) startHub(ctx context.Context) (err error) {
	var agencies []string
	for _, a := range event.Agencies() {
		agencies = append(agencies, string(a)+"="+w.Stage.Path("given", a.Account(), "keys", "hub.nkey.pub"))
	}
	w.hub, err = w.Stage.Start("hub", nil, "hubd", "--listen", fmt.Sprintf("127.0.0.1:%d", w.ports.hub), "--store", w.Stage.Path("hub"),
		"--gate", "15BB="+w.Stage.Path("gate", "keys", "gate.nkey"), "--agencies", strings.Join(agencies, ","))
	if err != nil {
		return err
	}
	return w.listens(ctx, "the hub", w.ports.hub, w.hub)
}

// mosquittoConf keeps sessions and messages over an orderly restart. What
// Mosquitto acknowledged since it last saved is lost when it is killed.
const mosquittoConf = `listener %d 127.0.0.1
allow_anonymous true
persistence true
persistence_location %s/
max_queued_messages 0
max_inflight_messages 20
user root
`

func (w *World) startBroker(ctx context.Context) error {
	dir := w.Stage.Path("mosquitto")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	conf := w.Stage.Path("mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, mosquittoConf, w.ports.broker, dir), 0o644); err != nil {
		return err
	}
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		return fmt.Errorf("run Mosquitto: %w; install the package mosquitto", err)
	}
	if w.broker, err = w.Stage.Start("mosquitto", nil, path, "-c", conf); err != nil {
		return err
	}
	return w.listens(ctx, "Mosquitto", w.ports.broker, w.broker)
}

func (w *World) listens(ctx context.Context, what string, port int, p *stage.Process) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return stage.Until(ctx, what, func() (bool, error) {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err != nil {
			return false, nil // not yet
		}
		return true, conn.Close()
	}, p)
}

// employ makes an officer at each console.
func (w *World) employ(ctx context.Context) error {
	for _, a := range event.Agencies() {
		link, err := w.Stage.Output(ctx, "gatehouse-console", "url", "--config", w.Stage.Config(a))
		if err != nil {
			return err
		}
		if w.officers[a], err = officer.New(ctx, a, w.Stage.URL(a), strings.TrimSpace(string(link))); err != nil {
			return err
		}
	}
	return w.own() // what the command made as root
}

// Decide lets an officer decide on the newest passage that has closed. Nothing
// is done where there is none, or while the console does not answer.
//
// A verdict for which the console said thank you is one that must be there, once.
// Whether one is there that met an error nobody can know; it is tried again as
// another one, since the officer would.
func (w *World) Decide(ctx context.Context, a event.Agency, when string) {
	code := event.VerdictCodes()[w.dice.IntN(len(event.VerdictCodes()))]
	w.mu.Lock()
	w.kills++
	reason := fmt.Sprintf("%s verdict %d of seed %d %s", a.Account(), w.kills, w.seed, when)
	w.mu.Unlock()
	w.hands.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for try := 1; ; try++ {
			passage, alert, err := officer.Newest(ctx, w.store(a))
			if err == nil && passage != "" {
				said := account.Said{Agency: a, Passage: passage, Code: code, Reason: fmt.Sprintf("%s, try %d", reason, try)}
				err := w.officers[a].Decide(ctx, passage, alert, code, said.Reason)
				sure := err == nil || officer.Stored(context.WithoutCancel(ctx), w.store(a), said.Reason)
				if w.gave(said, sure); sure {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// gave keeps a verdict as said, or as one of which nobody knows.
func (w *World) gave(s account.Said, sure bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if sure {
		w.said = append(w.said, s)
		return
	}
	w.unsure = append(w.unsure, s)
}

// store is an agency's store, which is another one after its disk was exchanged.
func (w *World) store(a event.Agency) *sql.DB {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Stores[a]
}

// exchanged reads an agency's store anew.
func (w *World) exchanged(a event.Agency) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Reopen(a)
}

// Down ends what still runs and gives everything back.
func (w *World) Down() error {
	if w.Play != nil {
		w.Close()
	}
	w.hands.Wait()
	for _, c := range w.cables {
		c.Close()
	}
	var err error
	for _, d := range w.disks {
		err = errors.Join(err, d.Detach(context.Background()))
	}
	return err
}
