package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExitStatus(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"help":              {[]string{"--help"}, exitOK},
		"no such file":      {[]string{"check", "absent.yaml"}, exitFailed},
		"no key":            {[]string{"verify", "absent", "--key", "absent"}, exitFailed},
		"unknown command":   {[]string{"nonsense"}, exitUsage},
		"unknown flag":      {[]string{"verify", "--nonsense"}, exitUsage},
		"missing argument":  {[]string{"verify", "--key", "x"}, exitUsage},
		"missing flag":      {[]string{"verify", "x"}, exitUsage},
		"wrong head":        {[]string{"verify", "x", "--key", "k", "--head", "1"}, exitUsage},
		"unknown key":       {[]string{"keys", "nonsense"}, exitUsage},
		"wrong hub options": {[]string{"hub", "config", "--listen", "nonsense"}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			require.Equal(t, c.want, run(c.args, &out, &errs), errs.String())
			if c.want == exitUsage {
				require.Empty(t, out.String())
				require.Contains(t, errs.String(), "Try:")
			}
		})
	}
}
