package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/internal/trust"
)

// madeKey is the result of making a key: nothing in it is secret.
type madeKey struct {
	Kind    string `json:"kind"`
	Private string `json:"private"` // file, mode 0600
	Public  string `json:"public"`  // file to hand out
	ID      string `json:"id"`      // key id, or the public nkey
}

func newKeysCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make keys and password hashes",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newKeyCmd(asJSON, "gate", "Make the key with which a gate signs the shared record", "gate.key", makeSigning),
		newKeyCmd(asJSON, "agency", "Make the key with which an agency signs what it says", "agency.key", makeSigning),
		newKeyCmd(asJSON, "nkey", "Make the identity of a gate or a console on the hub", "hub.nkey", makeNkey),
		newPasswordCmd(asJSON), newRotateCmd(asJSON),
	)
	return cmd
}

func newKeyCmd(asJSON *bool, kind, short, file string, create func(string) (string, error)) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: kind + " --out DIR", Short: short, Args: cobra.NoArgs,
		Example: fmt.Sprintf("  gatectl keys %s --out keys    # keys/%s (keep it), and the .pub file to hand out", kind, file),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := filepath.Join(out, file)
			id, err := create(path)
			if errors.Is(err, fs.ErrExist) {
				return failed(fmt.Errorf("%s exists and is not overwritten; choose another --out, or move the old key away", path))
			}
			if err != nil {
				return failed(err)
			}
			made := madeKey{Kind: kind, Private: path, Public: trust.PublicPath(path), ID: id}
			if *asJSON {
				return printJSON(cmd.OutOrStdout(), made)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "private %s (keep it)\npublic  %s\nid      %s\n", made.Private, made.Public, made.ID)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder `DIR` for the key; it is made if it is missing")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func makeSigning(path string) (string, error) {
	k, err := trust.Create(path)
	return k.Public().ID(), err
}

func makeNkey(path string) (string, error) {
	s, err := trust.CreateSeed(path)
	return s.Public(), err
}

func newPasswordCmd(asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use: "password", Short: "Read a password from standard input and print its bcrypt hash", Args: cobra.NoArgs,
		Example: "  gatectl keys password < password.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
			if err != nil && line == "" {
				return failed(errors.New("no password on standard input"))
			}
			hash, err := trust.HashPassword(strings.TrimRight(line, "\r\n"))
			if err != nil {
				return failed(err)
			}
			if *asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"hash": hash})
			}
			fmt.Fprintln(cmd.OutOrStdout(), hash)
			return nil
		},
	}
}
