package hub

import (
	"fmt"
	"strings"
	"text/template"

	"gatehouse/internal/hub/client"
)

// maxPayload is the largest message of the hub in bytes: a passage with a long
// radiation profile is some hundred kilobytes.
const maxPayload = 4 << 20

// spare is room in an account beside its streams' limits, for the state of
// consumers.
const spare = 64 << 20

// Config is the hub's configuration in the form of nats-server's own file. The
// embedded hub runs from this text, and a hub cluster can.
func (o Options) Config() (string, error) {
	if err := o.Validate(); err != nil {
		return "", err
	}
	o = o.withDefaults()
	t, err := template.New("hub").Funcs(template.FuncMap{
		"quote": quote, "sayings": client.SayingsOf, "consumer": client.SayingsConsumer, "filter": client.SayingsFilter,
	}).Parse(configText)
	if err != nil {
		return "", fmt.Errorf("parse hub configuration template: %w", err)
	}
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return "", err
	}
	if port == 0 {
		port = -1 // nats-server's word for a free port
	}
	agencyMax := o.InboxMaxBytes + o.ImageMaxBytes + spare
	gatesMax := o.SayingsMaxBytes*int64(len(o.Agencies)) + spare
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"O": o, "Host": host, "Port": port, "MaxPayload": maxPayload, "Kinds": client.Sayings(),
		"AgencyMax": agencyMax, "GatesMax": gatesMax,
		"TotalMax": agencyMax*int64(len(o.Agencies)) + gatesMax,
		"Streams":  []string{client.InboxStream, client.ImageStream},
		"Prefix":   client.InboxPrefix,
	})
	if err != nil {
		return "", fmt.Errorf("write hub configuration: %w", err)
	}
	return b.String(), nil
}

// quote writes a string of nats-server's configuration. Paths and names are
// all that comes here; a control character in one is kept out of the file.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

const configText = `# Gatehouse hub: accounts of the gates and of each agency.
# A hub that is embedded in a gate makes its streams itself. On one of its own
# the streams INBOX and IMAGES of each agency's account and SAYINGS-<AGENCY> of
# the account GATES have to be made by its administrator.
server_name: {{quote .O.Name}}
host: {{quote .Host}}
port: {{.Port}}
max_payload: {{.MaxPayload}}
write_deadline: "10s"
{{- with .O.TLS}}
tls {
  cert_file: {{quote .Cert}}
  key_file: {{quote .Key}}
{{- if .CA}}
  ca_file: {{quote .CA}}
  verify: true
{{- end}}
}
{{- end}}

# Every acknowledgement means that the disk has it.
jetstream {
  store_dir: {{quote .O.StoreDir}}
  sync_interval: always
  max_memory_store: 64MB
  max_file_store: {{.TotalMax}}
}

system_account: SYS

accounts {
  SYS {}

  GATES {
    jetstream { max_memory: 16MB, max_file: {{.GatesMax}} }
    imports [
{{- range .O.Agencies}}
      { service: { account: {{.ID}}, subject: "inbox.>" }, to: "to.{{.ID.Account}}.>" }
{{- end}}
    ]
    exports [
{{- range .O.Agencies}}
      { service: "from.{{.ID}}.>", accounts: [{{.ID}}] }
{{- end}}
    ]
    users [
{{- range $gate := .O.Gates}}
      { nkey: {{.Nkey}}, permissions: {
        publish: { allow: [
          "to.*.alert.{{.ID}}", "to.*.record.{{.ID}}", "to.*.image.{{.ID}}.*"
{{- range $agency := $.O.Agencies}}{{range $kind := $.Kinds}}
{{- $s := sayings $agency.ID}}{{$c := consumer $gate.ID $kind}}
          "$JS.API.CONSUMER.CREATE.{{$s}}.{{$c}}.{{filter $agency.ID $gate.ID $kind}}"
          "$JS.API.CONSUMER.INFO.{{$s}}.{{$c}}"
          "$JS.API.CONSUMER.MSG.NEXT.{{$s}}.{{$c}}"
          "$JS.ACK.{{$s}}.{{$c}}.>"
{{- end}}{{end}}
        ] }
        subscribe: { allow: ["{{call $.Prefix .Nkey}}.>"] }
      } }
{{- end}}
    ]
  }
{{range $agency := .O.Agencies}}
  {{.ID}} {
    jetstream { max_memory: 16MB, max_file: {{$.AgencyMax}} }
    exports [ { service: "inbox.>", accounts: [GATES] } ]
    imports [ { service: { account: GATES, subject: "from.{{.ID}}.>" }, to: "say.>" } ]
    users [
{{- range .Nkeys}}
      { nkey: {{.}}, permissions: {
        publish: { allow: [
{{- range $gate := $.O.Gates}}{{range $.Kinds}}
          "say.{{$gate.ID}}.{{.}}"
{{- end}}{{end}}
          "$JS.API.INFO"
{{- range $.Streams}}
          "$JS.API.STREAM.INFO.{{.}}"
          "$JS.API.STREAM.MSG.GET.{{.}}"
          "$JS.API.DIRECT.GET.{{.}}"
          "$JS.API.DIRECT.GET.{{.}}.>"
          "$JS.API.CONSUMER.CREATE.{{.}}.>"
          "$JS.API.CONSUMER.INFO.{{.}}.*"
          "$JS.API.CONSUMER.DELETE.{{.}}.*"
          "$JS.API.CONSUMER.MSG.NEXT.{{.}}.*"
          "$JS.ACK.{{.}}.>"
{{- end}}
        ] }
        subscribe: { allow: ["{{call $.Prefix .}}.>"] }
      } }
{{- end}}
    ]
  }
{{end}}}
`
