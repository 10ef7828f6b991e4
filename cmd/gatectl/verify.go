package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func newVerifyCmd(asJSON *bool) *cobra.Command {
	var gateKeys, agencyKeys, heads []string
	var part bool
	cmd := &cobra.Command{
		Use:   "verify EXPORT --key FILE",
		Short: "Say whether an exported record is whole, and what is wrong first",
		Long: `Check an export of the shared record against the gate's public key, which must
come another way than the export. The result is whether the record is whole,
and otherwise the first event that is missing, altered or moved.

Give a head from an agency's receipt with --head to notice a cut-off end.
EXPORT may be - for standard input.`,
		Example: `  gatectl verify 15BB-march.jsonl --key gate.pub --agency-key customs.pub --agency-key borderguard.pub
  gatectl verify 15BB-march.jsonl --key gate.pub --head 15BB-01K8...:4711:9f86d0...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys := share.VerifyKeys{Part: part}
			var err error
			if keys.Expect, err = parseHeads(heads); err != nil {
				return err
			}
			if keys.Gate, err = loadKeys(gateKeys); err != nil {
				return failed(err)
			}
			if keys.Agency, err = loadKeys(agencyKeys); err != nil {
				return failed(err)
			}
			return verify(cmd, args[0], keys, *asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&gateKeys, "key", nil, "the gate's public key `FILE`, the first that the export was signed with; keys that a change signed by both announces are learnt")
	f.StringArrayVar(&agencyKeys, "agency-key", nil, "an agency's public key `FILE`, to check what the agency said")
	f.StringArrayVar(&heads, "head", nil, "`CHAIN:SEQUENCE:HASH` that the export must contain")
	f.BoolVar(&part, "part", false, "the export may begin after the first event of a chain")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

func loadKeys(paths []string) ([]trust.Public, error) {
	var keys []trust.Public
	for _, path := range paths {
		k, err := trust.LoadPublic(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseHeads(texts []string) ([]share.Head, error) {
	var heads []share.Head
	for _, text := range texts {
		fields := strings.Split(text, ":")
		if len(fields) != 3 {
			return nil, fmt.Errorf("--head %q: want CHAIN:SEQUENCE:HASH", text)
		}
		n, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("--head %q: %q is not a sequence", text, fields[1])
		}
		heads = append(heads, share.Head{Chain: fields[0], Sequence: n, Head: fields[2]})
	}
	return heads, nil
}

func verify(cmd *cobra.Command, path string, keys share.VerifyKeys, asJSON bool) error {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return failed(fmt.Errorf("open export: %w", err))
		}
		defer f.Close()
		in = f
	}
	report, err := share.Verify(in, keys)
	if err != nil {
		return failed(fmt.Errorf("%s: %w", path, err))
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), struct {
			File string `json:"file"`
			share.Report
		}{path, report}); err != nil {
			return err
		}
	} else {
		printReport(cmd.OutOrStdout(), path, report)
	}
	if !report.Whole {
		return failed(nil)
	}
	return nil
}

func printReport(w io.Writer, path string, r share.Report) {
	if r.Whole {
		fmt.Fprintf(w, "%s: whole, %d events\n", path, r.Events)
	} else {
		fmt.Fprintf(w, "%s: NOT WHOLE, %d events, %d problems; the first:\n  %s\n", path, r.Events, r.Problems, r.First)
	}
	for _, c := range r.Chains {
		fmt.Fprintf(w, "  chain %s: events %d to %d, head %s\n", c.Chain, c.First, c.Last, c.Head)
	}
	for _, k := range r.KeyChanges {
		fmt.Fprintf(w, "  chain %s: key %s at event %d follows key %s, signed by both\n", k.Chain, k.New, k.Sequence, k.Old)
	}
	if r.HeaderOnly > 0 {
		fmt.Fprintf(w, "  %d events without their content\n", r.HeaderOnly)
	}
	if r.Unchecked > 0 {
		fmt.Fprintf(w, "  %d events of agencies whose key was not given (--agency-key)\n", r.Unchecked)
	}
}
