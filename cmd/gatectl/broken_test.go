package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/config"
)

// broken says what gatectl check must say of each file in testdata/broken: the
// place, the message and what to try. Each file is testdata/good.yaml with one
// mistake.
var broken = []struct{ file, place, message, try string }{
	{"barrier-loop-unused", "71:21", "barrier barrier tells presence by its exit loop, and its role is barrier", "set its role to presence, or presence to none"},
	{"barrier-no-loop", "68:15", "barrier barrier has role presence and no loop that tells it", "set presence in its settings to entry, safety or exit"},
	{"barrier-twice", "74:15", "lane 01 has the barrier barrier already", ""},
	{"device-address-twice", "70:23", "the address 192.0.2.20:4196 is used by device scale of lane 01 already", "each line of a terminal server has a port number of its own"},
	{"device-client-twice", "75:31", "the MQTT client id gatehouse-01-front is used by device front of lane 01 already", "give each device its own, such as gatehouse-01-camera: the broker ends a session when another comes with its name"},
	{"device-driver-role", "84:15", "a device with driver scale cannot have role document", "roles for this driver are: scale, other"},
	{"device-driver-strange", "82:17", "there is no driver thermometer", "drivers are: barcode, barrier, camera, mrz, rpm, scale, xray"},
	{"device-driver", "59:17", "there is no driver scales, did you mean scale?", ""},
	{"device-folder-twice", "75:67", "the drop folder drop/./xray is used by device xray of lane 01 already", "give each scanner a folder of its own"},
	{"device-port-other-lane", "86:24", "the port /dev/serial/by-id/usb-portal is used by device rpm of lane 01 already", "give each device its own; ls -l /dev/serial/by-id shows them by name"},
	{"device-port-twice", "63:24", "the port /dev/serial/by-id/usb-scanner is used by device xray of lane 01 already", "give each device its own; ls -l /dev/serial/by-id shows them by name"},
	{"device-position", "34:19", "position says where a device stands from the presence zone, and rpm is the presence zone", "remove it"},
	{"device-room", "53:15", "room is for what looks at those who come to the presence zone, and xray does not stand before it", "remove it"},
	{"device-scan-kind", "55:17", "scan of device xray is baggage, and its settings say kind cargo", ""},
	{"device-silence", "62:18", "silence is 100ms and must be at least 1s, or 0s for the driver's own time", ""},
	{"device-topic-twice", "75:57", "the topic gatehouse/15BB/01/front is used by device front of lane 01 already", "give each camera a topic of its own, such as gatehouse/15BB/01/camera"},
	{"device-view", "62:15", "view is for devices with role camera, and scale has role scale", ""},
	{"field-device", "34:9", "unknown field requird, did you mean required?", ""},
	{"field-join", "27:7", "unknown field befor, did you mean before?", ""},
	{"field-lane", "25:5", "unknown field direktion, did you mean direction?", ""},
	{"field-place", "3:1", "unknown field stat, did you mean state?", ""},
	{"field-settings", "38:13", "unknown field buad, did you mean baud?", ""},
	{"field-strange", "74:5", "unknown field colour", "fields here are: devices, direction, expected, flow, id, join, kind, limits, name, policy, shadow"},
	{"field-too-far-in", "65:11", "unknown field owner here; it belongs to the device, beside settings", "indent it less"},
	{"field-too-far-out", "81:11", "unknown field parity here; it belongs into line", "indent it below line"},
	{"field-twice", "74:5", "kind is given twice, first in line 72", "keep one of the two"},
	{"form-bool", "34:19", `required is "yes" and must be true or false, did you mean true?`, ""},
	{"form-comma", "74:30", `weight_percent is "2,5" and must be a number, did you mean 2.5?`, ""},
	{"form-days", "3:20", `max_age is "90d" and must be a time with its unit, such as 500ms, 10s, 2m or 48h, did you mean 2160h?`, ""},
	{"form-list", "12:15", "topics must be a list", "write [gatehouse/15BB/01/front/#]"},
	{"form-no-dash", "73:7", "devices must be a list", `put "- " in front of each entry`},
	{"form-no-unit", "28:14", `after is "60" and must be a time with its unit, such as 500ms, 10s, 2m or 48h, did you mean 60s?`, ""},
	{"form-number", "38:19", `baud is "9600bd" and must be a whole number, did you mean 9600?`, ""},
	{"form-section", "86:17", "line must hold fields of its own: baud, data_bits, parity, port, stop_bits, tcp", ""},
	{"form-single", "82:17", "driver must be a single value", ""},
	{"form-size", "3:20", `reserve: "much" is not a size such as 256 MiB`, ""},
	{"form-time", "28:14", `after is "soon" and must be a time with its unit, such as 500ms, 10s, 2m or 48h`, ""},
	{"form-too-large", "71:17", `unit is "300" and must be a whole number from 0 to 255`, ""},
	{"lane-container-of-persons", "85:16", "lane 02 is for persons, who carry no container number", ""},
	{"lane-device-twice", "48:13", "device front is there twice in lane 01", ""},
	{"lane-expected-no-folder", "26:15", "lane 01 looks vehicles up, and the place has no folder of lists", "name the folder of the lists at the top: expected: {folder: ...}"},
	{"lane-expected-no-sensor", "74:15", "lane 02 looks vehicles up and has no device that tells which vehicle it is", "add a camera that reads plates, or a barcode reader"},
	{"lane-no-presence", "75:7", "lane 02 has no device with role presence, so nothing tells where one passage ends and the next begins", "set role: presence for the device that tells when something stands in the lane: a portal monitor, or a barrier with loops"},
	{"lane-resume", "29:15", "resume (1m) must not be longer than missing_end (30s): the vehicle counts as gone by then", ""},
	{"lane-speed", "26:25", "lane 01 limits the speed and has no device that measures it", "remove it, or add the portal monitor, which measures the speed"},
	{"lane-tail-gate", "29:18", "tail_gate (1m) must be shorter than missing_end (30s)", "tail_gate is usually about 1s"},
	{"lane-transit", "53:18", "a vehicle may take 1m30s to device xray, and the lane waits only 1m for readings (join.after)", "make join.after of the lane longer"},
	{"lane-twice", "71:9", "lane 01 is there twice", ""},
	{"lane-weight", "74:25", "lane 02 limits weights and has no device with role scale", "remove it, or add the scale"},
	{"mqtt-client-id", "46:22", "client_id front must begin with gatehouse at the gate's own listener", "call it gatehouse-01-front"},
	{"mqtt-no-broker", "40:11", "device front names no broker, and the place has no field_mqtt", "add field_mqtt for a broker in this daemon, or name the cameras' own in broker"},
	{"mqtt-password-twice", "13:35", "gate/keys/front.password is the password of user front already", "give each camera its own, so that one can be locked out alone"},
	{"mqtt-topic-not-allowed", "75:57", "no user of field_mqtt may publish to gatehouse/15BB/01/rear", "add a user with the topic gatehouse/15BB/01/rear/#"},
	{"mqtt-topic-other-gate", "47:18", "topic gatehouse/15BD/01/front is of gate 15BD, and this is gate 15BB", "topics are <root>/<gate>/<lane>/<device>"},
	{"mqtt-topic-other-lane", "47:18", "topic gatehouse/15BB/02/front is of lane 02, and device front stands in lane 01", "topics are <root>/<gate>/<lane>/<device>"},
	{"mqtt-topic-unused", "12:45", "no device listens to gatehouse/15BB/01/rear/#", ""},
	{"mqtt-user-own", "10:13", "the user gatehouse is the gate's own", ""},
	{"mqtt-user-twice", "13:14", "user front is there twice", ""},
	{"place-agency-key-as-user", "19:15", "borderguard.pub is the agency's key already", "hub_user is the file that ends in .nkey.pub"},
	{"place-agency-key-twice", "18:10", "customs.pub is the key of CUSTOMS already", "each agency's console makes its own: gatehouse-console init"},
	{"place-agency-twice", "17:11", "agency CUSTOMS is there twice", ""},
	{"place-agency-user-twice", "19:15", "customs.nkey.pub is the hub user of CUSTOMS already", "each agency's console makes its own: gatehouse-console init"},
	{"place-hub-ca", "5:7", "ca has no use with an embedded hub", "remove it: it belongs to a hub elsewhere"},
	{"place-hub-half-tls", "7:18", "certificate is set and key is not", "name the certificate's private key, a PEM file, in key"},
	{"place-hub-key-alone", "7:10", "key is set and certificate is not", "name the PEM file of the certificate"},
	{"place-hub-open", "6:13", "the hub listens beyond this machine, on 0.0.0.0:4222, without TLS", "set certificate and key, or listen on 127.0.0.1 when both consoles run on this machine"},
	{"place-hub-url", "5:8", `url is "hub.example" and must be such as tls://hub.example:4222`, ""},
	{"place-idle-kept-longer", "3:10", "idle readings would be kept longer (48h) than those that matter (24h, max_age)", ""},
	{"place-list-unused", "3:20", "no lane looks vehicles up in the lists in lists", "set expected: true in the lanes that use the lists"},
	{"place-listen-clash", "8:11", "0.0.0.0:4222 is taken by the hub, which listens on 127.0.0.1:4222", "give it another port; MQTT is usually on 1883"},
	{"place-name-no-vietnamese", "22:11", "the name has no Vietnamese text, vi", ""},
	{"place-name-one-language", "2:7", "the name has no English text, en", ""},
	{"place-no-hub", "5:3", "the hub needs either url or embedded", "embedded for a hub in this daemon, url for one elsewhere"},
	{"place-shared-too-short", "3:27", "shared events would go (after 24h) before the readings that they follow from (2160h, max_age)", ""},
	{"place-two-hubs", "5:8", "the hub has both url and embedded", "remove url, or embedded"},
	{"policy-alert-advisory", "27:34", "RPM-GAMMA cannot be an alert in mode advisory", "only mode live makes alerts"},
	{"policy-nothing", "27:9", "the row for RPM-GAMMA changes nothing", "set severity, lead, alert or mode"},
	{"policy-severity", "27:37", `severity is "moderate" and must be Extreme, Severe, Moderate, Minor or Unknown, did you mean Moderate?`, ""},
	{"policy-strange-code", "27:16", "there is no finding SMUGGLING", "findings are: CLOCK-LOST, CONTAINER-CHECK, COVERAGE-GAP, DEVICE-TAMPER, DOCUMENT-CHECK, DOCUMENT-EXPIRED, IMAGE-UNREADABLE, NOT-EXPECTED, OVERSPEED, PLATE-MISMATCH, PLATE-UNREAD, RPM-FAULT, RPM-GAMMA, RPM-NEUTRON, TAIL-GATE, WEIGHT-AXLES, WEIGHT-MISMATCH, WEIGHT-UNCERTAIN, XRAY-ANOMALY, XRAY-OPAQUE"},
	{"policy-twice", "28:16", "finding RPM-GAMMA has two rows in lane 01", ""},
	{"policy-unknown-code", "27:16", "there is no finding RPM-GAMA, did you mean RPM-GAMMA?", ""},
	{"value-agency", "42:16", `owner is "BORDERGARD" and must be CUSTOMS or BORDERGUARD, did you mean BORDERGUARD?`, ""},
	{"value-day", "65:30", `calibration_until is "31.3.2027" and must be a day such as 2027-03-31`, ""},
	{"value-empty", "15:10", "key is empty", ""},
	{"value-gate-id", "1:7", `gate is "15-BB" and may hold only letters and digits without accents`, ""},
	{"value-high", "53:18", "transit is 20m and must be at most 10m", ""},
	{"value-listen", "8:11", `listen is "1883" and must be host:port`, "127.0.0.1 is this machine alone, 0.0.0.0 all networks"},
	{"value-low", "63:59", "baud is 9 and must be at least 50", ""},
	{"value-missing-gate", "", "gate is missing", ""},
	{"value-missing-owner", "58:9", "owner is missing", ""},
	{"value-missing-port", "86:11", "neither port nor tcp is set in line", "set port for a serial port, or tcp for the host:port of a terminal server"},
	{"value-missing-settings", "46:11", "client_id is missing", ""},
	{"value-no-topics", "12:15", "topics must have at least 1 entry, and has 0", ""},
	{"value-one-agency", "14:3", "agencies must have exactly 2 entries and has 1", ""},
	{"value-parity", "63:61", `parity is "evn" and must be none, odd, even, mark or space, did you mean even?`, ""},
	{"value-pattern", "63:11", "template: pattern: error parsing regexp: missing closing ): `\\A(?:([0-9]+)\\z`", ""},
	{"value-port-and-tcp", "70:17", "port and tcp cannot both be set", "remove one of them"},
	{"value-role", "51:15", `role is "scaner" and must be presence, camera, scanner, scale, document, barcode, barrier or other, did you mean scanner?`, ""},
	{"value-tcp", "70:23", `tcp is "192.0.2.20" and must be host:port, such as 192.168.1.20:4001`, ""},
	{"value-twice", "45:16", "reads names something twice", ""},
	{"value-wildcard", "47:18", `topic is "gatehouse/15BB/01/+" and must be without any of the characters " +#."`, ""},
	{"value-zero", "28:14", "after is 0s and must be more than 0", ""},
	{"yaml-bracket", "13:1", "this is no YAML: ',' or ']' must be specified", "look at line 12: a [ needs a ]"},
	{"yaml-colon", "59:9", "this is no YAML: non-map value is specified", "look at the indent of this line and of the one before, and at colons: they need a space behind them"},
	{"yaml-empty", "", "the file is empty", "start from configs/gate.yaml, the commented reference"},
	{"yaml-indent", "24:4", "this is no YAML: value is not allowed in this context", "look at the indent of this line and of the one before, and at colons: they need a space behind them"},
	{"yaml-quote", "70:24", "this is no YAML: value is not allowed in this context. map key-value is pre-defined", `look at line 21: a " needs a second one`},
	{"yaml-tab", "23:1", "this is no YAML: found character '\t' that cannot start any token", "indent with spaces, not with tabs"},
	{"yaml-two-documents", "21:1", "a second configuration begins here; the file must hold one", "remove the line ---, or what follows it"},
}

// check runs gatectl check on the folder and returns its JSON lines by file.
func check(t *testing.T, args ...string) map[string]config.Problems {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(append([]string{"check", "--json"}, args...), &out, &errs)
	require.Empty(t, errs.String())
	all := map[string]config.Problems{}
	bad := false
	for line := range strings.Lines(out.String()) {
		var one struct {
			File     string          `json:"file"`
			OK       bool            `json:"ok"`
			Problems config.Problems `json:"problems"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &one))
		require.Equal(t, len(one.Problems) == 0, one.OK)
		all[strings.TrimSuffix(filepath.Base(one.File), ".yaml")] = one.Problems
		bad = bad || !one.OK
	}
	require.Equal(t, bad, status == exitFailed)
	return all
}

func TestEveryMistakeIsToldVerbatim(t *testing.T) {
	require.Empty(t, check(t, "testdata/good.yaml")["good"])
	told := check(t, "testdata/broken")
	require.GreaterOrEqual(t, len(broken), 60)
	messages := map[string]string{}
	for _, b := range broken {
		ps := told[b.file]
		require.Len(t, ps, 1, b.file)
		p := ps[0]
		place := strings.TrimPrefix(strings.TrimSuffix(p.Head(), ": "+p.Message), p.File)
		require.Equal(t, b.place, strings.TrimPrefix(place, ":"), b.file)
		require.Equal(t, b.message, p.Message, b.file)
		require.Equal(t, b.try, p.Try, b.file)
		require.Empty(t, messages[p.Message], "%s says the same", b.file)
		messages[p.Message] = b.file
		requireExcerpt(t, p)
		delete(told, b.file)
	}
	require.Empty(t, told, "files without a row")
}

// requireExcerpt wants the line of the mistake, and the mark below its column.
func requireExcerpt(t *testing.T, p config.Problem) {
	t.Helper()
	if p.Line == 0 {
		require.Empty(t, p.Excerpt)
		return
	}
	text, err := os.ReadFile(p.File)
	require.NoError(t, err)
	line := strings.Split(string(text), "\n")[p.Line-1]
	shown, mark, ok := strings.Cut(p.Excerpt, "\n")
	require.True(t, ok)
	number, shown, ok := strings.Cut(shown, "| ")
	require.True(t, ok)
	require.Equal(t, line, shown)
	require.Equal(t, len(number)+len("| ")+p.Column-1, strings.Index(mark, "^"), p.Head())
}

// A person sees place, message, the line with a mark, and what to do.
func TestAMistakeAsItIsShown(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, exitFailed, run([]string{"check", "testdata/broken/field-settings.yaml", "testdata/broken/device-port-twice.yaml"}, &out, &errs))
	require.Empty(t, errs.String())
	require.Equal(t, `testdata/broken/field-settings.yaml:38:13: unknown field buad, did you mean baud?
  38 |             buad: 9600
     |             ^
testdata/broken/device-port-twice.yaml:63:24: the port /dev/serial/by-id/usb-scanner is used by device xray of lane 01 already
  63 |           line: {port: /dev/serial/by-id/usb-scanner, baud: 9600}
     |                        ^
  Try: give each device its own; ls -l /dev/serial/by-id shows them by name
`, out.String())
}
