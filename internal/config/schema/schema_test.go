package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers"
	"gatehouse/internal/config/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	root = "../../.."
	file = "configs/gate.schema.json"
)

func TestSchemaIsUpToDate(t *testing.T) {
	t.Chdir(root)
	want, err := schema.Make(drivers.All())
	require.NoError(t, err)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "configs/gate.schema.json is not what the types say; run make generate")
}

// compiled is the checked-in schema, as another implementation reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(file)
	require.NoError(t, err)
	return s
}

// validate checks a YAML file against the schema.
func validate(t *testing.T, s *jsonschema.Schema, path string) error {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	asJSON, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	require.NoError(t, err)
	return s.Validate(value)
}

func TestWhatShipsIsValid(t *testing.T) {
	t.Chdir(root)
	s := compiled(t)
	for _, path := range []string{"configs/gate.yaml", "configs/demo/gate.yaml", "cmd/gatectl/testdata/good.yaml"} {
		require.NoError(t, validate(t, s, path), path)
	}
}

func TestTheReferenceNamesTheSchema(t *testing.T) {
	t.Chdir(root)
	text, err := os.ReadFile("configs/gate.yaml")
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	require.Equal(t, "# yaml-language-server: $schema="+filepath.Base(file), first)
}

// Editors notice what needs no other part of the file, the settings of each
// driver included.
func TestEditorsNoticeMistakes(t *testing.T) {
	t.Chdir(root)
	s := compiled(t)
	for _, name := range []string{
		"field-place", "field-lane", "field-join", "field-device", "field-settings", "field-too-far-out", "field-too-far-in", "field-strange",
		"form-no-unit", "form-days", "form-time", "form-size", "form-number", "form-comma", "form-too-large", "form-list",
		"form-no-dash", "form-section", "form-single",
		"value-missing-gate", "value-missing-owner", "value-missing-settings", "value-missing-port", "value-port-and-tcp",
		"value-agency", "value-role", "value-parity", "value-gate-id", "value-low", "value-one-agency", "value-no-topics", "value-twice",
		"policy-severity", "device-driver", "device-driver-strange",
	} {
		require.Error(t, validate(t, s, "cmd/gatectl/testdata/broken/"+name+".yaml"), name)
	}
}

// Every setting has words that an editor can show.
func TestEveryFieldIsExplained(t *testing.T) {
	t.Chdir(root)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var all struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Description string `json:"description"`
			} `json:"properties"`
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &all))
	for _, driver := range []string{"rpm.Config", "camera.Config", "xray.Config", "scale.Config", "mrz.Config", "barcode.Config", "barrier.Config"} {
		require.Contains(t, all.Defs, driver)
	}
	var without []string
	for name, def := range all.Defs {
		for field, p := range def.Properties {
			if p.Description == "" && !strings.Contains(name, ".") {
				without = append(without, name+"."+field)
			}
		}
	}
	require.Empty(t, without)
}
